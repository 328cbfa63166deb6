"""Whether targets are as reachable for one group of units as for another: by region, size, volatility, past growth.

A target at a probability of 60% is fair where any group attains it about as often as any other. The gap between units
that grew little and units that grew much is the ratchet seen from its consequence (Weitzman 1980): where targets chase
past growth, those who grew most miss most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from features.units import MIN_PEERS, UnitTree
from models.levels import Level
from models.outcome.growth import choose_transform
from models.outcome.history import row_median

RECENT_YEARS = 3
"""Past growth is the mean of this many years at most: what a planner remembers."""

FEWEST_STEPS = 3
"""Years of growth without which nothing is said of a unit's volatility."""

SMALLEST_GROUP = MIN_PEERS
"""Smaller groups are not shown: their share says little and may give a unit away."""

FEWEST_YEARS = 3
"""With fewer years there is nothing to resample, so no interval."""

DRAWS = 2_000
"""Bootstrap draws: the ends of a 90% interval are then good to about half a point."""

INTERVAL = (0.05, 0.95)

TERCILES = ("low", "middle", "high")
DESCRIBED = ("region_type", "peer_group")
MEASURED = ("size", "volatility", "past_growth")
DIMENSIONS = (*DESCRIBED, *MEASURED)
"""What units are grouped by, the described ones by name, the measured ones by terciles."""

GAP, SLOPE = "gap", "slope"
"""Rows of a fairness table beside the groups: largest difference within a dimension, and the ratchet's slope."""


def unit_groups(level: Level, tree: UnitTree) -> pd.DataFrame:
    """Group a level's units by what is known of them at the origin.

    Parameters
    ----------
    level : Level
    tree : UnitTree

    Returns
    -------
    pd.DataFrame
        One row a unit of the level: `region_type`, `peer_group` (as described), `size` (denominator of a ratio, last
        figure of an amount), `volatility` (deviation of own past growth from the group's), `past_growth` (mean over
        the last years, upwards meaning better), each `low`, `middle` or `high`; and `growth_rank` (0 to 1, from the
        slowest to the fastest). Blank and NaN where not known or where groups would be too small.
    """
    problem = level.problem
    described = tree.attributes.iloc[level.numbers]
    groups = pd.DataFrame({name: described[name].astype(str).to_numpy() for name in DESCRIBED}, index=problem.units)
    latent = choose_transform(problem.indicator, problem.base).latent(problem.base)
    if problem.indicator.direction == "band":
        low, high = problem.indicator.band or (-np.inf, np.inf)
        latent = -np.maximum(np.maximum(low - problem.base, problem.base - high), 0.0)
    steps = np.diff(latent, axis=0) * (-1.0 if problem.indicator.direction == "lower" else 1.0)
    steps = steps - row_median(steps)
    count = np.isfinite(steps).sum(axis=0)
    own = np.where(np.isfinite(steps), steps, 0.0)
    mean = own.sum(axis=0) / np.maximum(count, 1)
    deviation = np.sqrt(np.where(np.isfinite(steps), (steps - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count - 1, 1))
    recent = np.isfinite(steps[-RECENT_YEARS:]).sum(axis=0)
    growth = np.where(recent > 0, own[-RECENT_YEARS:].sum(axis=0) / np.maximum(recent, 1), np.nan)
    groups["size"] = terciles(_size(level))
    groups["volatility"] = terciles(np.where(count >= FEWEST_STEPS, deviation, np.nan))
    groups["past_growth"] = terciles(growth)
    groups["growth_rank"] = pd.Series(growth, index=groups.index).rank(pct=True)
    return groups


def _size(level: Level) -> np.ndarray:
    problem = level.problem
    if problem.weight is not None:
        return problem.weight[-1]
    if problem.size is not None:
        return problem.size
    amount = problem.indicator.kind in ("flow", "stock")
    return np.abs(problem.base[-1]) if amount else np.full(len(problem.units), np.nan)


def terciles(values: np.ndarray) -> np.ndarray:
    """Label values (U,) by thirds; blank where NaN, or throughout where a third would be too small a group.

    >>> terciles(np.arange(15.0)).tolist()[::7]
    ['low', 'middle', 'high']
    """
    known = np.isfinite(values)
    labels = np.full(len(values), "", dtype=object)
    if known.sum() < len(TERCILES) * SMALLEST_GROUP:
        return labels
    cuts = np.quantile(values[known], [1 / 3, 2 / 3])
    labels[known] = np.array(TERCILES, dtype=object)[np.searchsorted(cuts, values[known], side="left")]
    return labels


def attainment_counts(
    groups: pd.DataFrame, promised: Mapping[str, np.ndarray], hits: Mapping[str, np.ndarray] | None = None
) -> pd.DataFrame:
    """Add up what was promised to each group and, where outcomes are known, what it attained.

    Parameters
    ----------
    groups : pd.DataFrame
        As `unit_groups` gives them, U rows.
    promised : mapping of str to np.ndarray
        For each target level the probability (U,) with which each unit attains its target; NaN where it has none.
    hits : mapping of str to np.ndarray, optional
        For each target level whether it did (U,): 1, 0, NaN where not known.

    Returns
    -------
    pd.DataFrame
        `dimension, group, target_level, n, promised, attained`, the last two as sums (`attained` NaN without
        outcomes); groups of fewer than five units are left out. The row `past_growth`, `slope` holds n times the slope
        of the attained and promised on the rank of past growth.
    """
    rows = []
    rank = groups["growth_rank"].to_numpy(dtype=float)
    for name, chance in promised.items():
        seen = np.isfinite(chance)
        came = np.full(len(chance), np.nan)
        if hits is not None:
            came = hits[name]
            seen = seen & np.isfinite(came)
        for dimension in DIMENSIONS:
            labels = groups[dimension].to_numpy()
            for label in sorted({str(text) for text in labels[seen]} - {""}):
                mine = seen & (labels == label)
                if mine.sum() >= SMALLEST_GROUP:
                    rows.append((dimension, label, name, int(mine.sum()), chance[mine].sum(), came[mine].sum()))
        ranked = seen & np.isfinite(rank)
        if ranked.sum() >= len(TERCILES) * SMALLEST_GROUP and np.ptp(rank[ranked]) > 0:
            n, centred = int(ranked.sum()), rank[ranked] - rank[ranked].mean()
            slopes = [float(centred @ part[ranked] / (centred @ centred)) for part in (chance, came)]
            rows.append(("past_growth", SLOPE, name, n, n * slopes[0], n * slopes[1]))
    table = pd.DataFrame(rows, columns=["dimension", "group", "target_level", "n", "promised", "attained"])
    return table.astype({"n": int, "promised": float, "attained": float})  # also where no group is large enough


def fairness_table(
    counts: pd.DataFrame, *, by: Sequence[str] = ("indicator", "level"), seed: int = 0, draws: int = DRAWS
) -> pd.DataFrame:
    """Turn counts into shares, each group against the others, with intervals from resampling years.

    Units share a year's luck, so years and not units are resampled (a cluster bootstrap). With a handful of years the
    intervals are rough; with fewer than three there are none.

    Parameters
    ----------
    counts : pd.DataFrame
        As `attainment_counts` gives them, with a `year` and the columns of `by`. Without outcomes (a plan), the shares
        attained and their intervals are NaN, and groups are compared by what they are promised.
    by : sequence of str
        What to keep apart; an empty one puts everything together.
    seed, draws : int

    Returns
    -------
    pd.DataFrame
        `*by, dimension, group, target_level, years, n, promised, attained, versus_others, low, high`: shares between 0
        and 1, `versus_others` the share of the group less that of the dimension's other groups, `low` and `high` its
        90% interval. The row `gap` of a dimension: the low less the high third (the ratchet gap, for past growth), or
        for described groups the most less the least often attaining one. The row `slope`: how much more often the
        unit of fastest past growth attains than the slowest, along a straight line.
    """
    columns = [*by, "dimension", "group", "target_level", "years", "n", "promised", "attained"]
    columns += ["versus_others", "low", "high"]
    rows: list[dict[str, object]] = []
    for key, part in counts.groupby([*by, "dimension", "target_level"], sort=True):
        names = [*by, "dimension", "target_level"]
        named: dict[str, object] = {name: value for name, value in zip(names, key, strict=True)}  # noqa: C416
        rows += [named | row for row in _dimension(part, np.random.default_rng(seed), draws=draws)]
    return pd.DataFrame(rows, columns=columns)


def _dimension(part: pd.DataFrame, rng: np.random.Generator, *, draws: int) -> list[dict[str, object]]:
    """Compare the groups of one dimension."""
    sums = part.groupby(["group", "year"], sort=True)[["n", "promised", "attained"]].sum(min_count=1)
    years = sums.index.get_level_values("year").unique().sort_values()
    judged = bool(sums["attained"].notna().all())
    names = [str(name) for name in sums.index.get_level_values("group").unique()]
    table = {
        name: sums.loc[name].reindex(years)[["n", "promised", "attained"]].fillna(0.0).to_numpy() for name in names
    }
    weights = rng.multinomial(len(years), np.full(len(years), 1 / len(years)), size=draws).astype(float)
    column = 2 if judged else 1

    def share(counted: np.ndarray, weighted: np.ndarray) -> np.ndarray:
        total = weighted @ counted[:, 0]
        return np.where(total > 0, weighted @ counted[:, column] / np.maximum(total, 1), np.nan)

    def row(name: str, counted: np.ndarray, other: np.ndarray | None) -> dict[str, object]:
        once = np.ones((1, len(years)))
        n = float(counted[:, 0].sum())
        difference = share(counted, once) - (share(other, once) if other is not None else 0.0)
        spread = share(counted, weights) - (share(other, weights) if other is not None else 0.0)
        spread = spread[np.isfinite(spread)]
        ends = np.quantile(spread, INTERVAL) if judged and len(years) >= FEWEST_YEARS and len(spread) else (np.nan,) * 2
        return {
            "group": name,
            "years": int((counted[:, 0] > 0).sum()),
            "n": int(n),
            "promised": counted[:, 1].sum() / n,
            "attained": counted[:, 2].sum() / n if judged else np.nan,
            "versus_others": float(difference[0]),
            "low": float(ends[0]),
            "high": float(ends[1]),
        }

    groups = [name for name in names if name != SLOPE]
    everyone = np.sum([table[name] for name in groups], axis=0)
    rows = [row(name, table[name], everyone - table[name] if len(groups) > 1 else None) for name in groups]
    if len(groups) == 1:
        rows[0] |= {"versus_others": np.nan, "low": np.nan, "high": np.nan}
    if pair := _pair(groups, {str(r["group"]): r for r in rows}, "attained" if judged else "promised"):
        first, second = (table[name] for name in pair)
        gap = row(GAP, first, second)
        between = {str(r["group"]): r for r in rows}
        gap["n"] = int(first[:, 0].sum() + second[:, 0].sum())
        for name in ("promised", "attained"):
            gap[name] = between[pair[0]][name] - between[pair[1]][name]  # type: ignore[operator]
        rows.append(gap)
    if SLOPE in table:
        rows.append(row(SLOPE, table[SLOPE], None))
    return rows


def _pair(groups: Sequence[str], rows: Mapping[str, Mapping[str, object]], by: str) -> tuple[str, str] | None:
    """Choose the two groups whose difference is the gap: the ends of an order, or the most and the least favoured."""
    if set(groups) <= set(TERCILES):
        return ("low", "high") if {"low", "high"} <= set(groups) else None
    if len(groups) < 2:
        return None
    ordered = sorted(groups, key=lambda name: (rows[name][by], name))  # type: ignore[arg-type, return-value]
    return ordered[-1], ordered[0]
