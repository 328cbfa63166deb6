import numpy as np
import pytest
from feature_panels import make_panel

from features.sets import catalogue
from models.deterioration.columns import (
    COMMON,
    FEW_COLUMNS,
    FEW_POSITIVES,
    LEAST_COLUMNS,
    MOST_COLUMNS,
    chosen_columns,
    directions,
)


def count(panel, chosen) -> int:
    return len(catalogue().columns(panel, *chosen)[0])


@pytest.mark.parametrize("frequency", ["A", "Q", "M"])
@pytest.mark.parametrize("positives", [20, 5_000])
def test_what_is_chosen_can_be_computed_and_is_not_too_much(frequency, positives):
    panel = make_panel(frequency, periods=14)
    chosen = chosen_columns(panel, positives)
    limit = FEW_COLUMNS if positives < FEW_POSITIVES else MOST_COLUMNS
    assert 0 < count(panel, chosen) <= limit
    assert catalogue().compute(panel, chosen[0], features=chosen[1]).names


def test_fewer_positives_never_get_more_columns():
    panel = make_panel("M", periods=30)
    assert count(panel, chosen_columns(panel, 50)) <= count(panel, chosen_columns(panel, 50_000))


def test_a_large_panel_gets_what_memory_can_hold(monkeypatch):
    monkeypatch.setattr("models.deterioration.columns.MOST_FIGURES", 1)
    panel = make_panel("M", periods=30)
    indicators, features = chosen_columns(panel, 50_000)
    assert count(panel, (indicators, features)) <= LEAST_COLUMNS
    assert panel.indicator(indicators[0]).perspective == "risk"


def test_averages_over_all_units_are_for_long_histories_only():
    short, long = (chosen_columns(make_panel("A", periods=periods), 100)[1] for periods in (12, 30))
    assert not set(COMMON) & set(short)
    assert set(COMMON) <= set(long)


def test_indicators_that_nobody_reports_are_left_out():
    panel = make_panel("A", periods=14)
    gone = panel.codes[0]
    empty = panel.with_values({**panel.values, gone: np.full(panel.array(gone).shape, np.nan)})
    assert gone not in chosen_columns(empty, 100)[0]


def test_directions_follow_the_indicator_where_harm_is_meant_and_are_silent_on_performance():
    panel = make_panel("A", periods=14)
    names = ("NPL.level", "NPL.worsening_12m", "NPL.distance_to_worst", "LOANS.growth_1y", "year_share", "prior")
    assert directions(panel, names).tolist() == [1, 1, -1, 0, 0, 0]
