"""Books and letters over the API, and the way of an edited book back into its plan."""

import io
import zipfile

import openpyxl
import pytest
from serving_home import ADDRESS, BEARER, TOKEN
from starlette.testclient import TestClient

from serving.app import create_app
from serving.plan_documents.book import COLUMNS, FIRST_ROW

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def client(own):
    return TestClient(create_app(own, token=TOKEN), base_url=ADDRESS, headers=BEARER)


def test_a_book_goes_out_and_comes_back_edited(client, plan):
    at = f"/api/v1/target-plans/{plan.id}"
    sent = client.get(f"{at}/export.xlsx", params={"lang": "zh"})
    assert sent.status_code == 200
    assert sent.headers["content-type"] == XLSX
    assert "attachment" in sent.headers["content-disposition"]
    again = client.get(f"{at}/export.xlsx", params={"lang": "zh"}, headers={"If-None-Match": sent.headers["etag"]})
    assert again.status_code == 304
    book = openpyxl.load_workbook(io.BytesIO(sent.content))
    cell = book.worksheets[0].cell(FIRST_ROW + 5, 1 + PLACES["target"])
    cell.value = round(cell.value * 1.02, 2)
    edited = io.BytesIO()
    book.save(edited)
    difference = client.post(f"{at}/import", content=edited.getvalue(), headers={"Content-Type": XLSX})
    assert difference.status_code == 200, difference.text
    (edit,) = difference.json()["edits"]
    assert edit["target"] == cell.value
    assert client.get(at).json()["revision"] == difference.json()["revision"], "nothing was changed"
    body = {"by": "Li Ming", "reason": "second round", "edits": [edit]}
    assert client.post(f"{at}/changes", json=body).status_code == 428
    assert client.post(f"{at}/changes", json=body, headers={"If-Match": '"r1"'}).status_code == 412
    etag = client.get(at).headers["etag"]
    changed = client.post(f"{at}/changes", json=body, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    line = client.get(f"{at}/line", params={"unit": edit["unit"], "indicator": edit["indicator"]}).json()
    assert line["target"]["value"] == cell.value
    assert (line["overridden"], line["reason"], line["changed_by"]) == (True, "second round", "Li Ming")
    undone = client.post(f"{at}/undo", json={"by": "Li Ming"}, headers={"If-Match": changed.headers["etag"]})
    assert undone.status_code == 200
    line = client.get(f"{at}/line", params={"unit": edit["unit"], "indicator": edit["indicator"]}).json()
    assert line["target"]["value"] == edit["before"]


def test_letters_come_one_by_one_or_all_together(client, plan):
    at = f"/api/v1/target-plans/{plan.id}"
    for unit in ("N01", "A%2FB", "A/B", "..%2F..", "%3D1%2B1"):
        answer = client.get(f"{at}/letters/{unit}.docx")
        assert answer.status_code == (404 if unit.startswith("..") else 200), unit
    every = client.get(f"{at}/letters.zip")
    below = client.get(f"{at}/letters.zip", params={"under": "东部/一区"})
    names = [len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) for answer in (every, below)]
    assert names == [23, 11]
    assert client.get(f"{at}/letters.zip", params={"under": "nobody"}).status_code == 404


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\xff" * 100])
def test_what_is_no_sheet_of_the_plan_is_refused(client, plan, content):
    at = f"/api/v1/target-plans/{plan.id}/import"
    answer = client.post(at, content=content, headers={"Content-Type": XLSX})
    assert answer.status_code == 422
    assert answer.json()["hint"]


def test_a_sheet_of_too_many_bytes_is_refused_chunked_or_not(client, plan):
    at = f"/api/v1/target-plans/{plan.id}/import"
    for content in (b"x" * (9 << 20), (b"x" * (1 << 20) for _ in range(9))):
        assert client.post(at, content=content, headers={"Content-Type": XLSX}).status_code == 413


def test_many_lines_change_together_or_not_at_all(client, plan):
    at = f"/api/v1/target-plans/{plan.id}"
    etag = client.get(at).headers["etag"]
    edits = [{"unit": "N01", "indicator": "LOANS", "target": 1_234.0}, {"unit": "nobody", "indicator": "LOANS"}]
    for bad in (edits[1], {"unit": "N02", "indicator": "NPL_RATIO", "target": -1.0}):
        answer = client.post(
            f"{at}/changes", json={"by": "Li", "reason": "x y", "edits": [edits[0], bad]}, headers={"If-Match": etag}
        )
        assert answer.status_code in (404, 422), answer.text
        assert client.get(at).headers["etag"] == etag
