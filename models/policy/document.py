"""A policy as a document: scorecards of weighted items, adjustments, ordered gates, target levels and limits.

Read it with `models.policy.reading`; what a single document cannot show on its own (sums, overlaps, units and
indicators that exist) is checked in `models.policy.validator`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from features.indicators import Perspective, Title
from models.outcome.distribution import TargetLevels
from models.policy.rules import DIGITS, FROM, Efficacy, Figure, Part, Points, Positive, Probability, Ratio, Rule, Tiers
from models.policy.targets import CalibrationLimits, TargetPolicy

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=DIGITS)]
Against = Literal["target", "last_year", "peers", "fixed"]


class Period(Part):
    """Days on which a version is in force, both inclusive; no `until` while nothing has followed it."""

    start: date = Field(validation_alias=FROM, serialization_alias="from")
    until: date | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.until is not None and self.until < self.start:
            raise ValueError("a period ends before it begins")
        return self


class Selector(Part):
    """Which units a scorecard is for: every attribute named must have one of its values; an empty selector is all."""

    business_line: tuple[str, ...] = ()
    region_type: tuple[str, ...] = ()
    peer_group: tuple[str, ...] = ()
    level: tuple[str, ...] = ()


class Condition(Part):
    """When a gate or an adjustment acts: a figure beyond a limit, its attainment in percent, or its change on the year.

    Exactly one of `above` and `below` (limit excluded), `at_least` and `at_most` (limit included) is given.
    """

    indicator: str
    of: Literal["figure", "attainment", "change"] = "figure"
    above: Figure | None = None
    below: Figure | None = None
    at_least: Figure | None = None
    at_most: Figure | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Condition:
        if sum(limit is not None for limit in (self.above, self.below, self.at_least, self.at_most)) != 1:
            raise ValueError("give exactly one of above, below, at_least, at_most")
        return self

    @property
    def limit(self) -> Decimal:
        """Give the limit."""
        return next(x for x in (self.above, self.below, self.at_least, self.at_most) if x is not None)

    @property
    def upwards(self) -> bool:
        """Tell whether figures over the limit are meant."""
        return self.above is not None or self.at_least is not None


class Item(Part):
    """One line of a scorecard: an indicator, what it is compared with, and how it becomes points.

    `growth` moves a reference of `last_year` or `peers`, in percent; `value` is the reference where it is `fixed`.
    `block` is the policy's own name of the class that the item counts to, where perspectives are not enough.
    """

    indicator: str
    weight: Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)]
    against: Against = "target"
    value: Figure | None = None
    growth: Annotated[Decimal, Field(ge=-100, le=1000, max_digits=DIGITS)] = Decimal(0)
    rule: Rule
    perspective: Perspective | None = None
    block: Name | None = None
    shared: bool = False
    note: Title | None = None

    @model_validator(mode="after")
    def _reference(self) -> Item:
        if (self.value is None) is (self.against == "fixed"):
            raise ValueError("value: goes with against: fixed, and only with it")
        if self.growth and self.against not in ("last_year", "peers"):
            raise ValueError("growth: goes with against: last_year or peers")
        return self

    @property
    def compares(self) -> bool:
        """Tell whether the rule looks at the reference: not tiers of the figure, efficacy, or a band of its own."""
        rule = self.rule
        if isinstance(rule, Tiers):
            return rule.of == "attainment"
        return not (isinstance(rule, Efficacy) or (isinstance(rule, Ratio) and rule.band is not None))


class Adjustment(Part):
    """Points added or taken beside the items: once, or `points` for every `per` beyond the limit, at most `most`."""

    id: Name
    title: Title
    kind: Literal["bonus", "malus"]
    when: Condition
    points: Annotated[Points, Field(gt=0)]
    per: Positive | None = None
    most: Annotated[Points, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Adjustment:
        if (self.per is None) is not (self.most is None):
            raise ValueError("per and most go together: points for every `per`, up to a limit")
        return self


class TotalCap(Part):
    """No score above `at`, always or under a condition."""

    kind: Literal["total_cap"]
    id: Name
    title: Title
    at: Points
    when: Condition | None = None


class ProtectionFloor(Part):
    """No score below `at` for so many months after a unit was opened or moved to another parent (保护期)."""

    kind: Literal["protection_floor"]
    id: Name
    title: Title
    at: Points
    of: Literal["new_units", "moved_units"]
    months: Annotated[int, Field(gt=0, le=60)]


class GradeCeiling(Part):
    """No better grade than `grade` under a condition (降级封顶): the score stays below where the next begins."""

    kind: Literal["grade_ceiling"]
    id: Name
    title: Title
    grade: str
    when: Condition


class Veto(Part):
    """A score of zero under a condition (一票否决)."""

    kind: Literal["veto"]
    id: Name
    title: Title
    when: Condition


Gate = Annotated[TotalCap | ProtectionFloor | GradeCeiling | Veto, Field(discriminator="kind")]


class Grade(Part):
    """A grade and the score from which it is given; no `from` for the lowest."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    start: Points | None = Field(default=None, validation_alias=FROM, serialization_alias="from")


class Scorecard(Part):
    """Weighted items for some units, with adjustments; gates of the policy come after."""

    id: Name
    title: Title
    applies_to: Selector = Selector()
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=60)]
    adjustments: Annotated[tuple[Adjustment, ...], Field(max_length=12)] = ()


class Limits(Part):
    """The most that all bonuses together add, and all maluses together take; none: no limit."""

    bonus: Annotated[Points, Field(ge=0)] | None = None
    malus: Annotated[Points, Field(ge=0)] | None = None


class TargetLevel(Part):
    """One of the three levels of a target: how probable it is, and what attaining it exactly is worth."""

    probability: Probability
    points: Annotated[Points, Field(gt=0)]


class Levels3(Part):
    """Floor, target and stretch (基础、目标、挑战)."""

    floor: TargetLevel = TargetLevel(probability=Decimal("0.85"), points=Decimal(80))
    target: TargetLevel = TargetLevel(probability=Decimal("0.60"), points=Decimal(100))
    stretch: TargetLevel = TargetLevel(probability=Decimal("0.20"), points=Decimal(120))

    @model_validator(mode="after")
    def _ordered(self) -> Levels3:
        if not self.floor.probability > self.target.probability > self.stretch.probability:
            raise ValueError("probabilities descend from floor to stretch")
        if not self.floor.points < self.target.points < self.stretch.points:
            raise ValueError("points ascend from floor to stretch")
        return self


class Calibration(Part):
    """What a quarterly calibration may change; see `models.policy.targets.CalibrationLimits`."""

    least: Share = Decimal("0.10")
    most: Share = Decimal("0.20")
    by: Literal["count", "size"] = "count"

    @model_validator(mode="after")
    def _ordered(self) -> Calibration:
        if self.least > self.most:
            raise ValueError("least is no more than most")
        return self


class Missing(Part):
    """What becomes of a unit that lacks the figures of some items.

    `withhold`: no score, with the reason. `rescale`: the other items' weights are scaled up to 100 and the score says
    so, unless items of less than `least_weight` are left.
    """

    then: Literal["withhold", "rescale"] = "withhold"
    least_weight: Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)] = Decimal(60)


class Acceptance(Part):
    """A warning of the validator that a named person has accepted, on record."""

    finding: Name
    by: Annotated[str, Field(min_length=2)]
    on: date
    reason: Annotated[str, Field(min_length=2)]


class Policy(Part):
    """A whole policy; what a validator would refuse can be in it, so check it before it is used.

    Attributes that are not obvious: `level`, whether this is an internal scorecard (where supervisors want risk and
    compliance to weigh most) or the owner's evaluation of a bank (where the Ministry of Finance fixes four equal
    classes); `alert_budget`, the share of units whose alerts are to be reviewed each period; `factors`, chains of
    volumes whose ratios multiply to the last one, such as STAFF, CUSTOMERS, P08: staff x customers a head x fees a
    customer.
    """

    policy: Literal[1]
    id: Name
    version: Version
    title: Title
    source: Annotated[str, Field(min_length=3)]
    effective: Period
    level: Literal["internal", "owner"]
    scorecards: Annotated[tuple[Scorecard, ...], Field(min_length=1, max_length=100)]
    not_scored: tuple[Selector, ...] = ()
    limits: Limits = Limits()
    gates: Annotated[tuple[Gate, ...], Field(max_length=12)] = ()
    grades: tuple[Grade, ...] = ()
    missing: Missing = Missing()
    targets: Levels3 = Levels3()
    calibration: Calibration = Calibration()
    ratchet_cap: Share = Decimal("0.5")
    flagged_attain: Probability = Decimal("0.5")
    alert_budget: Annotated[Share, Field(gt=0)] = Decimal("0.05")
    factors: tuple[Annotated[tuple[str, ...], Field(min_length=2, max_length=6)], ...] = ()
    accepted: tuple[Acceptance, ...] = ()

    @property
    def label(self) -> str:
        """Give the name that every result carries: id and version."""
        return f"{self.id}@{self.version}"

    @property
    def gate_conditions(self) -> tuple[Condition, ...]:
        """Give what the gates look at; protection, and a cap that always holds, look at no figure."""
        found = (None if isinstance(gate, ProtectionFloor) else gate.when for gate in self.gates)
        return tuple(condition for condition in found if condition is not None)

    @property
    def target_policy(self) -> TargetPolicy:
        """Give what concerns targets."""
        levels = self.targets
        limits = self.calibration
        return TargetPolicy(
            version=self.label,
            levels=TargetLevels(*(float(x.probability) for x in (levels.floor, levels.target, levels.stretch))),
            calibration=CalibrationLimits(float(limits.least), float(limits.most), limits.by),
            ratchet_cap=float(self.ratchet_cap),
            flagged_attain=float(self.flagged_attain),
        )
