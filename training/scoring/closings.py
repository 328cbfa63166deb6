"""The record of closed periods: who closed what, when and why, line by line; nothing is ever taken out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from features.errors import LoadlineError
from models.bundle import check_name
from training.journal import append_line, read_lines

FOLDER, RECORD = "scores", "closed.jsonl"


@dataclass(frozen=True)
class Closing:
    """One line of the record: a version of a closed period.

    Attributes
    ----------
    period : str
    level : str
        Of the policy: `internal` or `owner`. A period may be closed once for each.
    version : int
        1 when it was first closed, 2 with the first restatement.
    at : datetime
        In UTC.
    by, reason : str
        Who closed it, and why.
    first_day, last_day : date
        Of the period.
    policy : str
    data_version : int
    fingerprint : str
        Of the data version.
    known_on : date
    known_on_given : bool
        True where figures known later were left out.
    targets : str
        Version of the targets' model, `given` or `none`.
    code_version : str
        Of the program that scored.
    files : Mapping[str, str]
        SHA-256 of each file, by name.
    """

    period: str
    level: str
    version: int
    at: datetime
    by: str
    reason: str
    first_day: date
    last_day: date
    policy: str
    data_version: int
    fingerprint: str
    known_on: date
    known_on_given: bool
    targets: str
    code_version: str
    files: Mapping[str, str]


def closings(home: Path, dataset: str) -> tuple[Closing, ...]:
    """Read the record, oldest first; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a whole line is unreadable, or does not follow from the one before.
    """
    path = dataset_folder(home, dataset) / RECORD
    found: list[Closing] = []
    versions: dict[tuple[str, str], int] = {}
    seal = ""
    for number, line in enumerate(read_lines(path), start=1):
        try:
            closing, follows = _parsed(line)
        except (ValueError, KeyError, TypeError) as error:
            raise broken(path, f"line {number} of the record cannot be read") from error
        key = (closing.period, closing.level)
        if follows != seal or closing.version != versions.get(key, 0) + 1:
            raise broken(path, f"line {number} of the record does not follow from the one before")
        versions[key] = closing.version
        seal = _seal(line)
        found.append(closing)
    return tuple(found)


def record(home: Path, dataset: str, closing: Closing) -> None:
    """Add a line to the record; only under the lock."""
    path = dataset_folder(home, dataset) / RECORD
    every = read_lines(path)
    plain = asdict(closing) | {"follows": _seal(every[-1]) if every else ""}
    line = json.dumps(plain, ensure_ascii=False, allow_nan=False, default=_as_text).encode()
    append_line(path, line, what=f"the closing of {closing.period}")


def last_closed_day(home: Path, dataset: str, *, level: str | None = None) -> date | None:
    """Give the last day of all closed periods, or of those closed on a level; None where none is closed."""
    every = closings(home, dataset)
    return max((closing.last_day for closing in every if level in (None, closing.level)), default=None)


def latest(home: Path, dataset: str, period: str, *, level: str | None = None) -> Closing | None:
    """Give the last version of a closed period; None where it is open."""
    every = [c for c in closings(home, dataset) if c.period == period and level in (None, c.level)]
    return every[-1] if every else None


def dataset_folder(home: Path, dataset: str) -> Path:
    """Give the folder of a dataset's closed periods."""
    check_name(dataset)
    return Path(home) / FOLDER / dataset


def broken(path: Path, what: str) -> LoadlineError:
    """Say that something of a closed period is not as it was left."""
    hint = "It was changed by hand or by a failing disk: restore it from a backup."
    return LoadlineError(what, where=str(path), hint=hint)


def _as_text(value: object) -> str:
    assert isinstance(value, date)
    return value.isoformat()


def _seal(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _parsed(line: bytes) -> tuple[Closing, str]:
    plain = json.loads(line)
    follows = plain.pop("follows")
    days = {name: date.fromisoformat(plain[name]) for name in ("first_day", "last_day", "known_on")}
    return Closing(**plain | days | {"at": datetime.fromisoformat(plain["at"])}), follows
