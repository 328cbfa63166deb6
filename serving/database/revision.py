"""Whether the tables are those of this program, told without Alembic: small processes look at every start."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

if TYPE_CHECKING:
    from serving.database.connection import Database

VERSIONS = Path(__file__).parent / "migrations" / "versions"
VERSION_TABLE = "alembic_version"


@cache
def newest() -> str:
    """Give the last revision of this program, by the names of the files."""
    return max(path.name[1:].partition("_")[0] for path in VERSIONS.glob("r*.py"))


def is_current(database: Database) -> bool:
    """Tell whether a database is there and has the last revision; whatever else it is, somebody else looks into."""
    if database.file is not None and not database.file.exists():
        return False  # connecting would make it
    try:
        with database.engine.connect() as connection:
            found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - ours
    except DatabaseError:
        return False
    return found == newest()
