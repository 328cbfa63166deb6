"""Looks for what is wrong with a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.database.upgrading import differences, standing

if TYPE_CHECKING:
    from serving.database.connection import Database

LISTED = 20
"""Findings of SQLite's own check that are told."""


def problems(database: Database) -> list[str]:
    """Tell what is wrong: tables of another revision or altered by hand, damage, references to nothing.

    Raises
    ------
    AwayError
        Where the database cannot be reached.
    """
    found = standing(database)
    if not found.current:
        return [f"the tables are {found.text}: revision {found.revision or 'none'}, not {found.head}"]
    wrong = [f"the tables are not as they were made: {difference}" for difference in differences(database)]
    if database.is_sqlite:
        with database.engine.connect() as connection:
            told = connection.exec_driver_sql(f"PRAGMA integrity_check({LISTED})").scalars()
            wrong += [f"the file is damaged: {line}" for line in told if line != "ok"]
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            wrong += [
                f"row {row} of {table!r} refers to nothing in {other!r}" for table, row, other, _ in lost[:LISTED]
            ]
    return wrong + _changed_plans(database)


def _changed_plans(database: Database) -> list[str]:
    """Name the plans whose lines are not those that were submitted."""
    from sqlalchemy import select

    from serving.database.tables.plans import plans
    from serving.plans.records import seal

    with database.read() as connection:
        sealed = connection.execute(select(plans.c.id, plans.c.digest).where(plans.c.digest != "")).all()
        changed = [plan for plan, digest in sealed if seal(connection, plan) != digest]
    return [f"the lines of plan {plan} are not those that were submitted" for plan in changed]
