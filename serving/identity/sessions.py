"""Sessions of the console, kept in the database by the digests of their ids, so that every process knows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from serving.access.principal import LOCAL, Principal
from serving.database.connection import Database
from serving.database.tables.identity import people, sessions
from serving.identity.grants_kept import read_grants
from serving.identity.records import digest_of, new_secret

SESSION_SECONDS = 12 * 3600
"""A working day."""
LENGTH = timedelta(seconds=SESSION_SECONDS)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: who holds it, from when, and until when."""

    principal: Principal
    created_at: datetime
    ends_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Tell whether it holds at a time; one from the future was opened while the clock ran wrong."""
        return now < self.ends_at and self.created_at - now <= LENGTH


class Sessions:
    """Opens, finds and ends sessions.

    Parameters
    ----------
    database : Database
    clock : callable
        Gives the time, with its zone.
    local_key : str
        The machine's own key: sessions opened with it are known only while it holds.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime], local_key: str = "") -> None:
        self.database = database
        self.clock = clock
        self._local = digest_of(local_key)

    def open(self, connection: Connection, person: str | None) -> str:
        """Open a session for a person, or for whoever holds the machine's own key; give its id."""
        session, now = new_secret(), self.clock()
        connection.execute(delete(sessions).where(sessions.c.ends_at < now - LENGTH))
        connection.execute(
            insert(sessions).values(
                digest=self._digests(session)[person is None],
                person=person,
                csrf=new_secret(),
                created_at=now,
                ends_at=now + LENGTH,
            )
        )
        return session

    def find(self, connection: Connection, session: str) -> Session | None:
        """Give a session that somebody may use now."""
        persons, local = self._digests(session)
        query = (
            select(sessions, people.c.login, people.c.name, people.c.disabled_at)
            .join(people, sessions.c.person == people.c.id, isouter=True)
            .where(sessions.c.digest.in_((persons, local)))
        )
        row = connection.execute(query).one_or_none()
        if row is None or row.disabled_at is not None or (row.person is None) != (row.digest == local):
            return None
        given = LOCAL.grants if row.person is None else read_grants(connection, [row.person])[row.person]
        principal = Principal(
            id=row.person or LOCAL.id,
            name=LOCAL.name if row.person is None else row.login,
            kind="local" if row.person is None else "person",
            grants=given,
            session=row.digest,
            csrf=row.csrf,
        )
        found = Session(principal, row.created_at, row.ends_at)
        return found if found.is_open(self.clock()) else None

    def end(self, connection: Connection, digest: str) -> None:
        """End a session, named by its digest."""
        connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def ends_at(self, digest: str) -> datetime | None:
        """Tell until when a session holds."""
        with self.database.read() as connection:
            return connection.scalar(select(sessions.c.ends_at).where(sessions.c.digest == digest))

    def _digests(self, session: str) -> tuple[str, str]:
        """Give the digest of a person's session and that of one opened with the machine's own key."""
        return digest_of(session), digest_of(f"{self._local}{session}")
