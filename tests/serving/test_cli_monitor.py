"""Watching models on the command line: findings, proposals, decisions; a look back writes nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from command_line import CommandLine
from monitored_bank import NOW, promote_as_of, stored_bank

from serving import cli_monitor
from serving.advisor import Advisor
from serving.settings import Settings
from training.monitoring.proposals import FOLDER, RECORD
from training.retraining.runs import Runs

REASON = "growth fell as the market did"
LI = ("--by", "Li Ming", "--reason", REASON)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose champion learned up to 2022; the growth of 2024 is out of all that was seen."""
    place = tmp_path_factory.mktemp("bank")
    promote_as_of(stored_bank(place, planted="growth"), place, "2022")
    return place


@pytest.fixture(scope="module")
def advisor(bank: Path) -> Advisor:
    return Advisor(Settings(home=bank, store_url=None), clock=lambda: NOW)


@pytest.fixture
def line(
    bank: Path, advisor: Advisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The commands on that home, which has no proposal yet."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    cli_monitor.add_monitor_commands(app)
    monkeypatch.setattr("serving.cli.app", app)
    monkeypatch.setattr(cli_monitor, "advisor_of", lambda home: advisor)
    for path in (bank / FOLDER).glob("*"):
        path.unlink()
    return CommandLine(bank, monkeypatch, capsys)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_a_look_tells_each_check_and_opens_proposals(line):
    told = line("monitor")
    found = {row["check"]: row for row in rows(told.out)}
    assert len(found) == 9
    assert found["target.inputs"]["state"] == "breach"
    assert found["target.coverage"]["state"] == "ok"
    assert found["warning.inputs"]["state"] == "too little data"
    assert all(row["finding"] and row["finding_zh"] and row["threshold"] for row in found.values())
    assert "Proposed to train again" in told.err
    assert "Nothing is trained" in told.err
    opened = {row["check"]: row["proposal"] for row in rows(line("proposals", "list").out)}
    assert set(opened) == {check for check, row in found.items() if row["state"] == "breach"}
    line("monitor")
    assert {row["check"]: row["proposal"] for row in rows(line("proposals", "list").out)} == opened


def test_nothing_is_trained_and_no_run_asked_for_by_a_look(line, bank, advisor):
    line("monitor")
    assert Runs(bank, advisor.now).every() == ()


def test_strict_ends_with_a_code_of_its_own(line):
    line("monitor", "--strict", code=cli_monitor.BREACHED)
    line("monitor", "--strict", "--as-of", "2021")


def test_a_look_back_writes_nothing(line, bank):
    told = json.loads(line("monitor", "--as-of", "2024", "--format", "json").out)
    assert told["about"]["latest"] is False
    assert any(finding["state"] == "breach" for finding in told["findings"])
    assert not (bank / FOLDER / RECORD).exists()


def test_json_has_the_figures_that_a_chart_shows(line):
    told = json.loads(line("monitor", "--format", "json").out)
    inputs = next(finding for finding in told["findings"] if finding["check"] == "target.inputs")
    assert {"psi", "usual_psi", "ks", "middle", "usual_middle", "p"} <= set(inputs["table"][0])
    assert inputs["state_text"]["zh"] == "超限"
    assert told["open"][0]["proposal"].startswith("P-")


def test_a_table_is_written_by_its_suffix(line, tmp_path):
    line("monitor", "--out", tmp_path / "look.csv")
    assert len(rows((tmp_path / "look.csv").read_text(encoding="utf-8"))) == 9


def test_accepting_asks_for_a_run_of_that_model(line, bank, advisor):
    line("monitor")
    told = json.loads(line("proposals", "accept", "P-0001", *LI, "--format", "json").out)
    (run,) = Runs(bank, advisor.now).every()
    assert (told["state"], told["run"]) == ("accepted", run.name)
    assert run.request.kinds == (told["kind"],) == ("target",)
    assert (run.request.by, run.state) == ("Li Ming", "queued")
    assert "P-0001" in run.request.reason
    again = json.loads(line("proposals", "accept", "P-0001", *LI, "--format", "json").out)
    assert again["run"] == run.name
    assert len(Runs(bank, advisor.now).every()) == 1


def test_dismissing_keeps_who_and_why(line):
    line("monitor")
    assert "P-0001 is dismissed by Li Ming." in line("proposals", "dismiss", "P-0001", *LI).out
    shown = line("proposals", "show", "P-0001").out
    assert REASON in shown
    assert "P-0001" not in {row["proposal"] for row in rows(line("proposals", "list").out)}
    assert "P-0001" in {row["proposal"] for row in rows(line("proposals", "list", "--all").out)}
    line("monitor")
    every = rows(line("proposals", "list", "--all").out)
    assert len({row["check"] for row in every}) == len(every)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("proposals", "accept", "P-0042", *LI), "no proposal"),
        (("proposals", "dismiss", "P-0001", "--by", " ", "--reason", REASON), "needs a name"),
        (("monitor", "--as-of", "1990"), "no figures as of 1990"),
    ],
)
def test_what_cannot_be_done_is_said(line, arguments, told):
    line("monitor")
    assert told in line(*arguments, code=1).err
