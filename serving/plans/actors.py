"""Who acts on a plan, and whether two acts are one person's."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from features.errors import LoadlineError
from serving.access.principal import LOCAL, who
from serving.errors import DeniedError


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Attributes
    ----------
    name : str
        As the events show it.
    id : str
        Tells a person or key from all others of that name; whoever runs the machine is known by name alone.
    """

    name: str
    id: str

    def is_same(self, other: Actor) -> bool:
        """Tell whether this may be the same person: the same account, or the same name given at the machine itself.

        >>> one, another = Actor("Li", "person:1"), Actor("Li", "person:2")
        >>> one.is_same(another), one.is_same(local_actor("LI "))
        (False, True)
        """
        named = f"{LOCAL.kind}:"
        by_name = self.id.startswith(named) or other.id.startswith(named)
        return self.id == other.id or (by_name and _plain(self.name) == _plain(other.name))


def local_actor(name: str) -> Actor:
    """Give whoever runs the machine, under a name."""
    return Actor(name, f"{LOCAL.kind}:{_plain(name)}")


def acting_now() -> Actor:
    """Give in whose name this is being done.

    Raises
    ------
    LoadlineError
        Where it is in nobody's.
    """
    principal = who()
    if not principal.name.strip():
        raise LoadlineError("it is not said in whose name this is done", where="--by", hint="Give a name.")
    if principal.kind == LOCAL.kind:
        return local_actor(principal.name)
    return Actor(principal.name, f"{principal.kind}:{principal.id}")


def required_person(what: str) -> None:
    """Refuse the key of a program where a person is to stand for something.

    A key is made by a person, who could otherwise approve the own work with it.

    Raises
    ------
    DeniedError
        Where a program asks.
    """
    if who().kind == "key":
        raise DeniedError(f"a program cannot {what}", hint="A person signs in and does it.")


def _plain(name: str) -> str:
    """Write a name so that spacing, width and case make no two people of one."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
