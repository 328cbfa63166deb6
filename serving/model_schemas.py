"""What is asked and answered about models on record: versions, gates, promotions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from serving.request_schemas import Reason, Signed
from serving.schemas import Answer, Number, Page, Sentence

VersionState = Literal["champion", "former_champion", "challenger", "superseded"]
Hurdle = Literal["gates", "comparison", "signature", "second_person"]
Effect = Literal["block", "sign_off"]
Act = Literal["promote", "rollback"]
Compared = Literal["first", "same", "replayed", "not_replayable"]

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12,64}$")]
"""A version: the first 12 digits of a digest, or more of it."""


class ModelGate(Answer):
    """What a gate found of a model."""

    name: str = Field(description="Name of the gate.", examples=["beats_baseline"])
    passed: bool = Field(description="Whether it was passed.", examples=[True])
    effect: Effect = Field(
        description="What a failure means: `block`, or `sign_off` where a person may sign for it.", examples=["block"]
    )
    measured: Number | None = Field(description="The worst figure found; null for none.", examples=[0.94])
    threshold: list[Number] = Field(description="One limit, or the lowest and the highest.", examples=[[1.0]])
    text: Sentence = Field(description="The finding.")


class ModelObstacle(Answer):
    """What stands in the way of a promotion."""

    code: Hurdle = Field(
        description="`gates` that forbid it, `comparison` with a champion that has changed since, a `signature`, or a "
        "`second_person`.",
        examples=["signature"],
    )
    gates: list[str] = Field(description="Names of the gates concerned.", examples=[["stable_explanations"]])
    text: Sentence = Field(description="Which, and by how much.")


class ModelVersionSummary(Answer):
    """A version of a model, as a list has it."""

    version: str = Field(description="The first digits of its digest.", examples=["3f9c01ab7d32"])
    digest: str = Field(description="SHA-256 of its manifest: names it for good.", examples=["3f9c01ab7d32"])
    state: VersionState = Field(
        description="`champion` serves, `former_champion` has served, `challenger` is the newest that never served, "
        "`superseded` an older one that never did.",
        examples=["champion"],
    )
    promotable: bool = Field(description="Whether nothing but a second person is missing.", examples=[False])
    obstacles: list[ModelObstacle] = Field(description="What stands in the way of promoting it.")
    gates_passed: int = Field(description="Gates passed.", examples=[7])
    gates: int = Field(description="Gates that it went through.", examples=[8])
    as_of: str | None = Field(description="The last period learned from.", examples=["2024-12"])
    data_version: int | None = Field(description="The data version learned from.", examples=[3])
    known_on: str | None = Field(description="The last day whose figures it knows.", examples=["2025-01-20"])
    policy_version: str | None = Field(description="The policy in force.", examples=["branch-2025 v2"])
    run: str | None = Field(description="The training run; null where none is on record.", examples=[None])
    asked_by: str | None = Field(description="Who asked for the training.", examples=["Li Ming"])
    offered_at: datetime | None = Field(description="When it was put on record, UTC.", examples=[None])
    promoted_at: datetime | None = Field(description="When it was last promoted, UTC; null for never.", examples=[None])
    promoted_by: str | None = Field(description="By whom.", examples=["Wang Fang"])
    forced: bool = Field(description="Whether that overrode what forbids a promotion.", examples=[False])


class ModelSummary(Answer):
    """A model on record, with its versions."""

    name: str = Field(description="Names the model.", examples=["target-sample-bank"])
    kind: str = Field(description="What it is for.", examples=["target"])
    champion: str | None = Field(
        description="Version of the champion: send it as `expected_champion`; null where none serves.",
        examples=["3f9c01ab7d32"],
    )
    challenger: str | None = Field(description="The newest version, where it never served.", examples=[None])
    two_people: bool = Field(
        description="Whether somebody other than who asked for the training has to promote.", examples=[False]
    )
    versions: list[ModelVersionSummary] = Field(description="Its versions, the newest first.")
    damage: str = Field(
        description="What is wrong with its record; blank where nothing is. Nothing else is then told.", examples=[""]
    )


class ModelPage(Page[ModelSummary]):
    """Some of the models, by name."""


class ModelPromotion(Answer):
    """A line of the record of promotions."""

    at: datetime = Field(description="When, UTC.", examples=["2025-01-15T08:30:00Z"])
    by: str = Field(description="Who decided.", examples=["Wang Fang"])
    action: Act = Field(description="`promote` or `rollback`.", examples=["promote"])
    reason: str = Field(description="Why.", examples=["Trained on the restated figures."])
    version: str = Field(description="The champion from then on.", examples=["3f9c01ab7d32"])
    previous: str | None = Field(description="The champion until then; null for none.", examples=[None])
    run: str = Field(
        description="The training run; blank where none is on record.", examples=["sample-bank-4c1f09ab7d32"]
    )
    asked_by: str = Field(description="Who asked for the training; may be blank.", examples=["Li Ming"])
    signed: bool = Field(description="Whether a person signed for a gate that was not passed.", examples=[False])
    forced: bool = Field(description="Whether something that forbids a promotion was overridden.", examples=[False])
    overridden: list[str] = Field(description="What was overridden.", examples=[[]])


class ModelDetail(ModelSummary):
    """A model with its versions and the record of its promotions."""

    record: list[ModelPromotion] = Field(description="The record of promotions, the oldest first.")


class ComparedYear(Answer):
    """A past year in which challenger and champion were held against each other."""

    year: int = Field(description="The year.", examples=[2023])
    loss_ratio: Number | None = Field(
        description="Loss of this version over that of the baseline; null where there was none.", examples=[0.91]
    )
    challenger: Number | None = Field(
        description="The same where it was paired with the champion, each having learned from what was known then.",
        examples=[0.91],
    )
    champion: Number | None = Field(description="Of the champion.", examples=[0.93])
    after_challenger: Number | None = Field(
        description="Of this version's procedure, on what came after the champion had learned.", examples=[None]
    )
    after_champion: Number | None = Field(description="Of the champion as it is, on the same.", examples=[None])


class ComparisonAnswer(Answer):
    """How a version did against the champion of its day."""

    how: Compared = Field(
        description="`first` without a champion, `same` where both are one procedure, `replayed` at past origins, "
        "`not_replayable` where the champion was made by other code.",
        examples=["replayed"],
    )
    champion: str | None = Field(description="Version of that champion.", examples=["3f9c01ab7d32"])
    text: Sentence = Field(description="What came of it.")
    years: list[ComparedYear] = Field(description="A row a year, ascending.")
    notes: list[Sentence] = Field(description="What a reader has to know.")


class ModelVersionDetail(ModelVersionSummary):
    """A version of a model with its gates and what it showed."""

    model: str = Field(description="Name of the model.", examples=["target-sample-bank"])
    kind: str = Field(description="What it is for.", examples=["target"])
    champion: str | None = Field(
        description="Version of the present champion: send it as `expected_champion`.", examples=[None]
    )
    checks: list[ModelGate] = Field(description="What each gate found.")
    described: dict[str, Any] = Field(
        description="What it says of its data and of how it was made.", examples=[{"seed": 20240101}]
    )
    comparison: ComparisonAnswer | None = Field(description="Against the champion; null where nothing is kept of it.")
    evidence: list[dict[str, Any]] = Field(
        description="What past years show, a row an indicator and level.",
        examples=[[{"indicator": "R01", "loss_to_pooled_growth": 0.91, "coverage_80": 0.81}]],
    )
    promotion: ModelPromotion | None = Field(description="How it was last made champion; null for never.")
    cards: list[str] = Field(
        description="Addresses of its card; empty where it has none.",
        examples=[["/api/v1/models/target-sample-bank/versions/3f9c01ab7d32/card?lang=en&form=html"]],
    )


class PromotionAsked(Signed):
    """A decision to make a version the champion."""

    version: Digits = Field(description="The version.", examples=["3f9c01ab7d32"])
    reason: Reason = Field(description="Why, for the record.", examples=["All gates passed; reviewed on 15 January."])
    expected_champion: Digits | None = Field(
        description="The champion that the decision was made against; null where none served. Another one is a "
        "conflict.",
        examples=["9b1e44c07a55"],
    )
    sign: bool = Field(
        default=False, description="Signs for gates that leave it to a person; stays on record.", examples=[False]
    )
    force: bool = Field(
        default=False,
        description="Overrides failed gates; stays on record for good. It never stands in for a second person.",
        examples=[False],
    )


class RollbackAsked(Signed):
    """A decision to go back to the champion before this one."""

    reason: Reason = Field(description="Why, for the record.", examples=["Its suggestions for county units are off."])
    expected_champion: Digits = Field(
        description="The champion that the decision was made against. Another one is a conflict.",
        examples=["3f9c01ab7d32"],
    )
