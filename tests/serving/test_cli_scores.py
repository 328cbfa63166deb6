"""Scores on the command line, as HR uses it: scored, closed, restated, and every mistake answered in words."""

from __future__ import annotations

import io
import json
import shutil
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from command_line import CommandLine
from scoring_bank import make_panel, make_policy, make_targets, write_bank
from serving_home import advisor_at

from models.policy.reading import write_policy
from serving.tables import MOST_SHEET_ROWS, write_sheets


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small bank in it."""
    folder = tmp_path_factory.mktemp("scores")
    advisor_at(folder / "home").ingest(write_bank(folder / "bank", make_panel()))
    return folder / "home"


@pytest.fixture
def here(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(shutil.copytree(stored, tmp_path / "home"), monkeypatch, capsys)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(write_policy(make_policy()), encoding="utf-8")
    return path


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    path = tmp_path / "targets.csv"
    make_targets().to_csv(path, index=False)
    return path


def test_without_a_policy_equal_weights_stand_in(here: CommandLine) -> None:
    told = here("score", "--period", "2024")
    table = pd.read_csv(io.StringIO(told.out))
    assert "equal weights" in told.err
    assert (table["period"] == "2024-12").all()
    scored = table["score"].notna()
    assert f"{scored.sum()} of {len(table)} units have a score in 2024-12." in told.err
    assert table.loc[scored, "score"].between(0, 130).all()


def test_scores_are_written_with_their_lines(here: CommandLine, policy: Path, targets: Path, tmp_path: Path) -> None:
    out, lines = tmp_path / "scores.csv", tmp_path / "lines.csv"
    told = here("score", "--period", "2024", "--policy", policy, "--targets", targets, "--out", out, "--lines", lines)
    assert "Policy trial@1 from the file" in told.err
    table = pd.read_csv(out, dtype=str).dropna(subset=["score"]).set_index("unit")
    every = pd.read_csv(lines, dtype=str)
    sums = every["amount"].map(Decimal).groupby(every["unit"]).sum()
    assert {unit: Decimal(score) for unit, score in table["score"].items()} == dict(sums)
    assert all(len(score.partition(".")[2]) == 1 for score in table["score"])
    assert (table["policy_version"] == "trial@1").all()
    assert (table["targets_version"] == "given").all()
    grades = ", ".join(f"{grade} {(table['grade'] == grade).sum()}" for grade in "ABC")
    assert f"Grades: {grades}." in told.err


def test_a_book_has_a_sheet_of_scores_and_one_of_lines(here: CommandLine, policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.xlsx"
    here("score", "--period", "2024-06", "--policy", policy, "--out", out)
    book = openpyxl.load_workbook(out, read_only=True)
    assert book.sheetnames == ["scores", "lines"]
    header = [cell.value for cell in next(iter(book["scores"].rows))]
    assert header[:5] == ["unit", "name", "period", "scorecard", "score"]


def test_json_is_for_programs(here: CommandLine, policy: Path) -> None:
    told = here("score", "--period", "2024-12", "--policy", policy, "--format", "json")
    rows = json.loads(told.out)
    assert {"unit", "score", "grade", "points:LATE", "known_on"} <= set(rows[0])


def test_missing_targets_are_told_with_what_to_do(here: CommandLine, policy: Path) -> None:
    told = here("score", "--period", "2024", "--policy", policy)
    assert "--targets FILE or --suggested-targets" in told.err
    assert "nothing to compare with: LENDING" in told.out


def test_suggested_targets_are_those_known_before_the_year(here: CommandLine, policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    here("score", "--period", "2024", "--policy", policy, "--suggested-targets", "--out", out)
    table = pd.read_csv(out).set_index("unit")
    assert (table["targets_version"] == "fitted-on-request").all()
    assert table["points:LENDING"].notna().sum() >= 10
    (kept,) = (here.home / "suggestions").glob("*-at-year-start-*.parquet")
    suggested = pd.read_parquet(kept)
    assert set(suggested["year"]) == {2024}
    before = kept.read_bytes()
    again = tmp_path / "again.csv"
    here("score", "--period", "2024", "--policy", policy, "--suggested-targets", "--out", again)
    assert again.read_bytes() == out.read_bytes()
    assert kept.read_bytes() == before


def test_targets_are_not_suggested_from_what_was_known_too_late(here: CommandLine, policy: Path) -> None:
    asked = ("score", "--period", "2024", "--policy", policy, "--suggested-targets", "--known-on", "2023-06-30")
    assert "targets for 2024 are suggested from what was known on 2023-12-31" in here(*asked, code=1).err


def test_targets_that_could_not_have_been_suggested_are_told(here: CommandLine, policy: Path, tmp_path: Path) -> None:
    here.home = tmp_path / "late"
    advisor_at(here.home).ingest(write_bank(tmp_path / "bank", make_panel(), known_on="2025-01-10"))
    told = here("score", "--period", "2024", "--policy", policy, "--suggested-targets", code=1)
    assert "no targets for 2024 could have been suggested at the end of 2023-12" in told.err
    assert "--targets" in told.err


def test_a_period_is_closed_restated_and_reproduced(
    here: CommandLine, policy: Path, targets: Path, tmp_path: Path
) -> None:
    out, again = tmp_path / "first.csv", tmp_path / "again.csv"
    asked = ("score", "--period", "2024", "--policy", policy, "--targets", targets, "--close")
    assert "2024-12 is closed: version 1, by Lin." in here(*asked, "--by", "Lin", "--out", out).err
    assert "nothing has changed: version 1" in here(*asked, "--by", "Wang").err
    panel = make_panel()
    values = {code: array.copy() for code, array in panel.values.items()}
    values["LENDING"][-1, panel.tree.number("B03")] *= 3
    restated = panel.with_values(values | {"LENDING": np.round(values["LENDING"], 2)})
    advisor_at(here.home).ingest(write_bank(tmp_path / "restated", restated))
    # A closed period keeps its policy and targets, so they need not be named again.
    refused = here("score", "--period", "2024", "--close", "--by", "Lin", code=1)
    assert "no longer the same" in refused.err
    assert "--reason" in refused.err
    told = here("score", "--period", "2024", "--close", "--by", "Lin", "--reason", "Audit of B03")
    assert "under which 2024-12 was closed" in told.err
    assert "2024-12 is closed: version 2" in told.err
    listed = pd.read_csv(io.StringIO(here("closed").out))
    assert listed[["period", "version", "reason"]].fillna("").to_numpy().tolist() == [
        ["2024-12", 1, ""],
        ["2024-12", 2, "Audit of B03"],
    ]
    difference = pd.read_csv(io.StringIO(here("closed", "--period", "2024", "--difference").out))
    assert set(difference["unit"]) == {"B03"}
    here("closed", "--period", "2024", "--version", 1, "--out", again)
    assert again.read_bytes() == out.read_bytes()
    for version in (1, 2):
        told = here("closed", "--period", "2024", "--version", version, "--reproduce")
        assert "comes out the same in every figure" in told.out
    lines = pd.read_csv(io.StringIO(here("closed", "--period", "2024", "--lines").out))
    assert {"unit", "line", "amount"} <= set(lines.columns)


def test_a_damaged_archive_is_told(here: CommandLine, policy: Path) -> None:
    here("score", "--period", "2024", "--policy", policy, "--close", "--by", "Lin")
    (here.home / "scores" / "small-bank" / "2024-12" / "internal-1" / "policy.yaml").write_text("policy: 1\n")
    told = here("closed", "--period", "2024", "--reproduce", code=1)
    assert "the file is not the one that was closed" in told.err


MISTAKES = [
    (("--period", "2031"), "there are no figures as of 2031", "2020-01 to 2024-12"),
    (("--period", "spring"), "not a period", "2024-07"),
    (("--period", "2024", "--targets", "T", "--suggested-targets"), "exclude each other", "Leave one"),
    (("--period", "2024", "--known-on", "yesterday"), "'yesterday' is not a day", "2025-01-31"),
    (("--period", "2024", "--known-on", "2001-01-01"), "known on 2001-01-01", "later day"),
    (("--period", "2024", "--by", "Lin"), "belong to --close", "Add --close"),
    (("--period", "2024", "--close"), "needs a name", "who closes"),
    (("--period", "2020", "--policy", "P", "--suggested-targets"), "as of 2019-12", "--targets"),
    (("--period", "2023", "--policy", "P", "--targets", "T"), "of 2024, not of 2023", "set for the year"),
    (("--period", "2024", "--policy", "nowhere.yaml"), "nowhere.yaml", ""),
    (("--period", "2024", "--policy", "T"), "targets.csv", ""),
]


@pytest.mark.parametrize(("arguments", "what", "hint"), MISTAKES, ids=[what for _, what, _ in MISTAKES])
def test_mistakes_are_answered_in_words(
    here: CommandLine, policy: Path, targets: Path, arguments: tuple[str, ...], what: str, hint: str
) -> None:
    given = {"P": policy, "T": targets}
    told = here("score", *(given.get(argument, argument) for argument in arguments), code=1)
    assert what in told.err
    assert hint in told.err
    assert "Traceback" not in told.err
    assert not (here.home / "scores").exists()


def test_what_is_not_closed_is_told(here: CommandLine) -> None:
    assert "2024-12 is not closed" in here("closed", "--period", "2024", code=1).err
    assert "under a policy of level owner" in here("closed", "--period", "2024", "--level", "owner", code=1).err
    assert here("closed").out.startswith("period,level,version")


def test_a_table_longer_than_a_sheet_is_refused(tmp_path: Path) -> None:
    from features.errors import LoadlineError

    frame = pd.DataFrame({"x": np.zeros(MOST_SHEET_ROWS + 1)})
    with pytest.raises(LoadlineError, match="rows, a sheet holds"):
        write_sheets({"long": frame}, tmp_path / "long.xlsx")
    assert not list(tmp_path.iterdir())
