"""Simulations: asked for over the API, done by a process of its own, taken up again after a kill, cancelled."""

import shutil
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from acting_as import People
from postgres import advisor_on
from score_home import policy_document
from serving_home import LAST_YEAR, advisor_at

from serving.access.principal import LOCAL, Grant, Role, acting
from serving.simulation_jobs import SimulationJobs
from serving.simulation_lease import LEASE, CancelledError, kept_alive
from serving.simulation_question import Question
from serving.simulations import MOST_ATTEMPTS

SIMULATIONS = "/api/v1/simulations"
POLICY = yaml.safe_dump(policy_document(), allow_unicode=True)
MERGER = f"change: 1\nkind: merger\nfrom: '{LAST_YEAR}'\nunits: [N01, N02]\ninto: N01\n"
WAIT = 120
"""Seconds: generous, since other tests share the machine."""
NOBODY = (sys.executable, "-c", "")


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.fixture(scope="module")
def people(trained_home, tmp_path_factory) -> People:
    """Those who ask for what nobody works on."""
    advisor = advisor_at(shutil.copytree(trained_home, tmp_path_factory.mktemp("simulated") / "home"))
    found = People(advisor)
    found.app.state.simulation_jobs = SimulationJobs(advisor, command=NOBODY)
    found.app.state.simulation_jobs.close()
    return found


@pytest.fixture
def on_each(own_home, database):
    return advisor_on(own_home, database)


def asked_of(advisor, **question) -> str:
    with acting(LOCAL):
        return advisor.simulations.ask(Question(policy=POLICY, **question))[0]["id"]


def test_a_process_of_its_own_does_what_is_asked_even_after_one_was_killed(own_home):
    advisor = advisor_at(own_home)
    advisor._clock = lambda: datetime.now(UTC)
    people = People(advisor)
    hr = people.client(Grant(Role.HR))
    note = own_home / "killed"
    script = (
        "import os, pathlib, signal, sys\n"
        "from serving import simulating, simulation_worker\n"
        "home, worker = sys.argv[1:3]\n"
        f"note = pathlib.Path({str(note)!r})\n"
        "if not note.exists():\n"
        "    note.touch()\n"
        "    simulating.Simulating.simulate = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.exit(simulation_worker.main(home, worker))\n"
    )
    command = (sys.executable, "-c", script, str(own_home))
    jobs = people.app.state.simulation_jobs = SimulationJobs(advisor, command=command, poll=0.05)
    answer = hr.post(SIMULATIONS, json={"document": POLICY, "title": "更重风险", "point_value": 1000})
    assert answer.status_code == 202, answer.text
    address, deadline = answer.headers["location"], time.monotonic() + WAIT
    while (found := hr.get(address).json())["state"] not in ("done", "failed"):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    jobs.close()
    assert found["state"] == "done", found
    assert note.exists()
    assert advisor.simulations.find(found["id"])["attempts"] == 2
    assert found["result"]["versions"]["policy_after"] == "branches@1"
    assert {"statements", "groups", "obligations", "retrain"} <= set(found["result"])
    report = hr.get(f"{address}/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert len(report.text) > 5_000
    assert hr.post(f"{address}/cancel", json={}).json()["state"] == "done"


def test_one_is_done_at_a_time_and_a_dead_worker_is_followed_by_another(on_each):
    now = [datetime(2025, 1, 15, tzinfo=UTC)]
    on_each._clock = lambda: now[0]
    first, second = asked_of(on_each), asked_of(on_each)
    simulations = on_each.simulations
    mine = simulations._claim("one")
    assert mine is not None
    assert mine["id"] == min((first, second))
    assert simulations._claim("two") is None
    assert not simulations.due()
    now[0] += LEASE + timedelta(seconds=1)
    again = simulations._claim("two")
    assert again is not None
    assert again["id"] == mine["id"]
    with kept_alive(on_each, mine["id"], "one") as told, pytest.raises(CancelledError):
        told("replaying", 0, 1)  # who was taken for dead does not go on
    simulations._end(mine["id"], "one", state="done", result={})
    assert simulations.find(mine["id"])["state"] == "running"
    for _ in range(MOST_ATTEMPTS - 2):
        simulations.release("two")
        assert simulations._claim("two") is not None
    simulations.release("two")
    other = simulations._claim("two")
    assert other is not None
    assert other["id"] == max((first, second))
    assert simulations.find(mine["id"])["state"] == "failed"


def test_what_is_cancelled_stops_and_what_cannot_be_done_says_why(on_each):
    simulations = on_each.simulations
    waiting = asked_of(on_each)
    with acting(LOCAL):
        assert simulations.cancel(waiting)["state"] == "cancelled"
    running = asked_of(on_each, known_on="1950-01-01")  # nothing was known by then

    def cancel(stage: str, done: int, total: int) -> None:
        with acting(LOCAL):
            simulations.cancel(running)

    assert simulations.work("one", progress=cancel)
    assert simulations.find(running)["state"] in ("cancelled", "failed")
    late = asked_of(on_each, known_on="1950-01-01")
    assert simulations.work("one")
    assert (simulations.find(late)["state"], simulations.work("one")) == ("failed", False)
    assert simulations.find(late)["trouble"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"policy": "retail-line", "document": POLICY}, 422),
        ({"policy": "nobody"}, 404),
        ({"policy": "../../etc/passwd"}, 422),
        ({"policy": "/etc/passwd"}, 422),
        ({"document": "a: &a [*a]"}, 422),
        ({"document": POLICY, "period": "1999"}, 422),
        ({"document": POLICY, "period": "2024", "from": "2023"}, 422),
        ({"document": POLICY, "from": "2024", "to": "2020"}, 422),
        ({"document": POLICY, "point_value": -1}, 422),
        ({"document": POLICY, "point_value": True}, 422),
        ({"document": POLICY, "known_on": 5}, 422),
        ({"change": "change: 1\nkind: riot\n"}, 422),
        ({"change": "[" * 5_000}, 422),
        (
            {
                "change": "change: 1\nkind: definition\nfrom: '2024'\nindicator: LOANS\nversion: '2'\n"
                "treatment: restate\ntable: /etc/passwd\n"
            },
            422,
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused(people, body, status):
    hr = people.client(Grant(Role.HR))
    before = hr.get(SIMULATIONS).json()["total"]
    problem = problem_of(hr.post(SIMULATIONS, json=body), status)
    assert "root:" not in str(problem)
    assert hr.get(SIMULATIONS).json()["total"] == before


def test_a_question_stays_what_it_was_and_a_request_sent_again_is_one(people):
    hr = people.client(Grant(Role.HR))
    key, body = {"Idempotency-Key": "one"}, {"policy": "retail-line", "change": MERGER}
    first, again = (hr.post(SIMULATIONS, json=body, headers=key) for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (202, again.json()["id"])
    found = hr.get(first.headers["location"]).json()
    assert yaml.safe_load(found["question"]["policy"])["id"] == "retail-line"
    assert found["question"]["change"] == MERGER
    assert found["result"] is None
    problem_of(hr.get(f"{first.headers['location']}/report"), 404)
    assert hr.post(f"{first.headers['location']}/cancel", json={}).json()["state"] == "cancelled"
    problem_of(hr.get(f"{SIMULATIONS}/{'0' * 32}"), 404)
    problem_of(people.manager("N01").get(SIMULATIONS), 403)
    problem_of(people.client(Grant(Role.RISK)).post(SIMULATIONS, json=body), 403)
    problem_of(people.client(Grant(Role.HR, "N01")).get(SIMULATIONS), 403)
