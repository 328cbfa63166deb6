"""What is asked and answered about simulations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from serving.policy_schemas import Day, PolicyDocument
from serving.request_schemas import LARGEST_POINT_VALUE, NO_NUL, Signed
from serving.schemas import Answer, Page

SimulationState = Literal["waiting", "running", "done", "failed", "cancelled"]
LONGEST_CHANGE = 20_000
"""Characters of a change from outside: a page or two."""
PolicyChosen = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=150,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[A-Za-z0-9][A-Za-z0-9._-]{0,39})?$",
    ),
]
PeriodChosen = Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=NO_NUL)]


class SimulationAsked(Signed):
    """Other rules to replay past periods under."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)] = Field(
        default="", description="What it is for; may be blank.", examples=["More weight on risk"]
    )
    policy: PolicyChosen | None = Field(
        default=None, description="The policy to try: activated, or ready-made.", examples=["retail-line"]
    )
    document: PolicyDocument | None = Field(
        default=None,
        description="The policy to try, as YAML, instead of a name.",
        examples=['policy: 1\nid: branch\nversion: "2"\n'],
    )
    against: PolicyChosen | None = Field(
        default=None, description="What stands for the present; by default the policy in force.", examples=[None]
    )
    change: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CHANGE, pattern=NO_NUL)] | None = Field(
        default=None,
        description="A change from outside as YAML: a rate cap, a tolerance, a merger.",
        examples=["change: 1\nkind: rate_cap\nfrom: 2025-10\ncap: 24\nincome: P09\nvolume: LOANS\n"],
    )
    period: PeriodChosen | None = Field(
        default=None,
        description="The only period replayed; a bare year stands for its last one. By default the last of the last "
        "complete year.",
        examples=["2024"],
    )
    first: PeriodChosen | None = Field(
        default=None, alias="from", description="The first period replayed instead.", examples=["2023-01"]
    )
    last: PeriodChosen | None = Field(
        default=None, alias="to", description="The last period replayed instead.", examples=["2024-12"]
    )
    year_ends: bool = Field(default=False, description="Replay only the last period of each year.")
    suggested_targets: bool = Field(
        default=False, description="Compare with the targets that each policy's levels would have asked for."
    )
    point_value: Annotated[float, Field(gt=0, le=LARGEST_POINT_VALUE, allow_inf_nan=False)] | None = Field(
        default=None, description="What a point is worth in the bonus pool.", examples=[1200]
    )
    known_on: Day | None = Field(
        default=None, description="Leave out what became known after this day.", examples=["2025-06-30"]
    )


class SimulationProgress(Answer):
    """How far a simulation is."""

    stage: str = Field(description="What it is doing.", examples=["replaying"])
    done: int = Field(description="Pieces done.", examples=[1])
    total: int = Field(description="Pieces in all; 0 where it is not known.", examples=[4])


class SimulationQuestion(Answer):
    """What was asked for."""

    period: str | None = Field(description="The only period; null for the default or a span.", examples=["2024-12"])
    first: str | None = Field(
        description="The first period of a span; null where none was given.", examples=["2023-01"]
    )
    last: str | None = Field(description="The last period of a span; null where none was given.", examples=["2024-12"])
    year_ends: bool = Field(description="Whether only year ends are replayed.")
    suggested_targets: bool = Field(description="Whether targets are suggested under each policy.")
    point_value: float | None = Field(
        description="What a point is worth; null where it does not matter.", examples=[1_200.0]
    )
    known_on: date | None = Field(
        description="The day as of which figures count; null for all that is known.", examples=["2025-06-30"]
    )
    policy: str | None = Field(
        description="The policy tried, as YAML, as it was when it was asked for.",
        examples=['policy: 1\nid: branch\nversion: "2"\n'],
    )
    against: str | None = Field(
        description="What stands for the present, as YAML; null for the policy in force.",
        examples=['policy: 1\nid: branch\nversion: "2"\n'],
    )
    change: str | None = Field(
        description="The change from outside, as YAML.",
        examples=["change: 1\nkind: rate_cap\nfrom: 2025-10\ncap: 24\nincome: P09\nvolume: LOANS\n"],
    )


class Simulation(Answer):
    """A simulation and how far it is."""

    id: str = Field(description="Its name.", examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"])
    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    title: str = Field(description="What it is for; may be blank.", examples=["Without the bonus for deposits"])
    state: SimulationState = Field(description="How it stands.", examples=["running"])
    progress: SimulationProgress | None = Field(description="How far it is; null unless it is worked on.")
    trouble: str = Field(description="Why it failed; blank otherwise.", examples=[""])
    asked_at: datetime = Field(description="When, UTC.", examples=["2026-03-02T08:15:30Z"])
    asked_by: str = Field(description="By whom.", examples=["Li Ming"])
    finished_at: datetime | None = Field(
        description="When it ended, UTC; null before.", examples=["2026-03-02T08:15:30Z"]
    )


class SimulationPage(Page[Simulation]):
    """Simulations, the newest first."""

    items: list[Simulation] = Field(description="The simulations.")


class SimulationDetail(Simulation):
    """A simulation with its question and its result."""

    question: SimulationQuestion = Field(description="What was asked for.")
    result: dict[str, Any] | None = Field(
        description="The summary, as `loadline simulate --format json` writes it; null before it is done.",
        examples=[{"units": 130}],
    )


class SimulationCancelAsked(Signed):
    """A wish that a simulation stops."""
