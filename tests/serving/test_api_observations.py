"""Figures over the API: as they were known on a day, and handed in as a new data version."""

import pytest
from acting_as import People
from serving_home import LAST_YEAR, advisor_at, copy_home

from serving.access.principal import Grant, Role

OBSERVATIONS = "/api/v1/observations"
REASON = "年终决算数据"
FIGURE = {"unit": "N01", "indicator": "LOANS", "period": str(LAST_YEAR), "value": 1234.5}


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.fixture
def people(own_home) -> People:
    return People(advisor_at(own_home))


@pytest.fixture(scope="module")
def shared(trained_home, tmp_path_factory) -> People:
    """Nothing is stored in this home."""
    return People(advisor_at(copy_home(trained_home, tmp_path_factory.mktemp("observed") / "home")))


def asked(*figures: dict) -> dict:
    return {"rows": list(figures), "reason": REASON}


def test_a_restatement_becomes_a_data_version_and_the_past_stays_known(people):
    hr = people.client(Grant(Role.HR))
    query = {"unit": "N01", "indicator": "LOANS", "from": str(LAST_YEAR)}
    before = hr.get(OBSERVATIONS, params=query).json()
    old = before["items"][0]
    assert (before["total"], old["restated"], old["known_on"]) == (1, False, f"{LAST_YEAR}-12-31")
    answer = hr.post(OBSERVATIONS, json=asked(FIGURE | {"known_on": "2025-01-10"}))
    assert answer.status_code == 201, answer.text
    assert (answer.json()["version"], answer.json()["restated"], answer.json()["added"]) == (2, 1, 0)
    now = hr.get(OBSERVATIONS, params=query).json()
    assert now["data_version"] == 2
    assert [(row["value"], row["restated"], row["known_on"]) for row in now["items"]] == [(1234.5, True, "2025-01-10")]
    then = hr.get(OBSERVATIONS, params=query | {"known_on": "2025-01-09"}).json()
    assert then["items"] == [old]
    panel = people.app.state.desk.advisor.snapshot().panel(indicators=["LOANS"])
    assert panel.array("LOANS")[-1, panel.tree.number("N01")] == 1234.5
    auditor = people.client(Grant(Role.AUDITOR))
    actions = [event["action"] for event in auditor.get("/api/v1/audit-events").json()["items"]]
    assert "observations.hand_in" in actions


@pytest.mark.parametrize(
    ("figure", "field"),
    [
        ({"unit": "nobody"}, "unit"),
        ({"indicator": "NOTHING"}, "indicator"),
        ({"period": "2024-13"}, "period"),
    ],
)
def test_one_wrong_figure_keeps_all_out_and_is_named(shared, figure, field):
    hr = shared.client(Grant(Role.HR))
    problem = problem_of(hr.post(OBSERVATIONS, json=asked(FIGURE, FIGURE | {"unit": "N02"} | figure)), 422)
    assert problem["errors"][0]["where"] == f"rows:1:{field}"
    assert hr.get("/api/v1/snapshots").json()["total"] == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": NaN}], "reason": "x"}',
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": 1e999}], "reason": "x"}',
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": true}], "reason": "x"}',
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": "1"}], "reason": "x"}',
        '{"rows": [{"unit": "N01\\nN02,2024,LOANS,1", "indicator": "LOANS", "period": "2024", "value": 1}], '
        '"reason": "x"}',
        '{"rows": [], "reason": "x"}',
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": 1, "known_on": 5}], "reason": "x"}',
        '{"rows": [{"unit": "N01", "indicator": "LOANS", "period": "2024", "value": 1}]}',
        "[" * 10_000,
    ],
)
def test_what_is_no_figure_is_refused(shared, body):
    hr = shared.client(Grant(Role.HR))
    answer = hr.post(OBSERVATIONS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert hr.get("/api/v1/snapshots").json()["total"] == 1


def test_a_manager_looks_up_the_own_unit_alone_and_hands_nothing_in(shared):
    manager = shared.manager("N01")
    assert manager.get(OBSERVATIONS, params={"unit": "N01", "indicator": "LOANS"}).json()["total"] > 5
    problem_of(manager.get(OBSERVATIONS, params={"unit": ["N01", "N02"], "indicator": "LOANS"}), 404)
    problem_of(manager.post(OBSERVATIONS, json=asked(FIGURE)), 403)
    problem_of(shared.client(Grant(Role.HR, "N01")).post(OBSERVATIONS, json=asked(FIGURE)), 403)


def test_pages_hold_every_figure_once(shared):
    hr, query = (
        shared.client(Grant(Role.HR)),
        {"unit": ["N02", "=1+1"], "indicator": ["LOANS", "NPL_RATIO"], "limit": 7},
    )
    whole = hr.get(OBSERVATIONS, params=query | {"limit": 500}).json()["items"]
    found, cursor = [], None
    while True:
        page = hr.get(OBSERVATIONS, params=query | ({} if cursor is None else {"cursor": cursor})).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole
    assert len(whole) == 4 * 13
    problem_of(hr.get(OBSERVATIONS, params=query | {"from": "soon"}), 422)
    problem_of(hr.get(OBSERVATIONS, params=query | {"indicator": "NOTHING"}), 404)


@pytest.mark.parametrize(
    ("figure", "why"),
    [({"known_on": "2099-01-01"}, "still to come"), ({"period": "1900"}, "before all that is stored")],
)
def test_a_slip_of_the_pen_that_could_not_be_taken_back_is_refused(shared, figure, why):
    hr = shared.client(Grant(Role.HR))
    before = hr.get("/api/v1/snapshots").json()["total"]
    assert why in problem_of(hr.post(OBSERVATIONS, json=asked(FIGURE | figure)), 422)["detail"]
    assert hr.get("/api/v1/snapshots").json()["total"] == before
