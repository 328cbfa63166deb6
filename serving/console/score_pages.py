"""The pages of scores: those of a period, one unit's beside a reference, and both as files."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from features.errors import LoadlineError
from models.policy.default import DEFAULT_ID
from models.scoring.gaps import AGAINST
from models.scoring.story import period_text
from serving.api.desk import Desk, entity_tag
from serving.api.score_desk import explained_score, period_scores, scores_seen
from serving.console.export import table_file
from serving.console.formats import Reader
from serving.console.pages import LONGEST_SEARCH, Dataset, TheDesk, ThePages, stored_directory
from serving.console.score_rows import score_rows, shown_drivers, shown_lines
from serving.console.waterfall import draw_trend
from serving.directory import Directory
from serving.errors import NotFoundError
from serving.score_basis import ScoreBasis
from serving.score_schemas import Against, ScoreExplanation

UNITS_SHOWN = 50
"""Units on a page: a screen or two."""
PERIODS_OFFERED = 24
"""Periods to choose from: two years of months."""
LAST_PAGE = 100_000

Period = Annotated[str | None, Query(max_length=10)]


def score_router() -> APIRouter:
    """Give the routes of the score pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/scores", score_list, methods=["GET"])
    router.add_api_route("/score", score_page, methods=["GET"])
    router.add_api_route("/export/scores.{form}", export_scores, methods=["GET"])
    return router


def score_list(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    dataset: Dataset = None,
    period: Period = None,
    group: str = "",
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    """List the scores of a period by peer group, the best first."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    basis, trouble = _basis(desk, directory, period)
    rows = [] if basis is None else score_rows(basis, desk.advisor.explaining.bases.table(basis))
    rows = [row for row in rows if row.code in directory.units]  # ranked among all, of whom the reader may see a part
    groups = sorted({row.group for row in rows if row.group})
    wanted = q.strip().casefold()
    fitting = [
        row
        for row in rows
        if (not group or row.group == group) and (not wanted or directory.units[row.code].matches(wanted))
    ]
    grades = () if basis is None else basis.network.policy.grades
    counts = [(grade.name, sum(row.grade == grade.name for row in fitting)) for grade in grades]
    return pages.show(
        request.scope,
        "scores.html",
        directory=directory,
        basis=basis,
        trouble=trouble,
        by_default=_by_default(basis),
        period=period if basis is None else basis.period,
        shown_period=_shown_period(period if basis is None else basis.period, pages.reader(request.scope)),
        periods=_periods(directory),
        group=group,
        groups=groups,
        q=q,
        names={} if basis is None else _names(basis, pages.reader(request.scope)),
        rows=fitting[(page - 1) * UNITS_SHOWN : page * UNITS_SHOWN],
        total=len(fitting),
        scored=sum(row.score is not None for row in fitting),
        counts=counts,
        page=page,
        more=len(fitting) > page * UNITS_SHOWN,
    )


def score_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    code: str,
    dataset: Dataset = None,
    period: Period = None,
    against: Against | None = None,
) -> Response:
    """Show how a unit's score comes about, and what tells it from a reference."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    unit = desk.unit(directory, code)
    basis, trouble = _basis(desk, directory, period)
    found: ScoreExplanation | None = None
    if basis is not None:
        try:
            found, _ = explained_score(desk, code, basis.period, against=against, dataset=dataset)
        except NotFoundError:
            found = None
    indicators = directory.snapshot.indicators
    course = [] if found is None else [(point.period, point.score) for point in found.trend]
    return pages.show(
        request.scope,
        "score.html",
        directory=directory,
        unit=unit,
        basis=basis,
        trouble=trouble,
        by_default=_by_default(basis),
        period=period if basis is None else basis.period,
        shown_period=_shown_period(period if basis is None else basis.period, pages.reader(request.scope)),
        periods=_periods(directory),
        found=found,
        references=AGAINST,
        against=against if found is None else found.against,
        lines=None if found is None or found.score is None else shown_lines(found, indicators),
        drivers=None if found is None else shown_drivers(found, indicators),
        trend=draw_trend(course),
    )


def export_scores(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    form: Literal["csv", "xlsx"],
    dataset: Dataset = None,
    period: Period = None,
    code: str | None = None,
) -> Response:
    """Give the scores of a period as a file, or every line of one unit's score."""
    basis = period_scores(desk, period or None, dataset=dataset)
    directory = desk.directory(dataset)
    if code is None:
        table = scores_seen(desk, basis, dataset=dataset)
    else:
        desk.unit(directory, code)
        table = basis.lines(code)
        if table is None:
            raise NotFoundError(f"{code!r} is on no scorecard in {basis.period}", hint="/scores lists those that are.")
    reader = pages.reader(request.scope)
    names = [directory.units[unit] for unit in table["unit"]]
    table = table.drop(columns="name", errors="ignore")
    table.insert(1, "unit_name", [reader.name(entry.name, entry.name_zh) for entry in names])
    name = directory.snapshot.about.dataset
    if directory.synthetic:
        name = f"{name} ({reader.say('synthetic.short')})"
    mark = "-synthetic" if directory.synthetic else ""
    response = table_file(
        table.assign(dataset=name),
        form=form,
        name=f"scores-{basis.period}{mark}",
        full=f"scores-{basis.period}{'' if code is None else f'-{code}'}{mark}",
    )
    response.headers["ETag"] = entity_tag("score-file", *basis.stamp, *directory.identity, code, reader.language, form)
    return response


def _basis(desk: Desk, directory: Directory, period: str | None) -> tuple[ScoreBasis | None, LoadlineError | None]:
    """Score a period; where that is not possible, give why."""
    try:
        return period_scores(desk, period or None, dataset=directory.snapshot.about.dataset), None
    except NotFoundError:
        raise
    except LoadlineError as error:
        return None, error


def _by_default(basis: ScoreBasis | None) -> bool:
    """Tell whether nobody gave a policy."""
    return basis is not None and basis.closed is None and basis.network.policy.id == DEFAULT_ID


def _periods(directory: Directory) -> list[str]:
    first, last = directory.snapshot.span
    calendar = directory.snapshot.description.calendar
    return [calendar.format(ordinal) for ordinal in range(last, max(first, last - PERIODS_OFFERED + 1) - 1, -1)]


def _shown_period(period: str | None, reader: Reader) -> str:
    return "" if period is None else period_text(period)[reader.language]


def _names(basis: ScoreBasis, reader: Reader) -> dict[str, str]:
    """Give scorecards and gates the names that the reader knows them by."""
    policy = basis.network.policy
    return {part.id: reader.name(part.title.en, part.title.zh) for part in (*policy.scorecards, *policy.gates)}
