"""A unit's score as an answer, alone and beside a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from models.scoring.attribution import attribute
from models.scoring.engine import CardScores
from models.scoring.factor_words import ToldChain, told_chains
from models.scoring.gaps import AGAINST, Against
from models.scoring.grade_words import change_text, next_grade_texts
from models.scoring.next_grade import FigureChange, next_grade
from models.scoring.next_grade import NextGrade as FoundGrade
from models.scoring.phrases import Text, say, sentences
from models.scoring.references import reference_of
from models.scoring.sentences import Reason, reasons_of
from models.scoring.story import by_control, drags, lifts, missing_items, period_text, score_story, trend_text
from serving.schemas import IndicatorName, UnitName
from serving.score_basis import Course, ScoreBasis
from serving.score_lines import points, score_gates, score_lines, sentence
from serving.score_schemas import (
    ByControl,
    FactorChain,
    FactorShare,
    GradeHold,
    GradeMove,
    GradeWay,
    NextGrade,
    Score,
    ScoreDriver,
    ScoreExplanation,
    ScoreVersions,
    TrendPoint,
)

ROW = 0
"""The unit's place in scores of its own."""


def score_answer(basis: ScoreBasis, scores: CardScores, unit: str) -> Score:
    """Give a unit's score with its lines."""
    return Score.model_validate(_score_fields(basis, scores, unit))


def default_against(basis: ScoreBasis) -> Against:
    """Choose what a score is compared with where nobody says: targets where they are at hand, else peers."""
    return "peers" if basis.scores.targets is None else "target"


def explained_score(
    basis: ScoreBasis,
    scores: CardScores,
    unit: str,
    *,
    against: Against,
    course: Course,
) -> ScoreExplanation:
    """Explain a unit's score against a reference.

    Parameters
    ----------
    basis : ScoreBasis
    scores : CardScores
        The unit's, by themselves; see `ScoreBasis.row`.
    unit : str
    against : {"target", "last_year", "peers"}
    course : Course
        See `serving.score_basis.ScoreBases.course`.
    """
    assert against in AGAINST
    attribution = attribute(scores, reference_of(scores.facts, against))
    explained = bool(attribution.explained[ROW])
    reasons = reasons_of(attribution, ROW) if explained else ()
    comparable = explained and any(reason.compared and reason.gap is not None for reason in reasons)
    base = int(attribution.then.tenths[ROW]) if comparable else None
    trend = _trend(course, unit)
    better = next_grade(scores, ROW)
    next_texts = next_grade_texts(better, scores)
    known = [(period_text(point.period), round(point.score * 10)) for point in trend if point.score is not None]
    told = [text for text in (trend_text(known),) if text is not None]
    story = score_story(
        scores,
        ROW,
        unit=_name(basis, unit),
        period=period_text(basis.period),
        reference_tenths=base,
        against=against,
        reasons=reasons,
        extra=[*_silence(reasons, against, comparable=comparable), *next_texts, *told],
    )
    chains = told_chains(scores.policy.factors, scores.facts, scores.indicators, row=ROW, against=against)
    own, given = by_control(reasons)
    rules = sum(reason.cents for reason in reasons if reason.controllable is None)
    return ScoreExplanation.model_validate(
        _score_fields(basis, scores, unit)
        | {
            "against": against,
            "base_value": None if base is None else base / 10,
            "prediction": _stated(scores),
            "drivers": [_driver(reason, scores) for reason in reasons],
            "lifts": [reason.code for reason in lifts(reasons)],
            "drags": [reason.code for reason in drags(reasons)],
            "by_control": ByControl(controllable=points(own), environmental=points(given), rules=points(rules)),
            "next_grade": _next_grade(better, scores, next_texts),
            "trend": trend,
            "factors": [_chain(told) for told in chains],
            "text": sentence(story),
        }
    )


def _score_fields(basis: ScoreBasis, scores: CardScores, unit: str) -> dict[str, object]:
    scored = bool(scores.scored[ROW])
    versions, closed, name = basis.network.versions, basis.closed, _name(basis, unit)
    grade = int(scores.grade[ROW])
    return {
        "unit": unit,
        "name": UnitName(en=name["en"], zh=_chinese(basis, unit)),
        "period": basis.period,
        "scorecard": scores.card.id,
        "scorecard_name": sentence(scores.card.title),
        "score": _stated(scores),
        "grade": scores.policy.grades[grade].name if grade >= 0 else None,
        "raw": points(int(scores.raw[ROW])) if scored else None,
        "gated": points(int(scores.gated[ROW])) if scored else None,
        "assessed_weight": points(int(scores.assessed[ROW])),
        "lines": score_lines(scores, ROW) if scored else [],
        "gates": score_gates(scores, ROW) if scored else [],
        "missing": [sentence(text) for text in missing_items(scores, ROW)],
        "notes": list(basis.scores.notes),
        "versions": ScoreVersions(
            data_version=versions.data_version,
            policy_version=versions.policy,
            policy_note=basis.scores.policy_note,
            model_version=versions.targets,
            known_on=versions.known_on,
            closed_version=None if closed is None else closed.version,
        ),
    }


def _stated(scores: CardScores) -> float | None:
    return int(scores.tenths[ROW]) / 10 if scores.scored[ROW] else None


def _next_grade(found: FoundGrade, scores: CardScores, told: Sequence[Text]) -> NextGrade | None:
    if not told:
        return None
    names = {gate.id: gate.title for gate in scores.policy.gates}
    return NextGrade(
        grade=found.better,
        start=None if found.better is None else found.needed / 10,
        gap=None if found.better is None else found.gap / 10,
        holds=[
            GradeHold(
                gate=hold.gate,
                name=sentence(names[hold.gate]),
                change=None
                if hold.indicator is None or hold.figure is None or hold.to is None
                else _move(FigureChange(hold.indicator, hold.figure, hold.to), scores),
                controllable=hold.controllable,
            )
            for hold in found.holds
        ],
        ways=[GradeWay(changes=[_move(c, scores) for c in way.changes], score=way.tenths / 10) for way in found.ways],
        obstacle=found.obstacle,
        text=sentence(sentences(told)),
    )


def _chain(told: ToldChain) -> FactorChain:
    indicator = told.indicator
    return FactorChain(
        indicator=indicator.code,
        name=IndicatorName(en=indicator.name.en, zh=indicator.name.zh),
        unit_of_measure=indicator.unit,
        figure=told.figure,
        reference=told.reference,
        factors=[
            FactorShare(name=sentence(f.name), figure=f.figure, reference=f.reference, amount=f.amount)
            for f in told.factors
        ],
        text=sentence(told.text),
    )


def _move(change: FigureChange, scores: CardScores) -> GradeMove:
    indicator = scores.indicators[change.indicator]
    return GradeMove(
        indicator=change.indicator,
        name=IndicatorName(en=indicator.name.en, zh=indicator.name.zh),
        unit_of_measure=indicator.unit,
        figure=change.figure,
        to=change.to,
        change=change.change,
        text=sentence(change_text(change, scores)),
    )


def _driver(reason: Reason, scores: CardScores) -> ScoreDriver:
    indicator = scores.indicators.get(reason.code)
    return ScoreDriver(
        code=reason.code,
        name=sentence(reason.name),
        unit_of_measure=None if indicator is None else indicator.unit,
        amount=points(reason.cents),
        figure=reason.figure,
        reference=reason.reference,
        gap=reason.gap,
        side=reason.side,
        compared=reason.compared,
        controllable=reason.controllable,
        text=sentence(reason.text),
    )


def _trend(course: Course, unit: str) -> list[TrendPoint]:
    found = []
    for period, stated in course.items():
        score, grade = stated.get(unit, (math.nan, ""))
        found.append(TrendPoint(period=period, score=score if math.isfinite(score) else None, grade=grade or None))
    return found


def _silence(reasons: Sequence[Reason], against: Against, *, comparable: bool) -> list[Text]:
    """Say why nothing, or not everything, is told from the reference."""
    if not comparable:
        return [say(f"story.nothing.{against}")]
    hidden = against == "peers" and any(reason.figure is not None and reason.reference is None for reason in reasons)
    return [say("story.suppressed")] if hidden else []


def _name(basis: ScoreBasis, unit: str) -> Text:
    tree = basis.snapshot.tree
    about = tree.attributes.iloc[tree.number(unit)]
    english = str(about["name"]) or unit
    return {"en": english, "zh": _chinese(basis, unit) or english}


def _chinese(basis: ScoreBasis, unit: str) -> str | None:
    tree = basis.snapshot.tree
    return str(tree.attributes["name_zh"].iloc[tree.number(unit)]) or None
