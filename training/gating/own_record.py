"""What a challenger's own past origins show: year by year, and whether its promises were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.judging.reliability import PROMISES
from models.levels import Level
from models.outcome.distribution import TargetLevels
from models.outcome.target import TargetModel
from training.gating.comparison import Promise
from training.gating.paired import FEWEST_CLUSTERS, Paired, means


def own_record(levels: Sequence[Level], models: Mapping[str, TargetModel]) -> list[dict[str, Any]]:
    """Gather what the challenger's models say of their own past origins, a row an origin and level."""
    return [
        dict(row) | {"part": number}
        for number, level in enumerate(levels)
        if level.key in models
        for row in models[level.key].test.get("by_origin", ())
    ]


def _attained(row: Mapping[str, Any], probability: float) -> float:
    shares = [np.nan if share is None else share for share in row["attained"]]
    return float(np.interp(probability, PROMISES, shares))


def promises_of(record: Sequence[Mapping[str, Any]], promised: TargetLevels) -> tuple[Promise, ...]:
    """Hold the shares that attained against the probabilities promised; each year has one vote."""
    out = []
    for name, probability in promised.as_dict().items():
        gap = np.array([_attained(row, probability) - probability for row in record])
        seen = np.isfinite(gap)
        year, part = (np.array([row[key] for row in record])[seen] for key in ("year", "part"))
        each = means(gap[seen], year, part) if seen.any() else np.zeros(0)
        count, units = len(each), len(np.unique(part))
        enough = count >= FEWEST_CLUSTERS
        error = float(each.std(ddof=1) / np.sqrt(count)) if enough else None
        mean = float(each.mean()) if count else None
        out.append(Promise(name, probability, Paired(mean, error, count, units, "origins" if enough else "none")))
    return tuple(out)


def by_year(record: Sequence[Mapping[str, Any]], promised: TargetLevels) -> dict[int, dict[str, Any]]:
    """Average the challenger's own record over indicators, year by year; losses geometrically."""
    out: dict[int, dict[str, Any]] = {}
    for year in sorted({row["year"] for row in record}):
        rows = [row for row in record if row["year"] == year]
        ratios = [np.log(row["loss_ratio"]) for row in rows if row["loss_ratio"]]
        coverage = [row["coverage"] for row in rows if row["coverage"] is not None]
        attained = {
            f"attained_{name}": _mean([_attained(row, probability) for row in rows])
            for name, probability in promised.as_dict().items()
        }
        out[int(year)] = {
            "parts": len(rows),
            "outcomes": sum(row["outcomes"] for row in rows),
            "loss_ratio": float(np.exp(np.mean(ratios))) if ratios else None,
            "coverage": _mean(coverage),
        } | attained
    return out


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None
