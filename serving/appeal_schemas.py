"""What is asked and answered about appeals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from serving.appeals.appeals import LONGEST_WORDS, SHORTEST_WORDS
from serving.request_schemas import NO_NUL, Signed
from serving.schemas import Answer, Number, Page, UnitName

AppealKind = Literal["score", "target"]
AppealState = Literal["open", "under_review", "upheld", "rejected", "withdrawn"]
AppealAction = Literal["raise", "review", "uphold", "reject", "withdraw", "reproduce"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=SHORTEST_WORDS, max_length=LONGEST_WORDS, pattern=NO_NUL),
]


class AppealAsked(Signed):
    """An appeal against a figure."""

    kind: AppealKind = Field(default="score", description="What is appealed.", examples=["score"])
    unit: Code = Field(description="The unit whose figure it is.", examples=["CN-BJ"])
    period: Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=NO_NUL)] = Field(
        description="The period of a score, as the dataset writes it; of a target its year.", examples=["2024-12"]
    )
    indicator: Code | None = Field(
        default=None,
        description="The indicator of a target; none for a score, which is appealed as a whole.",
        examples=["R01"],
    )
    words: Words = Field(
        description="What is wrong with the figure.", examples=["One loan of 12 CNY m is missing in November."]
    )
    dataset: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)] | None = Field(
        default=None, description="By default the one stored last.", examples=["sample-bank"]
    )


class ReviewAsked(Signed):
    """The beginning of a review."""

    words: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_WORDS, pattern=NO_NUL)] = Field(
        default="", description="A remark; may be blank.", examples=["The November figures are being looked up."]
    )


class AppealAnswerAsked(Signed):
    """An answer to who raised an appeal, or why it is withdrawn."""

    words: Words = Field(
        description="The answer, which who raised the appeal reads.",
        examples=["The loan was booked in December; the November figure stands."],
    )


class Appeal(Answer):
    """An appeal as it stands."""

    id: str = Field(description="Its name.", examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"])
    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    kind: AppealKind = Field(description="What is appealed.", examples=["score"])
    unit: str = Field(description="The unit whose figure it is.", examples=["CN-BJ"])
    name: UnitName = Field(description="What the unit is called.")
    period: str = Field(description="The period; of a target its year.", examples=["2024-12"])
    indicator: str | None = Field(description="The indicator of a target; null for a score.", examples=["R01"])
    state: AppealState = Field(description="How it stands.", examples=["under_review"])
    revision: int = Field(description="Goes up with every step; the ETag names it.", examples=[2])
    words: str = Field(
        description="What is appealed, in the words of who raised it.",
        examples=["The merger of March was counted as growth of our peers."],
    )
    frozen_digest: str = Field(
        description="SHA-256 of the frozen record, which the audit names too.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    raised_at: datetime = Field(description="When, UTC.", examples=["2026-03-02T08:15:30Z"])
    raised_by: str = Field(description="By whom.", examples=["Li Na"])


class AppealPage(Page[Appeal]):
    """Appeals, the newest first."""

    items: list[Appeal] = Field(description="The appeals.")


class FrozenRecord(Answer):
    """What the figure rests on, as it was when the appeal was raised. It never changes."""

    data_version: int = Field(description="The data version.", examples=[3])
    fingerprint: str = Field(
        description="Of the data version: of every figure and definition in it.", examples=["6cf3e45c2a229a62"]
    )
    known_on: date = Field(
        description="The last day on which any of its figures became known.", examples=["2024-12-31"]
    )
    policy_version: str | None = Field(
        description="The policy; null where defaults stood in.", examples=["retail@2025"]
    )
    policy_digest: str | None = Field(
        description="SHA-256 of the policy's content.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    targets_digest: str | None = Field(
        description="SHA-256 of the targets compared with; null without targets.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    model_versions: dict[str, str | None] = Field(
        description="Models and where targets came from.", examples=[{"champion": "9c1f"}]
    )
    release: str = Field(description="Version of the program.", examples=["0.1.0"])
    figure: Number | None = Field(description="The figure; null for a score that was withheld.", examples=[84.3])
    told: dict[str, Any] = Field(
        description="All that was told of it, its explanation included, to the last bit.",
        examples=[{"unit": "CN-BJ", "period": "2024-12", "score": "87.42"}],
    )


class AppealEvent(Answer):
    """A step of an appeal."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    at: datetime = Field(description="When, UTC.", examples=["2026-03-02T08:15:30Z"])
    by: str = Field(description="By whom.", examples=["Wang Wei"])
    action: AppealAction = Field(description="What was done.", examples=["review"])
    reason: str = Field(
        description="Why, or the answer; may be blank.", examples=["The figures of March were restated."]
    )
    detail: dict[str, Any] = Field(description="What belongs to it.", examples=[{"reproduced": True}])


class AppealEvents(Answer):
    """The steps of an appeal, the first first."""

    items: list[AppealEvent] = Field(description="The steps.")


class AppealDetail(Appeal):
    """An appeal with what was frozen."""

    frozen: FrozenRecord | None = Field(description="The frozen record; null where it was changed by somebody.")
    trouble: str = Field(description="Why there is no frozen record; blank where there is.", examples=[""])
    answer: str | None = Field(
        description="The answer; null until it is decided on or withdrawn.",
        examples=["The merger is counted on both sides; the figure stands."],
    )


class FigureDifference(Answer):
    """A place in which what is told now differs from what was frozen."""

    where: str = Field(description="The field.", examples=["lines[2].amount"])
    frozen: str = Field(description="As it was told, as JSON to the last bit.", examples=["24.31"])
    now: str = Field(description="As it comes out now.", examples=["24.32"])


class ReproductionAsked(Signed):
    """A request to reproduce a figure."""


class Reproduction(Answer):
    """What came of telling the figure once more, from the frozen versions alone."""

    same: bool = Field(description="Whether all that was told comes out the same, bit for bit.", examples=[True])
    frozen_figure: Number | None = Field(description="As it was told.", examples=[84.3])
    figure: Number | None = Field(description="As it comes out now; null where it cannot be computed.", examples=[84.3])
    differences: list[FigureDifference] = Field(description="What differs, at most a hundred places.")
    trouble: str = Field(description="Why it cannot be told again; blank where it can.", examples=[""])
    frozen_release: str = Field(
        description="Version of the program then; blank where it is not known.", examples=["0.1.0"]
    )
    release: str = Field(description="Version of the program now.", examples=["0.1.0"])


class AppealRaised(Appeal):
    """An appeal that was raised, with the proof that its figure can be reproduced."""

    reproduction: Reproduction | None = Field(description="The proof; null where the request had been sent before.")
