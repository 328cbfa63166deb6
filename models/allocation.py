"""Breaking a group's goal down at equal difficulty: one probability of attaining for all units that are not pinned.

Allocating by each unit's own trend makes those that grew most the least likely to attain (the ratchet); asking each for
the value it attains with the same probability does not. Amounts add up exactly; ratios through their denominators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from models.distribution import TargetDistribution

EASIEST, HARDEST = 0.999, 0.001
"""Beyond these probabilities of attaining the distribution claims too little to set a target by."""

HALVINGS = 60
"""Of the interval of probabilities: to the last bits of a double."""


@dataclass(frozen=True)
class Constraints:
    """What a person or a policy has fixed, by unit label.

    Attributes
    ----------
    pins : mapping of str to float
        Values that must be kept.
    floors, caps : mapping of str to float
        Values not to go below or above.
    """

    pins: Mapping[str, float] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Allocation:
    """A goal broken down.

    Attributes
    ----------
    units : pd.Index
    values : tuple of Decimal
        One for each unit, in whole smallest units.
    probability : float
        Of attaining, the same for every unit that is not held by a pin, floor or cap; NaN where all are pinned.
    attain : np.ndarray
        (U,) probability of attaining each value.
    held : tuple of str
        "pin", "floor", "cap" or "" for each unit.
    """

    units: pd.Index
    values: tuple[Decimal, ...]
    probability: float
    attain: np.ndarray
    held: tuple[str, ...]


def allocate(
    distribution: TargetDistribution,
    goal: float | Decimal,
    *,
    constraints: Constraints | None = None,
    weights: np.ndarray | None = None,
) -> Allocation:
    """Find the one probability at which the units' values add up to the goal.

    Parameters
    ----------
    distribution : TargetDistribution
        Of the units among which the goal is divided.
    goal : float or Decimal
        The sum for amounts, the weighted mean for ratios and levels, in the indicator's unit.
    constraints : Constraints, optional
    weights : np.ndarray, optional
        (U,) denominators, for ratios and levels; all equal where not given. Not for amounts.

    Returns
    -------
    Allocation
        For amounts the values add up to the goal exactly; for ratios the weighted mean is within the smallest unit.

    Raises
    ------
    LoadlineError
        Where the goal cannot be met, saying by how much; where a unit is unknown or has no distribution and no pin.
    """
    task = _Task.of(distribution, Decimal(str(goal)), constraints or Constraints(), weights)
    probability = task.solve()
    steps = task.whole(task.exact(probability))
    values = tuple(Decimal(int(step)) * task.step for step in steps)
    attain = distribution.attain(np.array([float(value) for value in values]))
    return Allocation(distribution.units, values, probability, attain, task.held(steps))


@dataclass(frozen=True)
class _Task:
    """The problem in whole smallest units: `low` and `high` are the values allowed, equal where pinned."""

    distribution: TargetDistribution
    step: Decimal
    goal: Decimal
    low: np.ndarray
    high: np.ndarray
    pinned: np.ndarray
    weights: np.ndarray
    summed: bool

    @classmethod
    def of(
        cls, distribution: TargetDistribution, goal: Decimal, constraints: Constraints, weights: np.ndarray | None
    ) -> _Task:
        indicator = distribution.indicator
        summed = indicator.kind in ("flow", "stock")
        step = Decimal(1).scaleb(round(np.log10(indicator.smallest_unit)))
        where = indicator.code
        if summed and weights is not None:
            raise LoadlineError("an amount adds up without weights", where=where, hint="Leave the weights out.")
        if summed and goal % step:
            raise LoadlineError(f"the goal {goal} is finer than {step}", where=where, hint=f"Round it to {step}.")
        count = len(distribution.units)
        share = np.ones(count) if weights is None else np.asarray(weights, dtype=float)
        if share.shape != (count,) or not np.all(np.isfinite(share)) or np.any(share < 0) or not share.sum() > 0:
            raise LoadlineError("weights must be one figure of zero or more for each unit, not all zero", where=where)
        bottom, top = indicator.limits
        low = np.full(count, np.ceil(_steps(bottom, step)))
        high = np.full(count, np.floor(_steps(top, step)))
        pinned = np.zeros(count, dtype=bool)
        for name, given in (("floor", constraints.floors), ("cap", constraints.caps), ("pin", constraints.pins)):
            for unit, value in given.items():
                place = _place(distribution.units, unit, where)
                exact = Decimal(str(value)) / step
                if name == "pin" and exact % 1:
                    raise LoadlineError(f"the pin {value} of {unit} is finer than {step}", where=where)
                if name == "pin" and not bottom <= float(value) <= top:
                    raise LoadlineError(f"the pin {value} of {unit} is outside the bounds", where=where)
                if name in ("floor", "pin"):
                    low[place] = np.ceil(float(exact)) if name == "floor" else float(exact)
                if name in ("cap", "pin"):
                    high[place] = np.floor(float(exact)) if name == "cap" else float(exact)
                pinned[place] |= name == "pin"
        if np.any(low > high):
            unit = distribution.units[int(np.argmax(low > high))]
            raise LoadlineError(f"the floor of {unit} is above its cap or bound", where=where)
        unknown = ~distribution.known & ~pinned
        if unknown.any():
            named = ", ".join(map(str, distribution.units[unknown][:5]))
            raise LoadlineError(
                f"{int(unknown.sum())} units have no distribution: {named}",
                where=where,
                hint="Pin them or leave them out.",
            )
        return cls(distribution, step, goal, low, high, pinned, share if summed else share / share.sum(), summed)

    def exact(self, probability: float) -> np.ndarray:
        """Give the units' values at a probability, within what is allowed, in smallest units."""
        wanted = self.distribution.value_at(probability) / float(self.step) if np.isfinite(probability) else self.low
        return np.clip(np.where(self.pinned, self.low, wanted), self.low, self.high)

    def total(self, values: np.ndarray) -> float:
        """Add up, or average for ratios, in smallest units."""
        return float(np.sum(self.weights * values))

    def solve(self) -> float:
        """Find the probability; NaN where every unit is pinned."""
        goal = float(self.goal / self.step)
        slack = 0.5 if self.summed else 1.0
        if self.pinned.all():
            if abs(self.total(self.low) - goal) > (0 if self.summed else slack):
                self._refuse(self.total(self.low) - goal, "every unit is pinned, and the pins miss the goal")
            return float("nan")
        easy, hard = self.total(self.exact(EASIEST)), self.total(self.exact(HARDEST))
        smallest, largest = min(easy, hard), max(easy, hard)
        if goal > largest + slack:
            self._refuse(largest - goal, "the goal is beyond what the units can reach")
        if goal < smallest - slack:
            fixed = self.total(np.where(self.pinned, self.low, 0.0))
            pinned = self.summed and fixed > goal and smallest >= fixed
            self._refuse(
                smallest - goal, "the pins exceed the goal" if pinned else "the goal is under the least possible"
            )
        low, high = HARDEST, EASIEST
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            too_hard = (self.total(self.exact(middle)) > goal) == (hard >= easy)
            low, high = (middle, high) if too_hard else (low, middle)
        return (low + high) / 2

    def whole(self, values: np.ndarray) -> np.ndarray:
        """Round to whole smallest units by largest remainder, so that the sum is the goal; pins are not touched."""
        steps = np.clip(np.floor(values), self.low, self.high)
        if not self.summed:
            return np.clip(np.round(values), self.low, self.high)
        missing = int(self.goal / self.step) - sum(int(step) for step in steps)
        order = np.argsort(-(values - steps), kind="stable")
        while missing:
            move = 1 if missing > 0 else -1
            room = [
                place for place in (order if move > 0 else order[::-1]) if self._room(float(steps[place]), place, move)
            ]
            if not room:
                self._refuse(float(-missing), "floors, caps and pins leave no room for the last of the goal")
            for place in room[: abs(missing)]:
                steps[place] += move
            missing -= move * min(len(room), abs(missing))
        return steps

    def held(self, steps: np.ndarray) -> tuple[str, ...]:
        """Name what holds each unit."""
        at = np.where(self.pinned, "pin", np.where(steps <= self.low, "floor", np.where(steps >= self.high, "cap", "")))
        return tuple(str(name) for name in at)

    def _room(self, step: float, place: int, move: int) -> bool:
        return not self.pinned[place] and self.low[place] <= step + move <= self.high[place]

    def _refuse(self, off: float, why: str) -> None:
        by = (Decimal(str(abs(off))) * self.step).quantize(self.step, rounding=ROUND_HALF_EVEN)
        unit, over = self.distribution.indicator.unit, "too much" if off > 0 else "too little"
        move = "Raise" if off > 0 else "Lower"
        raise LoadlineError(
            f"{why}: {by} {unit} {over}",
            where=self.distribution.indicator.code,
            hint=f"{move} the goal by {by} {unit}, or loosen pins, floors or caps by as much.",
        )


def _steps(value: float, step: Decimal) -> float:
    return value if not np.isfinite(value) else float(Decimal(str(value)) / step)


def _place(units: pd.Index, unit: str, where: str) -> int:
    if unit not in units:
        raise LoadlineError(f"no unit is called {unit!r} here", where=where, hint="Use the labels of the leaves.")
    return int(units.get_indexer(pd.Index([unit]))[0])
