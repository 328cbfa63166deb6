"""Handing on over a real socket: what is asked and answered stays as it is, whole and in parts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.draining import Draining
from serving.errors import ErrorAnswers
from serving.hot.front import no_page
from serving.hot.handing_on import FROM, HandingOn, ToldFrom
from serving.http_server import DrainingServer
from serving.whole import door

BIG = 300_000


async def seen(request: Request) -> Response:
    """Say what came."""
    headers = [(name.decode(), value.decode()) for name, value in request.scope["headers"]]
    told = {"method": request.method, "path": request.scope["raw_path"].decode(), "headers": headers}
    told |= {"query": request.url.query, "client": list(request.client or ()), "scheme": request.url.scheme}
    body = await request.body()
    answer = JSONResponse(told | {"length": len(body), "sum": sum(body)}, status_code=201)
    answer.headers.append("set-cookie", "a=1")
    answer.headers.append("set-cookie", "b=2")
    return answer


async def in_parts(_: Request) -> Response:
    async def parts():
        for _ in range(30):
            yield b"x" * (BIG // 30)

    return StreamingResponse(parts(), media_type="text/plain")


async def broken(request: Request) -> Response:
    async def parts():
        yield b"x" * 10
        raise RuntimeError("an expected failure of this test")

    if request.query_params.get("at") == "once":
        for connection in request.app.state.server.server_state.connections:
            connection.transport.abort()
        await asyncio.sleep(0)
    return StreamingResponse(parts())


async def unchanged(_: Request) -> Response:
    return Response(status_code=304, headers={"ETag": '"t"'})


ROUTES = [
    Route("/seen/{rest:path}", seen, methods=["GET", "POST", "PUT", "DELETE"]),
    Route("/parts", in_parts),
    Route("/broken", broken),
    Route("/unchanged", unchanged),
]


@contextmanager
def whole(place: Path) -> Iterator[None]:
    """Let an application listen on a socket."""
    import uvicorn

    app = Starlette(routes=ROUTES)
    config = uvicorn.Config(ToldFrom(app), log_config=None, server_header=False)
    server = app.state.server = DrainingServer(config, draining=Draining(), seconds=0.0)
    listening = door(place)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    place = tmp_path_factory.mktemp("s") / "d.sock"
    with whole(place):
        assert place.stat().st_mode & 0o777 == 0o600
        front = HandingOn(place, answer=ErrorAnswers(no_page))
        yield TestClient(
            front, base_url="https://127.0.0.1", raise_server_exceptions=False, client=("203.0.113.7", 4711)
        )


def test_a_request_arrives_as_it_was_sent(small: TestClient) -> None:
    sent = {"X-One": "1", "Accept": "*/*", "Cookie": "c=d", "Connection": "x-secret, close", "X-Secret": "s", "TE": "t"}
    sent[FROM.decode()] = "198.51.100.1 1 http"
    answer = small.put("/seen/a%2Fb/%E4%B8%9C?q=1&q=%20", content=b"ab" * 5, headers=sent)
    told = answer.json()
    assert (answer.status_code, told["method"], told["length"]) == (201, "PUT", 10)
    assert (told["path"], told["query"]) == ("/seen/a%2Fb/%E4%B8%9C", "q=1&q=%20")
    assert told["client"] == ["203.0.113.7", 4711], "who is connected is not for the asker to say"
    assert told["scheme"] == "https"
    names = {name for name, _ in told["headers"]}
    assert {"x-one", "cookie", "content-length", "host"} <= names
    assert not names & {FROM.decode(), "x-secret", "te", "x-forwarded-for"}
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert len(answer.headers.get_list("content-length")) == 1


def test_what_makes_a_request_is_not_left_out_whatever_is_said_of_it(small: TestClient) -> None:
    answer = small.put("/seen/", content=b"ab", headers={"Connection": "Host, Content-Length"})
    assert (answer.status_code, answer.json()["length"]) == (201, 2)


def test_bodies_of_any_form_pass(small: TestClient) -> None:
    def parts():
        for _ in range(30):
            yield b"y" * (BIG // 30)

    told = small.post("/seen/", content=parts()).json()
    assert (told["length"], told["sum"]) == (BIG, BIG * ord("y"))
    assert dict(told["headers"])["transfer-encoding"] == "chunked"
    assert small.get("/parts").content == b"x" * BIG
    assert (small.head("/seen/x").status_code, small.head("/seen/x").content) == (201, b"")
    assert small.get("/unchanged").status_code == 304
    assert small.get("/seen/").json()["length"] == 0


def test_an_answer_that_ends_early_is_not_taken_for_whole(small: TestClient) -> None:
    lost = small.get("/broken?at=once")
    assert lost.status_code == 503
    assert lost.headers["Retry-After"]
    assert "may have been done" in lost.json()["detail"]
    honest = TestClient(small.app, base_url="https://127.0.0.1")
    with pytest.raises(ConnectionError, match="ended early"):
        honest.get("/broken")


def test_while_the_whole_application_is_away_it_says_so_and_it_waits_a_while(tmp_path: Path) -> None:
    place = tmp_path / "d.sock"
    away = TestClient(HandingOn(place, answer=ErrorAnswers(no_page), patience=0.0))
    answer = away.get("/seen/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    waiting = TestClient(HandingOn(place, answer=ErrorAnswers(no_page), patience=60.0))
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(waiting.get("/seen/").status_code))
    asking.start()
    with whole(place):
        asking.join()
    assert found == [201]
