"""What a scoring rule looks at: an item's figures and references of many rows, as floats or as exact fractions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from features.indicators import Indicator
from models.policy.document import Item, Levels3
from models.policy.rules import Efficacy, Levels, Ratio, Rule, TwoIncrease
from models.scoring.exact import Number, as_fractions
from models.scoring.facts import Facts

ARRAYS = ("actual", "reference", "floor", "stretch", "last", "other", "other_last", "standards")


@dataclass(frozen=True)
class Case:
    """What a rule looks at, as arrays (N,) of floats, or of fractions (then of the doubtful rows only).

    `reference` is to be moved by `growth` percent; `other` is the all-loan growth of a two-increase rule, `last` and
    `other_last` both growths a year before; `standards` are (S, N). Arrays that a rule does not need are the figure
    itself. `higher` is None where neither is better, and `band` then its limits, where they count.
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

    def take(self, rows: np.ndarray) -> Case:
        """Keep some rows."""
        return self._each(lambda array: array[..., rows])

    def exactly(self, rows: np.ndarray) -> Case:
        """Give some rows in fractions: of each figure, the shortest decimal that it is written as."""
        return self._each(lambda array: as_fractions(array[..., rows]))

    def _each(self, change: Callable[[np.ndarray], np.ndarray]) -> Case:
        """Change every array, once where one stands for several."""
        arrays = [getattr(self, name) for name in ARRAYS]
        changed = {id(array): change(array) for array in {id(array): array for array in arrays}.values()}
        return replace(self, **{name: changed[id(array)] for name, array in zip(ARRAYS, arrays, strict=True)})

    def compared_with(self, number: Number) -> np.ndarray:
        """Give the reference with its growth."""
        if not self.growth:
            return self.reference
        return self.reference * (1 + number(self.growth) / 100)

    def signed(self, array: np.ndarray) -> np.ndarray:
        """Turn figures so that more is better."""
        return -array if self.higher is False else array

    def nearest_limit(self, number: Number) -> np.ndarray:
        """Give the limit of the band that the figure is beyond; the figure itself inside."""
        low, high = (number(limit) for limit in self.band or ())
        return np.where(self.actual < low, low, np.where(self.actual > high, high, self.actual))

    def aim(self, number: Number) -> np.ndarray:
        """Give what a figure is measured by: the nearest limit of a band where there is one, else the reference."""
        return self.compared_with(number) if self.band is None else self.nearest_limit(number)


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
        standards=_standards(rule, facts, code) if isinstance(rule, Efficacy) else actual,
    )


def _decimals(limits: tuple[float, float] | None) -> tuple[Decimal, Decimal] | None:
    return None if limits is None else (Decimal(repr(limits[0])), Decimal(repr(limits[1])))


def _standards(rule: Efficacy, facts: Facts, code: str) -> np.ndarray:
    if rule.standards is not None:
        return np.broadcast_to(np.array([[float(v)] for v in rule.standards]), (len(rule.standards), facts.rows))
    found = facts.standards.get((code, tuple(float(q) for q in rule.quantiles)))
    return np.full((len(rule.coefficients), facts.rows), np.nan) if found is None else found
