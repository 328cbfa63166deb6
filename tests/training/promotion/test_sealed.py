"""Sealed records: any changed, lost or added byte is noticed; a crash is not taken for damage."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import LoadlineError
from training.promotion.sealed import append_sealed, opened, read_raw, write_head

WHAT = "test record"


def lines_of(path: Path) -> list[dict]:
    return [dict(line) for line in opened(read_raw(path), what=WHAT).lines]


def filled(path: Path, count: int) -> Path:
    for number in range(count):
        append_sealed(read_raw(path), {"number": number, "名": "甲\n乙"}, what=WHAT)
    return path


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return filled(tmp_path / "record.jsonl", 3)


def test_what_is_read_is_what_was_written(record):
    assert lines_of(record) == [{"number": number, "名": "甲\n乙"} for number in range(3)]
    assert len(opened(read_raw(record), what=WHAT).seal) == 64


def test_nothing_is_an_empty_record(tmp_path):
    assert lines_of(tmp_path / "none.jsonl") == []


def test_every_flipped_bit_of_record_and_head_is_noticed(record):
    for path in (record, record.with_suffix(".head")):
        good = path.read_bytes()
        for position in range(len(good)):
            for bit in (0x01, 0x08, 0x80):
                path.write_bytes(good[:position] + bytes([good[position] ^ bit]) + good[position + 1 :])
                with pytest.raises(LoadlineError, match="test record"):
                    lines_of(record)
        path.write_bytes(good)
    assert len(lines_of(record)) == 3


def test_every_truncation_is_noticed(record):
    for path in (record, record.with_suffix(".head")):
        good = path.read_bytes()
        for length in range(len(good)):
            path.write_bytes(good[:length])
            with pytest.raises(LoadlineError, match="test record"):
                lines_of(record)
        path.write_bytes(good)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_line_can_be_moved_doubled_dropped_or_brought_from_elsewhere(record, tmp_path_factory, data):
    other = filled(tmp_path_factory.mktemp("other") / "record.jsonl", 4)
    good = record.read_bytes()
    ours, theirs = good.splitlines(keepends=True), other.read_bytes().splitlines(keepends=True)
    picked = data.draw(st.lists(st.sampled_from([*ours, *theirs[3:]]), max_size=5))
    forged = b"".join(picked)
    continued = forged == other.read_bytes()  # equal contents are equal records, and these go on from ours
    record.write_bytes(forged)
    try:
        if forged == good or continued:
            assert len(lines_of(record)) == len(picked)
        else:
            with pytest.raises(LoadlineError, match="test record"):
                lines_of(record)
    finally:
        record.write_bytes(good)


def test_a_crash_between_the_line_and_its_head_loses_nothing(record):
    head = record.with_suffix(".head")
    before = head.read_bytes()
    append_sealed(read_raw(record), {"number": 3}, what=WHAT)
    head.write_bytes(before)
    assert len(lines_of(record)) == 4
    write_head(read_raw(record))
    assert head.read_bytes().startswith(b"4 ")
    head.write_bytes(before)
    append_sealed(read_raw(record), {"number": 4}, what=WHAT)
    assert [line["number"] for line in lines_of(record)] == [0, 1, 2, 3, 4]


def test_a_crash_before_the_first_head_loses_nothing(tmp_path):
    record = filled(tmp_path / "record.jsonl", 1)
    record.with_suffix(".head").unlink()
    assert len(lines_of(record)) == 1
    filled(record, 1)
    assert len(lines_of(record)) == 2


def test_a_line_cut_short_by_a_crash_is_written_over(record):
    good = record.read_bytes()
    for torn in (b"{", b'{"number": 3, "follows": "ab', b"\xff"):
        record.write_bytes(good + torn)
        assert len(lines_of(record)) == 3
        append_sealed(read_raw(record), {"number": 3}, what=WHAT)
        assert len(lines_of(record)) == 4
        record.write_bytes(good)
        record.with_suffix(".head").unlink()
        write_head(read_raw(record))


def test_a_missing_head_is_noticed(record):
    record.with_suffix(".head").unlink()
    with pytest.raises(LoadlineError, match="head of the test record is missing"):
        lines_of(record)


@pytest.mark.parametrize("suffix", [".jsonl", ".head"])
def test_links_and_folders_are_refused(record, tmp_path, suffix):
    path = record.with_suffix(suffix)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(LoadlineError, match="cannot be read") as caught:
        lines_of(record)
    assert caught.value.where == str(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(LoadlineError, match="not a plain file"):
        lines_of(record)


@pytest.mark.parametrize("plain", [{"a": float("nan")}, {"a": object()}, {"a": "\ud800"}])
def test_what_is_not_json_is_refused_and_leaves_the_record(record, plain):
    good = record.read_bytes()
    with pytest.raises(LoadlineError, match="cannot be recorded"):
        append_sealed(read_raw(record), plain, what=WHAT)
    assert record.read_bytes() == good


def test_a_line_without_a_seal_is_only_accepted_where_it_is_from_before(tmp_path):
    record = tmp_path / "record.jsonl"
    old = b'{"number": 0}\n'
    record.write_bytes(old)
    with pytest.raises(LoadlineError, match="no seal"):
        lines_of(record)
    fields = frozenset({"number"})
    assert opened(read_raw(record), what=WHAT, before_seals=fields).unsealed == 1
    append_sealed(read_raw(record), {"number": 1}, what=WHAT)
    assert len(opened(read_raw(record), what=WHAT, before_seals=fields).lines) == 2
    record.write_bytes(record.read_bytes() + old)
    with pytest.raises(LoadlineError, match="line 3 of the test record cannot be read: it carries no seal"):
        opened(read_raw(record), what=WHAT, before_seals=fields)
