"""Whatever people do in whatever order, a plan is what a slow bookkeeper says it is."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_home import LOANS, by, drafted

from features.errors import LoadlineError
from serving.plans.plan import State

PEOPLE = ("Li", "Wang", "Zhao")
UNITS = ("N01", "N02", "A/B")
ACTIONS = ("override", "pin", "unpin", "reset", "undo", "submit", "approve", "return_", "withdraw", "reallocate")
AGAIN = ("override", "submit", "approve", "undo", "return_", "pin")
"""Drawn twice as often: what histories are mostly made of."""


@dataclass
class Book:
    """The slow reference: whole copies of all lines after each change."""

    lines: dict
    suggested: dict
    state: State = State.DRAFT
    number: int = 1
    responsible: set = field(default_factory=set)
    past: list = field(default_factory=list)

    def may(self, action: str, name: str) -> bool:
        needed = {"approve": (State.SUBMITTED,), "return_": (State.SUBMITTED, State.APPROVED)}
        needed["withdraw"] = (State.DRAFT, State.SUBMITTED, State.APPROVED)
        if self.state not in needed.get(action, (State.DRAFT,)):
            return False
        return not (action == "approve" and name in self.responsible) and not (action == "undo" and not self.past)

    def do(self, action: str, name: str, unit: str, change: float) -> None:
        self.number += 1
        if action in ("submit", "approve", "return_", "withdraw"):
            if action == "submit":
                self.responsible.add(name)
            names = {"submit": State.SUBMITTED, "approve": State.APPROVED, "return_": State.DRAFT}
            self.state = names.get(action, State.WITHDRAWN)
            self.past = [] if action == "return_" else self.past
            return
        self.responsible.add(name)
        if action == "undo":
            self.lines = self.past.pop()
            return
        self.past.append({key: dict(line) for key, line in self.lines.items()})
        if action == "override":
            self.lines[unit] |= {"target": change, "overridden": True}
        elif action in ("pin", "unpin"):
            self.lines[unit]["pinned"] = action == "pin"
        elif action == "reset":
            self.lines[unit] = {"target": self.suggested[unit], "pinned": False, "overridden": False}


def seen(plans, plan) -> dict:
    every = [line for line in plans.lines(plan.id) if line.indicator == LOANS and line.leaf]
    return {line.unit: {"target": line.target, "pinned": line.pinned, "overridden": line.overridden} for line in every}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS + AGAIN), st.sampled_from(PEOPLE), st.sampled_from(UNITS), st.integers(-40, 40)
        ),
        min_size=5,
        max_size=18,
    )
)
def test_any_history_ends_as_a_slow_bookkeeper_says(database_advisor, history):
    plans, plan = database_advisor.plans, drafted(database_advisor, name="Drafter")
    lines = [line for line in plans.lines(plan.id) if line.indicator == LOANS and line.leaf]
    book = Book(seen(plans, plan), {line.unit: line.suggested["target"] for line in lines})
    for action, name, unit, steps in history:
        change = round(book.lines[unit]["target"] + steps, 2)
        allowed = book.may(action, name)
        held = plans.get(plan.id)
        line = plans.line(plan.id, unit, LOANS)
        more = {"reason": "because"}
        try:
            with by(name):
                if action == "override":
                    plans.override(plan.id, unit, LOANS, revision=line.revision, target=change, **more)
                elif action in ("pin", "unpin", "reset"):
                    getattr(plans, action)(plan.id, unit, LOANS, revision=line.revision, **more)
                else:
                    getattr(plans, action)(plan.id, revision=held.revision, **more)
        except LoadlineError:
            assert not allowed or action == "reallocate"  # what is held may leave no way to the goal
            continue
        assert allowed, (action, name)
        book.do(action, name, unit, change)
        now = seen(plans, plan)
        if action == "reallocate":  # how the rest is shared is told elsewhere; what is held stays
            kept = {key: line for key, line in book.lines.items() if line["pinned"] or line["overridden"]}
            assert {key: now[key] for key in kept} == kept
            book.lines = now
        assert now == book.lines
        held = plans.get(plan.id)
        assert (held.state, held.revision) == (book.state, book.number)
    assert [event.number for event in plans.events(plan.id)] == list(range(1, book.number + 1))
