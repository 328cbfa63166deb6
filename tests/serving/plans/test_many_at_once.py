"""32 clients change one plan through the real application, and no change is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from plan_home import LOANS, drafted
from serving_home import ADDRESS, BEARER, TOKEN
from starlette.testclient import TestClient

from serving.app import create_app
from serving.plans.plan import Action

CLIENTS = 32
LINES = [(unit, LOANS) for unit in ("N01", "N02", "A/B", "..", "50%", "a?b#c", "R+D")]
"""Each is changed by four or five clients, who get in each other's way."""


@pytest.fixture
def app(database_advisor):
    return create_app(database_advisor, token=TOKEN)


def test_no_change_of_32_clients_is_lost(database_advisor, app):
    advisor, plan = database_advisor, drafted(database_advisor)
    before = {(line.unit, line.indicator): line for line in advisor.plans.lines(plan.id)}
    address = f"/api/v1/target-plans/{plan.id}/line"

    def add_one(number: int) -> int:
        """Raise the target of a line by one step, as often as it takes; give how often it was refused."""
        unit, code = LINES[number % len(LINES)]
        client = TestClient(app, base_url=ADDRESS, headers=BEARER)
        asked, refused = {"unit": unit, "indicator": code}, 0
        while True:
            seen = client.get(address, params=asked)
            body = {"target": round(seen.json()["target"]["value"] + 0.01, 2), "reason": "x", "by": f"Client {number}"}
            answer = client.patch(address, params=asked, json=body, headers={"If-Match": seen.headers["ETag"]})
            if answer.status_code == 200:
                return refused
            assert answer.status_code == 412, answer.text
            refused += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        refused = sum(pool.map(add_one, range(CLIENTS)))
    assert refused > 0  # they did meet
    for place, key in enumerate(LINES):
        edits = len(range(place, CLIENTS, len(LINES)))
        after = advisor.plans.line(plan.id, *key).target
        assert after == pytest.approx(before[key].target + 0.01 * edits, abs=1e-9)
    events = advisor.plans.events(plan.id)
    assert [event.number for event in events] == list(range(1, CLIENTS + 2))
    assert sum(event.action is Action.OVERRIDE for event in events) == CLIENTS
    assert {event.by for event in events[1:]} == {f"Client {number}" for number in range(CLIENTS)}
    assert advisor.plans.get(plan.id).revision == CLIENTS + 1
