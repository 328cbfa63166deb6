"""Outcomes that a dataset or a reviewer states: what is known of them on a day, and from when on."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd

from features.panel import Panel

DEFAULT_MONTHS = 12
"""An outcome whose name tells no horizon is taken to be about the year ahead."""

_MONTHS = {"y": 12, "q": 3, "m": 1}
_HORIZON = re.compile(r"(?<![0-9])(\d{1,2})[ _-]?(y|q|m)(?:ears?|rs?|uarters?|trs?|onths?|ths?|o|s)?(?![a-z])")


def horizon_periods(outcome: str, per_year: int) -> int:
    """Read how far ahead an outcome looks from its name, such as `crisis_within_2y` or `failed_4q`, in periods.

    >>> horizon_periods("crisis_within_2y", 4), horizon_periods("failure in 4 quarters", 4), horizon_periods("bad", 12)
    (8, 4, 12)
    """
    found = _HORIZON.search(outcome.lower())
    months = int(found[1]) * _MONTHS[found[2]] if found else DEFAULT_MONTHS
    return max(1, -(-months * per_year // 12))


def stated(outcomes: pd.DataFrame, panel: Panel, *, known_by: date) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Lay stated outcomes out on the rows of a panel, as they were known on a day.

    Of several outcomes of one unit and period any that came true counts; of one outcome stated more than once, what
    was known last. Undated outcomes are known once their horizon has passed.

    Parameters
    ----------
    outcomes : pd.DataFrame
        `unit`, `period`, `outcome`, `value`, `known_on` (blank or a day).
    panel : Panel
    known_by : date
        `date.max` for all.

    Returns
    -------
    y : np.ndarray
        (P, U) float32 of 0, 1, NaN.
    known_from : np.ndarray
        (P, U) ordinals of the first period at whose end this was known; 0 where nothing is.
    horizon : int
        The longest, in periods.
    dated : bool
        Whether every outcome says when it became known.
    """
    calendar, shape = panel.calendar, (len(panel.ordinals), len(panel.tree))
    y, known_from = np.full(shape, np.nan, dtype=np.float32), np.zeros(shape, dtype=np.int64)
    names = list(dict.fromkeys(outcomes["outcome"].astype(str)))
    spans = {name: horizon_periods(name, calendar.per_year) for name in names}
    days = outcomes["known_on"].fillna("").astype(str)
    if not len(outcomes):
        return y, known_from, horizon_periods("", calendar.per_year), False
    parse = {text: calendar.parse(text) for text in outcomes["period"].astype(str).unique()}
    rows = pd.DataFrame(
        {
            "row": outcomes["period"].astype(str).map(parse) - panel.first,
            "unit": panel.units.get_indexer(pd.Index(outcomes["unit"].astype(str))),
            "outcome": outcomes["outcome"].astype(str),
            "value": outcomes["value"].astype(float),
            "day": days,
        }
    )
    containing = {text: calendar.containing(date.fromisoformat(text)) for text in days.unique() if text}
    late = rows["row"] + panel.first + rows["outcome"].map(spans)
    rows["from"] = rows["day"].map(containing).fillna(late).astype(np.int64)
    if known_by != date.max:
        dated_by = (rows["day"] != "") & (rows["day"] <= known_by.isoformat())
        undated_by = (rows["day"] == "") & (rows["from"] <= calendar.last_complete(known_by))
        rows = rows[dated_by | undated_by]
    rows = rows[(rows["row"] >= 0) & (rows["row"] < shape[0]) & (rows["unit"] >= 0)]
    rows = rows.sort_values(["from", "day"], kind="stable").drop_duplicates(["row", "unit", "outcome"], keep="last")
    for value in (0.0, 1.0):  # the second pass overrides: any that came true counts
        of_value = rows[rows["value"] == value]
        first = of_value.groupby(["row", "unit"])["from"].agg("max" if value == 0.0 else "min").reset_index()
        at = (first["row"].to_numpy(), first["unit"].to_numpy())
        y[at], known_from[at] = value, first["from"].to_numpy()
    return y, known_from, max(spans.values()), bool((days != "").all())
