"""What is asked and answered about observations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from serving.policy_schemas import Day
from serving.request_schemas import Asked, Reason, Signed
from serving.schemas import Answer, Number, Page

MOST_ROWS = 5_000
"""Figures handed in at once: a month of a large bank comes as a file, with `loadline ingest`."""
LINE = r"^[^\x00\r\n]*$"
"""A code is a single line: what spans several could pass for another row."""
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]


class ObservationRow(Answer):
    """A figure as it was known."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    period: str = Field(description="The period.", examples=["2024-12"])
    value: Number = Field(description="The figure, in the indicator's unit of measure.", examples=[1.43])
    known_on: date = Field(description="The day on which it became known.", examples=["2025-01-20"])
    restated: bool = Field(description="Whether it replaced an earlier figure.", examples=[False])


class ObservationPage(Page[ObservationRow]):
    """Figures by unit, indicator and period."""

    items: list[ObservationRow] = Field(description="The figures.")
    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    data_version: int = Field(description="The data version.", examples=[3])
    known_on: date | None = Field(
        description="The day as of which they are told; null for all that is known.", examples=["2025-06-30"]
    )


class Figure(Asked):
    """A figure handed in."""

    unit: Code = Field(description="Code of the unit.", examples=["CN-BJ"])
    indicator: Code = Field(description="Code of the indicator.", examples=["R01"])
    period: Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=LINE)] = Field(
        description="The period as the dataset writes it.", examples=["2024-12"]
    )
    value: Annotated[float, Field(allow_inf_nan=False)] = Field(description="The figure.", examples=[1.43])
    known_on: Day | None = Field(
        default=None,
        description="The day on which it became known; by default the usual one of the indicator.",
        examples=["2025-07-15"],
    )


class ObservationsAsked(Signed):
    """Figures that become a new data version, all or none."""

    rows: Annotated[list[Figure], Field(min_length=1, max_length=MOST_ROWS)] = Field(description="The figures.")
    reason: Reason = Field(description="Where they come from, for the record.", examples=["Month-end close, November."])


class DataVersionMade(Answer):
    """The data version that figures became."""

    version: int = Field(description="Its number.", examples=[4])
    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    fingerprint: str = Field(description="Of every figure and definition in it.", examples=["6cf3e45c2a229a62"])
    stored_at: datetime = Field(description="When it was stored, UTC.", examples=["2026-03-02T08:15:30Z"])
    added: int = Field(description="New figures.", examples=[430])
    restated: int = Field(description="Figures that replace an earlier one, which is kept.", examples=[2])
    unchanged: int = Field(description="Figures that were known already.", examples=[0])
    notes: list[str] = Field(
        description="What a careful reader should know.", examples=[["2 figures of CN-BJ are restated"]]
    )
