"""Looking at plans: the list, one plan, its lines, events and totals."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, or_, select

from serving.database.tables import plans as tables
from serving.plans import records
from serving.plans.plan import Event, Line, Plan, State
from serving.plans.summary import Summary, summary_of

if TYPE_CHECKING:
    from serving.advisor import Advisor

MOST_NAMED = 500
"""Units that a filter names in the question itself; with more, all lines are read and sifted here."""
_NAMED = re.compile(r"(?P<year>\d{4})(?:v(?P<version>\d{1,6}))?")
SEEN_BY_ALL = (State.PUBLISHED, State.SUPERSEDED)
"""What was published once: what managers may see."""


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted.

    Attributes
    ----------
    unit, indicator : str, optional
    changed, flagged : bool, optional
        Only lines that a person holds, or not; only those flagged for risk, or not.
    units : collection of str, optional
        Only of these units.
    """

    unit: str | None = None
    indicator: str | None = None
    changed: bool | None = None
    flagged: bool | None = None
    units: Collection[str] | None = None


class Shelf:
    """Reads plans.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    @property
    def advisor(self) -> Advisor:
        """Give whose plans these are."""
        return self._advisor

    def find(self, name: str, *, dataset: str | None = None) -> Plan:
        """Find a plan as people name it: by its id, by the year (its newest version), or such as `2025v2`.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        named = _NAMED.fullmatch(name.strip())
        if named is None:
            return self.get(name.strip())
        version = named["version"]
        for plan in self.list(dataset=dataset, year=int(named["year"])):
            if version is None or plan.version == int(version):
                return plan
        raise records.no_plan(name)

    def list(
        self,
        *,
        dataset: str | None = None,
        year: int | None = None,
        states: Collection[State] = (),
    ) -> list[Plan]:
        """List plans, the newest year and version first.

        Parameters
        ----------
        dataset : str, optional
        year : int, optional
        states : collection of State
            Only plans that stand so; all where none is given.
        """
        column = tables.plans.c
        asked = select(tables.plans).order_by(column.year.desc(), column.version.desc(), column.id)
        if dataset is not None:
            asked = asked.where(column.dataset == dataset)
        if year is not None:
            asked = asked.where(column.year == year)
        if states:
            asked = asked.where(column.state.in_([state.value for state in states]))
        with self._advisor.database.read() as connection:
            return [Plan.of(row) for row in connection.execute(asked).mappings()]

    def get(self, plan: str) -> Plan:
        """Give a plan.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        with self._advisor.database.read() as connection:
            return records.plan_of(connection, plan)

    def line(self, plan: str, unit: str, indicator: str) -> Line:
        """Give a line.

        Raises
        ------
        NotFoundError
            Where there is no such plan or line.
        """
        with self._advisor.database.read() as connection:
            records.plan_of(connection, plan)
            return records.line_of(connection, plan, unit, indicator)

    def lines(
        self, plan: str, wanted: Filter | None = None, *, limit: int | None = None, after: int = -1
    ) -> list[Line]:
        """Give lines in their order: by indicator, the highest units first.

        Parameters
        ----------
        plan : str
        wanted : Filter, optional
        limit : int, optional
            At most these many.
        after : int
            Begin after this position.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        """
        wanted = wanted or Filter()
        asked = _wanted(select(tables.lines), plan, wanted).where(tables.lines.c.position > after)
        asked = asked.order_by(tables.lines.c.position)
        sifted = wanted.units is not None and len(wanted.units) > MOST_NAMED
        if limit is not None and not sifted:
            asked = asked.limit(limit)
        found: list[Line] = []
        with self._advisor.database.read() as connection:
            records.plan_of(connection, plan)
            for line in records.lines_of(connection, asked):
                if wanted.units is None or line.unit in wanted.units:
                    found.append(line)
                    if limit is not None and len(found) >= limit:
                        break
        return found

    def count(self, plan: str, wanted: Filter | None = None) -> int:
        """Count lines."""
        wanted = wanted or Filter()
        column = tables.lines.c
        with self._advisor.database.read() as connection:
            if wanted.units is not None and len(wanted.units) > MOST_NAMED:
                units = connection.execute(_wanted(select(column.unit), plan, wanted)).scalars()
                return sum(unit in wanted.units for unit in units)
            return connection.execute(_wanted(select(func.count(column.position)), plan, wanted)).scalar_one()

    def events(self, plan: str) -> list[Event]:
        """Give what was done to a plan, the oldest first: who, when, why.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        """
        with self._advisor.database.read() as connection:
            records.plan_of(connection, plan)
            return records.events_of(connection, plan)

    def summary(self, plan: str) -> Summary:
        """Give a plan's totals against its goals, what people changed, and how even the chances are.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        """
        with self._advisor.database.read() as connection:
            return summary_of(connection, records.plan_of(connection, plan))


def _wanted(asked: Select[Any], plan: str, wanted: Filter) -> Select[Any]:
    column = tables.lines.c
    asked = asked.where(column.plan == plan)
    if wanted.unit is not None:
        asked = asked.where(column.unit == wanted.unit)
    if wanted.indicator is not None:
        asked = asked.where(column.indicator == wanted.indicator)
    if wanted.units is not None and len(wanted.units) <= MOST_NAMED:
        asked = asked.where(column.unit.in_(sorted(wanted.units)))
    held = or_(column.pinned.is_(True), column.overridden.is_(True))
    if wanted.changed is not None:
        untouched = and_(column.pinned.is_(False), column.overridden.is_(False))
        asked = asked.where(held if wanted.changed else untouched)
    if wanted.flagged is not None:
        asked = asked.where(column.flagged.is_(wanted.flagged))
    return asked
