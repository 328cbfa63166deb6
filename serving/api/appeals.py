"""Appeals: a figure is frozen as it was told, reproduced bit for bit, and decided on by somebody else."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, status
from starlette.responses import Response

from features.errors import LoadlineError
from serving.access.reach import reach
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit
from serving.api.revisions import IfMatch, asked_revision, revision_tag
from serving.api.time_cursor import read_time_cursor, write_time_cursor
from serving.api.units import DatasetName
from serving.appeal_schemas import (
    Appeal,
    AppealAnswerAsked,
    AppealAsked,
    AppealDetail,
    AppealEvent,
    AppealEvents,
    AppealPage,
    AppealRaised,
    AppealState,
    FrozenRecord,
    Reproduction,
    ReproductionAsked,
    ReviewAsked,
)
from serving.appeals import appeals as use_cases
from serving.appeals.frozen import Frozen
from serving.appeals.ledger import Appeal as Found
from serving.errors import InvalidError, NotFoundError
from serving.explaining import NoScoreError
from serving.idempotency import request_key
from serving.schemas import UnitName

router = APIRouter(tags=["appeals"])

AppealName = Annotated[
    str,
    Path(
        max_length=32,
        pattern="^[0-9a-f]{1,32}$",
        description="The appeal's id.",
        examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"],
    ),
]
TheDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/appeals", summary="List the appeals, the newest first", operation_id="list_appeals")
def list_appeals(
    response: Response,
    desk: TheDesk,
    state: Annotated[AppealState | None, Query(description="Only appeals that stand so.", examples=["open"])] = None,
    unit: Annotated[str | None, Query(max_length=200, description="Only of this unit.", examples=["CN-BJ"])] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> AppealPage:
    """List the appeals of a dataset on units that who asks may see."""
    directory = desk.directory(dataset)
    if unit is not None:
        desk.unit(directory, unit)
    after = read_time_cursor(cursor)
    found, total = desk.advisor.appeals.listed(
        units=None if reach().heads is None else frozenset(directory.units),
        unit=unit,
        dataset=directory.snapshot.about.dataset,
        state=state,
        after=after,
        limit=limit + 1,
    )
    shown = found[:limit]
    last = write_time_cursor(shown[-1].raised_at, shown[-1].id) if len(found) > limit else None
    answer = AppealPage(items=[Appeal(**_fields(desk, each)) for each in shown], total=total, next_cursor=last)
    response.headers["ETag"] = entity_tag("appeals", answer.model_dump_json())
    return answer


@router.post(
    "/appeals",
    summary="Raise an appeal",
    operation_id="raise_appeal",
    status_code=status.HTTP_201_CREATED,
    responses={
        201: {
            "description": "It is raised, and its figure was reproduced.",
            "headers": {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}},
        }
    },
)
def raise_appeal(asked: AppealAsked, response: Response, desk: TheDesk) -> AppealRaised:
    """Freeze a unit's score or suggested target as it is told now, with data, policy and model, and prove the copy."""
    found, proof = raised(desk, asked)
    response.headers["Location"] = f"/api/v1/appeals/{found.id}"
    response.headers["ETag"] = revision_tag(found.revision)
    told = None if proof is None else _reproduction(proof)
    return AppealRaised(**_fields(desk, found), reproduction=told)


@router.get("/appeals/{appeal}", summary="Look an appeal up", operation_id="get_appeal")
def get_appeal(response: Response, appeal: AppealName, desk: TheDesk) -> AppealDetail:
    """Give an appeal with the figure, its explanation and all that it rests on, as they were frozen."""
    found = seen(desk, appeal)
    frozen, trouble = frozen_or_trouble(desk, appeal)
    response.headers["ETag"] = revision_tag(found.revision)
    record = None if frozen is None else _record(frozen)
    return AppealDetail(**_fields(desk, found), frozen=record, trouble=trouble, answer=answer_of(desk, found))


@router.get("/appeals/{appeal}/events", summary="Tell what happened", operation_id="list_appeal_events")
def list_appeal_events(response: Response, appeal: AppealName, desk: TheDesk) -> AppealEvents:
    """List the steps of an appeal: who, when, what and why."""
    seen(desk, appeal)
    answer = AppealEvents(items=[AppealEvent(**asdict(event)) for event in desk.advisor.appeals.events(appeal)])
    response.headers["ETag"] = entity_tag("appeal-events", answer.model_dump_json())
    return answer


@router.post("/appeals/{appeal}/review", summary="Begin to review an appeal", operation_id="review_appeal")
def review_appeal(
    asked: ReviewAsked, response: Response, appeal: AppealName, desk: TheDesk, if_match: IfMatch = None
) -> Appeal:
    """Take an open appeal up. Who raised it cannot."""
    return _step(desk, appeal, "review", asked.signer, asked.words, if_match, response)


@router.post("/appeals/{appeal}/uphold", summary="Find for who raised an appeal", operation_id="uphold_appeal")
def uphold_appeal(
    asked: AppealAnswerAsked, response: Response, appeal: AppealName, desk: TheDesk, if_match: IfMatch = None
) -> Appeal:
    """Answer that the figure is wrong. Nothing changes by that alone: figures are corrected where they come from."""
    return _step(desk, appeal, "uphold", asked.signer, asked.words, if_match, response)


@router.post("/appeals/{appeal}/reject", summary="Find that the figure stands", operation_id="reject_appeal")
def reject_appeal(
    asked: AppealAnswerAsked, response: Response, appeal: AppealName, desk: TheDesk, if_match: IfMatch = None
) -> Appeal:
    """Answer that the figure stands, and why."""
    return _step(desk, appeal, "reject", asked.signer, asked.words, if_match, response)


@router.post("/appeals/{appeal}/withdraw", summary="Withdraw an appeal", operation_id="withdraw_appeal")
def withdraw_appeal(
    asked: AppealAnswerAsked, response: Response, appeal: AppealName, desk: TheDesk, if_match: IfMatch = None
) -> Appeal:
    """Take back an appeal that was not decided on. Only who raised it can."""
    return _step(desk, appeal, "withdraw", asked.signer, asked.words, if_match, response)


@router.post("/appeals/{appeal}/reproduction", summary="Reproduce the figure", operation_id="reproduce_appeal")
def reproduce_appeal(asked: ReproductionAsked, appeal: AppealName, desk: TheDesk) -> Reproduction:
    """Tell the figure once more from the frozen versions alone, and compare it bit for bit with what was told."""
    seen(desk, appeal)
    with in_the_name_of(asked.signer):
        return _reproduction(desk.advisor.appeals.reproduce(appeal))


def raised(desk: Desk, asked: AppealAsked) -> tuple[Found, use_cases.Reproduction | None]:
    """Raise an appeal as somebody asks over the API or at the console.

    Raises
    ------
    NotFoundError
        Where there is no such unit or figure, or it may not be seen.
    """
    directory = desk.directory(asked.dataset)
    name, suggested = directory.snapshot.about.dataset, None
    desk.unit(directory, asked.unit)
    if asked.kind == "target":
        if not asked.period.isdecimal() or len(asked.period) != len("2025"):
            raise InvalidError("of a target `period` is its year", hint="Send a year such as 2025.")
        desk.targets(asked.unit, year=int(asked.period), dataset=name)
        suggested = desk.in_service.suggested(name)
    else:
        try:
            desk.advisor.scoring.ordinal(directory.snapshot, asked.period)
        except LoadlineError as error:
            raise NotFoundError(f"there are no scores of {asked.period!r}: {error.what}", hint=error.hint) from error
    with in_the_name_of(asked.signer):
        try:
            return desk.advisor.appeals.raise_(
                asked.unit,
                asked.period,
                kind=asked.kind,
                indicator=asked.indicator or "",
                words=asked.words,
                dataset=name,
                suggested=suggested,
                request_key=request_key(),
            )
        except NoScoreError as error:
            raise NotFoundError(error.what, hint=error.hint) from error


def seen(desk: Desk, appeal: str) -> Found:
    """Look an appeal up that who asks may see.

    Raises
    ------
    NotFoundError
        Where there is none, or it is on a unit beyond reach: both in the same words.
    """
    found = desk.advisor.appeals.find(appeal)
    if reach().heads is not None and found.unit not in desk.directory(found.dataset).units:
        raise NotFoundError(f"there is no appeal {appeal!r}", hint="GET /api/v1/appeals lists the appeals.")
    return found


def frozen_or_trouble(desk: Desk, appeal: str) -> tuple[Frozen | None, str]:
    """Read what was frozen; where it was changed, say so."""
    try:
        return desk.advisor.appeals.frozen(appeal), ""
    except LoadlineError as error:
        return None, error.what


def answer_of(desk: Desk, appeal: Found) -> str | None:
    """Give the words with which an appeal was ended; None while it is pending."""
    ends = [e for e in desk.advisor.appeals.events(appeal.id) if e.action in ("uphold", "reject", "withdraw")]
    return ends[-1].reason if ends else None


def _step(
    desk: Desk,
    appeal: str,
    action: use_cases.Action,
    name: str,
    words: str,
    if_match: str | None,
    response: Response,
) -> Appeal:
    revision = asked_revision(if_match)
    seen(desk, appeal)
    with in_the_name_of(name):
        found = desk.advisor.appeals.decide(appeal, action, revision=revision, words=words)
    response.headers["ETag"] = revision_tag(found.revision)
    return Appeal(**_fields(desk, found))


def _fields(desk: Desk, appeal: Found) -> dict[str, Any]:
    units = desk.directory(appeal.dataset).units
    entry = units.get(appeal.unit)
    name = UnitName(en=appeal.unit, zh=None) if entry is None else UnitName(en=entry.name, zh=entry.name_zh)
    told = {field: getattr(appeal, field) for field in Found.__slots__ if field in Appeal.model_fields}
    return told | {"name": name, "indicator": appeal.indicator or None}


def _record(frozen: Frozen) -> FrozenRecord:
    about = frozen.content
    policy = about["policy"] or {}
    return FrozenRecord(
        data_version=about["data_version"],
        fingerprint=about["fingerprint"],
        known_on=datetime.fromisoformat(about["known_on"]).date(),
        policy_version=policy.get("label"),
        policy_digest=policy.get("digest"),
        targets_digest=None if about["targets"] is None else about["targets"]["material"],
        model_versions=about["models"],
        release=about["release"],
        figure=None if about["figure"] is None else float(about["figure"]),
        told=about["told"],
    )


def _reproduction(made: use_cases.Reproduction) -> Reproduction:
    told = {name: value for name, value in asdict(made).items() if name != "appeal"}
    return Reproduction.model_validate(told | {"differences": list(told["differences"])})
