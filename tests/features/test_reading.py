"""Small tables read from text: whatever the number of their columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.breaches import Breaches
from features.reading import frame_of, read_table


@pytest.mark.parametrize(
    ("text", "rows", "lines"),
    [
        ("unit\nA\nB\n", ["A", "B"], [2, 3]),
        ("unit\nA\nB", ["A", "B"], [2, 3]),
        ("unit\r\nA\r\n", ["A"], [2]),
        ("unit\nA\n\nB\n", ["A", "B"], [2, 4]),
        ('unit\n"A"\n', ["A"], [2]),
    ],
)
def test_a_table_of_one_column_is_a_table(tmp_path: Path, text: str, rows: list[str], lines: list[int]) -> None:
    path = tmp_path / "one.csv"
    path.write_bytes(text.encode())
    breaches = Breaches()
    found = frame_of(read_table(path, required=["unit"], optional=[], breaches=breaches))
    assert not breaches
    assert found["unit"].tolist() == rows
    assert found.index.tolist() == lines


def test_a_row_too_wide_for_one_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("unit\nA\nB,2\n", encoding="utf-8")
    breaches = Breaches()
    found = frame_of(read_table(path, required=["unit"], optional=[], breaches=breaches))
    assert found["unit"].tolist() == ["A"]
    assert [(breach.line, breach.expected) for breach in breaches.found] == [(3, "1 columns")]


def test_one_column_where_more_are_needed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("unit;indicator\nA;B\n", encoding="utf-8")
    breaches = Breaches()
    assert frame_of(read_table(path, required=["unit", "indicator"], optional=[], breaches=breaches)).empty
    assert "separated by commas" in breaches.found[0].hint
