"""Events on their way into the chain: none is lost, none comes twice, whoever is killed and whatever is full."""

import json
import resource
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from audited import AT, AUDITOR, audit_at, audit_on, change, killed_after, noting_process
from sqlalchemy import select
from waiting import until

from features.errors import LoadlineError
from serving.access.principal import acting
from serving.audit.anchors import add_anchor, is_due, read_anchors
from serving.audit.carrier import Carrier
from serving.audit.chain import Head, append
from serving.audit.noting import noting
from serving.audit.reading import Wanted
from serving.audit.spool import NAME, Spool
from serving.audit.trail import FOLDER, Audit
from serving.database.connection import Database
from serving.database.tables.audit import audit_events
from serving.errors import NoSpaceError

WRITERS, EACH = 8, 12


def subjects(audit: Audit) -> list[str]:
    with audit.database.read() as connection:
        return list(connection.scalars(select(audit_events.c.subject).order_by(audit_events.c.number)))


def note(audit: Audit, subject: str) -> None:
    audit.note(AUDITOR, "get_score", status=200, subject=subject)


@pytest.fixture
def audit(migrated_file: Path, tmp_path: Path) -> Audit:
    shutil.copy(migrated_file, tmp_path)
    return audit_at(tmp_path)


def test_many_append_at_once_without_a_gap(database: Database, tmp_path: Path):
    def append_some(writer: int) -> None:
        own = audit_on(Database(database.url), tmp_path / str(writer))
        for number in range(EACH):
            change(own, f"{writer}-{number}")
            note(own, f"{writer}-{number}")
            if number % 3 == 2:
                own.settle()
        own.close()
        own.database.close()

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(append_some, range(WRITERS)))
    audit = audit_on(database, tmp_path)
    verdict = audit.verify()
    assert verdict.holds
    assert verdict.entries == 2 * WRITERS * EACH
    assert sorted(subjects(audit)) == sorted(2 * [f"{w}-{n}" for w in range(WRITERS) for n in range(EACH)])


def test_killed_processes_lose_nothing_and_nothing_comes_twice(database: Database, tmp_path: Path):
    """One is killed while it notes; its file is in the chain, but not deleted yet, when a second takes it over."""
    url = database.url.render_as_string(hide_password=False)
    process = noting_process(tmp_path, url, "first")
    acknowledged = killed_after(process, 40)
    audit = audit_on(database, tmp_path)
    (left,) = Spool(tmp_path / FOLDER).left_behind()
    with database.write() as connection:  # moved on in part, and then killed too
        append(connection, next(left.batches(25)))
    left.leave()
    audit.settle()
    told = subjects(audit)
    assert told[: len(acknowledged)] == acknowledged  # in order; one more may be noted, and not yet said so
    assert len(told) - len(acknowledged) <= 1
    assert len(set(told)) == len(told)
    assert audit.verify().holds
    assert not list((tmp_path / FOLDER).glob(NAME))


def test_what_a_living_process_writes_is_left_to_it(audit: Audit, tmp_path: Path):
    note(audit, "N01")
    other = audit_at(tmp_path)
    assert other.settle() == 0
    assert audit.settle() == 1
    assert subjects(other) == ["N01"]


def test_it_is_carried_in_the_background_and_at_the_end(audit: Audit):
    audit.start()
    note(audit, "N01")
    until(lambda: subjects(audit) == ["N01"])
    note(audit, "N02")
    audit.close()
    assert subjects(audit) == ["N01", "N02"]
    assert audit.waiting() == 0
    assert not list(audit.folder.glob(NAME))


def test_events_wait_for_a_database_that_is_away(audit: Audit, tmp_path: Path):
    away = audit_on(Database("postgresql://nobody:secret@127.0.0.1:1/none"), tmp_path)
    note(away, "N01")
    away.close()
    assert away.waiting() > 0
    assert audit.settle() == 1
    assert subjects(audit) == ["N01"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_diskfull_an_event_is_kept_whole_or_refused(audit: Audit):
    note(audit, "N00")
    room = audit.waiting() + audit.waiting() // 2  # for one and a half
    with files_of_at_most(room), pytest.raises(NoSpaceError, match="nothing is shown"):
        note(audit, "N01")
    note(audit, "N02")
    audit.settle()
    assert subjects(audit) == ["N00", "N02"]


def test_a_last_line_without_its_end_is_left_out(audit: Audit, tmp_path: Path):
    note(audit, "N01")
    note(audit, "N02")
    (path,) = audit.folder.glob(NAME)
    kept = path.read_bytes()
    path.with_name("spool-1-dead-000000.jsonl").write_bytes(kept[:-9])
    other = audit_at(tmp_path)
    assert other.settle() == 1
    assert audit.settle() == 2  # the first of them is in the chain already
    assert subjects(audit) == ["N01", "N02"]


def test_tampering_before_the_chain_is_told(audit: Audit):
    note(audit, "N01")
    (path,) = audit.folder.glob(NAME)
    path.with_name("spool-1-dead-000000.jsonl").write_bytes(b'{"id": 1}\n')
    assert audit.settle() == 1
    verdict = audit.verify()
    assert [finding.kind for finding in verdict.findings] == ["waiting"]
    assert not verdict.holds


def test_a_clock_that_goes_back_changes_no_order(audit: Audit, tmp_path: Path):
    times = iter([AT, AT - timedelta(days=1), AT + timedelta(days=1), AT])
    audit = Audit(audit.database, tmp_path / FOLDER, clock=lambda: next(times))
    for number in range(4):
        note(audit, f"N{number}")
    audit.settle()
    assert subjects(audit) == ["N0", "N1", "N2", "N3"]
    assert audit.verify().holds


def test_text_that_no_database_keeps_is_made_fit(database: Database, tmp_path: Path):
    audit = audit_on(database, tmp_path)
    note(audit, "N\x00\ud800\n" + "区" * 600)
    change(audit, "x" * 600, words="half \ud800 a character \x00")
    audit.settle()
    found = subjects(audit)
    assert sorted(map(len, found)) == [500, 500]
    assert any(subject.startswith("N???区") for subject in found)
    assert audit.verify().holds


def test_an_anchor_is_kept_each_day_that_the_chain_grows(audit: Audit, tmp_path: Path):
    day = [AT]
    carrier = Carrier(audit.database, Spool(tmp_path / FOLDER), clock=lambda: day[0])
    carrier.anchor()
    assert read_anchors(carrier.anchors) == ()
    for move, subject in ((0, "a"), (1, "b"), (24, ""), (24, ""), (24, "c")):
        day[0] += timedelta(hours=move)
        if subject:
            change(audit, subject)
        carrier.anchor()
    assert [(anchor.number, anchor.at[:10]) for anchor in read_anchors(carrier.anchors)] == [
        (1, "2026-03-01"),
        (2, "2026-03-02"),
        (3, "2026-03-04"),
    ]
    assert audit.verify().anchors == 3


def test_an_anchor_that_was_cut_short_does_not_count_and_a_foreign_file_is_none(tmp_path: Path):
    path = tmp_path / "anchors.jsonl"
    first = add_anchor(path, Head(1, "a" * 64), at=AT)
    with path.open("ab") as file:
        file.write(b'{"number": 2, "ha')
    assert read_anchors(path) == (first,)
    second = add_anchor(path, Head(3, "b" * 64), at=AT)
    assert read_anchors(path) == (first, second)
    assert not is_due(read_anchors(path), Head(4, "c" * 64), at=AT)
    path.write_text(json.dumps({"number": "x"}) + "\n")
    with pytest.raises(LoadlineError, match="no file of anchors"):
        read_anchors(path)


def test_threads_that_note_at_once_do_not_mix_their_lines(audit: Audit):
    """Many threads note at once; each event is a line of its own."""
    begin = threading.Barrier(WRITERS)

    def many(writer: int) -> None:
        begin.wait()
        for number in range(EACH):
            note(audit, f"{writer}-{number}")

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(many, range(WRITERS)))
    assert audit.settle() == WRITERS * EACH
    found = subjects(audit)
    for writer in range(WRITERS):
        assert [s for s in found if s.startswith(f"{writer}-")] == [f"{writer}-{n}" for n in range(EACH)]


def test_a_change_in_files_is_noted_outside_of_requests_alone(audit: Audit, tmp_path: Path):
    audit.kept("promote_model", by="Chen", subject="targets 4c1f", dataset="bank")
    with noting("4f2c9a1be07d4c55"):
        audit.kept("promote_model", by="Chen", subject="the request is noted")
    audit_at(tmp_path).settle()  # whoever comes next
    with acting(AUDITOR):
        audit.kept("promote_model", by="Chen", subject="by a person")
    entries, _ = audit.page(Wanted(), limit=9)
    assert [(entry.principal, entry.principal_id, entry.subject) for entry in entries[::-1]] == [
        ("Chen", "local", "targets 4c1f"),
        ("审计员 Wu", "person:a1", "by a person"),
    ]
