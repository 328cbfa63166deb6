"""A plan as an XLSX book that can be edited and imported again. Texts are written as texts: no formula comes alive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.spreadsheet import inert
from serving.plan_documents.facts import PlanFacts, Row
from serving.plan_documents.wording import words_in
from serving.plans.plan import LEVELS

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from serving.plans.summary import Total

KEY_CELL = "loadline-target-plan"
"""Stands in the first cell of the book's properties row: what tells our book from any other."""
KEY_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2
"""Rows of the sheet of lines: the plan's id and revision, the headings, the first line."""
WIDE, NARROW = 60, 14
"""Widths of columns of sentences and of words, in characters."""
EDITABLE = (*LEVELS, "new_reason")
MOST_ROWS = 2**20 - 1 - FIRST_ROW


@dataclass(frozen=True)
class Column:
    """A column of the sheet of lines: its word, how it is shown, and what it gives of a row."""

    name: str
    shown: str
    value: Callable[[PlanFacts, Row], Any]


def _line(name: str) -> Callable[[PlanFacts, Row], Any]:
    return lambda _, row: getattr(row.line, name)


COLUMNS: tuple[Column, ...] = (
    Column("unit", "text", _line("unit")),
    Column("unit_name", "text", lambda facts, row: facts.name(row)),
    Column("indicator", "text", _line("indicator")),
    Column(
        "indicator_name", "text", lambda facts, row: facts.reader.name(row.indicator.name.en, row.indicator.name.zh)
    ),
    Column("measure", "text", lambda facts, row: facts.reader.known("measure", row.indicator.unit)),
    Column("last_actual", "figure", _line("last_actual")),
    Column("past_growth", "growth", _line("growth")),
    Column("floor", "edit", _line("floor")),
    Column("target", "edit", _line("target")),
    Column("stretch", "edit", _line("stretch")),
    Column("growth", "growth", _line("asked_growth")),
    Column("p_floor", "chance", _line("p_floor")),
    Column("p_target", "chance", _line("p_target")),
    Column("p_stretch", "chance", _line("p_stretch")),
    Column("suggested", "figure", lambda _, row: row.line.suggested["target"]),
    Column("quartile", "figure", lambda _, row: row.line.groups["actual_quartile"]),
    Column("growth_quartile", "figure", lambda _, row: row.line.groups["growth_quartile"]),
    Column("reason", "long", lambda _, row: row.reason),
    Column("evidence", "text", _line("evidence")),
    Column("risk", "text", lambda facts, row: _say(facts)("risk_flagged") if row.line.flagged else ""),
    Column("pinned", "text", lambda facts, row: _say(facts)("pinned_yes") if row.line.pinned else ""),
    Column("override", "text", lambda _, row: (row.line.changed_by or "") if row.line.overridden else ""),
    Column("override_reason", "long", lambda _, row: row.line.reason),
    Column("new_reason", "edit", lambda *_: ""),
)
"""From left to right; the importer finds them by their place."""


def growth_told(facts: PlanFacts, row: Row, growth: float | None) -> str:
    """Write a growth in percent, or in points of a ratio."""
    if growth is None:
        return ""
    in_points = bool(row.line.basis["in_points"])
    told = facts.reader.signed(growth, max(row.decimals, 2) if in_points else 1)
    return _say(facts)("point_growth" if in_points else "percent_growth", value=told)


def write_book(facts: PlanFacts, totals: Sequence[Total], path: Path) -> None:
    """Write the book; its content depends on nothing but what is given.

    Parameters
    ----------
    facts : PlanFacts
    totals : sequence of Total
        Goals and totals beside what the units below come to.
    path : Path
    """
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    say = _say(facts)
    with xlsxwriter.Workbook(path, safe) as book:
        made = facts.events[-1].at if facts.events else facts.plan.created_at
        told = {"title": say("title", year=facts.plan.year), "created": made.replace(tzinfo=None)}
        book.set_properties(told | {"comments": facts.plan.id})
        formats = _formats(book)
        _lines_sheet(book.add_worksheet(say("sheet_lines")), facts, formats)
        _totals_sheet(book.add_worksheet(say("sheet_totals")), facts, totals, formats)
        _history_sheet(book.add_worksheet(say("sheet_history")), facts, formats)
        _about_sheet(book.add_worksheet(say("sheet_about")), facts, formats)


def _formats(book: Workbook) -> dict[str, Format]:
    top = {"valign": "top"}
    return {
        "head": book.add_format({"bold": True, "text_wrap": True, "bottom": 1, **top}),
        "text": book.add_format(top),
        "long": book.add_format({"text_wrap": True, **top}),
        "figure": book.add_format({"num_format": "#,##0.######", **top}),
        "growth_percent": book.add_format({"num_format": '+#,##0.0"%";-#,##0.0"%";0"%"', **top}),
        "growth_points": book.add_format({"num_format": '+#,##0.00##" pp";-#,##0.00##" pp";0" pp"', **top}),
        "chance": book.add_format({"num_format": "0%", **top}),
        "edit": book.add_format({"num_format": "#,##0.######", "locked": False, "bg_color": "#FFF8DC", **top}),
        "faint": book.add_format({"font_color": "#888888"}),
    }


def _lines_sheet(sheet: Worksheet, facts: PlanFacts, formats: dict[str, Format]) -> None:
    say, plan = _say(facts), facts.plan
    for place, text in enumerate((KEY_CELL, plan.id, str(plan.revision))):
        sheet.write_string(KEY_ROW, place, text, formats["faint"])
    for place, column in enumerate(COLUMNS):
        sheet.write_string(HEAD_ROW, place, say(column.name), formats["head"])
        sheet.set_column(place, place, WIDE if column.shown == "long" else NARROW)
    for number, row in enumerate(facts.rows):
        for place, column in enumerate(COLUMNS):
            shown = column.shown
            if shown == "growth":
                shown = "growth_points" if row.line.basis["in_points"] else "growth_percent"
            _write(sheet, FIRST_ROW + number, place, column.value(facts, row), formats[shown])
    last = FIRST_ROW + max(len(facts.rows), 1) - 1
    sheet.freeze_panes(FIRST_ROW, 4)
    sheet.autofilter(HEAD_ROW, 0, last, len(COLUMNS) - 1)
    first, final = _place("floor"), _place("stretch")
    sheet.data_validation(FIRST_ROW, first, last, final, {"validate": "decimal", "criteria": "!=", "value": 1e300})
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def _totals_sheet(sheet: Worksheet, facts: PlanFacts, totals: Sequence[Total], formats: dict[str, Format]) -> None:
    heads = ("unit", "indicator", "total_goal", "total_stated", "total_allocated", "total_off")
    _heads(sheet, facts, heads, formats)
    for row, total in enumerate(totals, start=1):
        values = (total.unit, total.indicator, total.goal, total.stated, total.allocated, total.off)
        for place, value in enumerate(values):
            _write(sheet, row, place, value, formats["text" if isinstance(value, str) else "figure"])


def _history_sheet(sheet: Worksheet, facts: PlanFacts, formats: dict[str, Format]) -> None:
    say = _say(facts)
    _heads(sheet, facts, ("history_at", "history_by", "history_action", "history_reason"), formats)
    for row, event in enumerate(facts.events, start=1):
        values = (f"{event.at:%Y-%m-%d %H:%M}", event.by, say(f"action_{event.action.value}"), event.reason)
        for place, value in enumerate(values):
            _write(sheet, row, place, value, formats["long" if place == 3 else "text"])


def _about_sheet(sheet: Worksheet, facts: PlanFacts, formats: dict[str, Format]) -> None:
    say = _say(facts)
    sheet.set_column(0, 0, NARROW * 2)
    sheet.set_column(1, 3, WIDE / 2)
    rows: list[tuple[str, ...]] = [(say("title", year=facts.plan.year),), *about_rows(facts), ()]
    rows += [(say("how_title"), say("how_edit")), ("", say("how_judge")), ()]
    rows += [(say("sign_title"), say("sign_name"), say("sign_day"), say("sign_by_hand"))]
    given = {signature.role: signature for signature in facts.signatures}
    for role in ("submitted", "approved", "published"):
        signature = given.get(role)
        name, day = ("", "") if signature is None else (signature.name, signature.day.isoformat())
        rows.append((say(f"role_{role}"), name, day, ""))
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            _write(sheet, number, place, value, formats["head" if place == 0 else "long"])


def about_rows(facts: PlanFacts) -> list[tuple[str, str]]:
    """Give what a plan rests on, as pairs of words."""
    say, plan = _say(facts), facts.plan
    rows = [
        (say("about_title"), plan.title),
        (say("about_version"), str(plan.version)),
        (say("about_state"), say(f"state_{plan.state.value}")),
        (say("about_plan"), plan.id),
        (say("about_revision"), str(plan.revision)),
        (say("about_dataset"), plan.dataset),
        (say("about_data_version"), str(plan.data_version)),
        (say("about_known_on"), plan.known_on),
        (say("about_model"), plan.model_version),
        (say("about_policy"), plan.policy_version),
        (say("about_digest"), plan.digest),
    ]
    rows += [(say("about_notes"), note) for note in plan.notes]
    return rows + ([("", say("about_synthetic"))] if facts.synthetic else [])


def _heads(sheet: Worksheet, facts: PlanFacts, names: Sequence[str], formats: dict[str, Format]) -> None:
    say = _say(facts)
    sheet.set_column(0, len(names) - 1, NARROW * 1.6)
    for place, name in enumerate(names):
        sheet.write_string(0, place, say(name), formats["head"])


def _write(sheet: Worksheet, row: int, place: int, value: Any, shown: Format) -> None:
    """Write a value as what it is; a text stays a text even when the book is saved as CSV."""
    if value is None or value == "":
        sheet.write_blank(row, place, None, shown)
    elif isinstance(value, str):
        sheet.write_string(row, place, str(inert(value)), shown)
    else:
        sheet.write_number(row, place, float(value), shown)


def _place(name: str) -> int:
    return next(place for place, column in enumerate(COLUMNS) if column.name == name)


def _say(facts: PlanFacts) -> Callable[..., str]:
    return words_in(facts.reader.language)
