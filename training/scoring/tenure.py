"""How long a unit has been there, and how long under its present parent: what protection periods count from."""

from __future__ import annotations

import numpy as np

from features.units import ALWAYS, UnitTree

MONTHS_OF_YEAR = 12


def months_since(tree: UnitTree, ordinal: int) -> tuple[np.ndarray, np.ndarray]:
    """Count the months since each unit was opened, and since it came to its present parent.

    Days within a period are not known, so the period in which it happened counts as none, to the unit's advantage: with
    six months of protection a unit opened in January is protected until June.

    Returns
    -------
    opened, moved : np.ndarray
        (U,) months; inf where a unit has always been there, or never moved, and for units that do not exist then.
    """
    months = MONTHS_OF_YEAR // tree.calendar.per_year
    unit, parent, first, last = (tree.spells[name].to_numpy() for name in ("unit", "parent", "first", "last"))
    past = np.flatnonzero(first <= ordinal)
    past = past[np.lexsort((first[past], unit[past]))]
    unit, parent, first, last = unit[past], parent[past], first[past], last[past]
    opened, moved = np.full(len(tree), np.inf), np.full(len(tree), np.inf)
    begins = np.diff(unit, prepend=-1) != 0
    known = begins & (first != ALWAYS)
    opened[unit[known]] = (ordinal - first[known]) * months
    came = ~begins & (parent != np.roll(parent, 1))
    moved[unit[came]] = (ordinal - first[came]) * months  # in order of time: the latest stays
    gone = ~tree.valid(ordinal)
    opened[gone] = moved[gone] = np.inf
    return opened, moved
