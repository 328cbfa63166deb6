"""The catalogue of features, and named sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from features import calendar, context, peers, performance, risk, slow
from features.errors import LoadlineError
from features.feature import Feature, Step
from features.graph import FeatureGraph

MODULES = (performance, calendar, peers, risk, context, slow)
FEATURES: tuple[Feature, ...] = tuple(each for module in MODULES for each in module.FEATURES)
STEPS: tuple[Step, ...] = tuple(each for module in MODULES for each in module.STEPS)

_TARGETS = (
    *(
        "growth_1p",
        "growth_1y",
        "growth_3y",
        "momentum_1q",
        "acceleration",
        "short_against_long",
        "trend",
        "gap_to_year",
    ),
    *("volatility_1y", "volatility_3y", "drawdown", "own_z", "age", "unbroken", "known_share"),
    *("year_share", "new_year_days", "new_year_shift", "usual_pace", "pace_attainment", "projected_growth"),
    *("growth_to_date", "season", "season_points", "season_surprise", "season_surprise_points"),
    *("peer_gap", "peer_z", "peer_rank", "headroom", "peer_growth", "peer_growth_gap", "peer_growth_z"),
    *("parent_share", "parent_share_change", "relative_size", "context_deviation", "growth_above_context"),
)
_ALERTS = (
    *("growth_1p", "growth_1y", "growth_3y", "acceleration", "short_against_long", "volatility_1y", "gap_to_year"),
    *("own_z", "drawdown", "pace_attainment", "season_surprise", "season_surprise_points", "new_year_shift"),
    *("peer_gap", "peer_z", "peer_rank", "peer_growth_gap", "peer_growth_z", "parent_share_change", "relative_size"),
    *(each.name for each in risk.FEATURES),
    *("context_deviation", "growth_above_context", "known_share", "unbroken", "age"),
)

SETS: Mapping[str, tuple[str, ...]] = {
    "all": tuple(each.name for each in FEATURES),
    "targets": _TARGETS,
    "alerts": _ALERTS,
}
"""Names of features: all, those that say what a unit can achieve (free of its size), those that tell rising risk."""


@cache
def catalogue() -> FeatureGraph:
    """Give the graph of every feature."""
    return FeatureGraph((*STEPS, *FEATURES))


def feature_set(name: str) -> tuple[str, ...]:
    """List the features of a set.

    Raises
    ------
    LoadlineError
        Where there is no such set.
    """
    if name not in SETS:
        raise LoadlineError(f"there is no feature set {name!r}", hint=f"Sets: {', '.join(SETS)}.")
    return SETS[name]
