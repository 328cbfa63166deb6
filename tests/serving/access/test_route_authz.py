"""Every address x every role x all units and a subtree: who gets in, by a table that is not the program's."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from serving_home import ADDRESS, BEARER, TOKEN
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.testclient import TestClient

from serving.access.authorise import NO_RULE, NOT_OPEN, Addresses, Authorise
from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.access.reach import reach
from serving.access.rules import RULES
from serving.app import create_app
from serving.auth import PUBLIC

HR, RISK, MANAGER, SCIENTIST, AUDITOR, ADMIN = "hr", "risk", "manager", "data_scientist", "auditor", "admin"
EVERYBODY = {HR, RISK, MANAGER, SCIENTIST, AUDITOR, ADMIN}
UNDIVIDED = "undivided"
"""Not divided by units: who has a role for a part of the units alone is refused."""

AREAS: dict[str, tuple[set[str], str]] = {
    "open to all": (EVERYBODY, ""),
    "signed in": (EVERYBODY, ""),
    "units": (EVERYBODY, ""),
    "catalogue": ({HR, RISK, MANAGER, SCIENTIST, AUDITOR}, ""),
    "data versions": ({HR, RISK, SCIENTIST, AUDITOR}, UNDIVIDED),
    "targets": ({HR, RISK, MANAGER, SCIENTIST, AUDITOR}, ""),
    "scores": ({HR, RISK, MANAGER, AUDITOR}, ""),
    "alerts": ({HR, RISK, MANAGER, AUDITOR}, ""),
    "evidence": ({RISK, AUDITOR}, ""),
    "detectors": ({RISK, SCIENTIST, AUDITOR}, UNDIVIDED),
    "reviewing": ({RISK}, ""),
    "models": ({SCIENTIST, AUDITOR}, UNDIVIDED),
    "changing models": ({SCIENTIST}, UNDIVIDED),
    "scores of all units": ({HR, AUDITOR}, UNDIVIDED),
    "predictions": ({RISK, SCIENTIST, AUDITOR}, UNDIVIDED),
    "plans": ({HR, RISK, MANAGER, AUDITOR}, ""),
    "courses of plans": ({HR, RISK, AUDITOR}, UNDIVIDED),
    "making plans": ({HR}, UNDIVIDED),
    "lines of plans": ({HR}, ""),
    "appeals": ({HR, MANAGER, AUDITOR}, ""),
    "appealing": ({HR, MANAGER}, ""),
    "deciding appeals": ({HR}, ""),
    "outlook": ({HR, RISK, MANAGER, SCIENTIST, AUDITOR}, ""),
    "calibration": ({HR, AUDITOR}, ""),
    "observations": ({HR, RISK, MANAGER, SCIENTIST, AUDITOR}, ""),
    "handing figures in": ({HR, SCIENTIST}, UNDIVIDED),
    "trying policies": ({HR, SCIENTIST}, UNDIVIDED),
    "putting policies in force": ({HR}, UNDIVIDED),
    "simulations": ({HR, RISK, SCIENTIST, AUDITOR}, UNDIVIDED),
    "metrics": ({SCIENTIST, ADMIN}, UNDIVIDED),
    "people": ({ADMIN, AUDITOR}, UNDIVIDED),
    "changing people": ({ADMIN}, UNDIVIDED),
    "audit": ({ADMIN, AUDITOR}, UNDIVIDED),
}
"""The roles as they were agreed, by what an address is about."""

ADDRESSES: dict[str, str] = {
    "/healthz /readyz": "open to all",
    "/ /openapi.json /static": "signed in",
    "/units /api/v1/units*": "units",
    "/api/v1/indicators* /api/v1/policies": "catalogue",
    "/api/v1/snapshots": "data versions",
    "/unit /path /export/targets.* /api/v1/targets/*": "targets",
    "/score /scores /export/scores.* /api/v1/scores/*": "scores",
    "/alerts /alert /export/alerts.* GET:/api/v1/alerts GET:/api/v1/alerts/*": "alerts",
    "/export/alert.*": "evidence",
    "GET:/api/v1/alerts/record": "detectors",
    "POST:/api/v1/alerts/*": "reviewing",
    "/model /models /run /training /watch GET:/api/v1/models* GET:/api/v1/training-runs* GET:/api/v1/proposals* "
    "/api/v1/monitoring": "models",
    "POST:/api/v1/models/* POST:/api/v1/training-runs* POST:/api/v1/proposals/*": "changing models",
    "/api/v1/training-runs/{name}/shadow-report": "scores of all units",
    "/api/v1/predictions*": "predictions",
    "GET:/api/v1/target-plans*": "plans",
    "GET:/api/v1/target-plans/{plan}/events GET:/api/v1/target-plans/{plan}/summary": "courses of plans",
    "POST:/api/v1/target-plans*": "making plans",
    "PATCH:/api/v1/target-plans/{plan}/line POST:/api/v1/target-plans/{plan}/line/*": "lines of plans",
    "/appeals /appeal /appeal/reproduce /api/v1/appeals* POST:/api/v1/appeals/{appeal}/reproduction": "appeals",
    "/appeals/raise /appeal/withdraw POST:/api/v1/appeals POST:/api/v1/appeals/{appeal}/withdraw": "appealing",
    "/appeal/answer POST:/api/v1/appeals/{appeal}/review POST:/api/v1/appeals/{appeal}/uphold "
    "POST:/api/v1/appeals/{appeal}/reject": "deciding appeals",
    "/plans /plan GET:/plan/line": "plans",
    "/plans/draft /plan/step /plan/reallocate /plan/import /plan/changes": "making plans",
    "POST:/plan/line": "lines of plans",
    "POST:/alert/review": "reviewing",
    "POST:/api/v1/outlook": "outlook",
    "POST:/api/v1/calibrations": "calibration",
    "GET:/api/v1/observations": "observations",
    "POST:/api/v1/observations": "handing figures in",
    "GET:/api/v1/policies/{policy} GET:/api/v1/policies/diff": "catalogue",
    "POST:/api/v1/policies/check POST:/api/v1/simulations*": "trying policies",
    "POST:/api/v1/policies/{policy}/*": "putting policies in force",
    "GET:/api/v1/simulations*": "simulations",
    "/metrics": "metrics",
    "GET:/people* GET:/api/v1/people* GET:/api/v1/keys* GET:/api/v1/webhooks*": "people",
    "POST:/people/* POST:/api/v1/people* PATCH:/api/v1/people/* POST:/api/v1/keys* DELETE:/api/v1/keys/* "
    "POST:/api/v1/webhooks* DELETE:/api/v1/webhooks/*": "changing people",
    "/account /account/password /api/v1/me": "signed in",
    "/audit /export/audit.csv /api/v1/audit-events*": "audit",
}
"""What each address is about: the longest pattern that fits, `*` for anything."""

PATTERNS = sorted(
    (
        (len(word), re.compile(re.escape(word.rpartition(":")[2]).replace(r"\*", ".*")), word.rpartition(":")[0], area)
        for words, area in ADDRESSES.items()
        for word in words.split()
    ),
    key=lambda entry: -entry[0],
)


def area_of(method: str, path: str) -> str | None:
    for _, pattern, only, area in PATTERNS:
        if only in ("", method) and pattern.fullmatch(path):
            return area
    return None


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path) + ("/console.css" if path == "/static" else "")


def routes_of(app) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield method, route.path


class Reached:
    """Answers in place of the application, with how far the reach goes: what is behind the rules is not asked."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        heads = scope["state"]["reach"].heads
        assert heads == reach().heads
        await JSONResponse(None if heads is None else sorted(heads), status_code=299)(scope, receive, send)


PEOPLE = {
    **{role.value: (Grant(role),) for role in Role},
    **{f"{role.value} of N": (Grant(role, "N"),) for role in Role},
    "nobody": (),
}


@pytest.fixture(scope="module")
def knock(app):
    """Asks the application's own rules in somebody's name; gives the status and the answer."""
    entry = next(one for one in app.user_middleware if one.cls is Authorise)
    rules = Authorise(Reached(None), **entry.kwargs)
    loop = asyncio.new_event_loop()

    def ask(who: Principal, method: str, path: str) -> Response:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "app": app}
        sent: list[dict] = []

        async def call() -> None:
            async def send(message) -> None:
                sent.append(message)

            with acting(who):
                await rules({**scope, "query_string": b"", "state": {}}, None, send)  # pyright: ignore

        loop.run_until_complete(call())
        body = b"".join(message.get("body", b"") for message in sent)
        return Response(body, sent[0]["status"], dict(Headers(raw=sent[0]["headers"])))

    yield ask
    loop.close()


def named(name: str) -> Principal:
    return Principal(name, name, "person", PEOPLE[name])


def test_every_address_has_a_rule_and_an_area(app):
    names = {address.name for address in Addresses(app.routes).every}
    assert names - set(RULES) == set(), "addresses without a rule in serving/access/rules.py"
    without = [(method, path) for method, path in routes_of(app) if area_of(method, path) is None]
    assert without == [], "say here what these addresses are about"


def test_no_rule_is_for_an_address_that_there_is_not(app):
    assert set(RULES) - {address.name for address in Addresses(app.routes).every} == set()


def test_no_two_addresses_share_a_name(app):
    seen: dict[str, set[str]] = {}
    for address in Addresses(app.routes).every:
        seen.setdefault(address.name, set()).add(address.path)
    assert {name: paths for name, paths in seen.items() if len(paths) > 1} == {}


def test_route_authz(app, knock):
    """Every address x every role, held for all units and for a subtree."""
    wrong = []
    for method, path in routes_of(app):
        area = area_of(method, path)
        roles, divided = AREAS[area or ""]
        if area == "open to all":
            continue
        for name, grants in PEOPLE.items():
            answer = knock(named(name), method, concrete(path))
            held = {grant.role.value for grant in grants}
            part = any(grant.unit for grant in grants)
            lacks_unit = MANAGER in held and not part  # a manager is always one of something
            welcome = bool(held & roles) and not (divided and part) and not lacks_unit
            expected = (299, ["N"] if part else None) if welcome else (403, None)
            found = (answer.status_code, json.loads(answer.body) if answer.status_code == 299 else None)
            if found != expected:
                wrong.append(f"{name}: {method} {path} ({area}) gave {found}, not {expected}")
    assert wrong == []


def test_the_machines_own_key_opens_everything(app, knock):
    assert set(LOCAL.roles) == set(Role) - {Role.MANAGER}
    for method, path in routes_of(app):
        assert knock(LOCAL, method, concrete(path)).status_code == 299, path


def test_only_what_is_public_is_open_to_those_whom_nobody_knows(app):
    open_to_all = {address.path for address in Addresses(app.routes).every if RULES[address.name].anybody}
    assert open_to_all <= set(PUBLIC)


def test_refusals_say_why_and_are_problems(knock):
    answer = knock(named("data_scientist"), "GET", "/api/v1/scores/N01/2024")
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    told = json.loads(answer.body)
    assert told["detail"] == NOT_OPEN
    assert "hr" in told["hint"]
    assert "part of the units" in json.loads(knock(named("data_scientist of N"), "GET", "/api/v1/models").body)["hint"]


def test_unknown_addresses_and_methods_are_told_as_such_to_those_who_are_signed_in(knock):
    for name in ("hr", "nobody"):
        for path in ("/nothing", "/api/v1/nothing", "/api", "/api/v1", "//units", "/healthz/"):
            assert knock(named(name), "GET", path).status_code == 404
        answer = knock(named(name), "DELETE", "/api/v1/units")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_rules_are_asked_after_the_gate_and_before_anything_is_looked_up(app):
    order = [one.cls.__name__ for one in app.user_middleware]
    assert order.index("Gate") < order.index("Authorise") < order.index("OneVersion")


def nothing() -> dict[str, str]:
    return {}


def test_an_address_without_a_rule_is_open_to_nobody(trained):
    app = create_app(trained, token=TOKEN)
    app.add_api_route("/api/v1/units-new", nothing, methods=["GET"], name="new_address")
    caller = TestClient(app, base_url=ADDRESS, headers=BEARER)
    answer = caller.get("/api/v1/units-new")
    assert answer.status_code == 403
    assert answer.json()["detail"] == NO_RULE


def test_an_address_that_came_later_is_not_answered(trained):
    app = create_app(trained, token=TOKEN)
    caller = TestClient(app, base_url=ADDRESS, headers=BEARER)
    assert caller.get("/healthz").status_code == 200
    assert caller.get("/static/console.css").status_code == 200
    app.add_api_route("/late", nothing, methods=["GET"], name="home")
    assert caller.get("/late").status_code == 404


SEGMENTS = st.sampled_from(
    [
        *("api", "v1", "units", "alerts", "record", "explanation", "notes", "scores", "x", "", "..", "static", "%2F"),
        *("export", "alerts.csv", "alert.html", "targets.xlsx", "models", "versions", "card", "policies", "diff"),
        *("unit", "openapi.json", "target-plans", "line", "reset", "people", "keys", "audit-events", "\n", "scores\n"),
    ]
)


@given(st.lists(SEGMENTS, max_size=7), st.sampled_from(["GET", "POST", "PATCH"]))
def test_addresses_are_found_as_the_router_finds_them(app, segments, method):
    """The rule that is asked is the rule of what answers."""
    path = "/" + "/".join(segments)
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "app": app}
    try:
        found = Addresses(app.routes).find(dict(scope))[0].name
    except Exception as error:
        found = getattr(error, "status_code", error)
    if "\n" in path and found == 404:
        return  # stricter: patterns of the router take a line's end for the end of the path
    assert found == routed(app, scope)


def routed(app, scope):
    """Ask every route in turn, as the router does."""
    partly = False
    for route in iter_route_contexts(app.routes):
        match, _ = route._effective_route.matches(dict(scope))
        if match is Match.FULL:
            return getattr(route, "operation_id", None) or route.name
        partly = partly or match is Match.PARTIAL
    return 405 if partly else 404
