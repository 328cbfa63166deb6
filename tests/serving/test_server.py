"""A real server in a process of its own: real HTTP, and an orderly end."""

import re
import signal
import socket
import threading

import pytest
from running_service import WAIT, get, start
from serving_home import TOKEN, advisor_at

from features.errors import LoadlineError
from serving.server import serve


def test_it_serves_by_the_link_that_it_prints_and_stops_when_told(trained_home):
    process = start(trained_home)
    try:
        assert process.stdout is not None
        link = re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=(\S+))", process.stdout.readline())
        assert link is not None
        port, path, token = int(link[1]), link[2], link[3]
        assert len(token) >= 40
        assert get(port, "/healthz")[0] == 200
        assert get(port, "/api/v1/units")[0] == 401
        assert get(port, "/healthz", Host="evil.example")[0] == 400
        status, headers, _ = get(port, path)
        assert (status, headers["Location"]) == (303, "/")
        assert "server" not in {name.lower() for name in headers}
        cookie = headers["Set-Cookie"].partition(";")[0]
        assert b"Hostile" in get(port, "/", Cookie=cookie)[2]
        bearer = {"Authorization": f"Bearer {token}"}
        assert b'"code":"A/B"' in get(port, "/api/v1/units/A%2FB", **bearer)[2]
        assert b'"stretch"' in get(port, "/api/v1/targets/..", **bearer)[2]
        assert get(port, "/static/%2e%2e/pages.py", **bearer)[0] == 404

        answers: list[int] = []
        callers = [threading.Thread(target=lambda: answers.append(get(port, "/units", **bearer)[0])) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(WAIT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    assert answers == [200] * 4
    assert process.returncode == 0
    assert "stopped" in out
    assert out.count(token) == 0
    assert token not in err
    assert "Traceback" not in err


def test_a_given_key_is_used_and_never_printed(trained_home):
    process = start(trained_home, LOADLINE_TOKEN=TOKEN)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(re.search(r":(\d+)/", line)[1])  # pyright: ignore[reportOptionalSubscript]
        assert get(port, "/api/v1/snapshots", Authorization=f"Bearer {TOKEN}")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    assert process.returncode == 0
    assert TOKEN not in line + out + err


def test_a_taken_port_is_said_so(trained_home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said: list[str] = []
        with pytest.raises(LoadlineError, match="cannot listen") as caught:
            serve(advisor_at(trained_home), host="127.0.0.1", port=taken.getsockname()[1], say=said.append)
    assert "--port" in caught.value.hint
    assert said == []
