"""Tests of the record of jobs: what a killed process left half written is undone, what is no database is refused."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from features.errors import LoadlineError
from training.retraining.engine import DATABASE, engine

HALF_WRITTEN = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # the pages go to the disk before the end of the transaction
connection.execute("BEGIN")
connection.executemany("INSERT INTO kept VALUES (?, 'json')", [("x" * 2000,)] * 500)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_half_written_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "a home" / DATABASE
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE kept (value TEXT, serialization TEXT)")
        connection.commit()
    killed = subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.with_name(f"{DATABASE}-journal").stat().st_size > 0

    with engine(path.parent, version="1"):
        pass

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM kept").fetchone() == (0,)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database at all, whatever its name says" * 100)
    with pytest.raises(LoadlineError, match="cannot be opened"), engine(tmp_path, version="1"):
        pass
