"""What is known and suggested of units: data, targets, scores, predictions."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from serving.client.declared import Area, operation
from serving.in_year_schemas import Calibration, CalibrationAsked, Outlook, TargetsGiven
from serving.observation_schemas import DataVersionMade, ObservationPage, ObservationsAsked
from serving.prediction_schemas import PredictionAnswer, PredictionExplanation, RowsToPredict, WarningModel
from serving.schemas import Indicator, IndicatorPage, SnapshotPage, Unit, UnitPage, UnitSuggestions
from serving.score_schemas import Score, ScoreExplanation


class Units(Area):
    """Regions, branches and groups of them."""

    @operation("list_units", "GET /api/v1/units")
    def list(
        self,
        *,
        level: str | None = None,
        parent: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> UnitPage:
        """List the units, by their codes."""
        ...

    @operation("get_unit", "GET /api/v1/units/{unit}")
    def get(self, unit: str, *, dataset: str | None = None) -> Unit:
        """Look a unit up."""
        ...


class Indicators(Area):
    """What is measured."""

    @operation("list_indicators", "GET /api/v1/indicators")
    def list(self, *, limit: int | None = None, cursor: str | None = None, dataset: str | None = None) -> IndicatorPage:
        """List the indicators, by their codes."""
        ...

    @operation("get_indicator", "GET /api/v1/indicators/{code}")
    def get(self, code: str, *, dataset: str | None = None) -> Indicator:
        """Look an indicator up."""
        ...


class Snapshots(Area):
    """Stored data versions."""

    @operation("list_snapshots", "GET /api/v1/snapshots")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> SnapshotPage:
        """List the data versions, the oldest first."""
        ...


class Observations(Area):
    """Figures of units."""

    @operation("list_observations", "GET /api/v1/observations")
    def list(
        self,
        *,
        unit: Sequence[str],
        indicator: Sequence[str],
        from_: str | None = None,
        to: str | None = None,
        known_on: date | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> ObservationPage:
        """Look figures up, as they were known on a day."""
        ...

    @operation("hand_in_observations", "POST /api/v1/observations")
    def hand_in(self, asked: ObservationsAsked, *, dataset: str | None = None) -> DataVersionMade:
        """Hand figures in: a new data version, or nothing where anything is wrong."""
        ...


class Targets(Area):
    """What units can be asked to achieve."""

    @operation("get_targets", "GET /api/v1/targets/{unit}")
    def suggest(
        self,
        unit: str,
        *,
        year: int | None = None,
        indicator: Sequence[str] | None = None,
        dataset: str | None = None,
    ) -> UnitSuggestions:
        """Suggest targets for a unit."""
        ...

    @operation("ask_outlook", "POST /api/v1/outlook")
    def outlook(self, asked: TargetsGiven, *, dataset: str | None = None) -> Outlook:
        """Tell how likely targets are attained, given the year so far."""
        ...

    @operation("propose_calibration", "POST /api/v1/calibrations")
    def calibration(self, asked: CalibrationAsked, *, dataset: str | None = None) -> Calibration:
        """Propose what a quarterly calibration might move."""
        ...


class Scores(Area):
    """Scores of units under the policy in force."""

    @operation("get_score", "GET /api/v1/scores/{unit}/{period}")
    def get(self, unit: str, period: str, *, dataset: str | None = None) -> Score:
        """Look a unit's score of a period up."""
        ...

    @operation("explain_score", "GET /api/v1/scores/{unit}/{period}/explanation")
    def explain(
        self,
        unit: str,
        period: str,
        *,
        against: Literal["target", "last_year", "peers"] | None = None,
        dataset: str | None = None,
    ) -> ScoreExplanation:
        """Explain a score against a reference, in lines that add up to the cent."""
        ...


class Predictions(Area):
    """The warning model, asked about rows of features."""

    @operation("get_warning_model", "GET /api/v1/predictions")
    def model(self, *, dataset: str | None = None) -> WarningModel:
        """Tell which model answers, and its features in their order."""
        ...

    @operation("predict", "POST /api/v1/predictions")
    def predict(self, asked: RowsToPredict, *, dataset: str | None = None) -> PredictionAnswer:
        """Give the probability of deterioration of each row."""
        ...

    @operation("explain_predictions", "POST /api/v1/predictions/explanation")
    def explain(self, asked: RowsToPredict, *, dataset: str | None = None) -> PredictionExplanation:
        """Share the probability of each row out among drivers."""
        ...
