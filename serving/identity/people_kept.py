"""People as they stand in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, exists, select

from features.errors import LoadlineError
from serving.database.connection import Database
from serving.database.tables.identity import people
from serving.errors import NotFoundError
from serving.identity.grants_kept import read_grants
from serving.identity.records import Person, folded

if TYPE_CHECKING:
    from serving.settings import Settings

ANYBODY = select(exists().where(people.c.disabled_at.is_(None)))
"""Whether anybody may sign in."""


def has_people(settings: Settings) -> bool:
    """Tell whether anybody may sign in by name; where the database cannot be asked, it is taken to be so."""
    database = Database.of(settings)
    try:
        with database.read() as connection:
            return bool(connection.scalar(ANYBODY))
    except LoadlineError:
        return True
    finally:
        database.close()


def persons(connection: Connection, rows: Iterable[Row[Any]]) -> list[Person]:
    """Give the people of some rows, with what was granted to them."""
    rows = list(rows)
    given = read_grants(connection, [row.id for row in rows])
    return [
        Person(
            id=row.id,
            login=row.login,
            name=row.name,
            grants=given[row.id],
            has_password=row.password_hash is not None,
            issuer=row.issuer or "",
            subject=row.subject or "",
            created_at=row.created_at,
            created_by=row.created_by,
            disabled_at=row.disabled_at,
            revision=row.revision,
        )
        for row in rows
    ]


def person_of(connection: Connection, login: str) -> Person:
    """Give a person.

    Raises
    ------
    NotFoundError
        Where nobody has that login.
    """
    query = select(people).where(people.c.login == folded(login))
    found = persons(connection, connection.execute(query).all())
    if not found:
        raise NotFoundError("nobody has this login", where="login", hint="`loadline user list` shows who there is.")
    return found[0]


def locked_person(connection: Connection, login: str) -> Person:
    """Give a person whom nobody else changes until this transaction ends."""
    query = select(people.c.id).where(people.c.login == folded(login)).with_for_update()
    connection.execute(query).all()
    return person_of(connection, login)
