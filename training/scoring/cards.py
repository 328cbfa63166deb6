"""Which unit is on which scorecard of a policy."""

from __future__ import annotations

import numpy as np

from features.units import UnitTree
from models.policy.checks.units import selected
from models.policy.document import Policy

UNCOVERED, NOT_SCORED = -1, -2
"""In place of a scorecard's number: no scorecard is for the unit; the policy says that it is not scored."""


def cards_of(policy: Policy, tree: UnitTree) -> np.ndarray:
    """Give each unit's scorecard: (U,) numbers in the policy, `UNCOVERED` or `NOT_SCORED`.

    The validator sees to it that no unit is on two; of an unchecked policy the first counts.
    """
    found, units = np.full(len(tree), UNCOVERED), tree.attributes
    for number in range(len(policy.scorecards) - 1, -1, -1):
        found[selected(policy.scorecards[number].applies_to, units)] = number
    for selector in policy.not_scored:
        found[selected(selector, units)] = NOT_SCORED
    return found
