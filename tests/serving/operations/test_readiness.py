"""Readiness: each component that is missing is told, and a service that is about to stop is not ready."""

from collections import namedtuple

import pytest
from serving_home import ADDRESS, BEARER, NOW, TOKEN
from starlette.testclient import TestClient

from serving import readiness
from serving.advisor import Advisor
from serving.app import create_app
from serving.draining import Draining
from serving.settings import Settings


def asked(advisor: Advisor, draining: Draining | None = None) -> TestClient:
    app = create_app(advisor, token=TOKEN, draining=draining)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


def test_drain_a_service_that_is_told_to_stop_is_not_ready_and_keeps_no_connection(empty):
    draining = Draining()
    client = asked(empty, draining)
    assert "connection" not in client.get("/healthz").headers
    draining.begin()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "stopping", "components": {}})
    assert ready.headers["connection"] == "close"
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/v1/snapshots", headers=BEARER).status_code == 200


def test_a_database_that_is_away_is_told_and_what_needs_it_gets_503(trained_home):
    url = "postgresql://nobody:secret@127.0.0.1:9/none"
    settings = Settings(home=trained_home, token=None, store_url=None, rate=0, database_url=url)
    client = asked(Advisor(settings, clock=lambda: NOW))
    assert client.get("/readyz").json()["components"]["database"] == "missing"
    asked_again = {**BEARER, "Idempotency-Key": "k"}
    answer = client.post("/api/v1/alerts/x/notes", json={"by": "x", "words": "y"}, headers=asked_again)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    for word in ("secret", "nobody", ":9"):
        assert word not in answer.text
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("free", "state", "status"), [(1 << 40, "ok", 200), (100 << 20, "degraded", 200), (1, "missing", 503)]
)
def test_space_that_runs_out_is_told_before_it_is_gone(trained, client, monkeypatch, free, state, status):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _: usage(1 << 40, 0, free))
    assert client.get("/api/v1/targets/N01").status_code == 200
    desk = client.app.state.desk
    desk._state = (float("-inf"), {})  # what was looked up before is let go
    answer = client.get("/readyz")
    desk._state = (float("-inf"), {})
    assert (answer.status_code, answer.json()["components"]["space"]) == (status, state)
