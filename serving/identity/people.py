"""People: adding them, what they may do, their passwords, and keeping them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from features.errors import LoadlineError
from serving.access.principal import Grant, Principal, Role, acting, who
from serving.database.connection import Database
from serving.database.tables.identity import grants as grant_rows
from serving.database.tables.identity import invitations, keys, people, sessions
from serving.errors import InvalidError, NotFoundError, StaleError
from serving.identity.grants_kept import write_grants
from serving.identity.passwords import Passwords, checked_password
from serving.identity.people_kept import ANYBODY, locked_person, person_of, persons
from serving.identity.records import (
    Person,
    Trail,
    checked_grants,
    checked_login,
    checked_name,
    digest_of,
    folded,
    grants_told,
    new_id,
    new_secret,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


INVITED = timedelta(hours=24)
"""An invitation to choose a password holds until the next working day."""
WRONG_PASSWORD = "the name or the password is not right"  # noqa: S105 - what is answered, not a password
OVER = "this invitation is over, or was used"


class People:
    """The use cases about people; each change is noted in the audit with it, or does not happen.

    Parameters
    ----------
    database : Database
    clock : callable
        Gives the time, with its zone.
    passwords : Passwords
    trail : Trail
        The audit.
    changed : callable
        Is called after each change, so that nothing remembered here outlives it.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        passwords: Passwords,
        trail: Trail,
        changed: Callable[[], object],
    ) -> None:
        self.database = database
        self.clock = clock
        self.passwords = passwords
        self.trail = trail
        self.changed = changed

    def anybody(self) -> bool:
        """Tell whether there are people who may sign in."""
        with self.database.read() as connection:
            return bool(connection.scalar(ANYBODY))

    def list(self, *, after: str = "", limit: int | None = None) -> list[Person]:
        """Give the people by login, those after one."""
        with self.database.read() as connection:
            query = select(people).where(people.c.login > folded(after)).order_by(people.c.login).limit(limit)
            return persons(connection, connection.execute(query).all())

    def count(self) -> int:
        """Count the people."""
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(people)) or 0

    def get(self, login: str) -> Person:
        """Give a person.

        Raises
        ------
        NotFoundError
            Where nobody has that login.
        """
        with self.database.read() as connection:
            return person_of(connection, login)

    def of(self, person: str) -> Person | None:
        """Give a person by id; None where there is none."""
        with self.database.read() as connection:
            found = persons(connection, connection.execute(select(people).where(people.c.id == person)).all())
        return found[0] if found else None

    def add(self, login: str, *, name: str, grants: Iterable[Grant] = (), password: str | None = None) -> Person:
        """Add a person; without a password the person is invited, or signs in by the identity provider.

        Raises
        ------
        InvalidError
            Where login, name, grants or password are not what they should be.
        LoadlineError
            Where somebody has that login.
        """
        login, name, given = checked_login(login), checked_name(name), checked_grants(grants)
        kept = None if password is None else self.passwords.hash(checked_password(password, login=login))
        with self._changing() as connection:
            if connection.scalar(select(people.c.id).where(people.c.login == login)) is not None:
                hint = "Choose another login, or enable the person who has it."
                raise LoadlineError("somebody has this login", where="login", hint=hint)
            connection.execute(
                insert(people).values(
                    id=(holder := new_id()),
                    login=login,
                    name=name,
                    password_hash=kept,
                    created_at=self.clock(),
                    created_by=who().name,
                    revision=1,
                )
            )
            write_grants(connection, holder, given)
            self._note(connection, "person.add", login, name=name, grants=grants_told(given))
            return person_of(connection, login)

    def edit(
        self,
        login: str,
        *,
        name: str | None = None,
        grants: Iterable[Grant] | None = None,
        disabled: bool | None = None,
        revision: int | None = None,
    ) -> Person:
        """Change what is given of a person; who is disabled is signed out at once, and the keys made by them end.

        Raises
        ------
        StaleError
            Where `revision` is given and somebody else has changed the person since.
        LoadlineError
            Where it would leave nobody who may look after people; the command line may do that.
        """
        name = None if name is None else checked_name(name)
        given = None if grants is None else checked_grants(grants)
        with self._changing() as connection:
            before = locked_person(connection, login)
            if revision is not None and revision != before.revision:
                raise StaleError("the person was changed meanwhile", hint="Look again, then decide.")
            after = replace(
                before,
                name=before.name if name is None else name,
                grants=before.grants if given is None else given,
                disabled_at=before.disabled_at if disabled is None else self._disabled_at(before, disabled),
            )
            if after == before:
                return before
            self._keep_an_admin(connection, before, after)
            connection.execute(
                update(people)
                .where(people.c.id == before.id)
                .values(name=after.name, disabled_at=after.disabled_at, revision=before.revision + 1)
            )
            if after.grants != before.grants:
                write_grants(connection, before.id, after.grants)
            if after.disabled_at is not None:
                self._end_all(connection, before.id)
                made = (keys.c.created_by == before.login) & keys.c.revoked_at.is_(None)  # whose secrets they know
                connection.execute(update(keys).where(made).values(revoked_at=after.disabled_at))
            for action, detail in _told(before, after):
                self._note(connection, action, before.login, **detail)
            return replace(after, revision=before.revision + 1)

    def grant(self, login: str, grant: Grant) -> Person:
        """Add a grant to those of a person."""
        person = self.get(login)
        return self.edit(login, grants=(*person.grants, grant), revision=person.revision)

    def revoke(self, login: str, grant: Grant) -> Person:
        """Take a grant from a person.

        Raises
        ------
        NotFoundError
            Where the person does not have it.
        """
        person = self.get(login)
        if grant not in person.grants:
            told = ", ".join(grants_told(person.grants)) or "none"
            raise NotFoundError("this was not granted", where=grants_told([grant])[0], hint=f"What was: {told}")
        kept = [given for given in person.grants if given != grant]
        return self.edit(login, grants=kept, revision=person.revision)

    def set_password(self, login: str, password: str) -> Person:
        """Give a person a password, as whoever runs the machine may; ends the person's sessions."""
        kept = self.passwords.hash(checked_password(password, login=checked_login(login)))
        with self._changing() as connection:
            person = locked_person(connection, login)
            self._put_password(connection, person, kept, action="person.password-set")
        return replace(person, has_password=True, revision=person.revision + 1)

    def change_password(self, person_id: str, *, old: str, new: str) -> None:
        """Change one's own password; ends all of one's sessions.

        Raises
        ------
        InvalidError
            Where the old one is wrong, or the new one is easily found.
        """
        with self.database.read() as connection:
            row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
        if row is None or not self.passwords.holds(old, row.password_hash):
            raise InvalidError("the old password is not right", where="old")
        kept = self.passwords.hash(checked_password(new, login=row.login))
        with self._changing() as connection:
            person = locked_person(connection, row.login)
            self._put_password(connection, person, kept, action="person.password-change", was=row.password_hash)

    def invite(self, login: str) -> tuple[str, datetime]:
        """Let a person choose a password once; give the secret, which is shown once, and when it ends.

        The password that the person has stays as it is until then; an earlier invitation is void.
        """
        secret = new_secret()
        with self._changing() as connection:
            person = locked_person(connection, login)
            if person.disabled_at is not None:
                raise LoadlineError("this person is disabled", where="login", hint="Enable the person first.")
            ends = self.clock() + INVITED
            connection.execute(delete(invitations).where(invitations.c.person == person.id))
            connection.execute(insert(invitations).values(person=person.id, digest=digest_of(secret), ends_at=ends))
            self._note(connection, "person.invite", person.login, ends_at=ends.isoformat())
        return secret, ends

    def invited(self, secret: str) -> Person | None:
        """Give who may choose a password with this secret; None where it is over, used, or none."""
        with self.database.read() as connection:
            return self._invited(connection, secret)

    def accept(self, secret: str, password: str) -> Person:
        """Take up an invitation.

        Raises
        ------
        InvalidError
            Where it is over or used, or the password is easily found; then it can be used again.
        """
        person = self.invited(secret)
        if person is None:
            raise InvalidError(OVER, hint="Ask for another one.")
        kept = self.passwords.hash(checked_password(password, login=person.login))
        with acting(Principal(person.id, person.login, "person", ())), self._changing() as connection:
            person = locked_person(connection, person.login)
            taken = connection.execute(delete(invitations).where(invitations.c.digest == digest_of(secret))).rowcount
            if taken != 1 or person.disabled_at is not None:
                raise InvalidError(OVER, hint="Ask for another one.")
            self._put_password(connection, person, kept, action="person.password-choose")
        return person

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self.database.write() as connection:
            yield connection
        self.changed()

    def _note(self, connection: Connection, action: str, login: str, **detail: object) -> None:
        self.trail.write(connection, action, subject=login, detail=detail)

    def _disabled_at(self, before: Person, disabled: bool) -> datetime | None:
        return (before.disabled_at or self.clock()) if disabled else None

    def _put_password(
        self, connection: Connection, person: Person, kept: str, *, action: str, was: str | None = None
    ) -> None:
        same = people.c.id == person.id
        unchanged = same if was is None else same & (people.c.password_hash == was)
        values: Mapping[str, Any] = {"password_hash": kept, "revision": person.revision + 1}
        if connection.execute(update(people).where(unchanged).values(**values)).rowcount != 1:
            raise StaleError("the password was changed meanwhile", hint="Sign in again.")
        self._end_all(connection, person.id)
        connection.execute(delete(invitations).where(invitations.c.person == person.id))
        self._note(connection, action, person.login)

    @staticmethod
    def _end_all(connection: Connection, person: str) -> None:
        connection.execute(delete(sessions).where(sessions.c.person == person))

    def _invited(self, connection: Connection, secret: str) -> Person | None:
        query = (
            select(people)
            .join(invitations, invitations.c.person == people.c.id)
            .where(
                invitations.c.digest == digest_of(secret),
                invitations.c.ends_at > self.clock(),
                people.c.disabled_at.is_(None),
            )
        )
        found = persons(connection, connection.execute(query).all())
        return found[0] if found else None

    @staticmethod
    def _keep_an_admin(connection: Connection, before: Person, after: Person) -> None:
        def serves(person: Person) -> bool:
            return person.disabled_at is None and Grant(Role.ADMIN) in person.grants

        if who().kind == "local" or not serves(before) or serves(after):
            return
        others = (
            select(people.c.id)
            .join(grant_rows, grant_rows.c.holder == people.c.id)
            .where(people.c.disabled_at.is_(None), grant_rows.c.role == Role.ADMIN.value, people.c.id != before.id)
            .with_for_update()
        )
        if connection.execute(others).first() is None:
            hint = "Make somebody else an administrator first, or use `loadline user` on the machine itself."
            raise LoadlineError("nobody would be left to look after people and keys", hint=hint)


def _told(before: Person, after: Person) -> Iterator[tuple[str, dict[str, object]]]:
    """Tell what was changed, as the audit has it."""
    if after.name != before.name:
        yield "person.rename", {"before": before.name, "after": after.name}
    if after.grants != before.grants:
        yield "person.grants", {"before": grants_told(before.grants), "after": grants_told(after.grants)}
    if (after.disabled_at is None) != (before.disabled_at is None):
        yield "person.enable" if after.disabled_at is None else "person.disable", {}
