"""Database errors: what cannot be kept is refused; what is crossed or away is told so that it can be asked again."""

import pytest
from making_things import THINGS, Making
from serving_home import ADDRESS
from sqlalchemy import text
from starlette.responses import JSONResponse

from serving.database.trouble import AwayError, CrossedError, FullError, UnfitError, trouble
from serving.errors import ErrorAnswers


def test_what_the_database_has_no_place_for_is_refused_and_no_fault(database):
    making = Making(database)
    answer = making.client().post(THINGS, params={"name": "a\x00b"})
    assert answer.status_code == (201 if database.is_sqlite else 422)
    with pytest.raises(UnfitError), database.write() as connection:
        connection.execute(text("SELECT CAST(:number AS BIGINT)"), {"number": 1 << 70}).all()


def test_a_pool_that_is_used_up_is_told_and_not_a_fault(database):
    with database.read():
        pass
    database.engine.pool._timeout = 0.01
    most = database.engine.pool.size() + database.engine.pool._max_overflow
    held = [database.engine.connect() for _ in range(most)]
    try:
        with pytest.raises(AwayError), database.read():
            pass
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [(AwayError, 503, "10"), (CrossedError, 409, "1"), (FullError, 507, None), (UnfitError, 422, None)],
)
def test_each_has_its_status_and_says_when_to_ask_again(error, status, after):
    scope = {"type": "http", "path": "/api/v1/x", "headers": [], "server": (ADDRESS, 80)}
    answer = ErrorAnswers(lambda *_: JSONResponse({})).of(scope, error("x"))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, after)


def test_words_of_the_driver_are_never_told():
    found = trouble(RuntimeError("connection to server at 10.0.0.1 failed for user admin"))
    assert isinstance(found, AwayError)
    assert "admin" not in found.what + found.hint
