"""What a score is compared with: the same rows with other figures, under the same policy, targets and definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.scoring.facts import Facts
from models.scoring.gaps import Against

YEAR = 12
"""Months."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The facts of N rows with the figures that they are compared with.

    Attributes
    ----------
    against : {"target", "last_year", "peers"}
    facts : Facts
        A figure that has nothing to be compared with stands as it is, so that it makes no difference.
    compared : Mapping[str, np.ndarray]
        (N,) bool by indicator: where there is a figure to compare with.
    """

    against: Against
    facts: Facts
    compared: Mapping[str, np.ndarray]


def reference_of(facts: Facts, against: Against) -> Reference:
    """Put the figures to compare with in place of those assessed.

    Raises
    ------
    KeyError
        Where `against` is none of the three.
    """
    made = {"target": against_target, "last_year": against_last_year, "peers": against_peers}
    return made[against](facts)


def against_target(facts: Facts) -> Reference:
    """Compare with every target attained exactly (较目标); indicators without a target stand as they are."""
    return _put(facts, "target")


def against_last_year(facts: Facts) -> Reference:
    """Compare with last year's figures on the same basis, under the present policy and targets (较去年同口径).

    What looks at the change on the year sees none there. Protection is as it was a year ago; a unit that is younger is
    protected as it is now.
    """
    found = _put(facts, "last_year")
    opened, moved = facts.opened, facts.moved
    if opened is not None:
        opened = np.where(opened >= YEAR, opened - YEAR, opened)
    if moved is not None:
        moved = np.where(moved >= YEAR, moved - YEAR, np.inf)
    return replace(found, facts=replace(found.facts, opened=opened, moved=moved))


def against_peers(facts: Facts) -> Reference:
    """Compare with the median of the peers (较同组); where fewer than five have a figure there is no comparison."""
    return _put(facts, "peers")


def _put(facts: Facts, kind: Against) -> Reference:
    actual, compared = {}, {}
    for code, figure in facts.actual.items():
        other = facts.of(kind, code)
        compared[code] = np.isfinite(figure) & np.isfinite(other)
        actual[code] = np.where(compared[code], other, figure)
    return Reference(kind, facts.with_actual(actual), compared)
