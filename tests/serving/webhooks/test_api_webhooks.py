"""Webhooks over the API."""

import pytest
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at
from starlette.testclient import TestClient
from webhook_receiver import receiving

from serving.app import create_app
from serving.webhooks.courier import Courier

AT = "/api/v1/webhooks"


@pytest.fixture
def advisor(own_database_advisor):
    advisor = own_database_advisor
    advisor.settings = advisor.settings.model_copy(update={"webhook_hosts": ("127.0.0.1",)})
    return advisor


@pytest.fixture
def client(advisor):
    return TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER)


@pytest.fixture(scope="module")
def refusing(trained_home):
    """Asks for what is refused before any database is asked."""
    advisor = advisor_at(trained_home)
    advisor.settings = advisor.settings.model_copy(update={"webhook_hosts": ("127.0.0.1",)})
    return TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER)


def test_a_webhook_is_added_tried_followed_and_ended(advisor, client):
    with receiving() as receiver:
        made = client.post(AT, json={"url": receiver.url, "events": ["plan.published"]})
        assert made.status_code == 201
        webhook = made.json()
        address = made.headers["location"]
        assert webhook["secret"].startswith("whsec_")
        seen = client.get(address)
        assert "secret" not in seen.json()
        assert client.get(address, headers={"If-None-Match": seen.headers["etag"]}).status_code == 304
        tried = client.post(f"{address}/test", json={})
        assert tried.status_code == 202
        assert Courier(advisor).once() == 1
        assert receiver.told[0]["type"] == "webhook.test"
    (delivery,) = client.get(f"{address}/deliveries").json()["items"]
    assert (delivery["id"], delivery["state"], delivery["last_status"]) == (tried.json()["id"], "delivered", 204)
    ended = client.delete(address).json()
    assert ended["ended_at"] is not None
    listed = client.get(AT).json()
    assert (listed["total"], listed["items"]) == (1, [ended])
    assert webhook["secret"] not in client.get(AT).text


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://evil.example/", "events": ["plan.published"]},
        {"url": "javascript:alert(1)", "events": ["plan.published"]},
        {"url": "http://127.0.0.1/", "events": []},
        {"url": "http://127.0.0.1/", "events": ["plan.deleted"]},
        {"url": "http://127.0.0.1/", "events": ["plan.published"], "secret": "mine"},
        {"url": 5, "events": ["plan.published"]},
        [],
    ],
)
def test_what_cannot_be_a_webhook_is_refused(refusing, body):
    answer = refusing.post(AT, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_one_that_is_not_there_is_not_found(client):
    for ask in (client.get, client.delete):
        assert ask(f"{AT}/abc").status_code == 404
    assert client.get(f"{AT}/abc/deliveries").status_code == 404
    assert client.post(f"{AT}/abc/test").status_code == 404
