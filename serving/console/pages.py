"""The pages: overview, units, one unit's suggestions with charts, exports, and errors as people read them."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from features.errors import LoadlineError
from serving.access.authorise import NOT_OPEN, may
from serving.api.desk import Desk, UnitTargets, desk_of, release
from serving.api.targets import suggestions, versions_tag
from serving.console.account import csrf_field, signed_in
from serving.console.chart import LEVELS, draw, draw_path
from serving.console.export import export_file
from serving.console.formats import LANGUAGES, Language, Reader, decimals_of, preferred, read_wording
from serving.directory import Directory
from serving.errors import SIGN_IN, NotFoundError, Problem
from serving.identity.identity import WRONG_KEY
from serving.identity.people import WRONG_PASSWORD
from serving.middleware import CONTENT_POLICY
from serving.request_schemas import FIRST_YEAR, LAST_YEAR
from serving.schemas import Suggestion

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "loadline_language"
LANGUAGE_SECONDS = 365 * 24 * 3600
UNITS_SHOWN = 50
"""Units on a page: a screen or two."""
LONGEST_SEARCH = 200
AGAIN_SECONDS = 4
"""A page whose figures are being computed asks again after this."""
_OWN_YEARS = re.compile(r"\b(\d+) own\b")
_UNITS_BELOW = re.compile(r"\b([\d,]+) units below\b")
_ERROR_NAME = "urn:loadline:problem:"


def static_files() -> StaticFiles:
    """Give the style sheet and the icon."""
    return StaticFiles(directory=HERE / "static")


class Pages:
    """Draws pages from templates in the reader's language."""

    def __init__(self) -> None:
        self.wording = read_wording()
        self.provider = False
        self._plain_style = (HERE / "plain.css").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(self._plain_style.encode()).digest()).decode()
        self._plain_policy = CONTENT_POLICY.replace("style-src 'self'", f"style-src 'sha256-{digest}'")
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(csrf=csrf_field, signed_in=signed_in)

    def reader(self, scope: Scope) -> Reader:
        """Choose the language: as asked, as chosen before, as the browser prefers."""
        request = Request(scope)
        for given in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
            if given in LANGUAGES:
                return Reader(cast(Language, given), self.wording)
        return Reader(preferred(request.headers.get("accept-language", "")), self.wording)

    def show(self, scope: Scope, template: str, *, status: int = 200, **content: object) -> HTMLResponse:
        """Draw a page; a language that was asked for is remembered."""
        reader = self.reader(scope)
        query = QueryParams(scope["query_string"])
        dataset = {"dataset": query["dataset"]} if query.get("dataset") else {}

        def link(path: str, **parameters: object) -> str:
            given = {name: value for name, value in (dataset | parameters).items() if value not in (None, "")}
            return f"{path}?{urlencode(given)}" if given else path

        kept = [(name, value) for name, value in query.multi_items() if name not in ("lang", "token")]
        other = next(language for language in LANGUAGES if language != reader.language)
        html = self._templates.get_template(template).render(
            r=reader,
            t=reader.say,
            link=link,
            release=release(),
            may=may,
            switch=f"?{urlencode([*kept, ('lang', other)])}",
            **content,
        )
        response = HTMLResponse(html, status_code=status, headers={"Content-Language": reader.tag})
        if query.get("lang") in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, reader.language, httponly=True, samesite="strict", max_age=LANGUAGE_SECONDS
            )
        return response

    def problem(self, scope: Scope, problem: Problem) -> HTMLResponse:
        """Draw an error; it needs no style sheet, which would need a session."""
        name = problem.type.removeprefix(_ERROR_NAME)
        if name == SIGN_IN.name:
            return self.plain(scope, "sign_in.html", status=problem.status, trouble=problem.detail)
        return self.plain(scope, "problem.html", status=problem.status, problem=problem, name=name, not_open=NOT_OPEN)

    def plain(self, scope: Scope, template: str, *, status: int = 200, **content: object) -> HTMLResponse:
        """Draw a page for those who may see nothing else: it brings its style sheet."""
        response = self.show(
            scope,
            template,
            status=status,
            style=self._plain_style,
            provider=self.provider,
            wrong_key=WRONG_KEY,
            wrong_password=WRONG_PASSWORD,
            **content,
        )
        response.headers["Content-Security-Policy"] = self._plain_policy
        return response


async def pages_of(request: Request) -> Pages:
    """Give the pages of the application that is asked."""
    return request.app.state.pages


TheDesk = Annotated[Desk, Depends(desk_of)]
ThePages = Annotated[Pages, Depends(pages_of)]
Dataset = Annotated[str | None, Query()]
Year = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


def console_router() -> APIRouter:
    """Give the routes of the console."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/", home, methods=["GET"])
    router.add_api_route("/units", unit_list, methods=["GET"])
    router.add_api_route("/unit", unit_page, methods=["GET"])
    router.add_api_route("/path", path_page, methods=["GET"])
    router.add_api_route("/export/targets.{form}", export, methods=["GET"])
    return router


def home(request: Request, desk: TheDesk, pages: ThePages, dataset: Dataset = None) -> Response:
    """Show what data there is and what is ready."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    names = list(dict.fromkeys(entry.dataset for entry in reversed(desk.advisor.store.versions())))
    about = directory.snapshot.about
    state = {name: text.partition(": ")[::2] for name, text in desk.readiness().items()}
    if about.dataset != names[0]:
        state.pop("model", None)  # which is that of the dataset stored last
    return pages.show(
        request.scope,
        "home.html",
        directory=directory,
        about=about,
        description=directory.snapshot.description,
        units=len(directory.units),
        known_on=directory.snapshot.last_known,
        year=desk.year(directory),
        state=state,
        no_model=not desk.has_model(directory),
        others=[name for name in names if name != about.dataset],
    )


def unit_list(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    dataset: Dataset = None,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    level: str = "",
    parent: str | None = None,
    after: str | None = None,
) -> Response:
    """List the units, searched and filtered."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    above = desk.unit(directory, parent) if parent else None
    page = directory.page(limit=UNITS_SHOWN, after=after, level=level or None, parent=parent or None, text=q)
    return pages.show(
        request.scope, "units.html", directory=directory, page=page, q=q, level=level, above=above, after=after
    )


def unit_page(
    request: Request, desk: TheDesk, pages: ThePages, code: str, dataset: Dataset = None, year: Year = None
) -> Response:
    """Show a unit's suggestions."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    unit = desk.unit(directory, code)
    asked = desk.year(directory) if year is None else year
    no_model, found = not desk.has_model(directory), None
    if not no_model:
        try:
            found = desk.targets(code, year=year, dataset=dataset)
        except NotFoundError:
            found = None
    if found is not None:  # data stored meanwhile shows once its suggestions are made
        directory, unit, asked = found.directory, found.unit, found.year
    return pages.show(
        request.scope,
        "unit.html",
        directory=directory,
        unit=unit,
        above=directory.units.get(unit.parent or ""),
        year=asked,
        no_model=no_model,
        rows=[] if found is None else _rows(found),
    )


def path_page(
    request: Request, desk: TheDesk, pages: ThePages, code: str, indicator: str, dataset: Dataset = None
) -> Response:
    """Show a unit's course so far and its path to the end of the year."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    unit, found, trouble = desk.unit(directory, code), None, None
    try:
        found = desk.path(code, indicator, dataset=dataset)
    except LoadlineError as error:
        trouble = error
    definition = directory.snapshot.indicators.get(indicator)
    ahead = [] if found is None else [tuple(row) for row in found.table[["period", "q0.1", "q0.5", "q0.9"]].to_numpy()]
    response = pages.show(
        request.scope,
        "path.html",
        status=200 if trouble is None else 404,
        directory=directory,
        unit=unit,
        code=indicator,
        definition=definition,
        found=found,
        trouble=trouble,
        ahead=ahead,
        chart=None if found is None else draw_path(found.past, ahead),
        decimals=_shown_decimals([row[2] for row in ahead]),
        seconds=AGAIN_SECONDS,
    )
    if found is None and trouble is None:
        response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response


def _shown_decimals(values: list[float]) -> int:
    """Give the decimals with which four digits of the middle figures are told."""
    size = max((abs(value) for value in values), default=0.0)
    return 0 if size >= 1_000 or size == 0 else min(6, 3 - math.floor(math.log10(size)))


def export(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    form: Literal["csv", "xlsx"],
    code: str,
    dataset: Dataset = None,
    year: Year = None,
) -> Response:
    """Give a unit's suggestions as a file."""
    found = desk.targets(code, year=year, dataset=dataset)
    reader = pages.reader(request.scope)
    response = export_file(found, reader, form=form)
    response.headers["ETag"] = f'{versions_tag(found)[:-1]}-{reader.language}"'
    return response


def stored_directory(desk: Desk, dataset: str | None) -> Directory | None:
    """Give the directory, or None before anything is stored."""
    try:
        return desk.directory(dataset or None)
    except LoadlineError:
        if desk.advisor.store.versions():
            raise
        return None


def _rows(found: UnitTargets) -> list[dict[str, Any]]:
    entries = list(suggestions(found))
    past = found.directory.history(found.unit.code, [entry.indicator for entry in entries])
    return [_row(entry, past.get(entry.indicator, [])) for entry in entries]


def _row(entry: Suggestion, past: list[tuple[int, float]]) -> dict[str, Any]:
    values = {level: getattr(entry, level).value for level in LEVELS}
    own, below = _OWN_YEARS.search(entry.evidence), _UNITS_BELOW.search(entry.evidence)
    grade = entry.evidence.partition(":")[0]
    return {
        "entry": entry,
        "decimals": decimals_of(list(values.values())),
        "chart": draw(past, values, year=entry.year),
        "grade": grade if grade in ("low", "none") else "firm",
        "own_years": int(own[1]) if own else None,
        "units_below": below[1] if below else None,
    }
