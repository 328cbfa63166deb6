"""Errors that say what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


class LoadlineError(Exception):
    """A problem that its reader can act on.

    Parameters
    ----------
    what : str
        What is wrong, in a sentence.
    where : str, optional
        The file, unit, indicator or option concerned.
    hint : str, optional
        What to do next.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\nHint: {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True)
class Breach:
    """One place in which a dataset breaks the contract.

    `line` counts lines of a text file and rows of a Parquet file or sheet from 1; 0 stands for the file as a whole.
    """

    file: str
    line: int
    column: str
    value: str
    expected: str
    hint: str

    def __str__(self) -> str:
        place = self.file + (f", line {self.line}" if self.line else "") + (f", {self.column}" if self.column else "")
        found = f"found {self.value!r}, " if self.value else ""
        return f"{place}: {found}expected {self.expected}. {self.hint}".rstrip()

    def as_dict(self) -> dict[str, str | int]:
        """Give the breach as plain data, for JSON."""
        return asdict(self)


class DatasetError(LoadlineError):
    """A dataset that breaks the contract, with every breach found.

    `total` counts all breaches; `breaches` holds them in file and line order, up to a stated number for each kind.
    """

    def __init__(self, breaches: Sequence[Breach], *, total: int | None = None, where: str = "") -> None:
        self.breaches = tuple(breaches)
        self.total = len(self.breaches) if total is None else total
        places = f"{self.total:,} place{'s' if self.total != 1 else ''}"
        super().__init__(
            f"the dataset breaks the contract in {places}; nothing was stored",
            where=where,
            hint="Correct what is listed and try again.",
        )
