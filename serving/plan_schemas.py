"""What is asked and answered about target plans."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serving.request_schemas import FIRST_YEAR, LAST_YEAR, LONGEST, MOST_GROWTH, NO_NUL, Asked, Reason, Signed
from serving.schemas import Answer, Driver, IndicatorName, Number, Page, Sentence, UnitName

MOST_ASKED = 2_000
"""Goals, pins or ceilings of one request: more come as a file at the command line."""
MOST_EDITS = 20_000
"""Lines changed in one request: a sheet that a person has worked on, and the body stays within its bounds."""
PlanState = Literal["draft", "submitted", "approved", "published", "superseded", "withdrawn"]
PlanAction = Literal[
    "draft",
    "revise",
    "override",
    "pin",
    "unpin",
    "reset",
    "reallocate",
    "import",
    "undo",
    "submit",
    "approve",
    "return",
    "publish",
    "supersede",
    "withdraw",
]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)]
MaybeReason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST, pattern=NO_NUL)]


class AskedValue(Asked):
    """A value for a unit on an indicator."""

    unit: Code = Field(description="The unit.", examples=["CN-BJ"])
    indicator: Code = Field(description="The indicator.", examples=["P01"])
    value: Number = Field(description="In the indicator's unit.", examples=[125_000.0])


class FlaggedUnit(Asked):
    """A unit flagged for risk: its target has a ceiling."""

    unit: Code = Field(description="The unit; one with others below it stands for all of them.", examples=["CN-GD-17"])
    indicator: Code | None = Field(default=None, description="The indicator; null for all.", examples=["P04"])
    growth: Annotated[float, Field(allow_inf_nan=False, gt=-100, le=MOST_GROWTH)] | None = Field(
        default=None,
        description="The most it may be asked to grow, in percent; null for the policy's rule.",
        examples=[3.0],
    )


Values = Annotated[list[AskedValue], Field(max_length=MOST_ASKED)]


class DraftAsked(Signed):
    """A plan to be drafted from the suggestions at hand."""

    year: int | None = Field(
        default=None,
        ge=FIRST_YEAR,
        le=LAST_YEAR,
        description="The year that suggestions are served for.",
        examples=[2025],
    )
    title: Title = Field(default="", description="What people call it.", examples=["2025 targets, first round"])
    goals: Values = Field(default=[], description="Goals to break down over the units below.")
    pins: Values = Field(default=[], description="Targets that are fixed.")
    floors: Values = Field(default=[], description="The least that units may be given.")
    caps: Values = Field(default=[], description="The most that units may be given.")
    flagged: Annotated[list[FlaggedUnit], Field(max_length=MOST_ASKED)] = Field(
        default=[], description="Units flagged for risk."
    )
    cap_ratchet: bool = Field(
        default=False, description="Whether to cap what is passed on of last year's out-performance.", examples=[True]
    )
    dataset: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)] | None = Field(
        default=None, description="By default the one stored last.", examples=["sample-bank"]
    )


class ReallocationAsked(Signed):
    """Goals to be broken down again over the lines that nobody holds."""

    goals: Values = Field(default=[], description="New goals, in the place of those of the same unit and indicator.")
    reason: MaybeReason = Field(default="", description="Why.", examples=["The head office raised the goal."])


class StepAsked(Signed):
    """A step of a plan."""

    reason: MaybeReason = Field(default="", description="Why; may be blank.", examples=["Agreed on 12 January."])


class ReturnAsked(Signed):
    """Why a plan is given back."""

    reason: Reason = Field(description="What is to be changed.", examples=["The goal of Beijing is too low."])


class RevisionAsked(Signed):
    """A new version of the published plan."""

    reason: MaybeReason = Field(default="", description="Why.", examples=["Two branches were merged."])
    title: Title = Field(
        default="", description="That of the published plan where blank.", examples=["2025 targets, second round"]
    )


class LineChange(Signed):
    """A change of one line: levels with a reason, or whether it is pinned."""

    floor: Number | None = Field(default=None, description="The new floor; left out, it stays.", examples=[1.9])
    target: Number | None = Field(
        default=None,
        description="The new target; floor and stretch follow where it crosses them.",
        examples=[1.6],
    )
    stretch: Number | None = Field(default=None, description="The new stretch; left out, it stays.", examples=[1.3])
    pinned: bool | None = Field(
        default=None,
        description="Whether it stays when the rest is allocated again. Not together with levels, which stay anyhow.",
    )
    reason: MaybeReason = Field(default="", description="Why; levels need one.", examples=["A large customer left."])


class Plan(Answer):
    """A version of the targets of a year."""

    id: str = Field(description="Its name.", examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"])
    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    year: int = Field(description="The fiscal year.", examples=[2025])
    version: int = Field(description="1, 2, ... within the year.", examples=[2])
    revises: str | None = Field(description="The published plan that it is to replace.", examples=[None])
    title: str = Field(description="What people call it.", examples=["2025 targets, first round"])
    state: PlanState = Field(description="Where it stands.", examples=["draft"])
    revision: int = Field(description="Goes up with every change; the ETag says the same.", examples=[7])
    data_version: int = Field(description="The stored data version.", examples=[3])
    known_on: date = Field(description="Last day on which a figure became known.", examples=["2024-12-31"])
    model_version: str = Field(description="The model.", examples=["4f2c9a1be07d"])
    policy_version: str = Field(description="The policy that sets the probabilities.", examples=["default-1"])
    goals: list[AskedValue] = Field(description="Goals that were broken down, within the caller's reach.")
    notes: list[str] = Field(description="What was asked and left aside.", examples=[[]])
    created_at: datetime = Field(description="When it was drafted, UTC.", examples=["2025-01-15T08:30:00Z"])
    created_by: str = Field(description="Who drafted it.", examples=["Li Ming"])
    published_at: datetime | None = Field(description="When it was published.", examples=[None])
    digest: str = Field(description="SHA-256 over all lines from submission on; blank before.", examples=[""])


class PlanPage(Page[Plan]):
    """Some of the plans, the newest year and version first."""


class PlanLevel(Answer):
    """One level of a line."""

    value: Number | None = Field(description="In the indicator's unit; null where nothing is set.", examples=[1.42])
    probability: Number | None = Field(description="Of attaining it; null where nothing is known.", examples=[0.6])
    suggested: Number | None = Field(description="As it was suggested.", examples=[1.38])


class PlanLine(Answer):
    """The targets of a unit on an indicator."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    unit_name: UnitName = Field(description="Name of the unit.")
    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    name: IndicatorName = Field(description="Name of the indicator.")
    unit_of_measure: str = Field(description="Unit of all values here.", examples=["%"])
    direction: Literal["higher", "lower", "band"] = Field(description="What is better.", examples=["lower"])
    revision: int = Field(description="The plan's when it was last changed.", examples=[3])
    etag: str = Field(description="Send it as If-Match with a change.", examples=['"r3"'])
    last_actual: Number | None = Field(description="The last known figure of a year.", examples=[1.51])
    growth: Number | None = Field(
        description="Of the last actual over the year before: percent, or points of a ratio or level.", examples=[-0.08]
    )
    asked_growth: Number | None = Field(description="What the target asks over the last actual.", examples=[-0.09])
    actual_quartile: int | None = Field(
        description="Quarter of the last actual among the peers, 1 the best; null for fewer than five.", examples=[2]
    )
    growth_quartile: int | None = Field(description="The same of its growth.", examples=[1])
    floor: PlanLevel = Field(description="基础.")
    target: PlanLevel = Field(description="目标.")
    stretch: PlanLevel = Field(description="挑战.")
    role: Literal["", "goal", "total"] = Field(
        description="`goal`: its goal was broken down; `total`: what the units below come to, under a goal."
    )
    pinned: bool = Field(description="Whether a person has fixed it.", examples=[False])
    overridden: bool = Field(description="Whether a person has set it.", examples=[True])
    flagged: bool = Field(description="Whether it has a ceiling for risk.", examples=[False])
    reason: str = Field(description="Why it was overridden.", examples=["A large customer left."])
    changed_by: str | None = Field(description="Who changed it last.", examples=["Li Ming"])
    changed_at: datetime | None = Field(description="When, UTC.", examples=["2025-01-15T08:30:00Z"])
    drivers: list[Driver] = Field(description="The steps from the last figure to the target.")
    text: Sentence | None = Field(description="The same in a sentence.")
    evidence: str = Field(description="What it rests on, and how firmly.", examples=["own history"])


class PlanLinePage(Page[PlanLine]):
    """Some of the lines, by indicator, the highest units first."""


class ChangedLine(Answer):
    """A line after its change."""

    line: PlanLine = Field(description="The line.")
    plan_revision: int = Field(description="The plan's revision now.", examples=[8])
    notes: list[str] = Field(description="Goals that the units below do not come to.", examples=[[]])


class PlanEvent(Answer):
    """A step of a plan's history."""

    number: int = Field(description="1, 2, ...: the revision that it made.", examples=[4])
    at: datetime = Field(description="When, UTC.", examples=["2025-01-15T08:30:00Z"])
    by: str = Field(description="Who.", examples=["Li Ming"])
    action: PlanAction = Field(description="What.", examples=["override"])
    reason: str = Field(description="Why.", examples=["A large customer left."])
    lines: int = Field(description="How many lines it changed.", examples=[1])
    unit: str | None = Field(description="The unit, of a change of one line.", examples=["CN-BJ"])
    indicator: str | None = Field(description="The indicator, of a change of one line.", examples=["R01"])


class PlanEventPage(Page[PlanEvent]):
    """Some of the events, the oldest first."""


class PlanTotal(Answer):
    """A goal or total beside what the units below come to."""

    unit: str = Field(description="The unit.", examples=["CN-BJ"])
    indicator: str = Field(description="The indicator.", examples=["P01"])
    role: Literal["goal", "total"] = Field(description="Whether a goal was given for it.")
    goal: Number | None = Field(description="The goal as it was given.", examples=[125_000.0])
    stated: Number | None = Field(description="The target of its own line.", examples=[125_000.0])
    allocated: Number | None = Field(description="What the units below come to.", examples=[128_213.11])
    off: Number = Field(description="By how much they miss it; 0 where they add up.", examples=[3_213.11])


class PlanFairness(Answer):
    """How likely a group of units is to attain its targets."""

    indicator: str = Field(description="The indicator.", examples=["P01"])
    dimension: str = Field(description="What units are grouped by.", examples=["past_growth"])
    group: str = Field(description="The group; `gap` and `slope` compare groups.", examples=["high"])
    units: int = Field(description="How many units, at least five.", examples=[143])
    p_target: Number = Field(description="Mean probability of attaining the target.", examples=[0.6])
    versus_others: Number | None = Field(description="Less that of the other groups.", examples=[-0.01])


class PlanSummary(Answer):
    """What a plan comes to."""

    lines: int = Field(description="How many lines.", examples=[2_592])
    pinned: int = Field(description="Fixed by a person.", examples=[3])
    overridden: int = Field(description="Set by a person.", examples=[12])
    flagged: int = Field(description="With a ceiling for risk.", examples=[20])
    without: int = Field(description="Without a target.", examples=[5])
    totals: list[PlanTotal] = Field(description="Goals and the totals between them and the leaves.")
    fairness: list[PlanFairness] = Field(description="How even the chances are.")


class LineEdit(Asked):
    """New levels of one line among many."""

    unit: Code = Field(description="The unit.", examples=["CN-BJ"])
    indicator: Code = Field(description="The indicator.", examples=["R01"])
    floor: Number | None = Field(default=None, description="The new floor; left out, it stays.", examples=[1.9])
    target: Number | None = Field(default=None, description="The new target; left out, it stays.", examples=[1.6])
    stretch: Number | None = Field(default=None, description="The new stretch; left out, it stays.", examples=[1.3])
    reason: MaybeReason = Field(default="", description="Why; that of the whole where blank.", examples=["New outlet."])
    before: Number | None = Field(
        default=None, description="Ignored, as `p_target` is: what `import` answers is sent as it is.", examples=[1.42]
    )
    p_target: Number | None = Field(default=None, description="Ignored.", examples=[0.42])


class LineEdits(Signed):
    """Changes of many lines, all or none: what an imported sheet is confirmed with."""

    edits: list[LineEdit] = Field(min_length=1, max_length=MOST_EDITS, description="The changes.")
    reason: Reason = Field(description="Why.", examples=["Agreed on in the second round."])


class SheetEdit(LineEdit):
    """What a sheet changes of a line."""

    before: float | None = Field(description="The target now.", examples=[1.42])
    p_target: float | None = Field(description="Probability of the target as it would be.", examples=[0.42])


class SheetTrouble(Answer):
    """Something in a sheet that cannot be taken."""

    cell: str = Field(description="Where.", examples=["I17"])
    what: str = Field(description="What is wrong.", examples=["is no number"])


class SheetDifference(Answer):
    """What an edited sheet would change. Nothing is changed until the edits are sent to `changes`."""

    revision: int = Field(description="The plan's, which it was compared with.", examples=[7])
    rows: int = Field(description="Lines of the sheet.", examples=[1240])
    edits: list[SheetEdit] = Field(description="The lines that differ, and can be changed.")
    problems: list[SheetTrouble] = Field(description="What cannot be taken; those lines are not among the edits.")
    more_problems: int = Field(description="How many problems are not listed.", examples=[0])
