"""`clock` and header tricks, on the whole application."""

import time
from datetime import timedelta

import pytest
from serving_home import ADDRESS, BEARER, NOW, TOKEN
from starlette.testclient import TestClient

from serving.advisor import Advisor
from serving.app import create_app
from serving.settings import Settings


@pytest.fixture
def zone(monkeypatch):
    """A zone of the machine that is hours and a half away from UTC, which must not matter."""
    monkeypatch.setenv("TZ", "America/St_Johns")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_clock_a_jump_of_a_day_breaks_nothing_wherever_the_machine_is(trained_home):
    now = [NOW]
    settings = Settings(home=trained_home, token=None, store_url=None, rate=0)
    client = TestClient(
        create_app(Advisor(settings, clock=lambda: now[0]), token=TOKEN),
        base_url=ADDRESS,
        raise_server_exceptions=False,
        follow_redirects=False,
    )
    for jump in (timedelta(0), timedelta(days=1), timedelta(days=-2), timedelta(days=1, seconds=1)):
        now[0] += jump
        for path in ("/healthz", "/api/v1/units?limit=1", "/api/v1/indicators", "/api/v1/training-runs"):
            assert client.get(path, headers=BEARER).status_code == 200, (path, jump)
        signed_in = client.get("/", params={"token": TOKEN})
        assert signed_in.status_code == 303
        assert client.get("/units").status_code == 200  # with the session just begun
        client.cookies.clear()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-HTTP-Method-Override": "DELETE"}, 200),
        ({"X-Method-Override": "POST", "X-HTTP-Method": "PUT"}, 200),
        ({"Range": "bytes=999999999999999999999-,-1,0-0,5-3"}, 200),
        ({"If-Range": "x", "Range": "bytes=0-1"}, 200),
        ({"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Original-URL": "/metrics"}, 200),
        ({"X-Rewrite-URL": "/metrics", "X-Forwarded-Prefix": "/x", "X-Forwarded-Proto": "gopher"}, 200),
        ({"Accept": "*/*;q=x, " * 2_000}, 200),
        ({"Accept-Language": "zh-" * 5_000}, 200),
        ({"If-None-Match": "W/" * 9_000}, 200),
        ({"Cookie": "a=" + ";" * 9_000}, 200),
        ({"Host": "127.0.0.1:8321, evil.example"}, 400),
        ({"Host": "evil.example"}, 400),
        ({"Host": ""}, 400),
    ],
)
def test_header_tricks_change_nothing(client, headers, status):
    answer = client.get("/api/v1/units?limit=1", headers=headers)
    assert answer.status_code == status
    assert "evil" not in answer.text
    if status == 200:
        assert answer.json() == client.get("/api/v1/units?limit=1").json()


def test_header_tricks_two_hosts_are_refused(client):
    hosts = [("Host", "127.0.0.1:8321"), ("Host", "127.0.0.1:8321")]
    assert client.get("/api/v1/units", headers=hosts).status_code == 400


@pytest.mark.parametrize("given", ["a" * 7, "a" * 65, "x y z w v u", "<script>alert(1)</script>", "12345678\t"])
def test_header_tricks_an_id_of_a_request_is_taken_only_where_it_is_plain(client, given):
    told = client.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"]
    assert told != given
    assert len(told) == 16
