"""What people look into: alerts and appeals."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from typing import Literal

from serving.alert_schemas import AlertExplanation
from serving.appeal_schemas import (
    Appeal,
    AppealAnswerAsked,
    AppealAsked,
    AppealDetail,
    AppealEvents,
    AppealPage,
    AppealRaised,
    Reproduction,
    ReproductionAsked,
    ReviewAsked,
)
from serving.client.declared import Area, operation
from serving.review_schemas import (
    AlertPage,
    AssignmentRequest,
    DispositionRequest,
    LinkRequest,
    NoteRequest,
    ReleaseRequest,
    ReviewedAlert,
    ReviewEntry,
    TrackRecord,
    UndoRequest,
)


class Alerts(Area):
    """Good results that come with rising risk, for review."""

    @operation("list_alerts", "GET /api/v1/alerts")
    def list(
        self,
        *,
        period: str | None = None,
        severity: Literal["amber", "red"] | None = None,
        status: Literal["new", "assigned", "watching", "confirmed", "dismissed", "superseded"] | None = None,
        all: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> AlertPage:
        """List the alerts, the most pressing first."""
        ...

    @operation("get_alert", "GET /api/v1/alerts/{alert}")
    def get(self, alert: str, *, period: str | None = None, dataset: str | None = None) -> ReviewedAlert:
        """Look an alert up."""
        ...

    @operation("explain_alert", "GET /api/v1/alerts/{alert}/explanation")
    def explain(self, alert: str, *, period: str | None = None, dataset: str | None = None) -> AlertExplanation:
        """Explain an alert, with what would make it a false alarm."""
        ...

    @operation("get_alert_record", "GET /api/v1/alerts/record")
    def record(self, *, dataset: str | None = None) -> TrackRecord:
        """Tell how the detectors have done."""
        ...

    @operation("decide_alert", "POST /api/v1/alerts/{alert}/dispositions")
    def decide(self, alert: str, asked: DispositionRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Decide an alert."""
        ...

    @operation("note_alert", "POST /api/v1/alerts/{alert}/notes")
    def note(self, alert: str, asked: NoteRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Write a note on an alert."""
        ...

    @operation("assign_alert", "POST /api/v1/alerts/{alert}/assignment")
    def assign(self, alert: str, asked: AssignmentRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Give an alert to a person."""
        ...

    @operation("link_alert", "POST /api/v1/alerts/{alert}/links")
    def link(self, alert: str, asked: LinkRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Link an alert to a case elsewhere."""
        ...

    @operation("release_alert", "POST /api/v1/alerts/{alert}/release")
    def release(self, alert: str, asked: ReleaseRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Show an alert to the unit."""
        ...

    @operation("undo_alert_entry", "POST /api/v1/alerts/{alert}/undo")
    def undo(self, alert: str, asked: UndoRequest, *, dataset: str | None = None) -> ReviewEntry:
        """Take an entry back."""
        ...


class Appeals(Area):
    """Appeals (申诉) against scores and targets."""

    @operation("list_appeals", "GET /api/v1/appeals")
    def list(
        self,
        *,
        state: Literal["open", "under_review", "upheld", "rejected", "withdrawn"] | None = None,
        unit: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> AppealPage:
        """List the appeals, the newest first."""
        ...

    @operation("get_appeal", "GET /api/v1/appeals/{appeal}")
    def get(self, appeal: str) -> AppealDetail:
        """Look an appeal up."""
        ...

    @operation("list_appeal_events", "GET /api/v1/appeals/{appeal}/events")
    def events(self, appeal: str) -> AppealEvents:
        """List who did what, when and why."""
        ...

    @operation("raise_appeal", "POST /api/v1/appeals")
    def raise_(self, asked: AppealAsked) -> AppealRaised:
        """Raise an appeal: what the figure rests on is frozen."""
        ...

    @operation("review_appeal", "POST /api/v1/appeals/{appeal}/review")
    def review(self, appeal: str, asked: ReviewAsked, *, if_match: str) -> Appeal:
        """Begin to review an appeal."""
        ...

    @operation("uphold_appeal", "POST /api/v1/appeals/{appeal}/uphold")
    def uphold(self, appeal: str, asked: AppealAnswerAsked, *, if_match: str) -> Appeal:
        """Find for who raised it."""
        ...

    @operation("reject_appeal", "POST /api/v1/appeals/{appeal}/reject")
    def reject(self, appeal: str, asked: AppealAnswerAsked, *, if_match: str) -> Appeal:
        """Find that the figure stands."""
        ...

    @operation("withdraw_appeal", "POST /api/v1/appeals/{appeal}/withdraw")
    def withdraw(self, appeal: str, asked: AppealAnswerAsked, *, if_match: str) -> Appeal:
        """Take an appeal back."""
        ...

    @operation("reproduce_appeal", "POST /api/v1/appeals/{appeal}/reproduction")
    def reproduce(self, appeal: str, asked: ReproductionAsked) -> Reproduction:
        """Compute the figure again from what was frozen."""
        ...
