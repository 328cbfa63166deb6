"""Whether promised probabilities are kept: PIT by bins, attained against promised, before and after the year's shock.

Units of a year share its luck, so a promise of 70% is kept by far more than 70% of them in one year and far fewer in
another. That is no fault of the units' own spread. Taking the group's outcome as known separates the two.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.judging.metrics import attained, pit
from models.outcome.distribution import TargetDistribution

PIT_BINS = 10
"""Bins of the histogram; with a few hundred outcomes a year, each still holds dozens."""

PROMISES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities of attaining that are checked."""

FEWEST_FOR_COMMON = 5
"""With fewer outcomes the group's growth is not told apart from the units' own."""


def realised_common(found: TargetDistribution, actual: np.ndarray) -> float:
    """Give the common growth that the year brought, on the latent scale of the distribution.

    It is the median over units of how far the outcome lay from the unit's own expectation; NaN where fewer than
    `FEWEST_FOR_COMMON` units show it.

    Parameters
    ----------
    found : TargetDistribution
    actual : np.ndarray
        (U,) outcomes.
    """
    departure = found.transform.latent(actual) - found.location
    departure = departure[found.known & np.isfinite(departure)]
    return float(np.median(departure)) if len(departure) >= FEWEST_FOR_COMMON else float("nan")


def reliability(found: TargetDistribution, actual: np.ndarray) -> pd.DataFrame:
    """Tabulate how one distribution's probabilities were kept by the outcomes (U,).

    Returns
    -------
    pd.DataFrame
        `kind, point, n, share`. Of kind `pit`, `point` is the lower edge of a bin and `share` that of the outcomes in
        it. Of kind `attained`, `point` is the promised probability and `share` the share of units that attained their
        value; of kind `attained_given_group` the same once the group's growth of the year is taken as known.
    """
    shares = pit(found, actual)
    shares = shares[np.isfinite(shares)]
    if not len(shares):
        return pd.DataFrame(columns=["kind", "point", "n", "share"])
    counts = np.histogram(shares, bins=PIT_BINS, range=(0.0, 1.0))[0]
    rows = [("pit", k / PIT_BINS, len(shares), count / len(shares)) for k, count in enumerate(counts)]
    promises = {f"{promise:g}": promise for promise in PROMISES}
    asked = {"attained": found}
    common = realised_common(found, actual)
    if np.isfinite(common):
        asked["attained_given_group"] = found.given_common(common)
    for kind, distribution in asked.items():
        for name, hits in attained(distribution, actual, promises).items():
            seen = hits[np.isfinite(hits)]
            rows.append((kind, promises[name], len(seen), float(seen.mean())))
    return pd.DataFrame(rows, columns=["kind", "point", "n", "share"])
