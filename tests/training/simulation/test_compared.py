"""Two replays side by side: every score's change is told line by line, to the cent."""

from __future__ import annotations

import numpy as np
import pytest
from scoring_bank import CALENDAR, NEW, make_policy
from tried_rules import DECEMBER, JUNE, TITLE, items, other, present

from features.snapshot import Snapshot
from models.scoring.comparison import ROUNDING, Line
from training.simulation.compared import AFTER_ONLY, BEFORE_ONLY, BOTH, Compared, compare
from training.simulation.groups import SUPPRESSED, group_table
from training.simulation.replay import joined, replay
from training.simulation.tables import distribution_table, grade_table, line_table, reason_table, score_table
from training.simulation.words import main_reason


@pytest.fixture(scope="module")
def compared(snapshot: Snapshot) -> Compared:
    periods = [JUNE, DECEMBER]
    return compare(replay(snapshot, present(), periods), replay(snapshot, other(), periods))


def test_lines_add_up_to_each_score_and_to_its_change(compared: Compared) -> None:
    for side in (compared.old, compared.new):
        assert (side.cents.sum(axis=0) == side.tenths * 10).all()
    assert (compared.moved.sum(axis=0) == compared.difference * 10).all()
    assert compared.both.sum() > 20
    assert (compared.difference != 0).any()


def test_written_reasons_add_up_to_the_written_change(compared: Compared) -> None:
    scores = score_table(compared, CALENDAR.format)
    reasons = reason_table(compared, CALENDAR.format)
    told = scores[scores["status"] == BOTH].set_index(["unit", "period"])
    summed = reasons.groupby(["unit", "period"])[["before", "after", "difference"]].sum().round(2)
    for column in ("before", "after", "difference"):
        assert (summed[column] == told[column].reindex(summed.index)).all()
    assert len(told) == len(summed)


def test_an_item_of_one_policy_alone_says_so(compared: Compared) -> None:
    reasons = reason_table(compared, CALENDAR.format).set_index("line")
    assert set(reasons.loc["DEPOSITS", "presence"]) == {"only before"}
    assert set(reasons.loc["INTEREST", "presence"]) == {"only after"}
    assert set(reasons.loc["LENDING", "presence"]) == {""}
    assert (reasons.loc["DEPOSITS", "after"] == 0).all()


def test_the_same_policy_changes_nothing(snapshot: Snapshot) -> None:
    same = compare(replay(snapshot, present(), [DECEMBER]), replay(snapshot, present(), [DECEMBER]))
    assert not same.moved.any()
    assert (same.main_line == -1).all()
    assert main_reason(same, int(np.flatnonzero(same.both)[0])).en == "no change"


def test_the_main_reason_is_the_line_that_pushed_most_in_the_direction_of_the_change(compared: Compared) -> None:
    for row in np.flatnonzero(compared.both & (compared.difference != 0)):
        pushed = compared.moved[:, row] * np.sign(compared.difference[row])
        others = np.array([line != ROUNDING for line in compared.lines]) * pushed
        pushed = others if others.max() > 0 else pushed
        assert pushed[compared.main_line[row]] == pushed.max() > 0
    row = int(np.flatnonzero(compared.both & (compared.difference > 0))[0])
    line = compared.lines[compared.main_line[row]]
    name = compared.after.titles.get(line) or compared.before.titles[line]
    said = main_reason(compared, row)
    assert said.en.startswith(f"{name.en} +")
    assert said.zh.startswith(f"{name.zh} +")


def test_what_a_veto_takes_is_the_gates(snapshot: Snapshot) -> None:
    veto = {"kind": "veto", "id": "v", "title": TITLE, "when": {"indicator": "LATE", "above": "0"}}
    found = compare(
        replay(snapshot, present(gates=[]), [DECEMBER]), replay(snapshot, present(gates=[veto]), [DECEMBER])
    )
    rows = np.flatnonzero(found.both)
    assert (found.new.tenths[rows] == 0).all()
    gate = found.lines.index(Line("gate", "veto"))
    rest = np.delete(found.moved, [gate, found.lines.index(ROUNDING)], axis=0)
    assert not rest.any()
    assert (found.moved[gate, rows] < 0).all()
    assert main_reason(found, int(rows[0])).zh.startswith("一票否决")


def test_a_unit_scored_on_one_side_alone_is_not_compared(snapshot: Snapshot) -> None:
    some = make_policy(items(LENDING="50", LATE="50"), missing={"then": "withhold"})
    every = make_policy(items(LATE="100"), version="2")
    found = compare(replay(snapshot, some, [DECEMBER]), replay(snapshot, every, [DECEMBER]))
    row = int(np.flatnonzero(found.about["unit"] == NEW)[0])  # without a last year its lending has no standards
    assert found.status[row] == AFTER_ONLY
    assert found.difference[row] == 0
    assert "only after" in main_reason(found, row).en
    back = compare(replay(snapshot, every, [DECEMBER]), replay(snapshot, some, [DECEMBER]))
    assert back.status[int(np.flatnonzero(back.about["unit"] == NEW)[0])] == BEFORE_ONLY
    scores = score_table(found, CALENDAR.format).set_index("unit")
    assert np.isnan(scores.loc[NEW, "before"])
    assert np.isfinite(scores.loc[NEW, "after"])


def test_replays_of_different_periods_join_to_what_one_replay_gives(snapshot: Snapshot) -> None:
    whole = replay(snapshot, present(), [JUNE, DECEMBER])
    parts = joined([replay(snapshot, present(), [JUNE]), replay(snapshot, present(), [DECEMBER])])
    assert not compare(whole, parts).moved.any()
    assert compare(whole, parts).both.sum() == whole.lines.scored.sum()


def test_ranks_are_within_peer_groups_and_periods(compared: Compared) -> None:
    scores = score_table(compared, CALENDAR.format)
    known = scores[scores["rank_before"].notna()]
    for _, group in known.groupby(["period", "peer_group"]):
        assert group["rank_before"].min() == 1
        assert (group["ranked_of"] == len(group)).all()
        best = group.loc[group["before"].idxmax()]
        assert best["rank_before"] == 1


def test_groups_of_fewer_than_five_units_are_not_shown(snapshot: Snapshot) -> None:
    periods = [JUNE, DECEMBER]
    found = compare(replay(snapshot, present(), periods), replay(snapshot, other(), periods))
    found.about["business_line"] = np.where(found.about["unit"].isin(["B00", "B01", "B02"]), "few", "many")
    table = group_table(found).set_index(["dimension", "group"])
    few, many = table.loc[("business_line", "few")], table.loc[("business_line", "many")]
    assert few["note"] == SUPPRESSED
    assert np.isnan(few[["scores", "gain", "lose", "mean_change"]].astype(float)).all()
    assert np.isfinite(float(many["mean_change"]))
    assert int(many["gain"] + many["lose"] + many["unchanged"]) == int(many["scores"])


def test_distribution_grades_and_lines_count_every_compared_score(compared: Compared) -> None:
    count = int(compared.both.sum())
    spread = distribution_table(compared)
    assert spread[["before", "after"]].sum().tolist() == [count, count]
    assert grade_table(compared)["count"].sum() == count
    mean = compared.difference[compared.both].mean() / 10
    assert line_table(compared)["mean"].sum() == pytest.approx(mean)
