"""One score as lines that add up to it exactly: weight x points, adjustments, limits, gates, rounding."""

from __future__ import annotations

from dataclasses import dataclass

from features.errors import LoadlineError
from models.scoring.comparison import LineKind
from models.scoring.conditions import YES
from models.scoring.engine import CardScores
from models.scoring.gates import STATED_STEP
from models.scoring.points import SCORED


@dataclass(frozen=True, slots=True)
class WaterfallLine:
    """A line of a score.

    Attributes
    ----------
    kind : {"item", "adjustment", "limits", "gate", "rounding"}
    key : str
        An item's indicator, an adjustment's or gate's id; the kind itself for limits and rounding.
    cents : int
        What it adds.
    total : int
        Cents of all lines up to it.
    weight, points : int or None
        Of an item, in hundredths; no points where it was not scored.
    """

    kind: LineKind
    key: str
    cents: int
    total: int
    weight: int | None = None
    points: int | None = None


def waterfall(scores: CardScores, row: int) -> tuple[WaterfallLine, ...]:
    """Lay out one row's score.

    All items have a line; adjustments, limits and gates where they act, rounding where it changes something.

    Parameters
    ----------
    scores : CardScores
    row : int
        Its place in these scores.

    Returns
    -------
    tuple of WaterfallLine
        The cents add up to the stated score, `scores.tenths[row] * 10`.

    Raises
    ------
    LoadlineError
        Where the row has no score.
    """
    if not scores.scored[row]:
        raise LoadlineError("there is no score to take apart", hint="Too many of its items lack figures.")
    lines: list[WaterfallLine] = []
    total = 0

    def add(kind: LineKind, key: str, cents: int, **more: int | None) -> None:
        nonlocal total
        total += int(cents)
        lines.append(WaterfallLine(kind, key, int(cents), total, **more))

    for number, item in enumerate(scores.card.items):
        points = int(scores.points[number, row]) if scores.state[number, row] == SCORED else None
        weight = int(scores.weights[number, row])
        add("item", item.indicator, scores.items[number, row], weight=weight, points=points)
    for number, adjustment in enumerate(scores.card.adjustments):
        if scores.adjustment_state[number, row] == YES:
            add("adjustment", adjustment.id, scores.adjustments[number, row])
    if total != scores.raw[row]:
        add("limits", "limits", scores.raw[row] - total)
    for number, gate in enumerate(scores.policy.gates):
        before, after = scores.running[number : number + 2, row]
        if before != after:
            add("gate", gate.id, after - before)
    stated = int(scores.tenths[row]) * STATED_STEP
    if stated != total:
        add("rounding", "rounding", stated - total)
    return tuple(lines)
