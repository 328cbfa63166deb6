"""What is said of every unit, written down before anybody asks; see `serving.hot.sheet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from serving.api.desk import UnitTargets
from serving.api.targets import suggestions, told, versions_tag
from serving.directory import Directory
from serving.hot.sheet import write_sheet
from serving.kept_sheets import sheet_place
from serving.release import release
from serving.suggested import Suggested


def make_sheet(suggested: Suggested) -> Path:
    """Write the sheet of some suggestions: byte for byte what the API would say of each unit.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    directory, mark = Directory(suggested.snapshot), suggested.mark
    place = sheet_place(suggested.home, mark)
    write_sheet(
        place,
        _answers(suggested, directory),
        parents={unit.code: unit.parent or "" for unit in directory.units.values()},
        release=release(),
        dataset=mark.dataset,
        version=mark.version,
        year=mark.year,
    )
    return place


def _answers(suggested: Suggested, directory: Directory) -> Iterator[tuple[str, bytes, str]]:
    for unit in directory.units.values():
        table = suggested.of(unit.code)
        if table.empty or table["target"].isna().all():
            continue
        found = UnitTargets(directory, unit, suggested.mark.year, table)
        yield unit.code, told(found, list(suggestions(found))).model_dump_json().encode(), versions_tag(found)
