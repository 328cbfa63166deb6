"""The page of the watch over models: each check beside its limits, and the proposals to train again."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from features.errors import LoadlineError
from serving.api.watch_desk import WatchDesk, watch_of
from serving.console.alert_pages import Behind
from serving.console.model_chart import Gauge, draw_gauge
from serving.console.model_rows import figure_text
from serving.console.pages import AGAIN_SECONDS, Dataset, TheDesk, ThePages, stored_directory
from serving.watch_schemas import WatchFinding, WatchProposal

CLOSED_SHOWN = 20
"""Decided proposals on the page, the newest."""
STATE_WORDS: dict[str, Literal["ok", "breach", "little"]] = {
    "ok": "ok",
    "breach": "breach",
    "too little data": "little",
}
"""States of findings as the wording has them."""

TheWatch = Annotated[WatchDesk, Depends(watch_of)]


def watch_router() -> APIRouter:
    """Give the routes of the watch page."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/watch", watch_page, methods=["GET"])
    return router


def watch_page(
    request: Request, desk: TheDesk, pages: ThePages, watch: TheWatch, background: Behind, dataset: Dataset = None
) -> Response:
    """Show every check of the models of a dataset, and what it proposes."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    name = directory.snapshot.about.dataset
    trouble, look = None, None
    try:
        look = background.soon(("watch", *directory.identity), lambda: watch.look(dataset=name))
    except LoadlineError as error:
        trouble = error
    proposals = watch.proposals(dataset=name)
    response = pages.show(
        request.scope,
        "watch.html",
        directory=directory,
        look=look,
        trouble=trouble,
        waiting=look is None and trouble is None,
        seconds=AGAIN_SECONDS,
        findings=[] if look is None else [_row(finding) for finding in look.findings],
        standing=[(proposal, _ways(proposal)) for proposal in proposals if proposal.state == "open"],
        closed=[proposal for proposal in proposals if proposal.state != "open"][:CLOSED_SHOWN],
    )
    if look is None and trouble is None:
        response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response


def _row(finding: WatchFinding) -> dict[str, object]:
    interval = (finding.interval[0], finding.interval[1]) if finding.interval else None
    gauge: Gauge | None = draw_gauge(finding.measured, finding.threshold, interval)
    return {
        "finding": finding,
        "kind": finding.check.partition(".")[0],
        "word": STATE_WORDS[finding.state],
        "measured": figure_text(finding.measured),
        "limits": [figure_text(limit) for limit in finding.threshold],
        "gauge": gauge,
    }


def _ways(proposal: WatchProposal) -> tuple[tuple[str, ...], str]:
    """Give the commands and the request that decide a proposal."""
    commands = tuple(
        f"loadline proposals {act} {proposal.proposal} --by NAME --reason TEXT" for act in ("accept", "dismiss")
    )
    body = json.dumps({"by": "NAME", "reason": "TEXT"})
    return commands, f"POST /api/v1/proposals/{proposal.proposal}/accept\n{body}"
