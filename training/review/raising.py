"""Putting alerts on record as they are shown: new ones and changed ones, each state once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import pandas as pd

from training.review.entry import Entry, Shown
from training.review.record import Clock, Record, append, unnumbered
from training.review.sampling import Draw

PROGRAM = "loadline"
"""In whose name alerts are raised: no person does."""
RESTS_ON = (
    *("dataset", "data_version", "fingerprint", "model_version", "policy_version", "as_of", "known_on"),
    *("level", "budget", "labels"),
)
"""What is kept of what the alerts rest on."""


def record_raised(
    home: str | Path,
    dataset: str,
    alerts: pd.DataFrame,
    about: Mapping[str, Any],
    clock: Clock,
    *,
    draw: Draw | None = None,
) -> tuple[str, ...]:
    """Put on record what is shown: alerts that are new, and those that differ from when they were last shown.

    All of it is one line, so that it is there as a whole or not at all; where nothing is new, nothing is written.

    Parameters
    ----------
    alerts : pd.DataFrame
        A row an alert: `alert, unit, first, last, period, score, probability, severity, detectors, title, title_zh,
        open, sampled`, and `p_value, q_value` where known.
    about : Mapping
        What they rest on; `RESTS_ON` is kept.
    clock : callable
        Gives the time, with its zone.
    draw : Draw, optional
        Drawn from below the line; left out where a draw of its period is on record.

    Returns
    -------
    tuple of str
        Keys of the alerts that were written.
    """
    listed = Shown.of_table(alerts)
    kept = {name: _plain(about[name]) for name in RESTS_ON if name in about}

    def make(record: Record) -> Entry | None:
        drawn = draw if draw is not None and all(draw.period != past.period for past in record.draws) else None
        rows = () if drawn is None else Shown.of_table(drawn.rows)
        known = record.cases
        offered = {shown.alert: shown for shown in [*rows, *listed]}  # what is on the list is shown as such
        new = [s for key, s in offered.items() if key not in known or known[key].shown != s]
        if not new and drawn is None:
            return None
        given = {
            "alerts": [shown.as_dict() for shown in new],
            "about": kept,
            "drawn": None if drawn is None else drawn.as_dict(),
        }
        return unnumbered(PROGRAM, "raised", given=given)

    entry = append(home, dataset, clock=clock, make=make)
    return () if entry is None else tuple(plain["alert"] for plain in entry.given["alerts"])


def _plain(value: object) -> object:
    """Give what JSON can hold: counts and shares as numbers, days and the like as text."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, str)) else str(value)
