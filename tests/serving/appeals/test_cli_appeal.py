"""`loadline appeal`: from raising one to its answer."""

import json

from appealing_bank import UNIT, WORDS
from command_line import CommandLine
from serving_home import LAST_YEAR


def test_an_appeal_from_the_first_to_the_last_step(advisor, monkeypatch, capsys):
    ask = CommandLine(advisor.settings.home, monkeypatch, capsys)
    raised = ask("appeal", "raise", "--unit", UNIT, "--period", LAST_YEAR, "--words", WORDS, "--by", "Li Na")
    name = raised.out.strip()
    assert "bit for bit" in raised.err
    assert "完全一致" in ask("appeal", "reproduce", name, "--by", "Wang Wei").err
    assert ask("appeal", "decide", name, "review", "--by", "Li Na", code=1).err
    ask("appeal", "decide", name, "review", "--by", "Wang Wei")
    ask("appeal", "decide", name, "reject", "--by", "Wang Wei", "--words", "经核对无误。")
    listed = json.loads(ask("appeal", "list", "--format", "json").out)
    assert [(row["id"], row["state"], row["raised_by"]) for row in listed] == [(name, "rejected", "Li Na")]
    shown = ask("appeal", "show", name).out
    assert "经核对无误。" in shown
    assert "branches@1" in shown
    plain = json.loads(ask("appeal", "show", name, "--format", "json").out)
    assert plain["frozen"]["data_version"] == 1
