"""Who is asking: found by key or session, and let in by name and password or by the identity provider's word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Grant, Principal, acting, who
from serving.database.connection import Database
from serving.database.tables.identity import people as people_rows
from serving.errors import DeniedError
from serving.identity.grants_kept import read_grants, write_grants
from serving.identity.keys import PREFIX, Keys
from serving.identity.passwords import Passwords
from serving.identity.people import People
from serving.identity.recent import Recent
from serving.identity.records import Key, Trail, digest_of, folded, grants_told, read_grant
from serving.identity.sessions import Session, Sessions
from serving.identity.throttle import Throttle
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.identity.oidc import Provider

log = logging.getLogger("loadline.serving")

WRONG_KEY = "the key is not right"
EXPIRED = "the key has expired"
REVOKED = "the key was revoked"
STRANGER = Principal("stranger", "", "person", ())
"""In whose name the audit notes a sign-in that failed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of a sign-in: a session's id, or how long to wait, or neither where the name or password is wrong."""

    session: str = ""
    wait: timedelta = timedelta(0)


class Identity:
    """The use cases of telling who somebody is.

    Parameters
    ----------
    database : Database
    settings : Settings
    clock : callable
        Gives the time, with its zone.
    trail : Trail
        The audit.
    local_key : str
        The machine's own key, which sessions opened with it are tied to; blank at the command line.

    Attributes
    ----------
    people : People
    keys : Keys
    sessions : Sessions
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        trail: Trail,
        local_key: str = "",
    ) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.trail = trail
        self._sessions_seen: Recent[Session] = Recent()
        self._keys_seen: Recent[Key] = Recent()
        self.passwords = Passwords(
            memory_kib=settings.password_memory_kib, passes=settings.password_passes, lanes=settings.password_lanes
        )
        self.people = People(database, clock=clock, passwords=self.passwords, trail=trail, changed=self.forget)
        self.keys = Keys(database, clock=clock, trail=trail, changed=self.forget)
        self.sessions = Sessions(database, clock=clock, local_key=local_key)
        self.throttle = Throttle(database, clock)

    def with_local_key(self, key: str) -> Identity:
        """Give the same, for a service whose own key this is."""
        return Identity(self.database, self.settings, clock=self.clock, trail=self.trail, local_key=key)

    @cached_property
    def provider(self) -> Provider | None:
        """Give the identity provider; None where none is set."""
        if self.settings.oidc_issuer is None:
            return None
        from serving.identity.oidc import Provider  # what speaks HTTP and reads tokens: only where it is used

        return Provider.of(self.settings, self.database, clock=self.clock)

    def forget(self) -> None:
        """Ask the database again, whoever comes."""
        self._sessions_seen.forget()
        self._keys_seen.forget()

    def remembered(self, *, key: str = "", session: str = "") -> Principal | None:
        """Give whose key or session it is if that was looked up a moment ago; never waits."""
        if key:
            found = self._keys_seen.get(digest_of(key))
            return None if found is None or self.trouble_with(found) else _of_key(found)
        known = self._sessions_seen.get(digest_of(session))
        return known.principal if known is not None and known.is_open(self.clock()) else None

    def of_key(self, secret: str) -> Principal | str:
        """Look up whose key it is; a text says why it opens nothing."""
        if not secret.startswith(PREFIX):
            return WRONG_KEY
        era = self._keys_seen.era
        with self.database.read() as connection:
            key = self.keys.find(connection, secret)
        if key is None:
            return WRONG_KEY
        trouble = self.trouble_with(key)
        if trouble:
            return trouble
        try:
            self.keys.note_use(key)
        except LoadlineError as error:  # to know when a key was used is no reason to refuse it
            log.warning("the use of a key could not be noted: %s", error.what)
        self._keys_seen.keep(digest_of(secret), key, era=era)
        return _of_key(key)

    def trouble_with(self, key: Key) -> str:
        """Tell why a key opens nothing now; blank for one that does."""
        if key.revoked_at is not None:
            return REVOKED
        return EXPIRED if key.expires_at <= self.clock() else ""

    def of_session(self, session: str) -> Principal | None:
        """Look up who opened a session."""
        if not session:
            return None
        era = self._sessions_seen.era
        with self.database.read() as connection:
            found = self.sessions.find(connection, session)
        if found is None:
            return None
        self._sessions_seen.keep(digest_of(session), found, era=era)
        return found.principal

    def sign_in(self, login: str, password: str, *, address: str) -> Entry:
        """Let somebody in by name and password. It takes as long whether anybody has that name or not.

        Parameters
        ----------
        login, password : str
            As typed.
        address : str
            Where the request comes from, for the throttle.
        """
        login = login.strip().casefold()
        attempt, wait = self.throttle.begin(login, address)
        if wait > timedelta(0):
            return Entry(wait=wait)
        with self.database.read() as connection:
            named = people_rows.c.login == folded(login)
            row = connection.execute(select(people_rows).where(named)).one_or_none()
            given = () if row is None else read_grants(connection, [row.id])[row.id]
        may = row is not None and row.disabled_at is None
        if not self.passwords.holds(password, row.password_hash if row is not None and may else None):
            with acting(STRANGER), self.database.write() as connection:
                self.trail.write(connection, "sign-in.refused", subject="" if row is None else row.login)
            return Entry()
        assert row is not None
        renewed = self.passwords.hash(password) if self.passwords.is_outdated(row.password_hash) else None
        with acting(Principal(row.id, row.login, "person", given)), self.database.write() as connection:
            self.throttle.succeeded(connection, attempt)
            same = (people_rows.c.id == row.id) & (people_rows.c.password_hash == row.password_hash)
            still = select(people_rows.c.id).where(same, people_rows.c.disabled_at.is_(None)).with_for_update()
            if connection.scalar(still) is None:  # changed or disabled while it was checked
                return Entry()
            if renewed is not None:
                connection.execute(update(people_rows).where(same).values(password_hash=renewed))
            session = self.sessions.open(connection, row.id)
            self.trail.write(connection, "sign-in", subject=row.login, detail={"by": "password"})
        return Entry(session)

    def sign_in_local(self) -> str:
        """Open a session for whoever holds the machine's own key."""
        with acting(LOCAL), self.database.write() as connection:
            session = self.sessions.open(connection, None)
            self.trail.write(connection, "sign-in", subject=LOCAL.name, detail={"by": "key"})
        return session

    def sign_out(self, principal: Principal) -> None:
        """End a session."""
        with acting(principal), self.database.write() as connection:
            self.sessions.end(connection, principal.session)
            self.trail.write(connection, "sign-out", subject=principal.name)
        self.forget()

    def session_end(self) -> datetime | None:
        """Tell until when the session holds in which this is asked; None where it is no session."""
        return self.sessions.ends_at(who().session) if who().session else None

    def admit(self, claims: dict[str, object]) -> str:
        """Open a session for whom the identity provider's checked token names.

        The person must be known here: by the provider's subject, or at first by a verified address that is the login;
        from then on by the subject alone, so that nobody inherits an account with an address.

        Raises
        ------
        DeniedError
            Where nobody here is meant.
        """
        assert self.provider is not None
        issuer, subject, session = self.provider.issuer, str(claims["sub"]), ""
        with self.database.write() as connection:
            bound = (people_rows.c.issuer == issuer) & (people_rows.c.subject == subject)
            row = connection.execute(select(people_rows).where(bound).with_for_update()).one_or_none()
            email = folded(str(claims.get("email", ""))) if claims.get("email_verified") is True else ""
            binds = row is None and bool(email)
            if binds:
                free = (people_rows.c.login == email) & people_rows.c.subject.is_(None)
                row = connection.execute(select(people_rows).where(free).with_for_update()).one_or_none()
            if row is not None and row.disabled_at is None:
                before = read_grants(connection, [row.id])[row.id]
                after = self._granted(before, claims)
                if binds or after != before:
                    values = {"issuer": issuer, "subject": subject, "revision": row.revision + 1}
                    connection.execute(update(people_rows).where(people_rows.c.id == row.id).values(values))
                    write_grants(connection, row.id, after)
                session = self.sessions.open(connection, row.id)
                detail = {"by": "provider", "issuer": issuer} | ({"bound": True} if binds else {})
                if after != before:
                    detail |= {"before": grants_told(before), "after": grants_told(after)}
                with acting(Principal(row.id, row.login, "person", after)):
                    self.trail.write(connection, "sign-in", subject=row.login, detail=detail)
        if session:
            self.forget()  # what was granted may have changed
            return session
        with acting(STRANGER), self.database.write() as connection:
            known = "" if row is None else row.login
            self.trail.write(connection, "sign-in.refused", subject=known, detail={"by": "provider"})
        raise DeniedError("nobody here has this account", hint="Ask an administrator to add you with your address.")

    def _granted(self, before: tuple[Grant, ...], claims: dict[str, object]) -> tuple[Grant, ...]:
        """Give the grants after a sign-in: those that the settings tie to groups follow the groups, others stay."""
        tied = {group: read_grant(text) for group, text in self.settings.oidc_groups.items()}
        if not tied:
            return before
        groups = claims.get(self.settings.oidc_groups_claim)
        named = {group for group in groups if isinstance(group, str)} if isinstance(groups, list) else set()
        given = {grant for group, grant in tied.items() if group in named}
        kept = set(before) - set(tied.values())
        return tuple(sorted(kept | given, key=lambda grant: (grant.role.value, grant.unit)))


def _of_key(key: Key) -> Principal:
    return Principal(key.id, key.name, "key", key.grants)


def named_local(name: str) -> Principal:
    """Give whoever runs the machine, under a name for the record."""
    return replace(LOCAL, name=name.strip() or LOCAL.name)
