"""Hostile words, figures, bodies, names and headers, put wherever the OpenAPI document and the pages take any."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import pytest
from alert_home import RISKY_KEY
from fastapi.routing import iter_route_contexts
from fuzzed_bank import Bank
from fuzzing import in_turn
from hostile_requests import (
    ALIVE,
    AWAY,
    FIGURES,
    LINE,
    NOTHING,
    READABLE,
    WIRE,
    WORDS,
    Operation,
    asked,
    broken_bodies,
    operations,
    places,
    with_raw,
)
from raw_asking import JSON, Answer
from serving_home import LAST_YEAR, TOKEN

WORKED_OUT = re.compile(r"(?<![0-9a-f])1337(?![0-9a-f])")
"""What 7 * 191 comes to, but where it is part of a request's id."""
UNIT = "=1+1"
TOLD = ("Traceback", "sqlalchemy", "psycopg", "sqlite3", "pydantic_core", "/site-packages/", "root:x:0:0")
"""What no answer may hold: from where it comes in the program, or a file of the machine."""


class Complaints:
    """What was wrong; `assert not complaints` fails with the first of them."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.asked, self.found = bank, 0, []

    def look(self, what: str, answer: Answer, *, taken: bool = True) -> Answer:
        """Look at an answer; what must be refused is not `taken`."""
        self.asked += 1
        waits = answer.status == 503 and "retry-after" in answer.headers
        text = answer.body.decode("utf-8", "replace")
        wrong = (answer.status >= 500 and not waits) or (answer.status < 300 and not taken)
        if answer.status >= 400 and answer.headers["content-type"][0].partition(";")[0] == "application/problem+json":
            assert set(json.loads(answer.body)) >= {"type", "status", "instance"}
        if wrong or any(word in text for word in (*TOLD, str(self.bank.advisor.settings.home))):
            self.found.append(f"{what}: {answer.status} {text[:300]}")
        return answer

    def __bool__(self) -> bool:
        return bool(self.found)

    def __repr__(self) -> str:
        return f"{len(self.found)} of {self.asked}: " + "\n".join(self.found[:12])


def each(bank: Bank) -> list[Operation]:
    return operations(bank.app.openapi(), bank.words)


def test_fuzz_hostile_words_in_every_text_of_every_body(either_bank: Bank):
    bank, complaints = either_bank, Complaints(either_bank)
    for operation in each(bank):
        for where in places(operation.body, (str,)):
            for word in in_turn(WORDS, complaints.asked + (bank.advisor.database.url.drivername[0] == "p"), every=4):
                body = with_raw(operation.body, where, json.dumps(word))
                target = operation.target(bank.words)
                answer = asked(bank.ask, operation, target, TOKEN, [JSON], body)
                complaints.look(f"{operation.label} {where} {word!r}", answer)
    assert not complaints
    assert complaints.asked > 80


def test_fuzz_hostile_figures_in_every_number_of_every_body(bank: Bank):
    complaints = Complaints(bank)
    for operation in each(bank):
        for where in places(operation.body, (int, float, bool)):
            for figure in in_turn(FIGURES, complaints.asked, every=3):
                body = with_raw(operation.body, where, figure)
                answer = asked(bank.ask, operation, operation.target(bank.words), TOKEN, [JSON], body)
                strange = figure in ("NaN", "Infinity", "-Infinity", "1e999", '"1"', "[]", "{}")
                complaints.look(f"{operation.label} {where} {figure[:20]}", answer, taken=not strange)
    assert not complaints
    assert complaints.asked > 60


def test_fuzz_broken_bodies_everywhere(bank: Bank):
    complaints = Complaints(bank)
    for operation in each(bank):
        if operation.body is None:
            continue
        broken = list(broken_bodies(operation.body))
        for name, headers, body in in_turn(broken, complaints.asked, every=4):
            answer = asked(bank.ask, operation, operation.target(bank.words), TOKEN, headers, body)
            may_be = name in READABLE or (name in NOTHING and not operation.needs_body)
            complaints.look(f"{operation.label} {name}", answer, taken=may_be)
    assert not complaints
    assert complaints.asked > 150


@pytest.mark.parametrize("words", [tuple(map(quote, AWAY)), WIRE], ids=["encoded", "wire"])
def test_fuzz_hostile_names_in_every_parameter(bank: Bank, words: tuple[str, ...]):
    complaints = Complaints(bank)
    for operation in each(bank):
        body = None if operation.body is None else json.dumps(operation.body).encode()
        for parameter in operation.parameters:
            if parameter["in"] not in ("path", "query"):
                continue
            for word in in_turn(words, complaints.asked, every=8):
                target = operation.target(bank.words, **{parameter["name"]: word})
                answer = asked(bank.ask, operation, target, TOKEN, [JSON] if body else [], body)
                complaints.look(f"{operation.method} {target[:300]}", answer)
    assert not complaints
    assert complaints.asked > 150


def pages(bank: Bank) -> list[str]:
    return sorted(
        route.path
        for route in iter_route_contexts(bank.app.routes)
        if "GET" in (route.methods or ()) and not route.path.startswith(("/api/", "/openapi"))
    )


PARAMETERS = (
    "code",
    "key",
    "unit",
    "dataset",
    "period",
    "year",
    "name",
    "version",
    "lang",
    "state",
    "cursor",
    "status",
)


def test_fuzz_hostile_names_in_every_page(bank: Bank):
    complaints = Complaints(bank)
    for path in pages(bank):
        for word in in_turn((*map(quote, AWAY), *WIRE), complaints.asked, every=3):
            for names in (PARAMETERS, PARAMETERS[:4]):
                target = path.replace("{", "").replace("}", "") + "?" + "&".join(f"{name}={word}" for name in names)
                answer = bank.ask("GET", target, key=TOKEN, headers=[("Accept", "text/html")])
                complaints.look(target[:200], answer)
                if answer.headers["content-type"][0].startswith("text/html"):
                    assert b"<script>alert" not in answer.body, target
                    assert not WORKED_OUT.search(answer.text), "7 * 191 was worked out"
    assert not complaints


def test_fuzz_header_tricks(bank: Bank):
    complaints = Complaints(bank)
    names = (
        "If-Match",
        "If-None-Match",
        "Idempotency-Key",
        "X-Request-Id",
        "Accept",
        "Accept-Language",
        "Cookie",
        "Range",
    )
    values = ("", "\x00", "\xff\xfe", "a" * 9_000, "=1+1", '"r' + "9" * 400 + '"', "*", "a\tb", "../../x", ALL_TAGS)
    for name in (
        *names,
        "Accept-Language",
        "X-CSRF-Token",
        "Origin",
        "X-Forwarded-For",
        "X-HTTP-Method-Override",
        "Traceparent",
    ):
        for value in in_turn(values, complaints.asked, every=2):
            for method, path in (("GET", "/api/v1/units"), ("POST", "/api/v1/calibrations"), ("GET", "/units")):
                body = b"{}" if method == "POST" else None
                answer = bank.ask(method, path, key=TOKEN, headers=[JSON, (name, value)], body=body)
                complaints.look(f"{method} {path} {name}: {value[:40]!r}", answer)
                assert all("\n" not in told and "\r" not in told for held in answer.headers.values() for told in held)
    assert not complaints


MORE_NAMES = ("Accept-Language", "X-CSRF-Token", "Origin", "X-Forwarded-For", "X-HTTP-Method-Override", "Traceparent")
ALL_TAGS = ", ".join(f'"{number}"' for number in range(1_000))


def test_fuzz_what_was_written_comes_back_as_it_was_and_lies_dead_in_pages(either_bank: Bank):
    bank, words = either_bank, ALIVE

    def post(path: str, **body: str) -> dict:
        answer = bank.ask("POST", f"/api/v1/{path}", key=TOKEN, headers=[JSON], body=json.dumps(body).encode())
        assert answer.status in (200, 201), answer.text
        return answer.json()

    raised = {"period": str(LAST_YEAR - 1), "words": words, "by": "李伟"}
    for unit in (UNIT, "N09", "N10", "N11", "N12"):  # others may have raised one that is pending
        body = json.dumps(raised | {"unit": unit}).encode()
        answer = bank.ask("POST", "/api/v1/appeals", key=TOKEN, headers=[JSON], body=body)
        if answer.status != 409:
            break
    assert answer.status == 201, answer.text
    appeal = answer.json()
    again = bank.ask("GET", f"/api/v1/appeals/{appeal['id']}", key=TOKEN).json()
    person = post("people", login="wang.fang@bank.example", name=LINE)
    target = f"/api/v1/alerts/{quote(RISKY_KEY, safe='')}"
    post(f"{target.removeprefix('/api/v1/')}/notes", text=LINE, by=LINE)
    note = bank.ask("GET", target, key=TOKEN).json()["history"][-1]
    assert [appeal["words"], again["words"], person["name"]] == [words, words, LINE]
    assert (note["text"], note["by"]) == (LINE, LINE)
    pages = (f"/appeal?name={appeal['id']}", "/people", f"/alert?key={quote(RISKY_KEY, safe='')}", "/audit", "/appeals")
    shown = []
    for page in pages:
        answer = bank.ask("GET", page, key=TOKEN, headers=[("Accept", "text/html")])
        assert answer.status == 200, (page, answer.text[:300])
        assert "<script>" not in answer.text
        assert not WORKED_OUT.search(answer.text)
        if "{{ 7*191 }}" in html.unescape(answer.text):
            shown.append(page)
    assert len(shown) >= 3, shown
    assert bank.ask("GET", "/api/v1/target-plans", key=TOKEN).status == 200
    turned = json.dumps({"text": "x", "by": "Li\u202eieW"}).encode()
    answer = bank.ask(
        "POST", f"/api/v1/alerts/{quote(RISKY_KEY, safe='')}/notes", key=TOKEN, headers=[JSON], body=turned
    )
    assert answer.status == 422, "a name that is shown in another order than it is written is nobody's"
