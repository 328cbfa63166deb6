"""The small application: answers what it has at hand, behind the guards of the whole one, and hands on the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.authorise import Authorise
from serving.access.reach import reach, unknown_unit
from serving.access_log import Observed
from serving.audit.middleware import Audited, AuditedDoor
from serving.audit.trail import Audit
from serving.auth import Gate
from serving.draining import Draining
from serving.errors import ErrorAnswers, Problem
from serving.hot.predicting import ANSWERS, is_quick, question_in
from serving.hot.served import Asked, Watch
from serving.hot.sheet import Sheet
from serving.identity.identity import Identity
from serving.limits import JsonOnly, PerPrincipal, PerStranger, TimeLimit, TokenBuckets
from serving.metrics import Metrics
from serving.middleware import BodyLimit, ConditionalGet, Envelope, HeadAsGet, HostGuard
from serving.settings import Settings

TARGETS = "/api/v1/targets/"
PREDICT, EXPLAIN = "/api/v1/predictions", "/api/v1/predictions/explanation"
HOT = "hot"
"""In the scope of a request: what answers it."""
_KEYED = b"idempotency-key"


@dataclass(frozen=True, slots=True)
class Page:
    """What was said of a unit beforehand."""

    sheet: Sheet
    unit: str
    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A model that rows are put to."""

    asked: Asked
    explain: bool


def at_hand(scope: Scope, watch: Watch) -> Page | Rows | None:
    """Find what answers a request here; None for all that is left to the whole application.

    It finds only what is answered: that there is no such unit or model is for the whole application to say, and so is
    whatever has changed since.
    """
    path, method, now = scope["path"], scope["method"], watch.now
    if method in ("GET", "HEAD") and path.startswith(TARGETS):
        query = _query(scope, ("dataset", "year"))
        sheet = None if query is None else now.sheets.get(query.get("dataset", now.dataset))
        if query is None or sheet is None or query.get("year", str(sheet.index.year)) != str(sheet.index.year):
            return None
        return _page(sheet, path[len(TARGETS) :], watch)
    if method == "POST" and path in (PREDICT, EXPLAIN):
        query = _query(scope, ("dataset",))
        if query is None or any(name == _KEYED for name, _ in scope["headers"]):
            return None
        asked = now.models.get(query.get("dataset", now.dataset))
        return None if asked is None else Rows(asked, path == EXPLAIN)
    return None


def _query(scope: Scope, known: Sequence[str]) -> dict[str, str] | None:
    """Read the query; None where it has anything but these parameters, each once."""
    if not scope["query_string"]:
        return {}
    try:
        pairs = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) and set(found) <= set(known) else None


def _page(sheet: Sheet, unit: str, watch: Watch) -> Page | None:
    try:
        found = sheet.answer(unit)
    except (LoadlineError, OSError):
        watch.leave(sheet)
        return None
    return None if found is None else Page(sheet, unit, *found)


class Answering:
    """Answers from what is at hand; stands behind all guards."""

    def __init__(self, answer: ErrorAnswers) -> None:
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found: Page | Rows = scope[HOT]
        try:
            response = _told(found) if isinstance(found, Page) else await self._predicted(found, scope, receive)
        except LoadlineError as error:
            response = self.answer.of(scope, error)
        await response(scope, receive, send)

    async def _predicted(self, found: Rows, scope: Scope, receive: Receive) -> Response:
        question = question_in(await Request(scope, receive).body())
        if is_quick(question, explain=found.explain):
            content = ANSWERS[found.explain](question, found.asked)
        else:
            content = await run_in_threadpool(ANSWERS[found.explain], question, found.asked)
        return Response(content, media_type="application/json")


def _told(page: Page) -> Response:
    seen = reach()
    if not page.sheet.within(page.unit, seen.heads):
        raise unknown_unit(page.unit)
    tag = page.tag if seen.heads is None else f'{page.tag[:-1]}-{seen.mark}"'
    return Response(page.content, media_type="application/json", headers={"ETag": tag})


class Front:
    """The application of a small process.

    Parameters
    ----------
    settings : Settings
    hosts : collection of str
        Host names to answer to besides those of the settings.
    token : str
        The machine's own key.
    identity : Identity
    audit : Audit
    watch : Watch
    hand_on : ASGIApp
        Where all else goes.
    answer : ErrorAnswers
    draining : Draining
    among : int
        Processes that share the load.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        hosts: Collection[str],
        token: str,
        identity: Identity,
        audit: Audit,
        watch: Watch,
        hand_on: ASGIApp,
        answer: ErrorAnswers,
        draining: Draining,
        among: int = 1,
    ) -> None:
        self._watch, self._audit, self._hand_on = watch, audit, hand_on
        self._addresses = _Addresses()

        def buckets() -> TokenBuckets:
            return TokenBuckets(settings.rate, settings.rate_burst, among=among)

        guards = [
            Middleware(Observed, metrics=Metrics()),
            Middleware(Envelope, answer=answer, draining=draining),
            Middleware(HeadAsGet),
            Middleware(HostGuard, hosts={*settings.allowed_hosts, *hosts}, answer=answer),
            Middleware(TimeLimit, seconds=settings.request_seconds, answer=answer),
            Middleware(BodyLimit, answer=answer),
            Middleware(PerStranger, buckets=buckets(), answer=answer),
            Middleware(AuditedDoor, audit=audit, answer=answer),
            Middleware(Gate, token=token, identity=identity, answer=answer),
            Middleware(PerPrincipal, buckets=buckets(), answer=answer),
            Middleware(Authorise, answer=answer),
            Middleware(Audited, audit=audit, answer=answer),
            Middleware(JsonOnly, answer=answer),
            Middleware(ConditionalGet),
        ]
        guarded: ASGIApp = Answering(answer)
        for guard in reversed(guards):
            guarded = guard.cls(guarded, *guard.args, **guard.kwargs)
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        found = at_hand(scope, self._watch) if scope["type"] == "http" else None
        if found is None:
            await self._hand_on(scope, receive, send)
        else:
            await self._guarded({**scope, HOT: found, "app": self._addresses}, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._watch.start()
                self._audit.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                self._watch.close()
                self._audit.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


class _Addresses:
    """What `Authorise` looks addresses up in; they are those of the whole application, with the same names."""

    routes: Sequence[BaseRoute] = (
        Route(TARGETS + "{unit:path}", PlainTextResponse, name="get_targets", methods=["GET"]),
        Route(PREDICT, PlainTextResponse, name="predict", methods=["POST"]),
        Route(EXPLAIN, PlainTextResponse, name="explain_predictions", methods=["POST"]),
    )


def no_page(_: Scope, problem: Problem) -> Response:
    """Draw a problem for a person: nothing here is looked at by any but programs."""
    return PlainTextResponse(f"{problem.title}: {problem.detail}", status_code=problem.status)


def parts_of(settings: Settings, clock: Callable[[], datetime], token: str) -> tuple[Identity, Audit]:
    """Give what knows people and keys, and what notes what was seen."""
    from serving.audit.trail import FOLDER
    from serving.database.connection import Database

    database = Database.of(settings)
    audit = Audit(database, settings.home / FOLDER, clock=clock)
    return Identity(database, settings, clock=clock, trail=audit, local_key=token), audit
