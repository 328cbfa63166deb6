"""Trees of goals that tests of plans share: a group of regions of areas of branches, over any distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
from target_problems import make_problem

from models.goals.goal_tree import GoalTree
from models.outcome.baselines import pooled_growth
from models.outcome.distribution import TargetDistribution


def distribution_of(kind: str = "log", **size: int) -> TargetDistribution:
    """Give a distribution of units u000, u001, ... on a kind of scale."""
    problem = make_problem(kind, **size)
    return pooled_growth(problem).predict(problem)


def tree_of(units: pd.Index, *, regions: int = 3, areas: int = 2) -> GoalTree:
    """Put units under areas under regions under a group "HQ"; the last unit hangs directly below the group."""
    count = len(units)
    labels, parent = [str(unit) for unit in units], np.full(count + regions * (areas + 1) + 1, -1)
    group = count + regions * (areas + 1)
    for region in range(regions):
        place = count + region * (areas + 1)
        labels.append(f"R{region}")
        parent[place] = group
        for area in range(areas):
            labels.append(f"R{region}-A{area}")
            parent[place + 1 + area] = place
    for unit in range(count - 1):
        parent[unit] = count + (unit % regions) * (areas + 1) + 1 + (unit // regions) % areas
    parent[count - 1] = group
    return GoalTree(pd.Index([*labels, "HQ"], dtype=object), parent, count)
