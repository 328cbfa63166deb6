"""What the API answers with. Strict: no value is bent to fit, and neither NaN nor infinity leaves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]
Item = TypeVar("Item")


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Health(Answer):
    """The process lives."""

    status: Literal["ok"] = Field(description="Always `ok`: otherwise nothing answers.", examples=["ok"])


State = Literal["ok", "degraded", "missing", "stopping"]


class Readiness(Answer):
    """Whether the service can answer, and which part cannot."""

    status: State = Field(description="The worst state of any component.", examples=["ok"])
    components: dict[str, State] = Field(
        description="The state of each component.", examples=[{"store": "ok", "model": "ok"}]
    )


class Page(Answer, Generic[Item]):
    """Part of a list."""

    items: list[Item] = Field(description="The entries, in the order of their codes.")
    total: int = Field(description="How many entries there are on all pages.", examples=[432])
    next_cursor: str | None = Field(
        description="Pass this as `cursor` for the next page; null on the last one.", examples=["Q04tQko"]
    )


class UnitName(Answer):
    """The name of a unit."""

    en: str = Field(description="The name as the dataset has it.", examples=["Beijing"])
    zh: str | None = Field(description="The Chinese name; null where there is none.", examples=["北京"])


class Unit(Answer):
    """A region, branch or group of them, as it stands in its latest place in the tree."""

    code: str = Field(description="Identifies the unit.", examples=["CN-BJ"])
    name: UnitName = Field(description="What it is called.")
    parent: str | None = Field(description="The unit right above; null for a root.", examples=["SAMPLE"])
    level: str | None = Field(description="Its level in the organisation.", examples=["region"])
    region_type: str | None = Field(description="The type of its region.", examples=["coastal"])
    peer_group: str | None = Field(description="Whom it is compared with.", examples=["city-1"])
    business_line: str | None = Field(description="Its line of business.", examples=["retail"])
    valid_from: str | None = Field(description="First period of its life; null if it always was.", examples=["2019-04"])
    valid_to: str | None = Field(description="Last period of its life; null if it still is.", examples=["2021-06"])
    successors: list[str] = Field(description="The units that took over from it.", examples=[["CN-BJ-002"]])
    children: int = Field(description="How many units are right below it.", examples=[14])


class UnitPage(Page[Unit]):
    """Some of the units."""


class IndicatorName(Answer):
    """The name of an indicator."""

    en: str = Field(description="In English.", examples=["NPL ratio"])
    zh: str = Field(description="In Chinese.", examples=["不良贷款率"])


class Indicator(Answer):
    """What is measured, and how it adds up."""

    code: str = Field(description="Identifies the indicator.", examples=["R01"])
    name: IndicatorName = Field(description="What it is called.")
    aliases: list[str] = Field(description="Other names.", examples=[["不良率"]])
    unit: str = Field(description="Unit of measure.", examples=["%"])
    direction: Literal["higher", "lower", "band"] = Field(description="What is better.", examples=["lower"])
    band: list[Number] | None = Field(description="The wanted range, with `direction` band.", examples=[[1.0, 2.8]])
    kind: Literal["flow", "stock", "ratio", "level"] = Field(
        description="A flow is summed over the year, a stock taken at its end or averaged, a ratio rolled up through "
        "its parts, a level averaged.",
        examples=["ratio"],
    )
    numerator: str | None = Field(description="Code of the numerator, for a ratio.", examples=["NPL"])
    denominator: str | None = Field(description="Code of the denominator, for a ratio.", examples=["LOANS"])
    perspective: str = Field(description="What it speaks of: performance, risk, ...", examples=["risk"])
    bounds: list[Number | None] | None = Field(
        description="Least and greatest possible value; null where there is none.", examples=[[0, 100]]
    )
    averaging: str = Field(description="The basis on which a stock is assessed.", examples=["point"])
    core: bool = Field(description="Whether its targets are locked during the year.", examples=[True])
    target_allowed: bool = Field(description="Whether targets may be set on it.", examples=[True])
    entity_only: bool = Field(description="Whether it means nothing below the legal entity.", examples=[False])
    controllable: bool = Field(description="Whether a unit's own manager can move it.", examples=[True])
    publication_lag: int = Field(description="Periods until its figures are known.", examples=[1])
    definition_version: str = Field(description="Figures of two versions are never compared.", examples=["2024.1"])
    formula: str | None = Field(description="How it is computed.", examples=["NPL / loans x 100"])
    exclusions: str | None = Field(description="What is left out of it.", examples=["written-off loans"])
    owner: str | None = Field(description="Who answers for its figures.", examples=["Risk Management"])


class IndicatorPage(Page[Indicator]):
    """Some of the indicators."""


class TargetLevel(Answer):
    """One level of a suggested target."""

    value: Number | None = Field(
        description="In the indicator's unit; null where nothing can be said.", examples=[1.42]
    )
    probability: Number | None = Field(
        description="Probability, 0 to 1, of attaining it in the indicator's own direction.", examples=[0.6]
    )


class Sentence(Answer):
    """A text in both languages."""

    en: str = Field(description="In English.", examples=["its own course against the others"])
    zh: str = Field(description="In Chinese.", examples=["自身走势与全体之差"])


class Driver(Answer):
    """A step from the last figure to the target; the steps add up exactly."""

    code: str = Field(description="Stable name of the step.", examples=["own_course"])
    amount: Number = Field(description="In the indicator's unit.", examples=[-1.45])
    text: Sentence = Field(description="What the step is.")


class Suggestion(Answer):
    """What a unit can be asked to achieve on one indicator."""

    indicator: str = Field(description="Code of the indicator.", examples=["R01"])
    name: IndicatorName = Field(description="Name of the indicator.")
    unit_of_measure: str = Field(description="Unit of all values here.", examples=["%"])
    direction: Literal["higher", "lower", "band"] = Field(description="What is better.", examples=["lower"])
    year: int = Field(description="The fiscal year of the target.", examples=[2025])
    last_actual: Number | None = Field(description="The last known figure of a year.", examples=[1.51])
    floor: TargetLevel = Field(description="基础: to be attained in all but bad years.")
    target: TargetLevel = Field(description="目标: ambitious and more likely attained than not.")
    stretch: TargetLevel = Field(description="挑战: attained in a very good year.")
    drivers: list[Driver] = Field(description="The steps from the last figure to the target.")
    text: Sentence | None = Field(description="The same in a sentence; null where nothing can be said.")
    evidence: str = Field(description="What the suggestion rests on, and how firmly.", examples=["own history"])
    model_version: str | None = Field(description="The model; null where none was used.", examples=["4f2c9a1be07d"])
    policy_version: str | None = Field(description="The policy that sets the probabilities.", examples=["default"])
    data_version: int = Field(description="The stored data version.", examples=[3])
    known_on: date = Field(
        description="Last day on which a figure that it rests on became known.", examples=["2024-12-31"]
    )


class UnitSuggestions(Answer):
    """The suggestions for a unit in a year."""

    unit: str = Field(description="Code of the unit.", examples=["CN-BJ"])
    name: UnitName = Field(description="Name of the unit.")
    year: int = Field(description="The fiscal year of the targets.", examples=[2025])
    dataset: str = Field(description="Name of the dataset.", examples=["sample-bank"])
    synthetic: bool = Field(description="Whether the dataset says of itself that it is made up.", examples=[True])
    items: list[Suggestion] = Field(description="One entry an indicator.")


class Snapshot(Answer):
    """A stored data version."""

    version: int = Field(description="Number of the version.", examples=[3])
    dataset: str = Field(description="Name of the dataset.", examples=["sample-bank"])
    continues: int | None = Field(description="The version of the same dataset before it.", examples=[2])
    fingerprint: str = Field(description="Hash of what it brought.", examples=["6cf3e45c2a229a62"])
    ingested_at: datetime = Field(description="When it was stored, UTC.", examples=["2025-01-15T08:30:00Z"])
    added: int = Field(description="New figures.", examples=[14_500])
    restated: int = Field(description="Figures that replace an earlier one, which is kept.", examples=[12])
    unchanged: int = Field(description="Figures that were known already.", examples=[0])
    first_period: str = Field(description="First period that it has figures of.", examples=["2017-01"])
    last_period: str = Field(description="Last period that it has figures of.", examples=["2024-12"])
    units: int = Field(description="How many units.", examples=[432])
    indicators: int = Field(description="How many indicators.", examples=[39])


class SnapshotPage(Page[Snapshot]):
    """Some of the data versions, the oldest first."""
