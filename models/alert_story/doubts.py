"""What would make an alert a false alarm, and what a reviewer could look at next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from features.indicators import Title
from features.units import MIN_PEERS
from models.alert_story.figures import Figure
from models.alert_story.patterns import FAILING, Pattern
from models.alert_story.phrases import Text, as_clause, say, text_of
from models.scoring.phrases import joined

DoubtKind = Literal["innocent", "disturbance", "restated", "short", "peers", "record"]

SHORT_MONTHS = 24
"""Below two years of figures, a season has been seen once at most."""
FEW_PEERS = 10
"""Among fewer others, one unusual peer moves the middle and the spread."""


@dataclass(frozen=True)
class Doubt:
    """A reason for which an alert may be a false alarm.

    Attributes
    ----------
    kind : {"innocent", "disturbance", "restated", "short", "peers", "record"}
        What would have to be true; what else moved the figures; what is wanting in them, or in the pattern's record.
    code : str
        Of the pattern, disturbance or indicator.
    text : Text
    """

    kind: DoubtKind
    code: str
    text: Text


def doubts_of(
    patterns: Iterable[Pattern],
    figures: Sequence[Figure],
    *,
    disturbed: Sequence[tuple[str, Title]] = (),
    restated: Iterable[str] = (),
) -> tuple[Doubt, ...]:
    """List the doubts: what would explain each pattern first, then what moved the figures, then what they want.

    Parameters
    ----------
    patterns : iterable of Pattern
        Those that are told.
    figures : sequence of Figure
        Behind them.
    disturbed : sequence of (code, words)
        What happened in the unit that moves figures though it is not its doing.
    restated : iterable of str
        Indicators whose figures of the last year were restated.
    """
    found, told = [], list(patterns)
    for pattern in told:
        innocent = text_of(pattern.detector.innocent)
        found.append(Doubt("innocent", pattern.detector.code, say("doubt.innocent", text=as_clause(innocent))))
    found += [Doubt("disturbance", code, say("doubt.disturbance", what=text_of(words))) for code, words in disturbed]
    for pattern in told:
        record = pattern.record
        if record is not None and record.verdict in FAILING:
            text = say("doubt.weak_record", title=pattern.title, verdict=record.verdict_text)
            found.append(Doubt("record", pattern.detector.code, text))
    by_code = {figure.indicator.code: figure for figure in figures}
    again = [code for code in dict.fromkeys(restated) if code in by_code]
    if again:
        names = joined(text_of(by_code[code].indicator.name) for code in again)
        found.append(Doubt("restated", ";".join(again), say("doubt.restated", list=names)))
    found += [doubt for figure in by_code.values() for doubt in _wanting(figure)]
    return tuple(found)


def next_looks(patterns: Iterable[Pattern]) -> tuple[Text, ...]:
    """Say what a reviewer could look at next, one thing for each family of patterns."""
    families = dict.fromkeys(pattern.detector.family for pattern in patterns)
    return tuple(say(f"look.{family}") for family in families) or (say("look.none"),)


def _wanting(figure: Figure) -> list[Doubt]:
    code, name = figure.indicator.code, text_of(figure.indicator.name)
    found = []
    if figure.months < SHORT_MONTHS:
        found.append(Doubt("short", code, say("doubt.short", name=name, months=str(figure.months))))
    if figure.peers + 1 < MIN_PEERS:
        found.append(Doubt("peers", code, say("doubt.no_peers", name=name)))
    elif figure.peers < FEW_PEERS:
        found.append(Doubt("peers", code, say("doubt.few_peers", name=name, count=str(figure.peers))))
    return found
