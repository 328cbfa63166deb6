"""What Prometheus scrapes: counted by operation, open to those who may, and summed over processes."""

import asyncio
import os
import subprocess
import sys

import pytest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from pydantic import SecretStr
from serving_home import ADDRESS, BEARER, BRANCHES, NOW, REGIONS, TOKEN
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from features.errors import LoadlineError
from serving.access.principal import Role
from serving.access.rules import RULES
from serving.advisor import Advisor
from serving.app import create_app
from serving.metrics import MIN_LENGTH, Metrics, Scrape, checked

SCRAPER = "a-token-for-the-scraper-alone"


@pytest.fixture(scope="module")
def watched(trained):
    """An application of its own, whose counts are its own."""
    settings = trained.settings.model_copy(update={"metrics_token": SecretStr(SCRAPER)})
    app = create_app(Advisor(settings, clock=lambda: NOW), token=TOKEN)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.values()))] = sample.value
    return found


def test_requests_are_counted_by_operation_and_name_no_unit(watched):
    for unit in ("N01", "N02", "not-there"):
        watched.get(f"/api/v1/units/{unit}", headers=BEARER)
    watched.get("/api/v1/nothing-here", headers=BEARER)
    watched.get("/api/v1/units")
    watched.request("BREW", "/api/v1/units", headers=BEARER)
    text = watched.get("/metrics", headers=BEARER).text
    found = samples(text)
    assert found["loadline_requests_total", ("200", "GET", "get_unit")] == 2
    assert found["loadline_requests_total", ("404", "GET", "get_unit")] == 1
    assert found["loadline_request_seconds_count", ("get_unit",)] == 3
    assert found["loadline_requests_total", ("404", "GET", "none")] == 1
    assert found["loadline_requests_total", ("401", "GET", "none")] == 1
    assert found["loadline_requests_total", ("405", "none", "other")] == 1
    assert found["loadline_requests_in_flight", ()] == 1  # the scrape itself
    for name in (*BRANCHES, *REGIONS, "not-there", "nothing-here", "BREW"):
        assert f'"{name}"' not in text


def test_versions_and_components_are_told(client):
    assert client.get("/api/v1/targets/N01").status_code == 200
    found = samples(client.get("/metrics").text)
    assert found["loadline_version_info", ("1", "data")] == 1
    assert [name for name, labels in found if name == "loadline_version_info" and "targets" in labels]
    assert found["loadline_component_ok", ("database",)] == 1
    assert found["loadline_home_free_bytes", ()] > 0
    assert ("loadline_database_connections", ("used",)) in found


def test_failed_attempts_to_sign_in_are_counted(watched):
    before = samples(watched.get("/metrics", headers=BEARER).text)["loadline_sign_in_failures_total", ()]
    assert watched.post("/sign-in", data={"token": "wrong"}).status_code == 401
    after = samples(watched.get("/metrics", headers=BEARER).text)["loadline_sign_in_failures_total", ()]
    assert after == before + 1


def test_the_scraper_has_a_token_that_opens_nothing_else(watched, client):
    scraper = {"Authorization": f"Bearer {SCRAPER}"}
    assert watched.get("/metrics", headers=scraper).status_code == 200
    assert watched.get("/api/v1/units", headers=scraper).status_code == 401
    assert watched.post("/metrics", headers=scraper).status_code == 401
    assert watched.get("/metrics").status_code == 401
    assert watched.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}x"}).status_code == 401
    assert client.get("/metrics", headers=scraper).status_code == 401  # where none is set
    assert RULES["metrics"].roles == {Role.ADMIN, Role.DATA_SCIENTIST}


CHILD = """
from serving.metrics import MIN_LENGTH, Metrics, checked
import os, sys
metrics = Metrics()
for _ in range(int(sys.argv[1])):
    metrics.begun()
    metrics.ended(operation="get_unit", method="GET", status=200, seconds=0.01)
metrics.begun()
if sys.argv[1] == "4":
    print(metrics.text().decode())
os._exit(0)
"""


def test_several_processes_give_one_sum(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for number in ("3", "4"):
        command = [sys.executable, "-c", CHILD, number]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    found = samples(done.stdout)
    assert found["loadline_requests_total", ("200", "GET", "get_unit")] == 7
    assert found["loadline_request_seconds_count", ("get_unit",)] == 7


def test_an_application_counts_for_itself():
    one, other = Metrics(), Metrics()
    one.begun()
    assert samples(other.text().decode())["loadline_requests_in_flight", ()] == 0


def test_a_token_for_the_scraper_that_could_be_guessed_is_refused():
    assert checked(None) is None
    with pytest.raises(LoadlineError, match="fewer") as caught:
        checked(SecretStr("x" * (MIN_LENGTH - 1)))
    assert caught.value.where == "LOADLINE_METRICS_TOKEN"


def test_a_scrape_by_its_token_waits_for_the_database_beside_the_other_requests():
    class Looking(Collector):
        def describe(self):
            return []

        def collect(self):
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            yield GaugeMetricFamily("looked", "Looked into.", value=1)

    metrics = Metrics(also=(Looking(),))
    caller = TestClient(Scrape(PlainTextResponse("behind"), metrics=metrics, token=SecretStr(SCRAPER)))
    answer = caller.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
    assert "looked 1.0" in answer.text
