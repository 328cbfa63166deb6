"""The probability of one unit taken apart against its peers or its own last year, from the model that gave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from features.units import MIN_PEERS
from models.alert_story.drivers import Drivers, driver_players, told_drivers
from models.alert_story.phrases import Text, say, text_of
from models.deterioration.model import middle
from models.scoring.phrases import sentences
from training.warning.fitting import Fitted, columns
from training.warning.material import Material
from training.warning.watch import Watch

Against = Literal["peers", "last_year"]
AGAINST: tuple[Against, ...] = ("peers", "last_year")
"""What a probability may be compared with."""
MOST_READINGS = 12
"""Readings of the figures that are compared with those of now: one a month of the year, where they kept changing."""
SAME = 1e-4
"""Probabilities nearer than this are the same, told by the same model: figures are kept in single precision."""


@dataclass(frozen=True)
class Apart:
    """A probability taken apart, or why it is not.

    Attributes
    ----------
    drivers : Drivers or None
    reference : Text or None
        What it is held against, in words.
    notes : tuple of Text
    """

    drivers: Drivers | None
    reference: Text | None
    notes: tuple[Text, ...] = ()


def taken_apart(watch: Watch, unit: int, period: int, against: Against) -> Apart:
    """Take the probability of a unit (number) in a period (ordinal) apart."""
    fitted, row = model_of(watch, period), watch.row(period)
    if fitted is None or fitted.model is None or not fitted.answers:
        return Apart(None, None, (text_of(watch.answer.note if fitted is None else fitted.note),))
    material = watch.material
    chosen, kind = _held_against(material, row, unit, against)
    if not chosen.any():
        return Apart(None, None, (sentences([say("note.no_reference")]),))
    reference = middle(columns(material, fitted.names, chosen))
    own = np.zeros(chosen.shape, dtype=bool)
    own[row, unit] = True
    X = columns(material, fitted.names, own)
    players = driver_players(fitted.names)
    amounts, base = fitted.model.contributions(X, players=players, reference=reference)
    prediction, given = float(base[0] + amounts[0].sum()), float(watch.answer.probability[row, unit])
    if not abs(prediction - given) <= SAME:
        return Apart(None, None, (sentences([say("note.other_model")]),))
    drivers = told_drivers(
        players.names, amounts[0], base=float(base[0]), prediction=prediction, indicators=watch.snapshot.indicators
    )
    notes = (sentences([say("note.reference")]),) if against == "peers" and kind == "all" else ()
    return Apart(drivers, say(f"reference.{kind}"), notes)


def model_of(watch: Watch, period: int) -> Fitted | None:
    """Give the model that answered a period: the last one trained before it."""
    if watch.asked.hindsight:
        return watch.answer.last
    before = [fitted for fitted in watch.answer.models if fitted.origin < period]
    return max(before, key=lambda fitted: fitted.origin, default=None)


def restated(material: Material, codes: Iterable[str], unit: int, period: int) -> tuple[str, ...]:
    """Name the indicators of which a unit's figures changed within the last year after they were first used."""
    year = material.panel.calendar.per_year
    wanted = [code for code in dict.fromkeys(codes) if code in material.panel]
    spans = [v for v in material.vintages if v.last >= period - year and v.first <= period]
    found: set[str] = set()
    for before, after in list(pairwise(spans))[-MOST_READINGS:]:
        changed = {code for code in wanted if after.changed is None or code in after.changed} - found
        panel = before.panel if changed else material.panel
        rows = slice(0, min(before.last, period) - material.first + 1)
        for code in changed:
            then, now = panel.array(code)[rows, unit], material.panel.array(code)[rows, unit]
            known = np.isfinite(then) & np.isfinite(now)
            if (then[known] != now[known]).any():
                found.add(code)
    return tuple(code for code in wanted if code in found)


def _held_against(material: Material, row: int, unit: int, against: Against) -> tuple[np.ndarray, str]:
    """Mark the unit-periods whose middle is the reference, and name it."""
    chosen = np.zeros(material.leaves.shape, dtype=bool)
    if against == "last_year":
        before = row - material.panel.calendar.per_year
        if before >= 0:
            chosen[before, unit] = material.leaves[before, unit]
        return chosen, "last_year"
    groups = material.snapshot.tree.peer_groups()
    peers = material.leaves[row] & (groups == groups[unit])
    if peers.sum() >= MIN_PEERS:
        chosen[row] = peers
        return chosen, "peers"
    chosen[row] = material.leaves[row]
    return chosen, "all"
