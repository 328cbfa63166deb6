"""Scoring rules as data: how a figure becomes points out of 100. What they compute is in `models.scoring.points`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

DIGITS = 15
"""Of a number in a policy, at most: with more, a double would stand for several decimals."""

Points = Annotated[Decimal, Field(ge=-1000, le=1000, decimal_places=2)]
Positive = Annotated[Decimal, Field(gt=0, le=10**12, max_digits=DIGITS)]
Figure = Annotated[Decimal, Field(ge=-(10**12), le=10**12, max_digits=DIGITS)]
Coefficient = Annotated[Decimal, Field(ge=0, le=2, max_digits=DIGITS)]
Probability = Annotated[Decimal, Field(gt=0, lt=1, max_digits=DIGITS)]

FROM = AliasChoices("from", "start")
"""`from` in a document; a name that Python does not allow."""

QUANTILES = (Decimal("0.1"), Decimal("0.3"), Decimal("0.5"), Decimal("0.7"), Decimal("0.9"))
COEFFICIENTS = (Decimal("0.2"), Decimal("0.4"), Decimal("0.6"), Decimal("0.8"), Decimal("1"))
"""Of the five standards from the worst to the best (Ministry of Finance, efficacy coefficient method 功效系数法)."""


def written(value: Decimal) -> str:
    """Write a decimal without exponent and idle zeros.

    >>> written(Decimal("30.00")), written(Decimal("1E+2")), written(Decimal("-0.50"))
    ('30', '100', '-0.5')
    """
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


class Part(BaseModel):
    """A part of a policy: unknown fields are refused, and nothing is changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(Part):
    """What happens on one side of the reference: `points` for every `step`, at most `most` points."""

    step: Positive
    points: Annotated[Decimal, Field(ge=0, le=1000, max_digits=DIGITS)]
    most: Annotated[Points, Field(ge=0)]


class Increment(Part):
    """Increment and decrement (加减分法): points added for every step better than the reference, taken for every worse.

    `steps_in` says what a step is counted in: the indicator's own unit, or percent of the reference's size.
    """

    kind: Literal["increment"]
    base: Points = Decimal(100)
    better: Side
    worse: Side
    steps_in: Literal["figure", "percent"] = "figure"


class Ratio(Part):
    """Ratio (比值法): figure over reference, or reference over figure where lower is better.

    `cap` and `least` bound the points. `band` replaces the indicator's own limits where neither higher nor lower is
    better. A ratio says nothing where the reference is not positive or the signs differ: `otherwise` then answers, or,
    where there is none, the item is not scored.
    """

    kind: Literal["ratio"]
    cap: Annotated[Points, Field(gt=0)] = Decimal(130)
    least: Points = Decimal(0)
    band: tuple[Figure, Figure] | None = None
    otherwise: Increment | None = None

    @model_validator(mode="after")
    def _room(self) -> Ratio:
        if self.least >= self.cap:
            raise ValueError("least lies below cap")
        return self


class Tier(Part):
    """Points from a figure on, up to where the next tier begins; no `start` for the lowest."""

    start: Figure | None = Field(default=None, validation_alias=FROM, serialization_alias="from")
    points: Points


class Tiers(Part):
    """Tiers (层差法): the points of the half-open interval that holds the figure, or its attainment in percent."""

    kind: Literal["tiers"]
    of: Literal["figure", "attainment"] = "figure"
    tiers: Annotated[tuple[Tier, ...], Field(min_length=2)]


class Efficacy(Part):
    """Efficacy coefficient (功效系数法): between two standards, points in proportion; 0 below the worst.

    `standards` run from the worst to the best, as many as `coefficients`. Without them they are the `quantiles` of the
    peer group a year before: of ratios as they stand, of volumes by their growth.
    """

    kind: Literal["efficacy"]
    standards: Annotated[tuple[Figure, ...], Field(min_length=2)] | None = None
    coefficients: Annotated[tuple[Coefficient, ...], Field(min_length=2)] = COEFFICIENTS
    quantiles: Annotated[tuple[Probability, ...], Field(min_length=2)] = QUANTILES


class TwoIncrease(Part):
    """Two increases (两增): SME loans are to grow no slower than all loans.

    Full points where they do; else, where the plan (the item's reference) is met, in proportion to the growth of all
    loans; else none. `miss` points are taken where this year and last brought none; `shrinkage` where the balance
    shrank in both (the heavier of the two).
    """

    kind: Literal["two_increase"]
    all_loans: str
    miss: Annotated[Points, Field(ge=0)] = Decimal(3)
    shrinkage: Annotated[Points, Field(ge=0)] = Decimal(4)


class Levels(Part):
    """Three levels (基础/目标/挑战): points of the policy's levels, in proportion between them.

    Below the floor the line from floor to target goes on, down to no points; above the stretch nothing is added.
    """

    kind: Literal["levels"]


Rule = Annotated[Ratio | Increment | Tiers | Efficacy | TwoIncrease | Levels, Field(discriminator="kind")]
