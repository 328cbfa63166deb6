"""What is known of people and keys, and how logins, names and secrets are read."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from serving.access.principal import Grant, Role
from serving.errors import InvalidError

LOGIN_LENGTH = 200
NAME_LENGTH = 200
UNIT_LENGTH = 200
MAX_GRANTS = 50
"""A person with more would better be given a unit further up."""
SECRET_BYTES = 32
"""256 random bits: nobody finds a key, a session or an invitation by trying."""
_LOGIN = re.compile(r"[\w.+@-]+")


class Trail(Protocol):
    """Where changes are noted, within their transaction: `serving.audit`."""

    def write(
        self,
        connection: Connection,
        action: str,
        *,
        subject: str,
        dataset: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> object:
        """Note a change in the name of who is acting."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in.

    Attributes
    ----------
    id : str
        Never changes, and is never given to anybody else.
    login : str
        What is typed at sign-in, in lower case.
    name : str
        As others know the person.
    grants : tuple of Grant
    has_password : bool
    issuer, subject : str
        Who the person is to the identity provider; blank before the first sign-in by it.
    created_at : datetime
    created_by : str
    disabled_at : datetime or None
    revision : int
        Counts the changes.
    """

    id: str
    login: str
    name: str
    grants: tuple[Grant, ...]
    has_password: bool
    issuer: str
    subject: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    revision: int


@dataclass(frozen=True, slots=True)
class Key:
    """A program's key, without its secret, which nobody can read again.

    Attributes
    ----------
    id, name : str
    shown : str
        Its first characters, to tell keys apart.
    grants : tuple of Grant
    created_at : datetime
    created_by : str
    expires_at : datetime
    revoked_at : datetime or None
    last_used_at : datetime or None
        To about a minute.
    """

    id: str
    name: str
    shown: str
    grants: tuple[Grant, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def digest_of(secret: str) -> str:
    """Give what is kept of a secret: with 256 random bits in it, one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """Give an id that nobody has."""
    return secrets.token_hex(16)


def new_secret() -> str:
    """Give a secret."""
    return secrets.token_urlsafe(SECRET_BYTES)


def folded(text: str) -> str:
    """Give a login as it is kept; blank for what can be nobody's, which no database need be asked about.

    >>> folded(" Li.Wei "), folded("a/b")
    ('li.wei', '')
    """
    login = text.strip().casefold()
    return login if _LOGIN.fullmatch(login) and len(login) <= LOGIN_LENGTH else ""


def checked_login(text: str) -> str:
    """Read a login, whatever its case.

    Raises
    ------
    InvalidError
        Where it is none.

    >>> checked_login(" Li.Wei@Bank.example ")
    'li.wei@bank.example'
    """
    login = folded(text)
    if not login:
        raise InvalidError(
            "this is no login",
            where="login",
            hint=f"Letters, digits and . _ + @ -, at most {LOGIN_LENGTH}: a short name or an address of e-mail.",
        )
    return login


def checked_name(text: str, *, where: str = "name") -> str:
    """Read the name of a person or key.

    Raises
    ------
    InvalidError
        Where it is blank, too long, or cannot be shown in one line.
    """
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        hint = f"At most {NAME_LENGTH} characters that can be shown in one line."
        raise InvalidError("this is no name", where=where, hint=hint)
    return name


def checked_grants(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Order grants and drop those that others cover.

    Raises
    ------
    InvalidError
        Where a manager has no unit, a unit is no code, or there are too many.

    >>> [grant.unit for grant in checked_grants([Grant(Role.HR, "CN-BJ"), Grant(Role.HR)])]
    ['']
    """
    given = {Grant(Role(grant.role), grant.unit.strip()) for grant in grants}
    if any(grant.role is Role.MANAGER and not grant.unit for grant in given):
        raise InvalidError("a manager is one of some unit", where="unit", hint="Name the head of the subtree.")
    if any(len(grant.unit) > UNIT_LENGTH or not grant.unit.isprintable() for grant in given):
        raise InvalidError("this is no unit", where="unit", hint="Give its code, as `GET /api/v1/units` lists it.")
    if any(grant.unit and grant.role is Role.ADMIN for grant in given):
        raise InvalidError("an administrator is one for all units", where="unit", hint="Leave the unit out.")
    everywhere = {grant.role for grant in given if not grant.unit}
    kept = {grant for grant in given if not grant.unit or grant.role not in everywhere}
    if len(kept) > MAX_GRANTS:
        raise InvalidError(f"there are more than {MAX_GRANTS} grants", hint="Grant a role on a unit further up.")
    return tuple(sorted(kept, key=lambda grant: (grant.role.value, grant.unit)))


def grants_told(grants: Iterable[Grant]) -> list[str]:
    """Write grants as the audit keeps them.

    >>> grants_told([Grant(Role.HR), Grant(Role.MANAGER, "CN-BJ")])
    ['hr', 'manager:CN-BJ']
    """
    return [grant.role.value + (f":{grant.unit}" if grant.unit else "") for grant in grants]


def read_grant(text: str) -> Grant:
    """Read a grant as `grants_told` writes it.

    Raises
    ------
    InvalidError
        Where it names no role.
    """
    role, _, unit = text.partition(":")
    try:
        return checked_grants([Grant(Role(role.strip()), unit)])[0]
    except ValueError:
        hint = f"One of {', '.join(Role)}; role:UNIT for a subtree."
        raise InvalidError(f"there is no role {role!r}", where="role", hint=hint) from None
