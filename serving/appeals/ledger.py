"""Appeals in the database: put down once, moved from state to state, never deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from serving.appeals.frozen import Frozen, TamperedError, seal
from serving.database.tables.appeals import appeals, events, materials
from serving.database.tables.base import canonical
from serving.errors import NotFoundError

MOST_NAMED = 900
"""Names in one condition: SQLite takes no more than a thousand or so variables in an old build."""
LISTED = [column for column in appeals.c if column.name not in ("frozen", "request_key")]
OPEN_STATES = ("open", "under_review")


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal as it stands; its frozen record is read apart.

    Attributes
    ----------
    id : str
    dataset : str
    kind : {"score", "target"}
    unit : str
    period : str
        Of a score the period, of a target the year.
    indicator : str
        Blank for a score.
    state : {"open", "under_review", "upheld", "rejected", "withdrawn"}
    revision : int
        Goes up with every step.
    words : str
        What is appealed, in the words of who appeals.
    frozen_digest : str
        SHA-256 of the frozen record.
    raised_at : datetime
    raised_by : str
        The name.
    raised_by_id : str
        Who it is; see `serving.appeals.appeals.identity`.
    """

    id: str
    dataset: str
    kind: str
    unit: str
    period: str
    indicator: str
    state: str
    revision: int
    words: str
    frozen_digest: str
    raised_at: datetime
    raised_by: str
    raised_by_id: str


@dataclass(frozen=True, slots=True)
class AppealEvent:
    """A step of an appeal: who, when, what and why."""

    number: int
    at: datetime
    by: str
    action: str
    reason: str
    detail: Any


def put_down(
    connection: Connection, appeal: Appeal, frozen: Frozen, *, request_key: str | None, detail: Mapping[str, Any]
) -> None:
    """Write a new appeal with its materials and its first event."""
    for digest, content in frozen.materials.items():
        if connection.execute(select(materials.c.digest).where(materials.c.digest == digest)).first() is None:
            connection.execute(_once(connection).values(digest=digest, content=content))
    row = {name: getattr(appeal, name) for name in Appeal.__slots__}
    connection.execute(insert(appeals).values(**row, frozen=dict(frozen.content), request_key=request_key))
    note(connection, appeal.id, at=appeal.raised_at, by=appeal.raised_by, action="raise", reason="", detail=detail)


def find(connection: Connection, appeal: str, *, lock: bool = False) -> Appeal:
    """Look an appeal up.

    Raises
    ------
    NotFoundError
        Where there is none of that id.
    """
    query = select(*LISTED).where(appeals.c.id == appeal)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"there is no appeal {appeal!r}", hint="GET /api/v1/appeals lists the appeals.")
    return _appeal(row)


def by_request(connection: Connection, request_key: str) -> Appeal | None:
    """Give the appeal that a request has put down already."""
    row = connection.execute(select(*LISTED).where(appeals.c.request_key == request_key)).first()
    return None if row is None else _appeal(row)


def pending(connection: Connection, *, dataset: str, kind: str, unit: str, period: str, indicator: str) -> str | None:
    """Give the id of an appeal on the same figure that nobody has decided on yet.

    Who asks for a figure holds it until the transaction ends: two at the same moment would both find nothing.
    """
    if connection.dialect.name == "postgresql":
        figure = canonical([dataset, kind, unit, period, indicator])
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(figure, 0))))
    same = and_(
        appeals.c.dataset == dataset,
        appeals.c.kind == kind,
        appeals.c.unit == unit,
        appeals.c.period == period,
        appeals.c.indicator == indicator,
        appeals.c.state.in_(OPEN_STATES),
    )
    return connection.execute(select(appeals.c.id).where(same)).scalar()


def listed(
    connection: Connection,
    *,
    units: Collection[str] | None = None,
    unit: str | None = None,
    dataset: str | None = None,
    state: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> tuple[list[Appeal], int]:
    """List appeals, the newest first, and count all that fit.

    Parameters
    ----------
    units : collection of str, optional
        Only appeals on these; all by default.
    after : (datetime, str), optional
        Time and id of the last appeal of the page before.
    """
    wanted = []
    if units is not None:
        names = sorted(units)
        parts = [appeals.c.unit.in_(names[at : at + MOST_NAMED]) for at in range(0, len(names), MOST_NAMED)]
        wanted.append(or_(*parts) if parts else appeals.c.unit.in_([]))
    for column, value in ((appeals.c.unit, unit), (appeals.c.dataset, dataset), (appeals.c.state, state)):
        if value is not None:
            wanted.append(column == value)
    total = connection.execute(select(func.count()).select_from(appeals).where(*wanted)).scalar_one()
    if after is not None:
        at, last = after
        older = or_(appeals.c.raised_at < at, and_(appeals.c.raised_at == at, appeals.c.id > last))
        wanted.append(older)
    query = select(*LISTED).where(*wanted).order_by(appeals.c.raised_at.desc(), appeals.c.id).limit(limit)
    return [_appeal(row) for row in connection.execute(query)], total


def frozen_of(connection: Connection, appeal: str) -> Frozen:
    """Read what an appeal has frozen, verified against its seal.

    Raises
    ------
    TamperedError
        Where it was changed.
    NotFoundError
        Where there is no such appeal.
    """
    found = find(connection, appeal)
    try:
        content = connection.execute(select(appeals.c.frozen).where(appeals.c.id == appeal)).scalar_one()
    except ValueError:  # no JSON any more
        content = None
    if not isinstance(content, dict) or seal(content) != found.frozen_digest or not _fits(found, content):
        raise TamperedError(
            f"the record of appeal {appeal} is not what was frozen",
            where=appeal,
            hint="The audit names the digest that it had; restore the database from a backup.",
        )
    named = [content[part]["material"] for part in ("policy", "targets") if content.get(part)]
    rows = connection.execute(select(materials.c.digest, materials.c.content).where(materials.c.digest.in_(named)))
    return Frozen(content, {str(row.digest): bytes(row.content) for row in rows})


def moved(connection: Connection, appeal: Appeal, *, state: str) -> int:
    """Put an appeal into another state; give its new revision."""
    revision = appeal.revision + 1
    connection.execute(update(appeals).where(appeals.c.id == appeal.id).values(state=state, revision=revision))
    return revision


def note(
    connection: Connection,
    appeal: str,
    *,
    at: datetime,
    by: str,
    action: str,
    reason: str,
    detail: Mapping[str, Any],
) -> None:
    """Add an event; only with the appeal locked."""
    last = connection.execute(select(func.max(events.c.number)).where(events.c.appeal == appeal)).scalar()
    row = {"appeal": appeal, "number": (last or 0) + 1, "at": at, "by": by}
    connection.execute(insert(events).values(**row, action=action, reason=reason, detail=dict(detail)))


def events_of(connection: Connection, appeal: str) -> list[AppealEvent]:
    """List the events of an appeal, the first first."""
    query = select(events).where(events.c.appeal == appeal).order_by(events.c.number)
    return [
        AppealEvent(row.number, row.at, row.by, row.action, row.reason, row.detail) for row in connection.execute(query)
    ]


def _appeal(row: Row[Any]) -> Appeal:
    return Appeal(**{name: getattr(row, name) for name in Appeal.__slots__})


def _fits(appeal: Appeal, content: Mapping[str, Any]) -> bool:
    """Tell whether the row still speaks of what the record was frozen for."""
    return all(
        content.get(name) == getattr(appeal, name) for name in ("dataset", "kind", "unit", "period", "indicator")
    )


def _once(connection: Connection) -> Any:
    """Give an insert that leaves what is there: two appeals may bring the same policy at the same moment."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_once
    else:
        from sqlalchemy.dialects.postgresql import insert as insert_once
    return insert_once(materials).on_conflict_do_nothing(index_elements=["digest"])
