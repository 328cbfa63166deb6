"""Operations of the API, declared by the signature of a method: what it takes is sent, what it gives is read.

A parameter that the path names goes there; a pydantic model is the body, `content` the body as it is, `if_match` the
header; anything else goes into the query, None left out. So a method cannot differ from what is sent, and a test holds
all of them against the OpenAPI document.
"""

from __future__ import annotations

import functools
import inspect
import os
import random
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from features.errors import LoadlineError
from serving.client.connection import Connection, Question, new_key
from serving.client.problems import NOT_OURS, ProblemError, UnreadableError
from serving.schemas import Page

EDITS = 20
"""Tries of an edit: when so many others were quicker each time, it is no accident any more."""
LONGEST_PAUSE = 0.25
"""Seconds, at random, before an edit is tried again: whoever was quicker is done by then."""
STALE = 412
_NAMES = re.compile(r"{(\w+)}")

Args = ParamSpec("Args")
Given = TypeVar("Given", covariant=True)
Changed = TypeVar("Changed")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Tagged(Generic[Given]):
    """An answer, and the ETag that a change of it names in `if_match`."""

    answer: Given
    tag: str


class Area:
    """Some operations of one service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class Operation(Generic[Args, Given]):
    """An operation as a method declares it; see `operation`."""

    def __init__(
        self, declared: Callable[..., Given], *, name: str, method: str, path: str, also: Collection[int] = ()
    ) -> None:
        self.declared, self.__doc__ = declared, declared.__doc__
        self.name, self.method, self.path, self.also = name, method, path, frozenset(also)
        self.signature = inspect.signature(declared)

    def __get__(self, area: Area, owner: type[Area]) -> Asking[Args, Given]:
        return Asking(self, area)

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The types of parameters and, under `return`, of the answer."""
        return get_type_hints(self.declared)

    def question(self, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, key: str | None) -> Question:
        """Write the request of a call."""
        bound = self.signature.bind(connection, *args, **kwargs)
        in_path, query, body, content, if_match = {}, [], None, None, None
        for name, value in list(bound.arguments.items())[1:]:
            if f"{{{name}}}" in self.path:
                in_path[name] = _segment(name, value)
            elif isinstance(value, BaseModel):
                body = value
            elif name == "content":
                content = value
            elif name == "if_match":
                if_match = value
            elif value is not None:
                several = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
                query += [(name.rstrip("_"), _text(one)) for one in several]
        kind = "application/json" if body is not None else "application/octet-stream"
        return Question(
            method=self.method,
            path=_NAMES.sub(lambda found: in_path[found[1]], self.path),
            query=tuple(query),
            body=content if body is None else body.model_dump_json(by_alias=True, exclude_unset=True).encode(),
            content_type=kind,
            if_match=if_match,
            key=key if self.method == "POST" else None,
            also=self.also,
        )

    def read(self, response: httpx2.Response) -> Any:
        """Read an answer.

        Raises
        ------
        UnreadableError
            Where it is not what the service answers.
        """
        content, wanted = response.read(), self.hints["return"]
        if wanted is bytes:
            return content
        if wanted is str:
            return content.decode(errors="replace")
        try:
            return wanted.model_validate_json(content, extra="ignore")  # a newer service may tell more
        except ValidationError as error:
            what = f"the answer is no {wanted.__name__}: {error.error_count()} places do not fit"
            raise UnreadableError(what, where=f"{self.method} {response.request.url.path}", hint=NOT_OURS) from None


class Asking(Generic[Args, Given]):
    """An operation of one service: called, it gives the answer; its methods ask in other ways."""

    def __init__(self, operation: Operation[Args, Given], area: Area) -> None:
        self._operation, self._connection = operation, area._connection
        self.__doc__, self.__name__, self.__signature__ = operation.__doc__, operation.name, operation.signature

    def __repr__(self) -> str:
        return f"<{self._operation.name} of {self._connection.address}>"

    def __call__(self, *args: Args.args, **kwargs: Args.kwargs) -> Given:
        """Ask.

        Raises
        ------
        ProblemError
            Where the service refused or failed.
        UnreachableError
            Where nobody answered in time.
        """
        return self._asked(args, kwargs, self._operation.read)

    def tagged(self, *args: Args.args, **kwargs: Args.kwargs) -> Tagged[Given]:
        """Ask, and give the ETag too."""
        read = self._operation.read
        return self._asked(args, kwargs, lambda got: Tagged(read(got), got.headers.get("etag", "")))

    def once(self, key: str, *args: Args.args, **kwargs: Args.kwargs) -> Given:
        """Ask for something under an Idempotency-Key of one's own, so that a program started again does it once.

        Parameters
        ----------
        key : str
            At most 200 visible ASCII characters; holds for a day.

        Raises
        ------
        LoadlineError
            Where the operation takes no such key.
        """
        if self._operation.method != "POST":
            what = f"{self._operation.name} takes no Idempotency-Key"
            raise LoadlineError(what, hint="Only what is posted does; a change has `if_match`.")
        return self._asked(args, kwargs, self._operation.read, key=key)

    def every(self: Asking[Args, Page[Item]], *args: Args.args, **kwargs: Args.kwargs) -> Iterator[Item]:
        """Go through all pages of a list, asking for each when it is come to."""
        while True:
            page = self._asked(args, kwargs, self._operation.read)
            yield from page.items
            if page.next_cursor is None:
                return
            kwargs["cursor"] = page.next_cursor

    def save(self: Asking[Args, bytes | str], path: Path | str, *args: Args.args, **kwargs: Args.kwargs) -> Path:
        """Write an answer to a file while it comes in: the whole of it, in the place of what was there, or nothing."""
        path = Path(path)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "wb") as file:

                def write(response: httpx2.Response) -> None:
                    file.seek(0)
                    file.truncate()
                    for part in response.iter_bytes():
                        file.write(part)

                self._asked(args, kwargs, write)
            os.replace(beside, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(beside)
            raise
        return path

    def edit(self, change: Callable[[Given, str], Changed], /, *args: Args.args, **kwargs: Args.kwargs) -> Changed:
        """Look something up, change it, and do both again where somebody else was quicker.

        Parameters
        ----------
        change : callable
            Gets what was found and its ETag, asks for the change with it as `if_match`, and gives the answer.

        Raises
        ------
        ProblemError
            Where the change is refused, or others were quicker `EDITS` times.
        """
        for left in reversed(range(EDITS)):
            seen = self.tagged(*args, **kwargs)
            try:
                return change(seen.answer, seen.tag)
            except ProblemError as error:
                if error.status != STALE or not left:
                    raise
            self._connection.wait(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - spreads callers, keeps no secret
        raise AssertionError("the last try ends it")

    def _asked(self, args: Any, kwargs: Any, take: Callable[[httpx2.Response], Any], *, key: str | None = None) -> Any:
        question = self._operation.question(self, args, kwargs, key=new_key() if key is None else key)
        return self._connection.ask(question, take)


def operation(
    name: str, request: str, *, also: Collection[int] = ()
) -> Callable[[Callable[Concatenate[Any, Args], Given]], Operation[Args, Given]]:
    """Make a method, which has a signature and a docstring alone, ask for an operation.

    Parameters
    ----------
    name : str
        The operation's id in the OpenAPI document.
    request : str
        Method and path, such as `GET /api/v1/units/{unit}`.
    also : collection of int
        Statuses beyond 2xx that bring the answer too.
    """
    method, path = request.split(" ")
    return lambda declared: Operation(declared, name=name, method=method, path=path, also=also)


def _segment(name: str, value: Any) -> str:
    """Write a part of a path, which stays one part whatever is in it."""
    text = quote(str(value), safe="")
    if not text:
        raise LoadlineError(f"`{name}` is blank")
    return text.replace(".", "%2E") if text in (".", "..") else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
