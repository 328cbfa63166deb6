"""Anchors: what the end of the chain was, kept outside of the database.

Whoever can write to the database can cut the chain off or build all of it anew, and it will hold together. It does not
agree with an anchor any more that is kept where they cannot write.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from features.errors import LoadlineError
from serving.audit.chain import Head
from serving.audit.entry import written

FILE = "anchors.jsonl"
LONGEST_LINE = 1_000
"""Bytes; an anchor has some 150."""
_MODE = 0o600
_encode = msgspec.json.Encoder().encode


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of the chain at some time.

    Attributes
    ----------
    number : int
        Of the last entry.
    hash : str
        Its hash.
    at : str
        When it was so, in UTC.
    """

    number: int
    hash: str
    at: str


_decode = msgspec.json.Decoder(Anchor).decode


def read_anchors(path: Path) -> tuple[Anchor, ...]:
    """Read the anchors of a file; none where there is no file. A last line that was cut short does not count.

    Raises
    ------
    LoadlineError
        Where it is no file of anchors.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
        return tuple(_decode(line) for line in lines)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LoadlineError(
            "this is no file of anchors",
            where=str(path),
            hint="Give a file that `loadline audit anchor --out FILE` wrote.",
        ) from error


def add_anchor(path: Path, head: Head, *, at: datetime) -> Anchor:
    """Append an anchor to a file, and see it on the disk.

    Raises
    ------
    LoadlineError
        Where it cannot be written.
    """
    anchor = Anchor(number=head.number, hash=head.hash, at=written(at))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            whole = _whole_lines(file)
            line = _encode(anchor) + b"\n"
            if os.write(file, line) != len(line):
                os.ftruncate(file, whole)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise LoadlineError(
            f"the anchor cannot be written ({error.strerror})", where=str(path), hint="Check the disk and the folder."
        ) from error
    return anchor


def _whole_lines(file: int) -> int:
    """Cut off what a crash has left of a last line; give the size of the rest."""
    size = os.fstat(file).st_size
    tail = os.pread(file, LONGEST_LINE, max(0, size - LONGEST_LINE))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(file, size - torn)
    return size - torn


def is_due(anchors: Sequence[Anchor], head: Head, *, at: datetime) -> bool:
    """Tell whether the chain has grown, and the last anchor is not of this day."""
    if not head.number:
        return False
    return not anchors or (anchors[-1].number != head.number and anchors[-1].at[:10] != written(at)[:10])
