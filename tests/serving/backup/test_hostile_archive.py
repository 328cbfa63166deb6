"""A backup that was damaged, or made by somebody who means harm: refused, and nothing of it counts."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from postgres import closing_database, sqlite_at
from serving_home import NOW

from features.errors import LoadlineError
from serving.backup.restoring import restore
from serving.backup.writing import back_up
from serving.database.upgrading import revisions, standing

Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


@pytest.fixture(scope="module")
def whole(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup as it was written."""
    folder = tmp_path_factory.mktemp("whole")
    with closing_database(sqlite_at(folder / "loadline.db")) as database:
        back_up(trained_home, database, folder / "backup.tar.gz", clock=lambda: NOW)
    return (folder / "backup.tar.gz").read_bytes()


def refused(content: bytes, folder: Path, *, match: str) -> None:
    file, home = folder / "backup.tar.gz", folder / "restored"
    file.write_bytes(content)
    with closing_database(sqlite_at(home / "loadline.db")) as database:
        with pytest.raises(LoadlineError, match=match):
            restore(file, home, database)
        assert standing(database).revision is None
    assert [path.name for path in home.iterdir() if not path.name.startswith("loadline.db")] == []
    assert {path.name for path in folder.iterdir()} == {"backup.tar.gz", "restored"}


def changed(whole: bytes, change: Change) -> bytes:
    """Take a backup apart, change it, and put it together again."""
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        entries = [(entry, tar.extractfile(entry).read()) for entry in tar]  # type: ignore[union-attr]
    change(entries)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in entries:
            entry.size = len(content) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def with_file(name: str, content: bytes = b"x", **about: object) -> Change:
    """Add a file, named in the manifest as if it belonged there."""

    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entry = tarfile.TarInfo(name)
        for key, value in about.items():
            setattr(entry, key, value)
        entries.insert(0, (entry, content))
        with_manifest(
            lambda plain: plain["files"].update({name: {"sha256": hashlib.sha256(content).hexdigest(), "size": 1}})
        )(entries)

    return change


def with_manifest(edit: Callable[[dict], object]) -> Change:
    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entry, content = entries.pop()
        plain = json.loads(content)
        edit(plain)
        entries.append((entry, json.dumps(plain).encode()))

    return change


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "home/../../evil",
        "/tmp/evil",
        "home//evil",
        "home/./evil",
        "home/a\\..\\evil",
        "evil",
        "home",
        "home/" + "a/" * 600,
        "home/loadline.db",
        "home/audit/lock",
        "home/mlflow/mlflow.db-wal",
        "home/.restoring/x",
        "home/hot/notice.json",
        "database/theirs.jsonl",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(whole: bytes, tmp_path: Path, name: str):
    refused(changed(whole, with_file(name)), tmp_path, match="belong there|does not hold the tables")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_anything_but_a_plain_file_is_refused(whole: bytes, tmp_path: Path, kind: bytes):
    change = with_file("home/evil", type=kind, linkname="/etc/passwd")
    refused(changed(whole, change), tmp_path, match="something else than plain files")


def test_a_file_twice_and_a_file_below_a_file_are_refused(whole: bytes, tmp_path: Path):
    def twice(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entries.insert(0, entries[0])

    refused(changed(whole, twice), tmp_path, match="belong there")

    def below(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        with_file("home/evil/x")(entries)
        with_file("home/evil")(entries)

    refused(changed(whole, below), tmp_path, match="belong there")


def test_changed_missing_and_added_files_are_noticed(whole: bytes, tmp_path: Path):
    def other_bytes(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entries[-2] = (entries[-2][0], bytes([entries[-2][1][0] ^ 1]) + entries[-2][1][1:])

    refused(changed(whole, other_bytes), tmp_path, match="not as it was written")
    refused(changed(whole, lambda entries: entries.pop(0) and None), tmp_path, match="files that it names")
    refused(changed(whole, lambda entries: entries.pop() and None), tmp_path, match="cut short")
    refused(
        changed(whole, lambda entries: entries.insert(0, (tarfile.TarInfo("home/more"), b"x"))),
        tmp_path,
        match="files that it names",
    )


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_backup_cut_short_or_with_a_flipped_byte_is_refused(whole: bytes, tmp_path: Path, part: float):
    at = int(len(whole) * part)
    refused(whole[:at], tmp_path, match="cut short|changed")
    flipped = bytearray(whole)
    flipped[at + 20] ^= 0x55
    refused(bytes(flipped), tmp_path, match=".")


def test_what_unpacks_to_far_more_than_it_is_is_refused(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serving.backup.archive.FREE_BYTES", 1 << 20)
    zeros = bytes(8 << 20)
    refused(changed(whole, with_file("home/zeros", zeros)), tmp_path, match="more than a backup can hold")
    header = tarfile.TarInfo("home/x")
    header.type, header.size = tarfile.XHDTYPE, len(zeros)  # read into memory before anything is known of it
    refused(gzip.compress(header.tobuf() + zeros), tmp_path, match="more than a backup can hold")


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda plain: plain.update(format=2), "later release"),
        (lambda plain: plain.update(revision="9999"), "later release"),
        (lambda plain: plain.update(files=[]), "cannot be read"),
        (lambda plain: plain.pop("rows"), "cannot be read"),
        (lambda plain: plain["rows"].update(theirs=0), "tables that it names"),
    ],
)
def test_what_it_says_of_itself_must_fit(whole: bytes, tmp_path: Path, edit: Callable[[dict], object], match: str):
    refused(changed(whole, with_manifest(edit)), tmp_path, match=match)


def test_rows_that_do_not_fit_their_table_are_refused(whole: bytes, tmp_path: Path):
    content = b'{"id":1}\n'
    name = "database/people.jsonl"

    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        place = next(at for at, (entry, _) in enumerate(entries) if entry.name == name)
        entries[place] = (entries[place][0], content)

        def edit(plain: dict) -> None:
            plain["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            plain["rows"]["people"] = 1

        with_manifest(edit)(entries)

    file, home = tmp_path / "backup.tar.gz", tmp_path / "restored"
    file.write_bytes(changed(whole, change))
    with closing_database(sqlite_at(home / "loadline.db")) as database:
        with pytest.raises(LoadlineError, match="line 1 does not fit the table"):
            restore(file, home, database)
        assert standing(database).revision == revisions()[-1]  # tables, and nothing in them
        restore_again = tmp_path / "good.tar.gz"
        restore_again.write_bytes(whole)
        restore(restore_again, home, database)
    assert (home / "models").is_dir()
