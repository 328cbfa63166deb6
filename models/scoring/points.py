"""Points of an item: the scoring rules of practice, exact to the hundredth.

Rules are computed for all rows at once in floating point. Where a result lies so near to a rounding boundary or a jump
that floating point cannot tell, those rows are computed again in exact fractions by the same code (a floating-point
filter; Shewchuk 1997, "Adaptive precision floating-point arithmetic"). So no score depends on binary fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from features.indicators import Indicator
from models.policy.document import Item, Levels3
from models.policy.rules import Efficacy, Increment, Levels, Ratio, Rule, Tiers, TwoIncrease
from models.scoring.facts import FIGURE_DECIMALS, Facts

SCORED, NO_FIGURE, NO_REFERENCE, NO_RATIO = 0, 1, 2, 3
"""Why an item has no points: no figure; nothing to compare with; a ratio that says nothing (zero, or a sign change)."""

ROUNDING_ERROR = 2.0**-48
"""Bound of the relative error of a handful of operations on doubles that stand for decimals, with a wide margin."""
FULL = 100
UNITS = 10**FIGURE_DECIMALS
LARGE = 1e9
"""Figures below it, of `FIGURE_DECIMALS`, are whole numbers of units that a double holds without error."""
NEVER = 10**15
"""Attainment in percent of a figure of 0 where lower is better: beyond any tier."""

Number = Callable[[Any], Any]
"""`float` for a whole array, `Fraction` for the rows that need exactness."""


@dataclass(frozen=True)
class Case:
    """What a rule looks at, as arrays (N,) of floats, or of fractions (then of the doubtful rows only).

    `reference` is moved by `growth` percent; `others` are the all-loan growth of a two-increase rule; `standards` are
    (S, N). Arrays that a rule does not need are the figure itself.
    """

    rule: Rule
    higher: bool | None
    band: tuple[Decimal, Decimal] | None
    growth: Decimal
    levels: Levels3
    actual: np.ndarray
    reference: np.ndarray
    floor: np.ndarray
    stretch: np.ndarray
    last: np.ndarray
    other: np.ndarray
    other_last: np.ndarray
    standards: np.ndarray

    def exactly(self, rows: np.ndarray) -> Case:
        """Give some rows in fractions: of each figure, the shortest decimal that it is written as."""
        names = ("actual", "reference", "floor", "stretch", "last", "other", "other_last", "standards")
        given = {name: getattr(self, name) for name in names}
        converted = {id(array): as_fractions(array[..., rows]) for array in given.values()}
        return replace(self, **{name: converted[id(array)] for name, array in given.items()})

    def compared_with(self, number: Number) -> np.ndarray:
        """Give the reference with its growth."""
        if not self.growth:
            return self.reference
        return self.reference * (1 + number(self.growth) / 100)


def as_fractions(array: np.ndarray) -> np.ndarray:
    """Give each figure as the fraction of the shortest decimal that it is written as; 0 where there is none."""
    found = np.empty(array.shape, dtype=object)
    flat = found.reshape(-1)
    for place, value in enumerate(array.ravel().tolist()):
        if abs(value) < LARGE:
            flat[place] = Fraction(round(value * UNITS), UNITS)  # far quicker than reading the text
        else:
            flat[place] = Fraction(repr(value)) if np.isfinite(value) else Fraction(0)  # no branch that counts reads 0
    return found


def case_of(item: Item, facts: Facts, indicator: Indicator, levels: Levels3) -> Case:
    """Lay out what an item's rule looks at."""
    rule, code = item.rule, item.indicator
    actual = facts.of("actual", code)
    given = item.value
    reference = facts.of(item.against, code) if given is None else np.full(facts.rows, float(given))
    band = None
    if indicator.direction == "band":
        limits = indicator.band if item.against != "target" else None
        own = rule.band if isinstance(rule, Ratio) else None
        band = own if own is not None else _decimals(limits)
    others = (rule.all_loans,) if isinstance(rule, TwoIncrease) else ()
    threefold = isinstance(rule, Levels)
    return Case(
        rule=rule,
        higher={"higher": True, "lower": False, "band": None}[indicator.direction],
        band=band,
        growth=item.growth if item.against in ("last_year", "peers") else Decimal(0),
        levels=levels,
        actual=actual,
        reference=reference,
        floor=facts.of("floor", code) if threefold else actual,
        stretch=facts.of("stretch", code) if threefold else actual,
        last=facts.of("last_year", code) if others else actual,
        other=facts.of("actual", others[0]) if others else actual,
        other_last=facts.of("last_year", others[0]) if others else actual,
        standards=_standards(rule, facts, code) if isinstance(rule, Efficacy) else actual[None],
    )


def _decimals(limits: tuple[float, float] | None) -> tuple[Decimal, Decimal] | None:
    return None if limits is None else (Decimal(repr(limits[0])), Decimal(repr(limits[1])))


def _standards(rule: Efficacy, facts: Facts, code: str) -> np.ndarray:
    if rule.standards is not None:
        return np.repeat(np.array([[float(v)] for v in rule.standards]), facts.rows, axis=1)
    found = facts.standards.get((code, tuple(float(q) for q in rule.quantiles)))
    return np.full((len(rule.coefficients), facts.rows), np.nan) if found is None else found


@dataclass(frozen=True)
class ItemPoints:
    """What a rule gives: `points` (N,) hundredths of a point out of 100, `deduction` (N,) cents, `state` (N,)."""

    points: np.ndarray
    deduction: np.ndarray | None
    state: np.ndarray


def item_points(case: Case) -> ItemPoints:
    """Apply a rule to all rows.

    Returns
    -------
    ItemPoints
        Points are 0 where `state` is not `SCORED`.
    """
    with np.errstate(all="ignore"):
        state = _state(case)
        known = state == SCORED
        value = np.where(known, _value(case, float), 0.0)
        error = _error(case, value)
    points = rounded(value, error & known, lambda rows: _value(case.exactly(rows), Fraction))
    deduction = None
    if isinstance(case.rule, TwoIncrease):
        deduction = np.where(known, _deduction(case, points), 0)
    return ItemPoints(points, deduction, state)


def rounded(value: np.ndarray, doubtful: np.ndarray, exactly: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Round half away from zero (四舍五入) to whole hundredths.

    Parameters
    ----------
    value : np.ndarray
        (N,) finite floats.
    doubtful : np.ndarray
        (N,) rows to be computed exactly whatever their value; ties are found here.
    exactly : callable
        Gives fractions for row numbers.

    Returns
    -------
    np.ndarray
        (N,) int64 hundredths.
    """
    size = np.abs(value) * 100
    whole = np.floor(size + 0.5)
    found = np.where(value < 0, -whole, whole).astype(np.int64)
    tie = np.abs(size - np.floor(size) - 0.5) <= 1e-9 + size * ROUNDING_ERROR
    rows = np.flatnonzero(doubtful | tie)
    if len(rows):
        found[rows] = [half_up(x * 100) for x in exactly(rows)]
    return found


def half_up(value: Fraction) -> int:
    """Round a fraction to the nearest whole number, half away from zero.

    >>> half_up(Fraction(5, 2)), half_up(Fraction(-5, 2)), half_up(Fraction(249, 100))
    (3, -3, 2)
    """
    whole = (2 * abs(value) + 1) // 2
    return int(-whole if value < 0 else whole)


def _state(case: Case) -> np.ndarray:
    """Tell which rows the rule can score, and why others not."""
    rule, A = case.rule, case.actual
    T = case.compared_with(float)
    state = np.where(np.isfinite(A), SCORED, NO_FIGURE)

    def without(missing: np.ndarray, why: int) -> None:
        state[(state == SCORED) & missing] = why

    if isinstance(rule, Ratio | Increment):
        if case.band is not None:
            T = _nearest_limit(case, float)
        without(~np.isfinite(T), NO_REFERENCE)
        inside = (A == T) if case.band is not None else np.zeros(A.shape, dtype=bool)
        if isinstance(rule, Ratio):
            silent = ((T <= 0) | (A < 0)) & ~inside
            other = rule.otherwise
            if other is not None:
                silent = silent & (T == 0) if other.steps_in == "percent" else np.zeros(A.shape, dtype=bool)
            without(silent, NO_RATIO)
        elif rule.steps_in == "percent":
            without((T == 0) & ~inside, NO_RATIO)
    elif isinstance(rule, Tiers) and rule.of == "attainment":
        without(~np.isfinite(T), NO_REFERENCE)
        without((T <= 0) | (A < 0), NO_RATIO)
    elif isinstance(rule, Efficacy):
        without(np.isnan(case.standards.sum(axis=0)), NO_REFERENCE)
    elif isinstance(rule, TwoIncrease):
        without(~np.isfinite(case.other), NO_REFERENCE)
        without(~(case.other <= A) & ~np.isfinite(T), NO_REFERENCE)
    elif isinstance(rule, Levels):
        low, middle, high = (_signed(case, x) for x in (case.floor, case.reference, case.stretch))
        without(~((low <= middle) & (middle <= high)), NO_REFERENCE)
    return state


def _value(case: Case, number: Number) -> np.ndarray:
    """Give the points out of 100, not rounded; meaningless where `_state` is not `SCORED`."""
    rule = case.rule
    if isinstance(rule, Ratio):
        return _ratio(case, rule, number)
    if isinstance(rule, Increment):
        return _increment(case, rule, number)
    if isinstance(rule, Tiers):
        return _tiers(case, rule, number)
    if isinstance(rule, Efficacy):
        return _efficacy(case, rule, number)
    if isinstance(rule, TwoIncrease):
        return _two_increase(case.actual, case.other, case.compared_with(number))
    return _levels(case, number)


def _nearest_limit(case: Case, number: Number) -> np.ndarray:
    """Give the limit of the band that the figure is beyond; the figure itself inside."""
    low, high = (number(limit) for limit in case.band or ())
    return np.where(case.actual < low, low, np.where(case.actual > high, high, case.actual))


def _ratio(case: Case, rule: Ratio, number: Number) -> np.ndarray:
    A = case.actual
    T = case.compared_with(number) if case.band is None else _nearest_limit(case, number)
    zero = A == 0
    divisor, below = np.where(zero, 1, A), np.where(T == 0, 1, T)
    if case.higher:
        value = FULL * A / below
    elif case.higher is False:
        value = np.where(zero, number(rule.cap), FULL * T / divisor)
    else:
        value = np.where(zero, 0, FULL * np.minimum(A / below, T / divisor))
        if case.band is not None:
            value = np.where(A == T, FULL, value)
    value = np.maximum(np.minimum(value, number(rule.cap)), number(rule.least))
    if rule.otherwise is not None:
        silent = ((T <= 0) | (A < 0)) if case.band is None else ((T <= 0) | (A < 0)) & (A != T)
        value = np.where(silent, _increment(case, rule.otherwise, number), value)
    return value


def _gain(case: Case, rule: Increment, number: Number) -> np.ndarray:
    """Give how much better the figure is than the reference, in what steps are counted in; negative: worse."""
    A = case.actual
    T = case.compared_with(number) if case.band is None else _nearest_limit(case, number)
    gain = A - T if case.higher else T - A if case.higher is False else -abs(A - T)
    if rule.steps_in == "percent":
        gain = gain * 100 / np.where(T == 0, 1, abs(T))
    return gain


def _increment(case: Case, rule: Increment, number: Number) -> np.ndarray:
    gain = _gain(case, rule, number)
    better, worse = rule.better, rule.worse
    up = np.minimum(gain * number(better.points) / number(better.step), number(better.most))
    down = np.minimum(-gain * number(worse.points) / number(worse.step), number(worse.most))
    return number(rule.base) + np.where(gain >= 0, up, -down)


def _attainment(case: Case, number: Number) -> np.ndarray:
    A, T = case.actual, case.compared_with(number)
    if case.higher is False:
        return np.where(A == 0, number(NEVER), FULL * T / np.where(A == 0, 1, A))
    return FULL * A / np.where(T == 0, 1, T)


def _tiers(case: Case, rule: Tiers, number: Number) -> np.ndarray:
    measured = case.actual if rule.of == "figure" else _attainment(case, number)
    value = np.where(measured == measured, number(rule.tiers[0].points), 0)
    for tier in rule.tiers[1:]:
        value = np.where(measured >= number(tier.start), number(tier.points), value)
    return value


def _signed(case: Case, array: np.ndarray) -> np.ndarray:
    return -array if case.higher is False else array


def _efficacy(case: Case, rule: Efficacy, number: Number) -> np.ndarray:
    figure, standards = _signed(case, case.actual), _signed(case, case.standards)
    q = [number(c) for c in rule.coefficients]
    value = np.where(figure >= standards[-1], FULL * q[-1], number(0))
    for k in range(len(q) - 1):
        low, high = standards[k], standards[k + 1]
        width = np.where(high > low, high - low, 1)
        between = FULL * (q[k] + (q[k + 1] - q[k]) * (figure - low) / width)
        value = np.where((figure >= low) & (figure < high), between, value)
    return value


def _two_increase(A: np.ndarray, G: np.ndarray, plan: np.ndarray) -> np.ndarray:
    in_proportion = np.where((G > 0) & (A >= 0), FULL * A / np.where(G == 0, 1, G), 0)
    return np.where(A >= G, FULL, np.where(plan <= A, in_proportion, 0))


def _deduction(case: Case, points: np.ndarray) -> np.ndarray:
    """Give the cents taken for two years that brought nothing, or two of shrinkage, the heavier."""
    rule = case.rule
    assert isinstance(rule, TwoIncrease)
    seen = np.isfinite(case.last) & np.isfinite(case.other_last)
    before = replace(case, actual=case.last, other=case.other_last)
    with np.errstate(all="ignore"):
        earlier = np.where(seen, _value(before, float), FULL)
        near = seen & _error(before, earlier)
    earlier = rounded(earlier, near, lambda rows: _value(before.exactly(rows), Fraction))
    missed = (points == 0) & (earlier == 0)
    shrank = (case.actual < 0) & (case.last < 0)
    miss, shrinkage = (int(x * 100) for x in (rule.miss, rule.shrinkage))
    return np.maximum(np.where(missed, miss, 0), np.where(shrank, shrinkage, 0))


def _levels(case: Case, number: Number) -> np.ndarray:
    a, low, middle, high = (_signed(case, x) for x in (case.actual, case.floor, case.reference, case.stretch))
    levels = case.levels
    p1, p2, p3 = (number(level.points) for level in (levels.floor, levels.target, levels.stretch))
    lower = np.where(middle > low, middle - low, 1)
    upper = np.where(high > middle, high - middle, 1)
    line = p1 + (p2 - p1) * (a - low) / lower
    line = np.where((a < low) & (middle <= low), 0, line)
    value = np.where(a >= middle, p2 + (p3 - p2) * (a - middle) / upper, line)
    value = np.where(a >= high, p3, value)
    return np.maximum(value, number(0))


def _error(case: Case, value: np.ndarray) -> np.ndarray:
    """Tell which rows floating point may get wrong: near a jump, or with steps so fine that differences cancel."""
    rule, A, T = case.rule, case.actual, case.compared_with(float)
    size = np.abs(A) + np.abs(T)
    doubtful = np.zeros(A.shape, dtype=bool)
    if isinstance(rule, Ratio) and rule.otherwise is not None:
        rule = rule.otherwise
    if isinstance(rule, Increment):
        if case.band is not None:
            size = np.abs(A) + max(abs(float(limit)) for limit in case.band)
        steepest = max(float(side.points / side.step) for side in (rule.better, rule.worse))
        if rule.steps_in == "percent":
            size = size * 100 / np.maximum(np.abs(T), 1e-300)
        doubtful = _may_tip(value, size * steepest)
    elif isinstance(rule, Tiers) and rule.of == "attainment":
        measured = _attainment(case, float)
        for tier in rule.tiers[1:]:
            edge = float(tier.start or 0)
            doubtful |= np.abs(measured - edge) <= (abs(edge) + 1) * ROUNDING_ERROR
    elif isinstance(rule, Efficacy):
        widths = np.abs(np.diff(case.standards, axis=0))
        narrowest = np.where(widths > 0, widths, np.inf).min(axis=0)
        doubtful = _may_tip(value, FULL * (np.abs(A) + np.abs(case.standards).max(axis=0)) / narrowest)
    elif isinstance(rule, TwoIncrease):
        doubtful = np.abs(A - T) <= size * ROUNDING_ERROR
    elif isinstance(rule, Levels):
        widths = np.abs(np.stack([case.reference - case.floor, case.stretch - case.reference]))
        narrowest = np.where(widths > 0, widths, np.inf).min(axis=0)
        doubtful = _may_tip(value, FULL * (size + np.abs(case.stretch) + np.abs(case.floor)) / narrowest)
    return doubtful


def _may_tip(value: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Tell where an error in proportion to `size` may carry a value over a rounding boundary."""
    hundredths = np.abs(value) * 100
    return np.abs(hundredths - np.floor(hundredths) - 0.5) <= 100 * size * ROUNDING_ERROR + 1e-9
