"""What a person or a policy has fixed before a goal is broken down, by unit label and never by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

import numpy as np

from features.errors import LoadlineError
from features.indicators import Indicator
from models.goals.goal_tree import GoalTree

Number = float | Decimal
Side = Literal["floor", "cap"]

RISK, RATCHET = "risk ceiling", "ratchet cap"
"""Why a unit is held where no person has set a floor or cap."""

LARGEST = 2.0**53
"""Whole smallest units beyond this are no longer exact in double precision (90 trillion in cents)."""


@dataclass(frozen=True)
class Constraints:
    """What is fixed, for leaves and for units above them alike.

    Attributes
    ----------
    pins : mapping of str to float or Decimal
        Values that must be kept. A pin of a unit that has others below it is a goal for these.
    floors, caps : mapping of str to float or Decimal
        Values not to go below or above.
    reasons : mapping of (str, str) to str
        By unit and side (`floor` or `cap`): why, where it is not simply a floor or cap that a person has set.
    """

    pins: Mapping[str, Number] = field(default_factory=dict)
    floors: Mapping[str, Number] = field(default_factory=dict)
    caps: Mapping[str, Number] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def tightened(self, side: Side, values: Mapping[str, Number], *, reason: str) -> Constraints:
        """Add floors or caps where they are tighter than what is there; pinned units are left alone."""
        current = dict(self.floors if side == "floor" else self.caps)
        reasons = dict(self.reasons)
        for unit, value in values.items():
            if unit in self.pins:
                continue
            there = current.get(unit)
            looser = there is None or (value > there if side == "floor" else value < there)
            if looser:
                current[unit] = value
                reasons[unit, side] = reason
        changed = {"floors": current} if side == "floor" else {"caps": current}
        return replace(self, reasons=reasons, **changed)

    def moved(self, unit: str, kind: str, value: Number) -> Constraints:
        """Give the same with one pin, floor or cap at another value."""
        name = {"pin": "pins", "floor": "floors"}.get(kind, "caps")
        return replace(self, **{name: {**getattr(self, name), unit: value}})

    @property
    def units(self) -> set[str]:
        """List every unit that something is said of."""
        return {*self.pins, *self.floors, *self.caps}


@dataclass(frozen=True, eq=False)
class Bounds:
    """Constraints as arrays over a tree, in whole smallest units of the value.

    Attributes
    ----------
    low, high : np.ndarray
        (N,) values allowed, equal where pinned; infinite where nothing is said.
    pinned : np.ndarray
        (N,) booleans.
    low_why, high_why : np.ndarray
        (N,) "floor", "cap", a reason given with the constraint, or "" where nobody has set the bound.
    """

    low: np.ndarray
    high: np.ndarray
    pinned: np.ndarray
    low_why: np.ndarray
    high_why: np.ndarray

    @classmethod
    def of(cls, constraints: Constraints, tree: GoalTree, indicator: Indicator, *, step: Decimal) -> Bounds:
        """Lay constraints over a tree.

        Raises
        ------
        LoadlineError
            Where a unit is unknown, a value is outside the indicator's bounds or finer than can be stated, or two
            constraints of one unit contradict each other.
        """
        bottom, top = indicator.limits
        count, where = len(tree.units), indicator.code
        low, high = np.full(count, -np.inf), np.full(count, np.inf)
        averaged = indicator.kind in ("ratio", "level")
        ends = count if averaged else tree.leaves  # a sum of bounded amounts is not bounded by the same figure
        low[:ends] = -np.inf if np.isinf(bottom) else float((Decimal(str(bottom)) / step).to_integral(ROUND_CEILING))
        high[:ends] = np.inf if np.isinf(top) else float((Decimal(str(top)) / step).to_integral(ROUND_FLOOR))
        low_why, high_why = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
        pinned = np.zeros(count, dtype=bool)
        for name, given in (("floor", constraints.floors), ("cap", constraints.caps)):
            side, why = (low, low_why) if name == "floor" else (high, high_why)
            for unit, value in given.items():
                place = tree.position(str(unit), where=where)
                reason = constraints.reasons.get((unit, name), name)
                exact = _in_steps(value, step, f"the {reason} of {unit}", where)
                whole = float(exact.to_integral(ROUND_CEILING if name == "floor" else ROUND_FLOOR))
                if (whole >= side[place]) if name == "floor" else (whole <= side[place]):
                    side[place], why[place] = whole, reason
        for unit, value in constraints.pins.items():
            place = tree.position(str(unit), where=where)
            _check_pin(tree, place, value, indicator, step, averaged)
            exact = float(_in_steps(value, step, f"the pin of {unit}", where))
            _check_against_pin(tree, place, exact, (low, high), (low_why, high_why), step, where)
            low[place] = high[place] = exact
            low_why[place] = high_why[place] = "pin"
            pinned[place] = True
        if np.any(low > high):
            place = int(np.argmax(low > high))
            floor, cap = (Decimal(side[place]) * step for side in (low, high))
            raise LoadlineError(
                f"the {low_why[place] or 'lower bound'} of {tree.shown(place)}, {floor}, "
                f"is above its {high_why[place] or 'upper bound'}, {cap}",
                where=where,
                hint="Change one of the two.",
            )
        return cls(low, high, pinned, low_why, high_why)


def _check_pin(tree: GoalTree, place: int, value: Number, indicator: Indicator, step: Decimal, averaged: bool) -> None:
    unit, where = tree.units[place], indicator.code
    named = f"the pin {value} of {unit}" if unit else f"the goal {value}"
    inner = place >= tree.leaves
    bottom, top = indicator.limits
    exact = _in_steps(value, step, named, where)
    # An average may be asked more finely than single values are stated: it is met to the step.
    if exact % 1 and not (averaged and inner):
        raise LoadlineError(f"{named} is finer than {step}", where=where, hint=f"Round it to {step}.")
    if (averaged or not inner) and not bottom <= float(value) <= top:
        raise LoadlineError(
            f"{named} is outside the bounds {bottom:g} to {top:g}", where=where, hint="Correct it, or the bounds."
        )


def _check_against_pin(
    tree: GoalTree,
    place: int,
    pin: float,
    ends: tuple[np.ndarray, np.ndarray],
    why: tuple[np.ndarray, np.ndarray],
    step: Decimal,
    where: str,
) -> None:
    for end, reason, broken in (
        (ends[0], why[0], pin < ends[0][place]),
        (ends[1], why[1], pin > ends[1][place]),
    ):
        if broken and reason[place]:
            raise LoadlineError(
                f"the pin of {tree.shown(place)}, {Decimal(pin) * step}, and its {reason[place]}, "
                f"{Decimal(end[place]) * step}, contradict each other",
                where=where,
                hint="Change one of the two.",
            )


def _in_steps(value: Number, step: Decimal, named: str, where: str) -> Decimal:
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise LoadlineError(f"{named} is no finite number", where=where, hint="Leave it out, or give a number.")
    steps = exact / step
    if abs(steps) > LARGEST:
        raise LoadlineError(
            f"{named} is too large to be exact to {step}",
            where=where,
            hint="State the indicator in larger units, or give it fewer decimals.",
        )
    return steps
