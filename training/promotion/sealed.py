"""A record of lines in which every changed, lost or inserted byte is noticed.

Each line carries a seal over itself and over all lines before it. A small file beside the record, its head, says how
many lines there were and what they were, so that a record cut short is noticed too; it is written after the line, so
that a crash between the two leaves a record that has more than the head says, never less.
Whoever can write both can write them anew: keep the seals that `loadline models verify` prints in another place.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from training.journal import append_line, write_copy

HEAD_SUFFIX = ".head"

_SEAL = re.compile(rb', "seal": "([0-9a-f]{64})"\}\Z')
_HEAD = re.compile(rb"([1-9][0-9]{0,8}) ([0-9a-f]{64})\n")
_HINT = "The record was changed by hand or by a failing disk: restore the model's folder from a backup."


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as it is on disk.

    Attributes
    ----------
    path : Path
    head : bytes or None
        None where there is no such file.
    body : bytes
    """

    path: Path
    head: bytes | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record that holds.

    Attributes
    ----------
    lines : tuple of mapping
        Oldest first, without what seals them.
    unsealed : int
        Lines at the beginning that were written before there were seals: the first sealed line vouches for them.
    seal : str
        SHA-256 over all of it; "" where there is no line.
    """

    lines: tuple[Mapping[str, Any], ...]
    unsealed: int
    seal: str


def read_raw(path: Path) -> Raw:
    """Read a record and its head; a record that is being added to is read as it was, or with the new line.

    Raises
    ------
    LoadlineError
        Where either is a link or anything but a plain file.
    """
    head = _plain_file(_head_path(path))  # first: it is written last
    return Raw(path, head, _plain_file(path) or b"")


def opened(raw: Raw, *, what: str, before_seals: frozenset[str] = frozenset()) -> Sealed:
    """Check a record and give its lines; a last line that a crash cut short does not count.

    Parameters
    ----------
    raw : Raw
    what : str
        What the record is, for messages: "promotion record".
    before_seals : frozenset of str
        Fields of the lines that were written before there were seals; empty where there never were such lines.

    Raises
    ------
    LoadlineError
        Where a byte was changed, or lines were lost, moved or inserted.
    """
    lines: list[Mapping[str, Any]] = []
    digests: list[str] = []
    unsealed = 0
    so_far = hashlib.sha256()
    for number, line in enumerate(raw.body.split(b"\n")[:-1], start=1):
        plain = _parsed(raw, number, line, what)
        if found := _SEAL.search(line):
            if _sha256(line[: found.start()]) != found[1].decode():
                raise _broken(raw, number, what, "is not as it was written")
            del plain["seal"]
            if plain.pop("follows", None) != so_far.hexdigest():
                raise _broken(raw, number, what, "does not follow from the line before")
        elif unsealed < len(lines) or not before_seals or set(plain) != before_seals:
            raise _broken(raw, number, what, "cannot be read: it carries no seal")
        else:
            unsealed += 1
        so_far.update(line + b"\n")
        digests.append(so_far.hexdigest())
        lines.append(plain)
    _check_head(raw, digests, unsealed, what)
    return Sealed(tuple(lines), unsealed, digests[-1] if digests else "")


def append_sealed(raw: Raw, plain: Mapping[str, Any], *, what: str) -> None:
    """Add a line to a record that was read and checked, on disk when this returns; only under the lock.

    Raises
    ------
    LoadlineError
        Where it cannot be written; the record is then as it was.
    """
    before = raw.body[: raw.body.rfind(b"\n") + 1]  # what follows was cut short by a crash
    try:
        told = {**plain, "follows": _sha256(before)}
        content = json.dumps(told, ensure_ascii=False, allow_nan=False).encode()[:-1]
    except (TypeError, ValueError) as error:  # also text that is not Unicode
        hint = "Use text, whole numbers, finite floats, lists and dictionaries keyed by text."
        raise LoadlineError(f"{what} cannot be recorded: {error}", where=raw.path.parent.name, hint=hint) from None
    line = content + b', "seal": "' + _sha256(content).encode() + b'"}'
    append_line(raw.path, line, what=what)
    after = before + line + b"\n"
    write_head(Raw(raw.path, raw.head, after))


def write_head(raw: Raw) -> None:
    """Bring the head up to the record, which a crash may have left one line ahead; only under the lock."""
    whole = raw.body[: raw.body.rfind(b"\n") + 1]
    if whole:
        write_copy(_head_path(raw.path), b"%d %s\n" % (whole.count(b"\n"), _sha256(whole).encode()))


def _check_head(raw: Raw, digests: list[str], unsealed: int, what: str) -> None:
    if raw.head is None:
        if len(digests) - unsealed > 1:  # one line alone may have been written just before a crash
            raise LoadlineError(f"the head of the {what} is missing", where=str(_head_path(raw.path)), hint=_HINT)
        return
    found = _HEAD.fullmatch(raw.head)
    if found is None:
        raise LoadlineError(f"the head of the {what} cannot be read", where=str(_head_path(raw.path)), hint=_HINT)
    number = int(found[1])
    if number > len(digests):
        lost = f"the {what} was cut short: it has {len(digests)} whole lines, and {number} were written"
        raise LoadlineError(lost, where=str(raw.path), hint=_HINT)
    if digests[number - 1] != found[2].decode():
        raise LoadlineError(f"the {what} and its head do not belong together", where=str(raw.path), hint=_HINT)


def _parsed(raw: Raw, number: int, line: bytes, what: str) -> dict[str, Any]:
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _broken(raw, number, what, "cannot be read") from error
    if not isinstance(plain, dict):
        raise _broken(raw, number, what, "cannot be read")
    return plain


def _plain_file(path: Path) -> bytes | None:
    """Read a plain file, None where there is none; follows no link and waits for no pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        hint = "Put the file itself in its place: links are not followed."
        raise LoadlineError(f"the record cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise LoadlineError("the record is not a plain file", where=str(path), hint=_HINT)
    with open(handle, "rb") as file:
        return file.read()


def _head_path(path: Path) -> Path:
    return path.with_suffix(HEAD_SUFFIX)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _broken(raw: Raw, number: int, what: str, why: str) -> LoadlineError:
    return LoadlineError(f"line {number} of the {what} {why}", where=str(raw.path), hint=_HINT)
