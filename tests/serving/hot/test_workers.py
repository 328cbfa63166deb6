"""Small processes in front of the whole application: what they load, and what is lost when one is killed."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from running_service import WAIT, Running
from serving_home import BEARER, TOKEN, advisor_at
from small_processes import running_as, several
from waiting import until

from serving.access.principal import LOCAL, acting
from serving.hot.notice import read_notice

FRONT, WHOLE = "serving.hot.worker", "serving.whole"
FORBIDDEN = (
    "mlflow",
    "shap",
    "dask",
    "distributed",
    "dbos",
    "pandas",
    "sklearn",
    "pyarrow",
    "numba",
    "lightgbm",
    "fastapi",
)
MOST_MEGABYTES = 130
"""A small process has some 95; the whole application 400."""
ROW = {"rows": [[8.0, 1.2, None, 0.1, -1, 0.3]]}
BUDGET = """
import asyncio, json, sys
from pathlib import Path
from serving.draining import Draining
from serving.hot.order import Order
from serving.hot.worker import front_of
from serving.settings import Settings
home, token, path, forbidden = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4].split(",")
front = front_of(Order(Settings(home=home), token, (), home / "none.sock"), Draining())
front._watch.look()
async def ask(method, path, body):
    said = []
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}
    async def send(message):
        said.append(message)
    headers = [(b"host", b"localhost"), (b"authorization", b"Bearer " + token.encode()),
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await front({"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "scheme": "http", "client": ("127.0.0.1", 1), "http_version": "1.1"}, receive, send)
    return said[0]["status"]
row = b'{"rows": [[8.0, 1.2, null, 0.1, -1, 0.3]]}'
answered = [asyncio.run(ask(*one)) for one in (("GET", path, b""), ("POST", "/api/v1/predictions", row),
    ("POST", "/api/v1/predictions/explanation", row))]
used = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
print(json.dumps({"answered": answered, "loaded": [name for name in forbidden if name in sys.modules],
    "megabytes": int(used.split()[1]) / 1024}))
"""


@pytest.fixture(scope="module")
def home(warned_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(warned_home, tmp_path_factory.mktemp("several") / "home")


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Running]:
    """Two small processes and the whole application, which has told them what they may answer."""
    with several(home, workers=2) as server:
        until(lambda: (notice := read_notice(home)) is not None and notice.targets and notice.warnings)
        yield server
        ended = clients(server, 2, _until_told_to_leave)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)  # `drain`: whoever is connected gets the answer, and leaves
        until(lambda: not running_as(server, FRONT))
        assert ended() == []
    assert "Traceback" not in server.said


def clients(server: Running, count: int, work: Callable[[Callable, threading.Event], list]) -> Callable[[], list]:
    """Let some clients work, each on a connection of its own; what is given ends them and tells what they say."""
    stop, said = threading.Event(), []

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT)

        def ask(method: str, path: str, body: dict | None = None) -> tuple[int, bytes, bool]:
            headers = {**BEARER, "Content-Type": "application/json"}
            try:
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                return answer.status, answer.read(), answer.will_close
            except (OSError, http.client.HTTPException):
                connection.close()
                return 0, b"", True

        said.extend(work(ask, stop))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()

    def ended() -> list:
        stop.set()
        for thread in threads:
            thread.join()
        return said

    return ended


def _until_told_to_leave(ask: Callable, stop: threading.Event) -> list[str]:
    """Ask until an answer says that it is the last on its connection; give what went wrong."""
    while not stop.is_set():
        status, content, last = ask("POST", "/api/v1/predictions", ROW)
        if status != 200:
            return [f"{status}: {content[:200]!r}"]
        if last:
            return []
    return ["nobody said that it was the last answer"]


def test_import_budget(service: Running, home: Path) -> None:
    notice = read_notice(home)
    assert notice is not None
    script = [sys.executable, "-c", BUDGET, str(home), TOKEN, "/api/v1/targets/50%", ",".join(FORBIDDEN)]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answered"] == [200, 200, 200]
    assert found["loaded"] == []
    assert found["megabytes"] < MOST_MEGABYTES
    for number in running_as(service, FRONT):
        maps = Path(f"/proc/{number}/maps").read_text()
        assert "numpy" in maps
        assert not [name for name in FORBIDDEN if f"site-packages/{name}/" in maps and name != "lightgbm"]


def test_the_pages_and_all_else_pass_through(service: Running) -> None:
    status, headers, content = service.get("/", Accept="text/html")
    assert status == 200
    assert b"<html" in content
    assert "content-security-policy" in headers
    assert service.get("/readyz")[0] in (200, 503)
    assert service.get("/api/v1/units?limit=1")[0] == 200


def test_kill9_of_a_small_process_fails_at_most_what_is_in_flight(service: Running) -> None:
    before = running_as(service, FRONT)
    assert len(before) == 2

    def work(ask: Callable, stop: threading.Event) -> list[int]:
        return [ask("POST", "/api/v1/predictions", ROW)[0] for _ in iter(stop.is_set, True)]

    ended = clients(service, 4, work)
    time.sleep(0.3)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(set(running_as(service, FRONT)) - set(before)) == 1)
    said = ended()
    assert said.count(200) > 50
    assert len(said) - said.count(200) <= 4, "each client lost at most the one it was waiting for"


def test_kill9_of_the_whole_application_loses_no_acknowledged_write(service: Running, home: Path) -> None:
    (before,) = running_as(service, WHOLE)

    def work(ask: Callable, stop: threading.Event) -> list[str]:
        made = []
        while not stop.is_set():
            body = {"name": "written under load", "grants": [{"role": "auditor"}], "days": 1}
            status, content, _ = ask("POST", "/api/v1/keys", body)
            assert status in (0, 201, 503), content
            if status == 201:
                made.append(json.loads(content)["id"])
        return made

    ended = clients(service, 4, work)
    time.sleep(0.7)
    os.kill(before, signal.SIGKILL)
    predicted = service_predicts(service)
    until(lambda: running_as(service, WHOLE) not in ([], [before]) and service.get("/healthz")[0] == 200)
    time.sleep(0.3)
    made = ended()
    assert predicted == 200, "what is at hand is answered meanwhile"
    assert len(made) > 10
    advisor = advisor_at(home)
    kept = {key.id for key in advisor.identity.keys.list()}
    assert set(made) <= kept
    with acting(LOCAL):
        verdict = advisor.audit.verify()
    assert verdict.holds, verdict.findings
    advisor.database.close()


def service_predicts(server: Running) -> int:
    """Ask for a prediction on a connection of its own."""
    with suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT)
        connection.request(
            "POST", "/api/v1/predictions", json.dumps(ROW), {**BEARER, "Content-Type": "application/json"}
        )
        return connection.getresponse().status
    return 0
