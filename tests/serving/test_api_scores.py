"""Scores over the API: what is answered, described and refused."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from score_home import policy_document, write_policy_file
from serving_home import ADDRESS, BEARER, BRANCHES, LAST_YEAR, SILENT, TOKEN, advisor_at, write_dataset
from starlette.testclient import TestClient

from serving.app import create_app
from serving.scoring import ScoreRequest

YEAR = str(LAST_YEAR)


def client_of(advisor) -> TestClient:
    return TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def encoded(unit: str) -> str:
    return quote(unit, safe="").replace(".", "%2E")


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.fixture(scope="module")
def activated(tmp_path_factory):
    """Data and a policy in force."""
    folder = tmp_path_factory.mktemp("activated")
    advisor = advisor_at(folder / "home")
    advisor.ingest(write_dataset(folder / "dataset"))
    policy = write_policy_file(folder / "policy.yaml")
    codes = [finding.code for finding in advisor.policies.check(policy).findings]
    advisor.policies.activate(policy, by="Li Wei", reason="for the tests of scores", accept=codes)
    return advisor


@pytest.fixture(scope="module")
def api(activated):
    return client_of(activated)


@pytest.mark.parametrize("unit", BRANCHES)
def test_a_score_is_the_sum_of_its_lines_whatever_the_units_code(api, activated, unit):
    answer = api.get(f"/api/v1/scores/{encoded(unit)}/{YEAR}")
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    assert found["unit"] == unit
    assert sum(line["amount"] for line in found["lines"]) == found["score"]
    assert found["versions"]["policy_version"] == "branches@1"
    assert found["versions"]["known_on"] == f"{LAST_YEAR}-12-31"
    assert [gate["id"] for gate in found["gates"]] == ["cap", "npl"]
    assert float(found["score"]) == activated.explaining.score(unit, ScoreRequest(YEAR)).score


@pytest.mark.parametrize("against", [None, "target", "last_year", "peers"])
def test_an_explanation_adds_up_and_says_so_in_both_languages(api, against):
    parameters = {} if against is None else {"against": against}
    answer = api.get(f"/api/v1/scores/A/B/{YEAR}/explanation", params=parameters)  # a slash may stay as it is
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    assert found["unit"] == "A/B"
    assert found["against"] == (against or "peers")
    if against == "target":
        assert found["base_value"] is None
        return
    assert sum(driver["amount"] for driver in found["drivers"]) == found["prediction"] - found["base_value"]
    assert set(found["text"]) == {"en", "zh"}


def test_no_word_claims_a_cause(api):
    for unit in BRANCHES:
        text = api.get(f"/api/v1/scores/{encoded(unit)}/{YEAR}/explanation").json()["text"]
        for word in ("SHAP", "because", "caused", "due to", "因为", "导致", "由于"):
            assert word not in text["en"]
            assert word not in text["zh"]


def test_answers_keep_to_their_description(api):
    document = api.get("/openapi.json").json()

    def properties(name: str) -> set[str]:
        return set(document["components"]["schemas"][name]["properties"])

    assert set(api.get(f"/api/v1/scores/N01/{YEAR}").json()) == properties("Score")
    found = api.get(f"/api/v1/scores/N01/{YEAR}/explanation").json()
    assert set(found) == properties("ScoreExplanation")
    assert set(found["drivers"][0]) == properties("ScoreDriver")
    assert set(found["lines"][0]) == properties("ScoreLine")
    assert set(found["trend"][0]) == properties("TrendPoint")
    listed = api.get("/api/v1/policies").json()
    assert set(listed) == properties("PolicyList")
    assert set(listed["items"][0]) == properties("PolicyInForce")


def test_what_does_not_exist_is_not_found(api):
    for path in (
        f"nobody/{YEAR}",
        f"nobody/{YEAR}/explanation",
        "N01/1999",
        "N01/soon/explanation",
        f"ROOT/{YEAR}",
        f"GONE/{YEAR}/explanation",
    ):
        problem = problem_of(api.get(f"/api/v1/scores/{path}"), 404)
        assert problem["hint"]
    problem_of(api.get(f"/api/v1/scores/N01/{YEAR}/explanation", params={"against": "the moon"}), 422)
    problem_of(api.get(f"/api/v1/scores/N01/{YEAR}", params={"dataset": "other"}), 404)


def test_a_unit_without_a_score_is_answered_with_the_reason(api):
    found = api.get(f"/api/v1/scores/{SILENT}/{YEAR}/explanation").json()
    assert found["score"] is None
    assert found["missing"]
    assert "no score" in found["text"]["en"]


def test_tags_hold_while_nothing_changes_and_change_with_policy_and_data(tmp_path):
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "first"))
    client = client_of(advisor)
    paths = (f"/api/v1/scores/N01/{YEAR}", f"/api/v1/scores/N01/{YEAR}/explanation", "/api/v1/policies")

    def tags() -> list[str]:
        return [client.get(path).headers["etag"] for path in paths]

    before = tags()
    assert tags() == before
    assert len(set(before)) == len(paths)
    for path, tag in zip(paths, before, strict=True):
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    other = client.get(paths[1], params={"against": "last_year"}).headers["etag"]
    assert other != before[1]
    policy = write_policy_file(tmp_path / "policy.yaml")
    codes = [finding.code for finding in advisor.policies.check(policy).findings]
    advisor.policies.activate(policy, by="Li Wei", reason="for the tests of scores", accept=codes)
    activated = tags()
    assert not set(activated) & set(before)
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
    assert not set(tags()[:2]) & {*before, *activated}


def test_policies_say_which_one_answers(api, untrained, tmp_path):
    listed = api.get("/api/v1/policies").json()
    assert [(item["id"], item["origin"], item["answers"]) for item in listed["items"]] == [
        ("branches", "activated", True)
    ]
    assert "in force" in listed["note"]
    standing_in = client_of(untrained).get("/api/v1/policies").json()
    assert [(item["origin"], item["answers"], item["effective_from"]) for item in standing_in["items"]] == [
        ("default", True, None)
    ]
    assert "equal weights" in standing_in["note"]


def test_a_policy_that_came_with_the_dataset_is_listed(tmp_path):
    folder = write_dataset(tmp_path / "dataset")
    write_policy_file(folder / "policy.yaml", id="bundled")
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(folder)
    listed = client_of(advisor).get("/api/v1/policies").json()
    assert [(item["id"], item["origin"], item["answers"]) for item in listed["items"]] == [("bundled", "dataset", True)]
    assert client_of(advisor).get(f"/api/v1/scores/N01/{YEAR}").json()["versions"]["policy_version"] == "bundled@1"


def test_without_data_the_answer_says_so(empty):
    problem_of(client_of(empty).get(f"/api/v1/scores/N01/{YEAR}"), 409)
    problem_of(client_of(empty).get("/api/v1/policies"), 409)


def test_a_policy_that_fits_no_unit_is_a_conflict_with_a_hint(tmp_path):
    folder = write_dataset(tmp_path / "dataset")
    card = policy_document()["scorecards"][0] | {"applies_to": {"level": ["nothing"]}}
    anything = [{"level": ["branch", "group", "region"]}]
    write_policy_file(folder / "policy.yaml", scorecards=[card], not_scored=anything)
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(folder)
    assert problem_of(client_of(advisor).get(f"/api/v1/scores/N01/{YEAR}"), 409)["hint"]
