"""An edited sheet: what it would change is told first, and whatever is wrong with it is told by cell."""

import csv
import io

import openpyxl
import pytest

from serving.access.principal import LOCAL, acting
from serving.errors import InvalidError
from serving.plan_documents.book import COLUMNS, FIRST_ROW

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


@pytest.fixture
def edited(advisor, plan, tmp_path):
    """Give a function that edits the exported book: {(row, column name): value}, and gives its bytes."""
    path = tmp_path / "plan.xlsx"
    advisor.plan_documents.book(plan.id, path, language="zh")

    def edit(changes, *, rows=()):
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        for (row, name), value in changes.items():
            sheet.cell(FIRST_ROW + 1 + row, 1 + PLACES[name]).value = value
        for row in rows:
            sheet.append(row)
        made = io.BytesIO()
        book.save(made)
        return made.getvalue()

    return edit


def test_a_book_that_was_not_edited_changes_nothing(advisor, plan, edited):
    found = advisor.plan_documents.difference(plan.id, edited({}))
    assert (found.changes, found.problems, found.rows) == ((), (), len(advisor.plans.lines(plan.id)))


def test_what_was_edited_is_told_before_and_after(advisor, plan, edited):
    line = advisor.plans.lines(plan.id)[4]
    asked = line.target + 100
    sheet = edited({(4, "target"): asked, (4, "new_reason"): "新开网点"})
    (change,) = advisor.plan_documents.difference(plan.id, sheet).changes
    assert (change.line.unit, change.line.target, change.reason) == (line.unit, line.target, "新开网点")
    assert change.after["target"] == asked
    assert change.after["p_target"] < line.p_target
    assert advisor.plans.line(plan.id, line.unit, line.indicator) == line, "nothing is changed by looking"


def test_csv_as_spreadsheets_save_it_is_read_too(advisor, plan, edited):
    line = advisor.plans.lines(plan.id)[4]
    sheet = openpyxl.load_workbook(io.BytesIO(edited({(4, "target"): f"{line.target + 1:,.2f}"}))).worksheets[0]
    for encoding in ("utf-8-sig", "gb18030"):
        text = io.StringIO()
        csv.writer(text).writerows([["" if cell is None else cell for cell in row] for row in sheet.values])
        found = advisor.plan_documents.difference(plan.id, text.getvalue().encode(encoding))
        assert [change.after["target"] for change in found.changes] == [pytest.approx(line.target + 1)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("abc", "no number"),
        ("", "blank"),
        (True, "no number"),
        ("1e999", "no number"),
        ("nan", "no number"),
        (-5, "out of bounds"),
        ("=A1*2", "blank"),  # a formula that was never computed
        ("12%", "no number"),
    ],
)
def test_a_cell_that_is_no_target_is_named(advisor, plan, edited, value, why):
    lines = advisor.plans.lines(plan.id)
    row = next(place for place, line in enumerate(lines) if line.indicator == "NPL_RATIO")
    found = advisor.plan_documents.difference(plan.id, edited({(row, "target"): value, (4, "target"): 1}))
    (problem,) = [problem for problem in found.problems if problem.cell == f"I{FIRST_ROW + 1 + row}"]
    assert why in problem.what


def test_lines_that_are_not_there_or_come_twice_are_named(advisor, plan, edited):
    rows = [["nobody", "", "LOANS"], ["N01", "", "LOANS"], ["N01", "", "LOANS"]]
    found = advisor.plan_documents.difference(plan.id, edited({}, rows=rows))
    assert sorted(problem.what for problem in found.problems) == [
        "N01 on LOANS comes twice in the sheet",
        "N01 on LOANS comes twice in the sheet",
        "nobody on LOANS is no line of this plan",
    ]


def test_a_line_that_somebody_else_changed_meanwhile_is_not_overwritten(own, plan, tmp_path):
    path = tmp_path / "plan.xlsx"
    own.plan_documents.book(plan.id, path)
    line = own.plans.line(plan.id, "N01", "LOANS")
    with acting(LOCAL):
        own.plans.override(plan.id, "N01", "LOANS", revision=line.revision, reason="agreed", target=line.target + 50)
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows(min_row=FIRST_ROW + 1):
        if row[PLACES["unit"]].value in ("N01", "N02") and row[PLACES["indicator"]].value == "LOANS":
            row[PLACES["target"]].value += 10
    book.save(path)
    found = own.plan_documents.difference(plan.id, path.read_bytes())
    assert [change.line.unit for change in found.changes] == ["N02"]
    assert ["after this sheet was exported" in problem.what for problem in found.problems] == [True]


def test_the_difference_is_what_confirming_it_changes(own, plan, tmp_path):
    path = tmp_path / "plan.xlsx"
    own.plan_documents.book(plan.id, path)
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows(min_row=FIRST_ROW + 4, max_row=FIRST_ROW + 9):
        row[PLACES["target"]].value = round(row[PLACES["target"]].value * 1.01, 2)
    book.save(path)
    found = own.plan_documents.difference(plan.id, path.read_bytes())
    assert len(found.changes) == 6
    given = [(change.line.unit, change.line.indicator, change.given, change.reason) for change in found.changes]
    with acting(LOCAL):
        own.plans.change_lines(plan.id, given, revision=found.plan.revision, reason="negotiated")
    for change in found.changes:
        line = own.plans.line(plan.id, change.line.unit, change.line.indicator)
        assert {name: getattr(line, name) for name in change.after} == dict(change.after)
    assert own.plan_documents.difference(plan.id, path.read_bytes()).changes == ()


def test_a_sheet_of_another_plan_or_none_is_refused(advisor, plan, edited, tmp_path):
    other = openpyxl.load_workbook(io.BytesIO(edited({})))
    other.worksheets[0]["B1"] = "0" * 32
    made = io.BytesIO()
    other.save(made)
    with pytest.raises(InvalidError, match="another plan"):
        advisor.plan_documents.difference(plan.id, made.getvalue())
    with pytest.raises(InvalidError, match="which plan"):
        advisor.plan_documents.difference(plan.id, b"unit,target\nN01,5\n")
    with pytest.raises(InvalidError, match="empty"):
        advisor.plan_documents.difference(plan.id, b"")
