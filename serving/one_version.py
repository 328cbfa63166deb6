"""What a request has once looked up stays the same until it is answered: one data version, one model of each kind."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

Found = TypeVar("Found")
_held: ContextVar[dict[Hashable, Any] | None] = ContextVar("held", default=None)


@contextmanager
def one_version() -> Iterator[None]:
    """Let all that is looked up inside be looked up once, in this thread and in those that work for it."""
    before = _held.set({})
    try:
        yield
    finally:
        _held.reset(before)


def held(key: Hashable, find: Callable[[], Found]) -> Found:
    """Give what was found under the key before, where something holds it; else look.

    >>> tries = iter(range(9))
    >>> with one_version():
    ...     held("model", lambda: next(tries)), held("model", lambda: next(tries))
    (0, 0)
    >>> held("model", lambda: next(tries))
    1
    """
    kept = _held.get()
    if kept is None:
        return find()
    if key not in kept:
        kept[key] = find()
    return kept[key]


def hold(key: Hashable, found: object) -> None:
    """Have the same given under another key, where nothing was found under it yet."""
    kept = _held.get()
    if kept is not None:
        kept.setdefault(key, found)


class OneVersion:
    """Answers each request within `one_version`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with one_version():
            await self.app(scope, receive, send)
