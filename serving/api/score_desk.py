"""What endpoints and pages ask about scores, in the form in which they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from features.errors import LoadlineError
from serving.access.reach import reach
from serving.api.desk import Desk
from serving.directory import Directory
from serving.errors import NotFoundError
from serving.explaining import NoScoreError
from serving.scoring import ScoreRequest

if TYPE_CHECKING:
    import pandas as pd

    from serving.score_basis import ScoreBasis
    from serving.score_schemas import Against, PolicyList, Score, ScoreExplanation

Told = TypeVar("Told", bound="Score")
_COUNT = re.compile(r"\d[\d,]* ")
"""Begins a note that counts units and figures of the whole network."""
Stamp = tuple[object, ...]
"""Tells an answer from every other."""


def period_scores(desk: Desk, period: str | None, *, dataset: str | None = None) -> ScoreBasis:
    """Give the scores of all units in a period, by default the last one with figures.

    Raises
    ------
    NotFoundError
        Where there is no such period.
    LoadlineError
        Where it cannot be scored.
    """
    directory = desk.directory(dataset)
    asked = _asked(desk, directory, period)
    return desk.advisor.explaining.bases.basis(asked, dataset=directory.snapshot.about.dataset)


def scores_seen(desk: Desk, basis: ScoreBasis, *, dataset: str | None = None) -> pd.DataFrame:
    """Give one row a unit within reach; see `training.scoring.tables.summary`. Not to be changed."""
    table, heads = desk.advisor.explaining.bases.table(basis), reach().heads
    return table if heads is None else table[table["unit"].isin(list(desk.directory(dataset).units))]


def unit_score(desk: Desk, code: str, period: str, *, dataset: str | None = None) -> tuple[Score, Stamp]:
    """Give a unit's score.

    Raises
    ------
    NotFoundError
        Where there is no such unit or period, or the unit is on no scorecard in it.
    """
    directory = desk.directory(dataset)
    name, asked = directory.snapshot.about.dataset, _asked(desk, directory, period)
    desk.unit(directory, code)
    explaining = desk.advisor.explaining
    with _or_not_found():
        return _told(explaining.score(code, asked, dataset=name)), explaining.bases.stamp(asked, dataset=name)


def explained_score(
    desk: Desk, code: str, period: str, *, against: Against | None = None, dataset: str | None = None
) -> tuple[ScoreExplanation, Stamp]:
    """Give a unit's score against a reference; see `unit_score`."""
    directory = desk.directory(dataset)
    name, asked = directory.snapshot.about.dataset, _asked(desk, directory, period)
    desk.unit(directory, code)
    explaining = desk.advisor.explaining
    with _or_not_found():
        found = explaining.explain(code, asked, against=against, dataset=name)
        return _told(found), explaining.bases.stamp(asked, dataset=name)


def policies(desk: Desk, *, dataset: str | None = None) -> PolicyList:
    """List the policies of a dataset, and which one answers."""
    from serving.policy_list import policy_list

    return policy_list(desk.advisor, desk.directory(dataset).snapshot)


def _asked(desk: Desk, directory: Directory, period: str | None) -> ScoreRequest:
    snapshot = directory.snapshot
    if period is None:
        return ScoreRequest(snapshot.description.calendar.format(snapshot.span[1]))
    try:
        desk.advisor.scoring.ordinal(snapshot, period)
    except LoadlineError as error:
        raise NotFoundError(f"there are no scores of {period!r}: {error.what}", hint=error.hint) from error
    return ScoreRequest(period)


def _told(found: Told) -> Told:
    """Leave out what is counted over all units where the reader sees a part of them."""
    if reach().heads is None:
        return found
    return found.model_copy(update={"notes": [note for note in found.notes if not _COUNT.match(note)]})


@contextmanager
def _or_not_found() -> Iterator[None]:
    try:
        yield
    except NoScoreError as error:
        raise NotFoundError(error.what, hint=error.hint) from error
