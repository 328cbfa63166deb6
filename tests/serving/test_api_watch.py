"""The watch over models, over the API: what it finds, and proposals that a person decides."""

import sys

import pytest
from console_reader import Page, person_at
from model_home import LI, NAME
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at, write_dataset
from starlette.testclient import TestClient

from features.indicators import Title
from serving.app import create_app
from serving.console.formats import LANGUAGES
from serving.jobs import Jobs
from training.monitoring.finding import Finding
from training.monitoring.proposals import note_findings

PROPOSALS = "/api/v1/proposals"
DECISION = {"by": LI, "reason": "looked at on 15 January"}
ABOUT = {
    "dataset": "hostile-bank",
    "data_version": 1,
    "fingerprint": "f" * 64,
    "as_of": "2024",
    "known_on": "2024-12-31",
    "latest": True,
    "models": {"target": "abc", "warning": None},
}


def finding(check: str = "target.coverage", *, measured: float = 0.5, model: str = NAME) -> Finding:
    return Finding(
        check,
        Title(en="Coverage <b>", zh="覆盖率"),
        model,
        "abcdef012345",
        measured,
        (0.7, 0.92),
        (0.4, 0.6),
        120,
        "breach" if measured < 0.7 else "ok",
        Title(en="Half of the outcomes were inside.", zh="半数结果落在区间内。"),
        ({"indicator": "LOANS", "share": measured},),
        ("LOANS",),
    )


def proposed(advisor, *findings: Finding) -> None:
    note_findings(advisor.settings.home, findings, about=ABOUT, cool_down_days=28, clock=advisor.now)


@pytest.fixture
def advisor(tmp_path):
    found = advisor_at(tmp_path / "home")
    found.ingest(write_dataset(tmp_path / "dataset"))
    return found


@pytest.fixture
def client(advisor):
    app = create_app(advisor, token=TOKEN, jobs=Jobs(advisor, command=(sys.executable, "-c", ""), poll=0.05))
    return TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def test_proposals_are_listed_and_looked_up(client, advisor):
    assert client.get(PROPOSALS).json() == {"items": [], "total": 0, "next_cursor": None}
    proposed(advisor, finding(), finding("target.attainment"))
    first = client.get(PROPOSALS, params={"limit": 1}).json()
    rest = client.get(PROPOSALS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [entry["proposal"] for entry in first["items"] + rest["items"]] == ["P-0002", "P-0001"]
    assert (first["total"], rest["next_cursor"]) == (2, None)
    one = client.get(f"{PROPOSALS}/P-0001")
    assert (one.json()["state"], one.json()["kind"], one.json()["run"]) == ("open", "target", "")
    assert one.json()["finding"]["interval"] == [0.4, 0.6]
    assert [line["action"] for line in one.json()["lines"]] == ["opened"]
    assert client.get(f"{PROPOSALS}/P-0001", headers={"If-None-Match": one.headers["etag"]}).status_code == 304
    for name in ("P-0003", "..", "x" * 41):
        assert client.get(f"{PROPOSALS}/{name}").status_code in (404, 422)
    problem_of(client.get(PROPOSALS, params={"state": "asleep"}), 422)
    problem_of(client.get(PROPOSALS, params={"dataset": "no-bank"}), 404)
    problem_of(client.get(PROPOSALS, params={"cursor": "Q04tQko"}), 422)


def test_accepting_asks_for_one_run_and_dismissing_for_none(client, advisor):
    proposed(advisor, finding(), finding("target.attainment"))
    accepted = client.post(f"{PROPOSALS}/P-0001/accept", json=DECISION)
    assert accepted.status_code == 200, accepted.text
    run = client.get(f"/api/v1/training-runs/{accepted.json()['run']}").json()
    assert (run["kinds"], run["by"]) == (["target"], LI)
    assert "P-0001" in run["reason"]
    assert client.post(f"{PROPOSALS}/P-0001/accept", json=DECISION).json()["run"] == run["name"]
    dismissed = client.post(f"{PROPOSALS}/P-0002/dismiss", json=DECISION).json()
    assert (dismissed["state"], dismissed["lines"][-1]["reason"]) == ("dismissed", DECISION["reason"])
    assert client.get("/api/v1/training-runs").json()["total"] == 1
    assert client.get(PROPOSALS, params={"state": "open"}).json()["total"] == 0
    problem_of(client.post(f"{PROPOSALS}/P-0001/dismiss", json=DECISION), 409)
    problem_of(client.post(f"{PROPOSALS}/P-0009/accept", json=DECISION), 404)


@pytest.mark.parametrize(
    "changed", [{"by": " "}, {"by": "x"}, {"reason": ""}, {"reason": "no"}, {"by": 1}, {"run": "x"}]
)
def test_a_decision_needs_a_name_and_a_reason(client, advisor, changed):
    proposed(advisor, finding())
    problem_of(client.post(f"{PROPOSALS}/P-0001/accept", json=DECISION | changed), 422)
    assert client.get(f"{PROPOSALS}/P-0001").json()["state"] == "open"


def test_a_session_may_read_and_not_decide(advisor):
    proposed(advisor, finding())
    person = person_at(advisor)
    assert person.get(PROPOSALS).status_code == 200
    assert person.post(f"{PROPOSALS}/P-0001/accept", json=DECISION).status_code == 403


def test_a_look_without_a_model_says_that_there_is_too_little(client):
    answer = client.get("/api/v1/monitoring")
    assert answer.status_code == 200, answer.text
    look = answer.json()
    assert {entry["state"] for entry in look["findings"] if entry["check"].startswith("target.")} == {"too little data"}
    assert (look["dataset"], look["as_of"], look["open"]) == ("hostile-bank", "2024", [])
    assert client.get("/api/v1/monitoring", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(look) == set(schemas["WatchLook"]["properties"])
    assert set(look["findings"][0]) == set(schemas["WatchFinding"]["properties"])
    problem_of(client.get("/api/v1/monitoring", params={"dataset": "no-bank"}), 404)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_checks_and_what_is_proposed(advisor, language):
    other = "target-of-another-name"  # what a look at the present models leaves alone
    proposed(advisor, finding(model=other), finding("target.attainment", model=other))
    advisor.monitoring.dismiss("P-0002", by="<i>王芳</i>", reason="known effect")
    person = person_at(advisor)
    person.app.state.background.patience = 300.0  # pyright: ignore[reportAttributeAccessIssue]
    answer = person.get("/watch", params={"lang": language})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert not page.named("i")
    assert not page.named("script")
    assert "loadline proposals accept P-0001 --by NAME --reason TEXT" in page.text
    assert {"en": "Half of the outcomes were inside.", "zh": "半数结果落在区间内。"}[language] in page.text
    assert {"en": "dismissed", "zh": "不采纳"}[language] in page.text
    assert "refresh" not in answer.headers
    for _, attributes in page.tags:
        assert "style" not in attributes


def test_the_page_says_that_it_is_being_computed(advisor):
    from threading import Event

    person, held = person_at(advisor), Event()
    background = person.app.state.background  # pyright: ignore[reportAttributeAccessIssue]
    background.patience = 0.0
    background.soon("something else", held.wait)
    answer = person.get("/watch", params={"lang": "en"})
    assert answer.headers["refresh"] == "4"
    assert "asks again every 4 seconds" in answer.text
    held.set()
