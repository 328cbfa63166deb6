"""`loadline plan`: from draft to publication at the command line."""

import pandas as pd
import pytest
from command_line import CommandLine
from plan_home import GOAL, LOANS


@pytest.fixture
def run(own_home, monkeypatch, capsys):
    return CommandLine(own_home, monkeypatch, capsys)


def test_a_plan_at_the_command_line(run, tmp_path):
    goals = tmp_path / "goals.csv"
    pd.DataFrame([{"unit": "ROOT", "indicator": LOANS, "year": 2025, "value": GOAL}]).to_csv(goals, index=False)
    assert "--by" in run("plan", "draft", "--goals", goals, code=1).err
    assert "version 1: draft, revision 1" in run("plan", "draft", "--goals", goals, "--by", "Li").out
    line = ("--unit", "N01", "--indicator", LOANS)
    told = run("plan", "override", "2025", *line, "--target", "3900", "--by", "Li", "--reason", "agreed")
    assert "ROOT on LOANS: the units below come to" in told.err
    run("plan", "pin", "2025", "--unit", "N02", "--indicator", LOANS, "--by", "Li")
    run("plan", "undo", "2025", "--by", "Li")
    run("plan", "reallocate", "2025v1", "--by", "Li", "--reason", "after the change")
    run("plan", "submit", "2025", "--by", "Li", "--revision", "1", code=1)  # it was changed since
    run("plan", "submit", "2025", "--by", "Li")
    assert "cannot approve" in run("plan", "approve", "2025", "--by", "Li", code=1).err
    run("plan", "approve", "2025", "--by", "Wang")
    assert "published" in run("plan", "publish", "2025", "--by", "Wang").out
    table = run("plan", "lines", "2025", "--out", tmp_path / "lines.csv")
    assert "rows written" in table.err
    written = pd.read_csv(tmp_path / "lines.csv")
    assert float(written.loc[written["overridden"], "target"].iloc[0]) == 3900
    assert "0.0" in run("plan", "show", "2025").out
    assert [row.split(",")[3] for row in run("plan", "events", "2025").out.splitlines()[1:]] == [
        *("draft", "override", "pin", "undo", "reallocate", "submit", "approve", "publish")
    ]
    assert "superseded" not in run("plan", "list").out
    run("plan", "show", "2031", code=1)
