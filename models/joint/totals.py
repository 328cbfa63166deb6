"""Distributions of totals: the joint draws of the units below, added up."""

from __future__ import annotations

import numpy as np

from features.units import UnitTree
from models.joint.drawn import DrawnDistribution
from models.joint.draws import JointDraws, membership
from models.levels import Level
from models.outcome.distribution import TargetDistribution

__all__ = ["DrawnDistribution", "covers", "total_distribution"]


def total_distribution(
    level: Level, parts: Level, below: TargetDistribution, tree: UnitTree, *, ordinal: int, seed: int
) -> DrawnDistribution:
    """Add up the joint draws of the units below each unit of a level; averages by weight for ratios and levels.

    Parameters
    ----------
    level, parts : Level
        Of one indicator; `parts` are the units that are added up.
    below : TargetDistribution
        Of the parts.
    tree : UnitTree
    ordinal : int
        Period whose tree counts.
    seed : int
    """
    joint = JointDraws.of(parts, below, tree, ordinal=ordinal, seed=seed)
    return joint.distribution(membership(level.numbers, parts.numbers, tree, ordinal=ordinal))


def covers(parts: Level, leaves: Level, tree: UnitTree, *, ordinal: int) -> bool:
    """Tell whether every leaf with figures is one of the parts or below one of them."""
    parents = tree.parents(ordinal)
    inside = np.zeros(len(tree), dtype=bool)
    inside[parts.numbers] = True
    above = leaves.numbers[np.isfinite(leaves.problem.base[-1])]
    found = inside[above]
    while (climbing := (above >= 0) & ~found).any():
        above = np.where(climbing, parents[above], above)
        found |= (above >= 0) & inside[above]
    return bool(found.all())
