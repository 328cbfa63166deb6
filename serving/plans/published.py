"""Published targets: what scores of a year are held against, as far as was known on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Connection, select

from features.errors import LoadlineError
from serving.database.tables import plans as tables
from serving.plans.plan import LEVELS, State
from serving.plans.records import seal

if TYPE_CHECKING:
    from serving.database.connection import Database

SHOWN = 12
"""Digits of a digest that tell plans apart for a reader."""


@dataclass(frozen=True)
class PublishedPlan:
    """A plan that was published, on whichever day it was.

    Attributes
    ----------
    id : str
    year, version : int
    published_at : datetime
    digest : str
        SHA-256 over its lines.
    """

    id: str
    year: int
    version: int
    published_at: datetime
    digest: str

    @property
    def label(self) -> str:
        """Name it, as results that rest on it do."""
        return f"plan {self.year} v{self.version} {self.digest[:SHOWN]}"

    @property
    def note(self) -> str:
        """Say what a score was held against."""
        return (
            f"Targets: the plan for {self.year}, version {self.version}, published on "
            f"{self.published_at:%Y-%m-%d} (digest {self.digest[:SHOWN]})."
        )


def published_plan(
    database: Database, dataset: str, year: int, *, known_on: date | None = None
) -> PublishedPlan | None:
    """Give the plan of a year that was in force on a day; None where none was published by then.

    Parameters
    ----------
    database : Database
    dataset : str
    year : int
    known_on : date, optional
        What was published after this day, in UTC, is not known; today where not given.
    """
    if not has_database(database):
        return None
    column = tables.plans.c
    wanted = (column.id, column.year, column.version, column.published_at, column.digest)
    states = [State.PUBLISHED.value, State.SUPERSEDED.value]
    asked = select(*wanted).where(column.dataset == dataset, column.year == year, column.state.in_(states))
    if known_on is not None:
        asked = asked.where(column.published_at < datetime.combine(known_on + timedelta(days=1), time(), UTC))
    with database.read() as connection:
        row = connection.execute(asked.order_by(column.version.desc()).limit(1)).first()
    return None if row is None else PublishedPlan(*row)


def targets_of(database: Database, plan: PublishedPlan) -> pd.DataFrame:
    """Give the targets of a plan as scores and the outlook take them.

    Returns
    -------
    pd.DataFrame
        `unit, indicator, year, floor, target, stretch, p_target`; lines without a target are left out.

    Raises
    ------
    LoadlineError
        Where the lines are not those that were published.
    """
    column = tables.lines.c
    wanted = (column.unit, column.indicator, *(column[name] for name in LEVELS), column.p_target)
    asked = select(*wanted).where(column.plan == plan.id, column.target.is_not(None)).order_by(column.position)
    with database.read() as connection:
        require_seal(connection, plan.id, plan.digest)
        rows = connection.execute(asked).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["unit", "indicator", *LEVELS, "p_target"])
    frame = frame.astype(dict.fromkeys([*LEVELS, "p_target"], float))
    frame.insert(2, "year", plan.year)
    return frame


def require_seal(connection: Connection, plan: str, digest: str) -> None:
    """Refuse a plan whose lines were changed past the program since they were submitted; a draft has no digest.

    Raises
    ------
    LoadlineError
        Where they were.
    """
    if digest and seal(connection, plan) != digest:
        raise LoadlineError(
            "the lines of the plan are not those that were submitted: they were changed in the database",
            where=plan,
            hint="`loadline audit verify`, then bring the lines back from a backup.",
        )


def has_database(database: Database) -> bool:
    """Tell whether there is a database to look into: a home that only scores need not have one."""
    return not database.is_sqlite or Path(str(database.url.database)).is_file()
