"""Appeals over the API: a manager's own units, HR's answers, and what is refused."""

import shutil

import pytest
from acting_as import People
from appealing_bank import UNIT, WORDS
from serving_home import LAST_YEAR, advisor_at

from serving.access.principal import Grant, Role

APPEALS = "/api/v1/appeals"
ASKED = {"unit": UNIT, "period": str(LAST_YEAR), "words": WORDS}


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.fixture
def people(advisor) -> People:
    return People(advisor)


@pytest.fixture(scope="module")
def spared(appealing_home, tmp_path_factory) -> People:
    """Those who ask a home in which nobody appeals."""
    return People(advisor_at(shutil.copytree(appealing_home, tmp_path_factory.mktemp("spared") / "home")))


def test_a_manager_appeals_hr_answers_and_the_auditor_reads(people):
    manager, hr, auditor = people.manager(UNIT), people.client(Grant(Role.HR)), people.client(Grant(Role.AUDITOR))
    answer = manager.post(APPEALS, json=ASKED)
    assert answer.status_code == 201, answer.text
    raised, address = answer.json(), answer.headers["location"]
    assert raised["reproduction"]["same"] is True
    assert raised["reproduction"]["figure"] == raised["reproduction"]["frozen_figure"]
    assert (raised["state"], raised["raised_by"], answer.headers["etag"]) == ("open", "Person 0", '"r1"')
    problem_of(hr.post(f"{address}/review", json={}), 428)
    problem_of(hr.post(f"{address}/review", json={}, headers={"If-Match": '"r7"'}), 412)
    problem_of(manager.post(f"{address}/review", json={}, headers={"If-Match": '"r1"'}), 403)
    taken = hr.post(f"{address}/review", json={}, headers={"If-Match": '"r1"'})
    assert (taken.status_code, taken.headers["etag"]) == (200, '"r2"')
    problem_of(auditor.post(f"{address}/reject", json={"words": "无误"}, headers={"If-Match": '"r2"'}), 403)
    answered = hr.post(f"{address}/uphold", json={"words": "属实，下月更正。"}, headers={"If-Match": '"r2"'})
    assert answered.json()["state"] == "upheld"
    found = manager.get(address).json()
    assert found["answer"] == "属实，下月更正。"
    assert found["frozen"]["policy_version"] == "branches@1"
    assert found["frozen"]["told"]["score"] == found["frozen"]["figure"]
    assert auditor.post(f"{address}/reproduction", json={}).json()["same"] is True
    events = auditor.get(f"{address}/events").json()["items"]
    assert [event["action"] for event in events] == ["raise", "review", "uphold", "reproduce"]


def test_a_manager_sees_and_raises_nothing_on_other_units(people):
    manager, other = people.manager(UNIT), people.manager("N01")
    address = manager.post(APPEALS, json=ASKED).headers["location"]
    assert [item["unit"] for item in manager.get(APPEALS).json()["items"]] == [UNIT]
    assert other.get(APPEALS).json()["items"] == []
    nothing = problem_of(other.get(f"{APPEALS}/{'0' * 32}"), 404)["detail"].replace("0" * 32, "X")
    for method, path in (("get", ""), ("get", "/events"), ("post", "/reproduction"), ("post", "/withdraw")):
        body = {"words": "撤回"} if path == "/withdraw" else {}
        more = {} if method == "get" else {"json": body, "headers": {"If-Match": '"r1"'}}
        told = problem_of(getattr(other, method)(f"{address}{path}", **more), 404)
        assert told["detail"].replace(address.rpartition("/")[2], "X") == nothing
    beyond = problem_of(other.post(APPEALS, json=ASKED), 404)["detail"]
    nobody = problem_of(other.post(APPEALS, json=ASKED | {"unit": "nobody"}), 404)["detail"]
    assert beyond.replace(UNIT, "nobody") == nobody
    problem_of(other.get(APPEALS, params={"unit": UNIT}), 404)


@pytest.mark.parametrize("role", [Role.RISK, Role.DATA_SCIENTIST, Role.ADMIN])
def test_other_roles_have_no_part_in_appeals(spared, role):
    client = spared.client(Grant(role))
    problem_of(client.get(APPEALS), 403)
    problem_of(client.post(APPEALS, json=ASKED), 403)


def test_a_target_is_appealed_as_the_service_tells_it(people):
    manager = people.manager(UNIT)
    told = manager.get(f"/api/v1/targets/{UNIT}", params={"indicator": "LOANS"}).json()["items"][0]
    body = ASKED | {"kind": "target", "period": str(told["year"]), "indicator": "LOANS"}
    answer = manager.post(APPEALS, json=body)
    assert answer.status_code == 201, answer.text
    problem_of(manager.post(APPEALS, json=body | {"period": "1999"}), 404)
    assert answer.json()["reproduction"]["same"] is True
    assert answer.json()["reproduction"]["figure"] == told["target"]["value"]


def test_a_request_sent_again_raises_one_appeal(people):
    manager, key = people.manager(UNIT), {"Idempotency-Key": "one"}
    first, again = (manager.post(APPEALS, json=ASKED, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    problem_of(manager.post(APPEALS, json=ASKED | {"words": "另一份"}, headers=key), 422)
    problem_of(manager.post(APPEALS, json=ASKED), 409)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"words": ""}, 422),
        ({"words": "x" * 4_001}, 422),
        ({"words": "a\x00b"}, 422),
        ({"words": 7}, 422),
        ({"kind": "alert"}, 422),
        ({"unit": "a\x00b"}, 422),
        ({"unit": "../../etc/passwd"}, 404),
        ({"period": "1999"}, 404),
        ({"period": "'; DROP TABLE appeals; --"[:10]}, 404),
        ({"kind": "target", "period": "soon"}, 422),
        ({"state": "upheld"}, 422),
        ({"by": "Somebody Else"}, 403),
    ],
)
def test_what_is_no_appeal_is_refused(spared, changed, status):
    client = spared.client(Grant(Role.HR))
    problem_of(client.post(APPEALS, json=ASKED | changed), status)
    assert client.get(APPEALS).json()["total"] == 0


def test_a_wrong_cursor_is_refused_and_a_right_one_goes_on(people):
    client = people.client(Grant(Role.HR))
    for unit in ("N01", "N02"):
        assert client.post(APPEALS, json=ASKED | {"unit": unit}).status_code == 201
    first = client.get(APPEALS, params={"limit": 1}).json()
    second = client.get(APPEALS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert second["next_cursor"] is None
    assert {item["unit"] for page in (first, second) for item in page["items"]} == {"N01", "N02"}
    for cursor in ("Q04tQko", "AAAA", "%%%"):
        problem_of(client.get(APPEALS, params={"cursor": cursor}), 422)
