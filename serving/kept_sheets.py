"""Where the sheets of suggestions are kept, and whether one is there; see `serving.hot.sheet`."""

from __future__ import annotations

from pathlib import Path

from features.errors import LoadlineError
from serving.hot.sheet import FOLDER, FORMAT, SUFFIX, Sheet, digest_of
from serving.release import release
from serving.suggested import Mark


def sheet_place(home: Path, mark: Mark) -> Path:
    """Give the place of the sheet of some suggestions, as this release writes it."""
    return home / FOLDER / f"{Path(mark.file_name).stem}-{release()}-{FORMAT}{SUFFIX}"


def kept_sheet(home: Path, mark: Mark) -> Sheet | None:
    """Open the sheet of some suggestions; None where there is none that is whole."""
    place = sheet_place(home, mark)
    digest = digest_of(place)
    try:
        return None if digest is None else Sheet(place, digest)
    except LoadlineError:
        return None
