"""What was looked up once is the same for the rest of a request, whichever thread asks, and for no other request."""

from __future__ import annotations

import itertools
import threading

from serving_home import advisor_at, write_dataset
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.console.background import Background
from serving.one_version import OneVersion, held, hold, one_version


def test_a_request_is_given_the_same_in_its_threads_and_the_next_one_is_not() -> None:
    numbers, background = itertools.count(), Background(patience=60)

    def looked_up() -> int:
        return held("number", lambda: next(numbers))

    def answer(request: Request) -> JSONResponse:  # in a thread of its own
        behind = background.soon(object(), lambda: [looked_up()])
        assert behind is not None
        return JSONResponse([looked_up(), *behind, looked_up()])

    client = TestClient(Starlette(routes=[Route("/", answer)], middleware=[Middleware(OneVersion)]))
    assert [client.get("/").json() for _ in range(2)] == [[0, 0, 0], [1, 1, 1]]
    assert [looked_up(), looked_up()] == [2, 3], "outside nothing is held"


def test_nested_and_parallel_holders_do_not_see_each_other() -> None:
    seen: list[str] = []
    with one_version():
        assert held("name", lambda: "outer") == "outer"
        other = threading.Thread(target=lambda: seen.append(held("name", lambda: "free")))
        other.start()
        other.join()
        with one_version():
            hold("name", "given")
            hold("name", "later")
            assert held("name", lambda: "inner") == "given"
        assert held("name", lambda: "inner") == "outer"
    assert seen == ["free"]


def test_data_stored_within_a_request_shows_in_the_next(own_home, tmp_path) -> None:
    advisor = advisor_at(own_home)
    with one_version():
        before = advisor.snapshot()
        advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
        advisor.ingest(write_dataset(tmp_path / "third", name="other-bank"))
        assert advisor.snapshot() is before
        assert advisor.snapshot("hostile-bank") is before, "whether it is named or not"
        assert advisor.snapshot("other-bank").about.version == 3
    assert advisor.snapshot("hostile-bank").about.version == 2
