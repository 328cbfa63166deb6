"""The evidence pack as an XLSX book. Texts are written as texts: no formula and no link comes to life."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from training.review.case import Case
from training.review.facts import AlertFacts
from training.review.pack_summary import both, record_words, summary_rows
from training.review.pack_words import CAUTION, HEADING, SEVERITY, SHEETS, SYNTHETIC, moment, review_rows

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

WIDE, NARROW = 90, 24
"""Widths of columns of sentences and of words, in characters."""
CHART_ROWS = 16
"""Rows that a chart takes up."""


def write_book(facts: AlertFacts, case: Case | None, path: Path, at: datetime) -> None:
    """Write the book; its content depends on nothing but what is given."""
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(path, safe) as book:
        book.set_properties({"title": both(HEADING), "subject": facts.alert, "created": at.replace(tzinfo=None)})
        formats = {
            "bold": book.add_format({"bold": True, "valign": "top"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        sheets = [book.add_worksheet(name) for name in SHEETS]
        _summary(sheets[0], facts, case, at, formats)
        _figures(book, sheets[1], facts, formats)
        _patterns(sheets[2], facts, formats)
        _history(sheets[3], facts, formats)
        _review(sheets[4], case, formats)


def _summary(sheet: Worksheet, facts: AlertFacts, case: Case | None, at: datetime, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 1, NARROW * 1.5)
    sheet.set_column(2, 2, WIDE)
    lines = [(HEADING.en, HEADING.zh, moment(at)), ("", "", CAUTION.en), ("", "", CAUTION.zh)]
    if facts.synthetic:
        lines.append(("", "", both(SYNTHETIC)))
    lines += [(title.en, title.zh, text) for title, text in summary_rows(facts, case)]
    lines += [("Pattern", "预警情形", f"{pattern.code} {both(pattern.title)}") for pattern in facts.patterns]
    lines += [("Driver", "主要影响因素", f"{both(d.title)}: {d.amount:+.1f} pp 百分点") for d in facts.drivers]
    for row, line in enumerate(lines):
        _write(sheet, row, line, formats["wrap"])


def _figures(book: Workbook, sheet: Worksheet, facts: AlertFacts, formats: dict[str, Format]) -> None:
    """Write each series as three columns (period, unit, peers) with a chart below all of them."""
    rows = max((len(series.periods) for series in facts.series), default=0)
    head = 3
    for number, series in enumerate(facts.series):
        column = number * 4
        sheet.set_column(column, column + 2, NARROW * 0.8)
        _write(sheet, 0, (f"{both(series.title)} ({series.unit})",), formats["bold"], column)
        against = (
            "Against peers 与同组相比 z",
            _z(series.peer_z),
            "Against own past 与自身历史相比 z",
            _z(series.own_z),
        )
        _write(sheet, 1, against[:2], None, column)
        _write(sheet, 2, against[2:], None, column)
        _write(sheet, head, ("Period 期间", "Unit 本机构", "Peers, middle 同组中位"), formats["bold"], column)
        for place, line in enumerate(zip(series.periods, series.values, series.peers_middle, strict=True)):
            _write(sheet, head + 1 + place, line, None, column)
        if series.periods:
            _chart(book, sheet, number, head=head, count=len(series.periods), below=head + rows + 2)


def _chart(book: Workbook, sheet: Worksheet, number: int, *, head: int, count: int, below: int) -> None:
    chart = book.add_chart({"type": "line"})
    assert chart is not None
    first, last, column = head + 1, head + count, number * 4
    for offset in (1, 2):
        chart.add_series(
            {
                "name": [sheet.get_name(), head, column + offset],
                "categories": [sheet.get_name(), first, column, last, column],
                "values": [sheet.get_name(), first, column + offset, last, column + offset],
            }
        )
    chart.set_title({"name": [sheet.get_name(), 0, column], "name_font": {"size": 10}})
    chart.set_legend({"position": "bottom"})
    chart.show_na_as_empty_cell()
    sheet.insert_chart(below + number * CHART_ROWS, 0, chart)


def _patterns(sheet: Worksheet, facts: AlertFacts, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 1, NARROW)
    sheet.set_column(2, 4, WIDE * 0.6)
    heads = (
        "Code 编号",
        "Pattern 预警情形",
        "Why it matters 关注理由",
        "Innocent if 可能的合理解释",
        "Record 历史表现",
    )
    _write(sheet, 0, heads, formats["bold"])
    for row, pattern in enumerate(facts.patterns, start=1):
        texts = [f"{text.en}\n{text.zh}" for text in (pattern.reason, pattern.innocent, record_words(pattern))]
        _write(sheet, row, (pattern.code, both(pattern.title), *texts), formats["wrap"])
    sheet.freeze_panes(1, 0)


def _history(sheet: Worksheet, facts: AlertFacts, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 5, NARROW)
    heads = ("Period 期间", "Score 得分", "Probability 概率", "Severity 级别", "Patterns 预警情形", "Listed 在名单")
    _write(sheet, 0, heads, formats["bold"])
    for row, moment_ in enumerate(facts.history, start=1):
        severity = both(SEVERITY[moment_.severity]) if moment_.severity else ""
        listed = "yes 是" if moment_.listed else "no 否"
        codes = ";".join(moment_.detectors)
        _write(
            sheet,
            row,
            (moment_.period, _share(moment_.score), _share(moment_.probability), severity, codes, listed),
            None,
        )
    sheet.freeze_panes(1, 0)


def _review(sheet: Worksheet, case: Case | None, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 3, NARROW)
    sheet.set_column(4, 4, WIDE)
    _write(sheet, 0, ("No. 序号", "Time 时间", "By 人员", "What 事项", "Words 内容"), formats["bold"])
    _rows(sheet, review_rows(case), formats["wrap"])
    sheet.freeze_panes(1, 0)


def _rows(sheet: Worksheet, rows: Iterable[Sequence[object]], form: Format) -> None:
    for number, row in enumerate(rows, start=1):
        _write(sheet, number, row, form)


def _z(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _write(sheet: Worksheet, row: int, line: Sequence[object], form: Format | None, column: int = 0) -> None:
    for place, value in enumerate(line, start=column):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(value):
                sheet.write_number(row, place, value, form)
        elif value is not None:
            sheet.write_string(row, place, str(value), form)
