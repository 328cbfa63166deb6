"""What is asked and answered about policies: reading, checking, comparing, activating and withdrawing them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from serving.policy_text import LONGEST
from serving.request_schemas import NO_NUL, Asked, Reason, Signed
from serving.schemas import Answer, Sentence

MOST_ACCEPTED = 100
"""Warnings accepted at once: the checks know fewer."""


def _written(value: object) -> object:
    """Refuse numbers, which could be taken for days since 1970."""
    if value is not None and not isinstance(value, str):
        raise ValueError("write a day such as 2025-01-31")
    return value


Day = Annotated[date, BeforeValidator(_written), Field(strict=False)]
"""A day as ISO 8601 has it, in a request."""
PolicyDocument = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=NO_NUL)]
FindingCode = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]


class PolicyDetail(Answer):
    """A policy as it is written."""

    id: str = Field(description="Names the policy.", examples=["retail-line"])
    version: str = Field(description="Names its version.", examples=["2025"])
    title: Sentence = Field(description="What it is called.")
    level: Literal["internal", "owner"] = Field(description="Whose evaluation it is.")
    source: str = Field(description="What it rests on.", examples=["Board resolution 2025-31"])
    effective_from: date = Field(description="First day.", examples=["2025-01-01"])
    effective_until: date | None = Field(description="Last day; null where none is stated.", examples=["2026-12-31"])
    digest: str = Field(
        description="SHA-256 of its content, however it is written.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    document: str = Field(
        description="The policy as YAML, to read or to start one's own from.",
        examples=['policy: 1\nid: branch\nversion: "2"\n'],
    )


class PolicyCheckAsked(Asked):
    """A policy to check."""

    document: PolicyDocument = Field(description="The policy as YAML.", examples=["policy: 1\nid: branch\n"])


class PolicyFinding(Answer):
    """Something that speaks against a policy."""

    code: str = Field(description="Of the check; a warning is accepted by this name.", examples=["point-volume"])
    severity: Literal["error", "warning"] = Field(description="A policy with errors is not used.")
    where: str = Field(description="Where in the document.", examples=["scorecards.retail.items.P06"])
    what: Sentence = Field(description="What is wrong.")
    hint: Sentence = Field(description="What to do; may be blank.")
    source: str = Field(description="The regulation or method behind it; may be blank.", examples=["财金〔2020〕124号"])


class PolicyChecked(Answer):
    """What a check found."""

    policy: str = Field(description="The policy and its version.", examples=["branch@2"])
    against: str = Field(description="What its indicators were looked up in.", examples=["sample-bank, data version 3"])
    errors: int = Field(description="How many findings are errors.", examples=[0])
    findings: list[PolicyFinding] = Field(description="All findings.")


class PolicyChange(Answer):
    """One difference between two policies."""

    kind: str = Field(description="What kind of difference.", examples=["weight"])
    where: str = Field(description="Where in the document.", examples=["scorecards.retail.items.P06.weight"])
    before: str | None = Field(description="As it was; null where there was nothing.", examples=["30"])
    after: str | None = Field(description="As it is; null where there is nothing.", examples=["25"])
    text: Sentence = Field(description="The change in a sentence.")
    consequence: Sentence = Field(description="What it asks for.")
    retrain: bool = Field(description="Whether the models of targets and risk must learn again.")


class PolicyDifference(Answer):
    """What is different between two policies."""

    old: str = Field(description="The one.", examples=["branch@1"])
    new: str = Field(description="The other.", examples=["branch@2"])
    changes: list[PolicyChange] = Field(description="The differences; none where they are the same.")


class ActivationAsked(Signed):
    """A policy to put in force."""

    reason: Reason = Field(description="Why, for the record.", examples=["Decided by the leading group on 12 January."])
    document: PolicyDocument | None = Field(
        default=None,
        description="The policy as YAML; its id and version must be those of the address. Left out, the "
        "ready-made one of that name is put in force.",
        examples=['policy: 1\nid: branch\nversion: "2"\n'],
    )
    effective_from: Day | None = Field(
        default=None, description="First day in force, instead of what the policy states.", examples=["2025-01-01"]
    )
    accept: list[FindingCode] = Field(
        default=[], max_length=MOST_ACCEPTED, description="Codes of warnings that are accepted.", examples=[[]]
    )
    cut_short: bool = Field(default=False, description="Let it end the version before it earlier than that one states.")


class WithdrawalAsked(Signed):
    """A policy to take back."""

    reason: Reason = Field(description="Why, for the record.", examples=["The weights of two lines were swapped."])


class PolicyDecision(Answer):
    """A decision on a policy, as it stands on record."""

    action: Literal["activate", "withdraw"] = Field(description="What was decided.")
    policy: str = Field(description="The policy and its version.", examples=["branch@2"])
    level: Literal["internal", "owner"] = Field(description="Whose evaluation it is.")
    effective_from: date = Field(description="First day in force.", examples=["2026-01-01"])
    effective_until: date | None = Field(description="Last day, where one is stated.", examples=["2026-12-31"])
    at: datetime = Field(description="When it was decided, UTC.", examples=["2026-03-02T08:15:30Z"])
    by: str = Field(description="By whom.", examples=["Li Ming"])
    reason: str = Field(description="Why.", examples=["Board, 12 December"])
    digest: str = Field(
        description="SHA-256 of the copy that is kept.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    ended: str | None = Field(description="The version before it that it ended; null for none.", examples=["branch@1"])
    accepted: list[str] = Field(description="Codes of the warnings that were accepted.", examples=[["point-volume"]])
