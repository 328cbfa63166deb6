"""What a scorecard looks at: the figures of many rows (units in periods), by indicator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

FIGURE_DECIMALS = 6
"""Figures are taken to this many decimals: what sums of binary floats leave behind is gone, what was reported stays."""

Figures = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Facts:
    """Figures of N rows, a row being a unit in a period; NaN where there is none. Rounded to `FIGURE_DECIMALS`.

    Attributes
    ----------
    rows : int
        N.
    actual : Mapping[str, np.ndarray]
        (N,) by indicator: the figure that is assessed.
    last_year : Mapping[str, np.ndarray]
        (N,) the same a year before, on the same basis.
    floor, target, stretch : Mapping[str, np.ndarray]
        (N,) the three levels that were set; where only a target was set, only that.
    peers : Mapping[str, np.ndarray]
        (N,) what the unit's figure would be if it were its peers' median: their figure for a ratio or level, the
        unit's own last year moved by their median growth for a volume. NaN where fewer than five peers have one.
    standards : Mapping[tuple[str, tuple[float, ...]], np.ndarray]
        (S, N) by indicator and ascending quantiles: those of the peers a year before, in the unit's own terms like
        `peers`, from the worst to the best.
    opened, moved : np.ndarray
        (N,) whole months since the unit was opened, and since it came to its present parent; inf where it always was.
    """

    rows: int
    actual: Figures
    last_year: Figures = field(default_factory=dict)
    floor: Figures = field(default_factory=dict)
    target: Figures = field(default_factory=dict)
    stretch: Figures = field(default_factory=dict)
    peers: Figures = field(default_factory=dict)
    standards: Mapping[tuple[str, tuple[float, ...]], np.ndarray] = field(default_factory=dict)
    opened: np.ndarray | None = None
    moved: np.ndarray | None = None

    def of(self, kind: str, code: str) -> np.ndarray:
        """Give one kind of figure of an indicator: (N,), NaN where there is none."""
        found = getattr(self, kind).get(code)
        return np.full(self.rows, np.nan) if found is None else found

    def take(self, rows: np.ndarray | slice) -> Facts:
        """Keep some rows, by number, mask or slice."""
        kinds = ("actual", "last_year", "floor", "target", "stretch", "peers")
        kept = {kind: {code: array[rows] for code, array in getattr(self, kind).items()} for kind in kinds}
        count = int(np.arange(self.rows)[rows].size)
        return replace(
            self,
            rows=count,
            **kept,
            standards={key: array[:, rows] for key, array in self.standards.items()},
            opened=None if self.opened is None else self.opened[rows],
            moved=None if self.moved is None else self.moved[rows],
        )

    def with_actual(self, actual: Figures, *, last_year: Figures | None = None) -> Facts:
        """Put other figures in place of those assessed: the reference case of an explanation."""
        changed = {"actual": dict(self.actual) | dict(actual)}
        if last_year is not None:
            changed["last_year"] = dict(self.last_year) | dict(last_year)
        return replace(self, **changed)
