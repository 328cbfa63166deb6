"""What to bring in from a database, an Excel book or a Parquet lake, said as data: tables, columns, descriptions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from features.breaches import Breaches
from features.documents import read_model
from features.errors import LoadlineError

COLUMNS: dict[str, tuple[str, ...]] = {
    "units": ("unit", "parent", "name"),
    "observations": ("unit", "period", "indicator", "value"),
    "outcomes": ("unit", "period", "outcome", "value"),
    "goals": ("unit", "indicator", "year", "value"),
}
"""The columns that each table of the contract must have."""
OPTIONAL: dict[str, tuple[str, ...]] = {
    "units": (
        *("name_zh", "level", "region_type", "peer_group", "business_line"),
        *("valid_from", "valid_to", "successor"),
    ),
    "observations": ("known_on",),
    "outcomes": ("known_on",),
    "goals": (),
}
"""The columns that it may have; units keep every other one as well, as a static attribute."""
CHINESE: dict[str, str] = {
    "机构": "unit",
    "上级机构": "parent",
    "名称": "name",
    "期间": "period",
    "指标": "indicator",
    "数值": "value",
    "获知日期": "known_on",
    "生效日期": "valid_from",
    "失效日期": "valid_to",
    "承继机构": "successor",
    "结果": "outcome",
    "年度": "year",
    "级别": "level",
    "区域类型": "region_type",
    "同业组": "peer_group",
    "条线": "business_line",
    "年": "year",
    "季": "quarter",
    "季度": "quarter",
    "月": "month",
    "月份": "month",
}
"""Headings that are understood without being mapped; the contract's own name goes before."""


class TableSpec(BaseModel):
    """Where one table comes from.

    Exactly one of `sql` (a query), `sheet` (of the book) and `parquet` (a folder or file within the lake) is given.

    Attributes
    ----------
    columns : dict
        Their column names to the contract's, such as `机构: unit`. In a wide table also to indicators: `不良率: R01`.
    wide : bool
        Only for observations: one row a unit and period, one column an indicator. A column that `columns` does not
        name is looked up among the indicators by its own name; it is passed over, with a note, where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str | None = Field(default=None, min_length=1)
    sheet: str | None = Field(default=None, min_length=1)
    parquet: str | None = Field(default=None, min_length=1)
    columns: dict[str, str] = {}
    wide: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> TableSpec:
        if sum(place is not None for place in (self.sql, self.sheet, self.parquet)) != 1:
            raise ValueError("give one of sql, sheet and parquet")
        twice = [name for name, times in Counter(self.columns.values()).items() if times > 1]
        if twice:
            raise ValueError(f"two columns are to become {twice[0]!r}")
        return self


class SourceSpec(BaseModel):
    """What to bring in, and how.

    Attributes
    ----------
    description : dict or Path
        The content of `dataset.yaml`, or a folder that holds `dataset.yaml` and any other file of the contract but the
        observations. A table below goes before a file of that folder. None only for a book with a sheet `dataset`.
    indicators : list or TableSpec, optional
        The entries of `indicators.yaml` (a bare text is a code, name or alias of the built-in library), or a sheet
        with a column a field. Where neither this nor the folder says, they are the library's indicators in the data.
    units, outcomes, goals : TableSpec, optional
    observations : tuple of TableSpec
        One or several tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: dict[str, Any] | Path | None = None
    indicators: TableSpec | tuple[dict[str, Any] | str, ...] | None = None
    units: TableSpec | None = None
    observations: tuple[TableSpec, ...] = Field(min_length=1)
    outcomes: TableSpec | None = None
    goals: TableSpec | None = None

    @field_validator("observations", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return value if isinstance(value, list | tuple) else (value,)

    @model_validator(mode="after")
    def _wide_fits(self) -> SourceSpec:
        if any(table is not None and table.wide for table in (self.units, self.outcomes, self.goals)):
            raise ValueError("only observations can be wide")
        return self


def read_spec(path: Path | str) -> SourceSpec:
    """Read a specification from a YAML file; a folder it names is relative to the file.

    Raises
    ------
    DatasetError
        With the line of everything that does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise LoadlineError("there is no such file", where=str(path), hint="Name the YAML file of the specification.")
    breaches = Breaches()
    spec = read_model(path, SourceSpec, breaches)
    breaches.raise_if_any(str(path))
    if spec is None:
        raise AssertionError("what cannot be read is always a breach")
    if isinstance(spec.description, Path):
        return spec.model_copy(update={"description": path.parent / spec.description})
    return spec
