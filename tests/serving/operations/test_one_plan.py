"""`idempotency`, on the whole application: the same key fifty times at once makes one plan."""

from concurrent.futures import ThreadPoolExecutor

from serving_home import ADDRESS, BEARER, LAST_YEAR, TOKEN
from starlette.testclient import TestClient

from serving.app import create_app

PLANS = "/api/v1/target-plans"
MANY = 50


def test_the_same_key_fifty_times_at_once_makes_one_plan(database_advisor):
    app = create_app(database_advisor, token=TOKEN)
    asked = {"year": LAST_YEAR + 1, "title": "Targets", "by": "Li Ming"}
    headers = BEARER | {"Idempotency-Key": "4d0c1b1e-7f5a-4c0e-9d53-3f2b8e1a6c70"}

    def ask(_: int):
        return TestClient(app, base_url=ADDRESS, headers=headers).post(PLANS, json=asked)

    assert TestClient(app, base_url=ADDRESS, headers=BEARER).get("/api/v1/targets/N01").status_code == 200
    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(ask, range(MANY)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 409)
    again = ask(0)
    assert (again.status_code, again.json()["id"]) == (201, made.pop())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(database_advisor.plans.list()) == 1
