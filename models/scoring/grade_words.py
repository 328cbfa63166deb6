"""What would lift a score to the next grade, in words."""

from __future__ import annotations

from models.scoring.engine import CardScores
from models.scoring.gaps import figure_text, own_decimals, telling_apart
from models.scoring.gates import STATED_STEP
from models.scoring.next_grade import FigureChange, Hold, NextGrade
from models.scoring.phrases import Text, hundredths, joined, say, tenths

TOLD = 3
"""Ways that are told: the smallest changes."""


def next_grade_texts(found: NextGrade, scores: CardScores) -> list[Text]:
    """Tell how far the next grade is and what leads there, as clauses; none without score or grades.

    Parameters
    ----------
    found : NextGrade
    scores : CardScores
        Of the same row.
    """
    if found.obstacle in ("no_score", "no_grades"):
        return []
    if found.better is None:
        return [say("next.best_grade")]
    gap = hundredths(found.gap * STATED_STEP)
    told = [say("next.gap", grade=found.better, start=tenths(found.needed), gap=gap)]
    told += [_hold(hold, scores) for hold in found.holds]
    if found.obstacle is not None:
        return [*told, say(f"next.{found.obstacle}")]
    ways = found.ways[:TOLD]
    alone = [way for way in ways if len(way.changes) == 1]
    clearing = {(hold.indicator, hold.to) for hold in found.holds}
    if len(alone) == 1 and (alone[0].changes[0].indicator, alone[0].changes[0].to) in clearing:
        return [*told, say("next.enough")]
    if alone:
        listed = joined((change_text(way.changes[0], scores) for way in alone), "sentence.separator")
        return [*told, say("next.ways" if len(alone) > 1 else "next.way", list=listed)]
    listed = joined((change_text(change, scores) for change in ways[0].changes), "sentence.separator")
    return [*told, say("next.together", list=listed)]


def change_text(change: FigureChange, scores: CardScores) -> Text:
    """Tell a change of one figure: `NPL ratio from 2.37% to 2.1%`."""
    indicator = scores.indicators[change.indicator]
    decimals = telling_apart(own_decimals(indicator), change.figure, change.to)  # rounded, it might not reach
    now, to = (figure_text(indicator, value, decimals) for value in (change.figure, change.to))
    return say("next.change", name=indicator.name.model_dump(), figure=now, to=to)


def _hold(hold: Hold, scores: CardScores) -> Text:
    title = next(gate.title for gate in scores.policy.gates if gate.id == hold.gate).model_dump()
    if hold.indicator is None or hold.to is None or hold.figure is None:
        return say("next.hold.stays", title=title)
    change = change_text(FigureChange(hold.indicator, hold.figure, hold.to), scores)
    return say("next.hold", title=title, change=change)
