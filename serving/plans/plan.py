"""A target plan, its lines and its events, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from features.indicators import Indicator

LEVELS = ("floor", "target", "stretch")
"""基础, 目标, 挑战: from the easiest to the hardest."""
CHANGED = (*LEVELS, "p_floor", "p_target", "p_stretch", "evidence", "pinned", "overridden", "reason", "role", "flagged")
"""What a change of a line may change: what an event keeps of before and after, and what undoing brings back."""


class State(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What was done to a plan."""

    DRAFT = "draft"
    REVISE = "revise"
    OVERRIDE = "override"
    PIN = "pin"
    UNPIN = "unpin"
    RESET = "reset"
    REALLOCATE = "reallocate"
    IMPORT = "import"
    UNDO = "undo"
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    SUPERSEDE = "supersede"
    WITHDRAW = "withdraw"


CHANGES = frozenset(
    {Action.OVERRIDE, Action.PIN, Action.UNPIN, Action.RESET, Action.REALLOCATE, Action.IMPORT, Action.UNDO}
)
"""What changes lines: whoever did one of these does not approve the plan."""


@dataclass(frozen=True)
class Plan:
    """A version of the targets of a year.

    Attributes
    ----------
    id, dataset : str
    year, version : int
    revises : str or None
        The published plan that it is to replace.
    title : str
    state : State
    revision : int
        Goes up by one with every change; the number of the last event.
    data_version : int
    fingerprint : str
        Of the data version.
    model_version, model_digest, policy_version : str
    known_on : str
        Last day on which a figure that it rests on became known.
    asked : Mapping
        `goals, pins, floors, caps, flagged` (lists of `unit, indicator, value`), `cap_ratchet`, `policy`, `fitted`.
    indicators : Mapping
        By code, as they were defined when it was drafted.
    notes : tuple of str
    created_at : datetime
    created_by : str
    published_at : datetime or None
    digest : str
        SHA-256 over all lines, from submission on; blank in a draft.
    """

    id: str
    dataset: str
    year: int
    version: int
    revises: str | None
    title: str
    state: State
    revision: int
    data_version: int
    fingerprint: str
    model_version: str
    model_digest: str
    policy_version: str
    known_on: str
    asked: Mapping[str, Any]
    indicators: Mapping[str, Any]
    notes: tuple[str, ...]
    created_at: datetime
    created_by: str
    published_at: datetime | None
    digest: str

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Plan:
        """Read a row of the table."""
        given: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
        given |= {"state": State(row["state"]), "notes": tuple(row["notes"])}
        return cls(**given)

    def indicator(self, code: str) -> Indicator:
        """Give an indicator as it was defined when the plan was drafted."""
        return Indicator.model_validate(self.indicators[code])


@dataclass(frozen=True)
class Line:
    """The targets of a unit on an indicator.

    Attributes
    ----------
    plan, unit, indicator : str
    position : int
    revision : int
        The plan's when the line was last changed.
    role : {"", "goal", "total"}
        `goal`: the unit's goal was broken down. `total`: it is above or below a goal, and its target is what the units
        below it come to.
    leaf : bool
    above : tuple of str
        The units above, the nearest first.
    weight, last_actual, growth : float or None
    floor, target, stretch, p_floor, p_target, p_stretch : float or None
    suggested : Mapping
        The three levels, their probabilities and the `evidence`, as suggested.
    basis : Mapping
        `curve` (see `serving.plans.curve`), `step` (smallest step in which targets are stated), the milestones
        `like_group, expected, suggested` of `models.reasons`.
    groups : Mapping
        `actual_quartile`, `growth_quartile` (1 is the best quarter of the peers, None where there are fewer than
        five); `region_type`, `peer_group`, `size`, `volatility`, `past_growth`, `growth_rank` of leaves.
    evidence : str
    flagged, pinned, overridden : bool
    reason : str
        Why it was overridden.
    changed_by : str or None
    changed_at : datetime or None
    """

    plan: str
    unit: str
    indicator: str
    position: int
    revision: int
    role: str
    leaf: bool
    above: tuple[str, ...]
    weight: float | None
    last_actual: float | None
    growth: float | None
    floor: float | None
    target: float | None
    stretch: float | None
    p_floor: float | None
    p_target: float | None
    p_stretch: float | None
    suggested: Mapping[str, Any]
    basis: Mapping[str, Any]
    groups: Mapping[str, Any]
    evidence: str
    flagged: bool
    pinned: bool
    overridden: bool
    reason: str
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Line:
        """Read a row of the table."""
        given: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
        given |= {"above": tuple(row["above"])}
        return cls(**given)

    @property
    def held(self) -> bool:
        """Tell whether it stays when the rest is allocated again."""
        return self.pinned or self.overridden

    @property
    def suggested_evidence(self) -> str:
        """Give what the suggestion rests on."""
        return str(self.suggested["evidence"])

    @property
    def asked_growth(self) -> float | None:
        """Give what the target asks over the last actual: percent, or points of a ratio or level; see `growth`."""
        if self.target is None or self.last_actual is None:
            return None
        difference = self.target - self.last_actual
        if self.basis["in_points"]:
            return difference
        return None if self.last_actual == 0 else 100 * difference / abs(self.last_actual)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Give what a change may change."""
        return {name: getattr(self, name) for name in CHANGED}


@dataclass(frozen=True)
class Event:
    """A step of a plan's history.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    at : datetime
    by : str
        Name of who did it.
    actor : str
        Who it is beneath the name; see `serving.plans.actors`.
    action : Action
    reason : str
    detail : Mapping
        Of a change of lines: `lines` (each `unit, indicator, before, after`), and `goals` before it.
    """

    number: int
    at: datetime
    by: str
    actor: str
    action: Action
    reason: str
    detail: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Event:
        """Read a row of the table."""
        given: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
        given |= {"action": Action(row["action"])}
        return cls(**given)
