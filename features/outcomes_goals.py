"""The small tables of a dataset: what later happened, and goals to be broken down."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches
from features.indicators import Indicator, IndicatorSet
from features.periods import EXAMPLES, Calendar
from features.reading import as_text, is_regular, read_table
from features.rows import EPOCH, NOT_GIVEN, RowReader
from features.units import UnitTree


def read_outcomes(path: Path, tree: UnitTree, calendar: Calendar, breaches: Breaches) -> pd.DataFrame:
    """Read `outcomes.csv` as a frame: `unit`, `period`, `outcome`, `value`, `known_on` (blank where not given)."""
    if not path.exists() or not is_regular(path, breaches):
        return pd.DataFrame(columns=["unit", "period", "outcome", "value", "known_on"])
    reader = RowReader(tree, IndicatorSet(()), calendar, breaches)
    frames = []
    for rows in read_table(
        path, required=["unit", "period", "outcome", "value"], optional=["known_on"], breaches=breaches
    ):
        unit = reader.look_up(path.name, rows, "unit", reader.units, "a unit of units.csv")
        period = reader.look_up(
            path.name, rows, "period", reader.periods, f"a period such as {EXAMPLES[calendar.frequency]}"
        )
        value, days = reader.values(path.name, rows), reader.days(path.name, rows)
        odd = np.flatnonzero(np.isfinite(value) & ~np.isin(value, (0.0, 1.0)))
        breaches.add_rows(
            path.name, rows.lines[odd], "value", lambda i, v=value, o=odd: v[o[i]], expected="0 or 1", hint=""
        )
        frames.append(
            pd.DataFrame(
                {
                    "unit": tree.codes[np.maximum(unit, 0)],
                    "period": as_text(rows.columns["period"]).to_pylist(),
                    "outcome": as_text(rows.columns["outcome"]).to_pylist(),
                    "value": value,
                    "known_on": [
                        "" if d in (NOT_GIVEN, NOT_GIVEN + 1) else date.fromordinal(int(d) + EPOCH).isoformat()
                        for d in days
                    ],
                    "line": rows.lines,
                    "known": (unit >= 0) & (period >= 0),
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["unit", "period", "outcome", "value", "known_on"])
    frame = pd.concat(frames, ignore_index=True)
    _note_repeats(path.name, frame[frame["known"]], ["unit", "period", "outcome", "known_on"], breaches)
    return frame.drop(columns=["line", "known"])


def read_goals(path: Path, tree: UnitTree, indicators: IndicatorSet, breaches: Breaches) -> pd.DataFrame:
    """Read `goals.csv` as a frame: `unit`, `indicator`, `year`, `value`.

    A goal is for a unit that has others below it, on an indicator that may have targets.
    """
    columns = ["unit", "indicator", "year", "value"]
    if not path.exists() or not is_regular(path, breaches):
        return pd.DataFrame(columns=columns)
    years = Calendar("A")
    reader = RowReader(tree, indicators, years, breaches)
    frames = []
    for rows in read_table(path, required=columns, optional=[], breaches=breaches):
        unit = reader.look_up(path.name, rows, "unit", reader.units, "a unit of units.csv")
        indicator = reader.look_up(path.name, rows, "indicator", reader.indicators, "an indicator of indicators.yaml")
        year = reader.look_up(path.name, rows, "year", reader.periods, "a year such as 2025")
        value = reader.values(path.name, rows)
        for at in np.flatnonzero((unit >= 0) & ~tree.ever_parent[unit]):
            hint = "A goal is broken down to the units below; this one has none."
            breaches.add(
                path.name,
                rows.lines[at],
                "unit",
                tree.codes[unit[at]],
                expected="a unit that has units below it",
                hint=hint,
            )
        for at in np.flatnonzero(indicator >= 0):
            definition: Indicator = indicators[str(reader.codes[indicator[at]])]
            if not definition.is_target:
                hint = "It is only monitored, or describes the surroundings."
                breaches.add(
                    path.name,
                    rows.lines[at],
                    "indicator",
                    definition.code,
                    expected="an indicator that may have targets",
                    hint=hint,
                )
        good = (unit >= 0) & (indicator >= 0) & (year >= 0)
        frames.append(
            pd.DataFrame(
                {
                    "unit": tree.codes[unit[good]],
                    "indicator": reader.codes[indicator[good]],
                    "year": year[good],
                    "value": value[good],
                    "line": rows.lines[good],
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(frames, ignore_index=True)
    _note_repeats(path.name, frame, ["unit", "indicator", "year"], breaches)
    return frame[columns]


def _note_repeats(file: str, frame: pd.DataFrame, key: list[str], breaches: Breaches) -> None:
    again = frame[frame.duplicated(key)]
    shown = again[key].astype(str).agg(", ".join, axis=1) if len(again) else pd.Series(dtype=object)
    breaches.add_rows(
        file,
        again["line"].to_numpy(),
        ", ".join(key),
        shown.iloc.__getitem__,
        expected="each key once",
        hint="Remove one of the two.",
    )
