"""What is answered about scores: the score, its lines, its explanation, the policies in force."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from serving.schemas import Answer, IndicatorName, Number, Sentence, UnitName

LineKind = Literal["item", "adjustment", "limit", "gate", "rounding"]
Against = Literal["target", "last_year", "peers"]
Side = Literal["better", "worse", "same"]


class ScoreVersions(Answer):
    """What a score rests on."""

    data_version: int = Field(description="The stored data version.", examples=[3])
    policy_version: str = Field(description="The policy's id and version.", examples=["retail@2025"])
    policy_note: str = Field(
        description="Where the policy comes from.", examples=["Policy retail@2025, which came with the dataset."]
    )
    model_version: str = Field(
        description="The model that suggested the targets; `given` where people set them, `none` where there are none.",
        examples=["given"],
    )
    known_on: date = Field(
        description="Last day on which a figure became known that it rests on.", examples=["2024-12-31"]
    )
    closed_version: int | None = Field(
        description="The version of the closed period in the archive; null while it is open.", examples=[1]
    )


class ScoreLine(Answer):
    """A line of a score; the amounts of all lines add up to it exactly."""

    kind: LineKind = Field(description="What the line is.", examples=["item"])
    code: str = Field(description="The item's indicator, or the id of the adjustment or gate.", examples=["R01"])
    name: Sentence = Field(description="What it is called.")
    unit_of_measure: str | None = Field(description="Of figure and reference; null for rules.", examples=["%"])
    weight: Number | None = Field(description="Weight out of 100, as it counts; null for rules.", examples=[20])
    figure: Number | None = Field(description="The figure that is assessed.", examples=[1.92])
    reference: Number | None = Field(description="What the policy compares it with.", examples=[1.5])
    points: Number | None = Field(description="Points out of 100; null where not scored.", examples=[78.13])
    amount: Number = Field(description="What it brings to the total.", examples=[15.63])
    text: Sentence = Field(description="The line in a sentence.")


class ScoreGate(Answer):
    """A rule on the total, in the policy's order."""

    id: str = Field(description="Its id in the policy.", examples=["npl-ceiling"])
    kind: Literal["total_cap", "protection_floor", "grade_ceiling", "veto"] = Field(description="What it does.")
    name: Sentence = Field(description="What it is called.")
    applies: bool | None = Field(description="Whether its condition holds; null where there is no figure to judge by.")
    amount: Number = Field(description="What it adds to or takes from the total.", examples=[-3.4])
    text: Sentence = Field(description="The rule and its condition in a sentence.")


class Score(Answer):
    """The score of a unit in a period."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    name: UnitName = Field(description="Name of the unit.")
    period: str = Field(description="The period, as the dataset writes it.", examples=["2024-12"])
    scorecard: str = Field(description="Id of its scorecard in the policy.", examples=["retail"])
    scorecard_name: Sentence = Field(description="What the scorecard is called.")
    score: Number | None = Field(description="As stated, one decimal; null where there is none.", examples=[84.3])
    grade: str | None = Field(description="The grade; null where the policy has none.", examples=["B"])
    raw: Number | None = Field(description="The total before the gates.", examples=[86.12])
    gated: Number | None = Field(description="The total after the gates.", examples=[84.32])
    assessed_weight: Number = Field(description="Weight of the items that could be scored, of 100.", examples=[100])
    lines: list[ScoreLine] = Field(description="Items, adjustments, limits, gates, rounding.")
    gates: list[ScoreGate] = Field(description="Every gate of the policy, whether it applies or not.")
    missing: list[Sentence] = Field(description="Items that could not be scored, with the reason.")
    notes: list[str] = Field(
        description="What a careful reader should know of the figures.", examples=[["no figure of R05 is known yet"]]
    )
    versions: ScoreVersions = Field(description="What the score rests on.")


class ScoreDriver(Answer):
    """The share of an indicator or rule in the difference between a score and its reference."""

    code: str = Field(description="Code of the indicator; `protection` or `rounding` for rules.", examples=["R01"])
    name: Sentence = Field(description="What it is called.")
    unit_of_measure: str | None = Field(description="Of the figures; null for rules.", examples=["%"])
    amount: Number = Field(description="Points; all drivers add up to the difference.", examples=[-1.8])
    figure: Number | None = Field(description="The unit's figure.", examples=[1.92])
    reference: Number | None = Field(description="What it is compared with; null where not shown.", examples=[1.52])
    gap: Number | None = Field(description="Figure less reference, as shown.", examples=[0.4])
    side: Side | None = Field(description="Whether the figure is better or worse, in the indicator's own direction.")
    compared: bool = Field(description="False where there is nothing to compare with.")
    controllable: bool | None = Field(description="Whether a unit's own manager can move it; null for rules.")
    text: Sentence = Field(description="The share in a sentence.")


class ByControl(Answer):
    """The difference by who can move it."""

    controllable: Number = Field(description="Of indicators that a unit's own manager can move.", examples=[-1.2])
    environmental: Number = Field(description="Of indicators that the surroundings set.", examples=[-0.6])
    rules: Number = Field(description="Of protection and rounding.", examples=[0])


class GradeMove(Answer):
    """A change of one figure that would help a score to the next grade."""

    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    name: IndicatorName = Field(description="Name of the indicator.")
    unit_of_measure: str = Field(description="Of the figures.", examples=["%"])
    figure: Number = Field(description="The figure now.", examples=[1.92])
    to: Number = Field(description="The figure that would do.", examples=[1.7])
    change: Number = Field(description="The one less the other.", examples=[-0.22])
    text: Sentence = Field(description="The change in a sentence.")


class GradeWay(Answer):
    """Changes that together reach the next grade, everything else unchanged."""

    changes: list[GradeMove] = Field(description="The figures that would change.")
    score: Number = Field(description="The score that they would give.", examples=[90.1])


class GradeHold(Answer):
    """A rule that holds the score below the next grade."""

    gate: str = Field(description="Its id in the policy.", examples=["npl-ceiling"])
    name: Sentence = Field(description="What it is called.")
    change: GradeMove | None = Field(description="The nearest figure at which it no longer applies; null for none.")
    controllable: bool = Field(description="Whether a unit's own manager can move that figure.")


class NextGrade(Answer):
    """What would lift a score to the next better grade, solved from the rules and proved by scoring again."""

    grade: str | None = Field(description="The next better grade; null at the best.", examples=["A"])
    start: Number | None = Field(description="The stated score where it begins.", examples=[90])
    gap: Number | None = Field(description="Points that are missing.", examples=[5.7])
    holds: list[GradeHold] = Field(description="Rules that must be cleared first.")
    ways: list[GradeWay] = Field(
        description="The smallest relative change first: one figure each, or several together where none does alone."
    )
    obstacle: str | None = Field(description="Why there is no way; null where there is one.", examples=["out_of_reach"])
    text: Sentence = Field(description="The same in words.")


class TrendPoint(Answer):
    """The score of an earlier period."""

    period: str = Field(description="The period.", examples=["2024-11"])
    score: Number | None = Field(description="As stated; null where there is none.", examples=[83.9])
    grade: str | None = Field(description="The grade; null where there is none.", examples=["B"])


class FactorShare(Answer):
    """A factor of a product, and its share in the product's difference."""

    name: Sentence = Field(description="What the factor is.")
    figure: Number = Field(description="The factor now.", examples=[12.5])
    reference: Number = Field(description="The factor of the reference.", examples=[11.9])
    amount: Number = Field(
        description="Its share, in the product's unit; all shares add up to the difference.", examples=[-0.42]
    )


class FactorChain(Answer):
    """A volume as a product of factors, such as staff x customers a head x fees a customer."""

    indicator: str = Field(description="Code of the volume.", examples=["P08"])
    name: IndicatorName = Field(description="Name of the volume.")
    unit_of_measure: str = Field(description="Of the volume and of the shares.", examples=["CNY m"])
    figure: Number = Field(description="The volume now.", examples=[41.2])
    reference: Number = Field(description="The volume of the reference.", examples=[38.0])
    factors: list[FactorShare] = Field(description="The factors, in their order.")
    text: Sentence = Field(description="The same in words.")


class ScoreExplanation(Score):
    """A score beside a reference: the difference, and the share of each indicator in it."""

    against: Against = Field(description="What the score is compared with.", examples=["peers"])
    base_value: Number | None = Field(
        description="The stated score of the reference; null where there is none.", examples=[86.1]
    )
    prediction: Number | None = Field(description="The stated score.", examples=[84.3])
    drivers: list[ScoreDriver] = Field(description="Shares that add up to the difference, as the policy lists them.")
    lifts: list[str] = Field(description="Codes of the drivers that add points, the largest first.", examples=[["R01"]])
    drags: list[str] = Field(
        description="Codes of the drivers that take points, the largest first.", examples=[["P08"]]
    )
    by_control: ByControl = Field(description="The same difference added up by who can move it.")
    next_grade: NextGrade | None = Field(description="What would lift the grade; null without grades or score.")
    trend: list[TrendPoint] = Field(description="Earlier periods and this one, the earliest first.")
    factors: list[FactorChain] = Field(description="Volumes as products, where the policy names chains.")
    text: Sentence = Field(description="The score told as a whole.")


class ScoreChange(Answer):
    """A score's change on the year, split exactly into figures, policy and targets."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    earlier: str = Field(description="The period a year before.", examples=["2023-12"])
    period: str = Field(description="The period.", examples=["2024-12"])
    before: Number | None = Field(description="The stated score then.", examples=[81.0])
    after: Number | None = Field(description="The stated score now.", examples=[84.3])
    data: Number | None = Field(description="Points of the figures; null where it cannot be split.", examples=[3.9])
    policy: Number | None = Field(description="Points of the policy.", examples=[-0.75])
    model: Number | None = Field(description="Points of the targets and the model that suggested them.", examples=[0])
    rounding: Number | None = Field(description="Points of rounding.", examples=[0.05])
    policy_before: str = Field(description="The policy then.", examples=["retail@2024"])
    policy_after: str = Field(description="The policy now.", examples=["retail@2025"])
    text: Sentence = Field(description="The same in words.")


class PolicyInForce(Answer):
    """A policy and the days on which it answers."""

    id: str = Field(description="Names the policy.", examples=["retail"])
    version: str = Field(description="Names its version.", examples=["2025"])
    title: Sentence = Field(description="What it is called.")
    level: Literal["internal", "owner"] = Field(description="Whose evaluation it is.")
    source: str = Field(description="What it rests on.", examples=["internal circular 2025-1"])
    effective_from: date | None = Field(
        description="First day; null for what stands in where there is no policy.", examples=["2026-01-01"]
    )
    effective_until: date | None = Field(
        description="Last day; null while nothing has followed it.", examples=["2026-12-31"]
    )
    origin: Literal["activated", "dataset", "default"] = Field(
        description="Activated by a person; came with the dataset; equal weights that stand in."
    )
    answers: bool = Field(description="Whether it answers for the last period with figures.")


class PolicyList(Answer):
    """The policies of a dataset."""

    items: list[PolicyInForce] = Field(description="The policies, the latest first.")
    note: str = Field(description="Which policy answers, and why.", examples=["retail is in force since 2026-01-01"])
    shipped: list[str] = Field(
        description="Ready-made policies that come with the software.", examples=[["retail-line"]]
    )
