"""The knobs of the warning model that may be tuned, and the values that serve unless tuning shows better ones.

How long to learn and how much to hold back is found anew wherever the model is fitted (`models.deterioration.contest`);
these are what stays the same throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from features.errors import LoadlineError


@dataclass(frozen=True, slots=True)
class WarningSettings:
    """The knobs of the trees.

    Attributes
    ----------
    rate : float
        Part of what a boosted tree says that is taken.
    leaves : float
        Factor on the leaves of a boosted tree, whose number follows from the positives.
    least_rows : int
        Fewest rows of a leaf of a boosted tree.
    l2 : float
        Draws the leaves of boosted trees to zero, in rows.
    columns : float
        Share of the columns that a boosted tree sees.
    forest_leaf : float
        Factor on the fewest rows of a leaf of the random trees.
    """

    rate: float = 0.05
    leaves: float = 1.0
    least_rows: int = 20
    l2: float = 5.0
    columns: float = 0.4
    forest_leaf: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """Give the settings as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> WarningSettings:
        """Read what `as_dict` gave.

        Raises
        ------
        LoadlineError
            Where knobs are unknown or missing.
        """
        if set(plain) != set(cls.__dataclass_fields__):
            hint = "They were saved by another version: train the model again."
            raise LoadlineError("the settings of a warning model cannot be read", hint=hint)
        return cls(**plain)

    def with_knobs(self, knobs: Mapping[str, Any]) -> WarningSettings:
        """Change some knobs, by name."""
        return replace(self, **knobs)


DEFAULT = WarningSettings()
"""What serves unless tuning shows better."""
