"""The result of one gate, and what past origins show of one indicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

BASELINE = "pooled growth"

# Of outcomes inside the band that promises 80%. On the public panels that the recipe was chosen on, the methods to be
# refused covered 59 to 64%, pooled growth 75.5% and the recipe 81.5%; above 95% a band is too wide to steer by.
COVERAGE_LIMITS = (0.65, 0.95)

# Units share the shock of their year, so coverage is measured on origins rather than on outcomes: below three, one odd
# year decides. Below thirty outcomes the sampling error of a coverage of 0.8 passes 7 points, half the room it has.
FEWEST_ORIGINS = 3
FEWEST_OUTCOMES = 30

Effect = Literal["block", "sign_off"]

NAMED_AT_MOST = 5
"""Indicators in a sentence."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The result of one check.

    Attributes
    ----------
    name : str
    passed : bool
    measured : float or None
        The worst figure found; None where there was nothing to measure.
    threshold : tuple of float
        One limit, or the lowest and the highest allowed.
    text : Mapping[str, str]
        The finding as a sentence, by language (`en`, `zh`).
    effect : str
        What a failure means: `block`, or `sign_off` where a person may sign for it.
    """

    name: str
    passed: bool
    measured: float | None
    threshold: tuple[float, ...]
    text: Mapping[str, str]
    effect: Effect = "block"

    def as_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON."""
        return {**asdict(self), "threshold": list(self.threshold), "text": dict(self.text)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Gate:
        """Read what `as_dict` gave."""
        threshold, effect = tuple(plain["threshold"]), plain.get("effect", "block")
        return cls(plain["name"], plain["passed"], plain["measured"], threshold, dict(plain["text"]), effect)


@dataclass(frozen=True, slots=True)
class IndicatorEvidence:
    """What the backtest shows of one indicator.

    Attributes
    ----------
    indicator : str
    origins, outcomes : int
        Years forecast from, and outcomes compared over all of them.
    loss_ratio : float
        Pinball loss over that of the baseline; NaN where there was no backtest.
    coverage : float
        Share of outcomes inside the 80% band; NaN where there was none.
    fallback : bool
        The baseline is served instead of the challenger.
    low_evidence : bool
        Its suggestions are marked as resting on little evidence: see `COVERAGE_LIMITS`, `FEWEST_ORIGINS` and
        `FEWEST_OUTCOMES`.
    """

    indicator: str
    origins: int
    outcomes: int
    loss_ratio: float
    coverage: float
    fallback: bool
    low_evidence: bool


def some(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are.

    >>> some(["A", "B", "C", "D", "E", "F", "G"])
    'A, B, C, D, E (+2)'
    """
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" (+{more})" if more > 0 else "")
