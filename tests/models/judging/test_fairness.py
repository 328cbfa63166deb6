from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_panels import make_panel
from target_problems import make_indicator, make_problem

from features.panel import Panel
from models.judging.fairness import DIMENSIONS, GAP, SLOPE, attainment_counts, fairness_table, terciles, unit_groups
from models.levels import Level, levels_of


def made_level() -> tuple[Level, Panel]:
    panel = make_panel(regions=4, leaves=6)
    return levels_of(panel, "FLOW", year=2023, origin=panel.calendar.parse("2022-12"))[0], panel


def groups_of(**columns: object) -> pd.DataFrame:
    count = len(next(iter(columns.values())))  # type: ignore[arg-type]
    blank = {name: [""] * count for name in DIMENSIONS} | {"growth_rank": [np.nan] * count}
    return pd.DataFrame(blank | columns)


def counts_over_years(years: int, *, share: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """Sixty units in thirds of past growth; the fast ones attain less often by twenty points."""
    rng = np.random.default_rng(seed)
    thirds = np.repeat(["low", "middle", "high"], 20)
    chance = np.where(thirds == "high", share - 0.2, share)
    groups = groups_of(past_growth=thirds, growth_rank=(np.arange(60) + 1) / 60)
    frames = []
    for year in range(years):
        hits = {"target": (rng.random(60) < chance).astype(float)}
        frames.append(attainment_counts(groups, {"target": np.full(60, share)}, hits).assign(year=year))
    return pd.concat(frames)


def row_of(table: pd.DataFrame, group: str) -> dict[str, float]:
    """Give the figures of one group's row."""
    row = table[table["group"] == group].iloc[0]
    return {name: float(row[name]) for name in ("promised", "attained", "versus_others", "low", "high")}


def test_units_are_grouped_by_what_was_known_of_them() -> None:
    level, panel = made_level()
    tree = replace(panel.tree, attributes=panel.tree.attributes.assign(region_type="east"))
    groups = unit_groups(level, tree)
    assert list(groups.index) == list(level.problem.units)
    assert set(groups["region_type"]) == {"east"}
    size = pd.Series(level.problem.base[-1], index=groups.index)
    assert size[groups["size"] == "high"].min() > size[groups["size"] == "low"].max()
    assert groups["past_growth"].value_counts().to_dict() == {"low": 8, "middle": 8, "high": 8}


def test_past_growth_points_upwards_where_lower_is_better() -> None:
    level, panel = made_level()
    lower = replace(level, problem=replace(level.problem, indicator=make_indicator(kind="flow", direction="lower")))
    upwards, downwards = unit_groups(level, panel.tree), unit_groups(lower, panel.tree)
    assert (upwards["growth_rank"] + downwards["growth_rank"] - 1).round(9).nunique() == 1
    assert (upwards["past_growth"] == "high").tolist() == (downwards["past_growth"] == "low").tolist()


def test_groups_do_not_depend_on_order_nor_on_later_outcomes() -> None:
    level, panel = made_level()
    order = np.random.default_rng(1).permutation(len(level.problem.units))
    shuffled = replace(level, problem=level.problem.take(order), numbers=level.numbers[order])
    outcome = level.problem.outcome.copy()
    outcome[-1] = 7.0
    later = replace(level, problem=replace(level.problem, outcome=outcome))
    groups = unit_groups(level, panel.tree)
    pd.testing.assert_frame_equal(unit_groups(shuffled, panel.tree).loc[groups.index], groups)
    pd.testing.assert_frame_equal(unit_groups(later, panel.tree), groups)


def test_ratios_without_a_denominator_have_no_size() -> None:
    level, panel = made_level()
    problem = make_problem("logit", units=24)
    level = replace(level, problem=problem)
    assert set(unit_groups(level, panel.tree)["size"]) == {""}
    weighted = replace(level, problem=replace(problem, weight=np.abs(problem.base)))
    assert set(unit_groups(weighted, panel.tree)["size"]) == {"low", "middle", "high"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=60))
def test_terciles_are_ordered_and_treat_equals_alike(values: list[float]) -> None:
    array = np.array(values, dtype=float)
    labels = terciles(array)
    assert all(label == "" for label in labels[~np.isfinite(array)])
    place = {"low": 0, "middle": 1, "high": 2}
    seen = sorted((value, place[label]) for value, label in zip(array, labels, strict=True) if label)
    assert [p for _, p in seen] == sorted(p for _, p in seen)
    assert len({value for value, _ in seen}) == len(set(seen))


def test_shares_by_hand_and_small_groups_are_not_shown() -> None:
    groups = groups_of(region_type=["a"] * 6 + ["b"] * 5 + ["c"] * 4)
    hits = np.array([1.0] * 3 + [0.0] * 3 + [1.0] * 5 + [0.0] * 4)
    counts = attainment_counts(groups, {"target": np.full(15, 0.6)}, {"target": hits}).assign(year=2020)
    table = fairness_table(counts, by=())
    assert set(table["group"]) == {"a", "b", GAP}
    assert row_of(table, "a") == pytest.approx(
        {"attained": 0.5, "promised": 0.6, "versus_others": -0.5, "low": np.nan, "high": np.nan}, nan_ok=True
    )  # one year: nothing to resample
    assert row_of(table, GAP)["versus_others"] == pytest.approx(0.5)


def test_the_ratchet_gap_is_found_with_an_interval_around_it() -> None:
    table = fairness_table(counts_over_years(40), by=())
    gap, slope = row_of(table, GAP), row_of(table, SLOPE)
    assert gap["versus_others"] == pytest.approx(0.2, abs=0.06)
    assert 0.1 < gap["low"] < gap["versus_others"] < gap["high"] < 0.3
    assert gap["promised"] == pytest.approx(0.0)
    assert slope["versus_others"] < -0.1


def test_intervals_hold_the_true_gap_as_often_as_they_say() -> None:
    held = []
    for seed in range(25):
        gap = row_of(fairness_table(counts_over_years(12, seed=seed), by=(), draws=200), GAP)
        held.append(gap["low"] <= 0.2 <= gap["high"])
    assert np.mean(held) >= 0.72


def test_a_plan_shows_the_probabilities_alone() -> None:
    groups = groups_of(past_growth=np.repeat(["low", "middle", "high"], 6), growth_rank=np.linspace(0.05, 1, 18))
    chance = np.repeat([0.7, 0.6, 0.4], 6)
    table = fairness_table(attainment_counts(groups, {"target": chance}).assign(year=2025), by=())
    assert row_of(table, GAP)["promised"] == pytest.approx(0.3)
    assert row_of(table, GAP)["versus_others"] == pytest.approx(0.3)
    assert table["attained"].isna().all()
    assert row_of(table, SLOPE)["promised"] < 0


def test_units_without_an_outcome_are_not_counted() -> None:
    groups = groups_of(region_type=["a"] * 12)
    hits = np.array([1.0] * 6 + [np.nan] * 6)
    counts = attainment_counts(groups, {"target": np.full(12, 0.6)}, {"target": hits})
    assert counts[["n", "attained"]].to_numpy().tolist() == [[6, 6]]


def test_groups_too_small_to_show_leave_an_empty_table_of_numbers() -> None:
    counts = attainment_counts(groups_of(region_type=["a"] * 4), {"target": np.full(4, 0.6)})
    assert counts.empty
    assert counts["promised"].dtype == float
    assert fairness_table(counts.assign(year=2020), by=()).empty
