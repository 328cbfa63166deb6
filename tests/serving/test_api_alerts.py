"""Alerts over the API: what is answered, described, written and refused."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from alert_home import REASON, RISKY, RISKY_KEY, risky_advisor, write_next_year
from console_reader import person_at
from serving_home import ADDRESS, BEARER, BRANCHES, HOSTILE_NAME, LAST_YEAR, TOKEN
from starlette.testclient import TestClient

from serving.app import create_app

YEAR = str(LAST_YEAR)
ALERTS = "/api/v1/alerts"
MINE = f"{ALERTS}/{quote(RISKY_KEY, safe='')}"
LI, WANG = "Li Ming", "Wang Fang"


def client_of(advisor) -> TestClient:
    return TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def posted(api: TestClient, path: str, **body) -> dict:
    answer = api.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def advisor(tmp_path_factory):
    """Alerts on which nobody has written. Not to be written on: see `desk`."""
    return risky_advisor(tmp_path_factory.mktemp("risky"))


@pytest.fixture(scope="module")
def api(advisor):
    return client_of(advisor)


@pytest.fixture
def desk(tmp_path):
    """A home of its own, to write in."""
    return client_of(risky_advisor(tmp_path))


def test_the_queue_has_the_alert_first_and_says_what_it_rests_on(api):
    found = api.get(ALERTS).json()
    first, *others = found["items"]
    assert first["alert"] == RISKY_KEY
    assert first["name"] == {"en": HOSTILE_NAME, "zh": "网点0"}
    assert first["severity"] in ("amber", "red")
    assert set(first["title"]) == {"en", "zh"}
    assert (first["status"], first["entry"], first["due"], first["sampled"]) == ("new", 0, None, False)
    assert [other["sampled"] for other in others] == [True]  # one is drawn for up to twenty on the list
    assert found["total"] == len(found["items"])
    assert found["listed"] == 1
    assert found["looked_at"] == len(BRANCHES) + 1
    assert 0 <= found["expected_false"] <= 1
    assert (found["level"], found["budget"]) == (0.2, 0.05)
    assert found["versions"]["as_of"] == YEAR
    assert found["versions"]["known_on"] == f"{YEAR}-12-31"
    assert "to review" in found["summary"]["en"]


def test_answers_keep_to_their_description(api):
    schemas = api.get("/openapi.json").json()["components"]["schemas"]

    def properties(name: str) -> set[str]:
        return set(schemas[name]["properties"])

    found = api.get(ALERTS).json()
    assert set(found) == properties("AlertPage")
    assert set(found["items"][0]) == properties("Alert")
    case = api.get(MINE).json()
    assert set(case) == properties("ReviewedAlert")
    assert set(case["history"][0]) == properties("ReviewEntry")
    assert set(api.get(f"{MINE}/explanation").json()) == properties("AlertExplanation")
    record = api.get(f"{ALERTS}/record").json()
    assert set(record) == properties("TrackRecord")
    assert set(record["items"][0]) == properties("TrackRecordItem")


@pytest.mark.parametrize("path", [MINE, f"{ALERTS}/{RISKY_KEY}"])  # a slash may stay as it is
def test_an_alert_is_looked_up_by_its_key(api, path):
    case = api.get(path).json()
    assert case["unit"] == RISKY
    assert [(entry["action"], entry["by"]) for entry in case["history"]] == [("raised", "loadline")]
    assert case["history"][0]["score"] == pytest.approx(case["score"], abs=1e-6)


def test_an_explanation_adds_up_and_claims_no_cause(api):
    answer = api.get(f"{MINE}/explanation")
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    assert (found["unit"], found["alert"], found["listed"]) == (RISKY, RISKY_KEY, True)
    assert found["prediction"] is not None
    assert sum(driver["amount"] for driver in found["drivers"]) == found["prediction"] - found["base_value"]
    assert found["patterns"]
    assert found["figures"]
    for word in ("SHAP", "because", "caused", "due to", "因为", "导致", "由于"):
        assert word not in answer.text


def test_the_record_gives_every_detector_a_verdict(api, advisor):
    found = api.get(f"{ALERTS}/record").json()
    table = advisor.watching.watch().track_record
    assert [item["detector"] for item in found["items"]] == list(table["detector"])
    for item, row in zip(found["items"], table.to_dict("records"), strict=True):
        assert (item["matured"], item["hits"], item["verdict"]) == (row["matured"], row["hits"], row["verdict"])
        assert item["text"] == {"en": row["verdict_en"], "zh": row["verdict_zh"]}
    assert found["recall"] is None
    assert "decided yet" in found["recall_note"]["en"]


def test_what_does_not_exist_is_not_found(api):
    assert RISKY_KEY in problem_of(api.get(f"{ALERTS}/{RISKY}@1999"), 404)["hint"]
    assert problem_of(api.get(f"{ALERTS}/nobody"), 404)["hint"]
    problem_of(api.get(f"{ALERTS}/nobody@{YEAR}/explanation"), 404)
    problem_of(api.get(ALERTS, params={"period": "1999"}), 404)
    problem_of(api.get(ALERTS, params={"period": "soon"}), 404)
    problem_of(api.get(ALERTS, params={"dataset": "other"}), 404)
    problem_of(api.post(f"{ALERTS}/nobody@{YEAR}/notes", json={"by": LI, "text": "who?"}), 404)
    problem_of(api.get(ALERTS, params={"severity": "green"}), 422)
    problem_of(api.get(ALERTS, params={"status": "finished"}), 422)


def test_the_list_is_narrowed(api):
    def keys(**asked) -> list[str]:
        return [item["alert"] for item in api.get(ALERTS, params=asked).json()["items"]]

    first, drawn = keys()
    graded = api.get(MINE).json()["severity"]
    assert keys(severity=graded) == [first]
    assert keys(severity="red" if graded == "amber" else "amber") == []
    assert keys(status="new") == [first, drawn]
    assert keys(status="confirmed") == []


def test_pages_follow_each_other(api):
    whole = [item["alert"] for item in api.get(ALERTS).json()["items"]]
    first = api.get(ALERTS, params={"limit": 1}).json()
    second = api.get(ALERTS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [item["alert"] for page in (first, second) for item in page["items"]] == whole
    assert second["next_cursor"] is None
    assert first["total"] == second["total"] == 2
    problem_of(api.get(ALERTS, params={"cursor": "%%"}), 422)
    stale = problem_of(api.get(ALERTS, params={"cursor": first["next_cursor"], "status": "confirmed"}), 422)
    assert "without" in stale["hint"]


def test_an_earlier_period_is_given_as_it_stood_and_leaves_nothing_on_record(api, advisor):
    before = len(advisor.reviewing.record().entries)
    found = api.get(ALERTS, params={"period": str(LAST_YEAR - 1)}).json()
    assert found["versions"]["as_of"] == str(LAST_YEAR - 1)
    assert [item["last"] for item in found["items"]] == [str(LAST_YEAR - 1)] * len(found["items"])
    assert RISKY_KEY in [item["alert"] for item in found["items"]]
    assert not any(item["sampled"] for item in found["items"])
    then = api.get(f"{MINE}/explanation", params={"period": str(LAST_YEAR - 1)}).json()
    assert then["period"] == str(LAST_YEAR - 1)
    quiet = api.get(ALERTS, params={"period": str(LAST_YEAR - 4)}).json()
    assert quiet["listed"] == 0
    assert quiet["expected_false"] is None
    assert "nothing to review" in quiet["summary"]["en"]
    assert len(advisor.reviewing.record().entries) == before


def test_an_alert_that_is_over_is_told_as_of_its_last_period(tmp_path):
    advisor = risky_advisor(tmp_path)
    client = client_of(advisor)
    assert client.get(MINE).json()["open"] is True
    advisor.ingest(write_next_year(tmp_path / "next"))
    case = client.get(MINE).json()
    assert (case["open"], case["status"], case["last"]) == (False, "new", YEAR)
    assert case["versions"]["as_of"] == str(LAST_YEAR + 1)
    told = client.get(f"{MINE}/explanation").json()
    assert (told["period"], told["alert"], told["listed"]) == (YEAR, RISKY_KEY, True)


def test_a_decision_is_recorded_once_and_changes_no_score(desk):
    score = f"/api/v1/scores/{RISKY}/{YEAR}"
    before = desk.get(score).json()
    assert desk.get(ALERTS).json()["total"] == 2
    body = {"decision": "dismissed", "reason": REASON, "by": LI}
    entry = posted(desk, f"{MINE}/dispositions", **body)
    assert (entry["action"], entry["by"], entry["text"]) == ("dismissed", LI, REASON)
    assert posted(desk, f"{MINE}/dispositions", **body)["entry"] == entry["entry"]
    conflict = problem_of(desk.post(f"{MINE}/dispositions", json=body | {"decision": "confirmed", "by": WANG}), 409)
    assert LI in conflict["detail"]
    assert f"`expected` {entry['entry']}" in conflict["hint"]
    again = body | {"decision": "confirmed", "by": WANG, "expected": entry["entry"]}
    assert posted(desk, f"{MINE}/dispositions", **again)["action"] == "confirmed"
    assert desk.get(score).json() == before
    case = desk.get(MINE).json()
    assert (case["status"], case["reviewer"], case["decided_on"]) == ("confirmed", WANG, "2025-01-15")
    assert [line["action"] for line in case["history"]][-2:] == ["dismissed", "confirmed"]
    assert RISKY_KEY not in [item["alert"] for item in desk.get(ALERTS).json()["items"]]
    everything = desk.get(ALERTS, params={"all": "true"}).json()["items"]
    assert RISKY_KEY in [item["alert"] for item in everything]


def test_an_alert_is_assigned_and_noted(desk):
    desk.get(ALERTS)
    tag = desk.get(MINE).headers["etag"]
    assert desk.get(MINE, headers={"If-None-Match": tag}).status_code == 304
    given = posted(desk, f"{MINE}/assignment", to=WANG, due="2025-02-01", by=LI, note="second time")
    assert (given["to"], given["due"], given["text"]) == (WANG, "2025-02-01", "second time")
    noted = posted(desk, f"{MINE}/notes", text="Visit <b>planned</b>", by=WANG, expected=given["entry"])
    case = desk.get(MINE)
    assert case.headers["etag"] != tag
    found = case.json()
    assert (found["status"], found["assigned_to"], found["due"]) == ("assigned", WANG, "2025-02-01")
    assert (found["note"], found["overdue"], found["entry"]) == ("Visit <b>planned</b>", False, noted["entry"])
    problem_of(desk.post(f"{MINE}/notes", json={"text": "late", "by": LI, "expected": given["entry"]}), 409)
    passed = desk.post(f"{MINE}/assignment", json={"to": LI, "due": "2024-02-01", "by": LI, "expected": noted["entry"]})
    assert "passed" in problem_of(passed, 422)["detail"]


def test_what_cannot_be_kept_is_refused(desk):
    desk.get(ALERTS)
    path = f"{MINE}/dispositions"
    for body in (
        {"decision": "dismissed", "by": LI},
        {"decision": "dismissed", "by": LI, "reason": "no"},
        {"decision": "forgotten", "by": LI},
        {"decision": "confirmed"},
        {"decision": "confirmed", "by": " "},
        {"decision": "confirmed", "by": LI, "score": 1},
        {"decision": "confirmed", "by": LI, "expected": "3"},
    ):
        problem_of(desk.post(path, json=body), 422)
    problem_of(desk.post(path, content="{", headers={"Content-Type": "application/json"}), 422)
    problem_of(desk.post(f"{MINE}/notes", json={"text": "x" * 5_000, "by": LI}), 422)
    problem_of(desk.post(f"{MINE}/notes", json={"text": " ", "by": LI}), 422)
    problem_of(desk.post(f"{MINE}/assignment", json={"to": LI, "by": LI, "due": "soon"}), 422)
    assert [entry["action"] for entry in desk.get(MINE).json()["history"]] == ["raised"]


def test_only_the_key_may_write(advisor):
    body = {"decision": "watching", "by": LI}
    stranger = TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, raise_server_exceptions=False)
    problem_of(stranger.post(f"{MINE}/dispositions", json=body), 401)
    problem_of(person_at(advisor).post(f"{MINE}/dispositions", json=body), 403)
    assert all(entry.action == "raised" for entry in advisor.reviewing.record().entries)


def test_tags_hold_while_nothing_changes(api):
    for path in (ALERTS, f"{ALERTS}/record", MINE, f"{MINE}/explanation"):
        tag = api.get(path).headers["etag"]
        assert api.get(path, headers={"If-None-Match": tag}).status_code == 304, path


def test_writing_is_described_as_it_is(api):
    for path, entry in api.get("/openapi.json").json()["paths"].items():
        for method, operation in entry.items():
            if method != "get":
                assert operation["security"] == [{"key": []}, {"session": [], "csrf": []}], path
                assert "304" not in operation["responses"]
                assert {"401", "403", "404", "409", "413", "422"} <= set(operation["responses"])


def test_without_data_the_answer_says_so(empty):
    problem_of(client_of(empty).get(ALERTS), 409)
    problem_of(client_of(empty).get(MINE), 409)
