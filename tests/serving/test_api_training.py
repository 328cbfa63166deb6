"""Training runs over the API: asked for, worked on by a process of its own, followed, stopped and refused."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import plain_worker
import pytest
from console_reader import person_at
from serving_home import ADDRESS, BEARER, LAST_YEAR, TOKEN, advisor_at, write_dataset
from starlette.testclient import TestClient

from features.indicators import Title
from serving.app import create_app
from serving.jobs import MOST_STARTS, Jobs
from training.retraining.runs import RUNS, Runs

RUNS_AT = "/api/v1/training-runs"
ASKED = {"by": "Li Ming", "reason": "The definition of LOANS has changed."}
WAIT = 60
"""Seconds: generous, since other tests share the machine."""
NOBODY = (sys.executable, "-c", "")
"""A worker that does nothing."""


def worker_for(home: Path, *more: str) -> tuple[str, ...]:
    return (sys.executable, plain_worker.__file__, str(home), *more)


def client_of(advisor, command=NOBODY) -> TestClient:
    jobs = Jobs(advisor, command=command, poll=0.05)
    app = create_app(advisor, token=TOKEN, jobs=jobs)
    return TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def ended(client: TestClient, address: str) -> dict:
    deadline = time.monotonic() + WAIT
    while (found := client.get(address).json())["state"] not in ("done", "failed", "cancelled"):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def stored_home(tmp_path_factory) -> Path:
    """A home with data. Not to be changed: it is copied."""
    place = tmp_path_factory.mktemp("stored")
    advisor_at(place / "home").ingest(write_dataset(place / "dataset"))
    return place / "home"


@pytest.fixture
def advisor(stored_home, tmp_path):
    return advisor_at(shutil.copytree(stored_home, tmp_path / "home"))


@pytest.fixture
def client(advisor):
    """Asks for runs that nobody works on."""
    return client_of(advisor)


@pytest.fixture(scope="module")
def refused(stored_home, tmp_path_factory):
    """Asks for what is never granted."""
    return client_of(advisor_at(shutil.copytree(stored_home, tmp_path_factory.mktemp("refused") / "home")))


@pytest.fixture(scope="module")
def granted(stored_home, tmp_path_factory):
    """Has asked for a run, and asks for no other."""
    found = client_of(advisor_at(shutil.copytree(stored_home, tmp_path_factory.mktemp("granted") / "home")))
    assert found.post(RUNS_AT, json=ASKED).status_code == 202
    return found


def test_a_request_is_worked_on_by_a_process_of_its_own_and_can_be_followed(advisor):
    client = client_of(advisor, worker_for(advisor.settings.home))
    answer = client.post(RUNS_AT, json=ASKED)
    assert answer.status_code == 202, answer.text
    run, address = answer.json(), answer.headers["location"]
    assert address == f"{RUNS_AT}/{run['name']}"
    assert (run["by"], run["reason"], run["dataset"]) == ("Li Ming", ASKED["reason"], "hostile-bank")
    assert (run["as_of"], run["latest"], run["data_version"]) == (str(LAST_YEAR), True, 1)
    assert run["kinds"] == ["target", "warning"]
    found = ended(client, address)
    assert found["state"] == "done"
    assert [step["step"] for step in found["steps"]] == list(plain_worker.STEPS)
    assert {step["state"] for step in found["steps"]} == {"done"}
    assert all(step["seconds"] >= 0 for step in found["steps"])
    assert [event["kind"] for event in found["events"]][-1] == "done"
    assert [(one["subject"], one["what"]) for one in found["decision"]] == [("target", "retrain")]
    assert "LOANS" in found["decision"][0]["why"][0]["zh"]
    assert found["result"]["text"]["zh"] == "未训练。"
    assert found["progress"] is None


def test_a_service_that_starts_has_what_is_waiting_worked_on(advisor):
    address = client_of(advisor).post(RUNS_AT, json=ASKED).headers["location"]
    assert client_of(advisor).get(address).json()["state"] == "queued"
    with client_of(advisor, worker_for(advisor.settings.home)) as client:
        assert ended(client, address)["state"] == "done"


def test_a_worker_that_is_killed_leaves_its_run_to_the_next(advisor):
    client = client_of(advisor, worker_for(advisor.settings.home, "die"))
    address = client.post(RUNS_AT, json=ASKED).headers["location"]
    found = ended(client, address)
    assert found["state"] == "done"
    assert found["steps"][0]["attempts"] == 2
    assert "resumed" in [event["kind"] for event in found["events"]]


def test_a_worker_that_does_nothing_is_not_started_for_ever(advisor, tmp_path, caplog):
    note = tmp_path / "starts"
    client = client_of(advisor, (sys.executable, "-c", f"open({str(note)!r}, 'a').write('x')"))
    run = client.post(RUNS_AT, json=ASKED).json()
    deadline = time.monotonic() + WAIT
    while "ended without finishing" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    assert note.read_text() == "x" * MOST_STARTS
    assert client.get(f"{RUNS_AT}/{run['name']}").json()["state"] == "queued"


def test_requests_that_come_while_a_worker_ends_are_not_left_waiting(advisor):
    client = client_of(advisor, worker_for(advisor.settings.home))
    names = [client.post(RUNS_AT, json=ASKED | {"seed": seed}).json()["name"] for seed in range(4)]
    assert len(set(names)) == 4
    for name in names:
        assert ended(client, f"{RUNS_AT}/{name}")["state"] == "done"


def test_a_worker_knows_the_store_and_the_registry_and_not_the_key(advisor, tmp_path, monkeypatch):
    monkeypatch.setenv("LOADLINE_TOKEN", TOKEN)
    told = tmp_path / "told.json"
    settings = advisor.settings.model_copy(update={"tracking_uri": "http://127.0.0.1:1", "store_url": None})
    advisor.settings = settings
    code = f"import json, os; json.dump({{**os.environ, 'session': os.getsid(0)}}, open({str(told)!r}, 'w'))"
    client_of(advisor, (sys.executable, "-c", code)).post(RUNS_AT, json=ASKED)
    deadline = time.monotonic() + WAIT
    while not told.exists() or not told.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.05)
    given = json.loads(told.read_text())
    assert given["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:1"
    assert TOKEN not in given.values()
    assert given["session"] != os.getsid(0)  # what stops the service does not stop the worker


def test_the_same_request_is_one_run_and_another_is_another(client):
    first = client.post(RUNS_AT, json=ASKED)
    again = client.post(RUNS_AT, json={"by": "Wang Fang", "reason": "asked once more"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()  # who asked first stays on record
    other = client.post(RUNS_AT, json=ASKED | {"kinds": ["target"]})
    assert other.status_code == 202
    assert other.json()["name"] != first.json()["name"]
    assert client.post(RUNS_AT, json=ASKED | {"kinds": ["warning", "target"]}).json() == first.json()


def test_many_who_ask_at_once_get_one_run(client):
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(client.post(RUNS_AT, json=ASKED)), daemon=True) for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT)
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json()["name"] for answer in answers}) == 1


def test_a_key_names_a_request_for_good(client, advisor):
    key = {"Idempotency-Key": "first/../key"}
    first = client.post(RUNS_AT, json=ASKED, headers=key)
    assert first.status_code == 202
    assert client.post(RUNS_AT, json=ASKED, headers=key).json()["name"] == first.json()["name"]
    run = Runs(advisor.settings.home, lambda: datetime.now(UTC)).find(first.json()["name"])
    run.say("failed", Title(en="It failed.", zh="失败。"))
    answer = client.post(RUNS_AT, json=ASKED, headers=key)  # without the key, it would be another attempt
    assert (answer.status_code, answer.json()["name"]) == (200, run.name)
    problem = problem_of(client.post(RUNS_AT, json=ASKED | {"seed": 2}, headers=key), 422)
    assert "Idempotency-Key" in problem["detail"]
    new = client.post(RUNS_AT, json=ASKED, headers={"Idempotency-Key": "second"})
    assert (new.status_code, new.json()["attempt"]) == (202, 2)
    assert key["Idempotency-Key"] not in (advisor.settings.home / RUNS / "keys.jsonl").read_text()


def test_what_has_ended_is_run_again_only_where_that_is_asked(client, advisor):
    name = client.post(RUNS_AT, json=ASKED).json()["name"]
    Runs(advisor.settings.home, lambda: datetime.now(UTC)).find(name).say("done", Title(en="Done.", zh="完成。"))
    assert client.post(RUNS_AT, json=ASKED).json()["name"] == name
    again = client.post(RUNS_AT, json=ASKED | {"again": True})
    assert (again.status_code, again.json()["attempt"]) == (202, 2)
    assert client.post(RUNS_AT, json=ASKED | {"again": True}).json()["name"] == again.json()["name"]  # not ended yet


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"by": ""}, "body.by"),
        ({"by": "Li\x1b[2JMing"}, "body.by"),
        ({"by": "Li\nMing"}, "body.by"),
        ({"reason": ""}, "body.reason"),
        ({"seed": "7"}, "body.seed"),
        ({"seed": 7.0}, "body.seed"),
        ({"seed": True}, "body.seed"),
        ({"seed": -1}, "body.seed"),
        ({"trials": 10**9}, "body.trials"),
        ({"kinds": []}, "body.kinds"),
        ({"kinds": ["scores"]}, "body.kinds.0"),
        ({"again": 1}, "body.again"),
        ({"as_of": "x" * 11}, "body.as_of"),
        ({"home": "/etc"}, "body.home"),
    ],
)
def test_what_is_asked_is_read_strictly(refused, changed, where):
    problem = problem_of(refused.post(RUNS_AT, json=ASKED | changed), 422)
    assert where in [entry["where"] for entry in problem["errors"]]
    assert refused.get(RUNS_AT).json()["total"] == 0


def test_data_and_periods_that_are_not_there_are_refused(client, tmp_path):
    assert "no-bank" in problem_of(client.post(RUNS_AT, json=ASKED | {"dataset": "no-bank"}), 404)["detail"]
    assert "1999" in problem_of(client.post(RUNS_AT, json=ASKED | {"as_of": "1999"}), 422)["detail"]
    problem_of(client.post(RUNS_AT, json=ASKED | {"as_of": "soon"}), 422)
    problem_of(client_of(advisor_at(tmp_path / "nothing")).post(RUNS_AT, json=ASKED), 409)
    problem_of(client.post(RUNS_AT, json=ASKED | {"by": "   "}), 422)
    problem_of(client.post(RUNS_AT, content=b"{"), 415)
    said = {"Content-Type": "application/json"}
    problem_of(client.post(RUNS_AT, content=b"{", headers=said), 422)
    problem_of(client.post(RUNS_AT, content=b'{"by": "\\ud800", "reason": "half a letter"}', headers=said), 422)
    assert client.get(RUNS_AT).json() == {"items": [], "total": 0, "next_cursor": None}


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e", "lock", "%2e%2e%2fmodels", "a%00b", "x" * 101])
def test_names_lead_nowhere(granted, name):
    for path in (name, f"{name}/events"):
        assert granted.get(f"{RUNS_AT}/{path}").status_code in (404, 422)
    assert granted.post(f"{RUNS_AT}/{name}/cancel", json={"by": "Li Ming"}).status_code in (404, 405, 422)


def test_pages_are_complete_newest_first_and_filtered(client):
    names = [client.post(RUNS_AT, json=ASKED | {"seed": seed}).json()["name"] for seed in range(5)]
    seen, cursor = [], None
    for _ in range(4):
        page = client.get(RUNS_AT, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [run["name"] for run in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(names)
    assert page["total"] == 5
    assert client.get(RUNS_AT, params={"state": "queued"}).json()["total"] == 5
    assert client.get(RUNS_AT, params={"state": "done"}).json()["total"] == 0
    assert client.get(RUNS_AT, params={"dataset": "hostile-bank"}).json()["total"] == 5
    problem_of(client.get(RUNS_AT, params={"state": "asleep"}), 422)
    problem_of(client.get(RUNS_AT, params={"dataset": "no-bank"}), 404)
    problem_of(client.get(RUNS_AT, params={"cursor": "Q04tQko"}), 422)


def test_events_are_given_from_where_the_caller_is(client, advisor):
    name = client.post(RUNS_AT, json=ASKED).json()["name"]
    run = Runs(advisor.settings.home, lambda: datetime.now(UTC)).find(name)
    run.say("started", Title(en="<b>", zh="甲"), step="read", figures={"units": 3})
    address = f"{RUNS_AT}/{name}/events"
    every = client.get(address)
    assert [event["number"] for event in every.json()["items"]] == [1, 2]
    later = client.get(address, params={"after": 1}).json()
    assert [event["figures"] for event in later["items"]] == [{"units": 3}]
    assert later["state"] == "interrupted"  # begun, and nobody works on it
    assert client.get(address, params={"after": later["last"]}).json()["items"] == []
    problem_of(client.get(address, params={"after": -1}), 422)
    tag = every.headers["etag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    run.say("finished", Title(en="x", zh="乙"), step="read")
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200
    step = client.get(f"{RUNS_AT}/{name}").json()["steps"][0]
    assert (step["step"], step["state"], step["attempts"]) == ("read", "done", 1)


def test_a_run_is_stopped_once_and_says_who_asked(client, advisor):
    name = client.post(RUNS_AT, json=ASKED).json()["name"]
    address = f"{RUNS_AT}/{name}/cancel"
    for _ in range(2):
        answer = client.post(address, json={"by": "Wang Fang", "reason": "wrong period"})
        assert answer.status_code == 202
        assert answer.json()["cancelling"] is True
    events = client.get(f"{RUNS_AT}/{name}/events").json()["items"]
    assert [event["text"]["en"] for event in events if event["kind"] == "note"] == [
        "Wang Fang asked for it to stop: wrong period"
    ]
    working = client_of(advisor, worker_for(advisor.settings.home))
    working.post(address, json={"by": "Wang Fang"})  # wakes a worker, so that the run is closed
    assert ended(working, f"{RUNS_AT}/{name}")["state"] == "cancelled"
    problem_of(client.post(address, json={"by": "Wang Fang"}), 409)
    problem_of(client.post(address, json={}), 422)
    problem_of(client.post(f"{RUNS_AT}/nobody/cancel", json={"by": "x"}), 404)


def test_the_report_on_scores_runs_nothing(client, advisor):
    name = client.post(RUNS_AT, json=ASKED).json()["name"]
    address = f"{RUNS_AT}/{name}/shadow-report"
    problem_of(client.get(address), 404)
    assert "shadow-report" not in client.get(f"/run?name={name}").text
    folder = advisor.training.run(name).work / "shadow"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<!doctype html><title>得分</title>", encoding="utf-8")
    answer = client.get(address)
    assert "得分" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert address in client.get(f"/run?name={name}").text


def test_a_session_may_read_and_not_ask(advisor):
    person = person_at(advisor)
    assert person.get(RUNS_AT).status_code == 200
    assert person.post(RUNS_AT, json=ASKED).status_code == 403


def test_answers_keep_to_their_description(client):
    run = client.post(RUNS_AT, json=ASKED).json()
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(run) == set(schemas["TrainingRun"]["properties"])
    assert set(client.get(f"{RUNS_AT}/{run['name']}").json()) == set(schemas["TrainingRunDetail"]["properties"])
    post = client.get("/openapi.json").json()["paths"][RUNS_AT]["post"]
    assert {"200", "202", "401", "403", "404", "409", "413", "422"} <= set(post["responses"])


SERVED = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from starlette.testclient import TestClient
from serving.app import create_app
from serving.jobs import Jobs
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at
advisor = advisor_at(Path(sys.argv[1]))
app = create_app(advisor, token=TOKEN, jobs=Jobs(advisor, command=(sys.executable, "-c", "")))
before = set(sys.modules)
with TestClient(app, base_url=ADDRESS, headers=BEARER) as client:
    asked = {"by": "x", "reason": "y"}
    name = client.post("/api/v1/training-runs", json=asked).json()["name"]
    for path in (f"/api/v1/training-runs/{name}", "/api/v1/training-runs", "/api/v1/models", "/api/v1/proposals",
                 "/api/v1/monitoring", "/models", "/training", f"/run?name={name}", "/watch"):
        found = client.get(path)
        assert found.status_code == 200, (path, found.text)
heavy = {"mlflow", "shap", "dask", "dbos", "optuna"} & set(sys.modules)
sys.exit(f"imported: {sorted(heavy)}" if heavy else 0)
"""


def test_the_service_trains_nothing_itself(advisor):
    tests = Path(plain_worker.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", SERVED, str(advisor.settings.home), str(tests)],
        capture_output=True,
        text=True,
        timeout=WAIT * 2,
    )
    assert done.returncode == 0, done.stderr
