"""The file lock."""

import signal
import subprocess
import sys

import pytest

from features.errors import LoadlineError
from training.lock import file_lock

HOLD = """
import sys, time
from pathlib import Path
from training.lock import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_holder_gives_the_lock_up(tmp_path):
    path = tmp_path / "home" / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LoadlineError, match="at work"), file_lock(path, wait=0.1):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with file_lock(path, wait=5):
            pass


def test_an_error_inside_gives_the_lock_up(tmp_path):
    with pytest.raises(KeyError), file_lock(tmp_path / "lock"):
        raise KeyError
    with file_lock(tmp_path / "lock", wait=0):
        pass


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadlineError, match="cannot be opened"), file_lock(tmp_path / "file" / "lock"):
        pass
