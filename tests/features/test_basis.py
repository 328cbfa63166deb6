"""Same-basis history: totals are kept, ratios are weighed, and the tree follows."""

from __future__ import annotations

import math
import time
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.basis import same_basis
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.rollup import roll_up, rolled_up
from features.units import UnitTree

ANNUAL = Calendar("A")
FIRST = 2018
NAN = math.nan


def indicator(code: str, kind: str, **more) -> Indicator:
    about = {"unit": "%", "direction": "higher", "perspective": "performance", **more}
    return Indicator.model_validate({"code": code, "name": {"en": code, "zh": code}, "kind": kind, **about})


INDICATORS = IndicatorSet(
    [
        indicator("LOANS", "stock"),
        indicator("NPL", "stock"),
        indicator("RATE", "ratio", numerator="NPL", denominator="LOANS"),
        indicator("PLAIN", "ratio"),
        indicator("GDP", "level", perspective="context"),
    ]
)


def panel_of(rows: list[tuple[str, str, str, str, str]], calendar: Calendar = ANNUAL, first=FIRST, **values) -> Panel:
    columns = ["unit", "parent", "valid_from", "valid_to", "successor"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    tree = UnitTree.from_frame(frame.assign(name=frame["unit"]), calendar)
    arrays = {
        code: np.array([[NAN if v is None else v for v in by_unit.get(str(u), [])] for u in tree.codes], dtype=float).T
        for code, by_unit in values.items()
    }
    return Panel(calendar, tree, INDICATORS, first, arrays, date(2030, 1, 1))


def column(panel: Panel, code: str, unit: str) -> list[float | None]:
    return [None if math.isnan(v) else v for v in panel.array(code)[:, panel.tree.number(unit)]]


NO = [None] * 4
MERGER = [("T", "", "", "", ""), ("A", "T", "", "2019", "B"), ("B", "T", "", "", "")]


def test_after_a_merger_the_past_is_that_of_both():
    panel = panel_of(MERGER, LOANS={"T": NO, "A": [1, 2, None, None], "B": [10, 20, 33, 34]})
    basis = same_basis(panel)
    assert column(basis, "LOANS", "B") == [11, 22, 33, 34]
    assert column(basis, "LOANS", "A") == NO
    assert column(panel, "LOANS", "B") == [10, 20, 33, 34]


@pytest.mark.parametrize(("at", "changed"), [(2018, False), (2019, False), (2020, True), (2021, True)])
def test_before_the_merger_nothing_changes(at, changed):
    panel = panel_of(MERGER, LOANS={"T": NO, "A": [1, 2, None, None], "B": [10, 20, 33, 34]})
    assert (column(same_basis(panel, at), "LOANS", "B") == [11, 22, 33, 34]) is changed
    assert (same_basis(panel, at) is panel) is not changed
    cut = same_basis(panel.up_to(at))
    rows = at - FIRST + 1
    assert column(cut, "LOANS", "B") == ([11, 22, 33, 34] if changed else [10, 20, 33, 34])[:rows]


def test_a_merger_into_a_new_unit_takes_both_histories_there():
    rows = [("T", "", "", "", ""), ("A", "T", "", "2019", "C"), ("B", "T", "", "2019", "C"), ("C", "T", "2020", "", "")]
    volumes = {"T": NO, "A": [1, 2, None, None], "B": [10, 20, None, None], "C": [None, None, 33, 34]}
    basis = same_basis(panel_of(rows, LOANS=volumes))
    assert column(basis, "LOANS", "C") == [11, 22, 33, 34]
    assert column(rolled_up(basis), "LOANS", "T") == [11, 22, 33, 34]


@pytest.mark.parametrize("ends", [("2018", "2019"), ("2019", "2019"), ("2019", "2018")])
@pytest.mark.parametrize("names", [("A", "B", "C"), ("B", "A", "C"), ("C", "B", "A")])
def test_a_chain_of_mergers_ends_at_the_last_unit(ends, names):
    """In every order of the file, and of the days, of which the second may even lie before the first."""
    one, two, three = names
    rows = {one: (one, "T", "", ends[0], two), two: (two, "T", "", ends[1], three), three: (three, "T", "", "", "")}
    volumes = {"T": NO, one: [1, None, None, None], two: [10, 20, None, None], three: [100, 200, 300, 400]}
    basis = same_basis(panel_of([("T", "", "", "", ""), *(rows[n] for n in sorted(rows))], LOANS=volumes))
    assert column(basis, "LOANS", three) == [111, 220, 300, 400]
    assert column(basis, "LOANS", one) == column(basis, "LOANS", two) == NO


def test_units_that_name_each_other_come_to_an_end():
    rows = [("T", "", "", "", ""), ("A", "T", "", "2019", "B"), ("B", "T", "", "2019", "A")]
    basis = same_basis(panel_of(rows, LOANS={"T": NO, "A": [1, 2, None, None], "B": [10, 20, None, None]}))
    assert np.nansum(basis.array("LOANS"), axis=1).tolist() == [11, 22, 0, 0]


def test_ratios_are_weighed_as_they_were_then():
    volumes = {"T": NO, "A": [100, 100, None, None], "B": [300, 0, 400, 400]}
    rates = {"T": NO, "A": [4, 4, None, None], "B": [0, 8, 5, 5]}
    basis = same_basis(panel_of(MERGER, LOANS=volumes, RATE=rates, PLAIN=rates))
    assert column(basis, "RATE", "B") == [1, 4, 5, 5]
    assert column(basis, "PLAIN", "B") == [2, 6, 5, 5]


def test_the_surroundings_are_not_averaged():
    climate = {"T": NO, "A": [9, 9, None, None], "B": [3, None, 3, 3]}
    assert column(same_basis(panel_of(MERGER, GDP=climate)), "GDP", "B") == [3, 9, 3, 3]


def test_a_gap_stays_a_gap():
    gaps = {"T": NO, "A": [1, None, 3, None], "B": [10, 20, None, 40]}
    rows = [("T", "", "", "", ""), ("A", "T", "", "2020", "B"), ("B", "T", "", "", "")]
    assert column(same_basis(panel_of(rows, LOANS=gaps)), "LOANS", "B") == [11, None, None, 40]


SPLIT = [
    *[("T", "", "", "", ""), ("A", "T", "", "2019", "B|C")],
    *[("B", "T", "2020", "", ""), ("C", "T", "2020", "", "")],
]


def test_after_a_split_each_has_its_share_of_the_first_year():
    volumes = {"T": NO, "A": [100, 200, None, None], "B": [None, None, 30, 500], "C": [None, None, 90, 500]}
    rates = {"T": NO, "A": [4, 5, None, None], "B": [None, None, 1, 1], "C": [None, None, 2, 2]}
    basis = same_basis(panel_of(SPLIT, LOANS=volumes, RATE=rates))
    assert column(basis, "LOANS", "B") == [25, 50, 30, 500]
    assert column(basis, "LOANS", "C") == [75, 150, 90, 500]
    assert column(basis, "RATE", "B") == [4, 5, 1, 1]
    assert column(basis, "RATE", "C") == [4, 5, 2, 2]
    assert column(rolled_up(basis), "LOANS", "T") == [100, 200, 120, 1000]


def test_a_split_into_units_that_were_there_weighs_by_what_each_gets():
    rows = [("T", "", "", "", ""), ("A", "T", "", "2019", "B|C"), ("B", "T", "", "", ""), ("C", "T", "2020", "", "")]
    volumes = {"T": NO, "A": [100, 100, None, None], "B": [75, 75, 100, 100], "C": [None, None, 300, 300]}
    rates = {"T": NO, "A": [4, 4, None, None], "B": [0, 8, 1, 1], "C": [None, None, 2, 2]}
    basis = same_basis(panel_of(rows, LOANS=volumes, RATE=rates))
    assert column(basis, "LOANS", "B") == [100, 100, 100, 100]
    assert column(basis, "RATE", "B") == [1, 7, 1, 1]


def test_the_shares_do_not_look_beyond_the_period():
    monthly = Calendar("M")
    first = monthly.parse("2020-01")
    rows = [(u, p, f, t, s) for u, p, f, t, s in SPLIT]
    rows[1] = ("A", "T", "", "2020-02", "B|C")
    rows[2:] = [(u, "T", "2020-03", "", "") for u in "BC"]
    none, later = [None] * 8, [None, None, 1, 1, 9, 9, 9, 9]
    volumes = {"T": none, "A": [8, 8, *none[2:]], "B": later, "C": [None, None, 1, 1, 1, 1, 1, 1]}
    panel = panel_of(rows, monthly, first, LOANS=volumes)
    early = same_basis(panel, first + 3)
    assert column(early, "LOANS", "B")[:2] == [4, 4]
    cut = same_basis(panel.up_to(first + 3))
    np.testing.assert_array_equal(early.array("LOANS")[:4], cut.array("LOANS"))
    assert column(same_basis(panel), "LOANS", "B")[:2] == pytest.approx([8 * 38 / 44] * 2)


def test_a_move_takes_the_history_along():
    rows = [("T", "", "", "", ""), ("P", "T", "", "", ""), ("Q", "T", "", "", ""), ("B", "P", "", "", "")]
    rows += [("A", "P", "", "2019", ""), ("A", "Q", "2020", "", "")]
    volumes = {"T": NO, "P": NO, "Q": NO, "A": [1, 2, 3, 4], "B": [10, 20, 30, 40]}
    panel = panel_of(rows, LOANS=volumes)
    assert column(rolled_up(panel), "LOANS", "P") == [11, 22, 30, 40]
    assert column(rolled_up(same_basis(panel)), "LOANS", "P") == [10, 20, 30, 40]
    assert column(rolled_up(same_basis(panel)), "LOANS", "Q") == [1, 2, 3, 4]
    assert same_basis(panel, 2019) is panel


def test_a_new_region_has_the_history_of_its_units():
    rows = [("T", "", "", "", ""), ("P", "T", "", "", ""), ("Q", "T", "2020", "", ""), ("B", "P", "", "", "")]
    rows += [("A", "P", "", "2019", ""), ("A", "Q", "2020", "", "")]
    volumes = {"T": NO, "P": NO, "Q": NO, "A": [1, 2, 3, 4], "B": [10, 20, 30, 40]}
    basis = rolled_up(same_basis(panel_of(rows, LOANS=volumes)))
    assert column(basis, "LOANS", "Q") == [1, 2, 3, 4]
    assert column(basis, "LOANS", "T") == [11, 22, 33, 44]


def test_a_closed_unit_stays_in_the_history_of_its_region():
    rows = [("T", "", "", "", ""), ("P", "T", "", "2019", "Q"), ("Q", "T", "", "", "")]
    rows += [("A", "P", "", "2018", ""), ("B", "P", "", "2019", ""), ("B", "Q", "2020", "", ""), ("C", "Q", "", "", "")]
    volumes = {"T": NO, "P": NO, "Q": NO, "A": [5, *NO[1:]], "B": [1, 2, 3, 4], "C": [10, 20, 30, 40]}
    basis = rolled_up(same_basis(panel_of(rows, LOANS=volumes)))
    assert column(basis, "LOANS", "Q") == [16, 22, 33, 44]
    assert column(basis, "LOANS", "T") == [16, 22, 33, 44]


def test_doing_it_twice_changes_nothing_more():
    panel = panel_of(SPLIT, LOANS={"T": NO, "A": [1, 2, *NO[2:]], "B": [None, None, 1, 1], "C": [None, None, 3, 3]})
    once = same_basis(panel)
    assert same_basis(once) is once


@st.composite
def reorganisations(draw) -> Panel:
    """Units that end at random and are followed by others that are there then; every unit reports while it lives."""
    count, periods = draw(st.integers(2, 9)), 8
    begins = [FIRST] + [draw(st.sampled_from([FIRST, FIRST + 1, FIRST + 3])) for _ in range(count - 1)]
    ends = [FIRST + periods] + [draw(st.integers(begin, FIRST + periods)) for begin in begins[1:]]
    rows = [("T", "", "", "", ""), ("P", "T", "", "", ""), ("Q", "T", "", "", "")]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    loans, rates = {"T": [NAN] * periods, "P": [NAN] * periods, "Q": [NAN] * periods}, {}
    rates |= loans
    for unit in range(count):
        lives = [begins[unit] <= FIRST + row <= ends[unit] for row in range(periods)]
        followers = [o for o in range(count) if o != unit and begins[o] <= ends[unit] + 1 <= ends[o]]
        ended = ends[unit] < FIRST + periods - 1
        heirs = draw(st.lists(st.sampled_from(followers), max_size=3, unique=True)) if ended and followers else []
        ending = str(ends[unit]) if ended else ""
        rows.append((f"u{unit}", "PQ"[unit % 2], str(begins[unit]), ending, "|".join(f"u{h}" for h in heirs)))
        loans[f"u{unit}"] = [float(rng.integers(1, 1000)) if alive else NAN for alive in lives]
        rates[f"u{unit}"] = [float(rng.integers(0, 100)) if alive else NAN for alive in lives]
    return panel_of(rows, LOANS=loans, RATE=rates)


@settings(max_examples=40, deadline=None)
@given(reorganisations(), st.integers(FIRST, FIRST + 7))
def test_volumes_are_neither_lost_nor_made(panel, at):
    basis = same_basis(panel, at)
    before, after = np.nansum(panel.array("LOANS"), axis=1), np.nansum(basis.array("LOANS"), axis=1)
    np.testing.assert_allclose(after, before)
    root = panel.tree.number("T")
    np.testing.assert_allclose(np.nan_to_num(roll_up(basis, "LOANS").values[:, root]), before)


@settings(max_examples=40, deadline=None)
@given(reorganisations(), st.integers(FIRST, FIRST + 7))
def test_the_group_ratio_is_the_same_on_both_bases(panel, at):
    root = panel.tree.number("T")
    before, after = (roll_up(p, "RATE").values[:, root] for p in (panel, same_basis(panel, at)))
    np.testing.assert_allclose(after, before)


@settings(max_examples=30, deadline=None)
@given(reorganisations(), st.integers(FIRST, FIRST + 7))
def test_the_future_has_no_say(panel, at):
    rows = at - FIRST + 1
    whole, cut = same_basis(panel, at), same_basis(panel.up_to(at))
    for code in panel.codes:
        np.testing.assert_array_equal(whole.array(code)[:rows], cut.array(code))


def test_eighty_thousand_units_are_quick():
    count, periods = 81_000, 6
    rows = [("T", "", "", "", "")]
    rows += [(f"u{i}", "T", "", "2020" if i % 9 == 0 else "", f"u{i + 1}" if i % 9 == 0 else "") for i in range(count)]
    values = np.random.default_rng(0).random((count, periods))
    values[::9, 3:] = NAN
    loans = {"T": [NAN] * periods} | {f"u{i}": values[i] for i in range(count)}
    panel = panel_of(rows, LOANS=loans)
    start = time.perf_counter()
    basis = same_basis(panel)
    assert time.perf_counter() - start < 5.0
    np.testing.assert_allclose(np.nansum(basis.array("LOANS"), axis=1), np.nansum(values, axis=0))
