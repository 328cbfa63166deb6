"""Panels with every kind of indicator, gaps, zeros, empty columns and parents without figures, to try features on."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from features.units import UnitTree


def indicator(code: str, **about: Any) -> Indicator:
    """Make an indicator, by default a stock that should rise."""
    given = {"unit": "CNY m", "direction": "higher", "kind": "stock", "perspective": "performance"} | about
    return Indicator.model_validate({"code": code, "name": {"en": code.title(), "zh": f"指标{code}"}} | given)


INDICATORS = IndicatorSet(
    [
        indicator("LOANS", role="loans"),
        indicator("PROFIT", kind="flow"),
        indicator("WRITEOFFS", kind="flow", direction="lower", role="write_offs", perspective="risk"),
        indicator(
            "NPL", unit="%", kind="ratio", direction="lower", denominator="LOANS", role="npl", perspective="risk"
        ),
        indicator("OVERDUE", unit="%", kind="ratio", direction="lower", perspective="risk", role="delinquency"),
        indicator("COVERAGE", unit="%", kind="ratio", direction="band", band=(100, 300), perspective="risk"),
        indicator("NPS", unit="pt", kind="level", perspective="customer"),
        indicator("COMPLAINTS", unit="n", kind="flow", direction="lower", perspective="customer"),
        indicator("GDP", perspective="context"),
        indicator("RATE", unit="%", kind="ratio", direction="lower", perspective="context"),
    ]
)


def make_tree(calendar: Calendar, leaves: int, *, parents: int = 2) -> UnitTree:
    """Make a root, some regions below it, and leaves spread over them in two peer groups."""
    regions = [f"R{number}" for number in range(parents)]
    branches = [f"B{number:03d}" for number in range(leaves)]
    frame = pd.DataFrame(
        {
            "unit": ["G", *regions, *branches],
            "parent": ["", *["G"] * parents, *[regions[number % parents] for number in range(leaves)]],
            "level": ["group", *["region"] * parents, *["branch"] * leaves],
            "peer_group": ["", *[""] * parents, *["large" if number % 3 else "small" for number in range(leaves)]],
            "region_type": "",
        }
    )
    return UnitTree.from_frame(frame.assign(name=frame["unit"]), calendar)


def make_panel(frequency: Frequency = "M", *, periods: int = 60, leaves: int = 18, seed: int = 0) -> Panel:
    """Make a panel: trends, seasons, 4% gaps, a late start, an empty column, zeros and negative figures."""
    rng = np.random.default_rng(seed)
    calendar = Calendar(frequency, 6 if seed % 2 else 12)
    tree = make_tree(calendar, leaves)
    units = len(tree)
    season = 1 + 0.2 * np.sin(np.arange(periods) * 2 * np.pi / max(2, calendar.per_year))[:, None]
    values = {}
    for each in INDICATORS.values():
        drift = np.cumsum(rng.normal(0.01, 0.05, (periods, units)), axis=0)
        if each.kind in ("flow", "stock"):
            figures = np.exp(drift + rng.normal(4, 1, units)) * (season if each.kind == "flow" else 1)
        else:
            figures = 3 + 10 * drift
        if each.code in ("COMPLAINTS", "WRITEOFFS"):
            figures = np.floor(figures / 8)
        if each.code == "PROFIT":
            figures[:, 4::5] -= 60
        figures[rng.random(figures.shape) < 0.04] = np.nan
        if each.perspective != "context":
            figures[:, :3] = np.nan
        figures[: periods // 3, -1] = np.nan
        figures[:, -2] = np.nan
        values[each.code] = figures
    return Panel(
        calendar,
        tree,
        INDICATORS,
        calendar.parse({"A": "2000", "Q": "2012-Q2", "M": "2015-03"}[frequency]),
        values,
        date(2030, 1, 1),
    )
