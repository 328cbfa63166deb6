"""An alert told as a whole, in four to six sentences for someone who has to decide whether to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.alert_story.certainty import Certainty
from models.alert_story.doubts import Doubt
from models.alert_story.drivers import OTHERS, Drivers
from models.alert_story.figures import Figure
from models.alert_story.patterns import Pattern
from models.alert_story.phrases import Text, as_clause, followed, percent, say
from models.scoring.phrases import LANGUAGES, joined, sentences
from models.scoring.story import period_text

TOLD_FIGURES, TOLD_DRIVERS, TOLD_DOUBTS = 2, 3, 2
"""What is told of each: the text is to be read, the tables have them all."""
TOLD_UNITS = 5
"""Units of a group that are named."""


@dataclass(frozen=True)
class Standing:
    """How the unit stands in the period.

    Attributes
    ----------
    unit : Text
        Its name.
    period : str
    listed : bool
    severity : str
        `amber`, `red` or blank.
    title : Text
        Of the alert; used where it is listed.
    since : str or None
        Period in which the alert was raised, where that is not this one.
    by_probability : bool
        The list rests on the probability, so that it may hold units of which no pattern is met.
    """

    unit: Text
    period: str
    listed: bool
    severity: str
    title: Text
    since: str | None = None
    by_probability: bool = False


@dataclass(frozen=True)
class Performance:
    """How well the unit performs.

    Attributes
    ----------
    high : bool
        At the year's pace at least, and ahead of most peers.
    held : bool
        The same now, or within the last half year.
    attainment, rank : float or None
        The year so far over its pace; share of the peers that perform less well.
    """

    high: bool
    held: bool
    attainment: float | None
    rank: float | None


@dataclass(frozen=True)
class Basis:
    """What the answer rests on: the data version, and the day as of which figures were known (ISO)."""

    data_version: int
    known_on: str


def alert_story(
    standing: Standing,
    *,
    performance: Performance,
    patterns: Sequence[Pattern],
    figures: Sequence[Figure],
    probability: float | None,
    drivers: Drivers | None,
    reference: Text,
    certainty: Certainty,
    doubts: Sequence[Doubt],
    basis: Basis,
) -> Text:
    """Tell an alert, or why there is none, to someone without training.

    Parameters
    ----------
    standing : Standing
    performance : Performance
    patterns : sequence of Pattern
        Those met first.
    figures : sequence of Figure
        Behind them, the most telling first.
    probability : float or None
    drivers : Drivers or None
        Parts of the probability; None where it is not taken apart.
    reference : Text
        What the probability is held against.
    certainty : Certainty
    doubts : sequence of Doubt
    basis : Basis
    """
    told = [_chained([followed(_begun(standing, patterns), _patterns(standing, patterns)), *_performed(performance)])]
    if figures:
        told.append(say("story.figures", list=joined((f.text for f in figures[:TOLD_FIGURES]), "sentence.separator")))
    if probability is not None or standing.listed:
        told.append(_probability(probability, drivers, reference))
    told.append(certainty.text)
    innocent = [doubt.text for doubt in doubts if doubt.kind == "innocent"][:TOLD_DOUBTS]
    key = "story.innocent" if standing.listed else "story.innocent.unlisted"
    doubted = [say(key, list=joined(innocent, "sentence.separator"))] if innocent else []
    doubted += [doubt.text for doubt in doubts if doubt.kind == "disturbance"][:1]
    told += [_chained(doubted)] if doubted else []
    told.append(say("story.caution", version=str(basis.data_version), day=basis.known_on))
    return sentences(told)


def group_story(unit: Text, period: str, *, units: int, listed: Sequence[Text], basis: Basis) -> Text:
    """Tell how the units below a unit stand; `listed` names those on the list, the most concerning first."""
    count = {"count": f"{units:,}", "listed": f"{len(listed):,}"}
    told = say("story.group", unit=spaced(unit), period=period_text(period), **count)
    if listed:
        told = followed(told, say("story.group.names", list=joined(listed[:TOLD_UNITS])))
    caution = say("story.caution", version=str(basis.data_version), day=basis.known_on)
    return sentences([told, say("story.group.how"), caution])


def spaced(name: Text) -> Text:
    """Set a name in Latin letters apart from the Chinese text that follows it."""
    return name | {"zh": name["zh"] + " "} if name["zh"][-1:].isascii() else name


def _begun(standing: Standing, patterns: Sequence[Pattern]) -> Text:
    filled: dict[str, Text | str] = {"unit": spaced(standing.unit), "period": period_text(standing.period)}
    if not standing.listed:
        return say("story.unlisted", **filled)
    since: Text | str = "" if standing.since is None else say("story.since", period=period_text(standing.since))
    severity = say(f"severity.{standing.severity or 'none'}")
    title = standing.title
    if not any(pattern.met for pattern in patterns):
        title = say("story.probable" if standing.by_probability else "story.together")
    return say("story.listed", severity=severity, since=since, title=title, **filled)


def _patterns(standing: Standing, patterns: Sequence[Pattern]) -> Text:
    met = [pattern for pattern in patterns if pattern.met]
    shown = [pattern.title for pattern in met if not (standing.listed and pattern.title == standing.title)]
    if shown:
        return say("story.met", list=joined(shown))
    if met:
        return dict.fromkeys(LANGUAGES, "")
    if patterns:
        return say("story.nearest", title=as_clause(patterns[0].title))
    return say("story.silent")


def _performed(performance: Performance) -> list[Text]:
    if performance.attainment is None or performance.rank is None:
        return []
    key = "story.performance" if performance.high else "story.performance.before"
    key = key if performance.held else "story.performance.not"
    return [say(key, attainment=percent(performance.attainment), rank=percent(performance.rank))]


def _probability(probability: float | None, drivers: Drivers | None, reference: Text) -> Text:
    if probability is None:
        return say("story.probability.none")
    if drivers is None:
        return say("story.probability.only", probability=percent(probability))
    shown = {"probability": percent(drivers.prediction), "base": percent(drivers.base_value)}
    told = say("story.probability", reference=reference, **shown)
    parts = [part.text for part in drivers.parts if part.code != OTHERS and part.amount][:TOLD_DRIVERS]
    return followed(told, say("story.drivers", list=joined(parts))) if parts else told


def _chained(texts: Sequence[Text]) -> Text:
    return joined(texts, "sentence.separator")
