"""Killed in the middle, crossed by others, cut off from the server: nothing acknowledged is lost, nothing is half."""

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from postgres import Postgres, advisor_on
from serving_home import ADDRESS, BEARER, TOKEN
from sqlalchemy import insert, select, text, update
from starlette.testclient import TestClient

from serving.app import create_app
from serving.database.checking import problems
from serving.database.connection import Database
from serving.database.tables.identity import attempts, grants
from serving.database.trouble import AwayError, CrossedError, FullError, trouble

NOW = datetime(2025, 1, 1, tzinfo=UTC)
WRITES = """
import sys, itertools
from datetime import UTC, datetime
from sqlalchemy import insert
from serving.database.connection import Database
from serving.database.tables.identity import attempts, grants
database = Database(sys.argv[1])
now = datetime(2025, 1, 1, tzinfo=UTC)
for number in itertools.count():
    with database.write() as connection:
        connection.execute(insert(attempts).values(subject=f"{number}", failures=number, last_at=now))
        connection.execute(insert(grants).values(holder=f"{number}", role="hr", unit=""))
    print(number, flush=True)
"""
ACKNOWLEDGED = 25
"""Writes, before the process is killed: in the middle of one of the next."""


def test_killed_under_writes_it_loses_nothing_that_was_acknowledged(database: Database):
    url = database.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", WRITES, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(ACKNOWLEDGED):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    last = int(said.split()[-1]) if said.split() else ACKNOWLEDGED - 1
    with database.read() as connection:
        first = {int(number) for number in connection.scalars(select(attempts.c.subject))}
        second = {int(number) for number in connection.scalars(select(grants.c.holder))}
    assert first == second >= set(range(last + 1))
    assert problems(database) == []
    with database.write() as connection:  # what the dead one held is free
        connection.execute(insert(attempts).values(subject="next", failures=0, last_at=NOW))


def test_changes_that_cross_are_tried_again(database: Database):
    with database.write() as connection:
        rows = [{"subject": name, "failures": 0, "last_at": NOW} for name in "ab"]
        connection.execute(insert(attempts), rows)
    both, tries, wrong = threading.Barrier(2), [], []

    def cross(first: str, second: str) -> None:
        here = threading.local()

        def work(connection) -> None:
            tries.append(first)
            add = update(attempts).values(failures=attempts.c.failures + 1)
            connection.execute(add.where(attempts.c.subject == first))
            if not database.is_sqlite and not hasattr(here, "met"):  # SQLite lets nobody in meanwhile
                here.met = True
                both.wait()
            connection.execute(add.where(attempts.c.subject == second))

        try:
            database.change(work)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=cross, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(tries) == (2 if database.is_sqlite else 3)
    with database.read() as connection:
        assert connection.scalars(select(attempts.c.failures)).all() == [2, 2]


def test_what_is_crossed_every_time_is_said(postgres: Postgres):
    database, tries = postgres.fresh(), []

    def crossed(connection) -> None:
        tries.append(1)
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'crossed' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(CrossedError, match="same moment"):
        database.change(crossed)
    assert len(tries) == 5
    postgres.drop(database)


def test_a_reader_sees_one_state_and_changes_nothing(database: Database):
    with database.read() as reader:
        assert reader.scalars(select(attempts.c.subject)).all() == []
        with database.write() as writer:
            writer.execute(insert(attempts).values(subject="new", failures=0, last_at=NOW))
        assert reader.scalars(select(attempts.c.subject)).all() == []
    with database.read() as reader:
        assert reader.scalars(select(attempts.c.subject)).all() == ["new"]


def test_a_full_database_is_told_from_one_that_is_away():
    assert isinstance(trouble(Exception("database or disk is full")), FullError)
    assert isinstance(trouble(Exception("unable to open database file")), AwayError)


def test_a_full_sqlite_changes_nothing_and_goes_on(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/loadline.db")
    row = {"failures": 0, "last_at": NOW}
    with database.write() as connection:
        connection.execute(insert(attempts).values(subject="before", **row))
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(FullError), database.write() as connection:
        connection.execute(insert(attempts), [{"subject": f"{n}" * 30, **row} for n in range(1000)])
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
        connection.execute(insert(attempts).values(subject="after", **row))
    with database.read() as connection:
        assert set(connection.scalars(select(attempts.c.subject))) == {"before", "after"}
    assert problems(database) == []
    database.close()


def test_a_server_that_comes_back_is_used_again(postgres: Postgres, trained_home):
    database = postgres.fresh()
    advisor = advisor_on(trained_home, database)
    app = create_app(advisor, token=TOKEN)
    client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, headers=BEARER)
    assert client.get("/api/v1/people").status_code == 200
    postgres.stop()
    try:
        answer = client.get("/api/v1/people")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:loadline:problem:not-ready"
        assert "Retry-After" in answer.headers
        assert "loadline-pg-" not in answer.text  # where the server is stays here
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["components"]["database"] != "ok"
    finally:
        postgres.start()
    assert client.get("/api/v1/people").status_code == 200
    advisor.database.close()
    postgres.drop(database)
