"""The short way against the general parser: the same requests seen, the same answers given, byte for byte."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from serving.draining import Draining
from serving.hot.quick_protocol import QuickProtocol, plain_request, written
from serving.http_server import DrainingServer, PatientProtocol

POST = b"POST /api/v1/predictions HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
GET = b"GET /api/v1/targets/a%2Fb?x=1&y=%20 HTTP/1.1\r\nhost: a\r\nX-One:  two words \r\nConnection: keep-alive\r\n\r\n"


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what was asked, or do as the query says."""
    message = await receive()
    if scope["query_string"] == b"fail":
        raise RuntimeError("an expected failure of this test")
    if scope["query_string"] == b"304":
        await Response(status_code=304, headers={"ETag": '"t"'})(scope, receive, send)
        return
    names = ("method", "path", "scheme", "root_path", "http_version", "type")
    told = {name: scope[name] for name in names} | {"body": message["body"].decode(), "more": message["more_body"]}
    told |= {"raw": scope["raw_path"].decode(), "query": scope["query_string"].decode()}
    told["headers"] = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    await JSONResponse(told)(scope, receive, send)


def serving(protocol: type[PatientProtocol]) -> Iterator[int]:
    """Serve by a protocol; give the port."""
    import uvicorn

    config = uvicorn.Config(telling, http=protocol, lifespan="off", log_config=None, server_header=False, ws="none")
    server = DrainingServer(config, draining=Draining(), seconds=0.0)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="module")
def quick() -> Iterator[int]:
    yield from serving(QuickProtocol)


@pytest.fixture(scope="module")
def general() -> Iterator[int]:
    yield from serving(PatientProtocol)


def said(port: int, *parts: bytes, answers: int = 1) -> bytes:
    """Send parts, and give what comes back: so many answers, or all until the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        got = b""
        while (data := connection.recv(65536)) and not _whole(got := got + data, answers):
            pass
        return re.sub(rb"date: [^\r]*\r\n", b"", got)


def _whole(got: bytes, answers: int) -> bool:
    for _ in range(answers):
        head, found, got = got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        needed = int(length[1]) if length else 0 if b" 304 " in head[:13] else 1 << 30  # else to the end
        if not found or len(got) < needed:
            return False
        got = got[needed:]
    return True


@pytest.mark.parametrize(
    "sent",
    [
        POST,
        GET,
        POST.replace(b"4\r\n\r\nbody", b"0\r\n\r\n"),
        GET.replace(b"?x=1&y=%20", b"?304"),
        GET.replace(b"keep-alive", b"close"),
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GET.replace(b"/api/v1/targets", b"/elsewhere"),
        GET.replace(b"a%2Fb", b"%E4%B8%9C%ff"),
        GET.replace(b"host: a\r\n", b""),
        GET.replace(b"host: a\r\n", b"host: a\r\nhost: b\r\n"),
        GET.replace(b"X-One:", b"X-One :"),
        GET.replace(b"two words", b"two\0words"),
        GET.replace(b"two words", b"two\r\n words"),
        GET.replace(b"two words", b"two\nwords"),
        GET.replace(b"GET", b"HEAD").replace(b"keep-alive", b"close"),
        POST.replace(b"Content-Length: 4", b"Content-Length: 4\r\nContent-Length: 4"),
        POST.replace(b"Content-Length: 4", b"Content-Length: +4"),
        POST.replace(b"Content-Length: 4", b"Content-Length: 4\r\nTransfer-Encoding: chunked").replace(
            b"body", b"4\r\nbody\r\n0\r\n\r\n"
        ),
        POST.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked").replace(b"body", b"4\r\nbody\r\n0\r\n\r\n"),
    ],
)
def test_what_is_seen_and_said_is_the_same(quick: int, general: int, sent: bytes) -> None:
    found, expected = said(quick, sent), said(general, sent)
    assert found.startswith(b"HTTP/1.1 ")
    assert _parts(found) == _parts(expected)


def _parts(answer: bytes) -> tuple[bytes, set[bytes], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    return status.strip(), {line.lower() for line in headers}, body


def test_requests_in_pieces_and_one_after_the_other_are_all_answered(quick: int) -> None:
    one = said(quick, POST)
    assert one.count(b'"body":"body"') == 1
    assert said(quick, POST[:30], POST[30:]).endswith(one[-100:])
    assert said(quick, POST[:-2], POST[-2:]).endswith(one[-100:])
    assert said(quick, POST + POST + GET + POST, answers=4).count(b"HTTP/1.1 200") == 4
    assert said(quick, POST, POST, GET, answers=3).count(b"HTTP/1.1 200") == 3
    assert said(quick, POST, POST[:20], POST[20:] + POST, answers=3).count(b"HTTP/1.1 200") == 3


def test_a_failure_tells_nothing_and_ends_the_connection(quick: int) -> None:
    failed = said(quick, GET.replace(b"?x=1&y=%20", b"?fail"), answers=99)
    assert failed.startswith(b"HTTP/1.1 500")
    assert b"expected failure" not in failed
    assert said(quick, GET).startswith(b"HTTP/1.1 200"), "others are answered"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, len(POST)), st.integers(0, len(POST)))
def test_whatever_is_not_plain_is_left_to_the_general_parser(noise: bytes, begin: int, end: int) -> None:
    import h11

    changed = POST[:begin] + noise + POST[end:]
    plain = plain_request(changed)
    if plain is None:
        return
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(changed)
    event, body = parser.next_event(), b""
    assert isinstance(event, h11.Request)
    while isinstance(part := parser.next_event(), h11.Data):
        body += bytes(part.data)
    assert isinstance(part, h11.EndOfMessage)
    assert not parser.trailing_data[0]
    assert (plain.method.encode(), plain.body) == (bytes(event.method), body)
    assert plain.headers == [(bytes(name), bytes(value)) for name, value in event.headers]
    assert plain.raw_path + (b"?" + plain.query if b"?" in event.target else b"") == bytes(event.target)


def test_no_head_takes_long_to_refuse() -> None:
    head = b"GET /api/v1/targets/x HTTP/1.1\r\n"
    for wrong in (b"a: " + b" " * 60_000, b"a:b\r\n" * 10_000, b"a" * 60_000, b"a: \t \t" * 10_000):
        assert plain_request(head + wrong) is None


def test_a_header_of_more_than_a_line_is_not_written() -> None:
    for value in (b"a\r\nset-cookie: x", b"a\nb", b"a\0"):
        with pytest.raises(ValueError, match="more than a line"):
            written(200, [(b"x", value)], b"", stay=True)
