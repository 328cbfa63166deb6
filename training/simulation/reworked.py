"""A data version as it would read under other definitions, prices or structures; the store is not touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.snapshot import Snapshot
from features.units import UnitTree

Rework = Callable[[Panel], Mapping[str, np.ndarray]]
"""Gives the frames (P, U) that change, by indicator."""


@dataclass(frozen=True)
class Reworked(Snapshot):
    """A snapshot whose panels are changed as they are read.

    Attributes
    ----------
    rework : callable or None
        Gives the frames that change.
    needed : tuple of str
        Indicators that it looks at.
    other_tree : UnitTree or None
        In place of the stored one.
    other_indicators : Mapping[str, Indicator]
        In place of the stored ones.
    """

    rework: Rework | None = None
    needed: tuple[str, ...] = ()
    other_tree: UnitTree | None = None
    other_indicators: Mapping[str, Indicator] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        rework: Rework | None = None,
        *,
        needed: Sequence[str] = (),
        tree: UnitTree | None = None,
        indicators: Mapping[str, Indicator] | None = None,
    ) -> Reworked:
        """Change a snapshot."""
        return cls(snapshot.tables, snapshot.chain, rework, tuple(needed), tree, dict(indicators or {}))

    @cached_property
    def tree(self) -> UnitTree:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Give the tree of units."""
        return self.other_tree if self.other_tree is not None else Snapshot(self.tables, self.chain).tree

    @cached_property
    def indicators(self) -> IndicatorSet:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Give the indicators."""
        stored = Snapshot(self.tables, self.chain).indicators
        return IndicatorSet(self.other_indicators.get(code, indicator) for code, indicator in stored.items())

    def panel(
        self, as_of: int | None = None, *, known_on: date | None = None, indicators: Sequence[str] | None = None
    ) -> Panel:
        """Read the panel as it would be; see `features.snapshot.Snapshot.panel`."""
        asked = list(self.indicators) if indicators is None else list(indicators)
        panel = super().panel(as_of, known_on=known_on, indicators=list(dict.fromkeys([*asked, *self.needed])))
        if self.rework is None:
            return panel.only(asked)
        changed = with_ratios(panel, self.rework(panel))
        return replace(panel, values={code: changed.get(code, panel.array(code)) for code in asked})


def with_ratios(panel: Panel, changed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Let the ratios of what changes follow: each moves as its numerator does over its denominator.

    So a ratio keeps the basis on which it was reported. Ratios that are themselves changed stay as given.
    """
    found = dict(changed)
    for code in panel.codes:
        indicator = panel.indicator(code)
        if code in changed or indicator.denominator is None:
            continue
        top, bottom = indicator.numerator, indicator.denominator
        if top not in changed and bottom not in changed:
            continue
        factor = _moved(panel, changed, top) / _moved(panel, changed, bottom)
        found[code] = panel.array(code) * factor
    return found


def _moved(panel: Panel, changed: Mapping[str, np.ndarray], code: str | None) -> np.ndarray:
    """Tell by what factor (P, U) an indicator changes; NaN where its new figure is missing, 1 where it was zero."""
    if code is None or code not in changed:
        return np.ones(1)
    before, after = panel.array(code), changed[code]
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where((before == 0) & (after == 0), 1.0, after / before)
    return np.where(np.isfinite(factor) & (factor != 0), factor, np.nan)
