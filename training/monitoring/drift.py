"""Drift of columns: the newest year's figures of all units beside those of the years learned from, place for place.

Units of a year share its luck. A test that takes ten thousand units for ten thousand witnesses rejects every year; what
counts is how much past years differed from one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.monitoring.noise import adjusted, departure

BINS = 10
"""Of the stability index, each with a tenth of what was learned from: the usual number in credit risk."""
LEAST_SHARE = 1e-3
"""An empty bin counts as a thousandth, or the index would be infinite for one missing unit."""
FEWEST_UNITS = 8
"""A year with fewer units shows no distribution."""
FEWEST_YEARS = 2
"""Whatever a rule says: one year has no usual difference from others."""
TESTS = 3
"""Of a column: its middle, its spread and its distribution as a whole; the smallest p-value counts three times."""
TO_NORMAL = 1.349
"""Distance of a normal distribution's quartiles in standard deviations."""
MEDIAN_ERROR, SPREAD_ERROR = 1.253, 1.166
"""Standard errors, times the root of the number of units: of the median in standard deviations, and of the logarithm of
the quartiles' distance, both of a normal distribution."""
MATERIAL = 0.10
"""Stability index below which a shift does not matter, however steady past years were: the usual limit in credit risk.
What chance alone gives so many units comes on top (`chance_index`)."""


@dataclass(frozen=True, eq=False)
class Column:
    """Figures of one column, a row a year at the same place of each.

    Attributes
    ----------
    name : str
    values : np.ndarray
        (T, U) NaN where not known; the last row is the newest year.
    learned : np.ndarray
        (T,) booleans: years that the model learned from.
    """

    name: str
    values: np.ndarray
    learned: np.ndarray


def drifts(columns: Iterable[Column], *, least_years: int) -> tuple[dict[str, Any], ...]:
    """Hold the newest year of each column against the years learned from.

    Returns
    -------
    tuple of dict
        A row a column, the most unusual first: `name, units, years`; `middle, usual_middle, spread_of_middles`;
        `spread, usual_spread` (robust standard deviations across units); `psi, usual_psi` (stability index of the
        newest year, and of the median past year against the others); `ks` (largest distance of the two distributions)
        and `usual_ks`; `material`: whether the index is large enough to matter; `p` and `adjusted_p`, corrected for the
        number of columns. Columns with fewer than
        `least_years` years of `FEWEST_UNITS` units have no `p`.
    """
    rows = [_row(column, least_years) for column in columns]
    raised = adjusted(np.array([row["p"] for row in rows], dtype=float))
    rows = [row | {"adjusted_p": float(p)} for row, p in zip(rows, raised, strict=True)]
    return tuple(sorted(rows, key=lambda row: (not np.isfinite(row["p"]), row["p"], row["name"])))


def _row(column: Column, least_years: int) -> dict[str, Any]:
    values = column.values
    counts = np.isfinite(values).sum(axis=1)
    enough = counts >= FEWEST_UNITS
    past = [_sorted(values[t]) for t in np.flatnonzero(column.learned & enough) if t != len(values) - 1]
    row: dict[str, Any] = {"name": column.name, "units": int(counts[-1]), "years": len(past)}
    if len(past) < max(least_years, FEWEST_YEARS) or not enough[-1]:
        nothing = ("middle", "usual_middle", "spread_of_middles", "spread", "usual_spread")
        figures = (*nothing, "psi", "usual_psi", "ks", "usual_ks", "p")
        return row | dict.fromkeys(figures, float("nan")) | {"material": False}
    newest = _sorted(values[-1])
    size, root = _size(past), np.sqrt(min(len(newest), *(len(year) for year in past)))
    typical = float(np.median([_spread(year) for year in past]))
    middle = departure(_middle(newest), np.array([_middle(year) for year in past]), least=MEDIAN_ERROR * typical / root)
    spread = departure(
        float(np.log(_spread(newest) + size)),
        np.array([np.log(_spread(year) + size) for year in past]),
        least=SPREAD_ERROR / root,
    )
    others = [_sorted(np.concatenate([*past[:t], *past[t + 1 :]])) for t in range(len(past))]
    every = _sorted(np.concatenate(past))
    usual_psi = np.array([stability_index(year, rest) for year, rest in zip(past, others, strict=True)])
    usual_ks = np.array([distance(year, rest) for year, rest in zip(past, others, strict=True)])
    psi, ks = stability_index(newest, every), distance(newest, every)
    whole = departure(float(np.log(psi + LEAST_SHARE)), np.log(usual_psi + LEAST_SHARE), sides=1)
    smallest = min(middle.p, spread.p, whole.p)
    return row | {
        "middle": middle.newest,
        "usual_middle": middle.usual,
        "spread_of_middles": middle.spread,
        "spread": _spread(newest),
        "usual_spread": typical,
        "psi": psi,
        "usual_psi": float(np.median(usual_psi)),
        "ks": ks,
        "usual_ks": float(np.median(usual_ks)),
        "p": min(TESTS * smallest, 1.0),
        "material": bool(psi >= MATERIAL + chance_index(len(newest), len(every))),
    }


def stability_index(newest: np.ndarray, learned: np.ndarray) -> float:
    """Give the population stability index of two sorted samples, in bins of equal share of the second.

    >>> import numpy as np
    >>> stability_index(np.arange(100.0), np.arange(100.0))
    0.0
    """
    edges = np.unique(np.quantile(learned, np.arange(1, BINS) / BINS))
    shares = [_shares(sample, edges) for sample in (newest, learned)]
    return float(np.sum((shares[0] - shares[1]) * np.log(shares[0] / shares[1])))


def chance_index(newest: int, learned: int) -> float:
    """Give the stability index to be expected of samples of one distribution (B. Yurdakul, 2018)."""
    return (BINS - 1) * (1 / newest + 1 / learned)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Give the largest distance of the distribution functions of two sorted samples (Kolmogorov, Smirnov)."""
    at = np.concatenate([first, second])
    below = [np.searchsorted(sample, at, side="right") / len(sample) for sample in (first, second)]
    return float(np.max(np.abs(below[0] - below[1])))


def _shares(sample: np.ndarray, edges: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
    return np.maximum(counts / len(sample), LEAST_SHARE)


def _sorted(row: np.ndarray) -> np.ndarray:
    return np.sort(row[np.isfinite(row)])


def _middle(sample: np.ndarray) -> float:
    return float(np.median(sample))


def _spread(sample: np.ndarray) -> float:
    low, high = np.quantile(sample, (0.25, 0.75))
    return float(high - low) / TO_NORMAL


def _size(past: list[np.ndarray]) -> float:
    """Give a hundredth of the usual spread, so that the logarithm of a year without any is a number."""
    usual = float(np.median([_spread(year) for year in past]))
    return usual / 100 or np.finfo(float).eps
