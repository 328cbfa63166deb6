"""What a target policy decides: the three levels, what may be calibrated in the year, caps on ratchet and growth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from features.errors import LoadlineError
from models.outcome.distribution import TargetLevels

Measure = Literal["count", "size"]
"""How much of a plan is calibrated: by the number of its targets, or by how far they are moved."""


@dataclass(frozen=True)
class CalibrationLimits:
    """What a quarterly calibration (季度校准) may change. Practice names 10 to 20% of the results that are not core.

    Attributes
    ----------
    least, most : float
        Shares of the non-core targets: a proposal of less is not worth a calibration, more is not allowed.
    by : {"count", "size"}
        `count`: the share of non-core targets that move. `size`: how far each may move, as a share of its value.

    Raises
    ------
    LoadlineError
        Where the shares are not 0 <= least <= most <= 1.
    """

    least: float = 0.10
    most: float = 0.20
    by: Measure = "count"

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= 1:
            raise LoadlineError(
                f"calibration limits {self.least} to {self.most} are no range of shares", hint="Write 0.10 and 0.20."
            )


@dataclass(frozen=True)
class TargetPolicy:
    """The rules under which targets are set.

    Attributes
    ----------
    version : str
        Given with every result.
    levels : TargetLevels
        Probabilities of floor, target and stretch.
    calibration : CalibrationLimits
    ratchet_cap : float
        The largest share of last year's out-performance that may be passed on into this year's target (鞭打快牛).
    flagged_attain : float
        A unit flagged for risk gets no target harder than the value it attains with this probability: it is asked for
        no growth beyond what it would as likely as not bring by itself.

    Raises
    ------
    LoadlineError
        Where a share or probability is out of range.
    """

    version: str = "default-1"
    levels: TargetLevels = field(default_factory=TargetLevels)
    calibration: CalibrationLimits = field(default_factory=CalibrationLimits)
    ratchet_cap: float = 0.5
    flagged_attain: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.ratchet_cap <= 1 or not 0 < self.flagged_attain < 1:
            raise LoadlineError(
                f"ratchet cap {self.ratchet_cap} or probability for flagged units {self.flagged_attain} out of range",
                hint="Both are shares between 0 and 1.",
            )


DEFAULT_POLICY = TargetPolicy()
"""Stands in where no policy is active."""
