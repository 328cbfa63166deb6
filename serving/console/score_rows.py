"""What the score pages show, row by row: figures as text, bars, ranks within peer groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Indicator
from features.units import MIN_PEERS, UnitTree
from models.scoring.gaps import shown_decimals
from serving.console.formats import NOTHING
from serving.console.waterfall import Bar, draw_waterfall
from serving.score_basis import ScoreBasis
from serving.score_schemas import ScoreExplanation


@dataclass(frozen=True)
class ShownRow:
    """A line with its figures as text and its bar."""

    entry: Any
    figure: str
    reference: str
    bar: Bar


@dataclass(frozen=True)
class Shown:
    """A sum as rows, with the bars of what it begins and ends with."""

    first: Bar
    rows: tuple[ShownRow, ...]
    last: Bar

    @property
    def compared(self) -> bool:
        """Tell whether any row is compared with something."""
        return any(row.reference != NOTHING for row in self.rows)


def shown_lines(found: ScoreExplanation, indicators: Mapping[str, Indicator]) -> Shown:
    """Lay out how a score adds up."""
    return _shown(0.0, found.lines, indicators, from_zero=True)


def shown_drivers(found: ScoreExplanation, indicators: Mapping[str, Indicator]) -> Shown | None:
    """Lay out the way from the reference to the score; None where there is nothing to compare with.

    Indicators that only rules look at are left out where they make no difference.
    """
    if found.base_value is None:
        return None
    items = {line.code for line in found.lines if line.kind == "item"}
    kept = [driver for driver in found.drivers if driver.amount or driver.code in items]
    return _shown(found.base_value, kept, indicators, from_zero=False)


def _shown(begin: float, entries: Sequence[Any], indicators: Mapping[str, Indicator], *, from_zero: bool) -> Shown:
    first, *bars, last = draw_waterfall(begin, [entry.amount for entry in entries], from_zero=from_zero)
    rows = []
    for entry, bar in zip(entries, bars, strict=True):
        rows.append(ShownRow(entry, *figure_pair(indicators.get(entry.code), entry.figure, entry.reference), bar))
    return Shown(first, tuple(rows), last)


def figure_pair(indicator: Indicator | None, figure: float | None, reference: float | None) -> tuple[str, str]:
    """Write a figure and its reference alike; dashes for what is not known."""
    known = [value for value in (figure, reference) if value is not None]
    decimals = 2 if indicator is None else shown_decimals(indicator, *known)
    first, second = (NOTHING if value is None else f"{value:,.{decimals}f}" for value in (figure, reference))
    return first, second


@dataclass(frozen=True)
class ScoreRow:
    """A unit's score in a list; `rank` of `ranked` in its peer group, None where it is not ranked."""

    code: str
    group: str
    scorecard: str
    score: float | None
    grade: str
    gates: tuple[str, ...]
    rank: int | None
    ranked: int


def score_rows(basis: ScoreBasis, table: pd.DataFrame) -> list[ScoreRow]:
    """List the scores of a period by peer group, the best first; groups of fewer than five have no ranks.

    Parameters
    ----------
    basis : ScoreBasis
    table : pd.DataFrame
        See `training.scoring.tables.summary`.
    """
    groups = _groups(basis.snapshot.tree, table["unit"].tolist(), basis.ordinal)
    table = table.assign(group=groups)
    scored = table["score"].notna() & (table["group"] != "")
    sizes = table[scored].groupby("group")["score"].transform("size").reindex(table.index).fillna(0).astype(int)
    ranks = table[scored].groupby("group")["score"].rank(method="min", ascending=False).reindex(table.index)
    names = {gate.id: gate for gate in basis.network.policy.gates}
    found = []
    shown = table[["unit", "group", "scorecard", "score", "grade", "gates"]]  # a wide table takes long to go through
    for place, row in enumerate(shown.to_dict("records")):
        enough, rank = sizes.iloc[place] >= MIN_PEERS, ranks.iloc[place]
        found.append(
            ScoreRow(
                code=str(row["unit"]),
                group=str(row["group"]),
                scorecard=str(row["scorecard"]),
                score=float(row["score"]) if math.isfinite(row["score"]) else None,
                grade=str(row["grade"]),
                gates=tuple(name for name in str(row["gates"]).split("; ") if name in names),
                rank=int(rank) if enough and rank == rank else None,
                ranked=int(sizes.iloc[place]),
            )
        )
    return sorted(found, key=lambda row: (row.group == "", row.group, -(row.score if row.score is not None else -1e9)))


def _groups(tree: UnitTree, units: Sequence[str], ordinal: int) -> np.ndarray:
    """Give the peer group of each unit; blank for totals and for units without one."""
    numbers = np.array([tree.number(unit) for unit in units], dtype=int)
    names = tree.attributes["peer_group"].to_numpy(dtype=object)[numbers]
    return np.where(tree.leaves(ordinal)[numbers], names, "")
