"""`audit_chain`: whatever is done to the chain behind its back is told, on both databases."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from audited import AUDITOR, audit_at, audit_on, change
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from serving.access.principal import acting
from serving.audit.anchors import Anchor
from serving.audit.chain import HEAD, head_of
from serving.audit.entry import START, Entry, seal
from serving.audit.trail import Audit
from serving.audit.verification import Verdict, verify
from serving.database.connection import Database
from serving.database.tables.audit import audit_events, audit_head
from serving.database.tables.base import canonical

table = audit_events.c
LENGTH = 12


@contextmanager
def undone(audit: Audit) -> Iterator[Connection]:
    """Give a connection of somebody who writes past the audit; in the end nothing was done."""
    with audit.database.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def filled(audit: Audit, length: int = LENGTH) -> Audit:
    for number in range(length):
        if number % 2:
            change(audit, f"plan-{number}", before=number, after=number + 0.5, words="区 \u2028 'quote' \"two\"")
        else:
            audit.note(AUDITOR, "get_score", status=200, subject=f"N{number:02d}")
            audit.settle()
    return audit


def kinds(verdict: Verdict) -> list[tuple[int, str]]:
    return [(finding.number, finding.kind) for finding in verdict.findings]


def rows(connection: Connection) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in connection.execute(select(audit_events).order_by(table.number))]


def sealed_anew(connection: Connection, *, first: int) -> None:
    """Seal all entries from one on again, as somebody would who knows how."""
    found = rows(connection)
    previous = START if first == 1 else str(found[first - 2]["hash"])
    for row in found[first - 1 :]:
        entry = Entry(**row)  # type: ignore[arg-type]
        digest = seal(entry, number=entry.number, previous=previous)
        values = {"previous": previous, "hash": digest}
        connection.execute(update(audit_events).where(table.number == entry.number).values(**values))
        previous = digest
    connection.execute(update(audit_head).values(hash=previous))


def test_a_chain_that_nobody_touched_holds(database: Database, tmp_path: Path):
    audit = filled(audit_on(database, tmp_path))
    verdict = audit.verify()
    assert verdict.holds
    assert (verdict.entries, verdict.last) == (LENGTH, audit.head())


def test_tampering_is_told_with_its_first_number(database: Database, tmp_path: Path):
    audit = filled(audit_on(database, tmp_path))
    with database.read() as connection:
        head, kept = head_of(connection), rows(connection)
    anchor = Anchor(number=8, hash=str(kept[7]["hash"]), at="2026-03-01T00:00:00.000000Z")

    with undone(audit) as connection:  # edit
        connection.execute(update(audit_events).where(table.number == 4).values(principal="somebody else"))
        assert kinds(verify(connection)) == [(4, "changed")]
    with undone(audit) as connection:  # edit, with a hash that fits
        connection.execute(update(audit_events).where(table.number == 4).values(detail="{}"))
        edited = Entry(**rows(connection)[3])  # type: ignore[arg-type]
        fitting = seal(edited, number=4, previous=edited.previous)
        connection.execute(update(audit_events).where(table.number == 4).values(hash=fitting))
        assert kinds(verify(connection)) == [(5, "out-of-order")]
    with undone(audit) as connection:  # delete
        connection.execute(delete(audit_events).where(table.number.in_([5, 6])))
        verdict = verify(connection)
        assert kinds(verdict) == [(5, "missing")]
        assert verdict.findings[0].what == "entries 5 to 6 were deleted"
    with undone(audit) as connection:  # insert: all after it moved on by one, and one put between
        for number in range(LENGTH, 6, -1):
            connection.execute(update(audit_events).where(table.number == number).values(number=number + 1))
        connection.execute(insert(audit_events).values(**{**kept[5], "number": 7, "id": "f" * 32}))
        assert kinds(verify(connection))[0][0] == 7
    with undone(audit) as connection:  # insert before the first
        connection.execute(insert(audit_events).values(**{**kept[5], "number": 0, "id": "f" * 32}))
        assert (0, "out-of-order") in kinds(verify(connection))
    with undone(audit) as connection:  # reorder
        for old, new in ((3, 100), (9, 3), (100, 9)):
            connection.execute(update(audit_events).where(table.number == old).values(number=new))
        found = kinds(verify(connection))
        assert found[0][0] == 3
        assert {number for number, _ in found} == {3, 4, 9, 10}
    with undone(audit) as connection:  # truncate
        connection.execute(delete(audit_events).where(table.number > 9))
        assert kinds(verify(connection)) == [(10, "cut-off")]
    with undone(audit) as connection:  # truncate, and say so at the head: only an anchor knows
        connection.execute(delete(audit_events).where(table.number > 6))
        connection.execute(update(audit_head).values(number=6, hash=kept[5]["hash"]))
        assert verify(connection).holds
        assert kinds(verify(connection, [anchor])) == [(8, "anchor")]
    with undone(audit) as connection:  # everything deleted
        connection.execute(delete(audit_events))
        connection.execute(delete(audit_head))
        assert verify(connection).holds
        assert kinds(verify(connection, [anchor])) == [(8, "anchor")]
    with undone(audit) as connection:  # head forged
        connection.execute(update(audit_head).values(hash="0" * 64))
        assert kinds(verify(connection)) == [(LENGTH, "head")]
    with undone(audit) as connection:
        connection.execute(update(audit_head).values(number=LENGTH - 2))
        assert kinds(verify(connection)) == [(LENGTH - 1, "head")]
    with undone(audit) as connection:  # the whole chain built anew
        connection.execute(update(audit_events).where(table.number == 2).values(subject="another"))
        sealed_anew(connection, first=1)
        assert verify(connection).holds
        assert kinds(verify(connection, [anchor])) == [(8, "anchor")]
    with database.read() as connection:
        assert head_of(connection) == head
        assert verify(connection, [anchor]).holds


@pytest.fixture(scope="module")
def known_chain(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    home = tmp_path_factory.mktemp("chain")
    shutil.copy(migrated_file, home)
    return filled(audit_at(home))


TEXTS = (
    "id",
    "at",
    "principal",
    "principal_id",
    "action",
    "dataset",
    "subject",
    "request",
    "detail",
    "previous",
    "hash",
)


@given(
    number=st.integers(1, LENGTH),
    column=st.sampled_from(TEXTS),
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_field_can_be_changed(known_chain: Audit, number: int, column: str, value: str):
    with undone(known_chain) as connection:
        before = rows(connection)
        connection.execute(update(audit_events).where(table.number == number).values({column: value}))
        verdict = verify(connection)
        assert verdict.holds == (rows(connection) == before)
        if not verdict.holds:
            assert verdict.findings[0].number in (number, number + 1)


@given(st.permutations(range(1, LENGTH + 1)), st.sets(st.integers(1, LENGTH)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_but_the_right_one_holds_and_nothing_can_be_left_out(
    known_chain: Audit, order: list[int], gone: set[int]
):
    with undone(known_chain) as connection:
        connection.execute(update(audit_events).values(number=table.number + 1_000))
        for old, new in enumerate(order, start=1):
            connection.execute(update(audit_events).where(table.number == 1_000 + old).values(number=new))
        connection.execute(delete(audit_events).where(table.number.in_(gone)))
        assert verify(connection).holds == (order == sorted(order) and not gone)


def test_the_seal_is_sha256_of_canonical_json(known_chain: Audit):
    with known_chain.database.read() as connection:
        found = rows(connection)
    for row in found:
        covered = {name: value for name, value in row.items() if name != "hash"}
        assert row["hash"] == hashlib.sha256(canonical(covered).encode()).hexdigest()
    assert json.loads(str(found[1]["detail"]))["words"] == "区 \u2028 'quote' \"two\""


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.integers(-5, 999))
@settings(max_examples=100, deadline=None)
def test_any_text_is_sealed_as_canonical_json_has_it(text: str, status: int):
    fields = dict.fromkeys(("action", "at", "dataset", "detail", "id", "principal", "principal_id", "request"), text)
    entry = Entry(**fields, subject=text, status=status, number=7, previous=START, hash="")
    covered = {**fields, "subject": text, "status": status, "number": 7, "previous": START}
    assert seal(entry, number=7, previous=START) == hashlib.sha256(canonical(covered).encode()).hexdigest()


def test_what_is_not_text_any_more_is_told_and_the_rest_still_gone_through(known_chain: Audit):
    with undone(known_chain) as connection:
        connection.exec_driver_sql("UPDATE audit_events SET principal = CAST(x'ff' AS TEXT) WHERE number = 3")
        connection.execute(update(audit_events).where(table.number == 9).values(subject="another"))
        verdict = verify(connection)
        assert kinds(verdict) == [(3, "unreadable"), (9, "changed")]
        assert verdict.entries == LENGTH


def test_a_change_that_is_undone_leaves_no_entry(database: Database, tmp_path: Path):
    audit = filled(audit_on(database, tmp_path), length=2)

    def fails() -> None:
        with acting(AUDITOR), database.write() as connection:
            audit.write(connection, "plan.publish", subject="plan-9")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    change(audit, "plan-3")
    assert audit.head().number == 3
    assert audit.verify().holds
    with database.read() as connection:
        assert connection.scalars(select(audit_head.c.id)).all() == [HEAD]
