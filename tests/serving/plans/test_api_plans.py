"""Target plans over the API: within reach, with revisions, answered whole or as a problem."""

import pytest
from identity_home import add_key
from plan_home import GOAL, LOANS, by, drafted, goal, published
from serving_home import ADDRESS, BEARER, REGIONS, TOKEN, advisor_at
from starlette.testclient import TestClient

from serving.app import create_app

PLANS = "/api/v1/target-plans"
GOALS = [{"unit": "ROOT", "indicator": LOANS, "value": GOAL}]


@pytest.fixture(scope="module")
def advisor(trained_home, tmp_path_factory):
    import shutil

    found = advisor_at(shutil.copytree(trained_home, tmp_path_factory.mktemp("plans") / "home"))
    found.database.create()
    return found


@pytest.fixture(scope="module")
def app(advisor):
    return create_app(advisor, token=TOKEN)


def client_of(app, secret: str = "") -> TestClient:
    headers = {"Authorization": f"Bearer {secret}"} if secret else BEARER
    return TestClient(app, base_url=ADDRESS, headers=headers, raise_server_exceptions=False)


@pytest.fixture
def client(app):
    return client_of(app)


@pytest.fixture(scope="module")
def manager(app, advisor):
    return client_of(app, add_key(advisor.identity, f"manager:{REGIONS[1]}")[1])


def test_a_plan_goes_from_draft_to_publication(client):
    made = client.post(PLANS, json={"goals": GOALS, "title": "first", "by": "Li"})
    assert made.status_code == 201
    address = made.headers["Location"]
    assert client.get(address).json() == made.json()
    line = client.get(f"{address}/line", params={"unit": "..", "indicator": LOANS})
    assert line.headers["ETag"] == line.json()["etag"] == '"r1"'
    body = {"target": line.json()["target"]["value"] + 5, "reason": "agreed", "by": "Li"}
    changed = client.patch(
        f"{address}/line", params={"unit": "..", "indicator": LOANS}, json=body, headers={"If-Match": '"r1"'}
    )
    assert changed.status_code == 200
    assert changed.json()["notes"][0].startswith("ROOT on LOANS: the units below come to")
    assert client.get(f"{address}/lines", params={"changed": True}).json()["total"] == 1
    steps = [("reallocate", "Li"), ("submit", "Li"), ("approve", "Wang"), ("publish", "Wang")]
    for step, name in steps:
        seen = client.get(address).headers["ETag"]
        answer = client.post(f"{address}/{step}", json={"by": name}, headers={"If-Match": seen})
        assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "published"
    told = client.get(f"{address}/events").json()["items"]
    assert [event["action"] for event in told] == ["draft", "override", "reallocate", "submit", "approve", "publish"]
    summary = client.get(f"{address}/summary").json()
    assert (summary["overridden"], summary["totals"][0]["off"]) == (1, 0)
    revised = client.post(f"{address}/revise", json={"by": "Li"}, headers={"If-Match": answer.headers["ETag"]})
    assert (revised.status_code, revised.json()["version"]) == (201, made.json()["version"] + 1)
    assert revised.json()["revises"] == made.json()["id"]


def test_lines_come_in_pages_each_once(client):
    address = client.post(PLANS, json={"by": "Li"}).headers["Location"]
    whole = client.get(f"{address}/lines", params={"limit": 500}).json()
    found, cursor = [], None
    while cursor is not None or not found:
        page = client.get(f"{address}/lines", params={"limit": 7} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        cursor = page["next_cursor"]
    assert found == whole["items"]
    assert len(found) == whole["total"] == page["total"]


def test_a_change_says_what_it_is_a_change_of(client):
    address = client.post(PLANS, json={"by": "Li"}).headers["Location"]
    asked, body = {"unit": "N01", "indicator": LOANS}, {"target": 3_900.0, "reason": "x", "by": "Li"}
    assert client.patch(f"{address}/line", params=asked, json=body).status_code == 428
    assert client.patch(f"{address}/line", params=asked, json=body, headers={"If-Match": '"r9"'}).status_code == 412
    assert client.patch(f"{address}/line", params=asked, json=body, headers={"If-Match": "r1"}).status_code == 422
    assert client.post(f"{address}/submit", json={"by": "Li"}).status_code == 428
    assert client.get(address).json()["revision"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"goals": [{"unit": "ROOT", "indicator": LOANS, "value": True}]},
        {"goals": [{"unit": "ROOT", "indicator": LOANS, "value": "1"}]},
        {"goals": GOALS * 2_001},
        {"goals": GOALS, "surprise": 1},
        {"year": 99},
    ],
)
def test_bodies_that_are_not_valid_are_refused(client, body):
    assert client.post(PLANS, json=body | {"by": "Li"}).status_code == 422


def test_goals_that_cannot_be_are_refused_with_a_way_out(client):
    far = [{"unit": "ROOT", "indicator": LOANS, "value": 900_000}]
    answer = client.post(PLANS, json={"goals": far, "by": "Li"})
    assert answer.status_code == 409
    assert "Lower the goal of ROOT from 900,000" in answer.json()["hint"]
    nobody = [{"unit": "nobody", "indicator": LOANS, "value": 1.0}]
    assert client.post(PLANS, json={"goals": nobody, "by": "Li"}).status_code == 409
    assert client.post(PLANS, json={"goals": GOALS}).status_code == 422  # the machine's key says in whose name
    assert client.post(PLANS, json={"year": 2031, "by": "Li"}).status_code == 404


def test_a_manager_sees_published_lines_of_the_own_units_alone(advisor, client, manager):
    draft = drafted(advisor)
    assert manager.get(f"{PLANS}/{draft.id}").status_code == 404
    assert manager.get(f"{PLANS}/{draft.id}/lines").status_code == 404
    assert draft.id not in manager.get(PLANS, params={"limit": 500}).text
    plan = published(advisor, draft)
    told = manager.get(f"{PLANS}/{plan.id}")
    assert told.status_code == 200
    assert told.json()["goals"] == []  # the goal was ROOT's
    lines = manager.get(f"{PLANS}/{plan.id}/lines", params={"limit": 500}).json()
    units = {line["unit"] for line in lines["items"]}
    with by("Li"):
        every = advisor.plans.lines(plan.id)
    assert units == {line.unit for line in every if REGIONS[1] in (line.unit, *line.above)}
    assert lines["total"] == len(lines["items"]) > 0
    other = next(line for line in every if line.leaf and REGIONS[0] in line.above)
    unknown = manager.get(f"{PLANS}/{plan.id}/line", params={"unit": "nobody", "indicator": LOANS})
    beyond = manager.get(f"{PLANS}/{plan.id}/line", params={"unit": other.unit, "indicator": LOANS})
    assert beyond.status_code == unknown.status_code == 404
    assert beyond.json()["detail"] == unknown.json()["detail"].replace("nobody", other.unit)
    assert manager.get(f"{PLANS}/{plan.id}/lines", params={"unit": other.unit}).json()["total"] == 0
    assert manager.get(f"{PLANS}/{plan.id}/summary").status_code == 403
    assert manager.post(PLANS, json={}).status_code == 403


def test_who_changes_lines_of_a_subtree_is_not_told_of_goals_above_it(app, advisor, client):
    plan = drafted(advisor, goal())
    regional = client_of(app, add_key(advisor.identity, f"hr:{REGIONS[1]}")[1])
    line = regional.get(f"{PLANS}/{plan.id}/lines", params={"unit": REGIONS[1], "indicator": LOANS}).json()["items"][0]
    asked = {"unit": REGIONS[1], "indicator": LOANS}
    told = []
    for caller, name, more in ((client, {"by": "Li"}, 5), (regional, {}, 6)):
        body = {"target": line["target"]["value"] + more, "reason": "agreed"} | name
        tag = caller.get(f"{PLANS}/{plan.id}/line", params=asked).headers["ETag"]
        changed = caller.patch(f"{PLANS}/{plan.id}/line", params=asked, json=body, headers={"If-Match": tag})
        assert changed.status_code == 200
        told.append(changed.json()["notes"])
    assert told[0]
    assert told[1] == []


def test_the_same_request_twice_is_one_plan(client, advisor):
    before = len(advisor.plans.list())
    answers = [client.post(PLANS, json={"by": "Li"}, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(advisor.plans.list()) == before + 1
