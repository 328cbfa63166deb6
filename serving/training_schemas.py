"""What is asked and answered about training runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from serving.request_schemas import LONGEST, Reason, Signed
from serving.schemas import Answer, Page, Sentence

RunState = Literal["queued", "running", "interrupted", "done", "failed", "cancelled"]
EventKind = Literal["queued", "started", "finished", "decided", "note", "resumed", "done", "failed", "cancelled"]
StepState = Literal["waiting", "running", "interrupted", "done", "failed"]
ModelKind = Literal["target", "warning"]

MOST_TRIALS = 10_000
"""Settings that one run may try: days of work, beyond which a request is a slip."""
LARGEST_SEED = 2**32 - 1
"""What every generator of random numbers in use takes."""


class RunEvent(Answer):
    """Something that happened in a run."""

    number: int = Field(description="Its place in the log, from 1: send the last one as `after`.", examples=[4])
    at: datetime = Field(description="When, UTC.", examples=["2025-01-15T08:30:00Z"])
    kind: EventKind = Field(
        description="`started` and `finished` are of a step, `decided` says what is to be done, `resumed` follows an "
        "interruption; `done`, `failed` and `cancelled` end the run.",
        examples=["finished"],
    )
    step: str = Field(description="Code of the step; blank for the whole run.", examples=["target.fit"])
    text: Sentence = Field(description="What happened.")
    figures: dict[str, Any] = Field(description="Figures that belong to it.", examples=[{"trials": 40}])


class RunStep(Answer):
    """A step of a run."""

    step: str = Field(description="Its code.", examples=["target.fit"])
    state: StepState = Field(description="How far it is.", examples=["done"])
    began: datetime | None = Field(description="When it began for the first time, UTC.", examples=[None])
    ended: datetime | None = Field(description="When it ended, UTC.", examples=[None])
    seconds: float | None = Field(
        description="From its last beginning to its end; null while it is not done.", examples=[41.2]
    )
    attempts: int = Field(description="How often it was begun: once, unless it was interrupted.", examples=[1])


class RunDecision(Answer):
    """What was decided about one part of the whole, and why."""

    subject: str = Field(description="`target`, `warning`, `scores` or `history`.", examples=["target"])
    what: str = Field(
        description="`retrain` or `keep` of a model, `none` where it was not asked for; `rescore`, `replay_gates` or "
        "`keep` of scores; `break`, `restated` or `none` of history.",
        examples=["retrain"],
    )
    why: list[Sentence] = Field(description="The reasons, a sentence each.")


class RunProgress(Answer):
    """How far the step at work is."""

    step: str = Field(description="Code of the step.", examples=["target.tune"])
    stage: str = Field(description="What it is doing.", examples=["tuning LOANS"])
    done: int = Field(description="Pieces done.", examples=[12])
    total: int = Field(description="Pieces in all; 0 where it is not known.", examples=[40])


class TrainingRun(Answer):
    """A training run: what was asked, and how far it is."""

    name: str = Field(description="Names the run.", examples=["sample-bank-4c1f09ab7d32"])
    state: RunState = Field(
        description="`queued` until a worker takes it up; `interrupted` where it was begun and nobody works on it: the "
        "next worker goes on from the last step that was finished.",
        examples=["running"],
    )
    dataset: str = Field(description="Name of the dataset.", examples=["sample-bank"])
    data_version: int = Field(description="The data version learned from.", examples=[3])
    fingerprint: str = Field(description="Fingerprint of the data version.", examples=["9f2c4d"])
    as_of: str = Field(description="The last period learned from.", examples=["2024-12"])
    latest: bool = Field(
        description="Whether everything known by now is used; otherwise only what was known at the end of `as_of`.",
        examples=[True],
    )
    policy: str = Field(description="The policy in force.", examples=["branch-2025 v2"])
    kinds: list[ModelKind] = Field(description="The models that it may train.", examples=[["target", "warning"]])
    seed: int = Field(description="Seed of everything random.", examples=[20240101])
    trials: int = Field(description="Most settings that tuning may try; 0 where the usual ones are kept.", examples=[0])
    attempt: int = Field(description="1, and one more each time that the same is run again.", examples=[1])
    by: str = Field(description="Who asked.", examples=["Li Ming"])
    reason: str = Field(description="Why; may be blank.", examples=["The definition of R01 has changed."])
    asked_at: str = Field(description="When it was asked for.", examples=["2025-01-15T08:30:00+00:00"])
    updated_at: datetime | None = Field(
        description="When the last event was logged, UTC.", examples=["2025-01-15T08:31:07Z"]
    )
    cancelling: bool = Field(description="Whether somebody has asked it to stop.", examples=[False])
    progress: RunProgress | None = Field(description="How far the step at work is; null where none is.")


class TrainingRunPage(Page[TrainingRun]):
    """Some of the training runs, the newest first."""


class TrainingRunDetail(TrainingRun):
    """A training run with its steps, its log and what came of it."""

    decision: list[RunDecision] = Field(
        description="What was decided from what has changed since the present models were trained; empty until then."
    )
    steps: list[RunStep] = Field(description="The steps begun so far, in their order.")
    events: list[RunEvent] = Field(description="Its log, the oldest first.")
    result: dict[str, Any] | None = Field(
        description="What came of it, by model; null before its end.", examples=[{"target": {"promoted": True}}]
    )


class RunEvents(Answer):
    """What happened in a run after a given event."""

    items: list[RunEvent] = Field(description="The events, the oldest first.")
    last: int = Field(description="Number of the last event there is: send it as `after`.", examples=[9])
    state: RunState = Field(description="How the run stands.", examples=["running"])


class TrainingAsked(Signed):
    """A request for training."""

    reason: Reason = Field(description="Why, for the record.", examples=["The definition of R01 has changed."])
    dataset: str | None = Field(
        default=None, description="Name of the dataset; the one stored last by default.", examples=["sample-bank"]
    )
    as_of: str | None = Field(
        default=None,
        max_length=10,
        description="The last period to learn from, with what was known at its end; by default the last one with "
        "figures, with everything known by now.",
        examples=["2024-12"],
    )
    kinds: list[ModelKind] = Field(
        default=["target", "warning"],
        min_length=1,
        max_length=2,
        description="The models that may be trained. What must be done about each is decided from what has changed.",
        examples=[["target"]],
    )
    seed: int | None = Field(
        default=None, ge=0, le=LARGEST_SEED, description="Seed of everything random.", examples=[20240101]
    )
    trials: int | None = Field(
        default=None,
        ge=0,
        le=MOST_TRIALS,
        description="Most settings that tuning may try for each model; 0 keeps the usual ones, null tries the usual "
        "number.",
        examples=[40],
    )
    again: bool = Field(
        default=False, description="Run it once more although an equal run has ended.", examples=[False]
    )


class CancelAsked(Signed):
    """A request to stop a run."""

    reason: str = Field(default="", max_length=LONGEST, description="Why, for the record.", examples=["Wrong period."])
