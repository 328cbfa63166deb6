"""A run is recorded once, whatever kills the recording: one finished run, one version, whole files, the alias set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from killed_recording import deaths, recording

from features.errors import LoadlineError
from models.bundle import ModelBundle
from training.recorded_run import METRICS_AT_ONCE, PARAMS_AT_ONCE, RUN_TAG, RunRecord, record
from training.track import DIGEST_TAG, Tracker

ALL = 3
"""MLflow's word for runs that are there and runs that were deleted."""


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Tracker(tmp_path_factory.mktemp("home"))


def small(number: int) -> ModelBundle:
    return ModelBundle("target", {"number": number}, {"D01": "tree\n"}, {"scale": np.arange(3.0)})


def runs(tracker: Tracker, what: RunRecord, *, view: int = 1) -> list:
    experiment = tracker.client.get_experiment_by_name(what.name)
    assert experiment is not None
    wanted = f"tags.`{RUN_TAG}` = '{what.run}'"
    return list(tracker.client.search_runs([experiment.experiment_id], wanted, run_view_type=view))


def versions(tracker: Tracker, what: RunRecord) -> list[int]:
    found = tracker.client.search_model_versions(f"name = '{what.name}'")
    return [int(version.version) for version in found if version.tags[RUN_TAG] == what.run]


def files(tracker: Tracker, run_id: str, under: str | None = None) -> set[str]:
    found: set[str] = set()
    for item in tracker.client.list_artifacts(run_id, under):
        found |= files(tracker, run_id, item.path) if item.is_dir else {item.path}
    return found


def test_all_of_a_run_is_kept(tracker: Tracker, tmp_path: Path) -> None:
    params = {f"p{n}": n for n in range(PARAMS_AT_ONCE + 1)} | {"names": ["增速", 1], "text": "plain", "none": ""}
    metrics = {None: {f"m{n}": float(n) for n in range(METRICS_AT_ONCE + 1)} | {"nothing": float("nan")}}
    origins = {2022: {"origin.loss_ratio": 0.9}, 2023: {"origin.loss_ratio": 1.1}}
    what = RunRecord("kept", "one", small(1), params, metrics | origins, {"card/卡.md": "# 模型卡\n".encode()})
    number = record(tracker, what, alias="challenger")
    (run,) = runs(tracker, what)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "one")
    assert len(run.data.params) == len(params)
    assert json.loads(run.data.params["names"]) == ["增速", 1]
    assert run.data.params["text"] == "plain"
    assert len(run.data.metrics) == METRICS_AT_ONCE + 2, "NaN is left away"
    steps = tracker.client.get_metric_history(run.info.run_id, "origin.loss_ratio")
    assert [(entry.step, entry.value) for entry in steps] == [(2022, 0.9), (2023, 1.1)]
    assert files(tracker, run.info.run_id) == {
        "card/卡.md",
        *("bundle/arrays.npz", "bundle/manifest.json", "bundle/meta.json", "bundle/texts/D01.txt"),
    }
    assert tracker.fetch("kept", "challenger", into=tmp_path / "got") == small(1)
    assert versions(tracker, what) == [number]


def test_recording_again_changes_nothing(tracker: Tracker) -> None:
    what = RunRecord("again", "one", small(1), {"seed": 7}, {None: {"loss": 1.0}})
    first = record(tracker, what, alias="challenger")
    (before,) = runs(tracker, what)
    assert record(tracker, what, alias="challenger") == first
    (after,) = runs(tracker, what)
    assert (after.info.run_id, after.info.end_time) == (before.info.run_id, before.info.end_time)
    assert versions(tracker, what) == [first]
    assert len(tracker.client.get_metric_history(after.info.run_id, "loss")) == 1


def test_runs_of_other_names_are_others(tracker: Tracker) -> None:
    one, two = (RunRecord("others", name, small(1)) for name in ("one", "two"))
    numbers = [record(tracker, what, alias="challenger") for what in (one, two)]
    assert numbers == [1, 2]
    assert len(runs(tracker, one)) == len(runs(tracker, two)) == 1


def test_a_run_completed_late_does_not_move_the_alias_back(tracker: Tracker) -> None:
    early, late = (RunRecord("late", name, small(n)) for n, name in enumerate(("early", "late")))
    first = record(tracker, early)
    second = record(tracker, late, alias="challenger")
    assert record(tracker, early, alias="challenger") == first
    assert int(tracker.client.get_model_version_by_alias("late", "challenger").version) == second


def test_a_finished_run_refuses_another_model(tracker: Tracker) -> None:
    what = RunRecord("same", "one", small(1))
    record(tracker, what)
    with pytest.raises(LoadlineError, match="another model") as caught:
        record(tracker, replace(what, bundle=small(2)))
    assert "--again" in (caught.value.hint or "")
    assert len(versions(tracker, what)) == 1


@pytest.mark.parametrize("other", ["model", "settings"])
def test_what_is_left_of_another_attempt_is_deleted(tracker: Tracker, tmp_path: Path, other: str) -> None:
    what = RunRecord(f"left-{other}", "one", small(1), {"seed": 7})
    left = replace(what, bundle=small(2)) if other == "model" else replace(what, params={"seed": 8})
    experiment = tracker.experiment(what.name)
    old = tracker.client.create_run(experiment, tags=left.tags)
    for key, value in left.written.items():
        tracker.client.log_param(old.info.run_id, key, value)
    (tmp_path / "half").write_text("half")
    tracker.client.log_artifact(old.info.run_id, str(tmp_path / "half"))
    record(tracker, what)
    (run,) = runs(tracker, what)
    assert run.info.run_id != old.info.run_id
    assert run.data.params == {"seed": "7"}
    assert {found.info.lifecycle_stage for found in runs(tracker, what, view=ALL)} == {"active", "deleted"}
    assert not list((Path(tracker.home) / "mlflow" / "artifacts").rglob("half"))


def test_a_version_made_twice_is_kept_once(tracker: Tracker) -> None:
    what = RunRecord("twice", "one", small(1))
    number = record(tracker, what)
    (run,) = runs(tracker, what)
    source = f"{run.info.artifact_uri}/bundle"
    tracker.client.create_model_version("twice", source, run.info.run_id, tags=what.tags)
    assert len(versions(tracker, what)) == 2
    assert record(tracker, what) == number
    assert versions(tracker, what) == [number]


def test_a_name_that_could_lead_elsewhere_is_refused() -> None:
    with pytest.raises(LoadlineError):
        RunRecord("x", "one' OR tags.a != 'b", small(1))


def test_a_recording_killed_anywhere_is_completed_by_the_next(tracker: Tracker, tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[1] / "killed_recording.py"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(script.parent), str(script.parents[1])])
    tracker.client.search_experiments()  # the tables are there before anybody dies
    ended = subprocess.run(
        [sys.executable, str(script), str(tracker.home)], capture_output=True, text=True, env=environment, timeout=900
    )
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [tuple(one["death"]) for one in told] == deaths(), ended.stderr
    assert [one["death"] for one in told if one["killed"] != -signal.SIGKILL] == []
    every = versions_by_run(tracker)
    for one in told:
        what = recording(one["number"])
        (run,) = runs(tracker, what, view=ALL)
        assert run.info.status == "FINISHED", one
        assert run.data.tags[DIGEST_TAG] == what.bundle.digest
        assert run.data.params == what.written
        assert [e.step for e in tracker.client.get_metric_history(run.info.run_id, "origin.loss_ratio")] == [2022, 2023]
        assert len(tracker.client.get_metric_history(run.info.run_id, "loss_ratio")) == 1
        assert every[what.run] == [one["version"]]
        for path, content in what.files.items():
            kept = Path(tracker.client.download_artifacts(run.info.run_id, path, str(tmp_path))).read_bytes()
            assert kept == content, (one, path)
        assert files(tracker, run.info.run_id) == {
            *what.files,
            *("bundle/arrays.npz", "bundle/manifest.json", "bundle/meta.json", "bundle/texts/D01.txt"),
        }
        into = tmp_path / f"fetched-{one['number']}"
        assert tracker.fetch("killed", one["version"], into=into) == what.bundle
    last = max(one["version"] for one in told)
    assert int(tracker.client.get_model_version_by_alias("killed", "challenger").version) == last


def versions_by_run(tracker: Tracker) -> dict[str, list[int]]:
    out: dict[str, list[int]] = {}
    for version in tracker.client.search_model_versions("name = 'killed'"):
        out.setdefault(version.tags[RUN_TAG], []).append(int(version.version))
    return out
