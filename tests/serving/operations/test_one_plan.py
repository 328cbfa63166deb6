"""`idempotency`, on the whole application: the same key fifty times at once makes one plan."""

from concurrent.futures import ThreadPoolExecutor

from serving_home import ADDRESS, BEARER, LAST_YEAR, TOKEN
from starlette.testclient import TestClient
from waiting import until

from serving.app import create_app

PLANS = "/api/v1/target-plans"
MANY = 50


def test_the_same_key_fifty_times_at_once_makes_one_plan(database_advisor):
    app = create_app(database_advisor, token=TOKEN)
    asked = {"year": LAST_YEAR + 1, "title": "Targets", "by": "Li Ming"}
    headers = BEARER | {"Idempotency-Key": "4d0c1b1e-7f5a-4c0e-9d53-3f2b8e1a6c70"}

    def ask(_: int):
        """Ask until there is an answer: 409 says that the first is being answered."""
        client = TestClient(app, base_url=ADDRESS, headers=headers)

        def answered():
            answer = client.post(PLANS, json=asked)
            assert (answer.status_code == 409) is ("retry-after" in answer.headers)
            return answer if answer.status_code != 409 else None

        return until(answered)

    ready = TestClient(app, base_url=ADDRESS, headers=BEARER)
    until(lambda: ready.get("/api/v1/targets/N01").status_code == 200)
    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(ask, range(MANY)))
    assert {answer.status_code for answer in answers} == {201}
    made = {answer.json()["id"] for answer in answers}
    assert len(made) == 1
    again = ask(0)
    assert (again.status_code, again.json()["id"]) == (201, made.pop())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(database_advisor.plans.list()) == 1
