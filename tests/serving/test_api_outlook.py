"""The outlook and the quarterly calibration over the API, and answers that take longer than a request waits."""

import threading

import pytest
from acting_as import People

from serving.access.principal import Grant, Role
from serving.api.waiting_room import MOST_WAITING, WaitingRoom
from serving.errors import NotReadyError

GIVEN = {"unit": "N01", "indicator": "LOANS", "year": 2025, "target": 3_000.0}


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.fixture(scope="module")
def people(trained) -> People:
    found = People(trained)
    found.app.state.waiting.patience = 120.0
    return found


def test_targets_stand_as_the_use_case_says(people, trained):
    import pandas as pd

    given = [GIVEN, GIVEN | {"unit": "N02", "floor": 100.0, "p_target": 0.6}]
    answer = people.client(Grant(Role.HR)).post("/api/v1/outlook", json={"targets": given})
    assert answer.status_code == 200, answer.text
    rows = answer.json()["items"]
    frame = trained.planning.outlook(pd.DataFrame(given))
    assert [row["p_attain"] for row in rows] == frame["p_attain"].tolist()
    assert [row["unit"] for row in rows] == ["N01", "N02"]
    assert rows[0]["p_floor"] is None
    assert rows[1]["p_at_start"] == 0.6


def test_a_calibration_of_a_year_that_has_not_begun_is_a_conflict(people):
    hr = people.client(Grant(Role.HR))
    problem_of(hr.post("/api/v1/calibrations", json={"targets": [GIVEN]}), 409)
    both = [GIVEN, GIVEN | {"year": 2026}]
    problem_of(hr.post("/api/v1/calibrations", json={"targets": both}), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"targets": []}, 422),
        ({"targets": [GIVEN, GIVEN]}, 422),
        ({"targets": [GIVEN | {"indicator": "GDP"}]}, 422),
        ({"targets": [GIVEN | {"target": None}]}, 422),
        ({"targets": [GIVEN | {"year": "2025"}]}, 422),
        ({"targets": [GIVEN], "as_of": "soon"}, 422),
        ({"targets": [GIVEN], "as_of": "1999"}, 422),
        ({"targets": [GIVEN | {"unit": "nobody"}]}, 404),
        ({"targets": [GIVEN] * 4_001}, 422),
        ({"targets": "/etc/passwd"}, 422),
    ],
)
def test_what_cannot_be_looked_at_is_refused(people, body, status):
    problem_of(people.client(Grant(Role.HR)).post("/api/v1/outlook", json=body), status)


def test_a_manager_asks_about_the_own_unit_alone(people):
    manager = people.manager("N02")
    problem_of(manager.post("/api/v1/outlook", json={"targets": [GIVEN]}), 404)
    assert manager.post("/api/v1/outlook", json={"targets": [GIVEN | {"unit": "N02"}]}).status_code == 200
    problem_of(manager.post("/api/v1/calibrations", json={"targets": [GIVEN]}), 403)


def test_an_answer_is_made_once_and_is_there_for_who_asks_again():
    room, go, made = WaitingRoom("test", patience=0.01), threading.Event(), []

    def make() -> str:
        go.wait(60)
        made.append(1)
        return "answer"

    for _ in range(3):
        with pytest.raises(NotReadyError):
            room.answer("question", make)
    for number in range(MOST_WAITING - 1):
        with pytest.raises(NotReadyError):
            room.answer(f"question {number}", lambda: None)
    with pytest.raises(NotReadyError, match="too many"):
        room.answer("one more", lambda: None)
    go.set()
    room.patience = 60
    assert room.answer("question", make) == "answer"
    assert made == [1]
    room.close()


def test_what_failed_is_told_and_tried_anew():
    room, answers = WaitingRoom("test", patience=60), iter([ValueError("no"), "yes"])

    def make() -> str:
        found = next(answers)
        if isinstance(found, ValueError):
            raise found
        return found

    with pytest.raises(ValueError, match="no"):
        room.answer("question", make)
    assert room.answer("question", make) == "yes"
    room.close()
