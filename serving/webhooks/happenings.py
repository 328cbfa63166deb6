"""What there is to tell, read from the records: nothing else has to remember to say it, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from serving.database.tables.plans import plans

if TYPE_CHECKING:
    from serving.advisor import Advisor

PUBLISHED = frozenset({"published", "superseded"})
"""States of plans that have been published."""


@dataclass(frozen=True)
class Happening:
    """Something that others may want to know.

    Attributes
    ----------
    event : str
        A key of `EVENTS`.
    subject : str
        Names it among those of its kind, for good.
    at : datetime
    data : Mapping
        What the message tells: names and versions by which to ask for more, no results.
    """

    event: str
    subject: str
    at: datetime
    data: Mapping[str, Any]


def published_plans(advisor: Advisor, since: datetime) -> Iterator[Happening]:
    """Give the target plans published since."""
    asked = select(plans).where(plans.c.state.in_(PUBLISHED), plans.c.published_at >= since)
    with advisor.database.read() as connection:
        rows = connection.execute(asked.order_by(plans.c.published_at)).mappings().all()
    for row in rows:
        told = {name: row[name] for name in ("dataset", "year", "version")} | {"plan": row["id"]}
        yield Happening("plan.published", row["id"], row["published_at"], told)


def raised_alerts(advisor: Advisor, since: datetime) -> Iterator[Happening]:
    """Give the alerts that came on the list since: that there is one, not whose; who may look asks for the list."""
    for dataset in _datasets(advisor):
        for key, case in advisor.reviewing.record(dataset=dataset).cases.items():
            first = case.showings[0]
            if first.at >= since and not first.shown.sampled:
                told = {"dataset": dataset, "period": first.shown.first}
                yield Happening("alert.raised", f"{dataset}/{key}", first.at, told)


def ended_runs(advisor: Advisor, since: datetime) -> Iterator[Happening]:
    """Give the training runs that ended since."""
    from training.retraining.runs import ENDS

    for run in advisor.training.runs():
        for event in run.events:
            if event.kind in ENDS and event.at >= since:
                told = {"dataset": run.request.dataset, "run": run.name, "state": event.kind}
                yield Happening("run.ended", run.name, event.at, told)


def _datasets(advisor: Advisor) -> list[str]:
    return sorted({version.dataset for version in advisor.store.versions()})


EVENTS: Mapping[str, Callable[[Advisor, datetime], Iterator[Happening]]] = {
    "plan.published": published_plans,
    "alert.raised": raised_alerts,
    "run.ended": ended_runs,
}
"""What can be subscribed to, and where it is read."""
