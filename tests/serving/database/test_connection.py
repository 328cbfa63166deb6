"""Connections: what one writes another reads, on both databases."""

from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from serving.database.connection import Database
from serving.database.tables.identity import attempts


def test_what_is_written_is_read(database: Database):
    with database.write() as connection:
        connection.execute(insert(attempts).values(subject="a", failures=1, last_at=datetime(2025, 1, 1, tzinfo=UTC)))
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar() == 1


def test_every_database_is_fresh(database: Database):
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar() == 0


def test_an_advisor_uses_the_database_that_is_named(database_advisor):
    with database_advisor.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar() == 0
