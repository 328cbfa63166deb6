"""Watching the sample bank: what was planted is found in time, a calm bank is left in peace, nothing is seen early."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from warning_bank import stored, write_bank

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store
from models.triage.discovery import FALSE_DISCOVERY_LEVEL
from training.sample.bank import SampleBank, generate
from training.sample.judge_alerts import AlertVerdict, judge_alerts
from training.warning.watch import PROMISED, Asked, Watch, watch

NOW = datetime(2025, 6, 30, tzinfo=UTC)
BUDGET = 0.05


def store_bank(bank: SampleBank, place) -> Snapshot:
    store = Store(place / "store")
    store.ingest(open_dataset(bank.write(place / "dataset")), now=NOW)
    return store.snapshot()


def watched(snapshot: Snapshot, place, *, first: int | None = None, last: int | None = None, **about) -> Watch:
    end = snapshot.span[1] if last is None else last
    return watch(snapshot, Asked(end if first is None else first, end, **about), home=place)


def verdict(bank: SampleBank, found: Watch) -> AlertVerdict:
    ordinals = range(found.looked.first, found.asked.last + 1)
    months = [found.snapshot.description.calendar.format(ordinal) for ordinal in ordinals]
    return judge_alerts(bank, pd.DataFrame(found.episodes.listed, months, found.snapshot.tree.codes))


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> tuple[SampleBank, Watch]:
    place = tmp_path_factory.mktemp("planted")
    bank = generate()
    return bank, watched(store_bank(bank, place), place)


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> tuple[SampleBank, Watch]:
    place = tmp_path_factory.mktemp("calm")
    bank = generate(calm=True)
    return bank, watched(store_bank(bank, place), place)


def test_finds_what_was_planted_half_a_year_before_the_harm(planted):
    bank, found = planted
    judged = verdict(bank, found)
    assert judged.recall >= 0.8
    assert judged.lead_time >= 6
    assert judged.share_of_a_month <= BUDGET


def test_leaves_a_calm_bank_in_peace(calm):
    bank, found = calm
    judged = verdict(bank, found)
    assert not len(bank.episodes)
    assert judged.share_ever <= FALSE_DISCOVERY_LEVEL
    assert judged.share_of_a_year <= FALSE_DISCOVERY_LEVEL / 2


def test_every_unit_has_a_row_and_a_score(planted):
    _, found = planted
    table = found.table
    tree = found.snapshot.tree
    assert list(table["unit"]) == list(tree.codes[tree.valid(found.asked.last)])
    assert table["score"].between(0, 1).all()
    assert tuple(found.promised().columns) == PROMISED
    assert set(table["severity"]) <= {"", "amber", "red"}
    assert (table.loc[table["listed"], "severity"] != "").all()
    assert (table.loc[~table["listed"], "severity"] == "").all()
    assert (table.loc[table["listed"], "title"] != "").all()


def test_a_parent_has_the_mean_of_its_leaves_and_is_never_listed(planted):
    _, found = planted
    tree, table = found.snapshot.tree, found.table.set_index("unit")
    last = found.asked.last
    parent = str(tree.codes[np.flatnonzero(tree.depths(last) == 1)[0]])
    below = tree.subtree(parent, last) & tree.leaves(last)
    assert table.loc[parent, "score"] == pytest.approx(table.loc[tree.codes[below], "score"].mean())
    assert not table.loc[tree.codes[tree.ever_parent], "listed"].any()


def test_the_list_keeps_to_the_budget(planted):
    _, found = planted
    share = found.episodes.listed.sum(axis=1) / found.leaves.sum(axis=1)
    assert share.max() <= BUDGET
    assert found.episodes.listed[-1].sum() > 0


def test_the_alerts_are_the_episodes_of_the_period(planted):
    _, found = planted
    alerts, table = found.alerts, found.table
    assert alerts["alert"].is_unique
    on_list = table[table["listed"]]
    assert set(on_list["alert"]) == set(alerts.loc[alerts["open"], "alert"])
    assert (alerts["first"] <= alerts["last"]).all()


def test_the_past_does_not_change_when_later_data_come_in(tmp_path):
    bank = generate(branches=120, seed=7)
    whole = store_bank(bank, tmp_path / "whole")
    cut_at = "2022-06"
    place = tmp_path / "cut"
    folder = bank.write(place / "dataset")
    figures = pd.read_parquet(folder / "observations.parquet")
    seen = figures["period"].astype(str) <= cut_at
    if "known_on" in figures:
        day = pd.to_datetime(figures["known_on"])
        seen &= day.isna() | (day <= "2022-06-30")
    figures[seen].to_parquet(folder / "observations.parquet")
    store = Store(place / "store")
    store.ingest(open_dataset(folder), now=NOW)
    last = whole.description.calendar.parse(cut_at)
    one = watched(whole, tmp_path / "whole", last=last)
    other = watched(store.snapshot(), place)
    assert one.answer.last is not None
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.alerts, other.alerts)


def test_given_outcomes_rank_by_probability(tmp_path):
    snapshot = stored(tmp_path)
    found = watched(snapshot, tmp_path)
    table = found.table.set_index("unit").loc[snapshot.tree.codes[~snapshot.tree.ever_parent]]
    assert found.about["labels"] == "given"
    assert table["probability"].notna().all()
    assert (table["score"] == table["probability"]).all()
    fast = found.material.panel.array("LOANS")
    growth = pd.Series(np.log(fast[-1] / fast[-2]), snapshot.tree.codes)[table.index]
    assert table["probability"][growth > 0.2].mean() > 3 * table["probability"][growth < 0.15].mean()


def test_without_dates_of_outcomes_a_range_is_judged_with_hindsight_and_says_so(tmp_path):
    snapshot = stored(tmp_path, outcomes="undated")
    found = watched(snapshot, tmp_path, first=snapshot.span[0], hindsight=True)
    assert any("event" in note.en for note in found.notes)
    assert found.table["score"].notna().all()
    assert found.table["period"].nunique() == 14


def test_a_dataset_without_outcomes_or_roles_is_scored(tmp_path):
    folder = write_bank(tmp_path / "bank", outcomes="none", years=4)
    text = (folder / "indicators.yaml").read_text()
    (folder / "indicators.yaml").write_text(text.replace("role: loans", "lines: [x]").replace("role: npl, ", ""))
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder), now=NOW)
    found = watched(store.snapshot(), tmp_path)
    assert found.table["score"].between(0, 1).all()
    assert found.table["probability"].isna().all()
    assert found.summary.en


@pytest.mark.parametrize("outcomes", ["dated", "none"])
def test_how_a_period_is_judged_does_not_depend_on_how_many_are_asked_for(tmp_path, outcomes):
    snapshot = stored(tmp_path, outcomes=outcomes)
    alone = watched(snapshot, tmp_path)
    assert alone.answer.last is not None
    for first in (snapshot.span[1] - 2, snapshot.span[0]):
        ranged = watched(snapshot, tmp_path, first=first)
        last = ranged.table[ranged.table["period"] == ranged.about["as_of"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(last, alone.table)


def test_an_alert_keeps_its_key_from_period_to_period(tmp_path):
    snapshot = stored(tmp_path)
    whole = watched(snapshot, tmp_path, first=snapshot.span[0]).alerts
    for back in (4, 3, 2, 1):
        now = watched(snapshot, tmp_path, last=snapshot.span[1] - back).alerts
        assert set(now["alert"]) <= set(whole["alert"])
