"""The application: the API, the console, and what protects them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from serving.access.authorise import Authorise
from serving.access_log import Observed
from serving.api import (
    alerts,
    appeals,
    audit_events,
    health,
    in_year,
    indicators,
    keys,
    me,
    models,
    observations,
    people,
    plan_lines,
    plan_papers,
    policies,
    predictions,
    proposals,
    scores,
    simulations,
    snapshots,
    target_plans,
    targets,
    training_runs,
    units,
    webhooks,
)
from serving.api.alert_desk import AlertDesk
from serving.api.description import describe
from serving.api.desk import Desk, release
from serving.api.model_desk import ModelDesk
from serving.api.service_gauges import ServiceGauges
from serving.api.training_desk import TrainingDesk
from serving.api.waiting_room import WaitingRoom
from serving.api.watch_desk import WatchDesk
from serving.asked_model import AskedModels
from serving.audit.middleware import Audited, AuditedDoor
from serving.auth import Gate, check_token
from serving.console.account_pages import account_router
from serving.console.alert_forms import alert_form_router
from serving.console.alert_pages import alert_router
from serving.console.appeal_pages import appeal_router
from serving.console.audit_pages import audit_router
from serving.console.background import Background
from serving.console.model_pages import model_router
from serving.console.pages import Pages, console_router, static_files
from serving.console.plan_pages import plan_router
from serving.console.plan_summaries import PlanSummaries
from serving.console.run_pages import run_router
from serving.console.score_pages import score_router
from serving.console.watch_pages import watch_router
from serving.draining import Draining
from serving.errors import ErrorAnswers, handle_errors
from serving.idempotency import Idempotent
from serving.identity.entrance import Entrance
from serving.jobs import Jobs
from serving.kept_answers import KeptAnswers
from serving.limits import JsonOnly, PerPrincipal, PerStranger, TimeLimit, TokenBuckets
from serving.metrics import Metrics, Scrape, checked
from serving.middleware import BodyLimit, ConditionalGet, Envelope, HeadAsGet, HostGuard
from serving.one_version import OneVersion
from serving.simulation_jobs import SimulationJobs
from serving.webhooks.courier import Courier

if TYPE_CHECKING:
    from serving.advisor import Advisor

PREFIX = "/api/v1"
DESCRIPTION = (
    "What a region or branch can be asked to achieve, with the probability of attaining it. Suggestions assist "
    "judgement and never replace it. Errors are RFC 9457 problems; lists come in pages; GET answers carry an ETag."
)


def create_app(
    advisor: Advisor,
    *,
    token: str,
    hosts: Collection[str] = (),
    jobs: Jobs | None = None,
    draining: Draining | None = None,
    publish: bool = False,
) -> FastAPI:
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
    draining : Draining, optional
        Tells that the process has been told to stop.
    publish : bool
        Tell small processes in front what they may answer; see `serving.hot`.

    Raises
    ------
    LoadlineError
        Where the key could be guessed.
    """
    jobs, pages = Jobs(advisor) if jobs is None else jobs, Pages()
    answer, desk = ErrorAnswers(pages.problem), Desk(advisor)
    if publish:
        desk.in_service.publish()
    settings, draining = advisor.settings, Draining() if draining is None else draining
    metrics = Metrics(also=(ServiceGauges(desk),))
    kept = KeptAnswers(advisor.database, advisor.now, keep=timedelta(hours=settings.idempotency_hours))
    identity = advisor.identity.with_local_key(check_token(token))
    pages.provider = identity.provider is not None
    entrance = Entrance(identity, token=token, answer=answer, draw=pages.plain)
    courier = Courier(advisor)
    waiting, simulation_jobs = WaitingRoom("in-year"), SimulationJobs(advisor)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs.wake()  # what a stop has left waiting
        simulation_jobs.wake()
        desk.in_service.start()
        advisor.audit.start()
        courier.start()
        yield
        courier.close()
        advisor.audit.close()
        desk.in_service.close()
        simulation_jobs.close()
        waiting.close()
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
            Middleware(Observed, metrics=metrics),
            Middleware(Envelope, answer=answer, draining=draining),
            Middleware(HeadAsGet),
            Middleware(HostGuard, hosts={*advisor.settings.allowed_hosts, *hosts}, answer=answer),
            Middleware(TimeLimit, seconds=settings.request_seconds, answer=answer),
            Middleware(BodyLimit, answer=answer),
            Middleware(Scrape, metrics=metrics, token=checked(settings.metrics_token)),
            Middleware(PerStranger, buckets=TokenBuckets(settings.rate, settings.rate_burst), answer=answer),
            Middleware(AuditedDoor, audit=advisor.audit, answer=answer),
            Middleware(Gate, token=token, identity=identity, answer=answer, entrance=entrance),
            Middleware(PerPrincipal, buckets=TokenBuckets(settings.rate, settings.rate_burst), answer=answer),
            Middleware(Authorise, answer=answer),
            Middleware(Audited, audit=advisor.audit, answer=answer),
            Middleware(JsonOnly, answer=answer),
            Middleware(Idempotent, answers=kept, answer=answer),
            Middleware(ConditionalGet),
            Middleware(OneVersion),
        ],
    )
    app.state.desk = desk
    app.state.draining, app.state.metrics = draining, metrics
    app.state.alerts = AlertDesk(desk)
    app.state.training = TrainingDesk(desk, jobs)
    app.state.models = ModelDesk(desk, jobs)
    app.state.watch = WatchDesk(desk, jobs)
    app.state.waiting, app.state.simulation_jobs = waiting, simulation_jobs
    app.state.background = Background()
    app.state.plan_summaries = PlanSummaries(advisor.plans)
    app.state.pages = pages
    app.state.identity = identity
    app.state.asked_models = AskedModels(desk)
    app.include_router(health.router)
    for part in (units, indicators, targets, scores, alerts, snapshots, training_runs, models, proposals, webhooks):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(audit_events.router, prefix=PREFIX)
    app.include_router(console_router())
    app.include_router(score_router())
    app.include_router(alert_router())
    app.include_router(alert_form_router())
    app.include_router(model_router())
    app.include_router(run_router())
    app.include_router(watch_router())
    app.include_router(account_router())
    for part in (me, people, keys):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(audit_router())
    app.include_router(appeal_router())
    app.include_router(plan_router())
    app.include_router(predictions.router, prefix=PREFIX)
    for part in (plan_papers, target_plans, plan_lines):
        app.include_router(part.router, prefix=PREFIX)
    for part in (appeals, in_year, observations, policies, simulations):
        app.include_router(part.router, prefix=PREFIX)
    app.mount("/static", static_files(), name="static")
    handle_errors(app, answer)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app
