"""The application asked in the name of whoever a test likes: behind the real gate, before the rules."""

from __future__ import annotations

from serving_home import ADDRESS, BEARER, TOKEN
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from serving.access.authorise import Authorise
from serving.access.principal import Grant, Principal, Role, acting
from serving.app import create_app

AS = b"x-acting-as"


class ActingAs:
    """Does a request in the name of one of `people`, whom a header names; without it as the gate has it."""

    def __init__(self, app, *, people: dict[str, Principal]) -> None:
        self.app, self.people = app, people

    async def __call__(self, scope, receive, send) -> None:
        named = dict(scope.get("headers", ())).get(AS)
        if named is None:
            await self.app(scope, receive, send)
            return
        with acting(self.people[named.decode()]):
            await self.app(scope, receive, send)


class People:
    """An application and those who ask it."""

    def __init__(self, advisor) -> None:
        self.app = create_app(advisor, token=TOKEN)
        self.app.state.background.patience = 300.0
        self.people: dict[str, Principal] = {}
        rules = next(place for place, one in enumerate(self.app.user_middleware) if one.cls is Authorise)
        self.app.user_middleware.insert(rules, Middleware(ActingAs, people=self.people))

    def client(self, *grants: Grant, html: bool = False) -> TestClient:
        """Give the client of somebody with grants."""
        name = str(len(self.people))
        self.people[name] = Principal(f"p{name}", f"Person {name}", "person", grants)
        return TestClient(
            self.app,
            base_url=ADDRESS,
            raise_server_exceptions=False,
            follow_redirects=False,
            headers={**BEARER, AS.decode(): name} | ({"Accept": "text/html"} if html else {}),
        )

    def manager(self, *units: str, html: bool = False) -> TestClient:
        """Give the client of a manager of units."""
        return self.client(*(Grant(Role.MANAGER, unit) for unit in units), html=html)
