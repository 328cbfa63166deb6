"""Deterioration derived from figures: what it is measured by, whom it is held against, and when it can be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from feature_panels import indicator, make_tree

from features.indicators import IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from training.warning.deterioration_ahead import (
    Window,
    Yardstick,
    candidate_codes,
    derived,
    label_codes,
    yardstick,
)

LOANS = indicator("LOANS", role="loans")
NPL = indicator("NPL", unit="%", kind="ratio", direction="lower", denominator="LOANS", role="npl", perspective="risk")
FORMED = indicator("FORMED", unit="%", kind="ratio", direction="lower", role="npl_formation", perspective="risk")
SOLD = indicator("SOLD", kind="flow", direction="lower", role="write_offs", perspective="risk")
LATE = indicator("LATE", unit="%", kind="ratio", direction="lower", denominator="LOANS", perspective="risk")
SAFE = indicator("SAFE", unit="%", kind="ratio", direction="higher", perspective="risk")


def panel_of(frequency: Frequency, periods: int, leaves: int = 20, **values: np.ndarray) -> Panel:
    calendar = Calendar(frequency)
    tree = make_tree(calendar, leaves, parents=1)
    known = {each.code: each for each in (LOANS, NPL, FORMED, SOLD, LATE, SAFE)}
    about = {code: known[code] for code in values}
    blown = {code: np.where(tree.ever_parent, np.nan, array) for code, array in values.items()}
    first = calendar.first_of_year(2010)
    return Panel(calendar, tree, IndicatorSet(about.values()), first, blown, calendar.end(first + periods - 1))


def flat(periods: int, leaves: int = 20, level: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    return level * (1 + 0.02 * rng.normal(size=(periods, leaves + 2)))


@pytest.mark.parametrize(("per_year", "expected"), [(12, (7, 18)), (4, (3, 6)), (1, (1, 1))])
def test_the_months_ahead_become_periods(per_year: int, expected: tuple[int, int]) -> None:
    window = Window.of(per_year)
    assert (window.first, window.last) == expected


def test_formation_as_reported_is_nearest_to_loss_then_what_can_be_computed_then_any_risk() -> None:
    loans, ratio = flat(4, level=100), flat(4)
    everything = panel_of("A", 4, LOANS=loans, NPL=ratio, FORMED=ratio, LATE=ratio, SAFE=ratio)
    assert yardstick(everything) == Yardstick(("FORMED",), "formation_given")
    assert yardstick(everything.only(["LOANS", "NPL", "LATE", "SAFE"])) == Yardstick(("NPL",), "formation")
    assert yardstick(everything.only(["NPL", "LATE"])) == Yardstick(("NPL",), "rise")
    assert yardstick(everything.only(["LOANS", "LATE", "SAFE"])) == Yardstick(("LATE",), "lagged_rise")
    assert yardstick(everything.only(["LATE", "SAFE"])) == Yardstick(("LATE",), "rise")
    assert yardstick(everything.only(["SAFE"])) == Yardstick(("SAFE",), "rise")
    assert yardstick(everything.only(["LOANS"])) is None


def test_an_indicator_without_any_figure_is_no_yardstick() -> None:
    panel = panel_of("A", 4, LOANS=flat(4), FORMED=np.full((4, 22), np.nan), LATE=flat(4))
    assert yardstick(panel) == Yardstick(("LATE",), "lagged_rise")


def test_the_indicators_behind_labels_are_among_those_read_for_them() -> None:
    panel = panel_of("A", 4, LOANS=flat(4), NPL=flat(4), SOLD=flat(4))
    stick = yardstick(panel)
    assert stick is not None
    assert label_codes(panel, stick) == ["NPL", "LOANS", "SOLD"]
    assert set(label_codes(panel, stick)) <= set(candidate_codes(panel.indicators))


def test_who_worsens_more_than_the_peers_next_year_is_positive_and_the_last_year_is_unknown() -> None:
    ratio = flat(6)
    ratio[3:, 5] = 3.0
    panel = panel_of("A", 6, LOANS=flat(6, level=100), LATE=ratio)
    y = derived(panel, Yardstick(("LATE",), "lagged_rise"))
    assert y[2, 5] == 1
    assert y[3, 5] == 0, "it stays bad but gets no worse"
    assert np.isnan(y[-1]).all()
    assert np.isnan(y[:, panel.tree.ever_parent]).all()


def test_with_monthly_data_the_first_six_months_ahead_do_not_count_and_the_last_eighteen_are_unknown() -> None:
    ratio = flat(72)
    ratio[40:52, 5] = 4.0
    panel = panel_of("M", 72, LATE=ratio)
    y = derived(panel, Yardstick(("LATE",), "rise"))
    assert np.isnan(y[-18:]).all()
    assert np.isfinite(y[-19, 5])
    assert y[40 - 12, 5] == 1
    assert y[40 - 19, 5] == 0, "nothing of it lies within eighteen months yet"
    assert y[51, 5] == 0, "what lies ahead is better than what was"


def test_disposals_are_added_back_where_formation_is_computed() -> None:
    loans, ratio, sold = np.full((6, 22), 100.0), flat(6), np.zeros((6, 22))
    ratio[:, 7] = 1.0
    sold[3, 7] = 2.0  # sold off within the year in which it went bad: the ratio never shows it
    panel = panel_of("A", 6, LOANS=loans, NPL=ratio, SOLD=sold)
    stick = Yardstick(("NPL",), "formation")
    assert derived(panel, stick)[2, 7] == 1
    assert derived(panel.with_values({**panel.values, "SOLD": np.zeros((6, 22))}), stick)[2, 7] == 0


def test_growth_of_the_denominator_does_not_hide_new_bad_loans() -> None:
    loans, ratio = np.full((6, 22), 100.0), np.full((6, 22), 1.0) + 0.01 * np.arange(22)
    loans[3:, 6] = 200.0
    panel = panel_of("A", 6, LOANS=loans, NPL=ratio)
    assert derived(panel, Yardstick(("NPL",), "formation"))[2, 6] == 1


def test_fewer_than_five_peers_tell_nothing() -> None:
    ratio = flat(6, leaves=4)
    panel = panel_of("A", 6, leaves=4, LATE=ratio)
    assert np.isnan(derived(panel, Yardstick(("LATE",), "rise"))).all()


def test_chance_alone_makes_far_less_than_a_fifth_positive() -> None:
    rng = np.random.default_rng(2)
    panel = panel_of("A", 40, leaves=200, LATE=rng.normal(5, 1, (40, 202)))
    assert 0.03 < np.nanmean(derived(panel, Yardstick(("LATE",), "rise"))) < 0.12


def test_of_several_indicators_those_that_are_known_count_each_by_its_usual_size() -> None:
    big, small = 100 * flat(6), flat(6)
    small[3:, 5] = 2.0
    big[:, 8] = np.nan
    both = panel_of("A", 6, LATE=small, SAFE=-big)
    y = derived(both, Yardstick(("LATE", "SAFE"), "rise"))
    assert y[2, 5] == 1
    assert np.isfinite(y[2, 8])


def test_a_label_does_not_change_when_later_figures_arrive() -> None:
    rng = np.random.default_rng(3)
    panel = panel_of("M", 60, LOANS=flat(60), LATE=rng.normal(5, 1, (60, 22)))
    stick = Yardstick(("LATE",), "lagged_rise")
    whole, cut = derived(panel, stick), derived(panel.up_to(panel.first + 44), stick)
    np.testing.assert_array_equal(cut[: 45 - 18], whole[: 45 - 18])


def test_the_note_names_the_indicator_and_the_peers_in_both_languages() -> None:
    panel = panel_of("A", 4, LOANS=flat(4), LATE=flat(4))
    note = Yardstick(("LATE",), "lagged_rise").note(panel)
    assert "Late" in note.en
    assert "80%" in note.en
    assert "next year" in note.en
    assert "指标LATE" in note.zh
    assert "80%" in note.zh
    monthly = Yardstick(("LATE",), "rise").note(replace(panel, calendar=Calendar("M")))
    assert "months 6 to 18" in monthly.en


def test_units_that_get_worse_together_do_not_hide_one_another() -> None:
    rng = np.random.default_rng(4)
    ratio = 5 + 0.1 * rng.normal(size=(12, 42))
    ratio[8:, 3:15] += 2.0  # twelve of forty
    panel = panel_of("A", 12, leaves=40, LATE=ratio)
    y = derived(panel, Yardstick(("LATE",), "rise"))
    assert y[7, 3:15].sum() >= 6, "as many as can be among the highest fifth"
