"""Lets a request through to what its rule opens to the principal: one place for every address, default deny."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.principal import Principal, who
from serving.access.reach import Reach, opened, reaching
from serving.access.rules import RULES, Rule
from serving.errors import FORBIDDEN, ErrorAnswers

NOT_OPEN = "this is not open to you"
NO_RULE = "no rule says who may do this"
EVERYWHERE = Reach(())
"""Of those who are not signed in: no unit."""


@dataclass(frozen=True, slots=True)
class Address:
    """Something that the service answers.

    Attributes
    ----------
    name : str
        Key of its rule: the operation's id in the API, the name of the function for pages.
    path : str
        With its parameters in braces.
    pattern : re.Pattern
    methods : frozenset of str
        Empty for all.
    """

    name: str
    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


class Addresses:
    """The addresses of an application, found as its router finds them: the first that fits.

    Parameters
    ----------
    routes : iterable of BaseRoute
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.every = tuple(_addresses(routes))
        self._near: dict[str, list[Address]] = {}
        for address in self.every:
            self._near.setdefault(_neighbourhood(address.path), []).append(address)

    def find(self, scope: Scope) -> tuple[Address, Mapping[str, str]]:
        """Find what a request is for, and the parameters in its path.

        Raises
        ------
        HTTPException
            404 where there is nothing; 405 where there is, for other methods.
        """
        path, other = get_route_path(scope), None
        for address in self._near.get(_neighbourhood(path), ()):
            found = address.pattern.match(path)
            if found is None:
                continue
            if not address.methods or scope["method"] in address.methods:
                return address, found.groupdict()
            other = other or address
        if other is not None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(other.methods))})
        raise HTTPException(404)


class Authorise:
    """Refuses what no rule opens to who asks; puts the rule and the reach where the rest finds them.

    In the state of the request: `operation` (the rule's key), `template` (the address with its parameters in braces),
    `parameters` (of the path, as they came), `rule`, `reach`. What is not an address never reaches the router: an
    address that this does not know is not answered.

    Parameters
    ----------
    app : ASGIApp
    answer : ErrorAnswers
    rules : Mapping
    """

    def __init__(self, app: ASGIApp, *, answer: ErrorAnswers, rules: Mapping[str, Rule] = RULES) -> None:
        self.app = app
        self.answer = answer
        self.rules = rules
        self._addresses: Addresses | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._addresses is None:
            self._addresses = Addresses(scope["app"].routes)
        state = scope.setdefault("state", {})
        try:
            address, parameters = self._addresses.find(scope)
        except HTTPException as error:
            await self.answer.of_http(scope, error)(scope, receive, send)
            return
        rule = self.rules.get(address.name)
        state.update(operation=address.name, template=address.path, parameters=parameters, rule=rule)
        found = None if rule is None else EVERYWHERE if rule.anybody else opened(rule, who())
        if found is None:
            response = self.answer(
                scope, FORBIDDEN, detail=NO_RULE if rule is None else NOT_OPEN, hint=_open_to(rule, who())
            )
            await response(scope, receive, send)
            return
        state["reach"] = found
        with reaching(found):
            await self.app(scope, receive, send)


def may(name: str) -> bool:
    """Tell whether an address is open to who asks; the key is that of its rule."""
    rule = RULES.get(name)
    return rule is not None and (rule.anybody or opened(rule, who()) is not None)


def _open_to(rule: Rule | None, principal: Principal) -> str:
    if rule is None:
        return "Tell whoever runs the service."
    if rule.whole and rule.roles & principal.roles:
        return "Your role is for a part of the units, and this is about all of them."
    return f"It is open to: {', '.join(sorted(role.value for role in rule.roles))}."


def _addresses(routes: Iterable[BaseRoute]) -> Iterable[Address]:
    listed: list[Any] = list(routes)
    if any(type(route) is not Route for route in listed):
        from fastapi.routing import iter_route_contexts  # weighs much; small processes have plain routes alone

        listed = list(iter_route_contexts(listed))
    for route in listed:
        path = route.path or ""
        assert "{" not in _neighbourhood(path), f"{path}: a parameter comes too early to tell addresses apart"
        name = getattr(route, "operation_id", None) or route.name or ""
        yield Address(name, path, route.path_regex, frozenset(route.methods or ()))


def _neighbourhood(path: str) -> str:
    """Give the part of a path that has no parameter in any address: two segments more below the API."""
    parts = path.split("/", 4)
    return "/".join(parts[:4] if parts[1:2] == ["api"] else parts[:2])
