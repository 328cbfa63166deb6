"""Rows of text turned into checked arrays, with a breach for every value that does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.breaches import LISTED_PER_KIND, Breaches
from features.errors import LoadlineError
from features.indicators import IndicatorSet
from features.periods import EXAMPLES, Calendar
from features.reading import Rows, as_text
from features.units import UnitTree

NOT_GIVEN = np.iinfo(np.int32).min
"""Stands for a blank `known_on`."""
EPOCH = date(1970, 1, 1).toordinal()
NEAR_MISSES, NEAR_AMONG = 50, 5000
"""So many unknown names are compared with so many known ones, to suggest what was meant: each takes some 50 ms."""
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


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


class RowReader:
    """Turns rows of text into checked arrays."""

    def __init__(self, tree: UnitTree, indicators: IndicatorSet, calendar: Calendar, breaches: Breaches) -> None:
        self.tree, self.calendar, self.breaches = tree, calendar, breaches
        self.codes = pd.Index(list(indicators), dtype=object)
        limits = np.array([indicator.limits for indicator in indicators.values()]).reshape(-1, 2)
        self.low, self.high = limits[:, 0], limits[:, 1]
        self.near_misses = NEAR_MISSES

    def read(self, file: str, rows: Rows) -> Chunk:
        """Read rows; those with a breach are noted and left out."""
        unit = self.look_up(file, rows, "unit", self.units, "a unit of units.csv")
        period = self.look_up(
            file, rows, "period", self.periods, f"a period such as {EXAMPLES[self.calendar.frequency]}"
        )
        indicator = self.look_up(file, rows, "indicator", self.indicators, "an indicator of indicators.yaml")
        value = self.values(file, rows)
        known_on = self.days(file, rows)
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

    def look_up(self, file: str, rows: Rows, column: str, look_up, expected: str) -> np.ndarray:
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

    def units(self, distinct: list[str]) -> tuple[np.ndarray, dict[str, str]]:
        """Translate unit codes; gives positions, -1 where unknown, and hints by text."""
        return self._codes(distinct, self.tree.codes, "units.csv")

    def indicators(self, distinct: list[str]) -> tuple[np.ndarray, dict[str, str]]:
        """Translate indicator codes; as `units`."""
        return self._codes(distinct, self.codes, "indicators.yaml")

    def periods(self, distinct: Sequence[str]) -> tuple[np.ndarray, dict[str, str]]:
        """Translate periods into ordinals; as `units`."""
        numbers, hints = [], {}
        for text in distinct:
            try:
                numbers.append(self.calendar.parse(text))
            except LoadlineError as error:
                numbers.append(-1)
                hints[text] = f"The dataset's frequency is {self.calendar.frequency}. {error.hint}"
        return np.array(numbers, dtype=np.int64), hints

    def values(self, file: str, rows: Rows) -> np.ndarray:
        """Read the values; NaN, and a breach, where one is no finite number."""
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

    def days(self, file: str, rows: Rows) -> np.ndarray:
        """Read `known_on` as days since 1970; `NOT_GIVEN` for blanks, one more, and a breach, for what is no day."""
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
