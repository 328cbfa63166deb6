"""The command line without a process of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.cli import main


@dataclass(frozen=True)
class Told:
    """What a command said on stdout and on stderr."""

    out: str
    err: str


class CommandLine:
    """Runs commands on a home and checks how they end."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.patch, self.capsys = home, monkeypatch, capsys

    def __call__(self, *arguments: object, code: int = 0, at_home: bool = True) -> Told:
        """Run a command; `at_home` is False for one that needs no home."""
        place = ("--home", str(self.home)) if at_home else ()
        self.patch.setattr(sys, "argv", ["loadline", *map(str, arguments), *place])
        self.capsys.readouterr()
        try:
            main()
            ended = 0
        except SystemExit as end:
            ended = 0 if end.code is None else end.code
        told = self.capsys.readouterr()
        assert ended == code, told.err
        return Told(told.out, told.err)
