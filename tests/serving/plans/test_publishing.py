"""From draft to publication by two people: what was approved is what is published, and no version is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from plan_home import LOANS, by, drafted, published
from sqlalchemy import select, update

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.database.checking import problems
from serving.database.tables import plans as tables
from serving.database.tables.audit import audit_events
from serving.errors import DeniedError, StaleError
from serving.plans.plan import Action, State


@pytest.fixture
def plans(database_advisor):
    return database_advisor.plans


def person(number: int, name: str) -> Principal:
    return Principal(str(number), name, "person", (Grant(Role.HR),))


def step(plans, name, plan, action, **more):
    with by(name):
        return getattr(plans, action)(plan.id, revision=plan.revision, **more)


def test_every_step_says_who_when_and_why_and_is_audited(plans, database_advisor):
    plan = published(database_advisor, drafted(database_advisor))
    events = plans.events(plan.id)
    assert [(event.action, event.by) for event in events] == [
        (Action.DRAFT, "Li"),
        (Action.SUBMIT, "Li"),
        (Action.APPROVE, "Wang"),
        (Action.PUBLISH, "Wang"),
    ]
    assert [event.number for event in events] == [1, 2, 3, 4]
    assert plan.published_at == database_advisor.now()
    assert events[1].detail["digest"] == events[2].detail["digest"] == events[3].detail["digest"] == plan.digest
    with database_advisor.database.read() as connection:
        noted = connection.execute(select(audit_events.c.action, audit_events.c.subject)).all()
    assert sorted(noted) == [(f"plan.{name}", plan.id) for name in ("approve", "draft", "publish", "submit")]


def test_nobody_approves_alone(plans, database_advisor):
    plan = drafted(database_advisor, name="Zhao")
    with by("Sun"):
        plan = plans.override(plan.id, "N01", LOANS, revision=1, target=3_900.0, reason="x").plan
    plan = step(plans, "Li", plan, "submit")
    for name, why in (("Li", "submitted it"), (" ｌｉ ", "submitted it"), ("SUN", "changed its lines")):
        with pytest.raises(DeniedError, match=why):
            step(plans, name, plan, "approve")
    assert step(plans, "Zhao", plan, "approve").state is State.APPROVED


def test_a_program_approves_nothing(plans, database_advisor):
    plan = step(plans, "Li", drafted(database_advisor), "submit")
    with acting(replace(person(7, "Nightly export"), kind="key")), pytest.raises(DeniedError, match="a program cannot"):
        plans.approve(plan.id, revision=plan.revision)


def test_a_published_plan_that_was_changed_past_the_program_is_used_by_nothing(plans, database_advisor, tmp_path):
    plan = step(plans, "Li", drafted(database_advisor), "submit")
    plan = step(plans, "Wang", step(plans, "Wang", plan, "approve"), "publish")
    assert not problems(database_advisor.database)
    assert len(plans.published_targets(plan.year, dataset=plan.dataset))
    line = update(tables.lines).where(tables.lines.c.plan == plan.id, tables.lines.c.unit == "N01")
    with database_advisor.database.write() as connection:
        connection.execute(line.values(target=1.0))
    with pytest.raises(LoadlineError, match="changed in the database"):
        plans.published_targets(plan.year, dataset=plan.dataset)
    with pytest.raises(LoadlineError, match="changed in the database"):
        database_advisor.plan_documents.book(plan.id, tmp_path / "plan.xlsx")
    assert [plan.id in problem for problem in problems(database_advisor.database)] == [True]


def test_two_people_of_one_name_are_two_and_one_person_of_two_names_is_one(plans, database_advisor):
    plan = drafted(database_advisor)
    with acting(person(1, "Wei")):
        plan = plans.submit(plan.id, revision=plan.revision)
    with acting(person(1, "Wei, renamed")), pytest.raises(DeniedError):
        plans.approve(plan.id, revision=plan.revision)
    with acting(replace(LOCAL, name="wei")), pytest.raises(DeniedError):
        plans.approve(plan.id, revision=plan.revision)
    with acting(person(2, "Wei")):
        assert plans.approve(plan.id, revision=plan.revision).state is State.APPROVED


def test_a_returned_plan_is_a_draft_again(plans, database_advisor):
    plan = step(plans, "Li", drafted(database_advisor), "submit")
    with pytest.raises(LoadlineError, match="needs a reason"):
        step(plans, "Wang", plan, "return_", reason="")
    back = step(plans, "Wang", plan, "return_", reason="the goal is too low")
    assert (back.state, back.digest) == (State.DRAFT, "")
    assert plans.events(plan.id)[-1].reason == "the goal is too low"
    with pytest.raises(LoadlineError, match="no change to take back"):
        step(plans, "Li", back, "undo")


@pytest.mark.parametrize("column", ["target", "reason", "basis"])
def test_lines_changed_past_the_program_are_neither_approved_nor_published(plans, database_advisor, column):
    plan = step(plans, "Li", drafted(database_advisor), "submit")
    if column == "target":
        plan = step(plans, "Wang", plan, "approve")
    new = {"target": 1.0, "reason": "?", "basis": {}}[column]
    mine = (tables.lines.c.plan == plan.id, tables.lines.c.position == 7)
    with database_advisor.database.write() as connection:
        connection.execute(update(tables.lines).where(*mine).values({column: new}))
    with pytest.raises(LoadlineError, match="not those that were submitted"):
        step(plans, "Wang", plan, "publish" if column == "target" else "approve")


def test_a_revision_takes_the_place_of_what_was_published_in_one_moment(plans, database_advisor):
    first = published(database_advisor, drafted(database_advisor))
    second = step(plans, "Li", first, "revise", reason="a merger")
    assert (second.version, second.revises, second.state) == (2, first.id, State.DRAFT)
    assert [line.content for line in plans.lines(second.id)] == [line.content for line in plans.lines(first.id)]
    assert plans.get(first.id).state is State.PUBLISHED
    other = step(plans, "Zhao", first, "revise")
    assert published(database_advisor, second).state is State.PUBLISHED
    assert plans.get(first.id).state is State.SUPERSEDED
    assert [plan.version for plan in plans.list(year=2025, states=[State.PUBLISHED])] == [2]
    with pytest.raises(LoadlineError, match="another version was published since"):
        published(database_advisor, other)  # it would take back, unseen, what version 2 changed
    gone = step(plans, "Li", plans.get(other.id), "withdraw", reason="too late")
    assert gone.state is State.WITHDRAWN


def test_a_step_out_of_turn_is_refused(plans, database_advisor):
    plan = step(plans, "Li", drafted(database_advisor), "withdraw")
    for action in ("submit", "approve", "publish", "revise", "withdraw", "undo"):
        with pytest.raises(LoadlineError, match="is withdrawn"):
            step(plans, "Wang", plan, action)
        with pytest.raises(StaleError):
            step(plans, "Wang", replace(plan, revision=1), action)


def test_of_plans_published_at_once_one_wins(plans, database_advisor):
    ready = []
    for _ in range(2):
        plan = step(plans, "Li", drafted(database_advisor), "submit")
        ready.append(step(plans, "Wang", plan, "approve"))

    def publish(plan):
        try:
            return step(plans, "Wang", plan, "publish")
        except LoadlineError as error:
            return error.what

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(publish, ready))
    assert sum(isinstance(one, str) and "another version" in one for one in found) == 1
    assert len(plans.list(year=2025, states=[State.PUBLISHED])) == 1
