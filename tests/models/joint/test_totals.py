"""Distributions of totals from joint draws, and suggestions in the indicator's own steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from target_panels import make_panel

from models.joint.totals import covers, total_distribution
from models.levels import levels_of
from models.outcome.distribution import TargetLevels
from models.outcome.target import TargetModel
from models.suggestion import display_step, rounded, suggest


@pytest.fixture(scope="module")
def suggested():
    """Fit the leaves of a small bank and add them up."""
    panel = make_panel(leaves=10)
    leaves, regions, root = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    below = TargetModel.fit(leaves.problem, seed=1).predict(leaves.problem)
    totals = [
        total_distribution(level, leaves, below, panel.tree, ordinal=panel.last, seed=3) for level in (regions, root)
    ]
    return leaves, below, regions, root, *totals


def test_a_total_lies_where_its_parts_lie(suggested) -> None:
    _, below, _, _, regions, root = suggested
    medians = below.quantile(0.5)
    assert root.quantile(0.5)[0] == pytest.approx(medians.sum(), rel=0.02)
    np.testing.assert_allclose(regions.quantile(0.5), [medians[:10].sum(), medians[10:].sum()], rtol=0.02)
    width = root.quantile(0.9) - root.quantile(0.1)
    assert width[0] < (below.quantile(0.9) - below.quantile(0.1)).sum()


def test_value_and_probability_of_a_total_are_inverse(suggested) -> None:
    root = suggested[-1]
    for probability in (0.85, 0.6, 0.2):
        assert root.attain(root.value_at(probability))[0] == pytest.approx(probability, abs=0.002)


def test_suggestions_are_in_whole_steps_with_the_probability_of_the_rounded_figure(suggested) -> None:
    leaves, below, *_ = suggested
    frame = suggest(leaves, below, TargetLevels(), quantiles=[0.1, 0.9])
    assert (frame["floor"].round(2) == frame["floor"]).all()
    np.testing.assert_allclose(frame["p_target"], below.attain(frame["target"].to_numpy()))
    assert frame["p_target"].between(0.58, 0.62).all()
    assert (frame["q0.1"] < frame["q0.9"]).all()


@pytest.mark.parametrize(
    ("changes", "figures", "step"),
    [
        ({"unit": "n"}, [3.0, 800.0], 1.0),
        ({"decimals": 1}, [0.001], 0.1),
        ({}, [52_000.0, 71_000.0], 0.01),
        ({}, [0.0312, 0.05], 1e-5),
        ({}, [np.nan, 0.0], 0.01),
    ],
)
def test_steps_fit_the_size_of_the_figures(changes, figures, step) -> None:
    assert display_step(make_panel(**changes).indicator("FLOW"), np.array(figures)) == pytest.approx(step)


def test_rounding_stays_inside_the_bounds() -> None:
    np.testing.assert_array_equal(rounded(np.array([99.996, -0.004]), 0.01, (0.0, 99.99)), [99.99, 0.0])


def test_a_level_covers_the_leaves_when_each_has_a_part_above_it() -> None:
    panel = make_panel(leaves=10)
    leaves, regions, root = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    assert covers(regions, leaves, panel.tree, ordinal=panel.last)
    only = replace(regions, numbers=regions.numbers[:1])
    assert not covers(only, leaves, panel.tree, ordinal=panel.last)
    assert covers(root, leaves, panel.tree, ordinal=panel.last)
