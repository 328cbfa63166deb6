"""What the levels of a line may be: in their order, inside the indicator's bounds, in whole steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from features.errors import LoadlineError
from features.indicators import Indicator
from serving.errors import InvalidError
from serving.plans.curve import hardness
from serving.plans.plan import LEVELS, Line

Levels = dict[str, float | None]


def levels_with(line: Line, indicator: Indicator, given: Mapping[str, float | None]) -> Levels:
    """Put given levels in the place of a line's; floor and stretch follow where a given target crosses them.

    Parameters
    ----------
    line : Line
    indicator : Indicator
    given : mapping
        Some of `floor, target, stretch`; None for those that nothing is said of.

    Raises
    ------
    InvalidError
        Where a value is no number, out of bounds, or finer than the steps in which targets are stated; or the levels
        given are not in their order, from the easiest to the hardest.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if not named or not set(named) <= set(LEVELS):
        raise InvalidError("no level is given", hint="Give floor, target or stretch.")
    for name, value in named.items():
        check_value(indicator, value, step=line.basis["step"], name=name)
    levels: Levels = {name: named.get(name, getattr(line, name)) for name in LEVELS}
    if levels["target"] is None:
        raise InvalidError("a line without a target needs one", hint="Give the target first.")
    order = [(name, value) for name, value in levels.items() if value is not None]
    hard = {name: float(hardness(indicator, value)) for name, value in order}
    for easier, harder in (("floor", "target"), ("target", "stretch"), ("floor", "stretch")):
        if easier in hard and harder in hard and hard[easier] > hard[harder]:
            movable = [name for name in (easier, harder) if name not in named and name != "target"]
            if not movable:
                raise InvalidError(
                    f"the {easier} {levels[easier]:g} asks more than the {harder} {levels[harder]:g}",
                    hint=f"From the easiest to the hardest: {', '.join(LEVELS)}; {_better(indicator)}.",
                )
            fixed = harder if movable[0] == easier else easier
            levels[movable[0]], hard[movable[0]] = levels[fixed], hard[fixed]
    return levels


def check_value(indicator: Indicator, value: float, *, step: float, name: str) -> None:
    """Refuse what no target can be.

    Raises
    ------
    InvalidError
        Saying why.
    """
    if not math.isfinite(value):
        raise InvalidError(f"the {name} is no number", hint="Give a finite number.")
    low, high = indicator.limits
    if not low <= value <= high:
        hint = f"Its bounds are {low:g} and {high:g}."
        raise InvalidError(f"the {name} {value:g} is out of bounds for {indicator.code}", hint=hint)
    if not whole_steps(value, step):
        hint = f"State it in steps of {Decimal(str(step)).normalize():f}: totals must add up exactly."
        raise InvalidError(f"the {name} {value!r} is finer than targets on {indicator.code} are stated", hint=hint)


def whole_steps(value: float, step: float) -> bool:
    """Tell whether a value is a number of whole steps, by the digits that it is written with.

    >>> whole_steps(0.3, 0.1), whole_steps(0.35, 0.1), whole_steps(1e22, 1.0)
    (True, False, True)
    """
    power = Decimal(1).scaleb(round(math.log10(step)))
    try:
        return Decimal(repr(float(value))) % power == 0
    except ArithmeticError:  # more digits than a double has: it is whole
        return True


def required(reason: str) -> str:
    """Give a reason without the spaces around it.

    Raises
    ------
    LoadlineError
        Where it says nothing.
    """
    text = reason.strip()
    if not text:
        raise LoadlineError("this needs a reason", where="--reason", hint="Say why: it goes on record.")
    return text


def _better(indicator: Indicator) -> str:
    if indicator.direction == "band":
        return "nearer to the band is harder"
    return f"{indicator.direction} is better"
