"""Which features a deterioration model is given, and which way each is known to point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.indicators import Indicator
from features.matrix import SEPARATOR
from features.panel import Panel
from features.sets import catalogue

FEW_POSITIVES = 300
"""Positives below which the richest set is not offered: each column is one more chance to be taken in."""
FEW_COLUMNS = 160
"""Columns at most where positives are few."""
MOST_COLUMNS = 240
LEAST_COLUMNS = 40
MOST_FIGURES = 100_000_000
"""Figures (periods x units x columns) held at a time: 400 MB in single precision."""
LONG_YEARS = 15
"""Years from which averages over all units are offered: over fewer they name the year and are learned by heart."""
LEAST_KNOWN = 0.02
"""An indicator must be known in such a share of the figures of leaves."""

CORE = (
    *("level", "growth_1y", "own_z", "peer_rank", "peer_growth_gap", "gap_to_year", "worsening_6m"),
    *("lagged_ratio_change", "net_formation"),
)
SLOW = (
    *CORE,
    *("growth_2y", "growth_5y", "volatility_3y", "acceleration", "dilution", "formation", "peer_gap"),
    *("worsening_12m_z", "distance_to_worst", "growth_last_year_then_worsening"),
)
RICH = (
    *SLOW,
    *("growth_3y", "worsening_3m", "short_against_long", "volatility_1y", "drawdown", "peer_z", "peer_growth_z"),
    *("risk_above_growth", "growth_less_worsening", "growth_then_worsening", "season_surprise"),
    *("season_surprise_points", "pace_attainment", "parent_share_change", "relative_size", "growth_above_context"),
)
COMMON = ("common_level", "common_growth_2y", "context_deviation")
"""What all units live in."""

PERSPECTIVES = ("risk", "performance", "context", "compliance", "customer", "people", "social")
"""Whose indicators are kept first where not all can be."""

WORSENING = frozenset(f"worsening_{span}" for span in ("1m", "3m", "6m", "12m", "6m_z", "12m_z")) | {
    "growth_then_worsening",
    "growth_last_year_then_worsening",
    "risk_above_growth",
}
"""Features that are higher where risk rises, whatever the indicator's own direction."""
OF_BAD_THINGS = frozenset({"lagged_ratio", "lagged_ratio_change", "net_formation", "formation"})
AS_THE_FIGURE = frozenset(
    {"level", "growth_1y", "growth_2y", "own_z", "gap_to_year", "peer_rank", "peer_gap", "peer_z"}
    | {"peer_growth_gap", "peer_growth_z", "year_average"}
)
"""Features that point the way the figure itself does."""
HARMFUL = ("risk", "compliance", "customer", "people")
"""Perspectives in which a worse figure is a worse sign. In performance it need not be: abnormal growth is one."""


def chosen_columns(panel: Panel, positives: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name what to compute for a panel: as much as the positives can carry and memory can hold.

    Parameters
    ----------
    panel : Panel
    positives : int
        Rows after which a unit deteriorated.

    Returns
    -------
    indicators : tuple of str
        Codes, the most telling perspectives first.
    features : tuple of str
        Names in the catalogue. What an indicator is not meant for is left out when they are computed.
    """
    frames = max(1, len(panel.ordinals) * len(panel.tree))
    most = FEW_COLUMNS if positives < FEW_POSITIVES else MOST_COLUMNS
    most = int(np.clip(MOST_FIGURES // frames, LEAST_COLUMNS, most))
    codes = _by_interest(panel)
    long = len(panel.ordinals) >= LONG_YEARS * panel.calendar.per_year
    features: tuple[str, ...] = ()
    for offered in (SLOW, CORE) if positives < FEW_POSITIVES else (RICH, SLOW, CORE):
        features = (*offered, *(COMMON if long else ()))
        if _count(panel, codes, features) <= most:
            return codes, features
    while len(codes) > 1 and _count(panel, codes, features) > most:
        codes = codes[:-1]
    return codes, features


def _count(panel: Panel, codes: Sequence[str], features: Sequence[str]) -> int:
    return len(catalogue().columns(panel, codes, features)[0])


def _by_interest(panel: Panel) -> tuple[str, ...]:
    """Order the indicators that are known at all: by perspective, those with a role first, then by code."""
    leaves = ~panel.tree.ever_parent

    def rank(code: str) -> tuple[int, bool, str]:
        spec = panel.indicator(code)
        return PERSPECTIVES.index(spec.perspective), spec.role is None, code

    known = [code for code in panel.codes if np.isfinite(panel.array(code)[:, leaves]).mean() >= LEAST_KNOWN]
    return tuple(sorted(known or panel.codes, key=rank))


def directions(panel: Panel, names: Sequence[str]) -> np.ndarray:
    """Say which way each column points (F,): +1 where a higher figure is worse, -1 where better, 0 where unsaid."""
    return np.array([_direction(panel, name) for name in names], dtype=np.int8)


def _direction(panel: Panel, name: str) -> int:
    code, _, feature = name.rpartition(SEPARATOR)
    if feature in WORSENING:
        return 1
    if feature == "distance_to_worst":
        return -1
    if code not in panel.indicators:
        return 0
    spec: Indicator = panel.indicators[code]
    if feature in OF_BAD_THINGS and spec.direction == "lower":
        return 1
    if feature in AS_THE_FIGURE and spec.perspective in HARMFUL:
        return {"lower": 1, "higher": -1}.get(spec.direction, 0)
    return 0
