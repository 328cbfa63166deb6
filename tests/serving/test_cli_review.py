"""Reviewing on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import CommandLine
from openpyxl import load_workbook
from review_record import REASON
from review_watching import PlainWatching
from serving_home import advisor_at, write_dataset

from serving import cli_review
from serving.reviewing import Reviewing

KEY = "A/B@2023"
LI = ("--by", "Li Ming")


class Line(CommandLine):
    """Gives what a command prints, and keeps what it said on stderr."""

    told = ""

    def __call__(self, *arguments: object, code: int = 0) -> str:  # type: ignore[override]
        told = super().__call__("review", *arguments, code=code)
        self.told = told.err
        return told.out

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--format", "json"))


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Line:
    """A home with data and alerts."""
    advisor_at(tmp_path / "home").ingest(write_dataset(tmp_path / "dataset"))
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    cli_review.add_review_commands(app)
    monkeypatch.setattr("serving.cli.app", app)
    given = PlainWatching()
    monkeypatch.setattr(cli_review, "reviewing_of", lambda home: Reviewing(advisor_at(home), given))
    return Line(tmp_path / "home", monkeypatch, capsys)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_list_is_a_table_with_what_was_drawn_marked(line):
    shown = rows(line("list"))
    assert [row["unit"] for row in shown][:3] == ["A/B", "..", "=1+1"]
    assert [row["sampled"] for row in shown] == ["False", "False", "False", "True"]
    assert [row["alert"] for row in line.json("list")] == [row["alert"] for row in shown]


def test_the_list_is_narrowed(line):
    line("assign", KEY, "--to", "王芳", "--due", "2025-02-01", *LI)
    line("decide", "..@2023", "dismissed", "--reason", REASON, *LI)
    assert [row["alert"] for row in rows(line("list", "--assigned-to", "王芳"))] == [KEY]
    assert [row["alert"] for row in rows(line("list", "--status", "dismissed"))] == ["..@2023"]
    assert "..@2023" not in line("list")
    assert "..@2023" in line("list", "--all")
    assert rows(line("list", "--overdue")) == []
    line("list", "--status", "finished", code=1)
    assert "superseded" in line.told


def test_a_table_on_disk_holds_no_formula(line, tmp_path):
    out = tmp_path / "queue.csv"
    line("list", "--out", out)
    assert "'=1+1" in out.read_text(encoding="utf-8")


def test_a_review_from_beginning_to_end(line):
    assert (
        line("assign", KEY, "--to", "王芳", "--due", "2025-02-01", *LI)
        == f"{KEY} is assigned to 王芳, due on 2025-02-01 (entry 2).\n"
    )
    assert "has a note" in line("note", KEY, "--text", "先看保证金", *LI)
    assert "is linked to C-12" in line("link", KEY, "--case", "C-12", *LI)
    done = line.json("decide", KEY, "confirmed", "--reason", "collateral is missing", *LI)
    assert (done["action"], done["by"], done["number"]) == ("confirmed", "Li Ming", 5)
    assert "released" in line("release", KEY, *LI)
    shown = line("show", KEY)
    for words in (
        "confirmed",
        "确认",
        "王芳",
        "先看保证金",
        "C-12",
        "collateral is missing",
        "--after 6",
        "known on 2025-01-10",
    ):
        assert words in shown
    plain = line.json("show", KEY)
    assert (plain["status"], plain["entry"], plain["links"]) == ("confirmed", 6, ["C-12"])
    assert "no longer has entry 6" in line("undo", KEY, "--reason", "released too early", *LI)
    assert line.json("show", KEY)["released"] is None
    assert [row["action"] for row in rows(line("history", KEY))] == [
        "raised", "assigned", "note", "linked", "confirmed", "released", "undone",
    ]  # fmt: skip


def test_a_second_reviewer_is_told_of_the_first(line):
    line("decide", KEY, "confirmed", "--by", "Ann")
    line("decide", KEY, "dismissed", "--reason", REASON, "--by", "Bo", code=1)
    assert "confirmed by Ann" in line.told
    assert "--after 2" in line.told
    line("decide", KEY, "dismissed", "--reason", REASON, "--by", "Bo", "--after", 2)
    assert line.json("show", KEY)["status"] == "dismissed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "A/B@2022", "confirmed", *LI), f"Did you mean {KEY}?"),
        (("decide", KEY, "dismissed", *LI), "a reason is needed"),
        (("decide", KEY, "dismissed", "--reason", "no", *LI), "too short"),
        (("decide", KEY, "confirmed", "--by", " "), "a name on one line"),
        (("assign", KEY, "--to", "王芳", "--due", "soon", *LI), "'soon' is not a day"),
        (("assign", KEY, "--to", "王芳", "--due", "2024-12-31", *LI), "has passed"),
        (("link", KEY, "--case", "javascript:alert(1)", *LI), "names no case"),
        (("note", KEY, "--text", "", *LI), "blank"),
        (("release", KEY, *LI), "only a confirmed alert"),
        (("undo", KEY, "--reason", "not meant like this", *LI), "nothing to undo"),
        (("show", "nothing"), "loadline review list"),
        (("history", "nothing"), "loadline review list"),
        (("pack", KEY, "--out", "pack.pdf"), ".xlsx or .html"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(line, arguments, words):
    line(*arguments, code=1)
    assert words in line.told
    assert "Hint:" in line.told


def test_a_decision_is_one_of_three(line):
    line("decide", KEY, "maybe", *LI, code=2)
    assert "dismissed" in line.told


def test_the_pack_is_written(line, tmp_path):
    out = tmp_path / "pack.xlsx"
    line("pack", KEY, "--out", out)
    assert str(out) in line.told
    assert len(load_workbook(out).sheetnames) == 5


def test_recall_and_reviewers_are_told(line):
    assert "Nothing was drawn" in line("recall")
    line("list")
    for row in line.json("list"):
        line("decide", row["alert"], "dismissed" if row["sampled"] else "confirmed", "--reason", REASON, *LI)
    told = line("recall")
    assert "Estimated recall 100%" in told
    assert "估计召回率100%" in told
    assert "small sample" in told
    assert line.json("recall")["confirmed_above"] == 3
    assert rows(line("reviewers"))[0]["decided"] == "4"


def test_help_is_in_both_languages(line, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    told = CommandLine.__call__(line, "review", "--help", at_home=False).out
    for word in (
        "list",
        "show",
        "decide",
        "assign",
        "note",
        "link",
        "release",
        "undo",
        "pack",
        "recall",
        "history",
        "预警核查",
    ):
        assert word in told
