"""The application: the API, the console, and what protects them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from serving.api import alerts, health, indicators, scores, snapshots, targets, units
from serving.api.alert_desk import AlertDesk
from serving.api.description import describe
from serving.api.desk import Desk, release
from serving.auth import Gate, Sessions, check_token
from serving.console.alert_pages import alert_router
from serving.console.background import Background
from serving.console.pages import Pages, console_router, static_files
from serving.console.score_pages import score_router
from serving.errors import ErrorAnswers, handle_errors
from serving.middleware import BodyLimit, ConditionalGet, Envelope, HeadAsGet, HostGuard

if TYPE_CHECKING:
    from serving.advisor import Advisor

PREFIX = "/api/v1"
DESCRIPTION = (
    "What a region or branch can be asked to achieve, with the probability of attaining it. Suggestions assist "
    "judgement and never replace it. Errors are RFC 9457 problems; lists come in pages; GET answers carry an ETag."
)


def create_app(advisor: Advisor, *, token: str, hosts: Collection[str] = ()) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    advisor : Advisor
    token : str
        The key that callers need.
    hosts : collection of str
        Host names to answer to besides those of the settings.

    Raises
    ------
    LoadlineError
        Where the key could be guessed.
    """
    pages = Pages()
    answer = ErrorAnswers(pages.problem)
    app = FastAPI(
        title="Loadline",
        version=release(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(Envelope, answer=answer),
            Middleware(HeadAsGet),
            Middleware(HostGuard, hosts={*advisor.settings.allowed_hosts, *hosts}, answer=answer),
            Middleware(BodyLimit, answer=answer),
            Middleware(Gate, token=check_token(token), sessions=Sessions(), answer=answer),
            Middleware(ConditionalGet),
        ],
    )
    app.state.desk = Desk(advisor)
    app.state.alerts = AlertDesk(app.state.desk)
    app.state.background = Background()
    app.state.pages = pages
    app.include_router(health.router)
    for part in (units, indicators, targets, scores, alerts, snapshots):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(console_router())
    app.include_router(score_router())
    app.include_router(alert_router())
    app.mount("/static", static_files(), name="static")
    handle_errors(app, answer)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app
