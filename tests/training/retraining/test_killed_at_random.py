"""A training run that is killed at random moments comes to what it would have come to undisturbed."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

from killed_runs import carried_through, started

RANDOM_KILLS = int(os.environ.get("LOADLINE_RANDOM_KILLS", "3"))
"""Each costs a start of the program and half a training; LOADLINE_RANDOM_KILLS asks for more."""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    moments = random.Random(11)
    began = time.monotonic()
    undisturbed = carried_through(tmp_path / "home-0")
    whole = time.monotonic() - began
    kills, homes = 0, 1
    while kills < RANDOM_KILLS:
        home = tmp_path / f"home-{homes}"
        process = started(home)
        try:
            process.communicate(timeout=moments.uniform(0.2, 0.9) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0
        assert carried_through(home).champions == undisturbed.champions
        homes += 1
    assert carried_through(home).champions == undisturbed.champions
