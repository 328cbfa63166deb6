"""A look at a bank: a planted break is found by the right check, an ordinary year is none, nothing later is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monitored_bank import NOW, promote_as_of, stored_bank, write_monitored_bank

from features.dataset import open_dataset
from features.store import Store
from training.monitoring.finding import Finding
from training.monitoring.looking import Look, look

CAP_SEED = 1


def look_at(place: Path, *, planted: str = "none", as_of: str = "2024", seed: int = 0, latest: bool = False) -> Look:
    """Look at the target model of a new bank, as it would have been trained a year before."""
    snapshot = stored_bank(place, seed=seed, planted=planted)  # pyright: ignore[reportArgumentType]
    origin = snapshot.description.calendar.parse(as_of)
    return look(snapshot, place / "home", origin=origin, latest=latest, kinds=("target",))


def flagged(seen: Look) -> dict[str, tuple[str, ...]]:
    return {finding.check: finding.flagged for finding in seen.breaches}


def test_an_ordinary_year_opens_nothing(tmp_path):
    seen = look_at(tmp_path)
    assert not seen.breaches
    assert [finding.state for finding in seen.findings] == ["ok"] * 5
    assert seen.about["models"] == {"target": "replayed"}


def test_a_shift_of_growth_is_drift_of_inputs_and_more_than_was_thought_possible(tmp_path):
    found = flagged(look_at(tmp_path, planted="growth"))
    assert set(found["target.inputs"]) == {"LOANS", "SALES"}
    assert set(found["target.common_growth"]) == {"LOANS", "SALES"}
    assert "target.coverage" not in found  # given how the whole did, the units' bands held


def test_a_definition_that_changed_without_a_word_shows(tmp_path):
    found = flagged(look_at(tmp_path, planted="definition"))
    assert found["target.inputs"] == ("FEES",)
    assert found["target.common_growth"] == ("FEES",)


def test_a_cap_on_yields_shows_in_the_inputs_and_the_bands(tmp_path):
    found = flagged(look_at(tmp_path, planted="cap", seed=CAP_SEED))
    assert found["target.inputs"] == ("YIELD",)
    assert found["target.coverage"] == ("YIELD",)


def test_branches_that_spread_apart_are_seen_though_the_whole_grew_as_ever(tmp_path):
    found = flagged(look_at(tmp_path, planted="spread"))
    assert found["target.inputs"] == ("SALES",)
    assert found["target.coverage"] == ("SALES",)
    assert "target.common_growth" not in found


def test_what_comes_later_does_not_change_a_look_back(tmp_path):
    calm, broken = look_at(tmp_path / "a", as_of="2023"), look_at(tmp_path / "b", as_of="2023", planted="growth")
    assert [one.as_dict() for one in calm.findings] == [other.as_dict() for other in broken.findings]


def test_figures_restated_later_do_not_change_a_look_back(tmp_path):
    before = look_at(tmp_path, as_of="2023")
    folder = write_monitored_bank(tmp_path / "again")
    frame = pd.read_csv(folder / "observations.csv")
    late = frame["period"].eq(2023)
    frame.loc[late, "value"] = (frame.loc[late, "value"] * 1.5).round(4)
    frame["known_on"] = np.where(late, "2024-06-30", "")
    frame.to_csv(folder / "observations.csv", index=False)
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder), now=NOW)
    snapshot = store.snapshot()
    origin = snapshot.description.calendar.parse("2023")
    after = look(snapshot, tmp_path / "home", origin=origin, latest=False, kinds=("target",))
    assert [one.as_dict() for one in after.findings] == [other.as_dict() for other in before.findings]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    """A bank whose champion learned up to 2022; the growth of 2024 is out of all that was seen."""
    place = tmp_path_factory.mktemp("served")
    snapshot = stored_bank(place, planted="growth")
    return snapshot, place / "home", promote_as_of(snapshot, place / "home", "2022")


def test_the_champion_is_judged_by_every_year_since_it_learned(served):
    snapshot, home, version = served
    seen = look(snapshot, home, origin=snapshot.span[1], latest=True, kinds=("target",))
    common = next(finding for finding in seen.findings if finding.check == "target.common_growth")
    assert {row["year"] for row in common.table} == {2023, 2024}
    assert {finding.version for finding in seen.findings} == {version}
    assert {(row["name"], row["year"]) for row in common.table if row["flagged"]} >= {("LOANS", 2024), ("SALES", 2024)}
    assert not any(row["flagged"] for row in common.table if row["year"] == 2023)


def test_a_look_back_asks_the_champion_of_then(served):
    snapshot, home, version = served
    calendar = snapshot.description.calendar
    then = look(snapshot, home, origin=calendar.parse("2023"), latest=False, kinds=("target",))
    assert then.about["models"] == {"target": version}
    before = look(snapshot, home, origin=calendar.parse("2022"), latest=False, kinds=("target",))
    assert before.about["models"] == {"target": "replayed"}  # it had not learned from anything earlier than 2022


def test_a_model_that_has_learned_from_everything_has_nothing_to_be_held_against(served, tmp_path):
    snapshot, _, _ = served
    promote_as_of(snapshot, tmp_path, "2024")
    seen = look(snapshot, tmp_path, origin=snapshot.span[1], latest=True, kinds=("target",))
    assert {finding.state for finding in seen.findings} == {"too little data"}


def test_without_a_model_nothing_is_found_and_it_says_so(served, tmp_path):
    snapshot, _, _ = served
    seen = look(snapshot, tmp_path, origin=snapshot.span[1], latest=True)
    assert {finding.state for finding in seen.findings} == {"too little data"}
    assert len(seen.findings) == 9
    assert seen.about["models"] == {"target": None, "warning": None}


def test_a_look_is_plain_json_and_reads_back(served):
    snapshot, home, _ = served
    seen = look(snapshot, home, origin=snapshot.span[1], latest=True, kinds=("target",))
    told = json.loads(json.dumps(seen.as_dict(), allow_nan=False))
    assert [Finding.from_dict(plain).as_dict() for plain in told["findings"]] == [
        {name: value for name, value in plain.items() if name != "state_text"} for plain in told["findings"]
    ]
    assert list(seen.table()["state"]) == [plain["state"] for plain in told["findings"]]
    assert look(snapshot, home, origin=snapshot.span[1], latest=True, kinds=("target",)).as_dict() == seen.as_dict()
