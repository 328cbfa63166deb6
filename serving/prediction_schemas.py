"""What the API takes and gives about predictions. The reading and writing itself is in `serving.hot.predicting`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serving.hot.predicting import MOST_FEATURES, MOST_ROWS
from serving.schemas import Answer, Number, Sentence

Row = Annotated[list[Number | None], Field(max_length=MOST_FEATURES)]


class RowsToPredict(Answer):
    """Rows of features that a warning model is asked about."""

    rows: list[Row] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        description="One list of figures a row, all of the same length; null where a figure is not known. An "
        "explanation takes at most 100 rows.",
        examples=[[[1.42, None, 0.07]]],
    )
    features: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_FEATURES,
        description="What the figures of a row are, by name; those that are not named are not known. Without it a row "
        "holds all of the model's features in their order.",
        examples=[["NPL_RATIO.level", "LOANS.growth_1y", "NPL_RATIO.own_z"]],
    )


class WarningModel(Answer):
    """The warning model that answers, and what it is asked with."""

    dataset: str = Field(description="Name of the dataset that it was learned from.", examples=["sample-bank"])
    model_version: str = Field(description="The model.", examples=["4f2c9a1be07d"])
    base_rate: Number = Field(description="Share of the rows that it learned from with a bad end.", examples=[0.031])
    features: list[str] = Field(
        description="Its features in their order: code of the indicator and what is computed from it.",
        examples=[["NPL_RATIO.level", "LOANS.growth_1y"]],
    )


class PredictionAnswer(Answer):
    """What a warning model says of rows."""

    dataset: str = Field(description="Name of the dataset that the model was learned from.", examples=["sample-bank"])
    model_version: str = Field(description="The model.", examples=["4f2c9a1be07d"])
    base_rate: Number = Field(description="Share of the rows that it learned from with a bad end.", examples=[0.031])
    probabilities: list[Number] = Field(
        description="Probability of deterioration, 0 to 1, of each row in the order sent.", examples=[[0.052, 0.31]]
    )


class PredictionDriver(Answer):
    """How far something takes a probability away from that of the typical row."""

    code: str = Field(description="Indicator and what about it; or what is common to all.", examples=["LOANS.growth"])
    title: Sentence = Field(description="The same in words.")
    amount: Number = Field(description="In probability.", examples=[0.021])


class ExplainedRow(Answer):
    """A probability, and what makes it differ from the typical one."""

    probability: Number = Field(description="Probability of deterioration, 0 to 1.", examples=[0.052])
    drivers: list[PredictionDriver] = Field(
        description="The largest first. The base value and all amounts add up to the probability exactly."
    )


class PredictionExplanation(Answer):
    """What a warning model says of rows, and why. It describes the model and claims no cause."""

    dataset: str = Field(description="Name of the dataset that the model was learned from.", examples=["sample-bank"])
    model_version: str = Field(description="The model.", examples=["4f2c9a1be07d"])
    base_value: Number = Field(description="The probability of the typical row.", examples=[0.031])
    items: list[ExplainedRow] = Field(description="One entry a row, in the order sent.")
