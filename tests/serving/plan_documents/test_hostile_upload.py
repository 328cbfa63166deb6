"""Uploads that mean harm, or are damaged: refused with a reason, quickly, and nothing is unpacked that is too large."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.errors import InvalidError
from serving.plan_documents.sheet_rows import MOST_PARTS, sheet_rows

BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">
<c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""
EXTERNAL = BILLION_LAUGHS.replace('<!ENTITY a "ha">', '<!ENTITY a SYSTEM "file:///etc/passwd">')


@pytest.fixture(scope="module")
def plain() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["a", 1, None])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def replaced(content: bytes, **parts: bytes) -> bytes:
    """Give a book with parts replaced or added; `__` stands for a slash, `_x` for `.xml`."""
    named = {name.replace("__", "/").replace("_x", ".xml"): part for name, part in parts.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            if name not in named:
                after.writestr(name, before.read(name))
        for name, part in named.items():
            after.writestr(name, part)
    return made.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(InvalidError) as caught:
        list(sheet_rows(content))
    assert caught.value.hint
    return caught.value.what


def test_a_plain_book_is_read(plain):
    (row,) = sheet_rows(plain)
    assert row[:3] == ("a", 1, None)


@pytest.mark.parametrize("document", [BILLION_LAUGHS, EXTERNAL])
@pytest.mark.parametrize("part", ["xl__worksheets__sheet1_x", "xl__sharedStrings_x", "xl__workbook_x", "xl__styles_x"])
def test_entities_are_refused_wherever_they_are(plain, document, part):
    assert "declares" in refused(replaced(plain, **{part: document.encode()}))


def test_entities_are_refused_in_another_encoding(plain):
    text = BILLION_LAUGHS.replace('version="1.0"', 'version="1.0" encoding="utf-16"')
    assert "declares" in refused(replaced(plain, xl__worksheets__sheet1_x=text.encode("utf-16")))


def test_a_part_that_unpacks_to_thousands_of_times_its_size_is_refused(plain):
    bomb = b"<worksheet>" + b" " * (60 << 20)
    content = replaced(plain, xl__worksheets__sheet1_x=bomb)
    assert len(content) < 1 << 20
    assert "packed" in refused(content)


def test_a_book_of_thousands_of_parts_is_refused(plain):
    assert "unpacks" in refused(replaced(plain, **{f"p{number}": b"" for number in range(MOST_PARTS)}))


def test_names_that_leave_the_folder_write_nothing(plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = replaced(plain, **{"..__..__evil": b"x", "__abs": b"x"})
    assert [row[:2] for row in sheet_rows(content)] == [("a", 1)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + bytes(1_000),
        b"PK\x05\x06" + bytes(18),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000),
        b"%PDF-1.7",
        b"\x00\x01\x02",
        b"\xff\xfe\x00\x01",
        b'"a,b\n',
        b"a," + b"x" * 5_000,
    ],
)
def test_what_is_no_sheet_is_refused(content):
    refused(content)


def test_a_book_without_sheets_or_with_a_broken_one_is_refused(plain):
    refused(replaced(plain, xl__worksheets__sheet1_x=b"<worksheet><sheetData><row>"))
    refused(replaced(plain, xl__workbook_x=b"<workbook/>"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_book_is_refused_or_read_and_nothing_else(plain, data):
    content = bytearray(plain)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    for damaged in (bytes(content), bytes(content[:cut])):
        try:
            list(sheet_rows(damaged))
        except InvalidError:
            continue
