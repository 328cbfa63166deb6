"""A unit's suggestions as a file for a spreadsheet."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from starlette.responses import Response

from models.suggestion import MILESTONES
from serving.api.desk import UnitTargets
from serving.console.formats import Reader
from serving.explanation import explained
from serving.tables import write_table

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export_table(found: UnitTargets, reader: Reader) -> pd.DataFrame:
    """Give the advisor's table with names, units of measure, and where the figures come from."""
    indicators = found.directory.snapshot.indicators
    about = [indicators[str(code)] for code in found.table["indicator"]]
    texts = [
        explained(row, entry)["text"][reader.language] if row["target"] == row["target"] else ""
        for row, entry in zip(found.table.to_dict("records"), about, strict=True)
    ]
    table = found.table.drop(columns=list(MILESTONES))
    dataset = found.directory.snapshot.about.dataset
    if found.directory.synthetic:
        dataset = f"{dataset} ({reader.say('synthetic.short')})"
    table.insert(1, "unit_name", reader.name(found.unit.name, found.unit.name_zh))
    table.insert(3, "indicator_name", [reader.name(entry.name.en, entry.name.zh) for entry in about])
    table.insert(4, "unit_of_measure", [reader.known("measure", entry.unit) for entry in about])
    return table.assign(reason=texts, known_on=found.known_on.isoformat(), dataset=dataset)


def export_file(found: UnitTargets, reader: Reader, *, form: str) -> Response:
    """Answer with the table as a CSV or XLSX file."""
    mark = "-synthetic" if found.directory.synthetic else ""
    name = f"targets-{found.year}"
    return table_file(
        export_table(found, reader), form=form, name=f"{name}{mark}", full=f"{name}-{found.unit.code}{mark}"
    )


def table_file(table: pd.DataFrame, *, form: str, name: str, full: str) -> Response:
    """Answer with any table as a CSV or XLSX file, by a plain name and, for programs that can, by a full one."""
    return written_file(lambda path: write_table(table, path), form=form, name=name, full=full)


def written_file(write: Callable[[Path], object], *, form: str, name: str, full: str) -> Response:
    """Answer with a file that is written to a path with the form as its suffix; see `table_file`."""
    with tempfile.TemporaryDirectory(prefix="loadline-") as folder:
        path = Path(folder) / f"table.{form}"
        write(path)
        content = path.read_bytes()
    encoded = quote(f"{full}.{form}", safe="")
    disposition = f"attachment; filename=\"{name}.{form}\"; filename*=UTF-8''{encoded}"
    return Response(content, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": disposition})
