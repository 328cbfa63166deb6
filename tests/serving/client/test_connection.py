"""What a connection does when things go wrong, against servers that answer as they are told."""

from __future__ import annotations

import json
import logging
import ssl

import pytest
from breaking_server import answer, answering, self_signed

from features.errors import LoadlineError
from serving.client import Loadline, ProblemError, UnreachableError, UnreadableError
from serving.client.connection import LONGEST_PAUSE
from serving.identity_schemas import PersonChange, PersonRequest
from serving.prediction_schemas import RowsToPredict

KEY = "ll_a-key-that-nobody-is-told"
ALIVE = answer(200, b'{"status": "ok"}', Content_Type="application/json")
AWAY = answer(503, b"", Retry_After="4")
ROWS = RowsToPredict(rows=[[1.0]])


class Time:
    """Time that goes by only where somebody waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def clock(self) -> float:
        return sum(self.waited)


@pytest.fixture
def time() -> Time:
    return Time()


def client_of(address: str, time: Time, **options) -> Loadline:
    return Loadline(address, KEY, wait=time.wait, clock=time.clock, **options)


def test_it_waits_as_long_as_it_is_told(time):
    with (
        answering([AWAY, answer(429, Retry_After="2"), b"", ALIVE]) as server,
        client_of(server.address, time) as client,
    ):
        assert client.service.health().status == "ok"
    assert time.waited[:2] == [4.0, 2.0]
    assert 0 < time.waited[2] <= LONGEST_PAUSE
    assert len(server.asked) == 4


def test_a_date_to_wait_for_is_understood(time):
    day = "Wed, 21 Oct 2026 07:28:"
    told = answer(503, Date=f"{day}00 GMT", Retry_After=f"{day}07 GMT")
    with answering([told, ALIVE]) as server, client_of(server.address, time) as client:
        client.service.health()
    assert time.waited == [7.0]


def test_patience_ends(time):
    with (
        answering([AWAY] * 9) as server,
        client_of(server.address, time, patience=10) as client,
        pytest.raises(ProblemError) as refused,
    ):
        client.units.get("N01")
    assert (refused.value.status, refused.value.kind) == (503, "unknown")
    assert time.waited == [4.0, 4.0]
    with (
        answering([AWAY]) as server,
        client_of(server.address, time, patience=0) as client,
        pytest.raises(ProblemError),
    ):
        client.units.get("N01")
    assert time.waited == [4.0, 4.0]


def test_what_may_have_been_done_is_repeated_only_under_a_key(time):
    tag, change = '"r1"', PersonChange(name="Li")
    with answering([AWAY]) as server, client_of(server.address, time) as client, pytest.raises(ProblemError):
        client.people.change("li", change, if_match=tag)
    with answering([AWAY]) as server, client_of(server.address, time) as client, pytest.raises(ProblemError):
        client.keys.revoke("0" * 32)
    assert not time.waited
    refused, crossed = answer(429, Retry_After="1"), answer(409, Retry_After="1")
    with (
        answering([refused, crossed, answer(404)]) as server,
        client_of(server.address, time) as client,
        pytest.raises(ProblemError),
    ):
        client.people.change("li", change, if_match=tag)
    assert time.waited == [1.0, 1.0]
    assert {request.headers["if-match"] for request in server.asked} == {tag}
    with (
        answering([AWAY, answer(409)]) as server,
        client_of(server.address, time) as client,
        pytest.raises(ProblemError),
    ):
        client.people.add(PersonRequest(login="li", name="Li"))
    assert len({request.headers["idempotency-key"] for request in server.asked}) == 1
    assert [request.body for request in server.asked] == [b'{"login":"li","name":"Li"}'] * 2


def test_nobody_there_is_told_as_such(time):
    with answering([]) as server:
        address = server.address
    with client_of(address, time, patience=1) as client, pytest.raises(UnreachableError, match="cannot be reached"):
        client.people.change("li", PersonChange(name="Li"), if_match='"r1"')
    assert len(time.waited) > 1, "nothing had been sent: it may be tried again"


def test_a_download_that_broke_off_begins_again(time, tmp_path):
    more = answer(200, b"a,b\n1,2\n")[:-1]
    with answering([more, answer(200, b"a,b\n")]) as server, client_of(server.address, time) as client:
        path = client.audit.export.save(tmp_path / "audit.csv")
    assert path.read_bytes() == b"a,b\n"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_leads_elsewhere(time):
    with answering([ALIVE]) as elsewhere:
        moved = answer(307, Location=f"{elsewhere.address}/healthz")
        with (
            answering([moved]) as server,
            client_of(server.address, time) as client,
            pytest.raises(UnreadableError, match="leads elsewhere"),
        ):
            client.service.health()
        assert not elsewhere.asked


def test_what_the_surroundings_say_of_proxies_is_not_followed(time, monkeypatch):
    with answering([ALIVE]) as proxy, answering([ALIVE]) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        with client_of(server.address, time) as client:
            client.service.health()
        assert (len(proxy.asked), len(server.asked)) == (0, 1)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b'{"status": "fine"}', b"\xff"])
def test_an_answer_of_somebody_else_is_not_taken_for_one(time, body):
    with (
        answering([answer(200, body)]) as server,
        client_of(server.address, time) as client,
        pytest.raises(UnreadableError) as unread,
    ):
        client.service.health()
    assert "Sign in" not in str(unread.value)


def test_an_answer_that_tells_more_is_read(time):
    more = json.dumps({"status": "ok", "since": "yesterday"}).encode()
    with answering([answer(200, more)]) as server, client_of(server.address, time) as client:
        assert client.service.health().status == "ok"


def test_a_problem_that_is_none_is_told_by_its_status(time):
    body = answer(400, b'{"type": 1}', Content_Type="application/problem+json", X_Request_Id="4f2c9a1b")
    with (
        answering([body]) as server,
        client_of(server.address, time) as client,
        pytest.raises(ProblemError) as refused,
    ):
        client.predictions.predict(ROWS)
    assert (refused.value.status, refused.value.request_id) == (400, "4f2c9a1b")


def test_the_key_is_sent_and_told_nowhere(time, caplog):
    caplog.set_level(logging.DEBUG)
    with answering([answer(401, b"who?"), b""]) as server, client_of(server.address, time, patience=0) as client:
        told = [repr(client), repr(client.units), repr(client.units.get), repr(vars(client))]
        for _ in range(2):
            with pytest.raises(LoadlineError) as failed:
                client.units.get("N01")
            told += [str(failed.value), repr(failed.value), repr(vars(failed.value))]
        told.append(repr(vars(client._connection)))
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in "".join(told) + caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "loadline.bank.example",
        "ftp://loadline.bank.example",
        "https://user:word@loadline.bank.example",
        "https://loadline.bank.example/api/v1",
        "https://loadline.bank.example?token=x",
        "https://",
        "http://\x00",
        "http://loadline.bank.example",
        "http://127.0.0.1.bank.example",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(address):
    with pytest.raises(LoadlineError) as refused:
        Loadline(address, KEY)
    assert "word" not in str(refused.value)


def test_other_addresses_are_taken():
    with Loadline("https://loadline.bank.example/", KEY) as client:
        assert repr(client) == "<Loadline at https://loadline.bank.example>"
    with Loadline("http://loadline:8321", KEY, unencrypted=True) as client:
        assert repr(client) == "<Loadline at http://loadline:8321>"
    Loadline("http://[::1]:8321", KEY).close()


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "钥匙", "x" * 501])
def test_what_cannot_be_a_key_is_refused_and_not_quoted(key):
    with pytest.raises(LoadlineError) as refused:
        Loadline("http://127.0.0.1:8321", key)
    assert not key or key not in str(refused.value)


def test_a_blank_part_of_an_address_is_refused(time):
    with client_of("http://127.0.0.1:1", time) as client, pytest.raises(LoadlineError, match="`unit` is blank"):
        client.units.get("")


def test_who_cannot_prove_who_it_is_is_not_asked_again(time, tmp_path):
    with self_signed(tmp_path, [ALIVE]) as (server, certificate):
        address = server.address.replace("http://", "https://")
        with client_of(address, time) as client, pytest.raises(UnreachableError, match="prove who it is") as refused:
            client.service.health()
        assert "cafile" in refused.value.hint
        assert not time.waited
        own = ssl.create_default_context(cafile=certificate)
        with client_of(address, time, verify=own) as client:
            assert client.service.health().status == "ok"
