"""The target problems of a panel: levels of the tree, late figures, units that come and go."""

from __future__ import annotations

import numpy as np
import pytest
from target_panels import make_panel

from features.errors import LoadlineError
from models.levels import FEWEST_UNITS, LEAVES, levels_of, target_codes


def test_small_levels_are_added_up_and_not_learned_from() -> None:
    panel = make_panel()
    levels = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    assert [(level.name, level.learned) for level in levels] == [(LEAVES, True), ("depth-1", False), ("depth-0", False)]
    assert FEWEST_UNITS > 2
    leaves, _, root = levels
    np.testing.assert_allclose(root.problem.base[:, 0], leaves.problem.base.sum(axis=1))


def test_a_level_of_enough_units_is_learned_from() -> None:
    panel = make_panel(regions=FEWEST_UNITS, leaves=2)
    learned = {level.name: level.learned for level in levels_of(panel, "FLOW", year=2024, origin=panel.last)}
    assert learned == {LEAVES: True, "depth-1": True, "depth-0": False}


def test_figures_that_are_out_late_are_taken_from_where_they_stand() -> None:
    panel = make_panel(lag=1)
    known = panel.array("FLOW").copy()
    known[-1] = np.nan  # December is not out yet
    panel = panel.with_values({"FLOW": known})
    problem = levels_of(panel, "FLOW", year=2024, origin=panel.last)[0].problem
    first = panel.tree.number("R0-B0")
    assert problem.base[-1, 0] == pytest.approx(known[-13:-1, first].sum())
    assert problem.base[-2, 0] == pytest.approx(known[-25:-13, first].sum())
    assert problem.horizon == 2  # in November, the year's own outcome is not known
    assert np.isfinite(problem.base[-1]).all()


def test_figures_that_stop_without_a_lag_are_missing() -> None:
    panel = make_panel()
    known = panel.array("FLOW").copy()
    known[-1] = np.nan
    panel = panel.with_values({"FLOW": known})
    assert np.isnan(levels_of(panel, "FLOW", year=2024, origin=panel.last)[0].problem.base[-1]).all()


def test_what_means_nothing_below_the_entity_is_asked_of_the_root_alone() -> None:
    panel = make_panel(entity_only=True)
    levels = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    assert [level.name for level in levels] == ["depth-0"]
    assert levels[0].problem.units.tolist() == ["G"]


def test_a_year_that_is_over_is_refused() -> None:
    panel = make_panel()
    with pytest.raises(LoadlineError, match="the year 2023 is over by 2023-12"):
        levels_of(panel, "FLOW", year=2023, origin=panel.last)


def test_context_and_monitored_indicators_have_no_targets() -> None:
    assert target_codes(make_panel()) == ["FLOW"]
    assert target_codes(make_panel(perspective="context")) == []
    assert target_codes(make_panel(target_allowed=False)) == []
