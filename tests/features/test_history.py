"""Figures over time: the default day, what holds of several, and comparing with what is stored."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history import LatestFigures, default_days, place_figures
from features.incoming import OBSERVATIONS
from features.indicators import Indicator
from features.periods import Calendar
from features.rows import EPOCH, Chunk

CODES, UNITS, BATCHES = ["X", "Y"], pd.Index(["A", "B", "C"], dtype=object), ["first", "second", "third"]
FIRST, LENGTH = 100, 4


def indicator(lag: int) -> Indicator:
    about = {"name": {"en": "X", "zh": "X"}, "unit": "n", "direction": "higher", "perspective": "risk", "kind": "stock"}
    return Indicator.model_validate({"code": "X", "publication_lag": lag, **about})


@pytest.mark.parametrize(
    ("frequency", "period", "lag", "expected"),
    [
        *[("M", "2024-01", 0, date(2024, 1, 31)), ("M", "2024-01", 1, date(2024, 2, 29))],
        *[("Q", "2024-Q4", 0, date(2024, 12, 31)), ("Q", "2024-Q4", 2, date(2025, 6, 30))],
        *[("A", "2024", 0, date(2024, 12, 31)), ("A", "2024", 1, date(2025, 12, 31))],
    ],
)
def test_figures_are_known_at_the_end_of_the_period_or_lags_later(frequency, period, lag, expected):
    calendar = Calendar(frequency)
    days = default_days(indicator(lag), calendar, np.array([calendar.parse(period)]))
    assert date.fromordinal(int(days[0]) + EPOCH) == expected


Row = tuple[str, str, str, int, float, int]


def record_batch(rows: list[Row]) -> pa.RecordBatch:
    """Lay out rows of batch, unit, indicator, period, value and days since 1970."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
    known_on = pa.array(columns.pop(), pa.int32()).cast(pa.date32())
    arrays = [pa.array(column, field.type) for column, field in zip(columns, OBSERVATIONS, strict=False)]
    return pa.record_batch([*arrays, known_on], schema=OBSERVATIONS)


def place(*batches: list[Row]) -> dict[str, np.ndarray]:
    rows = (record_batch(batch) for batch in batches)
    return place_figures(rows, batches=BATCHES, codes=CODES, units=UNITS, first=FIRST, length=LENGTH)


def test_figures_go_to_their_cells():
    frames = place([("first", "B", "Y", 102, 7.0, 0)], [("first", "C", "X", 100, 8.0, 0)])
    expected = {"X": np.full((4, 3), np.nan), "Y": np.full((4, 3), np.nan)}
    expected["Y"][2, 1], expected["X"][0, 2] = 7.0, 8.0
    for code in CODES:
        np.testing.assert_array_equal(frames[code], expected[code])


def test_what_the_panel_has_no_place_for_is_passed_over():
    outside = [("first", "Z", "X", 100, 1.0, 0), ("first", "A", "Z", 100, 1.0, 0), ("other", "A", "X", 100, 1.0, 0)]
    outside += [("first", "A", "X", FIRST - 1, 1.0, 0), ("first", "A", "X", FIRST + LENGTH, 1.0, 0)]
    assert all(np.isnan(frame).all() for frame in place(outside).values())


def test_no_rows_and_no_periods():
    assert place([])["X"].shape == (4, 3)
    assert place_figures([], batches=["first"], codes=[], units=UNITS, first=0, length=0) == {}
    assert place_figures([], batches=["first"], codes=CODES, units=UNITS, first=0, length=0)["X"].shape == (0, 3)


rows_of_one_batch = st.tuples(
    st.sampled_from(BATCHES),
    st.sampled_from(list(UNITS[:2])),
    st.sampled_from(CODES),
    st.integers(FIRST, FIRST + 1),
    st.integers(0, 5).map(float),
    st.integers(-800_000, 2_900_000) | st.integers(0, 2),
)


@given(st.lists(rows_of_one_batch, max_size=40).flatmap(lambda rows: st.permutations(rows)), st.integers(1, 9))
def test_the_last_known_of_the_last_batch_holds_in_any_order(rows, size):
    rows = [row for row in rows if EPOCH + row[5] >= 1]
    ranked = {(row[:4], row[5]): row for row in rows}  # of one batch, a day has one figure
    rows = list(ranked.values())
    frames = place(*[rows[i : i + size] for i in range(0, len(rows), size)])
    best: dict[tuple, tuple] = {}
    for batch, unit, code, period, value, day in rows:
        rank = (day, BATCHES.index(batch), value)
        cell = (code, period - FIRST, UNITS.get_loc(unit))
        best[cell] = max(best.get(cell, (-(10**9),)), rank)
    for code in CODES:
        expected = np.full((LENGTH, 3), np.nan)
        for (its, row, unit), rank in best.items():
            if its == code:
                expected[row, unit] = rank[2]
        np.testing.assert_array_equal(frames[code], expected)


def test_many_batches_are_told_apart():
    """Beyond some six hundred batches the rank no longer fits into 32 bits."""
    names = [f"b{i}" for i in range(600)]
    rows = [record_batch([(name, "A", "X", FIRST, float(i), 2_000_000)]) for i, name in enumerate(names)]
    kept = place_figures(reversed(rows), batches=names, codes=["X"], units=UNITS, first=FIRST, length=1)
    assert kept["X"][0, 0] == 599.0


def chunk_of(rows: list[tuple[str, str, int, float]]) -> Chunk:
    units, codes, periods, values = zip(*rows, strict=True)
    lines = np.arange(len(rows))
    unit = UNITS.get_indexer(pd.Index(units, dtype=object)).astype(np.int32)
    code = np.array([CODES.index(c) for c in codes], dtype=np.int32)
    return Chunk("f", lines, unit, np.array(periods, np.int32), code, np.array(values), np.zeros(len(rows), np.int32))


def latest(rows: list[Row], size: int = 100) -> LatestFigures:
    parts = (record_batch(rows[i : i + size]) for i in range(0, len(rows), size))
    return LatestFigures(parts, batches=BATCHES, codes=CODES, units=UNITS, first=FIRST, length=LENGTH)


def test_new_known_and_restated_figures_are_told_apart():
    stored = latest([("first", "A", "X", 100, 1.0, 10), ("second", "A", "X", 100, 2.0, 20)])
    chunk = chunk_of([("A", "X", 100, 2.0), ("A", "X", 100, 1.0), ("A", "X", 101, 1.0), ("B", "X", 400, 1.0)])
    result = stored.compare(chunk, np.array([20, 10, 10, 10]))
    assert result.there.tolist() == [True, True, False, False]
    assert result.same.tolist() == [True, False, False, False]
    assert result.recorded.tolist() == [True, True, False, False]
    assert result.latest_day.tolist() == [20, 20, 0, 0]
    assert stored.compare(chunk, np.array([10, 20, 10, 10])).recorded.tolist() == [False] * 4


@given(st.lists(rows_of_one_batch, max_size=30).flatmap(lambda r: st.permutations(r)), st.integers(1, 9), st.data())
@settings(deadline=None)
def test_comparing_agrees_with_looking_through_all_rows(rows, size, data):
    rows = list({(*row[:4], row[5]): row for row in rows if EPOCH + row[5] >= 1}.values())
    stored = latest(rows, size)
    asked = data.draw(st.lists(rows_of_one_batch, min_size=1, max_size=10)) + rows[:5]
    asked = [row for row in asked if EPOCH + row[5] >= 1]
    if not asked:
        return
    result = stored.compare(chunk_of([row[1:5] for row in asked]), np.array([row[5] for row in asked]))
    for i, (_, unit, code, period, value, day) in enumerate(asked):
        history = sorted((r[5], BATCHES.index(r[0]), r[4]) for r in rows if r[1:4] == (unit, code, period))
        that_day = [r for r in history if r[0] == day]
        assert result.there[i] == bool(history)
        assert result.same[i] == (bool(history) and history[-1][2] == value)
        assert result.recorded[i] == (bool(that_day) and that_day[-1][2] == value)
        assert result.latest_day[i] == (history[-1][0] if history else 0)


def test_memory_is_that_of_the_cells_not_of_the_rows():
    """Every figure restated sixty times takes hardly more than restated ten times."""
    units = pd.Index([f"u{i}" for i in range(20_000)], dtype=object)

    def restatements(times: int) -> Iterator[pa.RecordBatch]:
        for day in range(times):
            rows = len(units)
            texts = [pa.repeat("first", rows), pa.array(units), pa.repeat("X", rows)]
            known = pa.repeat(date(2024, 1, 1) + timedelta(days=day), rows)
            numbers = [pa.array(np.full(rows, FIRST, np.int32)), pa.array(np.full(rows, float(day))), known]
            yield pa.record_batch([*texts, *numbers], schema=OBSERVATIONS)

    def peak(times: int) -> int:
        tracemalloc.start()
        frames = place_figures(
            restatements(times), batches=["first"], codes=["X"], units=units, first=FIRST, length=LENGTH
        )
        assert (frames["X"][0] == times - 1).all()
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    assert peak(60) < 1.2 * peak(10)
