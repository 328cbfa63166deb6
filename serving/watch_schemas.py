"""What is asked and answered about the watch over models: findings, and proposals to train again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from serving.request_schemas import Reason, Signed
from serving.schemas import Answer, Number, Page, Sentence

FindingState = Literal["ok", "breach", "too little data"]
ProposalState = Literal["open", "accepted", "dismissed", "settled", "replaced"]
ProposalAct = Literal["opened", "refreshed", "accepted", "requested", "dismissed", "settled", "replaced"]


class WatchFinding(Answer):
    """What a check found of a model."""

    check: str = Field(description="Code of the check.", examples=["target.coverage"])
    title: Sentence = Field(description="Its name.")
    model: str = Field(description="Name of the model.", examples=["target-sample-bank"])
    version: str = Field(description="Version of the model; blank where none serves.", examples=["3f9c01ab7d32"])
    state: FindingState = Field(description="Whether it is within its limits.", examples=["ok"])
    measured: Number | None = Field(description="What is held against the limits; null for nothing.", examples=[0.81])
    threshold: list[Number] = Field(
        description="One limit, or the lowest and the highest in order.", examples=[[0.7, 0.92]]
    )
    interval: list[Number] | None = Field(
        description="Of what was measured, where it has one.", examples=[[0.76, 0.86]]
    )
    sample: int = Field(description="Years, units, outcomes or decisions that it rests on.", examples=[412])
    text: Sentence = Field(description="The finding.")
    table: list[dict[str, Any]] = Field(
        description="A row an indicator or column, as a chart shows it.", examples=[[{"indicator": "R01"}]]
    )
    flagged: list[str] = Field(description="Rows that are beyond the limits.", examples=[["R01"]])


class ProposalLine(Answer):
    """A line of the record of a proposal."""

    at: datetime = Field(description="When, UTC.", examples=["2025-01-15T08:30:00Z"])
    by: str = Field(description="Who; the watch itself for what it opens and settles.", examples=["Li Ming"])
    action: ProposalAct = Field(description="What was done.", examples=["opened"])
    reason: str = Field(description="Why; blank where the watch wrote it.", examples=["Known effect of the merger."])
    run: str = Field(description="The training run asked for; blank for none.", examples=["sample-bank-4c1f09ab7d32"])


class WatchProposal(Answer):
    """A proposal to train a model again. It trains nothing by itself: a person accepts or dismisses it."""

    proposal: str = Field(description="What it is called.", examples=["P-0001"])
    dataset: str = Field(description="Name of the dataset.", examples=["sample-bank"])
    kind: str = Field(description="The kind of model concerned.", examples=["target"])
    state: ProposalState = Field(
        description="`settled` once another model serves that is not in breach, `replaced` where that one is too.",
        examples=["open"],
    )
    finding: WatchFinding = Field(description="What was found last.")
    run: str = Field(description="The training run that accepting it asked for; blank for none.", examples=[""])
    lines: list[ProposalLine] = Field(description="Its record, the oldest first.")


class ProposalPage(Page[WatchProposal]):
    """Some of the proposals, the newest first."""


class WatchLook(Answer):
    """What the last look at the models of a dataset found."""

    dataset: str = Field(description="Name of the dataset.", examples=["sample-bank"])
    data_version: int = Field(description="The data version.", examples=[3])
    as_of: str = Field(description="The last period looked at.", examples=["2024-12"])
    known_on: str = Field(description="The last day whose figures were used.", examples=["2025-01-20"])
    models: dict[str, str | None] = Field(
        description="The version of each kind of model; null where none serves.", examples=[{"target": "3f9c01ab7d32"}]
    )
    summary: Sentence = Field(description="What was found, in a sentence.")
    findings: list[WatchFinding] = Field(description="One entry a check.")
    open: list[WatchProposal] = Field(description="The proposals that are open.")


class ProposalDecision(Signed):
    """A decision about a proposal."""

    reason: Reason = Field(description="Why, for the record.", examples=["The rate cap of June is in the figures now."])
