"""What a change of figures asks of targets: by how much they would have to move to ask for as much as before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from features.snapshot import Snapshot
from features.years import year_figures
from training.simulation.setting import Setting

LEVELS = ("floor", "target", "stretch")


def moved_targets(setting: Setting, other: Snapshot, since: Sequence[int], codes: Sequence[str]) -> pd.DataFrame | None:
    """Tell how far the figures of each fiscal year move, and targets with them.

    Returns
    -------
    pd.DataFrame or None
        `unit, indicator, year, figure_before, figure_after, factor`, and, where targets are given, `target_before,
        target_after`: the target times the factor. Units whose figures stay are left out. None where no fiscal year
        that the change is in is complete.
    """
    calendar = setting.snapshot.description.calendar
    years = sorted({int(calendar.year(period)) for period in since})
    ends = [e for e in (calendar.last_of_year(year) for year in years) if e <= setting.snapshot.span[1]]
    if not ends:
        return None
    day, wanted = setting.known_on or date.max, list(dict.fromkeys(codes))
    panels = [source.panel(ends[-1], known_on=day, indicators=wanted) for source in (setting.snapshot, other)]
    made = []
    for code in wanted:
        before, after = (year_figures(panel, code).value for panel in panels)
        for end in ends:
            row = end - panels[0].first
            old, new = before[row], after[row]
            rows = np.flatnonzero(np.isfinite(old) & np.isfinite(new) & (old != new))
            with np.errstate(divide="ignore"):
                factor = np.where(old[rows] != 0, new[rows] / old[rows], np.nan)
            made.append(
                pd.DataFrame(
                    {
                        "unit": panels[0].units.to_numpy()[rows],
                        "indicator": code,
                        "year": int(calendar.year(end)),
                        "figure_before": old[rows],
                        "figure_after": new[rows],
                        "factor": factor,
                    }
                )
            )
    table = pd.concat(made, ignore_index=True)
    if setting.asked is None or table.empty:
        return table
    given = setting.asked[["unit", "indicator", "year", "target"]].rename(columns={"target": "target_before"})
    table = table.merge(given, on=["unit", "indicator", "year"], how="left")
    return table.assign(target_after=table["target_before"] * table["factor"])
