"""Disturbances: mergers, disposals and holidays are marked when they can be seen, and nothing else is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from feature_panels import indicator, make_panel
from hypothesis import given, settings
from hypothesis import strategies as st

from features.disturbances import BULK_DROP, BULK_SHARE, FAR_ABOVE_USUAL, JUMP, disturbances
from features.indicators import IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from features.units import UnitTree

UNITS = [f"B{number}" for number in range(8)]
BANK = IndicatorSet(
    [
        indicator("LOANS", role="loans"),
        indicator("DEPOSITS", role="deposits"),
        indicator("STAFF", unit="persons", perspective="people"),
        indicator("NPL", role="npl_amount", direction="lower", perspective="risk"),
        indicator("NPL_RATIO", unit="%", kind="ratio", role="npl", direction="lower", perspective="risk"),
        indicator("WRITE_OFFS", kind="flow", role="write_offs", direction="lower", perspective="risk"),
        indicator("GDP", perspective="context"),
    ]
)
SIZES = {
    "LOANS": 1000.0,
    "DEPOSITS": 1500.0,
    "STAFF": 40.0,
    "NPL": 20.0,
    "NPL_RATIO": 2.0,
    "WRITE_OFFS": 0.2,
    "GDP": 9e6,
}


def make_bank(
    frequency: Frequency = "M", *, periods: int = 40, seed: int = 0, indicators: IndicatorSet = BANK, **tree: list[str]
) -> Panel:
    """Make a bank of eight branches whose figures move by some percent a period."""
    rng = np.random.default_rng(seed)
    calendar = Calendar(frequency)
    frame = pd.DataFrame({"unit": UNITS, "parent": "", "level": "branch", "peer_group": "", "region_type": ""})
    for name, column in tree.items():
        frame[name] = column
    values = {
        code: SIZES[code] * np.exp(0.02 * rng.standard_normal((periods, len(UNITS)))).round(3) for code in indicators
    }
    units = UnitTree.from_frame(frame, calendar)
    return Panel(
        calendar, units, indicators, calendar.parse(calendar.format(2020 * calendar.per_year)), values, date.max
    )


def scaled(panel: Panel, codes: list[str], rows: slice, unit: int, factor: float) -> Panel:
    """Multiply some figures of a unit."""
    values = {code: array.copy() for code, array in panel.values.items()}
    for code in codes:
        values[code][rows, unit] *= factor
    return panel.with_values(values)


def rows_of(marked: np.ndarray, unit: int) -> list[int]:
    return np.flatnonzero(marked[:, unit]).tolist()


def blank(*at: tuple[int, str]) -> list[str]:
    """Give a text column of the units, blank but for some."""
    column = [""] * len(UNITS)
    for unit, text in at:
        column[unit] = text
    return column


@pytest.mark.parametrize("frequency", ["M", "Q", "A"])
def test_nothing_is_marked_where_nothing_happens(frequency: Frequency) -> None:
    found = disturbances(make_bank(frequency))
    assert not found["merger"].any()
    assert not found["transfer"].any()
    assert found["holiday"].any() == (frequency == "M")


def test_a_merger_in_the_tree_marks_a_year_of_the_one_that_took_over() -> None:
    panel = make_bank(valid_to=blank((7, "2021-06")), successor=blank((7, "B2")))
    assert rows_of(disturbances(panel)["merger"], 2) == list(range(18, 30))
    assert disturbances(panel)["merger"].any(axis=0).sum() == 1


def test_a_split_marks_all_that_follow_and_an_opening_itself() -> None:
    panel = make_bank(
        valid_to=blank((7, "2021-06")),
        successor=blank((7, "B2|B3")),
        valid_from=blank((3, "2021-07"), (5, "2022-01")),
    )
    found = disturbances(panel)["merger"]
    assert rows_of(found, 2) == list(range(18, 30))
    assert rows_of(found, 3) == list(range(18, min(42, len(found))))
    assert rows_of(found, 5) == list(range(24, min(48, len(found))))


def test_what_began_before_the_panel_is_marked_for_the_rest_of_its_two_years() -> None:
    panel = make_bank(valid_from=blank((1, "2019-07"), (2, "2018-12"), (3, "2030-01")))
    found = disturbances(panel)["merger"]
    assert rows_of(found, 1) == list(range(18))
    assert rows_of(found, 2) == list(range(11))
    assert not found[:, 3].any()


def test_first_figures_after_those_of_others_are_an_opening() -> None:
    panel = make_bank()
    values = {code: array.copy() for code, array in panel.values.items()}
    for code, array in values.items():
        if code != "GDP":
            array[:10, 4] = np.nan
    found = disturbances(panel.with_values(values), delays={"LOANS": 3} | dict.fromkeys(list(SIZES)[1:], 2))
    assert rows_of(found["merger"], 4) == list(range(12, 36))
    assert found["merger"].any(axis=0).sum() == 1


def test_figures_that_begin_together_are_no_opening() -> None:
    values = {code: array.copy() for code, array in make_bank().values.items()}
    for array in values.values():
        array[:5] = np.nan
    assert not disturbances(make_bank().with_values(values))["merger"].any()


@pytest.mark.parametrize(("frequency", "marked"), [("M", 12), ("Q", 4), ("A", 1)])
@pytest.mark.parametrize("factor", [2.2, 1 / 2.2])
def test_volumes_that_jump_together_are_a_merger(frequency: Frequency, marked: int, factor: float) -> None:
    panel = scaled(make_bank(frequency), ["LOANS", "DEPOSITS", "STAFF"], slice(20, None), 3, factor)
    found = disturbances(panel)["merger"]
    assert rows_of(found, 3) == list(range(20, 20 + marked))
    assert found.any(axis=0).sum() == 1


def test_a_jump_that_is_known_later_is_marked_later() -> None:
    panel = scaled(make_bank(), ["LOANS", "DEPOSITS", "STAFF"], slice(20, None), 3, 2.0)
    assert rows_of(disturbances(panel, delays={"STAFF": 2})["merger"], 3) == list(range(22, 34))


def test_loans_alone_that_jump_are_no_merger() -> None:
    panel = scaled(make_bank(), ["LOANS"], slice(20, None), 3, 2.0)
    assert not disturbances(panel)["merger"].any()


def test_volumes_that_go_different_ways_are_no_merger() -> None:
    panel = scaled(make_bank(), ["LOANS", "STAFF"], slice(20, None), 3, 2.0)
    assert not disturbances(scaled(panel, ["DEPOSITS"], slice(20, None), 3, 0.5))["merger"].any()


def test_growth_short_of_a_jump_is_no_merger() -> None:
    least = JUMP[12]
    panel = scaled(make_bank(), ["LOANS", "DEPOSITS", "STAFF"], slice(20, None), 3, 1 + least - 0.1)
    assert not disturbances(panel)["merger"].any()


def test_where_all_jump_nobody_merged() -> None:
    panel = make_bank()
    for unit in range(len(UNITS)):
        panel = scaled(panel, ["LOANS", "DEPOSITS", "STAFF"], slice(20, None), unit, 2.0)
    assert not disturbances(panel)["merger"].any()


def test_where_the_peers_moved_too_a_larger_jump_is_no_merger() -> None:
    panel = make_bank()
    for unit in range(len(UNITS)):
        panel = scaled(panel, ["LOANS", "DEPOSITS", "STAFF"], slice(20, None), unit, 2.5 if unit == 3 else 1.3)
    assert not disturbances(panel)["merger"].any()


@pytest.mark.parametrize("code", ["NPL", "NPL_RATIO"])
@pytest.mark.parametrize(("frequency", "marked"), [("M", 13), ("Q", 5), ("A", 2)])
def test_bad_loans_that_drop_are_a_disposal(code: str, frequency: Frequency, marked: int) -> None:
    panel = scaled(make_bank(frequency), [code], slice(20, None), 3, 0.4)
    found = disturbances(panel)["transfer"]
    assert rows_of(found, 3) == list(range(20, 20 + marked))
    assert found.any(axis=0).sum() == 1
    assert rows_of(disturbances(panel, delays={code: 2})["transfer"], 3) == list(range(22, 22 + marked))


def test_a_drop_of_all_or_a_small_one_is_no_disposal() -> None:
    small = scaled(make_bank(), ["NPL"], slice(20, None), 3, 1 - BULK_DROP + 0.1)
    assert not disturbances(small)["transfer"].any()
    every = make_bank()
    for unit in range(len(UNITS)):
        every = scaled(every, ["NPL"], slice(20, None), unit, 0.5)
    assert not disturbances(every)["transfer"].any()


def test_bulk_write_offs_are_a_disposal_though_the_bad_loans_stay() -> None:
    factor = (BULK_SHARE + 0.05) * SIZES["NPL"] / SIZES["WRITE_OFFS"]
    panel = scaled(make_bank(), ["WRITE_OFFS"], slice(20, 21), 3, factor)
    found = disturbances(panel)["transfer"]
    assert rows_of(found, 3) == list(range(20, 33))
    usual = scaled(make_bank(), ["WRITE_OFFS"], slice(0, None), 3, factor)
    assert not disturbances(usual)["transfer"].any()
    few = scaled(make_bank(), ["WRITE_OFFS"], slice(20, 21), 3, (BULK_SHARE - 0.05) * factor / (BULK_SHARE + 0.05))
    assert not disturbances(few)["transfer"].any()


def test_write_offs_are_held_against_the_own_usual_where_no_bad_loans_are_known() -> None:
    bare = IndicatorSet([BANK["LOANS"], BANK["WRITE_OFFS"]])
    many = scaled(make_bank(indicators=bare), ["WRITE_OFFS"], slice(20, 21), 3, 2 * FAR_ABOVE_USUAL)
    assert rows_of(disturbances(many)["transfer"], 3) == list(range(20, 33))
    some = scaled(make_bank(indicators=bare), ["WRITE_OFFS"], slice(20, 21), 3, FAR_ABOVE_USUAL)
    assert not disturbances(some)["transfer"].any()


def test_holidays_are_marked_where_the_new_year_moved_between_months() -> None:
    marked = disturbances(make_bank())["holiday"]
    assert (marked == marked[:, :1]).all()
    assert rows_of(marked, 0) == [
        0,
        1,
        12,
        13,
        36,
        37,
    ]  # 25 January 2020, 12 February 2021, 1 February 2022, 22 January 2023


def test_holidays_mean_nothing_where_money_is_another() -> None:
    elsewhere = IndicatorSet([BANK["LOANS"].model_copy(update={"unit": "GBP k"})])
    assert not disturbances(make_bank(indicators=elsewhere))["holiday"].any()


def test_a_panel_without_rows_or_indicators_marks_nothing() -> None:
    panel = make_bank(valid_from=blank((1, "2020-07")))
    for bare in (panel.with_values({}), panel.up_to(panel.first - 1)):
        assert all(marked.shape == (0, len(UNITS)) for marked in disturbances(bare).values())


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    frequency=st.sampled_from(["M", "Q", "A"]),
    cut=st.integers(1, 39),
    lags=st.lists(st.integers(0, 3), min_size=len(SIZES), max_size=len(SIZES)),
)
def test_no_row_sees_a_later_one(seed: int, frequency: Frequency, cut: int, lags: list[int]) -> None:
    rng = np.random.default_rng(seed)
    panel = make_bank(frequency, seed=seed, valid_to=blank((7, "2021-03-31")), successor=blank((7, "B2")))
    values = {}
    for code, array in panel.values.items():
        wild = array * np.exp(0.7 * (rng.random(array.shape) < 0.1) * rng.standard_normal(array.shape))
        wild[rng.random(array.shape) < 0.1] = np.nan
        wild[: rng.integers(0, 6), rng.integers(0, len(UNITS))] = np.nan
        values[code] = wild
    delays = dict(zip(SIZES, lags, strict=True))
    whole = disturbances(panel.with_values(values), delays=delays)
    known = {code: array.copy() for code, array in values.items()}
    for code, array in known.items():
        array[max(0, cut - delays[code]) :] = np.nan  # all that is not known at the end of the last row that is left
    then = disturbances(panel.with_values(known).up_to(panel.first + cut - 1), delays=delays)
    for reason, marked in whole.items():
        np.testing.assert_array_equal(then[reason], marked[:cut], err_msg=reason)


@pytest.mark.parametrize("frequency", ["M", "Q", "A"])
def test_gaps_zeros_and_empty_columns_are_borne(frequency: Frequency) -> None:
    panel = make_panel(frequency, seed=3)
    assert {reason: marked.shape for reason, marked in disturbances(panel).items()} == dict.fromkeys(
        ("merger", "transfer", "holiday"), (len(panel.ordinals), len(panel.tree))
    )
