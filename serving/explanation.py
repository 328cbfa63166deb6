"""A row of the kept suggestions as an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from features.indicators import Indicator
from models.reasons import steps
from models.rounding import shares
from models.wording import (
    AGAINST_WORDS,
    COURSE_NOTES,
    STEP_WORDS,
    course_part_words,
    course_sentence,
    target_sentence,
)
from serving.console.formats import decimals_of

if TYPE_CHECKING:
    from models.explanation.own_course import Against, Course

VERSIONS = ("model_version", "policy_version", "data_version")
"""Columns that every suggestion carries."""


def explained(row: Mapping[Any, Any], indicator: Indicator) -> dict[str, Any]:
    """Lay a row of the kept table out as an explanation; see `serving.suggesting.Suggesting.explain_target`."""
    decimals = _decimals(row)
    way = steps(row, decimals=decimals)
    observed, target = row["last_actual"] == row["last_actual"], float(row["target"])
    last = round(float(row["last_actual"]), decimals) if observed else None
    text = target_sentence(
        indicator, way, last=last, target=target, probability=float(row["p_target"]), decimals=decimals
    )
    return {
        **{name: row[name] for name in ("unit", "indicator", "year")},
        "unit_of_measure": indicator.unit,
        "base_value": last,
        "prediction": target,
        "probability": float(row["p_target"]),
        "drivers": [{"code": step.code, "amount": step.amount, "text": STEP_WORDS[step.code]} for step in way],
        "text": text,
        **{name: row[name] for name in ("evidence", *VERSIONS)},
    }


def with_course(row: Mapping[Any, Any], indicator: Indicator, course: Course | None, against: Against | None) -> dict:
    """Add to an explanation what sets the unit's own course apart from a reference.

    Parameters
    ----------
    row : Mapping
        Of the kept table.
    indicator : Indicator
    course : Course or None
        Of the unit's level; None where it is added up from what is below.
    against : str, optional
        What to hold the unit against; by default its peers, else all units, else its own last year.

    Returns
    -------
    dict
        That of `explained`, its driver `own_course` with `parts` (each `code`, `amount`, `text`) and `scaled`; and
        `against` (`kind`, `units`, `digest`, `text`; None where no part depends on it), `notes`.

    Raises
    ------
    LoadlineError
        Where the reference asked for does not exist.
    """
    told, unit = explained(row, indicator), str(row["unit"])
    told |= {"against": None, "notes": []}
    driver = next((driver for driver in told["drivers"] if driver["code"] == "own_course"), None)
    chosen = against if against is not None or course is None else course.usual_reference(unit)
    parts = None if course is None or chosen is None else course.parts(unit, chosen)
    if course is None or chosen is None or parts is None or driver is None:
        note = "total" if course is None else "few" if chosen is None else "no_start"
        return told | {"notes": [COURSE_NOTES[note]]}
    decimals = _decimals(row)
    amounts = shares(np.array([*parts.amounts.values()]), driver["amount"], decimals=decimals)
    shown = dict(zip(parts.amounts, map(float, amounts), strict=True))
    held = chosen if parts.told_apart else None
    texts = {code: course_part_words(code, held) for code in shown}
    driver["parts"] = [{"code": code, "amount": shown[code], "text": texts[code]} for code in shown]
    driver["scaled"] = True
    if held is None:
        told["notes"] = [COURSE_NOTES["pooled"]]
    else:
        about = {"kind": held, "units": parts.units, "digest": parts.reference.digest}
        told["against"] = about | {"text": AGAINST_WORDS[held]}
    sentence = course_sentence(shown, total=driver["amount"], against=held, decimals=decimals)
    blank = {"en": " ", "zh": ""}
    told["text"] = {language: told["text"][language] + blank[language] + sentence[language] for language in blank}
    return told


def _decimals(row: Mapping[Any, Any]) -> int:
    return decimals_of([float(row[name]) for name in ("floor", "target", "stretch") if row[name] == row[name]])
