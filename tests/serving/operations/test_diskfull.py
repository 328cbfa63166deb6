"""`diskfull`: where nothing more can be written that is said, nothing is half done, and it goes on with room."""

import errno
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from making_things import KEY, THINGS, Making
from postgres import sqlite_at
from sqlalchemy import event, text

from features.errors import LoadlineError
from serving.database.connection import Database
from serving.errors import out_of_space


@contextmanager
def full(database: Database) -> Iterator[None]:
    """Let a SQLite database not grow any more."""

    def stop_growing(connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "connect", stop_growing)
    database.engine.dispose()
    try:
        yield
    finally:
        event.remove(database.engine, "connect", stop_growing)
        database.engine.dispose()


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file of this process grow, as where the disk or the quota is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def making(migrated_file, tmp_path):
    database = sqlite_at(shutil.copy(migrated_file, tmp_path / "small.db"))
    yield Making(database)
    database.close()


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_full_database_answers_507_and_stays_whole(making, headers):
    client, large = making.client(), {"name": "x" * 30_000}
    with full(making.database):
        refused = client.post(THINGS, params=large, headers=headers)
        assert client.post(THINGS, params=large, headers={"Idempotency-Key": "y" * 200}).status_code == 507
        assert making.things() == 0
    assert (refused.status_code, refused.json()["type"]) == (507, "urn:loadline:problem:no-space")
    with making.database.read() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    assert client.post(THINGS, params=large, headers=headers).status_code == 201
    assert making.things() == 1


def test_where_no_file_can_grow_nothing_is_changed_and_nothing_shown(trained, client):
    asked = {"by": "Li Ming", "reason": "new figures"}
    read, changed = "/api/v1/targets/N01", "/api/v1/training-runs"
    assert client.get(read).status_code == 200
    runs = client.get(changed).json()["total"]
    with no_room():
        shown, refused = client.get(read), client.post(changed, json=asked, headers=KEY)
        alive = client.get("/healthz")
    assert alive.status_code == 200
    assert {shown.status_code, refused.status_code} <= {503, 507}
    assert "items" not in shown.json()
    assert client.get(changed).json()["total"] == runs
    assert client.get(read).status_code == 200
    with trained.database.read() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


def test_an_error_that_comes_from_a_full_disk_is_known_as_one():
    deep: BaseException = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for _ in range(3):
        try:
            raise LoadlineError("the record cannot be written") from deep
        except LoadlineError as error:
            deep = error
    assert out_of_space(deep)
    assert not out_of_space(LoadlineError("something else"))
    assert not out_of_space(OSError(errno.ENOENT, "not there"))
