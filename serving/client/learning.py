"""Models: their training, their versions, and the watch over them."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from typing import Literal

from serving.client.declared import Area, operation
from serving.model_schemas import (
    ModelDetail,
    ModelPage,
    ModelPromotion,
    ModelVersionDetail,
    PromotionAsked,
    RollbackAsked,
)
from serving.training_schemas import (
    CancelAsked,
    RunEvents,
    TrainingAsked,
    TrainingRun,
    TrainingRunDetail,
    TrainingRunPage,
)
from serving.watch_schemas import ProposalDecision, ProposalPage, WatchLook, WatchProposal


class TrainingRuns(Area):
    """Runs that learn again what a change asks for."""

    @operation("list_training_runs", "GET /api/v1/training-runs")
    def list(
        self,
        *,
        state: Literal["queued", "running", "interrupted", "done", "failed", "cancelled"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> TrainingRunPage:
        """List the runs, the newest first."""
        ...

    @operation("get_training_run", "GET /api/v1/training-runs/{name}")
    def get(self, name: str) -> TrainingRunDetail:
        """Look a run up."""
        ...

    @operation("list_training_run_events", "GET /api/v1/training-runs/{name}/events")
    def events(self, name: str, *, after: int | None = None) -> RunEvents:
        """Tell what happened since an event."""
        ...

    @operation("ask_for_training", "POST /api/v1/training-runs")
    def ask(self, asked: TrainingAsked) -> TrainingRun:
        """Ask for training; it is worked on behind."""
        ...

    @operation("get_shadow_report", "GET /api/v1/training-runs/{name}/shadow-report")
    def shadow_report(self, name: str) -> str:
        """Read how scores differ under the new policy, as HTML."""
        ...

    @operation("cancel_training_run", "POST /api/v1/training-runs/{name}/cancel")
    def cancel(self, name: str, asked: CancelAsked) -> TrainingRun:
        """Stop a run."""
        ...


class Models(Area):
    """Models on record, and which of them serve."""

    @operation("list_models", "GET /api/v1/models")
    def list(self, *, limit: int | None = None, cursor: str | None = None, dataset: str | None = None) -> ModelPage:
        """List the models."""
        ...

    @operation("get_model", "GET /api/v1/models/{name}")
    def get(self, name: str) -> ModelDetail:
        """Look a model up, with its versions."""
        ...

    @operation("get_model_version", "GET /api/v1/models/{name}/versions/{version}")
    def version(self, name: str, version: str) -> ModelVersionDetail:
        """Look a version up."""
        ...

    @operation("get_model_card", "GET /api/v1/models/{name}/versions/{version}/card")
    def card(
        self,
        name: str,
        version: str,
        *,
        lang: Literal["en", "zh"] | None = None,
        form: Literal["html", "md"] | None = None,
    ) -> str:
        """Read a version's model card."""
        ...

    @operation("promote_model", "POST /api/v1/models/{name}/promote")
    def promote(self, name: str, asked: PromotionAsked) -> ModelPromotion:
        """Make a version the champion."""
        ...

    @operation("roll_model_back", "POST /api/v1/models/{name}/rollback")
    def roll_back(self, name: str, asked: RollbackAsked) -> ModelPromotion:
        """Go back to the champion before."""
        ...


class Watch(Area):
    """Drift, kept promises, and proposals to train again."""

    @operation("get_monitoring", "GET /api/v1/monitoring")
    def look(self, *, dataset: str | None = None) -> WatchLook:
        """Look at the models that serve."""
        ...

    @operation("list_proposals", "GET /api/v1/proposals")
    def proposals(
        self,
        *,
        state: Literal["open", "accepted", "dismissed", "settled", "replaced"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> ProposalPage:
        """List the proposals."""
        ...

    @operation("get_proposal", "GET /api/v1/proposals/{name}")
    def proposal(self, name: str) -> WatchProposal:
        """Look a proposal up."""
        ...

    @operation("accept_proposal", "POST /api/v1/proposals/{name}/accept")
    def accept(self, name: str, asked: ProposalDecision) -> WatchProposal:
        """Accept a proposal: training is asked for."""
        ...

    @operation("dismiss_proposal", "POST /api/v1/proposals/{name}/dismiss")
    def dismiss(self, name: str, asked: ProposalDecision) -> WatchProposal:
        """Dismiss a proposal."""
        ...
