"""Who is asking, and what was granted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from features.errors import LoadlineError


class Role(StrEnum):
    """What a person or program is there for."""

    HR = "hr"
    RISK = "risk"
    MANAGER = "manager"
    DATA_SCIENTIST = "data_scientist"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, for all units or for a unit and those below it.

    Attributes
    ----------
    role : Role
    unit : str
        Head of the subtree; blank for all units. A manager always has one.
    """

    role: Role
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, a program with a key, or whoever runs the machine.

    Attributes
    ----------
    id : str
        Of the person or key; `local` for the machine's own key.
    name : str
        As the audit and the events of plans name them.
    kind : {"person", "key", "local"}
    grants : tuple of Grant
    session : str
        Digest of the session; blank where a key was sent.
    csrf : str
        What the forms of the session must carry; blank where a key was sent.
    """

    id: str
    name: str
    kind: Literal["person", "key", "local"]
    grants: tuple[Grant, ...]
    session: str = ""
    csrf: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        """Give the roles held, wherever."""
        return frozenset(grant.role for grant in self.grants)

    def heads(self, roles: Collection[Role]) -> frozenset[str] | None:
        """Give the heads of the subtrees in which one of the roles is held; None for all units.

        >>> Principal("1", "Li", "person", (Grant(Role.MANAGER, "CN-BJ"),)).heads({Role.MANAGER, Role.HR})
        frozenset({'CN-BJ'})
        """
        units = frozenset(grant.unit for grant in self.grants if grant.role in roles)
        return None if "" in units else units


LOCAL = Principal("local", "local", "local", tuple(Grant(role) for role in Role if role is not Role.MANAGER))
"""Whoever runs the machine: holds the key that `loadline serve` prints, or types at its command line."""

_acting: ContextVar[Principal | None] = ContextVar("acting", default=None)


@contextmanager
def acting(principal: Principal) -> Iterator[None]:
    """Let all inside be done in somebody's name, in this thread and in those that work for it."""
    before = _acting.set(principal)
    try:
        yield
    finally:
        _acting.reset(before)


def anybody() -> bool:
    """Tell whether this is being done in somebody's name."""
    return _acting.get() is not None


def who() -> Principal:
    """Give in whose name this is being done.

    Raises
    ------
    LoadlineError
        Where it is in nobody's: then nothing is allowed.
    """
    found = _acting.get()
    if found is None:
        raise LoadlineError("nobody is signed in", hint="This is a fault of the program: nothing was done.")
    return found
