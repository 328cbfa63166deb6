"""Policies over the API: read, compared, checked, put in force and taken back; their text is nobody's friend."""

import itertools

import pytest
import yaml
from acting_as import People
from score_home import policy_document
from serving_home import advisor_at, copy_home

from serving.access.principal import Grant, Role

POLICIES = "/api/v1/policies"
REASON = {"reason": "领导小组一月十二日会议决定。"}


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def written(**changed) -> str:
    return yaml.safe_dump(policy_document(**changed), allow_unicode=True)


@pytest.fixture(scope="module")
def people(trained_home, tmp_path_factory) -> People:
    """Nothing is activated in this home; see `own`."""
    return People(advisor_at(copy_home(trained_home, tmp_path_factory.mktemp("policies") / "home")))


@pytest.fixture
def own(own_home) -> People:
    return People(advisor_at(own_home))


@pytest.fixture(scope="module")
def hr(people):
    return people.client(Grant(Role.HR))


def test_a_ready_made_policy_is_listed_and_read_with_its_remarks(hr):
    listed = hr.get(POLICIES).json()
    assert "retail-line" in listed["shipped"]
    found = hr.get(f"{POLICIES}/retail-line").json()
    assert found["document"].startswith("#") or "policy: 1" in found["document"]
    assert yaml.safe_load(found["document"])["id"] == "retail-line"
    tag = hr.get(f"{POLICIES}/retail-line").headers["etag"]
    assert hr.get(f"{POLICIES}/retail-line", headers={"If-None-Match": tag}).status_code == 304


def test_a_check_tells_what_speaks_against_a_policy(hr):
    found = hr.post(f"{POLICIES}/check", json={"document": written()}).json()
    assert (found["policy"], found["errors"]) == ("branches@1", 0)
    wrong = policy_document()
    wrong["scorecards"][0]["items"][0]["weight"] = 61
    found = hr.post(f"{POLICIES}/check", json={"document": yaml.safe_dump(wrong)}).json()
    assert found["errors"] == 1
    assert found["findings"][0]["what"].keys() == {"en", "zh"}


def test_a_policy_is_put_in_force_followed_and_taken_back(own):
    hr = own.client(Grant(Role.HR))
    codes = [f["code"] for f in hr.post(f"{POLICIES}/check", json={"document": written()}).json()["findings"]]
    body = REASON | {"document": written(), "accept": sorted(set(codes))}
    if codes:
        problem_of(hr.post(f"{POLICIES}/branches@1/activate", json=body | {"accept": []}), 409)
    problem_of(hr.post(f"{POLICIES}/branches@2/activate", json=body), 422)
    done = hr.post(f"{POLICIES}/branches@1/activate", json=body | {"effective_from": "2016-01-01"})
    assert done.status_code == 200, done.text
    assert (done.json()["policy"], done.json()["by"]) == ("branches@1", "Person 0")
    assert done.json()["effective_from"] == "2016-01-01"
    assert hr.get(f"{POLICIES}/active").json()["version"] == "1"
    second = body | {"document": written(version="2", effective={"from": "2020-01-01"})}
    assert hr.post(f"{POLICIES}/branches@2/activate", json=second).json()["ended"] == "branches@1"
    changes = hr.get(f"{POLICIES}/diff", params={"old": "branches@1", "new": "branches@2"}).json()["changes"]
    assert {"effective"} <= {change["where"].partition(".")[0] for change in changes}
    problem_of(hr.post(f"{POLICIES}/branches@1/withdraw", json=REASON), 409)
    assert hr.post(f"{POLICIES}/branches@2/withdraw", json=REASON).json()["action"] == "withdraw"
    auditor = own.client(Grant(Role.AUDITOR))
    noted = [event["action"] for event in auditor.get("/api/v1/audit-events").json()["items"]]
    assert {"policy.activate", "policy.withdraw"} <= set(noted)


@pytest.mark.parametrize("role", [Role.RISK, Role.MANAGER, Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMIN])
def test_only_hr_puts_policies_in_force(people, role):
    client = people.manager("N01") if role is Role.MANAGER else people.client(Grant(role))
    body = REASON | {"document": written()}
    problem_of(client.post(f"{POLICIES}/branches@1/activate", json=body), 403)
    problem_of(people.client(Grant(Role.HR, "N01")).post(f"{POLICIES}/branches@1/activate", json=body), 403)


def billion_laughs() -> str:
    names = "abcdefghij"
    lines = ['a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]']
    lines += [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in itertools.pairwise(names)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "document",
    [
        billion_laughs(),
        "[" * 5_000,
        "a: " * 3_000,
        "!!python/object/apply:os.system ['touch /tmp/loadline-was-here']",
        "!!binary aGVsbG8=",
        "policy: .nan\n",
        "- just\n- a list\n",
        "a: &a [*a]",
        "\ufeff: \u2028",
        "policy: 1\npolicy: 1\n",
        "%YAML 9.9\n---\nx",
        "scorecards: 9" + "9" * 5_000,
    ],
)
def test_hostile_documents_are_refused_in_words(hr, document):
    problem = problem_of(hr.post(f"{POLICIES}/check", json={"document": document}), 422)
    assert "Traceback" not in str(problem)
    assert "/tmp" not in str(problem)


@pytest.mark.parametrize("body", [{"document": "x" * 200_001}, {"document": ""}, {"document": 7}, {}, {"path": "/etc"}])
def test_what_is_no_document_is_refused(hr, body):
    problem_of(hr.post(f"{POLICIES}/check", json=body), 422)


def test_a_name_is_never_taken_for_a_file(hr, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text(written(), encoding="utf-8")
    (tmp_path / "own.yaml").write_text(written(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("secret", "own.yaml"):
        problem_of(hr.get(f"{POLICIES}/{name}"), 404)
        problem_of(hr.get(f"{POLICIES}/diff", params={"old": name, "new": "retail-line"}), 404)
    for name in ("..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "a%00b"):
        assert hr.get(f"{POLICIES}/{name}").status_code in (404, 422)
