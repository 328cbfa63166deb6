"""Every file that the service gives out for a spreadsheet: no text in it would be run as a formula."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
from alert_home import RISKY_KEY
from fastapi.routing import iter_route_contexts
from fuzzed_bank import Bank
from raw_asking import JSON
from serving_home import LAST_YEAR, TOKEN

from features.spreadsheet import FORMULA_STARTS

DOWNLOADS = {
    "/export/targets.{form}": ("csv xlsx", "code=%3D1%2B1"),
    "/export/scores.{form}": ("csv xlsx", f"code=%3D1%2B1&period={LAST_YEAR}"),
    "/export/alerts.{form}": ("csv xlsx", ""),
    "/export/alert.{form}": ("xlsx html", f"key={RISKY_KEY.replace('/', '%2F')}"),
    "/export/audit.csv": ("csv", ""),
    "/api/v1/audit-events/export": ("csv", ""),
    "/api/v1/target-plans/{plan}/export.xlsx": ("xlsx", ""),
}
"""The forms and a query of each address that gives a table as a file."""
OTHER_FILES = ("letters", "/card", "/static")
"""Documents of words; nothing in them is worked out."""


def test_formula_every_download_is_looked_at(bank: Bank):
    """A new address that gives a file must be said here."""
    found = {
        route.path
        for route in iter_route_contexts(bank.app.routes)
        if any(word in route.path for word in ("export", "{form}", ".csv", ".xlsx"))
    }
    assert {path for path in found if not any(word in path for word in OTHER_FILES)} == set(DOWNLOADS)


@pytest.fixture(scope="module")
def written(bank: Bank) -> Bank:
    """People wrote formulas wherever they could."""
    for begin in FORMULA_STARTS:
        words = f"{begin}HYPERLINK(1)"
        for path, body in {
            f"alerts/{RISKY_KEY}/notes": {"text": words, "by": words.strip()},
            "appeals": {"unit": "=1+1", "period": str(LAST_YEAR - 1), "words": words, "by": words.strip()},
            "people": {"login": f"a{ord(begin)}@bank.example", "name": words.strip()},
        }.items():
            bank.ask("POST", f"/api/v1/{path}", key=TOKEN, headers=[JSON], body=json.dumps(body).encode())
    return bank


@pytest.mark.parametrize(("path", "form"), [(path, form) for path in DOWNLOADS for form in DOWNLOADS[path][0].split()])
def test_formula_no_cell_comes_alive(written: Bank, path: str, form: str):
    address = path.replace("{form}", form).replace("{plan}", written.words["plan"][0])
    answer = written.ask("GET", f"{address}?{DOWNLOADS[path][1]}", key=TOKEN)
    assert answer.status == 200, answer.body
    if form == "csv":
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if cell.startswith(FORMULA_STARTS) and not is_number(cell)] == []
    elif form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.body))
        filled = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        cells = [cell.value for cell in filled]
        assert {cell.data_type for cell in filled} <= {"s", "n", "d", "b"}
        assert all(cell.hyperlink is None for cell in filled)
    else:
        assert b"<script" not in answer.body
        assert "&lt;img src=x" in answer.text
        return
    assert len(cells) > 10
    named = ("HYPERLINK" if "audit" in path else "=1+1") if "alert" not in path else "<img src=x"
    assert any(named in str(cell) for cell in cells), "what would come alive is in it"


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
