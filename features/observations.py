"""Figures of a dataset: read in pieces, checked row by row and against each other, as compact arrays."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet
from features.periods import EXAMPLES, Calendar
from features.reading import LISTED_PER_KIND, Breaches, Rows, as_text, is_regular, read_table
from features.units import UnitTree

NOT_GIVEN = np.iinfo(np.int32).min
"""Stands for a blank `known_on`."""
EPOCH = date(1970, 1, 1).toordinal()
NEAR_MISSES, NEAR_AMONG = 50, 5000
"""So many unknown names are compared with so many known ones, to suggest what was meant: each takes some 50 ms."""
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some observations: one array entry a row.

    `unit` and `indicator` are positions in the tree and the indicator set, `period` an ordinal, `known_on` days since
    1970 or `NOT_GIVEN`.
    """

    file: str
    lines: np.ndarray
    unit: np.ndarray
    period: np.ndarray
    indicator: np.ndarray
    value: np.ndarray
    known_on: np.ndarray

    def __len__(self) -> int:
        return len(self.lines)


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
        reader = _Reader(self.tree, self.indicators, self.calendar, breaches)
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


class _Reader:
    """Turns rows of text into checked arrays."""

    def __init__(self, tree: UnitTree, indicators: IndicatorSet, calendar: Calendar, breaches: Breaches) -> None:
        self.tree, self.calendar, self.breaches = tree, calendar, breaches
        self.codes = pd.Index(list(indicators), dtype=object)
        limits = np.array([indicator.limits for indicator in indicators.values()]).reshape(-1, 2)
        self.low, self.high = limits[:, 0], limits[:, 1]
        self.near_misses = NEAR_MISSES

    def read(self, file: str, rows: Rows) -> Chunk:
        """Read rows; those with a breach are noted and left out."""
        unit = self._lookup(file, rows, "unit", self._units, "a unit of units.csv")
        period = self._lookup(
            file, rows, "period", self._periods, f"a period such as {EXAMPLES[self.calendar.frequency]}"
        )
        indicator = self._lookup(file, rows, "indicator", self._indicators, "an indicator of indicators.yaml")
        value = self._values(file, rows)
        known_on = self._days(file, rows)
        good = (unit >= 0) & (period >= 0) & (indicator >= 0) & np.isfinite(value) & (known_on != NOT_GIVEN + 1)
        with np.errstate(invalid="ignore"):
            outside = good & ((value < self.low[indicator]) | (value > self.high[indicator]))
        for which in np.unique(indicator[outside]):
            expected = f"a value of {self.codes[which]} within [{self.low[which]:g}, {self.high[which]:g}]"
            at = np.flatnonzero(outside & (indicator == which))
            hint = "Correct the value, its unit, or the indicator's bounds."
            self.breaches.add_rows(
                file, rows.lines[at], "value", lambda i, at=at: f"{value[at[i]]:g}", expected=expected, hint=hint
            )
        good &= ~outside
        if good.all():
            return Chunk(file, rows.lines, unit, period, indicator, value, known_on)
        return Chunk(file, rows.lines[good], unit[good], period[good], indicator[good], value[good], known_on[good])

    def _lookup(self, file: str, rows: Rows, column: str, look_up, expected: str) -> np.ndarray:
        """Translate a column through its few distinct values; -1, and a breach, where that fails."""
        texts = rows.columns[column]
        if not pa.types.is_dictionary(texts.type):
            texts = pc.dictionary_encode(as_text(texts))  # pyright: ignore[reportAttributeAccessIssue]
        distinct = as_text(texts.dictionary).to_pylist()
        numbers, hints = look_up(distinct)
        indices = texts.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
        result = np.append(numbers, -1)[indices].astype(np.int32)
        bad = np.flatnonzero(result < 0)
        if len(bad):
            distinct.append("")
            hints[""] = "Leave no cell of this column blank."
            self.breaches.add_rows(
                file,
                rows.lines[bad],
                column,
                lambda i: distinct[indices[bad[i]]],
                expected=expected,
                hint=lambda text: hints.get(str(text), ""),
            )
        return result

    def _codes(self, distinct: list[str], known: pd.Index, source: str) -> tuple[np.ndarray, dict[str, str]]:
        numbers = known.get_indexer(pd.Index(list(distinct), dtype=object)) if distinct else np.empty(0, np.int64)
        hints: dict[str, str] = {}
        for text in [distinct[place] for place in np.flatnonzero(numbers < 0)[:LISTED_PER_KIND]]:
            self.near_misses -= 1
            among = known[:NEAR_AMONG] if self.near_misses >= 0 else []
            near = difflib.get_close_matches(text, among, 1, cutoff=0.75)
            hints[text] = f"Did you mean {near[0]!r}?" if near else f"Add it to {source}, or remove the row."
        return numbers, hints

    def _units(self, distinct: list[str]) -> tuple[np.ndarray, dict[str, str]]:
        return self._codes(distinct, self.tree.codes, "units.csv")

    def _indicators(self, distinct: list[str]) -> tuple[np.ndarray, dict[str, str]]:
        return self._codes(distinct, self.codes, "indicators.yaml")

    def _periods(self, distinct: Sequence[str]) -> tuple[np.ndarray, dict[str, str]]:
        numbers, hints = [], {}
        for text in distinct:
            try:
                numbers.append(self.calendar.parse(text))
            except LoadlineError as error:
                numbers.append(-1)
                hints[text] = f"The dataset's frequency is {self.calendar.frequency}. {error.hint}"
        return np.array(numbers, dtype=np.int64), hints

    def _values(self, file: str, rows: Rows) -> np.ndarray:
        column = rows.columns["value"]
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
            value = column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
            texts = None
        else:
            texts = as_text(column)
            fits = pc.match_substring_regex(texts, NUMBER)  # pyright: ignore[reportAttributeAccessIssue]
            clean = pc.if_else(fits, pc.utf8_trim_whitespace(texts), None)  # pyright: ignore[reportAttributeAccessIssue]
            value = clean.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        bad = np.flatnonzero(~np.isfinite(value))
        self.breaches.add_rows(
            file,
            rows.lines[bad],
            "value",
            lambda i: str(value[bad[i]]) if texts is None else texts[int(bad[i])].as_py(),
            expected="a finite number",
            hint=_number_hint,
        )
        return value

    def _days(self, file: str, rows: Rows) -> np.ndarray:
        column = rows.columns.get("known_on")
        if column is None:
            return np.full(len(rows.lines), NOT_GIVEN, dtype=np.int32)
        distinct = pc.dictionary_encode(as_text(column))  # pyright: ignore[reportAttributeAccessIssue]
        texts, days = distinct.dictionary.to_pylist(), []
        for text in texts:
            try:
                day = datetime.fromisoformat(text.strip()).toordinal() if text.strip() else 0
                days.append(day - EPOCH if day else NOT_GIVEN)
            except ValueError:
                days.append(NOT_GIVEN + 1)
        result = np.array(days, dtype=np.int32)[distinct.indices.to_numpy(zero_copy_only=False)]
        bad = np.flatnonzero(result == NOT_GIVEN + 1)
        values = distinct.take(pa.array(bad)).to_pylist()
        self.breaches.add_rows(
            file,
            rows.lines[bad],
            "known_on",
            values.__getitem__,
            expected="a day such as 2024-02-15",
            hint="Leave it blank if it is not known.",
        )
        return result


def _number_hint(value: object) -> str:
    text = str(value)
    if text.strip().lower() in {"", "nan", "none", "null", "na", "n/a", "-", "--"}:
        return "Leave the row out: a missing row means not observed."
    if text.strip().lower().lstrip("+-") in {"inf", "infinity"}:
        return "A ratio over zero is not observed: leave the row out."
    if "," in text or "，" in text:
        return "Write it without thousands separators."
    if "%" in text or "％" in text:
        return "Write the number alone; the indicator has the unit."
    return "Write digits with a decimal point."


def read_outcomes(path: Path, tree: UnitTree, calendar: Calendar, breaches: Breaches) -> pd.DataFrame:
    """Read `outcomes.csv` as a frame: `unit`, `period`, `outcome`, `value`, `known_on` (blank where not given)."""
    if not path.exists() or not is_regular(path, breaches):
        return pd.DataFrame(columns=["unit", "period", "outcome", "value", "known_on"])
    reader = _Reader(tree, IndicatorSet(()), calendar, breaches)
    frames = []
    for rows in read_table(
        path, required=["unit", "period", "outcome", "value"], optional=["known_on"], breaches=breaches
    ):
        unit = reader._lookup(path.name, rows, "unit", reader._units, "a unit of units.csv")
        period = reader._lookup(
            path.name, rows, "period", reader._periods, f"a period such as {EXAMPLES[calendar.frequency]}"
        )
        value, days = reader._values(path.name, rows), reader._days(path.name, rows)
        odd = np.flatnonzero(np.isfinite(value) & ~np.isin(value, (0.0, 1.0)))
        breaches.add_rows(
            path.name, rows.lines[odd], "value", lambda i, v=value, o=odd: v[o[i]], expected="0 or 1", hint=""
        )
        frames.append(
            pd.DataFrame(
                {
                    "unit": tree.codes[np.maximum(unit, 0)],
                    "period": as_text(rows.columns["period"]).to_pylist(),
                    "outcome": as_text(rows.columns["outcome"]).to_pylist(),
                    "value": value,
                    "known_on": [
                        "" if d in (NOT_GIVEN, NOT_GIVEN + 1) else date.fromordinal(int(d) + EPOCH).isoformat()
                        for d in days
                    ],
                    "line": rows.lines,
                    "known": (unit >= 0) & (period >= 0),
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["unit", "period", "outcome", "value", "known_on"])
    frame = pd.concat(frames, ignore_index=True)
    _note_repeats(path.name, frame[frame["known"]], ["unit", "period", "outcome", "known_on"], breaches)
    return frame.drop(columns=["line", "known"])


def read_goals(path: Path, tree: UnitTree, indicators: IndicatorSet, breaches: Breaches) -> pd.DataFrame:
    """Read `goals.csv` as a frame: `unit`, `indicator`, `year`, `value`.

    A goal is for a unit that has others below it, on an indicator that may have targets.
    """
    columns = ["unit", "indicator", "year", "value"]
    if not path.exists() or not is_regular(path, breaches):
        return pd.DataFrame(columns=columns)
    years = Calendar("A")
    reader = _Reader(tree, indicators, years, breaches)
    frames = []
    for rows in read_table(path, required=columns, optional=[], breaches=breaches):
        unit = reader._lookup(path.name, rows, "unit", reader._units, "a unit of units.csv")
        indicator = reader._lookup(path.name, rows, "indicator", reader._indicators, "an indicator of indicators.yaml")
        year = reader._lookup(path.name, rows, "year", reader._periods, "a year such as 2025")
        value = reader._values(path.name, rows)
        for at in np.flatnonzero((unit >= 0) & ~tree.ever_parent[unit]):
            hint = "A goal is broken down to the units below; this one has none."
            breaches.add(
                path.name,
                rows.lines[at],
                "unit",
                tree.codes[unit[at]],
                expected="a unit that has units below it",
                hint=hint,
            )
        for at in np.flatnonzero(indicator >= 0):
            definition: Indicator = indicators[str(reader.codes[indicator[at]])]
            if not definition.is_target:
                hint = "It is only monitored, or describes the surroundings."
                breaches.add(
                    path.name,
                    rows.lines[at],
                    "indicator",
                    definition.code,
                    expected="an indicator that may have targets",
                    hint=hint,
                )
        good = (unit >= 0) & (indicator >= 0) & (year >= 0)
        frames.append(
            pd.DataFrame(
                {
                    "unit": tree.codes[unit[good]],
                    "indicator": reader.codes[indicator[good]],
                    "year": year[good],
                    "value": value[good],
                    "line": rows.lines[good],
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(frames, ignore_index=True)
    _note_repeats(path.name, frame, ["unit", "indicator", "year"], breaches)
    return frame[columns]


def _note_repeats(file: str, frame: pd.DataFrame, key: list[str], breaches: Breaches) -> None:
    again = frame[frame.duplicated(key)]
    shown = again[key].astype(str).agg(", ".join, axis=1) if len(again) else pd.Series(dtype=object)
    breaches.add_rows(
        file,
        again["line"].to_numpy(),
        ", ".join(key),
        shown.iloc.__getitem__,
        expected="each key once",
        hint="Remove one of the two.",
    )
