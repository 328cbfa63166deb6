import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tuned_levels import YEARS, make_levels

from models.levels import Level
from models.outcome.settings import DEFAULT
from training.tuning.target import SPACE, USUAL, loss_ratio, tune_target
from training.tuning.target_origins import MOST_INDICATORS, MOST_ORIGINS, MOST_ROWS, origins_of, sampled

TRIALS = 10
KILLS = 3

WORKER = """
import json, sys
from pathlib import Path
from training.tuning.target import tune_target
from tuned_levels import make_levels

found = tune_target(make_levels(falling_back=0.9, units=40), seed=5, trials=int(sys.argv[2]), folder=Path(sys.argv[1]))
print(json.dumps(found.as_dict()))
"""


def test_the_usual_values_are_among_those_tried():
    assert all(USUAL[knob.name] in knob.values for knob in SPACE)
    assert DEFAULT.with_knobs(USUAL) == DEFAULT


def test_where_units_fall_back_further_than_usual_other_settings_are_found(tmp_path: Path):
    found = tune_target(make_levels(falling_back=0.9), seed=5, trials=TRIALS, folder=tmp_path)
    assert found.changed
    assert found.settings.kept > DEFAULT.kept
    assert found.figures["gain"] > 0.01
    assert max(found.figures["searched"]) < min(found.figures["held_out"])
    assert len(found.table()) == TRIALS


def test_where_the_best_found_is_luck_the_usual_ones_stay(tmp_path: Path):
    levels = make_levels(falling_back=0.3, indicators=1, units=40)
    found = tune_target(levels, seed=5, trials=5, folder=tmp_path)
    losses = [one["loss"] for one in found.tried]
    assert min(losses) < losses[0]
    assert not found.changed
    assert "not better beyond noise" in found.text.en


def test_few_years_are_not_searched(tmp_path: Path):
    levels = [replace(one, problem=one.problem.last(6)) for one in make_levels(falling_back=0.9, units=20)]
    found = tune_target(levels, seed=5, trials=4, folder=tmp_path)
    assert (found.changed, found.tried) == (False, ())
    assert "fewer than 4 past times" in found.text.en
    assert not list(tmp_path.iterdir())


def test_years_that_decide_are_not_searched_on(tmp_path: Path):
    levels = make_levels(falling_back=0.9, units=30)
    found = tune_target(levels, seed=5, trials=3, folder=tmp_path / "one")
    first_held = min(found.figures["held_out"])

    def changed(level: Level) -> Level:
        problem = level.problem
        late = problem.years >= first_held
        outcome, base = problem.outcome.copy(), problem.base.copy()
        outcome[late] *= 1.5
        base[problem.years > first_held] *= 0.7
        return replace(level, problem=replace(problem, outcome=outcome, base=base))

    later = tune_target([changed(one) for one in levels], seed=5, trials=3, folder=tmp_path / "two")
    assert [one["loss"] for one in later.tried] == [one["loss"] for one in found.tried]
    assert later.figures["gain"] != found.figures["gain"]


def test_trials_of_other_data_are_not_taken_for_these(tmp_path: Path):
    first = tune_target(make_levels(falling_back=0.9, units=30), seed=5, trials=2, folder=tmp_path)
    second = tune_target(make_levels(falling_back=0.5, units=30), seed=5, trials=2, folder=tmp_path)
    assert first.tried[0]["loss"] != second.tried[0]["loss"]
    assert len(list(tmp_path.glob("target-*.jsonl"))) == 2


def test_of_large_data_a_sample_is_seen():
    levels = make_levels(falling_back=0.5, indicators=MOST_INDICATORS + 3, units=400)
    chosen = sampled(levels)
    assert len(chosen) == MOST_INDICATORS
    assert all(problem.known.sum() <= MOST_ROWS for _, problem in chosen)
    assert len(chosen[0][1].units) == MOST_ROWS // 8
    assert len(origins_of(chosen[:1], seed=1)) == min(MOST_ORIGINS, len(YEARS) - 1 - 2)


def test_the_loss_is_that_of_the_usual_recipe_against_pooled_growth():
    origins = origins_of(sampled(make_levels(falling_back=0.9)), seed=1)[2018]
    one = origins[0]
    np.testing.assert_array_equal(
        one.losses(one.tried(DEFAULT), None), one.losses(one.fitted(DEFAULT), None)
    )  # a trial with the usual settings is the whole recipe
    assert loss_ratio(origins, DEFAULT) < 1


def worker(folder: Path, trials: int) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(root), str(root / "tests")])
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(trials)],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines_in(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("target-*.jsonl"))


def test_killed_again_and_again_it_comes_to_the_same(tmp_path: Path):
    whole = tune_target(make_levels(falling_back=0.9, units=40), seed=5, trials=TRIALS, folder=tmp_path / "whole")
    folder = tmp_path / "killed"
    folder.mkdir()
    for _ in range(KILLS):
        running, before = worker(folder, TRIALS), lines_in(folder)
        while lines_in(folder) <= before:
            assert running.poll() is None, running.communicate()
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert running.returncode == -signal.SIGKILL
    assert lines_in(folder) < TRIALS
    last = worker(folder, TRIALS)
    output, complaint = last.communicate()
    assert complaint == ""
    assert json.loads(output) == json.loads(json.dumps(whole.as_dict()))


@pytest.mark.parametrize("trials", [0, 1])
def test_without_trials_nothing_is_searched_or_imported(tmp_path: Path, trials: int):
    code = WORKER + "assert 'optuna' not in sys.modules\n"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "none"), str(trials)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["settings"] == DEFAULT.as_dict()
    assert not (tmp_path / "none").exists()
