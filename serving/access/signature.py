"""Whose name goes on record: the own one, always; the machine's key stands for nobody and must say for whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from serving.access.principal import LOCAL, acting, who
from serving.errors import DeniedError, InvalidError


def signed(given: str | None) -> str:
    """Give the name under which an act goes on record.

    Parameters
    ----------
    given : str or None
        The name that came with the request, if one did.

    Raises
    ------
    DeniedError
        Where somebody signs for another.
    InvalidError
        Where the machine's key is used without saying for whom.
    """
    principal = who()
    if principal.kind == LOCAL.kind:
        if not given:
            hint = "Send `by`, or use the key of a person or program: then it is their name."
            raise InvalidError("the machine's own key must say in whose name this is done", hint=hint)
        return given
    if given and given != principal.name:
        hint = f"Leave `by` out: it is {principal.name}."
        raise DeniedError(f"{given} cannot be signed for by {principal.name}", hint=hint)
    return principal.name


@contextmanager
def in_the_name_of(name: str) -> Iterator[None]:
    """Let all inside be done by whoever asks, under the name for the record; see `signed`."""
    with acting(replace(who(), name=name)):
        yield
