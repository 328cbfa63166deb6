"""One joint sample for all levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from target_panels import make_panel
from target_problems import KINDS, make_problem, values_of_kind

from models.joint.draws import JointDraws, coherent, membership, near
from models.joint.kinship import Kinship
from models.levels import Level, levels_of
from models.outcome.distribution import TargetDistribution
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel


def fitted(problem: TargetProblem) -> TargetDistribution:
    return TargetModel.fit(problem, seed=1).predict(problem)


def joint_of(problem: TargetProblem, below: TargetDistribution, **changes: object) -> JointDraws:
    weight = np.where(below.known, 1.0, 0.0)
    averaged = problem.indicator.kind in ("ratio", "level")
    made = JointDraws(below, np.arange(len(weight)), weight, averaged, 11, 1000)
    return replace(made, **changes)  # type: ignore[arg-type]


def groups(units: int, count: int = 3) -> csr_array:
    """Put every third unit into one group."""
    return csr_array((np.ones(units), (np.arange(units) % count, np.arange(units))), shape=(count, units))


@pytest.fixture(scope="module", params=KINDS)
def predicted(request: pytest.FixtureRequest) -> tuple[TargetProblem, TargetDistribution]:
    problem = make_problem(request.param, years=6)
    return problem, fitted(problem)


@pytest.fixture(scope="module")
def bank() -> tuple[list[Level], TargetDistribution, JointDraws]:
    panel = make_panel(regions=3, leaves=8)
    levels = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    below = TargetModel.fit(levels[0].problem, seed=1).predict(levels[0].problem)
    return levels, below, JointDraws.of(levels[0], below, panel.tree, ordinal=panel.last, seed=5)


def test_every_subtree_adds_up_in_every_draw(predicted) -> None:
    problem, below = predicted
    joint = joint_of(problem, below)
    units = len(below.units)
    every = csr_array(np.vstack([groups(units).toarray(), np.ones(units)]))
    totals = joint.totals(every)
    sizes = groups(units).sum(axis=1) if joint.averaged else np.ones(3)
    np.testing.assert_allclose(totals[:, :3] @ sizes / (units if joint.averaged else 1), totals[:, 3], rtol=1e-9)


def test_draws_made_in_small_chunks_are_as_many_and_reproducible(predicted, monkeypatch) -> None:
    problem, below = predicted
    joint = joint_of(problem, below)
    monkeypatch.setattr("models.joint.draws.DRAWS_AT_ONCE", 128 * len(below.units))
    one, other = joint.totals(groups(len(below.units))), joint.totals(groups(len(below.units)))
    assert one.shape == (1000, 3)
    np.testing.assert_array_equal(one, other)
    assert len(np.unique(one[:, 0])) > 990


def test_members_of_any_unit_of_the_tree_are_found() -> None:
    panel = make_panel(regions=2, leaves=3)
    tree, last = panel.tree, panel.last
    parts = np.flatnonzero(tree.leaves(last))
    above = np.array([tree.number("G"), tree.number("R1"), parts[4]])
    found = membership(above, parts, tree, ordinal=last).toarray()
    expected = [tree.subtree(str(tree.codes[number]), last)[parts] for number in above]
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))


def test_a_goal_equal_to_the_sum_of_medians_is_attained_about_half_the_time(bank) -> None:
    _, below, joint = bank
    total = joint.totals(csr_array(np.ones((1, len(below.units)))))[:, 0]
    assert joint.reaching(total, float(below.quantile(0.5).sum())).mean() == pytest.approx(0.5, abs=0.05)


def test_attaining_is_likelier_where_the_group_attains(bank) -> None:
    _, below, joint = bank
    total = joint.totals(csr_array(np.ones((1, len(below.units)))))[:, 0]
    values = below.value_at(0.6)
    met = joint.reaching(total, float(np.median(total)))
    both = joint.attained(values, np.stack([met, ~met], axis=1))
    assert (both.mean(axis=0) - 0.6 > 0).tolist() == [True, False]
    np.testing.assert_allclose(joint.attained(values), 0.6, atol=0.04)
    # The law of total probability, exactly: the draws are the same.
    np.testing.assert_allclose(both @ [met.mean(), 1 - met.mean()], joint.attained(values), atol=1e-12)


def test_near_a_better_outcome_of_the_group_more_units_attain(bank) -> None:
    _, below, joint = bank
    total = joint.totals(csr_array(np.ones((1, len(below.units)))))[:, 0]
    values = below.value_at(0.5)
    low, high = (joint.attained(values, near(total, float(np.quantile(total, q)))) for q in (0.1, 0.9))
    assert low.mean() < 0.5 < high.mean()
    # Beyond all draws, the nearest of them count.
    assert near(total, 1e12).sum() == joint.draws / 10


@given(st.floats(0.05, 0.9), st.floats(0.01, 0.3))
@settings(max_examples=10, deadline=None)
def test_attaining_falls_as_more_is_asked(start: float, more: float) -> None:
    problem = make_problem(units=10, years=5)
    below = fitted(problem)
    joint = joint_of(problem, below, draws=300)
    easy, hard = joint.attained(below.quantile(start)), joint.attained(below.quantile(min(start + more, 1.0)))
    assert (hard <= easy).all()


def test_order_of_units_changes_no_total() -> None:
    problem = make_problem(units=20, years=5)
    below = fitted(problem).tied(Kinship(np.repeat(["a", "b"], 10), 0.4))
    order = np.random.default_rng(0).permutation(20)
    one = joint_of(problem, below).totals(groups(20))
    other = joint_of(problem, below.take(order)).totals(csr_array(groups(20).toarray()[:, order]))
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_neighbours_that_move_together_make_their_total_less_certain() -> None:
    problem = make_problem(units=30, years=6)
    below = fitted(problem)
    tied = below.tied(Kinship((np.arange(30) % 3).astype(str), 0.6))

    def widths(found: TargetDistribution) -> np.ndarray:
        totals = joint_of(problem, found.given_common(found.common_growth)).totals(groups(30))
        return np.subtract(*np.quantile(totals, [0.9, 0.1], axis=0))

    assert (widths(tied) > 1.3 * widths(below)).all()
    np.testing.assert_array_equal(tied.quantile(0.9), below.quantile(0.9))


def test_reconciled_totals_are_as_learned_and_leaves_still_add_up(predicted) -> None:
    problem, below = predicted
    joint = joint_of(problem, below)
    members = groups(len(below.units))
    totals = joint.totals(members)
    history = np.stack([np.asarray(joint.shares(members) @ row) for row in np.nan_to_num(problem.base)])
    above = TargetProblem.annual(problem.indicator, problem.years - 1, history, units=pd.Index(["a", "b", "c"]))
    learned = TargetModel.fit(above, seed=1).predict(above)
    new = joint.reconciled(members, learned)
    moved = new.totals(members)
    expected = learned.quantile([0.1, 0.5, 0.9]).T
    width = expected[2] - expected[0]
    found = np.quantile(moved, [0.1, 0.5, 0.9], axis=0)
    assert (np.abs(found - expected) < 0.05 * width).all()
    # The years keep their order.
    np.testing.assert_array_equal(np.argsort(moved[:, 0], kind="stable"), np.argsort(totals[:, 0], kind="stable"))
    # A subtotal across the groups is still the sum, or the average, of its units.
    units = len(below.units)
    root = new.totals(csr_array(np.ones((1, units))))[:, 0]
    sizes = np.asarray(members.sum(axis=1)) if joint.averaged else np.ones(3)
    np.testing.assert_allclose(moved @ sizes / (units if joint.averaged else 1), root, rtol=1e-9)


def test_one_sample_serves_all_levels(bank) -> None:
    levels, _, joint = bank
    panel = make_panel(regions=3, leaves=8)
    regions = levels[1]
    learned = TargetModel.fit(regions.problem, seed=2).predict(regions.problem)
    new = coherent(joint, [(regions, learned)], panel.tree, ordinal=panel.last)
    found = new.distribution(membership(regions.numbers, new.numbers, panel.tree, ordinal=panel.last))
    np.testing.assert_allclose(found.quantile(0.5), learned.quantile(0.5), rtol=0.01)
    assert list(found.evidence) == ["joint draws of 8 units below"] * 3


def test_units_without_a_distribution_are_left_out() -> None:
    indicator, values = values_of_kind("log", units=9, years=5)
    values[-4:, 0] = np.nan
    problem = TargetProblem.annual(indicator, np.arange(5), values, units=pd.Index(list("abcdefghi")))
    below = fitted(problem)
    joint = joint_of(problem, below)
    only = csr_array(([1.0], ([0], [0])), shape=(1, 9))
    if below.known[0]:
        pytest.skip("the unit's last figure is recent enough")
    assert np.isnan(joint.totals(only)).all()
    assert np.isnan(joint.attained(np.ones(9))[0])


def test_the_stronger_tie_counts() -> None:
    panel = make_panel(regions=3, leaves=8)
    leaves = levels_of(panel, "FLOW", year=2024, origin=panel.last)[0]
    found = fitted(leaves.problem)
    strong, none = (found.tied(Kinship(np.full(24, "all"), tie)) for tie in (0.89, 0.0))
    kept = JointDraws.of(leaves, strong, panel.tree, ordinal=panel.last, seed=1).below.kinship
    learned = JointDraws.of(leaves, none, panel.tree, ordinal=panel.last, seed=1).below.kinship
    assert kept is strong.kinship
    assert learned is not None
    assert learned.correlation >= 0
