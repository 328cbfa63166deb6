"""The watch over models: what it finds, and the proposals to train again, which a person decides."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from serving.api.desk import entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.units import DatasetName
from serving.api.watch_desk import WatchDesk, watch_of
from serving.errors import InvalidError
from serving.watch_schemas import ProposalDecision, ProposalPage, ProposalState, WatchLook, WatchProposal

router = APIRouter(tags=["watch"])

ProposalName = Annotated[str, Path(max_length=40, description="What the proposal is called.", examples=["P-0001"])]
TheWatch = Annotated[WatchDesk, Depends(watch_of)]


@router.get("/monitoring", summary="Look at the models that serve", operation_id="get_monitoring")
def get_monitoring(response: Response, watch: TheWatch, dataset: DatasetName = None) -> WatchLook:
    """Give every check of the models of a dataset; made once for the same data, models and reviews.

    A breach opens a proposal. Nothing is trained before a person accepts it.
    """
    answer = watch.look(dataset=dataset)
    response.headers["ETag"] = entity_tag("monitoring", answer.model_dump_json())
    return answer


@router.get("/proposals", summary="List the proposals to train again", operation_id="list_proposals")
def list_proposals(
    response: Response,
    watch: TheWatch,
    state: Annotated[ProposalState | None, Query(description="Only those that stand so.", examples=["open"])] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> ProposalPage:
    """List what the watch has proposed, the newest first, with what was decided."""
    found = watch.proposals(dataset=dataset, state=state)
    begin, after = 0, read_cursor(cursor)
    if after is not None:
        names = [proposal.proposal for proposal in found]
        if after not in names:
            raise InvalidError("the list has changed since the page before", hint="Begin again without `cursor`.")
        begin = names.index(after) + 1
    shown = found[begin : begin + limit]
    answer = ProposalPage(
        items=shown,
        total=len(found),
        next_cursor=write_cursor(shown[-1].proposal if begin + limit < len(found) else None),
    )
    response.headers["ETag"] = entity_tag("proposals", answer.model_dump_json())
    return answer


@router.get("/proposals/{name}", summary="Look a proposal up", operation_id="get_proposal")
def get_proposal(response: Response, name: ProposalName, watch: TheWatch) -> WatchProposal:
    """Give a proposal with what was found and its record."""
    answer = watch.find(name)
    response.headers["ETag"] = entity_tag("proposal", answer.model_dump_json())
    return answer


@router.post("/proposals/{name}/accept", summary="Accept a proposal", operation_id="accept_proposal")
def accept_proposal(decision: ProposalDecision, name: ProposalName, watch: TheWatch) -> WatchProposal:
    """Ask for the training that is proposed: `run` names it. It has gates of its own. Accepting twice is one run."""
    return watch.accept(name, decision)


@router.post("/proposals/{name}/dismiss", summary="Dismiss a proposal", operation_id="dismiss_proposal")
def dismiss_proposal(decision: ProposalDecision, name: ProposalName, watch: TheWatch) -> WatchProposal:
    """Leave the model as it is. The same figures do not open the proposal again."""
    return watch.dismiss(name, decision)
