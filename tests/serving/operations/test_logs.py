"""`errors`: the log tells what happened and how long it took, and neither it nor an answer tells anything else."""

import io
import json
import logging
import sys
import threading

import pytest
from serving_home import ADDRESS, BEARER, NOW, TOKEN
from starlette.testclient import TestClient

from serving.advisor import Advisor
from serving.app import create_app
from serving.logs import configure, fault

SECRET = "Zhang-San-6217000012345678"
"""Stands for a password, a key, a name, a figure: for whatever somebody may send."""


@pytest.fixture
def written():
    """What is logged, down to the last detail, in JSON; afterwards all is as it was before."""
    root, own = logging.getLogger(), logging.getLogger("loadline")
    before = root.handlers[:], root.level, own.level, logging.raiseExceptions
    hooks = threading.excepthook, sys.excepthook
    stream = io.StringIO()
    configure(form="json", level="debug", stream=stream)
    yield stream
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)
    threading.excepthook, sys.excepthook = hooks
    logging.captureWarnings(False)


@pytest.fixture
def faulty(trained):
    """The application with an address that fails with what it was sent in its hands."""
    app = create_app(Advisor(trained.settings, clock=lambda: NOW), token=TOKEN)

    @app.post("/api/v1/broken/{unit}", operation_id="list_indicators")
    def broken(unit: str, body: dict, name: str = "") -> None:
        password = body.get("password", unit)
        try:
            {}[password]
        except KeyError as error:
            raise ValueError(f"{password} of {name} is not right") from error

    return TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def events(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_who_what_how_long_and_nothing_else(client, written):
    answer = client.get("/api/v1/units/N01", params={"dataset": "hostile-bank"}, headers={"X-Request-Id": "my-own-id"})
    assert answer.status_code == 200
    (event,) = [one for one in events(written) if one["logger"] == "loadline.access"]
    assert event.pop("time").endswith("+00:00")
    assert 0 < event.pop("ms") < 60_000
    assert event == {
        "level": "info",
        "event": "request",
        "logger": "loadline.access",
        "request": "my-own-id",
        "principal": "local",
        "operation": "get_unit",
        "method": "GET",
        "status": 200,
    }


def test_errors_what_was_sent_is_neither_in_the_answer_nor_in_the_log(faulty, written):
    headers = {"X-Api-Key": SECRET, "Cookie": f"session={SECRET}", "User-Agent": SECRET, "Referer": f"http://{SECRET}"}
    headers |= {"X-Request-Id": SECRET + "!", "If-None-Match": f'"{SECRET}"', "X-Forwarded-For": SECRET}
    body = {"password": SECRET, "by": SECRET, SECRET: SECRET}
    asked = [
        faulty.post(f"/api/v1/broken/{SECRET}", params={"name": SECRET}, json=body, headers=headers),
        faulty.post("/sign-in", data={"login": SECRET, "password": SECRET, "token": SECRET}, headers=headers),
        faulty.get("/", params={"token": SECRET}, headers=headers),
        faulty.get("/api/v1/units", headers=headers | {"Authorization": f"Bearer {SECRET}"}),
        faulty.get("/api/v1/units", headers=headers | {"Host": SECRET}),
        faulty.get("/api/v1/units", params={"cursor": SECRET, "limit": SECRET, SECRET: SECRET}, headers=headers),
        faulty.post("/api/v1/training-runs", json=[body], headers=headers),
        faulty.post("/api/v1/training-runs", content=SECRET, headers=headers),
        faulty.post("/api/v1/training-runs", json={"by": "x"}, headers=headers | {"Idempotency-Key": f"{SECRET}\t"}),
        faulty.request("BREW" + SECRET[:5], "/api/v1/units", headers=headers),
    ]
    assert [answer.status_code for answer in asked][:1] == [500]
    assert all(answer.status_code >= 400 for answer in asked)
    told = [answer.text for answer in asked if f"/{SECRET}" not in answer.text]  # `instance` is the address asked for
    assert len(told) == len(asked) - 1
    for text in (*told, written.getvalue()):
        assert SECRET not in text
        assert TOKEN not in text
        assert "Traceback" not in text
    assert "serving/" not in "".join(told)


def test_errors_a_fault_is_told_by_its_kind_and_place(faulty, written):
    answer = faulty.post(f"/api/v1/broken/{SECRET}", json={})
    assert answer.status_code == 500
    assert "ValueError" not in answer.text
    (event,) = [one for one in events(written) if "error" in one]
    assert event["level"] == "error"
    assert event["request"] == answer.json()["request_id"]
    assert (event["error"]["type"], event["error"]["cause"]) == ("ValueError", "KeyError")
    assert event["error"]["at"][0].endswith(" broken")
    assert any(place.startswith("serving/") for place in event["error"]["at"])


def test_what_came_from_outside_cannot_begin_a_line_of_its_own():
    for form in ("json", "text"):
        stream = io.StringIO()
        handler = _handler_of(form, stream)
        record = logging.LogRecord("loadline.x", logging.INFO, "", 1, "a\nb\r\x1b[2Jc %s", ("d\u2028e",), None)
        handler.handle(record)
        assert stream.getvalue().count("\n") == 1
        assert len(stream.getvalue().splitlines()) == 1
        assert "\x1b" not in stream.getvalue()


def _handler_of(form: str, stream: io.StringIO) -> logging.Handler:
    from serving.logs import JsonLines, TextLines

    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    return handler


def test_people_read_text(written):
    configure(form="text", level="info", stream=written)
    logging.getLogger("loadline.access").info("request", extra={"fields": {"operation": "get_unit", "status": 200}})
    logging.getLogger("loadline.x").debug("not told")
    assert "INFO    request  operation=get_unit status=200" in written.getvalue()
    assert "not told" not in written.getvalue()


def test_a_thread_that_fails_is_logged_without_what_it_held(written):
    def fail() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (event,) = events(written)
    assert event["error"]["type"] == "ValueError"
    assert SECRET not in written.getvalue()


def test_errors_a_database_error_names_no_value(trained):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    with trained.database.read() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT missing FROM people WHERE login = :login"), {"login": SECRET})
    assert SECRET not in json.dumps(fault(caught.value))
