"""The book: all that HR needs, in both languages, with nothing in it that a spreadsheet would run."""

import zipfile

import openpyxl
import pytest

from serving.plan_documents.book import COLUMNS, FIRST_ROW, HEAD_ROW, KEY_CELL

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


@pytest.fixture(scope="module", params=["en", "zh"])
def book(request, advisor, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    (plan,) = advisor.plans.list()
    advisor.plan_documents.book(plan.id, path, language=request.param)
    return path


def rows_of(path):
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_every_line_has_its_figures_as_the_plan_has_them(advisor, plan, book):
    rows = rows_of(book)
    assert rows[0][:3] == [KEY_CELL, plan.id, str(plan.revision)]
    lines = advisor.plans.lines(plan.id)
    assert len(rows) == FIRST_ROW + len(lines)
    for line, row in zip(lines, rows[FIRST_ROW:], strict=True):
        for name in ("last_actual", "floor", "target", "stretch", "p_floor", "p_target", "p_stretch"):
            assert row[PLACES[name]] == pytest.approx(getattr(line, name), nan_ok=True), name
        assert row[PLACES["suggested"]] == line.suggested["target"]
        assert row[PLACES["growth"]] == pytest.approx(line.asked_growth)
        assert row[PLACES["quartile"]] == line.groups["actual_quartile"]
        assert row[PLACES["reason"]]


def test_what_was_changed_is_told_with_who_and_why(advisor, plan, book):
    row = next(row for row in rows_of(book)[FIRST_ROW:] if row[PLACES["override"]])
    assert row[PLACES["unit"]] == "'=1+1"
    assert row[PLACES["override_reason"]] == "'=cmd|'/C calc'!A0"
    assert row[PLACES["target"]] == 9_000


def test_nothing_in_it_is_a_formula_or_a_link(book):
    with zipfile.ZipFile(book) as packed:
        for name in packed.namelist():
            content = packed.read(name)
            assert b"<f>" not in content, name
            assert b"<f " not in content, name
            assert b"hyperlink" not in content.lower() or name == "docProps/app.xml", name
        assert not [name for name in packed.namelist() if "external" in name.lower() or "vba" in name.lower()]


def test_only_levels_and_reasons_can_be_edited(book):
    sheet = openpyxl.load_workbook(book).worksheets[0]
    assert sheet.protection.sheet
    open_columns = {place for place, cell in enumerate(sheet[FIRST_ROW + 1]) if not cell.protection.locked}
    assert open_columns == {PLACES[name] for name in ("floor", "target", "stretch", "new_reason")}


def test_headings_are_in_the_readers_language(advisor, plan, tmp_path):
    heads = {}
    for language in ("en", "zh"):
        path = tmp_path / f"{language}.xlsx"
        advisor.plan_documents.book(plan.id, path, language=language)
        heads[language] = rows_of(path)[HEAD_ROW]
        assert len(openpyxl.load_workbook(path).worksheets) == 4
    assert "目标" in heads["zh"]
    assert "Target" in heads["en"]
    assert len(set(heads["en"])) == len(COLUMNS)


def test_the_same_plan_is_the_same_book(advisor, plan, book, tmp_path):
    path = tmp_path / "again.xlsx"
    for language in ("en", "zh"):
        advisor.plan_documents.book(plan.id, path, language=language)
        if rows_of(path) == rows_of(book):
            assert path.read_bytes() == book.read_bytes()
            return
    raise AssertionError("neither language gives the same rows")


def test_a_part_of_the_tree_tells_nothing_of_the_rest(advisor, plan, tmp_path):
    path = tmp_path / "part.xlsx"
    advisor.plan_documents.book(plan.id, path, units=frozenset({"N01", "N02"}))
    assert {row[0] for row in rows_of(path)[FIRST_ROW:]} == {"N01", "N02"}
    text = "".join(str(cell.value) for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row)
    assert "N03" not in text
