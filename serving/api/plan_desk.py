"""What endpoints and pages ask about target plans, within the asker's reach."""

from __future__ import annotations

from datetime import date
from typing import Any

from serving.access.principal import Role
from serving.access.reach import Reach, reach
from serving.api.desk import Desk
from serving.api.revisions import revision_tag
from serving.directory import Directory
from serving.errors import NotFoundError
from serving.plan_schemas import AskedValue, PlanEvent, PlanLevel, PlanLine
from serving.plan_schemas import Plan as PlanAnswer
from serving.plans.plan import LEVELS, Event, Line, Plan, State
from serving.plans.records import no_line, no_plan
from serving.plans.shelf import SEEN_BY_ALL
from serving.plans.story import story_of
from serving.schemas import Driver, IndicatorName, Sentence, UnitName
from serving.suggested import Suggested

BEFORE_PUBLICATION = (Role.HR, Role.RISK, Role.AUDITOR)
"""Who sees a plan while it is being made."""


def sight_of(state: State) -> Reach:
    """Give how far plans that stand so may be seen: managers see what was published, alone."""
    return reach() if state in SEEN_BY_ALL else reach().narrowed(BEFORE_PUBLICATION)


def plans_in_sight(desk: Desk, *, dataset: str | None, year: int | None, state: State | None) -> list[Plan]:
    """List the plans that the asker may see."""
    states = [one for one in ([*State] if state is None else [state]) if sight_of(one).grants]
    return desk.advisor.plans.list(dataset=dataset, year=year, states=states) if states else []


def plan_in_sight(desk: Desk, plan: str) -> Plan:
    """Look a plan up that the asker may see.

    Raises
    ------
    NotFoundError
        Where there is none, or it may not be seen: both in the same words.
    """
    found = desk.advisor.plans.get(plan)
    if not sight_of(found.state).grants:
        raise no_plan(plan)
    return found


def units_in_sight(desk: Desk, plan: Plan) -> frozenset[str] | None:
    """Give the units of which a plan may be seen; None for all."""
    return sight_of(plan.state).units(desk.directory(plan.dataset))


def line_in_sight(desk: Desk, plan: Plan, unit: str, indicator: str) -> Line:
    """Look a line up that the asker may see.

    Raises
    ------
    NotFoundError
        Where there is none, or its unit is beyond reach: both in the same words.
    """
    units = units_in_sight(desk, plan)
    if units is not None and unit not in units:
        raise no_line(unit, indicator)
    return desk.advisor.plans.line(plan.id, unit, indicator)


def suggestions_at_hand(desk: Desk, *, year: int | None, dataset: str | None) -> Suggested:
    """Give the suggestions that a draft begins with: those in service, since nothing is fitted while a caller waits.

    Raises
    ------
    NotFoundError
        Where there is no model yet, or suggestions are served for another year.
    NotReadyError
        Where they are being made.
    """
    directory = desk.directory(dataset)
    name = directory.snapshot.about.dataset
    served = desk.in_service.suggested(name) if desk.has_model(directory) else None
    if served is None:
        raise NotFoundError(f"there is no model for {name!r} yet", hint="Run `loadline train`.")
    if year is not None and year != served.mark.year:
        raise NotFoundError(
            f"suggestions are served for {served.mark.year}, not for {year}",
            hint=f"Ask for {served.mark.year}, or run `loadline plan draft --year {year}`.",
        )
    return served


def plan_answer(desk: Desk, plan: Plan) -> PlanAnswer:
    """Give a plan as the API has it: goals of units beyond reach are left out, and notes that may name them."""
    units = units_in_sight(desk, plan)
    kept = ("id", "dataset", "year", "version", "revises", "title", "revision", "data_version", "model_version")
    kept += ("policy_version", "created_at", "created_by", "published_at", "digest")
    goals = [
        AskedValue(unit=unit, indicator=code, value=value)
        for unit, code, value in plan.asked["goals"]
        if units is None or unit in units
    ]
    return PlanAnswer(
        **{name: getattr(plan, name) for name in kept},
        state=plan.state.value,
        known_on=date.fromisoformat(plan.known_on),
        goals=goals,
        notes=list(plan.notes) if units is None else [],
    )


def line_answer(plan: Plan, line: Line, directory: Directory) -> PlanLine:
    """Give a line as the API has it."""
    indicator, entry = plan.indicator(line.indicator), directory.units.get(line.unit)
    story = story_of(plan, line, indicator)
    levels: dict[str, Any] = {
        name: PlanLevel(
            value=getattr(line, name), probability=getattr(line, f"p_{name}"), suggested=line.suggested[name]
        )
        for name in LEVELS
    }
    kept = ("unit", "indicator", "revision", "last_actual", "growth", "asked_growth", "pinned", "overridden")
    kept += ("flagged", "reason", "changed_by", "changed_at", "evidence", "role")
    drivers = [] if story is None else story["drivers"]
    given: dict[str, Any] = {name: getattr(line, name) for name in kept}
    return PlanLine(
        **given,
        unit_name=UnitName(en=line.unit if entry is None else entry.name, zh=None if entry is None else entry.name_zh),
        name=IndicatorName(en=indicator.name.en, zh=indicator.name.zh),
        unit_of_measure=indicator.unit,
        direction=indicator.direction,
        etag=revision_tag(line.revision),
        actual_quartile=line.groups["actual_quartile"],
        growth_quartile=line.groups["growth_quartile"],
        drivers=[Driver(code=d["code"], amount=d["amount"], text=Sentence(**d["text"])) for d in drivers],
        text=None if story is None else Sentence(**story["text"]),
        **levels,
    )


def event_answer(event: Event) -> PlanEvent:
    """Give an event as the API has it."""
    lines = event.detail.get("lines", [])
    one = lines[0] if len(lines) == 1 else {}
    return PlanEvent(
        number=event.number,
        at=event.at,
        by=event.by,
        action=event.action.value,
        reason=event.reason,
        lines=len(lines),
        unit=one.get("unit"),
        indicator=one.get("indicator"),
    )
