"""The tables of a comparison: scores with ranks and bonus, the lines that moved them, how scores are spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from training.simulation.compared import Compared
from training.simulation.pool import Pool
from training.simulation.ranks import SMALLEST_GROUP
from training.simulation.words import main_reason, presence, title_of

Written = Callable[[int], str]
"""Writes a period's ordinal."""
BIN = 5
"""Width of the classes of the distribution, in points."""
NOT_RANKED = f"not ranked: fewer than {SMALLEST_GROUP} scores in the peer group"
ALWAYS_TOLD = ("item", "adjustment")
"""Lines that are listed even where they are zero on both sides."""


def score_table(compared: Compared, written: Written, *, pool: Pool | None = None) -> pd.DataFrame:
    """Give one row a unit and period: the score, grade and rank before and after, and what moved it most.

    Returns
    -------
    pd.DataFrame
        `unit, name, period, region_type, peer_group, status, before, after, difference, grade_before, grade_after,
        rank_before, rank_after, ranked_of, rank_note`, with a pool `pool_before, pool_after, pool_fixed`, and
        `main_reason_en, main_reason_zh`. Ranks are among the units that have a score on both sides.
    """
    old, new, about = compared.old, compared.new, compared.about
    rank_before, rank_after, sizes = compared.ranks
    shown = np.isfinite(rank_before)
    reasons = [main_reason(compared, row) for row in range(len(about))]
    columns: dict[str, object] = {name: about[name] for name in ("unit", "name")}
    columns["period"] = periods_of(about["period"], written)
    columns |= {name: about[name] for name in ("region_type", "peer_group")}
    columns |= {
        "status": compared.status,
        "before": np.where(old.scored, old.tenths / 10, np.nan),
        "after": np.where(new.scored, new.tenths / 10, np.nan),
        "difference": np.where(compared.both, compared.difference / 10, np.nan),
        "grade_before": old.grade,
        "grade_after": new.grade,
        "rank_before": pd.array(np.where(shown, rank_before, np.nan), dtype="Int64"),
        "rank_after": pd.array(np.where(shown, rank_after, np.nan), dtype="Int64"),
        "ranked_of": pd.array(np.where(shown, sizes.astype(float), np.nan), dtype="Int64"),
        "rank_note": np.where(compared.both & ~shown, NOT_RANKED, "").astype(object),
    }
    if pool is not None:
        columns |= {"pool_before": pool.before, "pool_after": pool.after, "pool_fixed": pool.fixed}
    columns |= {"main_reason_en": [r.en for r in reasons], "main_reason_zh": [r.zh for r in reasons]}
    return pd.DataFrame(columns)


def reason_table(compared: Compared, written: Written) -> pd.DataFrame:
    """Give one row a unit, period and line; the differences of a score's lines add up to its own, to the cent.

    Returns
    -------
    pd.DataFrame
        `unit, period, kind, line, name_en, name_zh, weight_before, weight_after, before, after, difference, presence`,
        in points; only units that have a score on both sides.
    """
    old, new = compared.old, compared.new
    there = (old.present | new.present) & compared.both
    for number, line in enumerate(compared.lines):
        if line.kind not in ALWAYS_TOLD:
            there[number] &= (old.cents[number] != 0) | (new.cents[number] != 0)
    row, number = np.nonzero(there.T)
    titles = [title_of(compared, line) for line in compared.lines]
    told = np.array([[presence(b, a) for a in (False, True)] for b in (False, True)], dtype=object)

    def line_of(values: list[str]) -> np.ndarray:
        return np.array(values, dtype=object)[number]

    return pd.DataFrame(
        {
            "unit": compared.about["unit"].to_numpy()[row],
            "period": periods_of(compared.about["period"], written)[row],
            "kind": line_of([line.kind for line in compared.lines]),
            "line": line_of([line.key for line in compared.lines]),
            "name_en": line_of([title.en for title in titles]),
            "name_zh": line_of([title.zh for title in titles]),
            "weight_before": old.weights[number, row] / 100,
            "weight_after": new.weights[number, row] / 100,
            "before": old.cents[number, row] / 100,
            "after": new.cents[number, row] / 100,
            "difference": compared.moved[number, row] / 100,
            "presence": told[old.present[number, row].astype(int), new.present[number, row].astype(int)],
        }
    )


def distribution_table(compared: Compared) -> pd.DataFrame:
    """Count the scores in classes of `BIN` points before and after: `from, to, before, after`."""
    rows = compared.both
    if not rows.any():
        return pd.DataFrame(columns=["from", "to", "before", "after"])
    sides = [side.tenths[rows] // (BIN * 10) for side in (compared.old, compared.new)]
    low, high = (int(f(np.concatenate(sides))) for f in (np.min, np.max))
    counts = [np.bincount(side - low, minlength=high - low + 1) for side in sides]
    starts = np.arange(low, high + 1) * BIN
    return pd.DataFrame({"from": starts, "to": starts + BIN, "before": counts[0], "after": counts[1]})


def grade_table(compared: Compared) -> pd.DataFrame:
    """Count the moves between grades: `grade_before, grade_after, count`."""
    rows = compared.both & (compared.old.grade != "") & (compared.new.grade != "")
    frame = pd.DataFrame({"grade_before": compared.old.grade[rows], "grade_after": compared.new.grade[rows]})
    return frame.value_counts(sort=False).rename("count").reset_index()


def line_table(compared: Compared) -> pd.DataFrame:
    """Sum up what each line did: `kind, line, name_en, name_zh, mean, gain, lose`, the largest effect first.

    `mean` is over the units with a score on both sides, in points, and adds up to the mean change of the score; `gain`
    and `lose` count those that a line lifted or lowered.
    """
    rows = compared.both
    moved = compared.moved[:, rows]
    count = max(int(rows.sum()), 1)
    titles = [title_of(compared, line) for line in compared.lines]
    frame = pd.DataFrame(
        {
            "kind": [line.kind for line in compared.lines],
            "line": [line.key for line in compared.lines],
            "name_en": [title.en for title in titles],
            "name_zh": [title.zh for title in titles],
            "mean": moved.sum(axis=1) / 100 / count,
            "size": np.abs(moved).sum(axis=1) / 100 / count,
            "gain": (moved > 0).sum(axis=1),
            "lose": (moved < 0).sum(axis=1),
        }
    )
    return frame.sort_values("size", ascending=False, kind="stable").reset_index(drop=True)


def periods_of(ordinals: pd.Series, written: Written) -> np.ndarray:
    """Write periods, each ordinal once."""
    codes, unique = pd.factorize(ordinals)
    return np.array([written(int(ordinal)) for ordinal in unique], dtype=object)[codes]
