"""Targets within their year: how they stand, and what the quarterly calibration would move. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from fastapi import APIRouter, Depends, Request

from features.errors import LoadlineError
from serving.api.desk import Desk, desk_of, finite
from serving.api.units import DatasetName
from serving.api.waiting_room import WaitingRoom
from serving.directory import Directory
from serving.errors import MEDIA_TYPE, InvalidError
from serving.in_year_schemas import (
    Calibration,
    CalibrationAsked,
    CalibrationRow,
    Outlook,
    OutlookRow,
    ReliefGiven,
    TargetGiven,
    TargetsGiven,
)
from serving.schemas import Sentence

if TYPE_CHECKING:
    from models.in_year.quarterly import CalibrationProposal

router = APIRouter(tags=["targets within the year"])

QUANTILES = {"low": "q0.1", "middle": "q0.5", "high": "q0.9"}
LATER: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "The answer is being made: send the same request again after `Retry-After` seconds.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
TheDesk = Annotated[Desk, Depends(desk_of)]


async def room_of(request: Request) -> WaitingRoom:
    """Give the room in which answers of the application that is asked are made."""
    return request.app.state.waiting


TheRoom = Annotated[WaitingRoom, Depends(room_of)]


@router.post("/outlook", summary="Tell how targets stand", operation_id="ask_outlook", responses=LATER)
def ask_outlook(asked: TargetsGiven, desk: TheDesk, room: TheRoom, dataset: DatasetName = None) -> Outlook:
    """Give the probability of attaining each target, given what is in of the year.

    Where no trained model may answer, one is fitted, which takes minutes: the first answers are then 503.
    """
    directory = desk.directory(dataset)
    targets = _table(desk, directory, asked.targets)
    name, planning = directory.snapshot.about.dataset, desk.advisor.planning
    _check_period(desk, directory, asked.as_of)
    frame: pd.DataFrame = room.answer(
        _question(desk, directory, "outlook", asked),
        lambda: planning.outlook(targets, as_of=asked.as_of, dataset=name),
    )
    return Outlook(items=[_outlook_row(row) for row in frame.to_dict("records")])


@router.post(
    "/calibrations", summary="Propose a quarterly calibration", operation_id="propose_calibration", responses=LATER
)
def propose_calibration(
    asked: CalibrationAsked, desk: TheDesk, room: TheRoom, dataset: DatasetName = None
) -> Calibration:
    """Propose which of the targets of a year to move, within the policy's limits; see `POST /outlook` for waiting."""
    directory = desk.directory(dataset)
    targets = _table(desk, directory, asked.targets)
    if targets["year"].nunique() != 1:
        raise InvalidError("targets of several years cannot be calibrated at once", hint="Send those of one year.")
    relief = _relief(desk, directory, asked.relief)
    name, planning = directory.snapshot.about.dataset, desk.advisor.planning
    _check_period(desk, directory, asked.as_of)
    found: CalibrationProposal = room.answer(
        _question(desk, directory, "calibration", asked),
        lambda: planning.calibration(
            targets,
            relief=relief,
            relief_only=asked.relief_only,
            keep_total=asked.keep_total,
            as_of=asked.as_of,
            dataset=name,
        ),
    )
    told = found.summary()
    return Calibration(
        items=[_calibration_row(row) for row in found.frame.to_dict("records")],
        non_core=found.non_core,
        considered=found.considered,
        moved=found.moved,
        share=float(found.share),
        worthwhile=bool(found.worthwhile),
        text=Sentence(en=told["text"]["en"], zh=told["text"]["zh"]),
    )


def _table(desk: Desk, directory: Directory, targets: Sequence[TargetGiven]) -> pd.DataFrame:
    """Give targets as a table; refuse units beyond reach, unknown indicators, and keys given twice."""
    indicators = directory.snapshot.indicators
    seen: set[tuple[str, str, int]] = set()
    for number, row in enumerate(targets):
        desk.unit(directory, row.unit)
        if row.indicator not in indicators or not indicators[row.indicator].is_target:
            hint = "GET /api/v1/indicators tells which indicators may have targets."
            raise InvalidError(f"targets.{number}: {row.indicator!r} is no indicator that may have targets", hint=hint)
        key = (row.unit, row.indicator, row.year)
        if key in seen:
            what = f"targets.{number}: {row.unit!r} on {row.indicator} in {row.year} is given twice"
            raise InvalidError(what, hint="Keep one.")
        seen.add(key)
    frame = pd.DataFrame([row.model_dump() for row in targets])
    columns = ["unit", "indicator", "year", "target"]
    columns += [name for name in ("floor", "stretch", "p_target") if frame[name].notna().any()]
    return frame[columns].astype(dict.fromkeys(columns[3:], float))


def _relief(desk: Desk, directory: Directory, relief: Sequence[ReliefGiven]) -> pd.DataFrame | None:
    for row in relief:
        desk.unit(directory, row.unit)
        if row.indicator not in directory.snapshot.indicators:
            raise InvalidError(f"{row.indicator!r} is no indicator", hint="GET /api/v1/indicators lists them.")
    return pd.DataFrame([row.model_dump() for row in relief], columns=["unit", "indicator"]) if relief else None


def _check_period(desk: Desk, directory: Directory, as_of: str | None) -> None:
    try:
        desk.advisor.origin(directory.snapshot, as_of)
    except (LoadlineError, ValueError) as error:
        hint = error.hint if isinstance(error, LoadlineError) else ""
        raise InvalidError(f"there are no figures as of {as_of!r}", hint=hint) from error


def _question(desk: Desk, directory: Directory, kind: str, asked: TargetsGiven) -> str:
    """Name a question with all that its answer depends on: data, policies, and the model in service."""
    from training.policy_record import record_mark
    from training.promotion.history import champion_digest
    from training.target_model import model_name

    about, home = directory.snapshot.about, desk.advisor.settings.home
    versions = (about.dataset, about.version, about.fingerprint, record_mark(home, about.dataset))
    champion = champion_digest(home, model_name(about.dataset))
    return "\x1f".join(map(str, (kind, *versions, champion, asked.model_dump_json())))


def _outlook_row(row: dict[Any, Any]) -> OutlookRow:
    numbers = ("target", "to_date", "expected_by_now", "pace_ratio", "p_attain", "p_floor", "p_stretch", "p_at_start")
    told: dict[str, Any] = {name: _number(row.get(name)) for name in numbers}
    told |= {name: _number(row.get(column)) for name, column in QUANTILES.items()}
    texts = ("unit", "indicator", "as_of", "evidence", "model_version", "policy_version")
    told |= {name: str(row[name]) for name in texts}
    return OutlookRow(**told, year=int(row["year"]), data_version=int(row["data_version"]))


def _calibration_row(row: dict[Any, Any]) -> CalibrationRow:
    numbers = ("old_target", "new_target", "p_promised", "p_before", "p_after")
    told: dict[str, Any] = {name: _number(row.get(name)) for name in numbers}
    told |= {name: str(row[name]) for name in ("unit", "indicator", "reason")}
    text = Sentence(en=str(row["reason_en"]), zh=str(row["reason_zh"]))
    return CalibrationRow(**told, year=int(row["year"]), moved=bool(row["moved"]), text=text)


def _number(value: Any) -> float | None:
    return None if value is None else finite(value)
