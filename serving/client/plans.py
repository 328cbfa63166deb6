"""Target plans."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from typing import Literal

from serving.client.declared import Area, operation
from serving.plan_schemas import (
    ChangedLine,
    DraftAsked,
    LineChange,
    LineEdits,
    Plan,
    PlanEventPage,
    PlanLine,
    PlanLinePage,
    PlanPage,
    PlanState,
    PlanSummary,
    ReallocationAsked,
    ReturnAsked,
    RevisionAsked,
    SheetDifference,
    StepAsked,
)

Language = Literal["en", "zh"]


class Plans(Area):
    """Target plans: drafted, changed, submitted, approved by a second person, published, revised.

    A change names in `if_match` the ETag of what it changes: `etag` of a line, the tag of `get.tagged` for all else.
    """

    @operation("list_plans", "GET /api/v1/target-plans")
    def list(
        self,
        *,
        year: int | None = None,
        state: PlanState | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> PlanPage:
        """List the plans, the newest first."""
        ...

    @operation("get_plan", "GET /api/v1/target-plans/{plan}")
    def get(self, plan: str) -> Plan:
        """Look a plan up."""
        ...

    @operation("get_plan_summary", "GET /api/v1/target-plans/{plan}/summary")
    def summary(self, plan: str) -> PlanSummary:
        """Give totals against goals, changes, and how even the chances are."""
        ...

    @operation("list_plan_events", "GET /api/v1/target-plans/{plan}/events")
    def events(self, plan: str, *, limit: int | None = None, cursor: str | None = None) -> PlanEventPage:
        """List who did what, when and why, the oldest first."""
        ...

    @operation("list_plan_lines", "GET /api/v1/target-plans/{plan}/lines")
    def lines(
        self,
        plan: str,
        *,
        unit: str | None = None,
        indicator: str | None = None,
        changed: bool | None = None,
        flagged: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PlanLinePage:
        """List the lines."""
        ...

    @operation("get_plan_line", "GET /api/v1/target-plans/{plan}/line")
    def line(self, plan: str, *, unit: str, indicator: str) -> PlanLine:
        """Look a line up."""
        ...

    @operation("draft_plan", "POST /api/v1/target-plans")
    def draft(self, asked: DraftAsked) -> Plan:
        """Draft a plan from the suggestions that are served."""
        ...

    @operation("change_plan_line", "PATCH /api/v1/target-plans/{plan}/line")
    def change_line(self, plan: str, change: LineChange, *, unit: str, indicator: str, if_match: str) -> ChangedLine:
        """Set levels of a line, or pin it."""
        ...

    @operation("reset_plan_line", "POST /api/v1/target-plans/{plan}/line/reset")
    def reset_line(self, plan: str, asked: StepAsked, *, unit: str, indicator: str, if_match: str) -> ChangedLine:
        """Take a line back to the suggestion."""
        ...

    @operation("change_plan_lines", "POST /api/v1/target-plans/{plan}/changes")
    def change_lines(self, plan: str, edits: LineEdits, *, if_match: str) -> Plan:
        """Override many lines in one change, all or none."""
        ...

    @operation("reallocate_plan", "POST /api/v1/target-plans/{plan}/reallocate")
    def reallocate(self, plan: str, asked: ReallocationAsked, *, if_match: str) -> Plan:
        """Break the goals down again over the lines that nobody holds."""
        ...

    @operation("undo_plan_change", "POST /api/v1/target-plans/{plan}/undo")
    def undo(self, plan: str, asked: StepAsked, *, if_match: str) -> Plan:
        """Take the last change back."""
        ...

    @operation("submit_plan", "POST /api/v1/target-plans/{plan}/submit")
    def submit(self, plan: str, asked: StepAsked, *, if_match: str) -> Plan:
        """Put a draft forward for approval."""
        ...

    @operation("approve_plan", "POST /api/v1/target-plans/{plan}/approve")
    def approve(self, plan: str, asked: StepAsked, *, if_match: str) -> Plan:
        """Approve what a second person has submitted."""
        ...

    @operation("return_plan", "POST /api/v1/target-plans/{plan}/return")
    def give_back(self, plan: str, asked: ReturnAsked, *, if_match: str) -> Plan:
        """Return a plan to be changed."""
        ...

    @operation("publish_plan", "POST /api/v1/target-plans/{plan}/publish")
    def publish(self, plan: str, asked: StepAsked, *, if_match: str) -> Plan:
        """Publish what was approved."""
        ...

    @operation("withdraw_plan", "POST /api/v1/target-plans/{plan}/withdraw")
    def withdraw(self, plan: str, asked: StepAsked, *, if_match: str) -> Plan:
        """Give up a plan that is not published."""
        ...

    @operation("revise_plan", "POST /api/v1/target-plans/{plan}/revise")
    def revise(self, plan: str, asked: RevisionAsked, *, if_match: str) -> Plan:
        """Begin a new version of the published plan."""
        ...

    @operation("export_plan", "GET /api/v1/target-plans/{plan}/export.xlsx")
    def export(self, plan: str, *, lang: Language | None = None, under: str | None = None) -> bytes:
        """Give the plan as an Excel book."""
        ...

    @operation("get_letters", "GET /api/v1/target-plans/{plan}/letters.zip")
    def letters(self, plan: str, *, lang: Language | None = None, under: str | None = None) -> bytes:
        """Give the target letters (目标责任书) of all units, or of those under one."""
        ...

    @operation("get_letter", "GET /api/v1/target-plans/{plan}/letters/{unit}.docx")
    def letter(self, plan: str, unit: str, *, lang: Language | None = None) -> bytes:
        """Give a unit's target letter."""
        ...

    @operation("compare_plan_sheet", "POST /api/v1/target-plans/{plan}/import")
    def compare_sheet(self, plan: str, content: bytes) -> SheetDifference:
        """Tell what an edited book or CSV would change; its `edits` go to `change_lines`."""
        ...
