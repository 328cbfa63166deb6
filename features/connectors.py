"""Data from a database, an Excel book or a Parquet lake, brought into the same checks as any dataset folder.

A connector writes a dataset folder; what it wrote is then opened like any other, so nothing gets past the contract.
What is wrong is said in terms of the original: the sheet and row, the file of the lake, the row of the query.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from features.breaches import Breaches
from features.dataset import Dataset, Description, open_dataset
from features.definitions import read_indicators
from features.documents import read_model
from features.errors import DatasetError, LoadlineError
from features.indicators import IndicatorSet, library
from features.origins import Origin, Piece, WayBack
from features.reading import inside
from features.source_excel import ExcelSource
from features.source_parquet import ParquetSource
from features.source_spec import SourceSpec, TableSpec
from features.source_sql import SqlSource
from features.staging import Staging

INLINE = "the specification"
"""The place of what the specification itself says."""
DESCRIBING = ("dataset.yaml", "indicators.yaml", "policy.yaml", "units.csv", "outcomes.csv", "goals.csv")
"""Files taken from the folder of descriptions, where no table of the source goes before them."""
BOOKS = (".xlsx", ".xlsm")


class Source(Protocol):
    """Something that holds tables."""

    name: str

    def pieces(self, kind: str, spec: TableSpec, staging: Staging) -> Iterator[Piece]:
        """Give the rows of a table, some at a time; the first piece may hold the column names alone."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class Staged:
    """A dataset folder that a connector wrote.

    Attributes
    ----------
    folder : Path
    source : str
        What it came from; a password is not shown.
    notes : tuple of str
        What was passed over or taken differently from how it is stored.
    """

    folder: Path
    source: str
    notes: tuple[str, ...]
    _staging: Staging

    def open(self, *, stored: Callable[[str], Collection[str]] | None = None) -> Dataset:
        """Open and check it, like any dataset folder.

        The folder must stay until the dataset has been stored: figures are read as they are asked for.

        Parameters
        ----------
        stored : callable, optional
            As for `open_dataset`: gives the codes of indicators that have figures in the store already.

        Raises
        ------
        DatasetError
            With every breach, in terms of the original, including the cells that could not be taken over.
        """
        cells = self._staging.cells
        try:
            dataset = open_dataset(self.folder, stored=stored)
        except DatasetError as error:
            noted = {(breach.file, breach.line, breach.column) for breach in cells.found}
            back = WayBack(self.folder, self._staging.origins)
            found = [back.breach(breach) for breach in error.breaches]
            new = [breach for breach in found if (breach.file, breach.line, breach.column) not in noted]
            every = sorted([*cells.found, *new], key=lambda b: (b.file, b.line))
            total = cells.total + error.total - (len(found) - len(new))
            raise DatasetError(every, total=total, where=self.source) from None
        cells.raise_if_any(self.source)
        return replace(dataset, notes=(*dataset.notes, *self.notes))


def stage_sql(url: str, spec: SourceSpec, into: Path) -> Staged:
    """Write a dataset folder from queries to a database.

    Parameters
    ----------
    url : str
        Anything SQLAlchemy takes; the database is only read.
    spec : SourceSpec
    into : Path
        A new or empty folder.

    Raises
    ------
    LoadlineError
        Where the database cannot be reached, or a query fails or would change something.
    DatasetError
        Where a table lacks a column, or the description is not as it should be.
    """
    return _stage(SqlSource(url), spec, into)


def stage_excel(book: Path, spec: SourceSpec | None, into: Path) -> Staged:
    """Write a dataset folder from the sheets of an Excel book.

    Parameters
    ----------
    book : Path
        `.xlsx` or `.xlsm`.
    spec : SourceSpec or None
        Without one the sheets are found by their names: `dataset` (or 数据集; names and values in two columns),
        `indicators` (指标), `units` (机构), `observations` (数据), `outcomes` (结果) and `goals` (目标).
    into : Path
        A new or empty folder.

    Raises
    ------
    LoadlineError
        Where the book cannot be read or lacks a sheet.
    DatasetError
        Where a table lacks a column, or the description is not as it should be.
    """
    source = ExcelSource(book)
    if spec is None:
        sheets = {kind: source.sheet(kind) for kind in ("units", "observations", "outcomes", "goals")}
        for kind in ("units", "observations"):
            if sheets[kind] is None:
                source.close()
                hint = "Call it so, or say in a specification where the table is."
                raise LoadlineError(f"the book has no sheet called {kind!r}", where=str(book), hint=hint)
        spec = SourceSpec.model_validate({kind: {"sheet": title} for kind, title in sheets.items() if title})
    return _stage(source, spec, into)


def stage_parquet(folder: Path, spec: SourceSpec, into: Path) -> Staged:
    """Write a dataset folder from the folders of a Parquet lake.

    Parameters
    ----------
    folder : Path
    spec : SourceSpec
        Its `parquet` places are relative to the folder.
    into : Path
        A new or empty folder.

    Raises
    ------
    LoadlineError
        Where a table's folder is missing, empty, or outside the lake.
    DatasetError
        Where a file is damaged or lacks a column, or the description is not as it should be.
    """
    return _stage(ParquetSource(folder), spec, into)


def stage(source: str | Path, spec: SourceSpec | None, into: Path) -> Staged:
    """Write a dataset folder from a database URL, an Excel book or the folder of a lake, whichever it is.

    Raises
    ------
    LoadlineError, DatasetError
        As `stage_sql`, `stage_excel` and `stage_parquet`; also where it is none of the three.
    """
    if isinstance(source, Path) or "://" not in source:
        path = Path(source)
        if path.suffix.lower() in BOOKS:
            return stage_excel(path, spec, into)
        if spec is not None and path.is_dir():
            return stage_parquet(path, spec, into)
        if not path.is_dir():
            hint = "Name a database URL, an .xlsx book or the folder of a lake."
            raise LoadlineError("this is no source of data", where=str(path), hint=hint)
    elif spec is not None:
        return stage_sql(source, spec, into)
    raise LoadlineError(
        "a database or a lake needs a specification", hint="It says which query or folder holds which table."
    )


def open_source(
    source: str | Path, spec: SourceSpec | None, into: Path, *, stored: Callable[[str], Collection[str]] | None = None
) -> Dataset:
    """Bring data in from a source and check it: `stage`, then `Staged.open`."""
    return stage(source, spec, into).open(stored=stored)


def _stage(source: Source, spec: SourceSpec, into: Path) -> Staged:
    try:
        staging = Staging(into)
        _describe(source, spec, staging)
        description = _checked_description(source, staging)
        known, derive = _known_indicators(into)
        for kind in ("units", "outcomes", "goals"):
            table: TableSpec | None = getattr(spec, kind)
            if table is not None:
                pieces = source.pieces(kind, table, staging)
                staging.table(kind, table, pieces, calendar=description.calendar)
        met: set[str] = set()
        for number, table in enumerate(spec.observations, start=1):
            pieces = source.pieces("observations", table, staging)
            met |= staging.observations(number, table, pieces, calendar=description.calendar, known=known)
        staging.structure.raise_if_any(source.name)
        if derive:
            staging.indicators([code for code in known if code in met], Origin(INLINE))
        return Staged(into, source.name, staging.remarks(), staging)
    finally:
        source.close()


def _describe(source: Source, spec: SourceSpec, staging: Staging) -> None:
    """Write the files that describe: from the specification, its folder, or the sheets of a book."""
    if isinstance(spec.description, Path):
        _copy(spec.description, spec, staging)
    elif spec.description is not None:
        staging.description(spec.description, Origin(INLINE))
    elif not (isinstance(source, ExcelSource) and source.describe(staging)):
        hint = "Give `description` in the specification, or a sheet `dataset` in the book."
        raise LoadlineError("nothing describes the dataset", where=source.name, hint=hint)
    if isinstance(spec.indicators, tuple):
        staging.indicators(spec.indicators, Origin(INLINE))
    elif spec.indicators is None and (staging.folder / "indicators.yaml").exists():
        pass
    elif isinstance(source, ExcelSource):
        source.indicators(staging, spec.indicators)
    elif spec.indicators is not None:
        raise LoadlineError("only a book has its indicators in a table", where=source.name, hint="List them.")


def _copy(folder: Path, spec: SourceSpec, staging: Staging) -> None:
    """Copy the files of a folder of descriptions, but those that the specification gives itself."""
    if not (folder / "dataset.yaml").is_file():
        hint = "`description` names a folder that holds dataset.yaml, or gives its content."
        raise LoadlineError("the folder holds no dataset.yaml", where=str(folder), hint=hint)
    for name in DESCRIBING:
        given = getattr(spec, name.partition(".")[0], None) is not None
        if (folder / name).is_file() and not given and inside(folder, folder / name, staging.structure):
            shutil.copyfile(folder / name, staging.folder / name)
    staging.structure.raise_if_any(str(folder))


def _checked_description(source: Source, staging: Staging) -> Description:
    """Read the description, which says what a period is; without it no table can be read."""
    breaches = Breaches()
    description = read_model(staging.folder / "dataset.yaml", Description, breaches)
    if description is None or breaches:
        back = WayBack(staging.folder, staging.origins)
        raise DatasetError([back.breach(breach) for breach in breaches.found], where=source.name)
    return description


def _known_indicators(folder: Path) -> tuple[IndicatorSet, bool]:
    """Give the indicators by which names are understood; the library, and True, where the dataset lists none."""
    if not (folder / "indicators.yaml").exists():
        return library(), True
    declared = read_indicators(folder / "indicators.yaml", Breaches())
    return (IndicatorSet(()) if declared is None else declared.codes), False
