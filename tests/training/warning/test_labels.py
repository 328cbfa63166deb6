"""Labels: given or derived, never earlier than they were known, events and waves, and what reviewers say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import warning_bank

from features.indicators import Title
from features.snapshot import Snapshot
from training.warning.labels import NEVER, Labels, labels

TITLE = Title(en="note", zh="说明")


def made(y: list[list[float]], *, per_year: int = 1, first: int = 2000) -> Labels:
    """Make labels from rows of periods."""
    array = np.array(y, dtype=np.float32)
    known_from = np.where(np.isfinite(array), first + np.arange(len(array))[:, None] + 1, NEVER)
    return Labels(array, known_from, first, (1, 1), per_year, "given", True, TITLE)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return warning_bank.stored(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return warning_bank.stored(tmp_path_factory.mktemp("bare"), outcomes="none")


def test_given_outcomes_are_used_where_there_are_any(given: Snapshot) -> None:
    found = labels(given, given.panel())
    assert found.source == "given"
    assert found.dated
    assert warning_bank.OUTCOME in found.note.en
    assert warning_bank.OUTCOME in found.note.zh
    assert int(found.known.sum()) == warning_bank.BRANCHES * (warning_bank.YEARS - 1)
    assert found.positives == int(given.outcomes["value"].sum())


def test_without_outcomes_they_are_derived_and_mostly_agree_with_the_truth(given: Snapshot, bare: Snapshot) -> None:
    truth, found = labels(given, given.panel()), labels(bare, bare.panel())
    assert found.source == "derived"
    both = truth.known & found.known
    assert both.sum() > 600
    caught = (found.y[both] == 1)[truth.y[both] == 1].mean()
    false = (found.y[both] == 1)[truth.y[both] == 0].mean()
    assert caught > 0.5
    assert false < 0.1


@pytest.mark.parametrize("which", ["given", "bare"])
def test_labels_of_a_past_day_are_what_a_store_of_that_day_would_give(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    snapshot = request.getfixturevalue(which)
    kind = "dated" if which == "given" else "none"
    then = warning_bank.stored(tmp_path, outcomes=kind, years=9)
    last = then.span[1]
    end = snapshot.description.calendar.end(last)
    now = labels(snapshot, snapshot.panel(last), known_by=end)
    past = labels(then, then.panel(last), known_by=end)
    np.testing.assert_array_equal(now.y, past.y)
    np.testing.assert_array_equal(now.known_from, past.known_from)
    whole = labels(snapshot, snapshot.panel()).known_at(last)
    np.testing.assert_array_equal(whole.y[: len(now.y)], now.y)


def test_late_figures_delay_derived_labels(bare: Snapshot) -> None:
    panel = bare.panel()
    end = panel.calendar.end(panel.last)
    usual = labels(bare, panel, known_by=end)
    late = labels(bare, panel, known_by=end, delays={"LOANS": 1})
    row = int(np.flatnonzero(usual.known.any(axis=1))[-1])
    assert int(np.flatnonzero(late.known.any(axis=1))[-1]) == row - 1
    assert (late.known_from[late.known] == usual.known_from[late.known] + 1).all()


def test_without_outcomes_and_without_risk_there_are_none(bare: Snapshot) -> None:
    found = labels(bare, bare.panel(indicators=["LOANS", "FEES"]))
    assert found.source == "none"
    assert not found.known.any()
    assert found.events == 0
    assert (found.wave == -1).all()


def test_consecutive_positives_are_one_event_also_across_the_time_of_trouble_itself() -> None:
    nan = float("nan")
    found = made([[1, 0, 1], [1, 1, nan], [0, 1, 1], [1, nan, nan], [0, nan, nan], [0, 0, 1]])
    event = found.event
    assert event[0, 0] == event[1, 0] != event[3, 0]
    assert event[0, 2] == event[2, 2] != event[5, 2], "one unknown year does not end it, two do"
    assert event[1, 1] == event[2, 1]
    assert found.events == 5
    assert (event[found.y != 1] == -1).all()


def test_events_that_begin_in_one_year_are_one_wave() -> None:
    rows = [[0.0, 0.0, 0.0] for _ in range(24)]
    for month, unit in ((2, 0), (3, 0), (11, 1), (12, 1), (13, 2)):
        rows[month][unit] = 1.0
    wave = made(rows, per_year=12, first=2000 * 12).wave
    assert wave[2, 0] == wave[11, 1] == wave[12, 1] == 2000
    assert wave[13, 2] == 2001


def test_reviewers_overrule_from_the_day_they_decided(given: Snapshot) -> None:
    panel = given.panel()
    year = panel.calendar.format(panel.last)
    reviewed = pd.DataFrame(
        {"unit": ["B00", "B01"], "period": [year, year], "value": [1, 0], "known_on": [date(2022, 3, 1)] * 2}
    )
    before = labels(given, panel, known_by=date(2022, 2, 28), reviewed=reviewed)
    after = labels(given, panel, known_by=date(2022, 3, 1), reviewed=reviewed)
    at = [panel.tree.number("B00"), panel.tree.number("B01")]
    assert np.isnan(before.y[-1, at]).all()
    assert after.y[-1, at].tolist() == [1, 0]
    assert (after.known_from[-1, at] == 2022).all()
    assert "reviewers" in after.note.en
    assert "复核" in after.note.zh
