"""Models on record as the API and the pages have them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from serving.api.desk import finite
from serving.api.model_desk import ModelDesk, short
from serving.model_schemas import (
    ComparedYear,
    ComparisonAnswer,
    ModelDetail,
    ModelGate,
    ModelObstacle,
    ModelPromotion,
    ModelSummary,
    ModelVersionDetail,
    ModelVersionSummary,
)
from serving.schemas import Sentence
from training.gating.gate import Gate
from training.promotion.history import Promotion
from training.promotion.versions import ModelVersion, ModelVersions


def model_answer(name: str, found: ModelVersions | str, *, two_people: bool) -> ModelSummary:
    """Give a model as a list has it, or say what is wrong with its record."""
    return ModelSummary(**_model(name, found, two_people=two_people))


def model_detail(found: ModelVersions, *, two_people: bool) -> ModelDetail:
    """Give a model with the record of its promotions."""
    record = [promotion_answer(promotion) for promotion in found.history]
    return ModelDetail(**_model(found.name, found, two_people=two_people), record=record)


def version_answer(desk: ModelDesk, model: ModelVersions, found: ModelVersion) -> ModelVersionDetail:
    """Give a version with its gates and what it showed."""
    kept = desk.kept(found)
    compared = kept.get("comparison")
    return ModelVersionDetail(
        **_version(found),
        model=model.name,
        kind=found.kind,
        champion=None if model.champion is None else model.champion.version,
        checks=[gate_answer(gate) for gate in found.gates],
        described=dict(found.meta),
        comparison=None if compared is None else _comparison(compared),
        evidence=list((kept.get("evidence") or {}).get("rows", ())),
        promotion=None if found.promotion is None else promotion_answer(found.promotion),
        cards=[_card_address(found, language, form) for language, form in desk.cards(found)],
    )


def promotion_answer(promotion: Promotion) -> ModelPromotion:
    """Give a line of the record."""
    return ModelPromotion(
        at=promotion.at,
        by=promotion.by,
        action=promotion.action,
        reason=promotion.reason,
        version=promotion.version,
        previous=short(promotion.previous),
        run=promotion.run,
        asked_by=promotion.asked_by,
        signed=promotion.signed,
        forced=promotion.forced,
        overridden=list(promotion.overridden),
    )


def gate_answer(gate: Gate) -> ModelGate:
    """Give what a gate found."""
    return ModelGate(
        name=gate.name,
        passed=gate.passed,
        effect=gate.effect,
        measured=None if gate.measured is None else finite(gate.measured),
        threshold=[float(limit) for limit in gate.threshold],
        text=Sentence(en=gate.text["en"], zh=gate.text["zh"]),
    )


def _model(name: str, found: ModelVersions | str, *, two_people: bool) -> dict[str, Any]:
    whole = isinstance(found, ModelVersions)
    champion, challenger = (found.champion, found.challenger) if whole else (None, None)
    return {
        "name": name,
        "kind": name.partition("-")[0],
        "champion": None if champion is None else champion.version,
        "challenger": None if challenger is None else challenger.version,
        "two_people": two_people,
        "versions": [ModelVersionSummary(**_version(version)) for version in found.versions] if whole else [],
        "damage": "" if whole else found,
    }


def _version(found: ModelVersion) -> dict[str, Any]:
    candidate, promotion, meta = found.candidate, found.promotion, found.meta
    return {
        "version": found.version,
        "digest": found.digest,
        "state": found.state,
        "promotable": found.promotable,
        "obstacles": [
            ModelObstacle(code=one.code, gates=list(one.gates), text=Sentence(en=one.text.en, zh=one.text.zh))
            for one in found.obstacles
        ],
        "gates_passed": sum(gate.passed for gate in found.gates),
        "gates": len(found.gates),
        "as_of": _text(meta.get("as_of")),
        "data_version": meta.get("data_version"),
        "known_on": _text(meta.get("known_on")),
        "policy_version": _text(meta.get("policy_version")),
        "run": None if candidate is None else candidate.run,
        "asked_by": None if candidate is None else candidate.by,
        "offered_at": None if candidate is None else candidate.at,
        "promoted_at": None if promotion is None else promotion.at,
        "promoted_by": None if promotion is None else promotion.by,
        "forced": found.forced,
    }


def _comparison(plain: dict[str, Any]) -> ComparisonAnswer:
    from training.gating.comparison import Comparison

    found = Comparison.from_dict(plain)
    text = found.text
    return ComparisonAnswer(
        how=found.how,
        champion=found.champion,
        text=Sentence(en=text.en, zh=text.zh),
        years=[_year(row) for row in found.origins],
        notes=[Sentence(en=note.en, zh=note.zh) for note in found.notes],
    )


def _year(row: Any) -> ComparedYear:
    def figure(name: str) -> float | None:
        value = row.get(name)
        return None if value is None else finite(value)

    return ComparedYear(
        year=int(row["year"]),
        loss_ratio=figure("loss_ratio"),
        challenger=figure("replayed_challenger"),
        champion=figure("replayed_champion"),
        after_challenger=figure("after_challenger"),
        after_champion=figure("after_champion"),
    )


def _card_address(found: ModelVersion, language: str, form: str) -> str:
    return f"/api/v1/models/{quote(found.model, safe='')}/versions/{found.version}/card?lang={language}&form={form}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
