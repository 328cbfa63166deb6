"""A training run that is killed at every step boundary comes to what it would have come to undisturbed."""

from __future__ import annotations

from pathlib import Path

from killed_runs import KILLED, LONGEST_SECONDS, carried_through, started

from training.retraining.steps import STEPS


def test_killed_at_every_step_boundary(tmp_path: Path) -> None:
    undisturbed = carried_through(tmp_path / "undisturbed")
    home, marks = tmp_path / "home", tmp_path / "marks"
    codes = []
    while not codes or codes[-1] == KILLED:
        process = started(home, "--marks", str(marks))
        _, err = process.communicate(timeout=LONGEST_SECONDS)
        codes.append(process.returncode)
        assert process.returncode in (0, KILLED), err
    died_at = marks.read_text().splitlines()
    steps = [step.code for step in STEPS if step.code != "scores.shadow"]
    assert set(died_at) == {f"{when} finished {step}" for when in ("before", "after") for step in steps} | {
        "before done ",
        "after done ",
    }
    found = carried_through(home)
    assert found.champions == undisturbed.champions
    assert set(found.finished) == set(undisturbed.finished)
