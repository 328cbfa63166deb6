"""Plans of the small hostile dataset: drafted, signed by people with names, published."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.plans.plan import Plan
from serving.plans.steering import Asked, Steering

GOAL = 119_000.0
"""Of ROOT on LOANS: within what the units can reach."""
LOANS, NPL = "LOANS", "NPL_RATIO"


@contextmanager
def by(name: str) -> Iterator[None]:
    """Do what follows in somebody's name, at the machine itself."""
    with acting(replace(LOCAL, name=name)):
        yield


def goal(value: float = GOAL, unit: str = "ROOT") -> Asked:
    return Asked(unit, LOANS, value)


def drafted(advisor: Advisor, *goals: Asked, name: str = "Li", **asked) -> Plan:
    """Draft a plan of 2025 with goals, by default one for all."""
    with by(name):
        return advisor.plans.draft(2025, asked=Steering(goals=goals or (goal(),), **asked))


def published(advisor: Advisor, plan: Plan) -> Plan:
    """Bring a draft to publication."""
    with by("Li"):
        plan = advisor.plans.submit(plan.id, revision=plan.revision)
    with by("Wang"):
        plan = advisor.plans.approve(plan.id, revision=plan.revision)
        return advisor.plans.publish(plan.id, revision=plan.revision)
