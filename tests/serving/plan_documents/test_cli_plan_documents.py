"""Books and letters at the command line."""

import shutil
import zipfile

import openpyxl
import pytest
from typer.testing import CliRunner

from serving.cli import app as commands
from serving.plan_documents.book import COLUMNS, FIRST_ROW

TARGET = 1 + next(place for place, column in enumerate(COLUMNS) if column.name == "target")


@pytest.fixture
def run(own):
    """Run `loadline plan` on the home of the plan."""
    file = own.database.url.database
    own.database.close()
    shutil.copy(file, own.settings.home / "loadline.db")

    def run(*words, code=0):
        found = CliRunner().invoke(commands, ["plan", *words, "--home", str(own.settings.home)])
        assert found.exit_code == code, found.output + repr(found.exception)
        return found

    return run


def test_a_book_goes_out_and_comes_back(run, tmp_path):
    out = tmp_path / "plan.xlsx"
    run("export", "2025", "--out", str(out), "--lang", "zh")
    book = openpyxl.load_workbook(out)
    cell = book.worksheets[0].cell(FIRST_ROW + 5, TARGET)
    cell.value = round(cell.value * 1.01, 2)
    book.save(out)
    asked = ("import", "2025", str(out), "--by", "Li Ming", "--reason", "second round")
    refused = run(*asked, code=1)
    assert "nothing was changed" in str(refused.exception)
    assert "1 of 46 lines differ" in run(*asked, "--yes").output
    assert "0 of 46 lines differ" in run(*asked, "--yes").output


def test_letters_are_written_for_all_for_some_or_for_one(run, tmp_path):
    out = tmp_path / "letters.zip"
    run("letters", "2025", "--out", str(out), "--under", "东部/一区")
    with zipfile.ZipFile(out) as packed:
        assert len(packed.namelist()) == 11
    run("letters", "2025", "--out", str(tmp_path / "one.docx"), "--unit", "A/B", "--lang", "en")
    assert zipfile.is_zipfile(tmp_path / "one.docx")
    for words in (
        ("--out", str(tmp_path / "one.pdf")),
        ("--out", str(tmp_path / "one.docx"), "--unit", "nobody"),
        ("--out", str(tmp_path / "nowhere" / "letters.zip")),
    ):
        run("letters", "2025", *words, code=1)
    assert not (tmp_path / "one.pdf").exists()
