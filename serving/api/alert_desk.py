"""What endpoints and pages ask about alerts, in the form in which they answer."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
from fastapi import Request

from features.errors import LoadlineError
from features.indicators import Title
from serving.access.principal import Role
from serving.access.reach import reach
from serving.api.desk import Desk
from serving.directory import Directory
from serving.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from serving.alert_schemas import AlertExplanation
    from training.review.case import Case
    from training.review.entry import Entry
    from training.review.recall import RecallEstimate
    from training.review.record import Record
    from training.warning.watch import Watch

REVIEWERS = (Role.RISK, Role.AUDITOR)
"""Who sees every alert of their units, and what is written on it."""
NEAR, LIKENESS = 5, 0.6
"""Keys offered where one is not known, and how like it they have to be."""
GIVEN = "--"
"""Begins the names of what a person gave: errors about those are the asker's."""
IN_PART = Title(
    en="Alerts of units that you see, as far as risk has confirmed and released them.",
    zh="仅列出您权限范围内、经风险部门核实并放行的预警。",
)
"""Of a list that is not the reviewers' whole list."""


@dataclass(frozen=True, eq=False)
class AlertList:
    """The alerts of a period and how their review stands.

    Attributes
    ----------
    directory : Directory
        Of the data version.
    watched : Watch
    period : str
    newest : bool
        The period is the last one with figures, so that this is the reviewers' queue.
    table : pd.DataFrame
        See `training.review.queue.queue`.
    record : Record
        Of reviews, as it stands now.
    reviewed : frozenset of str, optional
        The units for which the reader sees all that reviewers see; None for every unit. Of others within reach they see
        the alerts that were confirmed and released, and nothing that reviewers wrote.
    """

    directory: Directory
    watched: Watch
    period: str
    newest: bool
    table: pd.DataFrame
    record: Record
    reviewed: frozenset[str] | None = None

    def is_reviewed(self, unit: str) -> bool:
        """Tell whether the reader sees of a unit all that reviewers see."""
        return self.reviewed is None or unit in self.reviewed

    @cached_property
    def units(self) -> pd.DataFrame:
        """Give how every unit within reach stands in the period."""
        table = self.watched.table
        table = table[table["period"] == self.period]
        return table if self.reviewed is None else table[table["unit"].isin(list(self.directory.units))]

    @property
    def listed(self) -> int:
        """Count the units on the list; for those who see released alerts alone, those of them that are."""
        if self.reviewed is None:
            return int(self.units["listed"].sum())
        return int((self.table["open"].astype(bool) & (self.table["last"] == self.period)).sum())

    @cached_property
    def looked_at(self) -> int:
        """Count the units that alerts are raised for."""
        snapshot = self.directory.snapshot
        leaves = snapshot.tree.leaves(snapshot.description.calendar.parse(self.period))
        return int(self.units["unit"].isin(list(snapshot.tree.codes[leaves])).sum())

    @property
    def expected_false(self) -> float | None:
        """Give the share of the list that is expected to be false: the rate of a list down to its last unit.

        None for those who do not see the whole list.
        """
        rates = self.units.loc[self.units["listed"].astype(bool), "q_value"].dropna()
        return float(rates.max()) if len(rates) and self.reviewed is None else None

    @property
    def summary(self) -> Title:
        """Say in a sentence how many are to be reviewed."""
        return self.watched.summary if self.reviewed is None else IN_PART

    @property
    def notes(self) -> tuple[Title, ...]:
        """Say what a careful reader should know; what is said of the whole list is for those who see it."""
        return self.watched.notes if self.reviewed is None else ()


@dataclass(frozen=True, eq=False)
class FoundAlert:
    """One alert: the list it is from, its row there, and what is on record about it, if anything is."""

    alerts: AlertList
    row: pd.Series
    case: Case | None


class AlertDesk:
    """Asks the advisor about alerts; one for an application.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def alerts(self, period: str | None = None, *, every: bool = False, dataset: str | None = None) -> AlertList:
        """Give the reviewers' queue, or how the list stood at the end of an earlier period.

        Parameters
        ----------
        period : str, optional
            The last one with figures by default.
        every : bool
            Also what is decided, superseded, or over; always so of earlier periods, and for those who do not review:
            they see what was released, which is decided, and nothing goes on record as shown to reviewers.
        dataset : str, optional

        Raises
        ------
        NotFoundError
            Where there is no such dataset or period.
        """
        directory = self.desk.directory(dataset)
        advisor, name = self.desk.advisor, directory.snapshot.about.dataset
        newest, asked = self._newest(directory), self._period(directory, period)
        reviewed = reach().narrowed(REVIEWERS).units(directory)
        record = advisor.reviewing.record
        if asked == newest and reviewed != frozenset():
            table, known = advisor.reviewing.queue(every=every, dataset=name), record(dataset=name)
            watched = advisor.watching.watch(dataset=name)
        else:
            watched, known = advisor.watching.watch(as_of=asked, dataset=name), record(dataset=name)
            table = self._standing(watched, known) if asked == newest else self._past(watched, known)
        if reviewed is not None:
            table = _seen(table, known, directory, reviewed)
        return AlertList(directory, watched, asked, asked == newest, table, known, reviewed)

    def find(self, alert: str, *, period: str | None = None, dataset: str | None = None) -> FoundAlert:
        """Find an alert among those of a period, or among all that were ever in the queue.

        Raises
        ------
        NotFoundError
            Where it is not there, with keys that are like it.
        """
        found = self.alerts(period, every=True, dataset=dataset)
        rows = found.table[found.table["alert"] == alert]
        if rows.empty:
            keys = [str(key) for key in found.table["alert"]]
            unit = alert.rpartition("@")[0]
            own = [key for key in keys if unit and key.rpartition("@")[0] == unit]
            raise _unknown(alert, own or difflib.get_close_matches(alert, keys, n=NEAR, cutoff=LIKENESS))
        return FoundAlert(found, rows.iloc[0], found.record.cases.get(alert))

    def explain(self, found: FoundAlert) -> AlertExplanation:
        """Give what stands behind an alert, as of the last period in which it was on the list."""
        from serving.alert_explanation import explain_alert

        name = found.alerts.directory.snapshot.about.dataset
        unit, period = str(found.row["unit"]), str(found.row["last"])
        told = explain_alert(self.desk.advisor, unit, period=period, dataset=name)
        return told if found.alerts.is_reviewed(unit) else _for_the_unit(told, first=str(found.row["first"]))

    def act(self, alert: str, write: Callable[[str], Entry], *, dataset: str | None = None) -> Entry:
        """Write on an alert.

        Parameters
        ----------
        alert : str
        write : callable
            Takes the name of the dataset and gives the entry.
        dataset : str, optional

        Raises
        ------
        NotFoundError
            Where no alert has that key.
        InvalidError
            Where what was given cannot be kept.
        LoadlineError
            Where somebody else has written meanwhile.
        """
        directory = self.desk.directory(dataset)
        name = directory.snapshot.about.dataset
        if reach().heads is not None and alert.rpartition("@")[0] not in directory.units:
            raise _unknown(alert, ())
        try:
            return write(name)
        except LoadlineError as error:
            case = self.desk.advisor.reviewing.record(dataset=name).cases.get(alert)
            if error.where.startswith(GIVEN):
                raise InvalidError(f"{error.where.removeprefix(GIVEN)}: {error.what}", hint=error.hint) from error
            if case is None:
                raise _unknown(alert, ()) from error
            hint = f"GET the alert again; if it still holds, repeat it with `expected` {case.version}."
            raise LoadlineError(error.what, where=error.where, hint=hint) from error

    def recall(self, directory: Directory) -> RecallEstimate:
        """Estimate how much of what a reviewer would confirm was on the list."""
        return self.desk.advisor.reviewing.recall(dataset=directory.snapshot.about.dataset)

    def _past(self, watched: Watch, record: Record) -> pd.DataFrame:
        """Give the alerts of an earlier period, and how their review stands now."""
        table = self._standing(watched, record)
        return table[table["alert"].isin(list(watched.alerts["alert"]))].reset_index(drop=True)

    def _standing(self, watched: Watch, record: Record) -> pd.DataFrame:
        """Give alerts and those on record, and how their review stands now; nothing of it goes on record."""
        from training.review.queue import queue

        return queue(watched.alerts, record, self.desk.advisor.now().astimezone(UTC).date(), every=True)

    @staticmethod
    def _newest(directory: Directory) -> str:
        snapshot = directory.snapshot
        return snapshot.description.calendar.format(snapshot.span[1])

    def _period(self, directory: Directory, period: str | None) -> str:
        if not period:
            return self._newest(directory)
        snapshot = directory.snapshot
        try:
            return snapshot.description.calendar.format(self.desk.advisor.origin(snapshot, period))
        except LoadlineError as error:
            raise NotFoundError(f"there are no alerts of {period!r}: {error.what}", hint=error.hint) from error


def _seen(table: pd.DataFrame, record: Record, directory: Directory, reviewed: frozenset[str]) -> pd.DataFrame:
    """Keep the alerts that the reader may see: all of the units that they review, of the others the released ones."""
    from training.review.visibility import AFTERWARDS, visible_to

    released = frozenset[str]().union(*(visible_to(role, record) for role in reach().roles & AFTERWARDS))
    near = reach().narrowed([Role(role) for role in AFTERWARDS]).units(directory)
    kept = [
        unit in directory.units and (unit in reviewed or (key in released and (near is None or unit in near)))
        for unit, key in zip(table["unit"].astype(str), table["alert"].astype(str), strict=True)
    ]
    return table[kept].reset_index(drop=True)


def _for_the_unit(told: AlertExplanation, *, first: str) -> AlertExplanation:
    """Leave out what is for reviewers: the list as a whole, and how the unit stood before the alert was raised."""
    whole = "" if told.certainty is None else told.certainty.text
    text = {name: getattr(told.text, name) for name in ("en", "zh")}
    if whole:
        text = {name: said.replace(getattr(whole, name), "").replace("  ", " ") for name, said in text.items()}
    return told.model_copy(
        update={
            "certainty": None,
            "next_looks": [],
            "novelty": None,
            "history": [moment for moment in told.history if moment.period >= first],
            "listed_below": [],
            "text": told.text.model_copy(update=text),
        }
    )


def _unknown(alert: str, like: Sequence[str]) -> NotFoundError:
    hint = f"Did you mean {', '.join(like[-NEAR:])}?" if like else "GET /api/v1/alerts?all=true lists the alerts."
    return NotFoundError(f"no alert is called {alert!r}", hint=hint)


async def alerts_of(request: Request) -> AlertDesk:
    """Give the alert desk of the application that is asked."""
    return request.app.state.alerts
