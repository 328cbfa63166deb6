"""`loadline train` learns to warn beside setting targets, and loses no target model over it."""

from __future__ import annotations

from pathlib import Path

import pytest
import warning_bank
from command_line import CommandLine

from features.dataset import open_dataset
from serving.advisor import Advisor
from serving.settings import Settings
from training.promote import champion
from training.target_model import model_name as target_name
from training.warning.fitting import model_name as warning_name


@pytest.fixture
def home(tmp_path: Path) -> Path:
    advisor = Advisor(Settings(home=tmp_path / "home"), clock=lambda: warning_bank.NOW)
    advisor.store.ingest(open_dataset(warning_bank.write_bank(tmp_path / "bank")), now=warning_bank.NOW)
    return tmp_path / "home"


@pytest.fixture
def loadline(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(home, monkeypatch, capsys)


def test_both_models_are_trained_and_two_lines_tell_of_the_warning_model(loadline: CommandLine, home: Path) -> None:
    told = loadline("train")
    lines = told.err.strip().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Warning model"))
    assert "as of 2021: promoted" in lines[at]
    assert "Within-period AUC" in lines[at + 1]
    assert champion(home, target_name("small")) is not None
    assert champion(home, warning_name("small")) is not None


def test_where_the_warning_model_cannot_be_recorded_the_target_model_stands(loadline: CommandLine, home: Path) -> None:
    folder = home / "models" / warning_name("small")
    folder.mkdir(parents=True)
    (folder / "promotions.jsonl").write_text("this is no record\n")
    told = loadline("train", "--trials", "0")
    assert "No warning model: " in told.err
    assert "cannot be read" in told.err
    assert champion(home, target_name("small")) is not None
