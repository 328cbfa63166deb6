"""Vintages: every row as it was known at its own end, in as few readings of the panel as there are changes."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from dated_figures import Row, dated_rows, days_after, ingest_figures
from hypothesis import given, settings

from features.errors import LoadlineError
from features.periods import Calendar
from features.snapshot import Snapshot
from features.vintages import Vintage, vintages

MONTHLY = Calendar("M")
UNITS = [f"B{number}" for number in range(4)]
PERIODS = [f"2023-{month:02d}" for month in range(1, 9)]
CODES = ["LOANS", "FEES", "NPL", "RATIO"]


def ordinal(period: str) -> int:
    return MONTHLY.parse(period)


def full(days: int | None = None) -> list[Row]:
    """Give every figure, known on its default day or so many days after its period."""
    cells = [(unit, period, code) for unit in UNITS for period in PERIODS for code in CODES]
    return [
        (*cell, 10.0 + place, "" if days is None else days_after(MONTHLY, cell[1], days))
        for place, cell in enumerate(cells)
    ]


def bounds(found: tuple[Vintage, ...]) -> list[tuple[str, str]]:
    return [(MONTHLY.format(each.first), MONTHLY.format(each.last)) for each in found]


def in_force(found: tuple[Vintage, ...], period: int) -> Vintage:
    (only,) = [each for each in found if each.first <= period <= each.last]
    return only


def assert_as_known(snapshot: Snapshot, found: tuple[Vintage, ...], *, known_on: date | None = None) -> None:
    """Compare what each row may use with the panel read as of that row."""
    for each in found:
        panel = each.panel
        assert panel.last == each.last
        for period in range(each.first, each.last + 1):
            day = min(MONTHLY.end(period), known_on or date.max)
            oracle = snapshot.panel(period, known_on=day)
            for code in oracle.codes:
                used = max(0, len(oracle.ordinals) - each.delays[code])
                np.testing.assert_array_equal(panel.array(code)[:used], oracle.array(code)[:used], err_msg=code)


def test_figures_that_come_as_usual_make_one_vintage(tmp_path: Path) -> None:
    snapshot = ingest_figures(tmp_path, full(), units=UNITS)
    found = vintages(snapshot, ordinal("2023-02"), ordinal("2023-08"))
    assert bounds(found) == [("2023-02", "2023-08")]
    assert dict(found[0].delays) == {"LOANS": 0, "FEES": 1, "NPL": 2, "RATIO": 0}
    assert np.isfinite(found[0].panel.array("NPL")[:, 1:]).sum(axis=0).tolist() == [6] * 4
    assert_as_known(snapshot, found)


@settings(max_examples=25, deadline=None)
@given(rows=dated_rows(UNITS, PERIODS))
def test_every_row_is_as_known_at_its_end(rows: list[Row]) -> None:
    with TemporaryDirectory() as place:
        snapshot = ingest_figures(Path(place), rows, units=UNITS)
        first, last = snapshot.span[0], ordinal("2023-12")
        found = vintages(snapshot, first, last)
        assert [each.first for each in found] == [first, *(each.last + 1 for each in found[:-1])]
        assert found[-1].last == last
        assert_as_known(snapshot, tuple(reversed(found)))  # the order in which panels are read is of no matter
        cap = date(2023, 6, 20)
        assert_as_known(snapshot, vintages(snapshot, first, last, known_on=cap), known_on=cap)


@settings(max_examples=15, deadline=None)
@given(rows=dated_rows(UNITS, PERIODS))
def test_cuts_and_delays_tell_nothing_of_later_periods(rows: list[Row]) -> None:
    with TemporaryDirectory() as place:
        snapshot = ingest_figures(Path(place), rows, units=UNITS)
        first, last = snapshot.span[0], ordinal("2023-12")
        whole = vintages(snapshot, first, last)
        panels = {period: snapshot.panel(period) for period in range(first, last + 1)}
        seen = {at: [code for code in CODES if np.isfinite(panels[at].array(code)).any()] for at in panels}
        for middle in range(first, last, 3):
            then = vintages(snapshot, first, middle)
            for period in range(first, middle + 1):
                now, before = in_force(whole, period).delays, in_force(then, period).delays
                assert {code: now[code] for code in seen[period]} == {code: before[code] for code in seen[period]}


@settings(max_examples=15, deadline=None)
@given(rows=dated_rows(UNITS, PERIODS))
def test_what_did_not_change_can_be_read_from_the_later_vintage(rows: list[Row]) -> None:
    with TemporaryDirectory() as place:
        snapshot = ingest_figures(Path(place), rows, units=UNITS)
        found = vintages(snapshot, snapshot.span[0], ordinal("2023-12"))
        assert found[0].changed is None
        for before, after in pairwise(found):
            assert after.changed
            for code in set(CODES) - after.changed:
                used = len(before.panel.ordinals) - before.delays[code]
                assert after.delays[code] == before.delays[code]
                np.testing.assert_array_equal(
                    before.panel.array(code)[: max(0, used)], after.panel.array(code)[: max(0, used)]
                )


def test_a_restatement_cuts_where_it_became_known(tmp_path: Path) -> None:
    restated: list[Row] = [
        ("B1", "2023-02", "LOANS", 99.0, "2023-06-15"),
        ("B2", "2023-02", "FEES", 98.0, "2023-06-30"),
    ]
    snapshot = ingest_figures(tmp_path, [*full(), *restated], units=UNITS)
    found = vintages(snapshot, ordinal("2023-01"), ordinal("2023-08"))
    assert bounds(found) == [("2023-01", "2023-05"), ("2023-06", "2023-08")]
    assert found[1].changed == {"LOANS", "FEES"}
    row, unit = 1, 2
    assert found[0].panel.array("LOANS")[row, unit] != 99.0
    assert found[1].panel.array("LOANS")[row, unit] == 99.0
    assert_as_known(snapshot, found)


def test_restatements_before_the_range_and_after_it_do_not_cut(tmp_path: Path) -> None:
    restated: list[Row] = [
        ("B1", "2023-01", "LOANS", 99.0, "2023-03-15"),
        ("B1", "2023-05", "LOANS", 97.0, "2023-09-15"),
    ]
    snapshot = ingest_figures(tmp_path, [*full(), *restated], units=UNITS)
    found = vintages(snapshot, ordinal("2023-03"), ordinal("2023-08"))
    assert bounds(found) == [("2023-03", "2023-08")]
    assert found[0].panel.array("LOANS")[[0, 4], 2].tolist() == [
        99.0,
        snapshot.panel(known_on=date(2023, 8, 31)).array("LOANS")[4, 2],
    ]


def test_a_figure_that_comes_late_cuts(tmp_path: Path) -> None:
    rows = [(*row[:4], "2023-07-03") if row[:3] == ("B3", "2023-04", "LOANS") else row for row in full()]
    snapshot = ingest_figures(tmp_path, rows, units=UNITS)
    found = vintages(snapshot, ordinal("2023-01"), ordinal("2023-08"))
    assert bounds(found) == [("2023-01", "2023-06"), ("2023-07", "2023-08")]
    assert np.isnan(found[0].panel.array("LOANS")[3, 4])
    assert_as_known(snapshot, found)


def test_days_that_are_all_later_than_declared_become_the_delay(tmp_path: Path) -> None:
    snapshot = ingest_figures(tmp_path, full(days=40), units=UNITS)
    found = vintages(snapshot, ordinal("2023-01"), ordinal("2023-08"))
    assert bounds(found) == [("2023-01", "2023-08")]
    assert set(found[0].delays.values()) == {2}
    assert_as_known(snapshot, found)


def test_a_delay_that_grows_shorter_does_so_when_that_was_seen(tmp_path: Path) -> None:
    rows = [(*row[:4], days_after(MONTHLY, row[1], 40 if row[1] <= "2023-04" else 10)) for row in full()]
    snapshot = ingest_figures(tmp_path, rows, units=UNITS)
    found = vintages(snapshot, ordinal("2023-01"), ordinal("2023-09"))
    assert [in_force(found, ordinal(period)).delays["LOANS"] for period in ("2023-05", "2023-06", "2023-09")] == [
        2,
        1,
        1,
    ]
    assert_as_known(snapshot, found)


def test_a_shorter_delay_cuts_though_no_figure_was_late(tmp_path: Path) -> None:
    rows = [
        (*row[:4], days_after(MONTHLY, row[1], 40 if row[1] <= "2023-03" else 10))
        for row in full()
        if row[1] != "2023-04"
    ]
    snapshot = ingest_figures(tmp_path, rows, units=UNITS)
    found = vintages(snapshot, ordinal("2023-03"), ordinal("2023-08"))
    assert bounds(found) == [("2023-03", "2023-05"), ("2023-06", "2023-08")]
    assert [each.delays["LOANS"] for each in found] == [2, 1]
    assert found[1].changed == {"LOANS", "FEES", "RATIO"}  # the other one is declared to come after two periods
    assert_as_known(snapshot, found)


def test_an_early_figure_is_not_in_the_panel_before_its_usual_day(tmp_path: Path) -> None:
    flash: Row = ("B0", "2023-08", "NPL", 55.0, "2023-08-20")
    rows = [row for row in full() if row[:3] != flash[:3]]
    snapshot = ingest_figures(tmp_path, [*rows, flash], units=UNITS)
    (found,) = vintages(snapshot, ordinal("2023-08"), ordinal("2023-08"))
    assert snapshot.panel(ordinal("2023-08")).array("NPL")[7, 1] == 55.0
    assert found.delays["NPL"] == 2
    assert np.isnan(found.panel.array("NPL")[6:]).all()


def test_a_difference_told_by_a_later_ingest_leaves_the_past_alone(tmp_path: Path) -> None:
    first = ingest_figures(tmp_path, full(), units=UNITS, day=date(2023, 9, 5))
    before = vintages(first, ordinal("2023-01"), ordinal("2023-08"))
    changed: list[Row] = [(*row[:3], row[3] + 1, "") for row in full()]
    second = ingest_figures(tmp_path, changed, units=UNITS, day=date(2024, 2, 5))
    after = vintages(second, ordinal("2023-01"), ordinal("2023-08"))
    assert bounds(after) == bounds(before)
    for code in CODES:
        np.testing.assert_array_equal(after[0].panel.array(code), before[0].panel.array(code))


def test_of_restatements_of_one_day_the_later_ingest_holds(tmp_path: Path) -> None:
    for value in (71.0, 72.0):
        rows = [*full(), ("B0", "2023-02", "LOANS", value, "2023-05-10")]
        snapshot = ingest_figures(tmp_path, rows, units=UNITS)
    found = vintages(snapshot, ordinal("2023-01"), ordinal("2023-08"))
    assert found[-1].panel.array("LOANS")[1, 1] == 72.0
    assert_as_known(snapshot, found)


def test_a_range_may_end_after_the_figures(tmp_path: Path) -> None:
    snapshot = ingest_figures(tmp_path, full(), units=UNITS)
    found = vintages(snapshot, ordinal("2023-08"), ordinal("2023-11"))
    assert len(found[-1].panel.ordinals) == 11
    assert_as_known(snapshot, found)


@pytest.mark.parametrize(("first", "last"), [("2023-05", "2023-04"), ("2022-12", "2023-04")])
def test_a_range_that_is_none_is_refused(tmp_path: Path, first: str, last: str) -> None:
    snapshot = ingest_figures(tmp_path, full(), units=UNITS)
    with pytest.raises(LoadlineError, match="no range of periods"):
        vintages(snapshot, ordinal(first), ordinal(last))


def test_a_vintage_of_a_panel_at_hand_can_be_changed_as_it_is_read(tmp_path: Path) -> None:
    panel = ingest_figures(tmp_path, full(), units=UNITS).panel()
    vintage = Vintage.of(panel, first=panel.first, last=panel.last)
    assert vintage.panel is panel
    assert vintage.changed is None
    twice = vintage.using(lambda given: given.with_values({code: 2 * given.array(code) for code in given.codes}))
    np.testing.assert_array_equal(twice.panel.array("LOANS"), 2 * panel.array("LOANS"))


def test_a_held_vintage_reads_its_panel_once() -> None:
    read = []
    with TemporaryDirectory() as place:
        snapshot = ingest_figures(Path(place), full(), units=UNITS)
        (vintage,) = vintages(snapshot, *snapshot.span)
        counted = vintage.using(lambda panel: read.append(panel) or panel).held()
        assert counted.panel is counted.panel
    assert len(read) == 1
    assert bounds((counted,)) == bounds((vintage,))
