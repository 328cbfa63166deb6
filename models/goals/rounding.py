"""Rounding that keeps sums: whole smallest units that come to the goal at every level of a tree."""

from __future__ import annotations

import numpy as np

from models.goals.goal_tree import GoalTree

TINY = 1e-6
"""Part of a smallest unit below which a figure counts as whole: what floating-point sums leave behind."""


def round_amounts(tree: GoalTree, amounts: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Round amounts from the top down by largest remainder: children add up to their parent exactly.

    Largest remainders (Hamilton's method) keep every figure within one unit of what it was, and within bounds that are
    whole.

    Parameters
    ----------
    tree : GoalTree
    amounts : np.ndarray
        (N,) in smallest units; the children of a unit come to its own amount but for rounding.
    low, high : np.ndarray
        (N,) whole numbers: the least and most that a unit can take, given what is below it.

    Returns
    -------
    np.ndarray
        (N,) whole numbers.
    """
    whole = np.clip(np.floor(amounts + TINY), low, high)
    rest = amounts - whole
    roots = tree.levels[0]
    whole[roots] = np.clip(np.round(amounts[roots]), low[roots], high[roots])
    for nodes in tree.levels[1:]:
        parent = tree.parent[nodes]
        missing = np.zeros(len(tree.units))
        np.add.at(missing, parent, whole[nodes])
        missing[parent] = whole[parent] - missing[parent]
        while len(chosen := _next_to_move(tree, nodes, missing, (whole, rest, amounts), (low, high))):
            move = np.sign(missing[tree.parent[chosen]])
            whole[chosen] += move
            rest[chosen] -= move
            np.add.at(missing, tree.parent[chosen], -move)
    return whole


def _next_to_move(
    tree: GoalTree,
    nodes: np.ndarray,
    missing: np.ndarray,
    figures: tuple[np.ndarray, np.ndarray, np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Choose among siblings those that take one more unit, or one less: as many as are missing, each once."""
    whole, rest, amounts = figures
    sign = np.where(np.abs(missing) > TINY, np.sign(missing), 0.0)[tree.parent[nodes]]
    room = np.where(sign > 0, whole[nodes] + 1 <= ends[1][nodes], whole[nodes] - 1 >= ends[0][nodes])
    able = nodes[room & (sign != 0)]
    if not len(able):
        return able
    parent = tree.parent[able]
    eager = np.where(missing[parent] > 0, -rest[able], rest[able])
    able = able[np.lexsort((tree.rank[able], -np.abs(amounts[able]), eager, parent))]
    turn = np.arange(len(able))
    parent = tree.parent[able]
    first = np.concatenate([[True], parent[1:] != parent[:-1]])
    turn = turn - np.maximum.accumulate(np.where(first, turn, 0))
    return able[turn < np.round(np.abs(missing[parent]))]


def round_averages(
    tree: GoalTree,
    values: np.ndarray,
    amounts: np.ndarray,
    *,
    weights: np.ndarray,
    asked: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Round ratios so that weighted averages come as near to what is asked as whole smallest units allow.

    Within each unit that is asked for an average, figures are cut off, then raised in order of what was cut off for as
    long as that brings the average nearer (largest remainder with weights). An average so misses what is asked by less
    than half a smallest unit: it is equal to it as displayed.

    Parameters
    ----------
    tree : GoalTree
    values : np.ndarray
        (U,) in smallest units.
    amounts : np.ndarray
        (N,) value times weight that each unit is to come to.
    weights : np.ndarray
        (U,) denominators.
    asked : np.ndarray
        (N,) bool: units whose average is to be met.
    low, high : np.ndarray
        (U,) whole numbers.

    Returns
    -------
    np.ndarray
        (U,) whole numbers.
    """
    mine = np.full(tree.leaves, -1)
    for path in tree.paths:
        mine = np.where((path >= tree.leaves) & asked[path], path, mine)
    whole = np.clip(np.where(mine >= 0, np.floor(values + TINY), np.round(values)), low, high)
    for depth in range(len(tree.levels) - 1, -1, -1):
        here = np.flatnonzero((mine >= 0) & (tree.depth[mine] == depth))
        here = here[(values[here] - whole[here] > TINY) & (whole[here] + 1 <= high[here])]
        if not len(here):
            continue
        order = here[np.lexsort((tree.rank[here], -weights[here], whole[here] - values[here], mine[here]))]
        missing = amounts - tree.add_up(whole * weights)[0]
        run = np.cumsum(weights[order])
        first = np.concatenate([[True], mine[order][1:] != mine[order][:-1]])
        before = np.maximum.accumulate(np.where(first, run - weights[order], 0.0))
        raised = run - before - weights[order] / 2 <= missing[mine[order]]
        whole[order[raised]] += 1
    return whole
