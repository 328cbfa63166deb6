"""`loadline simulate`, as those use it who are about to change rules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from command_line import CommandLine
from scoring_bank import make_panel, make_policy, write_bank
from serving_home import advisor_at
from tried_rules import items, other, present

from models.policy.reading import write_policy

HARDER = (("floor", 0.7, 80), ("target", 0.4, 100), ("stretch", 0.1, 120))
"""Levels that ask for more at each place, for the same points."""


@dataclass(frozen=True)
class Desk:
    """A home with the small bank, and a folder with files to try."""

    home: Path
    folder: Path


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("simulate")
    advisor_at(folder / "home").ingest(write_bank(folder / "bank", make_panel()))
    (folder / "now.yaml").write_text(write_policy(present()), encoding="utf-8")
    (folder / "new.yaml").write_text(write_policy(other()), encoding="utf-8")
    text = "change: 1\nkind: merger\nfrom: 2024-07\nunits: [S00, S01]\ninto: S00\napprover: A. Person\n"
    (folder / "merger.yaml").write_text(text, encoding="utf-8")
    return Desk(folder / "home", folder)


@pytest.fixture
def ask(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    line = CommandLine(desk.home, monkeypatch, capsys)
    return partial(line, "simulate")


def files(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def test_a_policy_beside_the_present_one(ask, desk: Desk, tmp_path: Path) -> None:
    before = files(desk.home)
    out = tmp_path / "out"
    told = ask(
        "--policy", desk.folder / "new.yaml", "--against", desk.folder / "now.yaml",
        "--from", "2024-10", "--to", "2024", "--point-value", "1000", "--out", out,
    )  # fmt: skip
    assert files(desk.home) == before
    assert "trial@1 -> trial@2, 2024-10 to 2024-12" in told.out
    assert "Kendall" in told.out
    assert "模型须重训：否" in told.out
    assert "Closed periods stay as they were scored" in told.out
    scores = pd.read_csv(out / "scores.csv")
    assert set(scores["period"]) == {"2024-10", "2024-11", "2024-12"}
    assert {"pool_before", "pool_fixed", "main_reason_zh"} <= set(scores)
    reasons = pd.read_csv(out / "reasons.csv")
    summed = reasons.groupby(["unit", "period"])["difference"].sum().round(2)
    both = scores[scores["status"] == "both"].set_index(["unit", "period"])["difference"]
    assert (summed.sort_index() == both.sort_index()).all()
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["retrain"]["models"] is False
    assert (out / "report.html").stat().st_size > 10_000


def test_the_last_complete_year_is_replayed_by_default(ask, desk: Desk) -> None:
    told = ask("--policy", desk.folder / "new.yaml", "--format", "json")
    summary = json.loads(told.out)
    assert (summary["versions"]["from"], summary["versions"]["to"]) == ("2024-12", "2024-12")
    assert "equal weights" in summary["present"]


def test_a_bare_year_begins_with_its_first_period(ask, desk: Desk) -> None:
    summary = json.loads(ask("--policy", desk.folder / "new.yaml", "--from", "2022", "--format", "json").out)
    assert (summary["versions"]["from"], summary["versions"]["periods"]) == ("2022-01", 36)
    asked = ("--policy", desk.folder / "new.yaml", "--from", "2022", "--year-ends", "--format", "json")
    assert json.loads(ask(*asked).out)["versions"]["periods"] == 3


def test_a_change_from_outside(ask, desk: Desk, tmp_path: Path) -> None:
    told = ask("--against", desk.folder / "now.yaml", "--change", desk.folder / "merger.yaml", "--out", tmp_path / "m")
    assert "S00, S01 become S00 from 2024-07" in told.out
    assert "[x] An approver: A. Person." in told.out
    assert "[ ] A way back" in told.out
    merged = pd.read_csv(tmp_path / "m" / "merged.csv").set_index("unit")
    assert merged.loc["S00", ["before", "after"]].notna().all()
    assert pd.isna(merged.loc["S01", "after"])


def test_levels_that_ask_for_more_are_scored_against_what_they_ask_for(ask, desk: Desk, tmp_path: Path) -> None:
    item = {"indicator": "LENDING", "weight": "60", "rule": {"kind": "levels"}}
    levels = {name: {"probability": str(p), "points": str(s)} for name, p, s in HARDER}
    for name, changes in (("usual", {}), ("harder", {"targets": levels, "version": "2"})):
        policy = make_policy([item, *items(DEPOSITS="40")], gates=[], **changes)
        (tmp_path / f"{name}.yaml").write_text(write_policy(policy), encoding="utf-8")
    told = ask(
        "--against", tmp_path / "usual.yaml", "--policy", tmp_path / "harder.yaml", "--suggested-targets",
        "--out", tmp_path / "out",
    )  # fmt: skip
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert (scores["difference"] < 0).sum() > (scores["difference"] > 0).sum()
    assert "next year's targets by probability" in told.out
    assert "达成概率" in told.out
    stretch = pd.read_csv(tmp_path / "out" / "levels.csv").query("level == 'stretch'")
    assert (stretch["value_after"] > stretch["value_before"]).mean() > 0.9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to simulate"),
        (("--policy", "nowhere"), "nowhere"),
        (("--policy", "new", "--period", "2024", "--from", "2023"), "--period excludes"),
        (("--policy", "new", "--from", "2031"), "no figures as of 2031"),
        (("--policy", "new", "--from", "2024-12", "--to", "2024-01"), "no period is left"),
        (("--policy", "new", "--period", "2024-99"), "--period: '2024-99' is not a period"),
        (("--policy", "new", "--point-value", "0"), "worth more than nothing"),
        (("--policy", "new", "--point-value", "1e300"), "at most 1,000,000,000"),
        (("--policy", "new", "--known-on", "soon"), "not a day"),
        (("--change", "none.yaml"), "none.yaml"),
        (("--policy", "owner-evaluation"), "there is no indicator"),
    ],
)
def test_a_mistake_is_answered_in_words(ask, desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    given = [str(desk.folder / "new.yaml") if text == "new" else text for text in arguments]
    told = ask(*given, code=1)
    assert said in told.err
    assert "Traceback" not in told.err
    assert "Hint" in told.err or "expected" in told.err


def test_a_file_is_no_folder(ask, desk: Desk, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    told = ask("--policy", desk.folder / "new.yaml", "--out", taken, code=1)
    assert "no folder" in told.err
    told = ask("--policy", desk.folder / "new.yaml", "--out", taken / "within", code=1)
    assert "cannot be made" in told.err
