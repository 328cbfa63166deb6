"""How targets stand within the year: what is in, what would be in on pace, and the probability of attaining each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.in_year.time_progress import TimeProgress, pace_ratio
from models.joint.drawn import DrawnDistribution
from models.levels import Level
from models.outcome.distribution import TargetDistribution

SHOWN_QUANTILES = (0.1, 0.5, 0.9)
"""The year's likely outcome: the 80% band and its middle."""

GIVEN = ("target", "floor", "stretch")
"""Values of a target that may be asked about; the target always is."""


def level_outlook(
    level: Level,
    distribution: TargetDistribution | DrawnDistribution,
    targets: Mapping[str, np.ndarray],
    *,
    begun: bool,
) -> pd.DataFrame:
    """Say of every unit of a level how its target stands.

    Parameters
    ----------
    level : Level
    distribution : TargetDistribution or DrawnDistribution
        Of the year's outcome, given what is in.
    targets : mapping of str to np.ndarray
        `target`, and perhaps `floor` and `stretch`: (U,) values, NaN for a unit that has none.
    begun : bool
        True where the origin lies inside the year.

    Returns
    -------
    pd.DataFrame
        One row a unit: `unit, indicator, year, to_date, expected_by_now, pace_ratio`, the quantiles, `p_attain`,
        perhaps `p_floor` and `p_stretch`, `evidence`.
    """
    progress = TimeProgress.of(level, begun=begun)
    target = np.asarray(targets["target"], dtype=float)
    expected = progress.expected_by_now(target)
    frame: dict[str, object] = {
        "unit": level.problem.units.astype(str),
        "indicator": level.indicator.code,
        "year": level.problem.asked,
        "target": target,
        "to_date": progress.to_date,
        "expected_by_now": expected,
        "pace_ratio": pace_ratio(progress.to_date, expected),
    }
    frame |= {f"q{q:g}": distribution.quantile(q) for q in SHOWN_QUANTILES}
    frame["p_attain"] = distribution.attain(target)
    for name in ("floor", "stretch"):
        if name in targets:
            frame[f"p_{name}"] = distribution.attain(np.asarray(targets[name], dtype=float))
    return pd.DataFrame(frame | {"evidence": distribution.evidence})


def value_at_each(distribution: TargetDistribution | DrawnDistribution, probability: np.ndarray) -> np.ndarray:
    """Give the value (U,) that each unit attains with a probability of its own (U,); NaN where that is NaN."""
    lower = distribution.indicator.direction == "lower"
    asked = np.isfinite(probability)
    share = np.where(asked, probability if lower else 1 - probability, 0.5)
    if isinstance(distribution, TargetDistribution) and distribution.indicator.band is None:
        return np.where(asked, distribution.quantile_each(share), np.nan)
    found = np.full(len(probability), np.nan)
    for chance in np.unique(probability[asked]):
        here = probability == chance
        found[here] = distribution.value_at(float(chance))[here]
    return found
