"""Backups taken while others write, and restored into the other kind of database."""

import dataclasses
import resource
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_database import contents, fill
from postgres import advisor_on, closing_database, sqlite_at
from serving_home import NOW, write_dataset
from sqlalchemy import select

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.access.principal import LOCAL, acting
from serving.advisor import Advisor
from serving.backup import writing
from serving.backup.order import files_of
from serving.backup.restoring import restore, verify_backup
from serving.backup.rows import FLEETING
from serving.backup.writing import back_up
from serving.database.connection import Database
from serving.database.tables.audit import audit_events
from serving.database.upgrading import standing, upgrade
from training.gating.gate import Gate
from training.promote import champion_digest, promote
from training.promotion.verifying import verify

MODEL = "target-hostile-bank"
PASSED = [Gate("test", True, 1.0, (0.0,), {"en": "Made for a test.", "zh": "供测试使用。"})]


@pytest.fixture
def other(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Database]:
    """An empty database of the kind that `database` is not."""
    if not database.is_sqlite:
        with closing_database(sqlite_at(tmp_path / "restored" / "loadline.db")) as made:
            yield made
        return
    server = request.getfixturevalue("postgres")
    made = server.empty()
    yield made
    server.drop(made)


def take(home: Path, database: Database, out: Path):
    return back_up(home, database, out, clock=lambda: NOW)


def files(home: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files_of(home, ("*",))}


def test_all_of_it_comes_back_in_the_other_kind_of_database(
    database: Database, other: Database, trained_home: Path, tmp_path: Path
):
    fill(database)
    before = contents(database)
    out, home = tmp_path / "backup.tar.gz", tmp_path / "restored"
    manifest, _ = take(trained_home, database, out)
    assert manifest.rows == {name: len(rows) for name, rows in before.items() if name not in FLEETING}
    assert verify_backup(out) == restore(out, home, other) == manifest
    assert contents(other) == {name: [] if name in FLEETING else rows for name, rows in before.items()}
    assert files(home) == files(trained_home)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for _, path in files_of(home, ("*",))} == {0o600}


def test_a_backup_of_an_earlier_revision_is_brought_up(trained_home: Path, tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        upgrade(database, "0004")
        fill(database)
        before = contents(database)
        database._ready = True  # an earlier release was content with it
        take(trained_home, database, out := tmp_path / "backup.tar.gz")
    with closing_database(sqlite_at(tmp_path / "restored" / "loadline.db")) as restored:
        restore(out, tmp_path / "restored", restored)
        assert standing(restored).current
        after = contents(restored)
    assert {name: after[name] for name in before if name not in FLEETING} == {
        name: rows for name, rows in before.items() if name not in FLEETING
    }


class Busy:
    """Somebody who stores data, promotes models and is noted in the audit, between any two files of a backup."""

    def __init__(self, advisor: Advisor, folder: Path) -> None:
        self.advisor, self.folder, self.turns = advisor, folder, 0
        kept = next((advisor.settings.home / "models" / MODEL).glob("*/manifest.json")).parent
        self.bundle = ModelBundle.load(kept)

    def promote(self) -> None:
        self.turns += 1
        home = self.advisor.settings.home
        promote(
            home,
            MODEL,
            dataclasses.replace(self.bundle, meta={**self.bundle.meta, "seed": 1000 + self.turns}),
            by="test",
            reason="another one",
            expected_champion=champion_digest(home, MODEL),
            gates=PASSED,
            clock=lambda: NOW,
        )
        self.advisor.audit.note(LOCAL, "score.read", status=200, subject=f"unit {self.turns}")
        with acting(LOCAL), self.advisor.database.write() as connection:
            self.advisor.audit.write(connection, "test.change", subject=str(self.turns))
        self.advisor.audit.settle()

    def ingest(self) -> None:
        self.turns += 1
        self.advisor.ingest(write_dataset(self.folder / str(self.turns), scale=1 + self.turns / 10))


def test_a_backup_under_writes_names_nothing_that_it_lacks(
    own_database_advisor: Advisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    advisor = own_database_advisor
    busy = Busy(advisor, tmp_path / "datasets")
    busy.ingest()
    busy.promote()
    advisor.audit.note(LOCAL, "score.read", status=200, subject="waits to be carried")
    add, seen = writing._add_file, set()

    def add_and_let_others_work(archive: writing._Archive, name: str, path: Path) -> None:
        """Between the files of every folder that is met, others do what belongs to it."""
        add(archive, name, path)
        folder = str(Path(name).parent)
        if folder not in seen and len(seen) < 7:
            seen.add(folder)
            busy.ingest() if "_delta_log" in folder else busy.promote()

    monkeypatch.setattr(writing, "_add_file", add_and_let_others_work)
    out, home = tmp_path / "backup.tar.gz", tmp_path / "restored"
    take(advisor.settings.home, advisor.database, out)
    assert {"audit", "store/versions/_delta_log", "store/observations/_delta_log"} <= seen
    with closing_database(sqlite_at(home / "loadline.db")) as database:
        restore(out, home, database)
        restored = advisor_on(home, database)
        versions = restored.store.versions()
        assert len(versions) > 1
        for version in versions:
            snapshot = restored.store.snapshot(version.version)
            assert sum(rows.num_rows for rows in snapshot.figures()) == sum(
                v.added + v.restated for v in snapshot.chain
            )
        found = verify(home)
        assert {checked.state for checked in found} <= {"ok", "not on record"}, found
        assert champion_digest(home, MODEL) in {checked.seal for checked in found}
        verdict = restored.audit.verify()
        assert verdict.holds, verdict.findings
        with database.read() as connection:
            carried = select(audit_events.c.number).where(audit_events.c.subject == "waits to be carried")
            assert len(connection.execute(carried).all()) == 1
        restored.audit.close()
    advisor.audit.close()


def test_nothing_is_left_where_it_could_not_be_written(trained_home: Path, tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        database.create()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        folder = tmp_path / "backups"
        folder.mkdir()
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
        try:
            with pytest.raises(LoadlineError, match="could not be written"):
                take(trained_home, database, folder / "backup.tar.gz")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list(folder.iterdir()) == []


def test_a_backup_replaces_nothing_and_stays_out_of_the_home(trained_home: Path, tmp_path: Path):
    home = shutil.copytree(trained_home, tmp_path / "home")
    with closing_database(sqlite_at(home / "loadline.db")) as database:
        (tmp_path / "old.tar.gz").write_text("last week's")
        with pytest.raises(LoadlineError, match="exists already"):
            take(home, database, tmp_path / "old.tar.gz")
        assert (tmp_path / "old.tar.gz").read_text() == "last week's"
        with pytest.raises(LoadlineError, match="does not belong into the home"):
            take(home, database, home / "backup.tar.gz")
        with pytest.raises(LoadlineError, match="no home"):
            take(tmp_path / "nowhere", database, tmp_path / "new.tar.gz")
        (home / "figures.csv").symlink_to("/etc/passwd")
        with pytest.raises(LoadlineError, match="link"):
            take(home, database, tmp_path / "new.tar.gz")
    assert not (tmp_path / "new.tar.gz").exists()


def test_what_is_not_empty_is_left_as_it_is(trained_home: Path, tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        fill_ready(database)
        take(trained_home, database, out := tmp_path / "backup.tar.gz")
        before = contents(database)
        with pytest.raises(LoadlineError, match="database is not empty"):
            restore(out, tmp_path / "restored", database)
        assert contents(database) == before
    assert list((tmp_path / "restored").iterdir()) == []
    (tmp_path / "restored" / "mine.csv").write_text("mine")
    with closing_database(sqlite_at(tmp_path / "new.db")) as empty:
        with pytest.raises(LoadlineError, match=r"home is not empty.*'mine\.csv'"):
            restore(out, tmp_path / "restored", empty)
        assert standing(empty).revision is None


def fill_ready(database: Database) -> None:
    database.create()
    fill(database)
