"""What the audit knows of the request that is being answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Noting:
    """A request, as far as the audit is concerned; one object for all threads that answer it.

    Attributes
    ----------
    request : str
        Its id.
    dataset : str
        What it is about, once somebody has found that out; blank before.
    written : bool
        A use case has noted, within its own transaction, what it changed.
    """

    request: str
    dataset: str = ""
    written: bool = False


_noting: ContextVar[Noting | None] = ContextVar("noting", default=None)


@contextmanager
def noting(request: str) -> Iterator[Noting]:
    """Let what is noted inside belong to a request; within one, it is that one."""
    within = _noting.get()
    if within is not None:
        yield within
        return
    made = Noting(request)
    before = _noting.set(made)
    try:
        yield made
    finally:
        _noting.reset(before)


def noted_request() -> Noting | None:
    """Give the request that is being answered; None at the command line."""
    return _noting.get()


def note_dataset(name: str) -> None:
    """Say which dataset the request turned out to be about."""
    noted = _noting.get()
    if noted is not None:
        noted.dataset = name
