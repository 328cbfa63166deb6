"""What a backup says of itself: its release, its revision, and the hash of every file in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from features.errors import LoadlineError

FORMAT = 1
NAME = "manifest.json"
HOME, DATABASE = "home/", "database/"
"""Below these lie the files of the home and the rows of the tables."""
MOST_BYTES = 512 << 20
"""Of a manifest: some two million files; read before anything about it is known."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HINT = "The file was changed, cut short or not written by `loadline backup`: take another backup."


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a backup.

    Attributes
    ----------
    sha256 : str
    size : int
        Bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes
    ----------
    release : str
        Of the program.
    revision : str
        Of the tables.
    made_at : datetime
        In UTC.
    store : bool
        Whether the data versions are in it; not where they lie outside of the home.
    mlflow : bool
        Whether the embedded registry is in it.
    rows : Mapping
        By table.
    files : Mapping
        By name.
    """

    release: str
    revision: str
    made_at: datetime
    store: bool
    mlflow: bool
    rows: Mapping[str, int]
    files: Mapping[str, Kept]

    def as_bytes(self) -> bytes:
        """Write it."""
        plain = {"format": FORMAT, **asdict(self), "made_at": self.made_at.isoformat()}
        return json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read it.

        Raises
        ------
        LoadlineError
            Where it is none, or of a later release.
        """
        try:
            plain: dict[str, Any] = json.loads(content)
            if plain.pop("format") != FORMAT:
                hint = "Restore it with the release that wrote it, or a later one."
                raise LoadlineError("the backup was written by a later release", where=NAME, hint=hint)
            files = {
                str(name): Kept(_digest(kept["sha256"]), int(kept["size"])) for name, kept in plain["files"].items()
            }
            return cls(
                release=str(plain["release"]),
                revision=str(plain["revision"]),
                made_at=datetime.fromisoformat(plain["made_at"]),
                store=bool(plain["store"]),
                mlflow=bool(plain["mlflow"]),
                rows={str(name): int(count) for name, count in plain["rows"].items()},
                files=files,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LoadlineError("what the backup says of itself cannot be read", where=NAME, hint=_HINT) from error


def damaged(what: str, where: str) -> LoadlineError:
    """Give the error of a backup that is not as it was written."""
    return LoadlineError(what, where=where, hint=_HINT)


def _digest(value: Any) -> str:
    if not _DIGEST.fullmatch(value):
        raise ValueError
    return str(value)
