"""The application: the API, the console, and what protects them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from serving.api import alerts, health, indicators, models, proposals, scores, snapshots, targets, training_runs, units
from serving.api.alert_desk import AlertDesk
from serving.api.description import describe
from serving.api.desk import Desk, release
from serving.api.model_desk import ModelDesk
from serving.api.training_desk import TrainingDesk
from serving.api.watch_desk import WatchDesk
from serving.auth import Gate, Sessions, check_token
from serving.console.alert_pages import alert_router
from serving.console.background import Background
from serving.console.model_pages import model_router
from serving.console.pages import Pages, console_router, static_files
from serving.console.run_pages import run_router
from serving.console.score_pages import score_router
from serving.console.watch_pages import watch_router
from serving.errors import ErrorAnswers, handle_errors
from serving.jobs import Jobs
from serving.middleware import BodyLimit, ConditionalGet, Envelope, HeadAsGet, HostGuard
from serving.one_version import OneVersion

if TYPE_CHECKING:
    from serving.advisor import Advisor

PREFIX = "/api/v1"
DESCRIPTION = (
    "What a region or branch can be asked to achieve, with the probability of attaining it. Suggestions assist "
    "judgement and never replace it. Errors are RFC 9457 problems; lists come in pages; GET answers carry an ETag."
)


def create_app(advisor: Advisor, *, token: str, hosts: Collection[str] = (), jobs: Jobs | None = None) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    advisor : Advisor
    token : str
        The key that callers need.
    hosts : collection of str
        Host names to answer to besides those of the settings.
    jobs : Jobs, optional
        Has training runs worked on, instead of a worker on the advisor's home.

    Raises
    ------
    LoadlineError
        Where the key could be guessed.
    """
    jobs, pages = Jobs(advisor) if jobs is None else jobs, Pages()
    answer, desk = ErrorAnswers(pages.problem), Desk(advisor)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs.wake()  # what a stop has left waiting
        desk.in_service.start()
        yield
        desk.in_service.close()
        jobs.close()

    app = FastAPI(
        lifespan=lifespan,
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
            Middleware(OneVersion),
        ],
    )
    app.state.desk = desk
    app.state.alerts = AlertDesk(desk)
    app.state.training = TrainingDesk(desk, jobs)
    app.state.models = ModelDesk(desk, jobs)
    app.state.watch = WatchDesk(desk, jobs)
    app.state.background = Background()
    app.state.pages = pages
    app.include_router(health.router)
    for part in (units, indicators, targets, scores, alerts, snapshots, training_runs, models, proposals):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(console_router())
    app.include_router(score_router())
    app.include_router(alert_router())
    app.include_router(model_router())
    app.include_router(run_router())
    app.include_router(watch_router())
    app.mount("/static", static_files(), name="static")
    handle_errors(app, answer)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app
