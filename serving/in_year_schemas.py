"""What is asked and answered about targets within their year: the outlook and the quarterly calibration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from serving.observation_schemas import LINE, Code
from serving.request_schemas import FIRST_YEAR, LAST_YEAR, Asked
from serving.schemas import Answer, Number, Sentence

MOST_TARGETS = 4_000
"""Targets asked about at once; more come as a file, with `loadline outlook`."""
Given = Annotated[float, Field(allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class TargetGiven(Asked):
    """A target that was set."""

    unit: Code = Field(description="Code of the unit.", examples=["CN-BJ"])
    indicator: Code = Field(description="Code of the indicator.", examples=["R01"])
    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR, description="The fiscal year.", examples=[2025])
    target: Given = Field(description="The target.", examples=[1.4])
    floor: Given | None = Field(default=None, description="The floor, where one is set.", examples=[1.6])
    stretch: Given | None = Field(default=None, description="The challenge, where one is set.", examples=[1.2])
    p_target: Chance | None = Field(default=None, description="Its probability when it was set.", examples=[0.6])


class TargetsGiven(Asked):
    """Targets that were set, and as of when they are looked at."""

    targets: Annotated[list[TargetGiven], Field(min_length=1, max_length=MOST_TARGETS)] = Field(
        description="The targets, each unit, indicator and year once."
    )
    as_of: Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=LINE)] | None = Field(
        default=None,
        description="Use only what was known at the end of this period; by default all that is known.",
        examples=["2025-06"],
    )


class OutlookRow(Answer):
    """How a target stands."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    year: int = Field(description="The fiscal year.", examples=[2025])
    as_of: str = Field(description="The last period used.", examples=["2025-03"])
    target: Number | None = Field(description="The target.", examples=[1.4])
    to_date: Number | None = Field(
        description="The figure of the year to date; null before the year.", examples=[61_200.0]
    )
    expected_by_now: Number | None = Field(
        description="The figure that is on the way to the target.", examples=[62_000.0]
    )
    pace_ratio: Number | None = Field(description="The one by the other.", examples=[0.97])
    low: Number | None = Field(description="In one of ten years the outcome is below.", examples=[1.3])
    middle: Number | None = Field(description="In half of the years the outcome is below.", examples=[1.45])
    high: Number | None = Field(description="In nine of ten years the outcome is below.", examples=[1.6])
    p_attain: Number | None = Field(description="Probability of attaining the target.", examples=[0.55])
    p_floor: Number | None = Field(description="Of attaining the floor; null where none is given.", examples=[0.88])
    p_stretch: Number | None = Field(
        description="Of attaining the challenge; null where none is given.", examples=[0.17]
    )
    p_at_start: Number | None = Field(description="The probability when the target was set, as given.", examples=[0.6])
    evidence: str = Field(description="What it rests on.", examples=["firm: 12 own years"])
    model_version: str = Field(description="The model that answered.", examples=["4f2c9a1be07d"])
    policy_version: str = Field(description="The policy whose levels count.", examples=["default"])
    data_version: int = Field(description="The data version.", examples=[3])


class Outlook(Answer):
    """How targets stand."""

    items: list[OutlookRow] = Field(description="In the order of the targets given.")


class ReliefGiven(Asked):
    """Relief approved for causes from outside."""

    unit: Code = Field(description="Code of the unit; it covers those below.", examples=["CN-BJ"])
    indicator: Code = Field(description="Code of the indicator.", examples=["R01"])


class CalibrationAsked(TargetsGiven):
    """Targets of one year that may be moved."""

    relief: Annotated[list[ReliefGiven], Field(max_length=MOST_TARGETS)] = Field(
        default=[], description="Relief that was approved.", examples=[[]]
    )
    relief_only: bool = Field(default=False, description="Ease no target without relief.")
    keep_total: bool = Field(default=False, description="Let the moves under one parent add up to zero.")


class CalibrationRow(Answer):
    """What is proposed for a target."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    year: int = Field(description="The fiscal year.", examples=[2025])
    old_target: Number | None = Field(description="The target as it is.", examples=[1.4])
    new_target: Number | None = Field(description="The target proposed.", examples=[1.43])
    p_promised: Number | None = Field(description="The probability that it was set for.", examples=[0.6])
    p_before: Number | None = Field(description="Its probability now.", examples=[0.4])
    p_after: Number | None = Field(description="That of the target proposed.", examples=[0.5])
    moved: bool = Field(description="Whether it would move.", examples=[True])
    reason: str = Field(description="Code of the reason why it would, or not.", examples=["core"])
    text: Sentence = Field(description="The reason in words.")


class Calibration(Answer):
    """A proposed calibration; nothing is changed, a person decides."""

    items: list[CalibrationRow] = Field(description="In the order of the targets given.")
    non_core: int = Field(description="Targets that might move.", examples=[120])
    considered: int = Field(description="Those that would move, had the limits no lower end.", examples=[20])
    moved: int = Field(description="Those that move.", examples=[18])
    share: Number = Field(description="Their share in those that might.", examples=[0.15])
    worthwhile: bool = Field(description="Whether enough would move for a calibration.")
    text: Sentence = Field(description="The same in a sentence.")
