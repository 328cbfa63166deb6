"""`drain` and slow clients, on a real server over real connections."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from starlette.responses import JSONResponse

from serving import http_server
from serving.draining import Draining
from serving.http_server import DrainingServer, PatientProtocol

WAIT = 60
SERVICE = """
import asyncio, socket, sys
from starlette.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from serving.draining import Draining
from serving.errors import ErrorAnswers
from serving.http_server import run_server
from serving.middleware import Envelope
import time
draining = Draining()
async def app(scope, receive, send):
    assert scope["type"] == "http" or scope["type"] == "lifespan"
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        await run_in_threadpool(time.sleep, 0.4)
    status = 503 if scope["path"] == "/readyz" and draining.begun else 200
    await JSONResponse({"draining": draining.begun}, status_code=status)(scope, receive, send)
listening = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listening.getsockname()[1], flush=True)
answer = ErrorAnswers(lambda *_: JSONResponse({}))
run_server(Envelope(app, answer=answer, draining=draining), [listening], draining=draining, seconds=float(sys.argv[1]))
"""


class Asking:
    """A client that stays connected until it is told that an answer was the last on its connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        self.file = self.socket.makefile("rb")

    def get(self, path: str) -> tuple[int, bool]:
        """Give the status, and whether the connection stays open."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        self.file.read(int(headers[b"content-length"]))
        return status, headers.get(b"connection") != b"close"

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def served(seconds: float) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen([sys.executable, "-c", SERVICE, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_drain_told_to_stop_under_load_every_request_is_answered():
    process, port = served(2.0)
    trouble, done, told = [], [], threading.Event()

    def load(path: str) -> None:
        try:
            while not told.is_set():
                asking = Asking(port)
                stays = True
                while stays:
                    status, stays = asking.get(path)
                    done.append(status)
                asking.close()
        except (OSError, IndexError) as error:
            trouble.append((path, repr(error)))

    clients = [threading.Thread(target=load, args=(path,), daemon=True) for path in ["/fast"] * 4 + ["/slow"] * 4]
    try:
        watching = Asking(port)
        assert watching.get("/readyz") == (200, True)
        for client in clients:
            client.start()
        while len(done) < 100:
            assert not trouble
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert watching.get("/readyz") == (503, False)
        fresh = Asking(port)  # who has not noticed yet is still answered
        assert fresh.get("/fast") == (200, False)
        fresh.close()
        told.set()
        for client in clients:
            client.join(WAIT)
        watching.close()
        assert process.wait(WAIT) == 0
    finally:
        process.kill()
        process.wait()
    assert trouble == []
    assert set(done) == {200}


def test_drain_where_nobody_is_connected_nobody_is_waited_for():
    process, port = served(WAIT)
    try:
        asking = Asking(port)
        assert asking.get("/") == (200, True)
        asking.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT / 2) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def server(monkeypatch):
    """A server in a thread that waits for the head of a request for a moment only; gives its port."""
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    import uvicorn

    async def app(scope, receive, send):
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        told = {"method": scope["method"], "headers": headers, "body": body.decode("latin-1")}
        await JSONResponse(told)(scope, receive, send)

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=PatientProtocol, ws="none", log_config=None, access_log=False, lifespan="off")
    running = DrainingServer(config, draining=Draining(), seconds=0)
    thread = threading.Thread(target=lambda: running.run(sockets=[listening]), daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    running.should_exit = True
    thread.join(WAIT)


def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts one after another, and give all that is said until the connection ends."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=WAIT)) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionError:
            return b""
    return answer


LAST = b"Connection: close\r\n\r\n"


def test_who_sends_nothing_or_a_byte_now_and_then_is_hung_up_on(server):
    assert said(server) == b""
    assert said(server, *(bytes([byte]) for byte in b"GET / HTTP/1.1\r\n"), pause=0.02) == b""
    with closing(socket.create_connection(("127.0.0.1", server), timeout=WAIT)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = connection.recv(65_536)
        while not answer.endswith(b'"body":""}'):
            answer += connection.recv(65_536)
        connection.sendall(b"GET / HT")  # a second request, never finished
        assert connection.recv(65_536) == b""


def test_who_sends_slowly_but_in_time_is_answered(server):
    answer = said(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + LAST, b"a", b"b", b"c", pause=0.06)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"body":"abc"' in answer


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n A: b\r\nA\x00: b\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rB: c\x00\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * (1 << 20) + b"\r\n",
        b"NONSENSE\r\n",
    ],
    ids=["twice", "negative", "list", "identity", "unknown", "space", "nul-name", "nul-value", "path", "long", "line"],
)
def test_header_tricks_are_refused_before_the_application_sees_them(server, head):
    answer = said(server, head + LAST)
    assert answer.startswith(b"HTTP/1.1 4") or answer == b""
    assert answer.count(b"HTTP/1.1") <= 1


def test_header_tricks_a_chunked_request_has_one_body_whatever_else_its_head_says(server):
    smuggled = b"GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (5 + len(smuggled))
    answer = said(server, head + LAST + b"0\r\n\r\n" + smuggled)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"GET" not in answer


def test_header_tricks_what_follows_a_body_is_no_header(server):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + LAST
    answer = said(server, head, b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told["body"] == "a"
    assert set(told["headers"]) == {"host", "transfer-encoding", "connection"}


@pytest.mark.parametrize("line", [b"a: " + b"x" * 997 + b"\r\n", b"x" * 1_000], ids=["many", "one"])
def test_what_follows_a_body_and_does_not_end_is_cut_off(server, line):
    with closing(socket.create_connection(("127.0.0.1", server), timeout=WAIT)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: ")
        with pytest.raises(ConnectionError):
            connection.sendall(line * 40_000)  # more than waits anywhere on the way


def test_what_a_method_override_says_is_not_done(server):
    answer = said(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: DELETE\r\n" + LAST)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["method"] == "GET"
