"""Paths: coherent draws, quantiles that do not cross, bounds kept, nothing of the future, names and scale no matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from target_panels import make_panel

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.units import UnitTree
from models.path.learners import LEARNERS, forecast_each, last_run
from models.path.learning import PathSettings, learn_path
from models.path.problem import path_problem

HORIZON = 6
QUICK = PathSettings(seed=1, series=0, draws=300)


def bank(**changes: object) -> Panel:
    """Make a small bank whose months have a season."""
    panel = make_panel(**changes)  # pyright: ignore[reportArgumentType]
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(60) / 12)[:, None]
    return panel.with_values({"FLOW": panel.array("FLOW") * season})


def draws_of(panel: Panel, *, code: str = "FLOW", settings: PathSettings = QUICK):
    problem = path_problem(panel, code, origin=panel.last, horizon=HORIZON)
    assert problem is not None
    model = learn_path(problem, HORIZON + problem.behind, settings=settings).model
    draws = np.stack(list(model.steps()), axis=1)[:, problem.behind :]
    return draws, problem


def by_unit(panel: Panel, levels: tuple[float, ...] = (0.1, 0.5, 0.9), **options: object) -> pd.DataFrame:
    draws, problem = draws_of(panel, **options)  # pyright: ignore[reportArgumentType]
    found = np.quantile(draws, levels, axis=0).reshape(len(levels) * HORIZON, -1)
    return pd.DataFrame(found, columns=panel.tree.codes[problem.numbers])


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_every_draw_adds_up_and_is_not_negative(kind: str) -> None:
    draws, problem = draws_of(bank(kind=kind))
    np.testing.assert_allclose(problem.summing.add_up(draws), draws, rtol=1e-9)
    assert (draws >= 0).all()


def test_few_units_and_zeros_keep_adding_up() -> None:
    panel = bank(leaves=3)
    values = panel.array("FLOW").copy()
    values[np.random.default_rng(1).random(values.shape) < 0.5] = 0.0
    values[:, panel.tree.ever_parent] = np.nan
    draws, problem = draws_of(panel.with_values({"FLOW": values}))
    np.testing.assert_allclose(problem.summing.add_up(draws), draws, rtol=1e-9)
    assert (draws >= 0).all()
    assert (draws == 0).any()


def test_single_series_models_are_mixed_in() -> None:
    panel = bank(leaves=2)
    problem = path_problem(panel, "FLOW", origin=panel.last, horizon=HORIZON)
    assert problem is not None
    learned = learn_path(problem, HORIZON, settings=replace(QUICK, series=2))
    assert all(name in learned.evidence for name in LEARNERS)
    draws = np.stack(list(learned.model.steps()), axis=1)
    np.testing.assert_allclose(problem.summing.add_up(draws), draws, rtol=1e-9)


def test_a_model_of_one_series_is_asked_only_where_it_can_answer() -> None:
    values = np.column_stack([np.full(60, 3.0), np.r_[np.full(50, np.nan), np.arange(10.0)]])
    found = forecast_each(values, 3, per_year=12, columns=np.array([0, 1]), learners=LEARNERS)
    assert all(np.isnan(out).all() for out in found.values())
    np.testing.assert_array_equal(last_run(np.array([1.0, np.nan, 2.0, 3.0])), [2.0, 3.0])


def test_the_future_changes_nothing() -> None:
    panel = bank()
    early = panel.last - 12
    values = panel.array("FLOW").copy()
    values[-12:] *= 50
    changed = panel.with_values({"FLOW": values})
    pd.testing.assert_frame_equal(by_unit(panel.up_to(early)), by_unit(changed.up_to(early)))
    problem = path_problem(changed, "FLOW", origin=early, horizon=HORIZON)
    assert problem is not None
    assert len(problem.values) == 48


def test_names_and_order_of_units_do_not_matter() -> None:
    panel = bank()
    names = {str(code): f"Z{len(panel.tree) - n:02d}" for n, code in enumerate(panel.tree.codes)}
    parents = {names[str(c)]: names.get(str(p), "") for c, p in _parents(panel).items()}
    order = sorted(parents)
    frame = pd.DataFrame({"unit": order, "parent": [parents[unit] for unit in order], "name": order})
    tree = UnitTree.from_frame(frame, panel.calendar)
    back = {new: old for old, new in names.items()}
    columns = [panel.tree.number(back[str(code)]) for code in tree.codes]
    other = replace(panel, tree=tree, values={"FLOW": panel.array("FLOW")[:, columns]})
    first, second = by_unit(panel), by_unit(other).rename(columns=back)
    np.testing.assert_allclose(second[first.columns], first, rtol=1e-9)


def _parents(panel: Panel) -> dict[str, str]:
    above = panel.tree.parents(panel.last)
    codes = panel.tree.codes
    return {str(code): str(codes[p]) if p >= 0 else "" for code, p in zip(codes, above, strict=True)}


@pytest.mark.parametrize("kind", ["flow", "stock", "level"])
def test_scaling_an_indicator_scales_its_paths(kind: str) -> None:
    panel = bank(kind=kind)
    thousandfold = panel.with_values({"FLOW": panel.array("FLOW") * 1000})
    np.testing.assert_allclose(by_unit(thousandfold), by_unit(panel) * 1000, rtol=1e-6)


def test_signed_amounts_add_up_below_zero_too() -> None:
    panel = bank()
    draws, problem = draws_of(panel.with_values({"FLOW": panel.array("FLOW") - 7.5}))
    np.testing.assert_allclose(problem.summing.add_up(draws), draws, rtol=1e-7, atol=1e-7)
    assert (draws < 0).any()


def ratio_bank() -> Panel:
    """Make a bank with a bounded ratio and its denominator."""
    panel = make_panel()
    fields = {"name": {"en": "r", "zh": "率"}, "unit": "%", "direction": "lower", "perspective": "risk"}
    ratio = Indicator.model_validate(
        fields | {"code": "RATIO", "kind": "ratio", "bounds": [0, 100], "denominator": "FLOW"}
    )
    shares = np.random.default_rng(9).beta(2, 30, panel.array("FLOW").shape) * 100
    shares[:, panel.tree.ever_parent] = np.nan
    indicators = IndicatorSet([panel.indicator("FLOW"), ratio])
    return replace(panel, indicators=indicators, values={"FLOW": panel.array("FLOW"), "RATIO": shares})


def test_ratios_stay_in_bounds_and_parents_are_averages_by_denominator() -> None:
    draws, problem = draws_of(ratio_bank(), code="RATIO")
    assert ((draws >= 0) & (draws <= 100)).all()
    assert problem.weight is not None
    top, bottom = problem.summing.add_up(draws * problem.weight), problem.summing.add_up(problem.weight)
    np.testing.assert_allclose(top / bottom, draws, rtol=1e-9)


def test_figures_published_late_are_bridged() -> None:
    panel = bank(lag=2)
    values = panel.array("FLOW").copy()
    values[-2:] = np.nan
    draws, problem = draws_of(panel.with_values({"FLOW": values}))
    assert problem.behind == 2
    assert draws.shape[1] == HORIZON


def test_gaps_newcomers_and_empty_units_are_no_error() -> None:
    panel = bank()
    values = panel.array("FLOW").copy()
    leaves = np.flatnonzero(panel.tree.leaves(panel.last))
    values[20:25, leaves[0]], values[:57, leaves[1]], values[:, leaves[2]] = np.nan, np.nan, np.nan
    values[-3:, leaves[3]] = np.nan
    draws, problem = draws_of(panel.with_values({"FLOW": values}))
    assert list(problem.missing) == [leaves[2]]
    assert leaves[2] not in problem.numbers
    assert np.isfinite(draws).all()
    np.testing.assert_allclose(problem.summing.add_up(draws), draws, rtol=1e-9)


@pytest.mark.parametrize("length", [1, 2, 3, 13, 30])
def test_short_history_is_answered_widely(length: int) -> None:
    panel = bank()
    draws, _ = draws_of(panel.up_to(panel.first + length - 1))
    assert np.isfinite(draws).all()
    assert (np.quantile(draws, 0.9, axis=0) > np.quantile(draws, 0.1, axis=0)).all()


def test_nothing_known_has_no_problem() -> None:
    panel = bank()
    empty = panel.with_values({"FLOW": np.full(panel.array("FLOW").shape, np.nan)})
    assert path_problem(empty, "FLOW", origin=panel.last, horizon=3) is None


def test_the_band_holds_what_comes() -> None:
    rng = np.random.default_rng(11)
    panel = bank(regions=3, leaves=20)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(60) / 12)[:, None]
    values = rng.gamma(9, 2.0, panel.array("FLOW").shape) * season
    values[:, panel.tree.ever_parent] = np.nan
    whole = replace(panel.with_values({"FLOW": values}), known_on=date(2023, 12, 31))
    draws, problem = draws_of(whole.up_to(whole.last - HORIZON))
    came = problem.summing.add_up(np.nan_to_num(values[-HORIZON:][:, problem.numbers]))
    low, high = np.quantile(draws, [0.1, 0.9], axis=0)
    assert 0.7 < ((came >= low) & (came <= high)).mean() < 0.9


def test_an_indicator_of_the_entity_alone_has_one_path() -> None:
    panel = bank(entity_only=True)
    draws, problem = draws_of(panel)
    assert list(panel.tree.codes[problem.numbers]) == ["G"]
    assert np.isfinite(draws).all()
