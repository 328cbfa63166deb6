"""The record of activated policies of a dataset: who put what in force from which day, and the copies it speaks of.

The record is the truth: one line an action, each sealed to the line before it. A copy never changes; how long it is in
force follows from what was activated after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from features.errors import LoadlineError
from models.policy.document import Policy
from models.policy.reading import read_policy
from training.journal import append_line, read_lines

POLICIES = "policies"
RECORD = "activations.jsonl"
LOCK = "lock"
DIGITS = 12
"""Hexadecimal digits of a digest in file names, 48 bits: enough to tell the versions of one policy apart."""

Action = Literal["activate", "withdraw"]
EvaluationLevel = Literal["internal", "owner"]


@dataclass(frozen=True, slots=True)
class Shortened:
    """What an activation did to the version before it: it ends on `until`, the day before the new one begins."""

    label: str
    digest: str
    until: date


@dataclass(frozen=True, slots=True)
class Activation:
    """One line of the record.

    Attributes
    ----------
    at : datetime
        In UTC.
    by, reason : str
        Who decided, and why.
    action : str
        `activate` or `withdraw`.
    id, version : str
        Of the policy.
    digest : str
        SHA-256 of its copy.
    level : str
        `internal` or `owner`: on each day one policy of either level may be in force.
    start : date
    until : date or None
        Days in force as the policy states them, both inclusive.
    shortened : Shortened or None
        The version before it, where this one ended it.
    accepted : tuple of mapping
        Warnings of the validator that were accepted with it: `finding, where, what`.
    impact : str or None
        Where the report of its impact is kept.
    """

    at: datetime
    by: str
    reason: str
    action: Action
    id: str
    version: str
    digest: str
    level: EvaluationLevel
    start: date
    until: date | None
    shortened: Shortened | None = None
    accepted: tuple[Mapping[str, Any], ...] = ()
    impact: str | None = None

    @property
    def label(self) -> str:
        """Give the name that results carry."""
        return f"{self.id}@{self.version}"

    def as_dict(self) -> dict[str, Any]:
        """Give the line as plain data."""
        ended = self.shortened
        return {
            "at": self.at.isoformat(),
            "by": self.by,
            "action": self.action,
            "id": self.id,
            "version": self.version,
            "digest": self.digest,
            "level": self.level,
            "from": self.start.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "reason": self.reason,
            "shortened": None
            if ended is None
            else {"label": ended.label, "digest": ended.digest, "until": ended.until.isoformat()},
            "accepted": [dict(finding) for finding in self.accepted],
            "impact": self.impact,
        }


@dataclass(frozen=True, slots=True)
class Term:
    """A version and the days on which it is in force, both inclusive; no `until` while nothing follows it."""

    activation: Activation
    start: date
    until: date | None

    def holds(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        return self.start <= day and (self.until is None or day <= self.until)


def dataset_folder(home: str | Path, dataset: str) -> Path:
    """Give the folder of a dataset's policies.

    Raises
    ------
    LoadlineError
        Where the name could lead elsewhere.
    """
    if not dataset or dataset.startswith(".") or Path(dataset).name != dataset:
        raise LoadlineError(f"{dataset!r} cannot name a dataset", hint="Use the name that its dataset.yaml has.")
    return Path(home) / POLICIES / dataset


def lock_path(home: str | Path, dataset: str) -> Path:
    """Give the lock under which policies are activated; whoever closes a period holds it while doing so."""
    return dataset_folder(home, dataset) / LOCK


def history(home: str | Path, dataset: str) -> tuple[Activation, ...]:
    """Read the record of a dataset, oldest first; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a whole line is unreadable, does not follow from the one before, or withdraws what was not in force.
    """
    path = dataset_folder(home, dataset) / RECORD
    lines = read_lines(path)
    activations: list[Activation] = []
    seal = ""
    for number, line in enumerate(lines, start=1):
        try:
            plain = json.loads(line)
            activation, follows = _parsed(plain), plain["follows"]
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(path, number, "cannot be read") from error
        if follows != seal:
            raise _broken(path, number, "does not follow from the line before")
        seal = _seal(line)
        last = last_of(standing(tuple(activations)), activation.level)
        if activation.action == "withdraw" and (last is None or last.digest != activation.digest):
            raise _broken(path, number, "withdraws what was not the last to be activated")
        activations.append(activation)
    return tuple(activations)


def record_mark(home: str | Path, dataset: str) -> str:
    """Give what changes whenever the record does: equal marks, equal policies in force."""
    return digest_of(b"\n".join(read_lines(dataset_folder(home, dataset) / RECORD)))


def append(home: str | Path, dataset: str, activation: Activation) -> None:
    """Add a line to the record; only under the lock.

    Raises
    ------
    LoadlineError
        Where it cannot be written; the record is then as it was.
    """
    path = dataset_folder(home, dataset) / RECORD
    lines = read_lines(path)
    plain = activation.as_dict() | {"follows": _seal(lines[-1]) if lines else ""}
    line = json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    append_line(path, line, what=f"the decision on {activation.label}")


def standing(record: tuple[Activation, ...]) -> tuple[Activation, ...]:
    """List the activations that were not withdrawn, oldest first."""
    left: list[Activation] = []
    for activation in record:
        if activation.action == "activate":
            left.append(activation)
        else:
            left.reverse()
            left.remove(next(earlier for earlier in left if earlier.level == activation.level))
            left.reverse()
    return tuple(left)


def last_of(activations: tuple[Activation, ...], level: EvaluationLevel) -> Activation | None:
    """Give the last activation of a level, or None."""
    return next((activation for activation in reversed(activations) if activation.level == level), None)


def terms(record: tuple[Activation, ...], level: EvaluationLevel | None = None) -> tuple[Term, ...]:
    """List the versions that were not withdrawn with the days on which they are in force, by level and first day."""
    found: list[Term] = []
    for own in ("internal", "owner") if level is None else (level,):
        ours = [activation for activation in standing(record) if activation.level == own]
        for place, activation in enumerate(ours):
            ended = ours[place + 1].shortened if place + 1 < len(ours) else None
            found.append(Term(activation, activation.start, activation.until if ended is None else ended.until))
    return tuple(found)


def copy_path(home: str | Path, dataset: str, activation: Activation) -> Path:
    """Give the place of the copy that a line speaks of."""
    folder = dataset_folder(home, dataset) / activation.id
    return folder / f"{activation.version}-{activation.digest[:DIGITS]}.yaml"


def kept_policy(home: str | Path, dataset: str, activation: Activation) -> Policy:
    """Read the copy that a line of the record speaks of, verified against it.

    Raises
    ------
    LoadlineError
        Where the copy is missing or is not what was activated.
    """
    path = copy_path(home, dataset, activation)
    hint = "Restore it from a backup; a copy of an activated policy is never edited."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LoadlineError(
            f"the copy of {activation.label} cannot be read: {error.strerror}", where=str(path), hint=hint
        ) from error
    if digest_of(content) != activation.digest:
        raise LoadlineError(f"the copy of {activation.label} is not what was activated", where=str(path), hint=hint)
    return _read(path, activation.digest)


@lru_cache(maxsize=32)
def _read(path: Path, digest: str) -> Policy:
    """Read a verified copy; the digest stands for its content."""
    return read_policy(path)


def digest_of(content: bytes) -> str:
    """Give the SHA-256 of a copy's content."""
    return hashlib.sha256(content).hexdigest()


def _seal(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:DIGITS]


def _parsed(plain: Mapping[str, Any]) -> Activation:
    if plain["action"] not in ("activate", "withdraw") or plain["level"] not in ("internal", "owner"):
        raise ValueError("an unknown action or level")
    ended = plain["shortened"]
    return Activation(
        at=datetime.fromisoformat(plain["at"]),
        by=plain["by"],
        reason=plain["reason"],
        action=plain["action"],
        id=plain["id"],
        version=plain["version"],
        digest=plain["digest"],
        level=plain["level"],
        start=date.fromisoformat(plain["from"]),
        until=None if plain["until"] is None else date.fromisoformat(plain["until"]),
        shortened=None
        if ended is None
        else Shortened(ended["label"], ended["digest"], date.fromisoformat(ended["until"])),
        accepted=tuple(plain["accepted"]),
        impact=plain["impact"],
    )


def _broken(path: Path, number: int, what: str) -> LoadlineError:
    hint = "The record was changed by hand or by a failing disk: restore it from a backup."
    return LoadlineError(f"line {number} of the policy record {what}", where=str(path), hint=hint)
