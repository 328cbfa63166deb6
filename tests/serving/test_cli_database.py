"""`loadline database`, `loadline backup` and `loadline restore`."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from serving_home import advisor_at

from serving.access.principal import LOCAL, acting
from serving.database.upgrading import revisions


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    monkeypatch.delenv("LOADLINE_DATABASE_URL", raising=False)
    return CommandLine(tmp_path / "home", monkeypatch, capsys)


def test_upgrade_status_check_and_downgrade(run: CommandLine):
    told = json.loads(run("database", "status", "--format", "json").out)
    assert (told["tables"], told["revision"], told["several processes"]) == ("no tables", "none", "possible")
    assert "no tables" in run("database", "check", code=1).err
    assert f"from revision none to {revisions()[-1]}" in run("database", "upgrade").out
    assert "already" in run("database", "upgrade").out
    assert "sound" in run("database", "check").out
    assert "--yes" in run("database", "downgrade", "--to", "0003", code=1).err
    assert "to 0003" in run("database", "downgrade", "--to", "0003", "--yes").out
    assert "no way to revision '0815'" in run("database", "downgrade", "--to", "0815", "--yes", code=1).err
    assert "Tables: to be upgraded" in run("database", "status").out


def test_the_password_of_a_database_is_never_shown(run: CommandLine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOADLINE_DATABASE_URL", "postgresql://bank:open-sesame@127.0.0.1:1/none")
    told = run("database", "status", code=1)
    assert "cannot be used" in told.err
    assert "open-sesame" not in told.out + told.err


def test_a_backup_is_checked_restored_and_gives_the_same_answers(
    run: CommandLine, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    advisor = advisor_at(own_home)
    with acting(LOCAL), advisor.database.write() as connection:
        advisor.audit.write(connection, "test.change", subject="N01")
    entries = advisor.audit.verify().entries
    advisor.database.close()
    out, place = tmp_path / "backup.tar.gz", tmp_path / "restored"
    told = run("backup", "--out", out, "--home", own_home, at_home=False)
    assert "SHA-256" in told.out
    assert "is whole" in run("backup", "verify", out, at_home=False).out
    told = run("restore", out, "--home", place, at_home=False)
    assert f"The audit's chain holds: {entries} entries" in told.out
    run("models", "verify", "--home", place, at_home=False)
    asked = ("targets", "--year", "2025", "--format", "json")
    answers = [run(*asked, "--home", home, at_home=False).out for home in (own_home, place)]
    assert answers[0] == answers[1] != ""
    assert "not empty" in run("restore", out, "--home", place, at_home=False, code=1).err
    assert "--out" in run("backup", "--home", own_home, at_home=False, code=1).err
