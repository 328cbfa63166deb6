"""How far somebody's sight goes: all units, or subtrees. A unit beyond it is answered like one that does not exist."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from serving.access.principal import Grant, Principal, Role, anybody, who
from serving.access.rules import Rule
from serving.errors import NotFoundError


class Tree(Protocol):
    """What knows which units are below others."""

    def under(self, heads: frozenset[str]) -> frozenset[str]:
        """Give the units of some subtrees, their heads included; heads that do not exist have none."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """The grants that open an address to somebody, and with them the units that it may tell of.

    Attributes
    ----------
    grants : tuple of Grant
        A manager's without a unit opens nothing.
    """

    grants: tuple[Grant, ...]

    @classmethod
    def of(cls, grants: Collection[Grant]) -> Reach:
        """Make it of some grants."""
        return cls(tuple(grant for grant in grants if grant.unit or grant.role is not Role.MANAGER))

    def narrowed(self, roles: Collection[Role]) -> Reach:
        """Give how far it goes by some of the roles alone."""
        return Reach(tuple(grant for grant in self.grants if grant.role in roles))

    @property
    def roles(self) -> frozenset[Role]:
        """Give the roles that count here."""
        return frozenset(grant.role for grant in self.grants)

    @property
    def heads(self) -> frozenset[str] | None:
        """Give the heads of the subtrees; None for all units.

        >>> Reach.of([Grant(Role.MANAGER, "CN-BJ")]).heads, Reach.of([Grant(Role.HR)]).heads
        (frozenset({'CN-BJ'}), None)
        """
        units = frozenset(grant.unit for grant in self.grants)
        return None if "" in units else units

    @property
    def mark(self) -> str:
        """Give what tells it from every other: by role, since what is told of a unit depends on the role, too."""
        told = sorted(f"{grant.role.value}\x1f{grant.unit}" for grant in self.grants)
        return hashlib.sha256("\x1e".join(told).encode()).hexdigest()[:16]

    def units(self, tree: Tree) -> frozenset[str] | None:
        """Give the units within reach, in their latest places; None for all."""
        heads = self.heads
        return None if heads is None else tree.under(heads)

    def holds(self, tree: Tree, unit: str) -> bool:
        """Tell whether a unit, if it exists, is within reach."""
        units = self.units(tree)
        return units is None or unit in units

    def require(self, tree: Tree, unit: str) -> None:
        """Refuse a unit beyond reach as if there were none.

        Raises
        ------
        NotFoundError
            Where it is beyond.
        """
        if not self.holds(tree, unit):
            raise unknown_unit(unit)


def unknown_unit(code: str) -> NotFoundError:
    """Say that there is no such unit: for those beyond reach in the same words."""
    return NotFoundError(f"there is no unit {code!r}", hint="GET /api/v1/units lists the units.")


def opened(rule: Rule, principal: Principal) -> Reach | None:
    """Give how far somebody's sight goes at an address with a rule; None where it is not open to them."""
    counting = Reach.of([grant for grant in principal.grants if grant.role in rule.roles])
    grants = tuple(grant for grant in counting.grants if not (rule.whole and grant.unit))
    return Reach(grants) if grants else None


_reach: ContextVar[Reach | None] = ContextVar("reach", default=None)


@contextmanager
def reaching(found: Reach) -> Iterator[None]:
    """Let all inside see so far, in this thread and in those that work for it."""
    before = _reach.set(found)
    try:
        yield
    finally:
        _reach.reset(before)


def reach() -> Reach:
    """Give how far may be seen here: in a request by its rule, else by all that was granted.

    Raises
    ------
    LoadlineError
        Where this is done in nobody's name.
    """
    found = _reach.get()
    return Reach.of(who().grants) if found is None else found


def whose() -> str:
    """Give the mark under which to keep what is for those who see as far as may be seen here; blank for nobody."""
    return reach().mark if anybody() else ""
