"""A small bank that tests of levels and totals share."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree


def make_panel(*, regions: int = 2, leaves: int = 6, lag: int = 0, **changes: object) -> Panel:
    """Make a group of regions and branches with one monthly flow over five years."""
    calendar = Calendar("M")
    names = [f"R{r}" for r in range(regions)]
    branches = [(f"{r}-B{b}", r) for r in names for b in range(leaves)]
    frame = pd.DataFrame(
        {
            "unit": ["G", *names, *[b for b, _ in branches]],
            "parent": ["", *["G"] * regions, *[r for _, r in branches]],
        }
    )
    frame["name"] = frame["unit"]
    tree = UnitTree.from_frame(frame, calendar)
    fields = {"code": "FLOW", "name": {"en": "f", "zh": "量"}, "unit": "x", "direction": "higher", "kind": "flow"}
    indicator = Indicator.model_validate(fields | {"perspective": "performance", "publication_lag": lag} | changes)
    values = np.random.default_rng(4).uniform(5, 9, (60, len(tree)))
    values[:, tree.ever_parent] = np.nan
    first = calendar.parse("2019-01")
    return Panel(calendar, tree, IndicatorSet([indicator]), first, {"FLOW": values}, date(2023, 12, 31))
