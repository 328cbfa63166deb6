"""The observation files of a dataset: read in pieces, as often as asked, and checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.breaches import Breaches
from features.indicators import IndicatorSet
from features.periods import Calendar
from features.reading import is_regular, read_table
from features.rows import EPOCH, NOT_GIVEN, Chunk, RowReader
from features.units import UnitTree

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Observations:
    """The observation files of a dataset."""

    files: tuple[Path, ...]
    tree: UnitTree
    indicators: IndicatorSet
    calendar: Calendar

    def check(self, breaches: Breaches) -> set[str]:
        """Read every row, note every breach, and give the codes of the indicators that have figures."""
        keys: list[np.ndarray] = []
        rows, seen = 0, np.zeros(len(self.indicators), dtype=bool)
        for chunk in self._chunks(breaches):
            rows += len(chunk)
            seen[np.unique(chunk.indicator)] = True
            keys.append(_keys(chunk, units=len(self.tree), indicators=len(self.indicators)))
        if not rows and not breaches:
            breaches.add(
                self.files[0].name if self.files else "observations.csv", 0, "", "", expected="at least one row"
            )
        self._check_duplicates(keys, breaches)
        return {code for code, there in zip(self.indicators, seen, strict=True) if there}

    def chunks(self) -> Iterator[Chunk]:
        """Read every row of a dataset that has been checked.

        Raises
        ------
        DatasetError
            Where a file has changed since and no longer keeps the contract.
        """
        breaches = Breaches()
        for chunk in self._chunks(breaches):
            breaches.raise_if_any("")
            yield chunk
        breaches.raise_if_any("")

    def _chunks(self, breaches: Breaches) -> Iterator[Chunk]:
        reader = RowReader(self.tree, self.indicators, self.calendar, breaches)
        for path in self.files:
            pieces = read_table(
                path, required=["unit", "period", "indicator", "value"], optional=["known_on"], breaches=breaches
            )
            for rows in pieces:
                yield reader.read(path.name, rows)

    def _check_duplicates(self, keys: list[np.ndarray], breaches: Breaches) -> None:
        if not keys:
            return
        every = np.empty(sum(map(len, keys)), dtype=np.int64)
        filled = 0
        while keys:  # let go of each piece once it is copied: keys are the most that a check holds
            piece = keys.pop()
            every[filled : filled + len(piece)] = piece
            filled += len(piece)
        every.sort()
        twice = np.unique(every[1:][every[1:] == every[:-1]])
        if not len(twice):
            return
        met = np.zeros(len(twice), dtype=bool)
        for chunk in self._chunks(Breaches()):
            own = _keys(chunk, units=len(self.tree), indicators=len(self.indicators))
            place = np.minimum(np.searchsorted(twice, own), len(twice) - 1)
            rows = np.flatnonzero(twice[place] == own)
            first = np.zeros(len(rows), dtype=bool)
            first[np.unique(place[rows], return_index=True)[1]] = True
            again = rows[~first | met[place[rows]]]
            met[place[rows]] = True
            breaches.add_rows(
                chunk.file,
                chunk.lines[again],
                "unit, period, indicator",
                lambda i, chunk=chunk, again=again: ", ".join(self._key(chunk, int(again[i]))),
                expected="each key once",
                hint="Remove one of the two; a restatement has a later known_on.",
            )

    def _key(self, chunk: Chunk, row: int) -> tuple[str, str, str]:
        indicator = list(self.indicators)[chunk.indicator[row]]
        return str(self.tree.codes[chunk.unit[row]]), self.calendar.format(chunk.period[row]), indicator


def _keys(chunk: Chunk, *, units: int, indicators: int) -> np.ndarray:
    """Fold unit, period, indicator and day known into one whole number a row (below 2^63 for any real dataset)."""
    cell = (chunk.period.astype(np.int64) * indicators + chunk.indicator) * units + chunk.unit
    day = np.where(chunk.known_on == NOT_GIVEN, 0, chunk.known_on.astype(np.int64) + EPOCH)
    return cell * (EPOCH * 2) + day


def observation_files(folder: Path, breaches: Breaches) -> list[Path]:
    """List the observation files of a folder; none is a breach."""
    named = sorted(p for p in folder.glob("observations*") if any(p.name.endswith(s) for s in SUFFIXES))
    found = [path for path in named if is_regular(path, breaches)]
    if not named:
        hint = f"Name it observations{SUFFIXES[0]}, {SUFFIXES[1]} or {SUFFIXES[2]}."
        breaches.add("observations.csv", 0, "", "", expected="at least one file of observations", hint=hint)
    return found
