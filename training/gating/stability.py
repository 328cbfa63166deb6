"""Whether a reader of explanations would be told the same as before: main drivers of champion and challenger compared.

A driver is in common where it is among the three largest of both and points the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Title

TOP = 3
"""Drivers that a reader remembers."""
UNITS = 400
"""Units that are compared, of each indicator and level or of the warning model: the sampling error of a share is then
under two points. For targets they are spread evenly over the order of their last figures; for warnings they are those
most at risk by both models together, whose explanations are read."""
EXAMPLES = 5
NEGLIGIBLE = 1e-9
"""Contributions smaller than this part of a row's largest are none: they are rounding."""


@dataclass(frozen=True)
class Overlap:
    """How far the main drivers of two models are the same.

    Attributes
    ----------
    subject : str
        `target` or `warning`.
    champion : str or None
        Version of the champion, or "" where it goes unnamed; None where there was none to compare with.
    share : float or None
        Mean share of the main drivers in common; None where nothing could be compared.
    rows : int
        Explanations compared.
    parts : tuple of Mapping
        `part, rows, share`: by indicator and level, the least alike first.
    examples : tuple of Mapping
        `part, unit, champion, challenger`: main drivers of units that differ most, by code and sign.
    notes : tuple of Title
    """

    subject: str
    champion: str | None
    share: float | None = None
    rows: int = 0
    parts: tuple[Mapping[str, Any], ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[Title, ...] = ()

    @property
    def text(self) -> Title:
        """Say how far the main drivers stay, in a sentence."""
        if self.champion is None:
            return Title(en="There is no champion to compare drivers with.", zh="尚无在用模型，驱动因素无从对比。")
        if self.share is None:
            en, zh = " ".join(note.en for note in self.notes), "".join(note.zh for note in self.notes)
            return Title(en=en or "No drivers could be compared.", zh=zh or "驱动因素无法对比。")
        return Title(
            en=f"Of the {TOP} main drivers of a unit, {self.share:.0%} are those of the champion "
            f"({self.rows:,} explanations).",
            zh=f"每个单位前 {TOP} 项主要驱动因素与在用模型重合 {self.share:.0%}（共 {self.rows:,} 条解释）。",
        )

    def table(self) -> pd.DataFrame:
        """Give a row an indicator and level: `part, rows, share`."""
        return pd.DataFrame([dict(row) for row in self.parts], columns=["part", "rows", "share"])

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {
            "subject": self.subject,
            "champion": self.champion,
            "share": self.share,
            "rows": self.rows,
            "parts": [dict(row) for row in self.parts],
            "examples": [dict(row) for row in self.examples],
            "notes": [note.model_dump() for note in self.notes],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Overlap:
        """Read what `as_dict` gave."""
        fields: dict[str, Any] = {name: tuple(plain[name]) for name in ("parts", "examples")}
        notes = tuple(Title(**note) for note in plain["notes"])
        return cls(plain["subject"], plain["champion"], plain["share"], plain["rows"], **fields, notes=notes)


def main_drivers(values: np.ndarray) -> np.ndarray:
    """Mark the largest contributions of each row (n, D): 1 upwards, -1 downwards, 0 for all others."""
    size = np.abs(values)
    order = np.argsort(-size, axis=1, kind="stable")[:, :TOP]
    chosen = np.zeros(values.shape)
    np.put_along_axis(chosen, order, 1.0, axis=1)
    largest = size.max(axis=1, keepdims=True, initial=0.0)
    return np.where(size > NEGLIGIBLE * largest, chosen * np.sign(values), 0.0)


@dataclass(frozen=True, eq=False)
class Sides:
    """Main drivers of the same units by both models.

    Attributes
    ----------
    part : str
        Indicator and level.
    units : pd.Index
        (n,)
    champion, challenger : np.ndarray
        (n, D) as `main_drivers` marks them.
    """

    part: str
    units: pd.Index
    champion: np.ndarray
    challenger: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Give the part (n,) of main drivers in common: of the longer list of the two; 1 where neither has any."""
        common = ((self.champion != 0) & (self.champion == self.challenger)).sum(axis=1)
        longest = np.maximum((self.champion != 0).sum(axis=1), (self.challenger != 0).sum(axis=1))
        return np.where(longest > 0, common / np.maximum(longest, 1), 1.0)


def overlap_of(subject: str, champion: str | None, compared: Sequence[Sides], *, drivers: Sequence[str]) -> Overlap:
    """Sum up; every indicator and level has one vote. `drivers` (D,) are the codes."""
    found = [(one, one.shares) for one in compared if len(one.units)]
    if not found:
        note = Title(en="Nothing could be compared.", zh="没有可对比的解释。")
        return Overlap(subject, champion, notes=(note,))
    found.sort(key=lambda pair: (float(pair[1].mean()), pair[0].part))
    parts = tuple({"part": one.part, "rows": len(shares), "share": float(shares.mean())} for one, shares in found)
    examples = tuple(
        _example(one, int(np.argmin(shares)), drivers) for one, shares in found[:EXAMPLES] if shares.min() < 1
    )
    share = float(np.mean([row["share"] for row in parts]))
    return Overlap(subject, champion, share, sum(row["rows"] for row in parts), parts, examples)


def _example(found: Sides, at: int, drivers: Sequence[str]) -> dict[str, Any]:
    told = {
        name: [f"{'+' if side[at, place] > 0 else '-'}{drivers[place]}" for place in np.flatnonzero(side[at]).tolist()]
        for name, side in (("champion", found.champion), ("challenger", found.challenger))
    }
    return {"part": found.part, "unit": str(found.units.tolist()[at])} | told
