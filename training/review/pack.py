"""The evidence pack for the committee, as an XLSX book or as a page that is complete in itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from features.errors import LoadlineError
from training.review.case import Case
from training.review.facts import AlertFacts


def write_pack(facts: AlertFacts, case: Case | None, path: Path, *, at: datetime) -> None:
    """Write the evidence pack in the format that the suffix names; the file appears whole or not at all.

    Parameters
    ----------
    facts : AlertFacts
    case : Case or None
        What is on record about it.
    path : Path
        Ending in `.xlsx` or `.html`.
    at : datetime
        When it is made.

    Raises
    ------
    LoadlineError
        Where the suffix or the folder is not usable.
    """
    from training.review.pack_book import write_book
    from training.review.pack_page import write_page

    writers: dict[str, Callable[[AlertFacts, Case | None, Path, datetime], None]] = {
        ".xlsx": write_book,
        ".html": write_page,
    }
    write = writers.get(path.suffix.lower())
    if write is None:
        raise LoadlineError(
            f"no evidence pack has the suffix {path.suffix!r}", where=str(path), hint="Use .xlsx or .html."
        )
    if not path.parent.is_dir():
        raise LoadlineError("the folder does not exist", where=str(path.parent), hint="Create it first.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{path.suffix.lower()}")
    try:
        write(facts, case, unfinished, at)
        unfinished.replace(path)
    except OSError as error:
        what = f"the pack cannot be written: {error.strerror}"
        raise LoadlineError(what, where=str(path), hint="Check the free space and the rights.") from error
    finally:
        unfinished.unlink(missing_ok=True)
