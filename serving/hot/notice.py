"""What the whole application lets the small processes answer: models and sheets that it has tried out, by their hashes.

One file in the home, replaced whole. Beside what answers it names the files on which that rests, as they were: once one
of them has changed, the small processes leave the question to the whole application, until there is a new notice.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from features.errors import LoadlineError
from models.bundle import sync_folder
from serving.hot.sheet import FOLDER, private_file

FILE = "notice.json"
LARGEST = 1 << 24
State = tuple[int, int, int]
"""Number, size and time of a file."""
ABSENT: State = (0, 0, 0)


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    en: str
    zh: str


class TargetsNotice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet of suggestions: its file, its digest, and what it rests on."""

    file: str
    digest: str
    rests_on: dict[str, State]


class WarningNotice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A warning model, what its contributions are grouped into, and what it rests on."""

    model: str
    digest: str
    codes: tuple[str, ...]
    of_feature: tuple[int, ...]
    titles: tuple[Title, ...]
    rests_on: dict[str, State]


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that may be answered.

    Attributes
    ----------
    release : str
        Of the program that wrote it.
    store : dict
        State of the data at hand: another one may have another dataset stored last.
    dataset : str
        The one stored last.
    targets, warnings : dict
        By dataset.
    """

    release: str
    store: dict[str, State]
    dataset: str
    targets: dict[str, TargetsNotice]
    warnings: dict[str, WarningNotice]


def place_of(home: Path) -> Path:
    """Give the place of the notice in a home."""
    return home / FOLDER / FILE


def states(home: Path, paths: Iterable[str]) -> dict[str, State]:
    """Give the state of some files and folders; relative ones are in the home."""
    return {path: state_of(home / path) for path in paths}


def state_of(path: Path) -> State:
    """Give what changes whenever a file is replaced or written to, or a folder gets a file."""
    try:
        status = path.stat()
    except OSError:
        return ABSENT
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def as_they_were(home: Path, before: Mapping[str, State]) -> bool:
    """Tell whether all of the files are as they were."""
    return all(state_of(home / path) == tuple(state) for path, state in before.items())


def write_notice(home: Path, notice: Notice) -> None:
    """Put a notice in place of the one before, whole or not at all.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    place = place_of(home)
    place.parent.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.encode(notice)
    partial = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        with private_file(partial) as file:
            file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, place)
        sync_folder(place.parent)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def read_notice(home: Path) -> Notice | None:
    """Read the notice; None where there is none.

    Raises
    ------
    LoadlineError
        Where it is not what was written.
    """
    place = place_of(home)
    try:
        with open(place, "rb") as file:
            raw = file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(place, f"the notice cannot be read: {error.strerror}") from None
    digest, _, content = raw.partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise _refused(place, "the notice is not what was written")
    try:
        return msgspec.json.decode(content, type=Notice)
    except msgspec.MsgspecError:
        raise _refused(place, "the notice is of another version") from None


def _refused(place: Path, what: str) -> LoadlineError:
    return LoadlineError(what, where=str(place), hint="It is written again when the service starts anew.")
