"""Values as databases, sheets and lakes hold them, spelled as the contract wants them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from features.periods import Calendar
from features.reading import as_text

COMPACT_MONTH = re.compile(r"(\d{4})(0[1-9]|1[0-2])")
COMPACT_QUARTER = re.compile(r"(\d{4})[Qq]([1-4])")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LINE_BREAKS = re.compile(r"[\r\n]+")
DIGITS = 15
"""Significant digits that survive when a percentage is scaled: what a double holds, and what Excel shows."""


def spell(value: object) -> str:
    """Write a value as text: whole numbers without a decimal point, days as 2024-07-31, nothing as blank.

    >>> spell(1001.0), spell(Decimal("2.50")), spell(datetime(2024, 7, 31)), spell(None)
    ('1001', '2.50', '2024-07-31', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return LINE_BREAKS.sub(" ", value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return (value.date() if midnight else value).isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return LINE_BREAKS.sub(" ", str(value))


def spell_day(value: object) -> str:
    """Write a day, whatever the time of day.

    >>> spell_day(datetime(2024, 7, 31, 18, 30))
    '2024-07-31'
    """
    return value.date().isoformat() if isinstance(value, datetime) else spell(value)


def spell_period(value: object, calendar: Calendar) -> str:
    """Write a period: from a number such as 202407, or from the day on which it begins or a day of its last month.

    Any other day could stand for a shorter period, and is left for the check to refuse.

    >>> spell_period(date(2024, 7, 31), Calendar("M")), spell_period(202407, Calendar("M"))
    ('2024-07', '2024-07')
    >>> spell_period(date(2024, 9, 30), Calendar("Q")), spell_period(date(2024, 8, 31), Calendar("Q"))
    ('2024-Q3', '2024-08-31')
    """
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
    else:
        text = spell(value).strip()
        if calendar.frequency == "M" and (match := COMPACT_MONTH.fullmatch(text)):
            return f"{match[1]}-{match[2]}"
        if calendar.frequency == "Q" and (match := COMPACT_QUARTER.fullmatch(text)):
            return f"{match[1]}-Q{match[2]}"
        if not DAY.fullmatch(text):
            return text
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return text
    period = calendar.containing(day)
    end = calendar.end(period)
    fits = (day.year, day.month) == (end.year, end.month) or day == calendar.start(period)
    return calendar.format(period) if fits else day.isoformat()


def combined_period(parts: Sequence[object], calendar: Calendar) -> str:
    """Write a period from a year and, unless it is all, the number of the quarter or month.

    >>> combined_period(["2024", "07"], Calendar("M")), combined_period([2024, "Q3"], Calendar("Q"))
    ('2024-07', '2024-Q3')
    """
    year, *rest = [spell(part).strip() for part in parts]
    if not rest:
        return year
    within = rest[0].removeprefix("Q")
    return f"{year}-Q{within}" if calendar.frequency == "Q" else f"{year}-{within.zfill(2)}"


def translated(column: pa.Array, write: Callable[[object], str]) -> pa.Array:
    """Write a column as text, through its few distinct values."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = pa.array([write(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return texts.take(encoded.indices).fill_null("")


def column_of(values: Sequence[object]) -> pa.Array:
    """Make a column of Python values; one of mixed kinds becomes text: Arrow would take a number for a time."""
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) <= 1 or kinds == {int, float}:
        try:
            return pa.array(values)
        except (pa.ArrowException, OverflowError, TypeError):
            pass  # a whole number beyond 64 bits, an infinite decimal, a type that Arrow does not know
    return pa.array([None if value is None else spell(value) for value in values], pa.string())


def numbers(column: pa.Array) -> pa.Array:
    """Give a column of numbers as doubles, and any other as text."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64(), safe=False)
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return as_text(column)
    return pa.array([spell(value) for value in column.to_pylist()], pa.string())


def absent(column: pa.Array) -> pa.Array:
    """Tell which entries hold nothing: nulls, and blank texts."""
    empty = column.is_null()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        blank = pc.equal(pc.utf8_trim_whitespace(column), "")  # pyright: ignore[reportAttributeAccessIssue]
        empty = pc.or_(empty, blank.fill_null(False))  # pyright: ignore[reportAttributeAccessIssue]
    return empty


def scaled(value: float, factor: float) -> float:
    """Multiply without the dust of binary fractions.

    >>> scaled(0.0153, 100)
    1.53
    """
    return float(f"{value * factor:.{DIGITS}g}")
