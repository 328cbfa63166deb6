"""Records that grow by whole lines, and copies that are there or not."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from features.errors import LoadlineError
from training.journal import append_line, read_lines, write_copy


def test_lines_are_read_back_in_their_order(tmp_path):
    path = tmp_path / "record"
    assert read_lines(path) == ()
    for line in (b"one", b"", b"three"):
        append_line(path, line, what="the test")
    assert read_lines(path) == (b"one", b"", b"three")
    assert path.read_bytes() == b"one\n\nthree\n"


@pytest.mark.parametrize("torn", [b"t", b'{"at": "2025', b"\xe5\xb9"])
def test_a_line_cut_short_does_not_count_and_is_replaced(tmp_path, torn):
    path = tmp_path / "record"
    append_line(path, b"one", what="the test")
    path.write_bytes(path.read_bytes() + torn)
    assert read_lines(path) == (b"one",)
    append_line(path, b"two", what="the test")
    assert read_lines(path) == (b"one", b"two")


@contextmanager
def little_room() -> Iterator[None]:
    """Let no file grow past 1,000 bytes, as on a full disk; nor the report of these tests, so only for a moment."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [900, 5000])
def test_a_full_disk_leaves_the_record_as_it_was(tmp_path, size):
    path = tmp_path / "record"
    append_line(path, b"x" * 500, what="the test")
    with pytest.raises(LoadlineError, match="the test could not be recorded: "), little_room():
        append_line(path, b"y" * size, what="the test")
    assert path.read_bytes() == b"x" * 500 + b"\n"


def test_a_full_disk_leaves_no_copy(tmp_path):
    with pytest.raises(LoadlineError, match="could not be written"), little_room():
        write_copy(tmp_path / "own" / "copy", b"z" * 5000)
    assert os.listdir(tmp_path / "own") == []


def test_a_copy_is_written_once(tmp_path):
    path = tmp_path / "own" / "copy"
    write_copy(path, b"content")
    first = path.stat()
    write_copy(path, b"content")
    assert path.stat().st_ino == first.st_ino
    assert path.read_bytes() == b"content"


def test_a_damaged_copy_is_replaced_and_leftovers_go(tmp_path):
    path = tmp_path / "own" / "copy"
    write_copy(path, b"content")
    path.write_bytes(b"damaged")
    (tmp_path / "own" / ".copy.0123.partial").write_bytes(b"cont")
    write_copy(path, b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(tmp_path / "own") == ["copy"]
