"""What is noted of requests: by the rules, before the answer leaves, and never twice."""

import asyncio
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from audited import AUDITOR, audit_at, change
from fastapi.routing import iter_route_contexts
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from serving.access.authorise import Address, Addresses, Authorise
from serving.access.principal import LOCAL, acting
from serving.access.rules import HR, RULES, Rule
from serving.audit.entry import Entry
from serving.audit.middleware import STRANGERS_A_MINUTE, Audited, AuditedDoor
from serving.audit.noting import note_dataset
from serving.audit.reading import Wanted
from serving.audit.trail import Audit
from serving.errors import ErrorAnswers

ANSWER = ErrorAnswers(lambda scope, problem: Response(status_code=problem.status))
RULES_TRIED = {
    "seen": Rule(frozenset({HR}), audit="read", about="unit"),
    "changed": Rule(frozenset({HR}), audit="change", about="plan"),
    "plain": Rule(frozenset({HR})),
}


@pytest.fixture
def audit(migrated_file: Path, tmp_path: Path) -> Audit:
    shutil.copy(migrated_file, tmp_path)
    return audit_at(tmp_path)


def entries(audit: Audit) -> list[Entry]:
    return audit.page(Wanted(), limit=500)[0][::-1]


def told(audit: Audit) -> list[tuple[str, str, int]]:
    return [(entry.action, entry.subject, entry.status) for entry in entries(audit)]


class Behind:
    """Stands for what makes the answer, and for what has found out who asks and what for."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.status, self.headers, self.writes, self.dataset = 200, {}, False, ""
        inner = Audited(self.answer, audit=audit, answer=ANSWER)

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            name, _, given = scope["path"].strip("/").partition("/")
            state = scope["state"]
            rule = RULES_TRIED.get(name)
            state.update(rule=rule, operation=name, parameters={rule.about: given} if rule and given else {})
            with acting(AUDITOR):
                await inner(scope, receive, send)

        door = AuditedDoor(asked, audit=audit, answer=ANSWER)

        async def named(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["request_id"] = "4f2c9a1be07d4c55"
            await door(scope, receive, send)

        self.client = TestClient(named, raise_server_exceptions=False)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.status == 599:
            raise ZeroDivisionError
        if self.dataset:
            note_dataset(self.dataset)
        if self.writes:
            await asyncio.to_thread(change, self.audit, "plan-1")
        await JSONResponse({"shown": "a result"}, status_code=self.status, headers=self.headers)(scope, receive, send)


@pytest.fixture
def behind(audit: Audit) -> Behind:
    return Behind(audit)


@pytest.mark.parametrize(
    ("status", "noted"), [(200, True), (206, True), (304, True), (404, False), (422, False), (403, True), (503, False)]
)
def test_a_read_is_noted_where_something_was_shown_or_refused(behind: Behind, status: int, noted: bool):
    behind.status = status
    behind.client.get("/seen/N01")
    assert told(behind.audit) == ([("seen", "N01", status)] if noted else [])


def test_an_entry_says_who_saw_what(behind: Behind):
    behind.dataset = "sample-bank"
    behind.client.get("/seen?unit=N02&unit=%E5%8C%BA%2FA&dataset=another&secret=pass")
    (entry,) = entries(behind.audit)
    assert (entry.principal, entry.principal_id) == ("审计员 Wu", "person:a1")
    assert (entry.action, entry.subject, entry.dataset) == ("seen", "区/A", "sample-bank")
    assert (entry.status, entry.request, entry.at) == (200, "4f2c9a1be07d4c55", "2026-03-01T08:15:30.123456Z")
    assert entry.detail == "{}"
    assert "pass" not in str(entry)


def test_without_more_known_the_dataset_is_the_one_asked_for(behind: Behind):
    behind.client.get("/seen/N01?dataset=another")
    assert entries(behind.audit)[0].dataset == "another"


@pytest.mark.parametrize("status", [200, 201, 403, 404, 409, 412, 422, 503])
def test_every_attempt_to_change_something_is_noted(behind: Behind, status: int):
    behind.status = status
    behind.client.post("/changed/plan-1")
    assert told(behind.audit) == [("changed", "plan-1", status)]


def test_an_attempt_that_fails_without_an_answer_is_noted_too(behind: Behind):
    behind.status = 599
    assert behind.client.post("/changed/plan-1").status_code == 500
    behind.client.get("/seen/N01")
    (entry,) = entries(behind.audit)
    assert (entry.action, entry.status, entry.principal) == ("changed", 500, "审计员 Wu")


def test_what_the_use_case_noted_is_not_noted_again(behind: Behind):
    behind.writes = True
    behind.client.post("/changed/plan-1")
    (entry,) = entries(behind.audit)
    assert (entry.action, entry.status, entry.request) == ("plan.publish", 0, "4f2c9a1be07d4c55")


def test_an_answer_given_before_is_not_noted_again(behind: Behind):
    behind.headers = {"Idempotency-Replayed": "true"}
    behind.client.post("/changed/plan-1")
    assert told(behind.audit) == []


def test_what_the_audit_is_not_about_leaves_nothing(behind: Behind):
    behind.client.get("/plain")
    assert told(behind.audit) == []
    assert behind.audit.waiting() == 0


def test_diskfull_nothing_is_shown_that_cannot_be_noted(behind: Behind):
    behind.audit.folder.write_text("where the folder should be")
    answer = behind.client.get("/seen/N01")
    assert answer.status_code == 507
    assert "a result" not in answer.text
    assert behind.client.get("/plain").status_code == 200


def through_door(audit: Audit, status: int, *, principal=None, operation: str = "") -> TestClient:
    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["operation"] = operation
        if principal is None:
            await Response(status_code=status)(scope, receive, send)
            return
        with acting(principal):
            await Response(status_code=status)(scope, receive, send)

    return TestClient(AuditedDoor(gate, audit=audit, answer=ANSWER))


def test_refused_access_is_noted_with_who_tried(audit: Audit):
    through_door(audit, 403, principal=AUDITOR, operation="publish_plan").get("/")
    (entry,) = entries(audit)
    assert (entry.action, entry.status, entry.principal) == ("publish_plan", 403, "审计员 Wu")


def test_strangers_are_noted_where_they_try_to_be_let_in(audit: Audit):
    client = through_door(audit, 401)
    client.get("/units")  # just came by
    client.get("/units", headers={"Authorization": "Bearer wrong"})
    client.get("/?token=wrong")
    client.post("/sign-in", data={"login": "li.na", "password": "my secret"})
    assert told(audit) == [("sign-in", "", 401)] * 3
    assert "secret" not in str(entries(audit))


def test_strangers_cannot_fill_the_audit(audit: Audit):
    now = [0.0]

    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=401)(scope, receive, send)

    client = TestClient(AuditedDoor(gate, audit=audit, answer=ANSWER, clock=lambda: now[0]))
    for _ in range(STRANGERS_A_MINUTE + 7):
        client.post("/sign-in")
    now[0] = 61.0
    client.post("/sign-in")
    found = entries(audit)
    assert len(found) == STRANGERS_A_MINUTE + 1
    assert found[-1].detail == '{"left_out":7}'


def addresses(app) -> Iterable[Address]:
    return Addresses(app.routes).every


def test_every_address_whose_rule_says_so_is_noted(app, audit: Audit):
    """From the application's own routes and rules, with nothing but the answer made up."""

    async def shown(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("a result")(scope, receive, send)

    stack = Authorise(Audited(shown, audit=audit, answer=ANSWER), answer=ANSWER)

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        with acting(LOCAL):
            await stack({**scope, "app": app}, receive, send)

    client, expected = TestClient(asked), []
    for address in addresses(app):
        rule = RULES.get(address.name)
        if rule is None or not rule.audit:
            continue
        path = re.sub(r"\{[^}]*\}", "7", address.path)
        query = {rule.about: "区"} if rule.about and f"{{{rule.about}" not in address.path else {}
        method = min(address.methods - {"HEAD"})
        assert client.request(method, path, params=query).status_code == 200, address
        about = "" if not rule.about else "区" if query else "7"
        expected.append((address.name, about, 200))
    assert len(expected) > 25
    assert told(audit) == expected


def test_what_is_seen_is_named_by_a_parameter_of_its_address(app):
    tried = 0
    for route in iter_route_contexts(list(app.routes)):
        name = getattr(route, "operation_id", None) or route.name or ""
        rule = RULES.get(name)
        if rule is None or not rule.about or rule.audit != "read":
            continue
        tried += 1
        assert rule.about in _parameters(route.route.dependant) | set(route.param_convertors or {}), name
    assert tried > 10


def _parameters(dependant) -> set[str]:
    own = {field.alias for field in (*dependant.path_params, *dependant.query_params)}
    return own.union(*(_parameters(inner) for inner in dependant.dependencies))
