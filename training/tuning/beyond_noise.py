"""Whether one setting did better than another beyond noise: paired over the units and over the times judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

CERTAINTY = 0.9
"""One chance in ten, at most, of taking settings that are no better. What is at stake is small either way, and with two
to four times to judge by a stricter test would never let anything pass."""
FEWEST_TIMES = 2
"""With a single time there is nothing to tell its luck by."""
LEAST_GAIN = 0.002
"""Part of the loss that other settings must save: less is not worth explaining other settings to a reviewer."""


@dataclass(frozen=True, eq=False)
class Cell:
    """Losses of the same rows under both settings.

    Attributes
    ----------
    time : int
        When: cells of one time share its luck.
    units : np.ndarray
        (n,) whose rows they are: rows of one unit, in whatever cell, share its luck.
    usual, other : np.ndarray
        (n,) finite losses.
    weight : np.ndarray or None
        (n,) what each row counts; all alike where not given.
    """

    time: int
    units: np.ndarray
    usual: np.ndarray
    other: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Gain:
    """What the other setting saves.

    Attributes
    ----------
    gain : float
        Part of the usual setting's loss, averaged over cells and then over times; NaN where nothing was judged.
    error_of_times, error_of_units : float
        Standard errors by resampling times and by resampling units; NaN where there are too few.
    times : int
    better : bool
        Whether it saves enough, and is above zero by both errors.
    """

    gain: float
    error_of_times: float
    error_of_units: float
    times: int
    better: bool

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON; what is not known is None."""
        known = {name: getattr(self, name) for name in ("gain", "error_of_times", "error_of_units")}
        plain = {name: value if math.isfinite(value) else None for name, value in known.items()}
        return plain | {"times": self.times, "better": self.better}


def paired(cells: Sequence[Cell]) -> Gain:
    """Hold two settings against each other.

    Notes
    -----
    Times have one vote each. Their mean is tested by Student's t with one degree of freedom less than there are times,
    so that two times must agree closely: with two the mean must be three standard errors above zero, with four 1.6. The
    error over units is the cluster-robust one of the same mean (Liang and Zeger 1986), tested by the normal quantile.
    """
    cells = [cell for cell in cells if len(cell.units) and _mean(cell, cell.usual) > 0]
    times = sorted({cell.time for cell in cells})
    if not times:
        return Gain(math.nan, math.nan, math.nan, 0, better=False)
    share = {time: 1.0 / (len(times) * sum(cell.time == time for cell in cells)) for time in times}
    gains = np.array([1.0 - _mean(cell, cell.other) / _mean(cell, cell.usual) for cell in cells])
    of_time = np.array([gains[[cell.time == time for cell in cells]].mean() for time in times])
    gain = float(of_time.mean())
    influence: dict[Any, float] = {}
    for cell, one in zip(cells, gains, strict=True):
        weight = _weight(cell)
        apart = weight * ((cell.usual - cell.other) - one * cell.usual) / _mean(cell, cell.usual)
        for unit, value in zip(cell.units.tolist(), (share[cell.time] * apart).tolist(), strict=True):
            influence[unit] = influence.get(unit, 0.0) + value
    of_units = math.sqrt(sum(value**2 for value in influence.values())) if len(influence) > 1 else math.nan
    count = len(times)
    if count < FEWEST_TIMES:
        return Gain(gain, math.nan, of_units, count, better=False)
    of_times = float(of_time.std(ddof=1)) / math.sqrt(count)
    sure = gain > float(stdtrit(count - 1, CERTAINTY)) * of_times and gain > float(stdtrit(1e6, CERTAINTY)) * of_units
    return Gain(gain, of_times, of_units, count, better=bool(sure and gain >= LEAST_GAIN))


def _weight(cell: Cell) -> np.ndarray:
    weight = np.ones(len(cell.units)) if cell.weight is None else cell.weight
    return weight / weight.sum()


def _mean(cell: Cell, loss: np.ndarray) -> float:
    return float(_weight(cell) @ loss)
