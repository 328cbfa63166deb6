"""What happens is told to whoever asked, once, signed, and again until it arrives; on both databases."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from alert_home import RISKY_KEY, risky_advisor
from serving_home import NOW
from sqlalchemy import insert, select, update
from webhook_receiver import receiving

from features.indicators import Title
from serving.access.principal import LOCAL, acting
from serving.database.tables.audit import audit_events
from serving.database.tables.plans import plans
from serving.database.tables.webhooks import deliveries
from serving.errors import InvalidError, NotFoundError
from serving.webhooks.courier import WAITS, Courier
from serving.webhooks.signing import signed_headers
from serving.webhooks.subscriptions import delivery
from training.retraining.runs import Runs

EVERY = ("plan.published", "alert.raised", "run.ended")


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def advisor(own_database_advisor):
    advisor = own_database_advisor
    advisor.settings = advisor.settings.model_copy(update={"webhook_hosts": ("127.0.0.1",)})
    advisor.time = NOW
    advisor._clock = lambda: advisor.time
    with acting(LOCAL):
        yield advisor


def publish(advisor, name: str = "p1", *, year: int = 2025, at: datetime | None = None) -> None:
    told = {"id": name, "dataset": "hostile-bank", "year": year, "version": 1, "state": "published"}
    told |= {"published_at": at or advisor.time, "created_at": NOW}
    needed = [column for column in plans.c if not column.nullable]
    rest = {column.name: {int: 0, str: ""}.get(column.type.python_type, {}) for column in needed}
    with advisor.database.write() as connection:
        connection.execute(insert(plans).values(rest | told))


def states(advisor) -> list[str]:
    with advisor.database.read() as connection:
        return list(connection.execute(select(deliveries.c.state).order_by(deliveries.c.made_at)).scalars())


def test_a_published_plan_is_told_once_and_signed(advisor, receiver):
    webhook, secret = advisor.webhooks.add(receiver.url, ["plan.published"])
    courier = Courier(advisor)
    assert courier.once() == 0
    publish(advisor)
    assert courier.once() == 1
    assert courier.once() == 0
    assert Courier(advisor).once() == 0  # another process
    assert receiver.told == [
        {
            "type": "plan.published",
            "timestamp": NOW.isoformat(),
            "data": {"dataset": "hostile-bank", "year": 2025, "version": 1, "plan": "p1"},
        }
    ]
    headers, body = receiver.messages[0]
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    expected = signed_headers(secret, headers["webhook-id"], body, at=at)
    assert headers["webhook-signature"] == expected["webhook-signature"]
    assert states(advisor) == ["delivered"]
    assert advisor.webhooks.deliveries(webhook["id"])[0]["last_status"] == 204


def test_what_happened_before_is_not_told(advisor, receiver):
    publish(advisor, at=NOW - timedelta(days=1))
    advisor.webhooks.add(receiver.url, ["plan.published"])
    assert Courier(advisor).once() == 0


def test_a_receiver_that_fails_is_asked_again_at_longer_intervals_until_it_is_given_up(advisor, receiver):
    advisor.webhooks.add(receiver.url, ["plan.published"])
    publish(advisor)
    courier = Courier(advisor)
    receiver.answers = [500, 302, 404, *[503] * 10]
    assert courier.once() == 1
    assert courier.once() == 0  # not due yet
    for wait in WAITS:
        assert states(advisor) == ["waiting"]
        advisor.time += wait
        assert courier.once() == 1
    assert states(advisor) == ["given-up"]
    advisor.time += timedelta(days=9)
    assert courier.once() == 0
    assert len(receiver.messages) == len(WAITS) + 1  # a redirect is not followed
    assert len({headers["webhook-id"] for headers, _ in receiver.messages}) == 1


def test_a_receiver_that_is_away_gets_it_later(advisor, receiver):
    advisor.webhooks.add("http://127.0.0.1:9/", ["plan.published"])
    publish(advisor)
    assert Courier(advisor).once() == 1
    assert states(advisor) == ["waiting"]
    with advisor.database.write() as connection:
        connection.execute(update(deliveries.metadata.tables["webhooks"]).values(url=receiver.url))
    advisor.time += WAITS[0]
    assert Courier(advisor).once() == 1
    assert states(advisor) == ["delivered"]


def test_a_message_held_by_a_process_that_died_is_sent_by_another(advisor, receiver):
    advisor.webhooks.add(receiver.url, ["plan.published"])
    publish(advisor)

    def killed(*_):
        raise SystemExit  # as a kill: nothing is noted about the attempt

    with pytest.raises(SystemExit):
        Courier(advisor, send=killed).once()
    assert Courier(advisor).once() == 0  # perhaps it is still at it
    advisor.time += timedelta(minutes=3)
    assert Courier(advisor).once() == 1
    assert states(advisor) == ["delivered"]


def test_several_processes_tell_each_thing_once(advisor, receiver):
    advisor.webhooks.add(receiver.url, ["plan.published"])
    for number in range(12):
        publish(advisor, f"p{number}", year=2025 + number)
    threads = [threading.Thread(target=Courier(advisor).once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Courier(advisor).once()
    assert sorted(told["data"]["plan"] for told in receiver.told) == sorted(f"p{number}" for number in range(12))


def test_new_alerts_and_ended_runs_are_told(tmp_path, receiver):
    advisor = risky_advisor(tmp_path)
    advisor.database.create()
    advisor.settings = advisor.settings.model_copy(update={"webhook_hosts": ("127.0.0.1",)})
    with acting(LOCAL):
        advisor.webhooks.add(receiver.url, list(EVERY))
        run, _ = advisor.training.request(by="Li Ming")
        Runs(advisor.settings.home, advisor.now).find(run.name).say("failed", Title(en="No.", zh="否。"))
        courier = Courier(advisor)
        while courier.once():
            pass
    told = [(message["type"], message["data"]) for message in receiver.told]
    name = advisor.snapshot().about.dataset
    alerts = [data for event, data in told if event == "alert.raised"]
    assert {"dataset": name, "period": RISKY_KEY.rpartition("@")[2]} in alerts
    assert not [data for data in alerts if set(data) != {"dataset", "period"}], "whoever receives it may see no alert"
    assert [data for event, data in told if event == "run.ended"] == [
        {"dataset": name, "run": run.name, "state": "failed"}
    ]


def test_an_ended_webhook_is_told_nothing(advisor, receiver):
    webhook, _ = advisor.webhooks.add(receiver.url, ["plan.published"])
    message = advisor.webhooks.test(webhook["id"])
    assert Courier(advisor).once() == 1
    assert receiver.messages[0][0]["webhook-id"] == message
    publish(advisor)
    assert advisor.webhooks.end(webhook["id"])["disabled_at"] == advisor.time
    assert advisor.webhooks.end(webhook["id"])["disabled_at"] == advisor.time
    assert Courier(advisor).once() == 0
    with pytest.raises(NotFoundError, match="ended"):
        advisor.webhooks.test(webhook["id"])
    with advisor.database.read() as connection:
        actions = list(connection.execute(select(audit_events.c.action).order_by(audit_events.c.number)).scalars())
    assert actions == ["webhook.add", "webhook.test", "webhook.end"]


def test_a_host_that_is_allowed_no_longer_gets_nothing(advisor, receiver):
    advisor.webhooks.add(receiver.url, ["plan.published"])
    publish(advisor)
    advisor.settings = advisor.settings.model_copy(update={"webhook_hosts": ()})
    assert Courier(advisor).once() == 1
    assert receiver.messages == []
    assert states(advisor) == ["waiting"]


def test_the_same_request_twice_is_one_webhook(advisor, receiver):
    first = advisor.webhooks.add(receiver.url, ["plan.published"], request_key="local:k1")
    assert advisor.webhooks.add(receiver.url, ["plan.published"], request_key="local:k1") == first
    assert len(advisor.webhooks.every()) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://evil.example/", "may not go"),
        ("https://127.0.0.1.evil.example/", "may not go"),
        ("https://127.0.0.1@evil.example/", "name or password"),
        ("https://user:word@127.0.0.1/", "name or password"),
        ("http://169.254.169.254/latest/meta-data", "may not go"),
        ("http://[::ffff:169.254.169.254]/", "may not go"),
        ("file:///etc/passwd", "no http address"),
        ("gopher://127.0.0.1/", "no http address"),
        ("http://127.0.0.1:99999/", "no http address"),
        ("http://127.0.0.1\\@evil.example/", "no http address"),
        ("http://127.0.0.1/\r\nX: y", "no http address"),
        ("http://127。0。0。1/", "no http address"),
        ("", "no http address"),
        ("http://risk.bank.example/", "in the clear"),
    ],
)
def test_addresses_to_which_nothing_may_be_sent(trained, url, why):
    from serving.webhooks.subscriptions import checked_address

    with pytest.raises(InvalidError, match=why):
        checked_address(url, ("127.0.0.1", "risk.bank.example"))


def test_unknown_events_are_refused(advisor, receiver):
    for events in ([], ["plan.deleted"]):
        with pytest.raises(InvalidError):
            advisor.webhooks.add(receiver.url, events)


def test_what_is_written_down_as_a_webhook_ends_is_not_sent(advisor, receiver):
    webhook, _ = advisor.webhooks.add(receiver.url, ["plan.published"])
    courier = Courier(advisor)
    standing = courier._standing()
    publish(advisor)
    advisor.webhooks.end(webhook["id"])
    courier._write_down(standing)  # it looked who is to be told just before
    assert states(advisor) == []
    with advisor.database.write() as connection:
        row = delivery(webhook["id"], "plan.published", {}, message="m", at=NOW, made_at=NOW)
        connection.execute(insert(deliveries).values(row))
    assert courier._take() == []
