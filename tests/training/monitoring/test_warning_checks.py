"""The warning model's columns, probabilities and outcomes, on a small bank where hurried lending goes wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from warning_bank import NOW, write_bank

from features.dataset import open_dataset
from features.store import Snapshot, Store
from training.gating.gate import Gate
from training.monitoring.rules import CheckRules
from training.monitoring.warning_checks import inputs, outcomes, predictions
from training.monitoring.watched_warning import WarningWatch, warning_watch
from training.promote import champion_digest, promote
from training.warning.fitting import about_origin, fitted, model_name, to_bundle
from training.warning.gathering import gathered

RULES = CheckRules.read()
LEARNED_TO = "2018"


def watched(place: Path, *, grown: float = 1.0, promoted: bool = True) -> WarningWatch:
    """Promote a model that learned up to 2018, and look when 2021 is over; loans may jump in the last year."""
    folder = write_bank(place / "bank")
    frame = pd.read_csv(folder / "observations.csv")
    newest = frame["period"].eq(frame["period"].max()) & frame["indicator"].eq("LOANS")
    frame.loc[newest, "value"] *= grown
    frame.to_csv(folder / "observations.csv", index=False)
    store = Store(place / "store")
    store.ingest(open_dataset(folder), now=NOW)
    snapshot = store.snapshot()
    _, material = gathered(snapshot, snapshot.span[1])
    if promoted:
        _promote(snapshot, material, place)
    return warning_watch(snapshot, material, home=place, origin=snapshot.span[1], latest=True)


def _promote(snapshot: Snapshot, material, home: Path) -> None:
    calendar, name = snapshot.description.calendar, model_name(snapshot.about.dataset)
    origin = calendar.parse(LEARNED_TO)
    dated = {"as_of": LEARNED_TO, "known_on": calendar.end(origin).isoformat()}
    bundle = to_bundle(fitted(material, origin, seed=1), about_origin(material, origin, seed=1) | dated)
    promote(
        home,
        name,
        bundle,
        by="test",
        reason="for the tests of the watch",
        expected_champion=champion_digest(home, name),
        gates=[Gate("test", True, 1.0, (0.0,), {"en": "Made for a test.", "zh": "供测试使用。"})],
        clock=lambda: NOW,
    )


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> WarningWatch:
    return watched(tmp_path_factory.mktemp("calm"))


def test_an_ordinary_year_is_in_order(watch):
    assert inputs(watch, RULES["warning.inputs"]).state == "ok"
    assert predictions(watch, RULES["warning.predictions"]).state == "ok"
    found = outcomes(watch, RULES["warning.outcomes"])
    assert found.state == "ok"
    assert [row["name"] for row in found.table] == ["2019", "2020"]


def test_only_years_after_the_model_learned_count(watch):
    promised = watch.promised()
    first = watch.fitted.origin + 1 - watch.material.first
    assert not np.isfinite(promised[:first]).any()
    assert np.isfinite(promised[first : first + 2]).any()
    assert not np.isfinite(promised[-1]).any()  # what came of the last year is not known yet


def test_loans_that_jump_everywhere_are_drift(tmp_path):
    found = inputs(watched(tmp_path, grown=2.0), RULES["warning.inputs"])
    assert found.state == "breach"
    assert found.flagged
    assert any(name.startswith("LOANS.growth") for name in found.flagged)
    assert found.table[0]["flagged"]


def test_deteriorations_that_no_longer_come_are_found(watch):
    silent = replace(watch, labels=replace(watch.labels, y=np.where(watch.labels.known, 0, np.nan).astype(np.float32)))
    found = outcomes(silent, RULES["warning.outcomes"])
    assert found.state == "breach"
    assert found.measured is not None
    assert found.measured < 0.2
    assert found.interval is not None
    assert found.interval[1] < 1


def test_a_few_expected_say_nothing(watch):
    assert outcomes(watch, replace(RULES["warning.outcomes"], least=500)).state == "too little data"


def test_without_a_model_there_is_nothing_to_hold(tmp_path):
    bare = watched(tmp_path, promoted=False)
    for check in (inputs, predictions, outcomes):
        assert check(bare, RULES["warning.inputs"]).state == "too little data"
