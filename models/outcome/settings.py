"""The knobs of the target model that may be tuned, and the values that serve unless tuning shows better ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from features.errors import LoadlineError


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How much boosted trees may learn.

    Attributes
    ----------
    leaves : int
        Of a tree.
    least_rows : int
        Fewest rows of a leaf.
    trees : int
    rate : float
        Part of what a tree says that is taken.
    l2 : float
        Draws the leaves to zero, in rows.
    """

    leaves: int
    least_rows: int
    trees: int
    rate: float = 0.03
    l2: float = 5.0

    @property
    def shape(self) -> dict[str, Any]:
        """Give LightGBM's parameters; the number of trees is not among them."""
        return {
            "num_leaves": self.leaves,
            "min_child_samples": self.least_rows,
            "learning_rate": self.rate,
            "lambda_l2": self.l2,
        }


OWN_TREES = TreeSettings(leaves=4, least_rows=20, trees=80)
"""Of a single indicator: small, strongly regularised (modelling brief, "Targets", 2)."""

SHARED_TREES = TreeSettings(leaves=8, least_rows=40, trees=120)
"""Of all indicators together, which have several times the rows: trees twice the size, and half as many again. Against
the shape of a single indicator's trees the loss fell by 0.1% on tuned panels and by 0.4% on others."""

RIDGE_PENALTY = 100.0
"""On standardised features, in observations. A small panel has 100 to 300 rows, and its coefficients are mostly noise:
a penalty of 100 against 10 took 0.6% off the loss on tuned and on other panels; above 10,000 rows it does nothing."""

KEPT = 0.7
"""Share of the predicted relative growth that is kept. The brief's half was measured without mean reversion among the
features; with it 0.5 to 1.0 differ by less than 0.4%, and 0.7 to 0.8 was best."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """The knobs of relative growth; the same for all indicators and levels of a dataset.

    Attributes
    ----------
    kept : float
        Share of the predicted relative growth that is kept.
    ridge_penalty : float
        Of the ridge regression of an indicator, in observations.
    own : TreeSettings
        Trees of a single indicator.
    shared : TreeSettings
        Trees of all indicators of a level together.
    """

    kept: float = KEPT
    ridge_penalty: float = RIDGE_PENALTY
    own: TreeSettings = OWN_TREES
    shared: TreeSettings = SHARED_TREES

    def as_dict(self) -> dict[str, Any]:
        """Give the settings as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TargetSettings:
        """Read what `as_dict` gave.

        Raises
        ------
        LoadlineError
            Where knobs are missing or unknown.
        """
        try:
            own, shared = TreeSettings(**plain["own"]), TreeSettings(**plain["shared"])
            return cls(**{**plain, "own": own, "shared": shared})
        except (KeyError, TypeError):
            hint = "They were saved by another version: train the model again."
            raise LoadlineError("the settings of a target model cannot be read", hint=hint) from None

    def with_knobs(self, knobs: Mapping[str, int | float]) -> TargetSettings:
        """Change some knobs, by names such as `kept` or `own.leaves`."""
        plain = {name: value for name, value in knobs.items() if "." not in name}
        found = replace(self, **plain)
        for part in ("own", "shared"):
            inner = {name.split(".")[1]: value for name, value in knobs.items() if name.startswith(f"{part}.")}
            found = replace(found, **{part: replace(getattr(found, part), **inner)})
        return found


DEFAULT = TargetSettings()
"""What serves unless tuning shows better."""
