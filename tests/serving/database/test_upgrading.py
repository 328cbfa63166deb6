"""The tables' history, up and down with rows in them, on both databases."""

import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_database import fill, raw_contents, tables_of
from postgres import closing_database, sqlite_at
from sqlalchemy import select, text

from serving.database import upgrading
from serving.database.checking import problems
from serving.database.connection import Database
from serving.database.drafting import draft
from serving.database.revision import VERSION_TABLE, newest
from serving.database.tables import metadata, plans
from serving.database.trouble import AwayError
from serving.database.upgrading import differences, downgrade, revisions, standing, upgrade

UPGRADE = "import sys; from serving.database.connection import Database; Database(sys.argv[1]).create()"
HANGING_UPGRADE = """
import sys, time
from sqlalchemy import event
from serving.database.connection import Database
database = Database(sys.argv[1])
@event.listens_for(database.engine, "before_cursor_execute")
def hang(connection, cursor, statement, *_):
    if "CREATE TABLE appeals" in statement:
        print("half-way", flush=True)
        time.sleep(600)
database.create()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables, one of each kind in turn."""
    if request.param == "sqlite":
        with closing_database(sqlite_at(tmp_path / "bare.db")) as made:
            yield made
        return
    server = request.getfixturevalue("postgres")
    made = server.empty()
    yield made
    server.drop(made)


def in_a_process(program: str, database: Database) -> subprocess.Popen[str]:
    url = database.url.render_as_string(hide_password=False)
    return subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True)


def test_tables_and_revisions_agree(database: Database):
    """Whoever changes a table drafts a revision: `python -m serving.database.drafting NAME WORDS`."""
    assert differences(database) == []
    assert {table for table in tables_of(database).tables if table != VERSION_TABLE} == set(metadata.tables)
    assert problems(database) == []


def test_revisions_are_numbered_in_order():
    assert revisions() == tuple(f"{number:04d}" for number in range(1, len(revisions()) + 1))
    assert newest() == revisions()[-1]


def test_down_and_up_again_with_rows_in_every_table(database: Database):
    fill(database)
    before = raw_contents(database)
    assert all(before.values())
    for revision in [*reversed(revisions()[:-1]), "base"]:
        downgrade(database, revision)
        left = raw_contents(database)
        assert left == {name: rows for name, rows in before.items() if name in left}
    assert left == {}
    assert standing(database).revision is None
    upgrade(database)
    assert differences(database) == []


def test_from_each_revision_with_rows_to_the_last(bare: Database):
    every = revisions() if bare.is_sqlite else revisions()[::3]  # the steps are the same; PostgreSQL takes longer
    for revision in every:
        upgrade(bare, revision)
        known = raw_contents(bare)
        fill(bare, only={name for name, rows in known.items() if not rows})
        before = raw_contents(bare)
        assert {name: before[name] for name, rows in known.items() if rows} == {n: r for n, r in known.items() if r}
        upgrade(bare)
        after = raw_contents(bare)
        assert {name: after[name] for name in before} == before
        downgrade(bare, revision)
        assert raw_contents(bare) == before


def test_killed_half_way_it_is_as_before(bare: Database):
    upgrade(bare, "0003")
    fill(bare)
    before = raw_contents(bare)
    process = in_a_process(HANGING_UPGRADE, bare)
    assert process.stdout is not None
    assert process.stdout.readline() == "half-way\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert standing(bare).revision == "0003"
    assert raw_contents(bare) == before
    upgrade(bare)
    assert problems(bare) == []
    assert {name: rows for name, rows in raw_contents(bare).items() if name in before} == before


def test_several_processes_at_once_upgrade_once(bare: Database):
    processes = [in_a_process(UPGRADE, bare) for _ in range(2)]
    assert [process.communicate() and process.returncode for process in processes] == [0, 0]
    assert problems(bare) == []


def test_a_later_release_is_refused(database: Database):
    with database.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(AwayError, match="later release") as refused, database.read():
        pass
    assert "9999" in refused.value.what
    with pytest.raises(AwayError, match="later release"):
        upgrade(database)


def test_tables_of_something_else_are_left_alone(bare: Database):
    with bare.engine.connect() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
        connection.commit()
    with pytest.raises(AwayError, match="'theirs'"):
        upgrade(bare)
    assert set(tables_of(bare).tables) == {"theirs"}


def test_sqlite_is_made_at_first_use_for_its_owner_alone(tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "home" / "loadline.db")) as database, database.read() as connection:
        assert connection.execute(select(plans.plans)).all() == []
    assert stat.S_IMODE((tmp_path / "home" / "loadline.db").stat().st_mode) == 0o600


def test_postgresql_is_upgraded_only_where_that_is_asked_for(postgres):
    bare = postgres.empty()
    with pytest.raises(AwayError) as refused, bare.read():
        pass
    assert "loadline database upgrade" in refused.value.hint
    assert tables_of(bare).tables == {}
    with closing_database(Database(bare.url, upgrades=True)) as willing, willing.read():
        assert standing(willing).current
    with bare.read():  # what was refused looks again
        pass
    postgres.drop(bare)


def test_a_copy_is_kept_before_an_upgrade(tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        upgrade(database, "0004")
        assert [path.name for path in tmp_path.glob("loadline.db.0*")] == []
        fill(database)
        before = raw_contents(database)
        upgrade(database)
    copy = tmp_path / "loadline.db.0004"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing_database(sqlite_at(copy)) as kept:
        assert raw_contents(kept) == before


def test_what_refers_to_a_table_survives_its_change(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """SQLite makes the table anew; that must not take its plan's lines away."""
    fill(database)
    before = raw_contents(database)
    folder = shutil.copytree(upgrading.FOLDER, tmp_path / "migrations")
    (folder / "versions" / "r9000_title.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision = '9000', '{revisions()[-1]}'\n"
        "def upgrade():\n    with op.batch_alter_table('target_plans', recreate='auto') as batch:\n"
        "        batch.alter_column('title', type_=sa.String(300), existing_type=sa.String(200))\n"
        "        batch.add_column(sa.Column('remark', sa.Text(), nullable=False, server_default=''))\n"
        "def downgrade():\n    with op.batch_alter_table('target_plans') as batch:\n"
        "        batch.drop_column('remark')\n"
    )
    monkeypatch.setattr(upgrading, "FOLDER", folder)
    upgrade(database)
    after = raw_contents(database)
    assert after["target_plan_lines"] == before["target_plan_lines"]
    assert len(after["target_plans"]) == len(before["target_plans"])
    downgrade(database, revisions()[-2])
    assert raw_contents(database) == before
    with database.engine.connect() as connection:
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_draft_says_what_the_tables_differ_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = shutil.copytree(upgrading.FOLDER, tmp_path / "migrations")
    newest = sorted((folder / "versions").glob("r*.py"))[-1]
    newest.unlink()
    monkeypatch.setattr(upgrading, "FOLDER", folder)
    again = draft("again", "Again", folder=folder)
    assert again.name == newest.name.split("_")[0] + "_again.py"
    with closing_database(sqlite_at(tmp_path / "drafted.db")) as database:
        upgrade(database)
        assert differences(database) == []


def test_an_altered_table_and_a_lost_row_are_found(tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        upgrade(database)
        fill(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("ALTER TABLE people ADD COLUMN nick TEXT")
            connection.commit()
        with database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
            raw.execute("DELETE FROM target_plans")
        found = problems(database)
    assert any("nick" in problem for problem in found)
    assert any("refers to nothing in 'target_plans'" in problem for problem in found)


@pytest.mark.parametrize("page", [1, 40])
def test_a_damaged_file_is_found(tmp_path: Path, page: int):
    path = tmp_path / "loadline.db"
    with closing_database(sqlite_at(path)) as database:
        upgrade(database)
        fill(database)
    with open(path, "r+b") as file:
        file.seek(page * 4096)
        file.write(b"?" * 20 * 4096)
    with closing_database(sqlite_at(path)) as database:
        try:
            found = problems(database)
        except AwayError as error:
            found = [error.what]
    assert "damaged" in found[0]
