"""Losses of two models on the same outcomes, laid out so that they can be paired over origins, units and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.judging.fairness import SMALLEST_GROUP
from training.gating.paired import NOTHING, Paired, means, paired

_ARRAYS = ("year", "unit", "part", "challenger", "champion", "baseline")


@dataclass(frozen=True, eq=False)
class Losses:
    """One entry an outcome, all arrays (n,).

    Attributes
    ----------
    year, unit, part : np.ndarray
        Numbers of the origin's year, of the unit, and of the indicator and level.
    challenger, champion, baseline : np.ndarray
        Losses; NaN where one had no answer.
    groups : Mapping[str, np.ndarray]
        By dimension the label of each entry's unit; "" for none.
    """

    year: np.ndarray
    unit: np.ndarray
    part: np.ndarray
    challenger: np.ndarray
    champion: np.ndarray
    baseline: np.ndarray
    groups: Mapping[str, np.ndarray]

    @classmethod
    def joined(cls, found: Iterable[Losses]) -> Losses:
        """Put several under each other; all have the same dimensions."""
        every = list(found)
        if not every:
            empty = np.zeros(0)
            number = np.zeros(0, dtype=np.int64)
            return cls(number, number, number, empty, empty, empty, {})
        arrays = {name: np.concatenate([getattr(one, name) for one in every]) for name in _ARRAYS}
        groups = {name: np.concatenate([one.groups[name] for one in every]) for name in every[0].groups}
        return cls(**arrays, groups=groups)

    def __len__(self) -> int:
        return len(self.year)

    def where(self, chosen: np.ndarray) -> Losses:
        """Keep some entries."""
        arrays = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        return Losses(**arrays, groups={name: labels[chosen] for name, labels in self.groups.items()})

    @property
    def both(self) -> Losses:
        """Keep the outcomes for which all three answered."""
        return self.where(np.isfinite(self.challenger) & np.isfinite(self.champion) & np.isfinite(self.baseline))

    def scale(self) -> np.ndarray:
        """Give the baseline's usual loss (n,) of each entry's part, each origin with one vote; NaN where none."""
        out = np.full(len(self), np.nan)
        for part in np.unique(self.part):
            mine = self.part == part
            usual = float(means(self.baseline[mine], self.year[mine], self.part[mine]).mean())
            out[mine] = usual if usual > 0 else np.nan
        return out

    def difference(self) -> Paired:
        """Pair challenger and champion; above zero the challenger is worse, in parts of the baseline's usual loss."""
        found = self.both
        if not len(found):
            return NOTHING
        change = (found.challenger - found.champion) / found.scale()
        return paired(change, origin=found.year, unit=found.unit, part=found.part)

    def by_group(self, dimension: str) -> dict[str, Paired]:
        """Pair them within each group of at least `SMALLEST_GROUP` units, in parts of the group's own baseline loss."""
        found, out = self.both, {}
        labels = found.groups.get(dimension, np.zeros(0, dtype=object))
        for label in sorted({str(text) for text in labels} - {""}):
            mine = found.where(labels == label)
            if len(np.unique(mine.unit)) >= SMALLEST_GROUP:
                out[label] = mine.difference()
        return out

    def by_year(self) -> list[dict[str, Any]]:
        """Give a row a year: `year`, `outcomes`, and the losses of both over the baseline's, with their difference."""
        found = self.both
        scale = found.scale()
        found = found.where(np.isfinite(scale))
        scale = scale[np.isfinite(scale)]
        if not len(found):
            return []
        years, counts = np.unique(found.year, return_counts=True)
        mine, theirs, base = (
            means(loss / scale, found.year, found.part) for loss in (found.challenger, found.champion, found.baseline)
        )
        rows = zip(years.tolist(), counts.tolist(), mine.tolist(), theirs.tolist(), base.tolist(), strict=True)
        return [
            {"year": y, "outcomes": n, "challenger": a / b, "champion": c / b, "difference": a - c}
            for y, n, a, c, b in rows
            if b > 0
        ]

    def by_part(self) -> dict[int, Paired]:
        """Pair them within each indicator and level."""
        found = self.both
        return {int(part): found.where(found.part == part).difference() for part in np.unique(found.part)}
