"""Scores as parts that add up to them exactly: weight x points, adjustments, limits, gates, rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.scoring.conditions import YES
from models.scoring.engine import CardScores
from models.scoring.gates import STATED_STEP

PartKind = Literal["item", "adjustment", "limits", "gate", "rounding"]


@dataclass(frozen=True, eq=False)
class WaterfallPart:
    """One part of the N scores of a scorecard.

    Attributes
    ----------
    kind : {"item", "adjustment", "limits", "gate", "rounding"}
    key : str
        An item's indicator, an adjustment's or gate's id; the kind itself for limits and rounding.
    number : int
        Place among the scorecard's items or adjustments, or the policy's gates; 0 for limits and rounding.
    cents : np.ndarray
        (N,) what it adds.
    there : np.ndarray
        (N,) bool: rows that have a score and in which it stands.
    """

    kind: PartKind
    key: str
    number: int
    cents: np.ndarray
    there: np.ndarray


def waterfall(scores: CardScores) -> tuple[WaterfallPart, ...]:
    """Take the scores of a scorecard apart.

    All items stand in all rows with a score; adjustments and gates where they act, limits and rounding where they
    change something. The cents of the parts that stand in a row add up to its stated score, `scores.tenths * 10`.
    """
    return tuple(_parts(scores))


def _parts(scores: CardScores) -> Iterator[WaterfallPart]:
    scored = scores.scored
    for number, item in enumerate(scores.card.items):
        yield WaterfallPart("item", item.indicator, number, scores.items[number], scored)
    for number, adjustment in enumerate(scores.card.adjustments):
        acts = scores.adjustment_state[number] == YES
        yield WaterfallPart("adjustment", adjustment.id, number, scores.adjustments[number], scored & acts)
    cents = scores.bonus - scores.malus - scores.adjustments.sum(axis=0)
    yield WaterfallPart("limits", "limits", 0, cents, scored & (cents != 0))
    for number, gate in enumerate(scores.policy.gates):
        cents = scores.running[number + 1] - scores.running[number]
        yield WaterfallPart("gate", gate.id, number, cents, scored & (cents != 0))
    cents = scores.tenths * STATED_STEP - scores.gated
    yield WaterfallPart("rounding", "rounding", 0, cents, scored & (cents != 0))
