"""What the API answers with about the audit."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from serving.schemas import Answer, Page

FindingKind = Literal["changed", "missing", "out-of-order", "unreadable", "cut-off", "head", "anchor", "waiting"]


class AuditEvent(Answer):
    """An entry of the audit: who did or saw what, in its place in the chain."""

    number: int = Field(description="Its place in the chain, from 1, without a gap.", examples=[4711])
    at: str = Field(
        description="When, in UTC, to the microsecond, as it was sealed.",
        examples=["2026-03-01T08:15:30.123456Z"],
        json_schema_extra={"format": "date-time"},
    )
    principal: str = Field(description="Name of who acted; blank for a stranger.", examples=["Li Na"])
    principal_id: str = Field(
        description="Kind and id of who acted, which stay when names change; blank for a stranger.",
        examples=["person:5d41402abc4b2a76b9719d911017c592"],
    )
    action: str = Field(description="The operation, or the name of the change.", examples=["get_score"])
    dataset: str = Field(description="The dataset; blank where none was named.", examples=["sample-bank"])
    subject: str = Field(description="What it is about: a unit, a plan, a login; may be blank.", examples=["CN-BJ-002"])
    status: int | None = Field(
        description="HTTP status of the answer; null for a change that was noted within its own transaction.",
        examples=[200],
    )
    request: str = Field(description="Id of the request; blank at the command line.", examples=["4f2c9a1be07d4c55"])
    detail: dict[str, Any] = Field(description="More about a change.", examples=[{"version": 2}])
    id: str = Field(description="Made where it happened.", examples=["0cc175b9c0f1b6a831c399e269772661"])
    previous: str = Field(description="Hash of the entry before; zeros before the first.", examples=["0" * 64])
    hash: str = Field(
        description="SHA-256 of the entry as canonical JSON, `previous` included; `detail` is sealed as text.",
        examples=["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"],
    )


class AuditEventPage(Page[AuditEvent]):
    """Some of the entries, the newest first."""


class AuditFinding(Answer):
    """A place where the chain does not hold."""

    number: int = Field(description="The entry concerned, or the first of them.", examples=[4711])
    kind: FindingKind = Field(description="What is wrong.", examples=["changed"])
    what: str = Field(description="In words.", examples=["the entry was changed: it does not have its hash"])


class AuditVerdict(Answer):
    """What came of going through the whole chain."""

    holds: bool = Field(description="Nothing was changed, removed, added or moved.", examples=[True])
    entries: int = Field(description="How many entries there are.", examples=[4711])
    hash: str = Field(description="Hash of the last one: keep it elsewhere as an anchor.", examples=["0" * 64])
    anchors: int = Field(description="How many anchors of the home it was compared with.", examples=[31])
    found: int = Field(description="How many places were found where it does not hold.", examples=[0])
    findings: list[AuditFinding] = Field(description="The first of them.", examples=[[]])
