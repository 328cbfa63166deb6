"""Points of one item at a time in exact fractions: the slow reference of `models.scoring.points`.

Written from the published methods, not from the engine: plain Python, no arrays, no shortcuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np

from features.indicators import Indicator
from models.policy.document import Item, Policy
from models.policy.rules import Efficacy, Increment, Levels, Ratio, Tiers, TwoIncrease
from models.scoring.facts import Facts

KINDS = ("actual", "last_year", "floor", "target", "stretch", "peers")
MICRO = Decimal("0.000001")
FULL = Fraction(100)


@dataclass(frozen=True)
class SlowRow:
    """Figures of one row, by kind and indicator; what is not there is not in the mappings."""

    figures: Mapping[tuple[str, str], Fraction]
    standards: Mapping[tuple[str, tuple[float, ...]], tuple[Fraction, ...]]
    opened: float
    moved: float

    def of(self, kind: str, code: str) -> Fraction | None:
        """Give a figure, or nothing."""
        return self.figures.get((kind, code))


def half_up(value: Fraction) -> int:
    """Round to a whole number, halves away from zero (四舍五入)."""
    size = abs(value) + Fraction(1, 2)
    whole = size.numerator // size.denominator
    return whole if value >= 0 else -whole


def exactly(value: float) -> Fraction | None:
    """Give the decimal that a reported figure is, to six decimals; nothing for a figure that is not there."""
    if np.isnan(value):
        return None
    return Fraction(Decimal(repr(float(value))).quantize(MICRO, rounding=ROUND_HALF_EVEN))


def row_of(facts: Facts, row: int) -> SlowRow:
    """Take one row out of the arrays."""
    figures = {}
    for kind in KINDS:
        for code, array in getattr(facts, kind).items():
            value = exactly(array[row])
            if value is not None:
                figures[kind, code] = value
    standards = {}
    for key, array in facts.standards.items():
        values = [exactly(value) for value in array[:, row]]
        known = tuple(value for value in values if value is not None)
        if len(known) == len(values):
            standards[key] = known
    opened = float("inf") if facts.opened is None else float(facts.opened[row])
    moved = float("inf") if facts.moved is None else float(facts.moved[row])
    return SlowRow(figures, standards, opened, moved)


def reference_of(item: Item, row: SlowRow) -> Fraction | None:
    """Give what the item is compared with."""
    if item.against == "fixed":
        assert item.value is not None
        return Fraction(item.value)
    reference = row.of(item.against, item.indicator)
    if reference is None or item.against == "target":
        return reference
    return reference * (1 + Fraction(item.growth) / 100)


def ratio_points(
    rule: Ratio, indicator: Indicator, item: Item, actual: Fraction, reference: Fraction | None
) -> Fraction | None:
    """比值法, with `otherwise` where a ratio says nothing."""
    band = _band(indicator, item)
    cap = Fraction(rule.cap)
    if indicator.direction == "band" and band is not None:
        low, high = band
        if low <= actual <= high:
            return max(min(FULL, cap), Fraction(rule.least))
        reference = low if actual < low else high
    if reference is None:
        return None
    if reference <= 0 or actual < 0:
        if rule.otherwise is None:
            return None
        return increment_points(rule.otherwise, indicator, item, actual, reference)
    if indicator.direction == "higher":
        points = min(100 * actual / reference, cap)
    elif indicator.direction == "lower":
        points = cap if actual == 0 else min(100 * reference / actual, cap)
    else:
        nearness = Fraction(0) if actual == 0 else min(actual / reference, reference / actual)
        points = min(100 * nearness, cap)
    return max(points, Fraction(rule.least))


def increment_points(
    rule: Increment, indicator: Indicator, item: Item, actual: Fraction, reference: Fraction | None
) -> Fraction | None:
    """加减分法."""
    band = _band(indicator, item)
    base = Fraction(rule.base)
    if indicator.direction == "band" and band is not None:
        low, high = band
        if low <= actual <= high:
            return base
        reference = low if actual < low else high
    if reference is None:
        return None
    distance = abs(actual - reference)
    if rule.steps_in == "percent":
        if reference == 0:
            return None
        distance = 100 * distance / abs(reference)
    better = {"higher": actual > reference, "lower": actual < reference, "band": False}[indicator.direction]
    side = rule.better if better else rule.worse
    moved = min(Fraction(side.points) * distance / Fraction(side.step), Fraction(side.most))
    return base + moved if better else base - moved


def _band(indicator: Indicator, item: Item) -> tuple[Fraction, Fraction] | None:
    limits = item.rule.band if isinstance(item.rule, Ratio) else None
    if limits is None and item.against != "target" and indicator.band is not None:
        limits = tuple(Decimal(repr(limit)) for limit in indicator.band)
    return None if limits is None else (Fraction(limits[0]), Fraction(limits[1]))


def tier_points(rule: Tiers, indicator: Indicator, actual: Fraction, reference: Fraction | None) -> Fraction | None:
    """层差法."""
    position: Fraction | None = actual
    if rule.of == "attainment":
        if reference is None or reference <= 0 or actual < 0:
            return None
        if indicator.direction == "lower":
            position = None if actual == 0 else 100 * reference / actual
        else:
            position = 100 * actual / reference
    if position is None:
        return Fraction(rule.tiers[-1].points)
    found = None
    for tier in rule.tiers:
        if tier.start is None or Fraction(tier.start) <= position:
            found = Fraction(tier.points)
    return found


def efficacy_points(rule: Efficacy, indicator: Indicator, row: SlowRow, actual: Fraction) -> Fraction | None:
    """功效系数法."""
    if rule.standards is not None:
        standards = tuple(Fraction(value) for value in rule.standards)
    else:
        found = row.standards.get((indicator.code, tuple(float(q) for q in rule.quantiles)))
        if found is None:
            return None
        standards = found
    if indicator.direction == "lower":
        actual, standards = -actual, tuple(-value for value in standards)
    coefficients = [Fraction(q) for q in rule.coefficients]
    if actual < standards[0]:
        return Fraction(0)
    if actual >= standards[-1]:
        return 100 * coefficients[-1]
    for k in range(len(standards) - 1):
        low, high = standards[k], standards[k + 1]
        if low <= actual < high:
            return 100 * (coefficients[k] + (coefficients[k + 1] - coefficients[k]) * (actual - low) / (high - low))
    raise AssertionError("standards out of order")


def two_increase_points(growth: Fraction, all_loans: Fraction, plan: Fraction) -> Fraction:
    """两增."""
    if growth >= all_loans:
        return FULL
    if growth >= plan and growth >= 0 and all_loans > 0:
        return 100 * growth / all_loans
    return Fraction(0)


def two_increase(
    rule: TwoIncrease, item: Item, row: SlowRow, growth: Fraction, plan: Fraction | None
) -> tuple[Fraction, Fraction] | None:
    """Points, and what is taken for two bad years."""
    all_loans = row.of("actual", rule.all_loans)
    if all_loans is None or (plan is None and growth < all_loans):
        return None
    plan = growth if plan is None else plan
    points = two_increase_points(growth, all_loans, plan)
    before, all_before = row.of("last_year", item.indicator), row.of("last_year", rule.all_loans)
    taken = Fraction(0)
    if before is not None and all_before is not None:
        earlier = two_increase_points(before, all_before, plan)
        if half_up(100 * points) == 0 and half_up(100 * earlier) == 0:
            taken = Fraction(rule.miss)
    if before is not None and growth < 0 and before < 0:
        taken = max(taken, Fraction(rule.shrinkage))
    return points, taken


def level_points(policy: Policy, item: Item, indicator: Indicator, row: SlowRow, actual: Fraction) -> Fraction | None:
    """基础、目标、挑战."""
    found = [row.of(kind, item.indicator) for kind in ("floor", "target", "stretch")]
    levels = [value for value in found if value is not None]
    if len(levels) < 3:
        return None
    worth = [Fraction(x.points) for x in (policy.targets.floor, policy.targets.target, policy.targets.stretch)]
    if indicator.direction == "lower":
        actual, levels = -actual, [-value for value in levels]
    floor, target, stretch = levels
    if not floor <= target <= stretch:
        return None
    if actual >= stretch:
        return worth[2]
    if actual >= target:
        return worth[1] + (worth[2] - worth[1]) * (actual - target) / (stretch - target)
    if floor >= target:
        return Fraction(0)
    return max(worth[0] + (worth[1] - worth[0]) * (actual - floor) / (target - floor), Fraction(0))


def item_points(policy: Policy, item: Item, indicator: Indicator, row: SlowRow) -> tuple[int, int] | None:
    """Points in hundredths, and the deduction in cents; nothing where the item cannot be scored."""
    actual = row.of("actual", item.indicator)
    if actual is None:
        return None
    reference = reference_of(item, row)
    rule = item.rule
    taken = Fraction(0)
    if isinstance(rule, Ratio):
        points = ratio_points(rule, indicator, item, actual, reference)
    elif isinstance(rule, Increment):
        points = increment_points(rule, indicator, item, actual, reference)
    elif isinstance(rule, Tiers):
        points = tier_points(rule, indicator, actual, reference)
    elif isinstance(rule, Efficacy):
        points = efficacy_points(rule, indicator, row, actual)
    elif isinstance(rule, TwoIncrease):
        both = two_increase(rule, item, row, actual, reference)
        points, taken = both if both is not None else (None, taken)
    else:
        assert isinstance(rule, Levels)
        points = level_points(policy, item, indicator, row, actual)
    return None if points is None else (half_up(100 * points), half_up(100 * taken))
