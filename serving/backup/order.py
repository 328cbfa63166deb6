"""Which files of a home belong to a backup, and in which order they are copied while others write.

Whoever writes puts down first what is named, then what names it: the copy of a model, then the record of its
promotion. Copied is therefore the other way round: a record, and only then what it names, which is there by then. What
is added meanwhile is either in the backup with all that it names, or named by nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX
from serving.database.connection import FILE_NAME
from serving.hot.sheet import FOLDER as HOT

BEFORE_DATABASE = ("audit/*",)
"""What waits to be carried into the database: copied twice it counts once, copied too late it would be lost."""
AFTER_DATABASE = (
    ("jobs.db",),  # names what steps of training runs have left
    ("monitoring/*.jsonl", "reviews/*.jsonl"),
    ("runs/*",),  # name candidates and their versions in the registry
    ("scores/*/closed.jsonl",),  # names policies, and the folders of scores
    ("policies/*.jsonl",),
    ("models/*/promotions.head",),  # says how long the record was, and is written after it
    ("models/*/promotions.jsonl",),
    ("models/*/candidates.head",),
    ("models/*/candidates.jsonl",),
    ("mlflow/mlflow.db",),  # names artifacts
    ("store/versions/_delta_log/_*",),
    ("store/versions/_delta_log/*",),  # names batches of the other tables
    ("store/*/_delta_log/_*",),
    ("store/*/_delta_log/*",),  # names files of figures
    ("*",),
)
"""Patterns, those of a line at a time; `*` goes through folders. What fits several belongs to the first."""
LEFT_OUT = (
    f"{FILE_NAME}*",  # the database itself is written as rows
    "*.lock",
    "*/lock",
    f"*{PARTIAL_SUFFIX}",
    f"*{PARTIAL_SUFFIX}/*",
    "*-wal",
    "*-shm",
    "*-journal",
    ".restoring/*",
    f"{HOT}/*",  # what the small processes answer from is made again
)
"""What belongs to processes that are at work."""
MLFLOW = "mlflow/*"


def files_of(home: Path, patterns: tuple[str, ...], *, without: tuple[str, ...] = ()) -> Iterator[tuple[str, Path]]:
    """Give what fits, by its name in the home, in the order of the names.

    Raises
    ------
    LoadlineError
        Where there is a link, whose end nobody could vouch for.
    """
    for name, path in sorted(_walk(home, "")):
        if fits(name, patterns) and not fits(name, (*LEFT_OUT, *without)):
            if path.is_symlink():
                hint = "Put the file itself in its place, or move it out of the home."
                raise LoadlineError("a link cannot be backed up", where=str(path), hint=hint)
            if path.is_file():
                yield name, path


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a name fits one of several patterns.

    >>> fits("store/versions/_delta_log/00.json", ("store/*/_delta_log/*",))
    True
    """
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    for path in entries:
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, f"{prefix}{path.name}/")
        else:
            yield f"{prefix}{path.name}", path
