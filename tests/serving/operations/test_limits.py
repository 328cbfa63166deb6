"""`rate` and the other limits: how often, how long, how much, and in what form the service may be asked."""

import threading
import time

import pytest
from serving_home import ADDRESS, BEARER, NOW, TOKEN
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from serving.access.principal import LOCAL, Principal, acting
from serving.advisor import Advisor
from serving.app import create_app
from serving.errors import ErrorAnswers
from serving.limits import JsonOnly, PerPrincipal, PerStranger, TimeLimit, TokenBuckets
from serving.middleware import LARGER, MAX_BODY, BodyLimit
from serving.settings import Settings

ANSWER = ErrorAnswers(lambda *_: JSONResponse({}))


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


async def fine(scope, receive, send):
    await JSONResponse({"read": len(await read(receive))})(scope, receive, send)


async def read(receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def test_rate_a_bucket_empties_and_fills_at_its_rate():
    clock = Clock()
    buckets = TokenBuckets(2.0, 3.0, clock=clock)
    assert [buckets.wait("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.wait("b") == 0.0
    clock.seconds += 0.5
    assert (buckets.wait("a"), buckets.wait("a")) == (0.0, 0.5)
    clock.seconds += 1e9
    assert [buckets.wait("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_rate_processes_that_share_the_load_share_the_limit():
    clock = Clock()
    shared = TokenBuckets(8.0, 16.0, among=4, clock=clock)
    assert [shared.wait("a") for _ in range(5)] == [0.0] * 4 + [0.5]


def test_rate_what_is_remembered_has_an_end():
    clock = Clock()
    buckets = TokenBuckets(1.0, 1.0, clock=clock, most=3)
    for asker in "abcd":
        buckets.wait(asker)
    assert buckets.wait("d") > 0
    assert buckets.wait("a") == 0.0  # forgotten, since it was silent for longest
    assert len(buckets._buckets) == 3


def test_rate_off_is_off():
    buckets = TokenBuckets(0, 1)
    assert [buckets.wait("a") for _ in range(9)] == [0.0] * 9


def test_rate_each_principal_has_a_limit_of_its_own():
    clock = Clock()
    inner = PerPrincipal(fine, buckets=TokenBuckets(0.25, 2, clock=clock), answer=ANSWER)
    principal = [LOCAL]

    async def app(scope, receive, send):
        with acting(principal[0]):
            await inner(scope, receive, send)

    client = TestClient(app)
    assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/")
    assert refused.headers["retry-after"] == "4"
    assert refused.headers["content-type"] == "application/problem+json"
    principal[0] = Principal("other", "other", "key", ())
    assert client.get("/").status_code == 200
    principal[0] = LOCAL
    clock.seconds += 4
    assert client.get("/").status_code == 200


def test_rate_strangers_are_slowed_down_by_address_and_health_never():
    async def closed(scope, receive, send):
        await JSONResponse({}, status_code=200 if scope["path"] == "/healthz" else 401)(scope, receive, send)

    app = PerStranger(closed, buckets=TokenBuckets(0.25, 2, clock=Clock()), answer=ANSWER)
    client, other = TestClient(app), TestClient(app, client=("192.0.2.1", 1))
    assert [client.get("/").status_code for _ in range(3)] == [401, 401, 429]
    assert client.get("/", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 429
    assert client.get("/healthz").status_code == 200
    assert other.get("/").status_code == 401


def test_rate_strangers_on_their_way_in_are_slowed_down_and_those_who_are_known_are_not():
    async def entrance(scope, receive, send):
        scope["state"] = {"principal": "1"} if scope["path"] == "/known" else {}
        await JSONResponse({})(scope, receive, send)

    caller = TestClient(PerStranger(entrance, buckets=TokenBuckets(0.25, 2, clock=Clock()), answer=ANSWER))
    assert [caller.get("/known").status_code for _ in range(3)] == [200, 200, 200]
    assert [caller.get("/sign-in/provider").status_code for _ in range(3)] == [200, 200, 429]


def test_rate_is_on_where_nobody_has_set_it_otherwise(trained):
    assert Settings.model_fields["rate"].default > 0
    settings = trained.settings.model_copy(update={"rate": 0.001, "rate_burst": 2})
    client = TestClient(create_app(Advisor(settings, clock=lambda: NOW), token=TOKEN), base_url=ADDRESS)
    answers = [client.get("/api/v1/indicators", headers=BEARER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_a_request_that_takes_too_long_gets_503_and_its_thread_ends_by_itself():
    ended = threading.Event()

    async def slow(scope, receive, send):
        from starlette.concurrency import run_in_threadpool

        await run_in_threadpool(lambda: (time.sleep(0.2), ended.set()))
        await fine(scope, receive, send)

    client = TestClient(TimeLimit(slow, seconds=0.02, answer=ANSWER))
    answer = client.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert ended.wait(60)
    assert TestClient(TimeLimit(slow, seconds=60, answer=ANSWER)).get("/").status_code == 200


def in_pieces(size: int):
    yield from (b"x" * 65_536 for _ in range(size // 65_536))


@pytest.mark.parametrize("pieces", [False, True])
def test_files_may_be_larger_than_anything_else(pieces):
    client = TestClient(BodyLimit(fine, answer=ANSWER))
    size = 4 * MAX_BODY
    for path, status in (("/x", 413), ("/x/import", 200), ("/x/import/y", 413)):
        answer = client.post(path, content=in_pieces(size) if pieces else b"x" * size)
        assert answer.status_code == status
    assert client.post("/x/import", content=in_pieces(LARGER["/import"] + 65_536)).status_code == 413


def test_a_body_in_pieces_is_too_large_for_the_api_too(client):
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/training-runs", content=in_pieces(2 * MAX_BODY), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_come_gets_408():
    async def never():
        threading.Event().wait(0)
        import asyncio

        await asyncio.sleep(60)

    async def ask() -> list[dict]:
        sent: list[dict] = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/x", "headers": [(b"content-length", b"5")], "state": {}}
        await BodyLimit(fine, answer=ANSWER, seconds=0.02)(scope, never, send)
        return sent

    import asyncio

    assert asyncio.run(ask())[0]["status"] == 408


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("text/plain; a=application/json", 415),
        ("", 415),
    ],
)
def test_programs_send_json_and_nothing_else(given, status):
    client = TestClient(JsonOnly(fine, answer=ANSWER))
    assert client.post("/api/v1/x", content=b"{}", headers={"Content-Type": given}).status_code == status
    assert client.post("/api/v1/x/import", content=b"{}", headers={"Content-Type": given}).status_code == 200
    assert client.post("/sign-in", content=b"{}", headers={"Content-Type": given}).status_code == 200


def test_a_body_without_a_type_or_with_two_is_refused():
    client = TestClient(JsonOnly(fine, answer=ANSWER))
    assert client.post("/api/v1/x").status_code == 200
    assert client.post("/api/v1/x", content=b"{}").status_code == 415
    twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    assert client.post("/api/v1/x", content=b"{}", headers=twice).status_code == 415


DEEP = 50_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"by":"x","reason":"y","seed":' + b"9" * 5_000 + b"}",
        b'{"by":"x","reason":"y","seed":' + b"9" * 400 + b"}",
        b'{"by":"x","reason":"y","seed":1e999}',
        b'{"by":"x","reason":"y","seed":NaN}',
        b'{"by":"x","reason":"y","seed":-Infinity}',
        b'{"by":"\\ud800","reason":"y"}',
        b'{"\\ud800":1,"by":"x","reason":"y"}',
        b'{"by":"\xff\xfe","reason":"y"}',
        b'{"by":"x","reason":"\\u0000"}',
        b'{"' + b"k" * 100_000 + b'":1}',
        b'\xef\xbb\xbf{"by":"x"}',
        b"null",
        b"[]",
        b"",
        b"\x00",
    ],
)
def test_hostile_json_is_refused_and_never_a_fault(client, body):
    answer = client.post("/api/v1/training-runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 5_000
