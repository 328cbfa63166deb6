"""Drafts a revision from what the tables and the last revision differ in: `python -m serving.database.drafting`.

A draft is read, corrected where rows must be carried over, and then belongs to the history: it is never changed once
a release has had it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy.types import TypeDecorator

from serving.database.connection import Database
from serving.database.tables import metadata
from serving.database.upgrading import FOLDER, revisions, upgrade

TEMPLATE = '''"""{words}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    """Go there."""
{up}


def downgrade() -> None:
    """Go back."""
{down}
'''


def draft(name: str, words: str, *, only: Collection[str] | None = None, folder: Path = FOLDER) -> Path:
    """Write the next revision.

    Parameters
    ----------
    name : str
        A word for its file.
    words : str
        What changes, for its first line.
    only : collection of str, optional
        Names of tables; the others are left for a later one.

    Returns
    -------
    Path
        The file.
    """
    known = revisions()
    revision = f"{len(known) + 1:04d}"
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/empty.db")
        if known:
            upgrade(database)
        with database.engine.connect() as connection:
            opts: dict[str, Any] = {
                "target_metadata": metadata,
                "render_as_batch": True,
                "include_object": lambda item, name, kind, *_: kind != "table" or only is None or name in only,
            }
            context = MigrationContext.configure(connection, opts=opts)
            script = produce_migrations(context, metadata)
            assert script.upgrade_ops is not None
            assert script.downgrade_ops is not None
            up, down = (
                render_python_code(found, render_as_batch=True, render_item=_plain, migration_context=context)
                for found in (script.upgrade_ops, script.downgrade_ops)
            )
        database.close()
    path = folder / "versions" / f"r{revision}_{name}.py"
    path.write_text(
        TEMPLATE.format(
            words=words,
            revision=revision,
            before=f'"{known[-1]}"' if known else None,
            up=_without_comments(up),
            down=_without_comments(down),
        ),
        encoding="utf-8",
    )
    return path


def _plain(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write the database's own type: a revision must not change with the program's classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def _without_comments(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith("# ###"))


if __name__ == "__main__":
    print(draft(sys.argv[1], sys.argv[2]))  # noqa: T201
