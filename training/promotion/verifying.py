"""Checking everything that is kept of the models of a home, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH
from training.promotion.candidates import CANDIDATES, candidate_record, candidates
from training.promotion.copies import CARDS, LOCK, MODELS, kept_bundle, model_folder
from training.promotion.history import RECORD, history, promotion_record
from training.promotion.sealed import HEAD_SUFFIX, Sealed

FITTED = "fitted"
"""Folder in which replayed warning models are kept at hand: made again where missing, verified when read."""

_RECORDS = (RECORD, CANDIDATES)
_EXPECTED = {LOCK, CARDS, FITTED, *_RECORDS, *(str(Path(name).with_suffix(HEAD_SUFFIX)) for name in _RECORDS)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one record or copy.

    Attributes
    ----------
    model : str
    part : str
        Name of the record's file, or version of the copy.
    state : str
        `ok`, `damaged`, or `not on record`: a folder that no record speaks of, which therefore never serves.
    lines : int
        Of a record.
    seal : str
        SHA-256 of a record or copy, to be compared with what was noted elsewhere; "" where it is damaged.
    text : str
        What is wrong.
    """

    model: str
    part: str
    state: Literal["ok", "damaged", "not on record"]
    lines: int = 0
    seal: str = ""
    text: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)


def models_on_record(home: str | Path) -> tuple[str, ...]:
    """Name the models of a home that were offered or promoted, sorted."""
    folder = Path(home) / MODELS
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if _is_model(path)))


def verify(home: str | Path, model_name: str | None = None) -> tuple[Checked, ...]:
    """Check the records and copies of one model or of all; damage to one hides nothing of the others."""
    names = models_on_record(home) if model_name is None else (model_name,)
    return tuple(checked for name in names for checked in _checked(home, name))


def _is_model(path: Path) -> bool:
    return not path.name.startswith(".") and any(os.path.lexists(path / name) for name in _RECORDS)


def _checked(home: str | Path, name: str) -> Iterator[Checked]:
    digests: dict[str, None] = {}
    readable = True
    try:
        record = promotion_record(home, name)
        digests |= {promotion.champion: None for promotion in history(home, name)}
        yield _intact(name, RECORD, record)
    except LoadlineError as error:
        readable = False
        yield Checked(name, RECORD, "damaged", text=error.what)
    try:
        record = candidate_record(home, name)
        digests |= {candidate.digest: None for candidate in candidates(home, name)}
        yield _intact(name, CANDIDATES, record)
    except LoadlineError as error:
        readable = False
        yield Checked(name, CANDIDATES, "damaged", text=error.what)
    for digest in digests:
        yield _copy(home, name, digest)
    if readable:
        yield from _unknown(model_folder(home, name), {digest[:VERSION_LENGTH] for digest in digests})


def _intact(name: str, part: str, record: Sealed) -> Checked:
    unsealed = f"{record.unsealed} lines are from before there were seals" if record.unsealed else ""
    return Checked(name, part, "ok", lines=len(record.lines), seal=record.seal, text=unsealed)


def _copy(home: str | Path, name: str, digest: str) -> Checked:
    version = digest[:VERSION_LENGTH]
    try:
        kept_bundle(home, name, digest)
    except LoadlineError as error:
        where = f"{Path(error.where).name}: " if error.where else ""
        return Checked(name, version, "damaged", text=f"{where}{error.what}")
    return Checked(name, version, "ok", seal=digest)


def _unknown(folder: Path, versions: set[str]) -> Iterator[Checked]:
    """Name what lies beside the copies; what a killed process left half written is hidden, and cleared by the next."""
    for path in sorted(folder.iterdir()):
        if path.name not in versions | _EXPECTED and not path.name.startswith("."):
            yield Checked(folder.name, path.name, "not on record", text="no record speaks of it; it never serves")
