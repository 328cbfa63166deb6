"""A training run in MLflow and its registered model, recorded once: whatever kills the writer, done again it is whole.

A run is found again by its name in a tag. Until everything is logged it is not finished, and all of it is logged again;
equal figures have equal times, so that they are kept once. A finished run is only read.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from models.bundle import ModelBundle, check_name
from training.lock import file_lock
from training.track import DIGEST_TAG, Tracker

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.entities import Run as MlflowRun

BUNDLE = "bundle"
"""Where a run keeps its model."""
RUN_TAG = "loadline.run"
KIND_TAG = "loadline.kind"
META_TAGS = ("data_version", "fingerprint", "as_of", "known_on", "policy_version", "code_version")
"""Of a bundle's description, repeated as tags of the run and of the registered version."""
FINISHED = "FINISHED"
PARAMS_AT_ONCE = 100
METRICS_AT_ONCE = 1000
"""Limits of MLflow's batch call."""
LONGEST_PARAM = 6000
"""Characters; MLflow refuses longer ones."""


@dataclass(frozen=True)
class RunRecord:
    """What is recorded of a training run.

    Attributes
    ----------
    name : str
        Of the registered model, and of the experiment.
    run : str
        Name of the training run: one run in the registry for each.
    bundle : ModelBundle
    params : Mapping
        Settings; what is not text is written as JSON, and cut at `LONGEST_PARAM` characters.
    metrics : Mapping
        Figures by step and name; None is the step of those that belong to no origin. NaN is left away.
    files : Mapping
        Contents by path.
    """

    name: str
    run: str
    bundle: ModelBundle
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[int | None, Mapping[str, float]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.run)

    @property
    def written(self) -> dict[str, str]:
        """Give the settings as they are recorded."""
        return {name: text(value)[:LONGEST_PARAM] or "-" for name, value in self.params.items()}

    @property
    def tags(self) -> dict[str, str]:
        """Give what the run and the version are found by."""
        meta = self.bundle.meta
        told = {f"loadline.{key}": text(meta[key]) for key in META_TAGS if key in meta}
        return {RUN_TAG: self.run, DIGEST_TAG: self.bundle.digest, KIND_TAG: self.bundle.kind} | told


def record(tracker: Tracker, what: RunRecord, *, alias: str | None = None) -> int:
    """Record a run and register its model; harmless to do again.

    Parameters
    ----------
    tracker : Tracker
    what : RunRecord
    alias : str, optional
        Is moved to the version, unless it names a later one already.

    Returns
    -------
    int
        The number of the registered version.

    Raises
    ------
    LoadlineError
        Where a finished run of that name keeps another model, or MLflow fails.
    """
    with file_lock(Path(tracker.home) / "mlflow" / "recording.lock"), tracker.explained():
        run = _opened(tracker, what)
        if run.info.status != FINISHED:
            _log(tracker, run, what)
            tracker.client.set_terminated(run.info.run_id, FINISHED)
        number = _registered(tracker, run, what)
        if alias is not None:
            _point(tracker, what.name, alias, number)
        return number


def _opened(tracker: Tracker, what: RunRecord) -> MlflowRun:
    """Find the run, or begin it; what was left of a run with another model or other settings is deleted."""
    client, experiment = tracker.client, tracker.experiment(what.name)
    found = client.search_runs([experiment], f"tags.`{RUN_TAG}` = '{what.run}'", order_by=["attributes.start_time ASC"])
    finished = [run for run in found if run.info.status == FINISHED]
    kept = None
    for run in [*finished, *(run for run in found if run.info.status != FINISHED)]:
        if run.info.status == FINISHED and run.data.tags.get(DIGEST_TAG) != what.bundle.digest:
            hint = (
                "The same data, policy and seed gave another model: ask for another attempt, `loadline train --again`."
            )
            raise LoadlineError(f"the run keeps another model than {what.bundle.version}", where=what.run, hint=hint)
        if kept is None and _continues(run, what):
            kept = run
        else:
            _discard(tracker, run)
    return kept or client.create_run(experiment, tags=what.tags, run_name=what.run)


def _continues(run: MlflowRun, what: RunRecord) -> bool:
    """Tell whether a run can be completed: nothing that MLflow would not let be written again differs."""
    if run.info.status == FINISHED:
        return True
    written = what.written
    same = all(written.get(name) == value for name, value in run.data.params.items())
    return same and run.data.tags.get(DIGEST_TAG) == what.bundle.digest


def _discard(tracker: Tracker, run: MlflowRun) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with suppress(Exception):  # a store that cannot delete keeps the files of a deleted run until it is cleared
        get_artifact_repository(run.info.artifact_uri or "", tracking_uri=tracker.uri).delete_artifacts("")
    tracker.client.delete_run(run.info.run_id)


def _log(tracker: Tracker, run: MlflowRun, what: RunRecord) -> None:
    from mlflow.entities import Param

    client, number = tracker.client, run.info.run_id
    params = [Param(name, value) for name, value in what.written.items()]
    metrics = _metrics(what, at=run.info.start_time)
    for start in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(number, params=params[start : start + PARAMS_AT_ONCE])
    for start in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(number, metrics=metrics[start : start + METRICS_AT_ONCE])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        what.bundle.save(folder / BUNDLE)
        for path, content in what.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        client.log_artifacts(number, str(folder))


def _metrics(what: RunRecord, *, at: int) -> list[Metric]:
    """Give the figures, all of the time at which the run began: written again they are the same entries."""
    from mlflow.entities import Metric

    return [
        Metric(name, float(value), at, step or 0)
        for step, figures in what.metrics.items()
        for name, value in figures.items()
        if value == value
    ]


def _registered(tracker: Tracker, run: MlflowRun, what: RunRecord) -> int:
    """Give the version of a run, made if need be; of several, which only a server that answered late explains, one."""
    from mlflow.exceptions import MlflowException

    client = tracker.client
    if not _versions(tracker, run, what):
        with suppress(MlflowException):  # it is there already, or the next call says what is wrong
            client.create_registered_model(what.name)
        source = f"{run.info.artifact_uri}/{BUNDLE}"
        client.create_model_version(what.name, source, run.info.run_id, tags=what.tags, await_creation_for=0)
    first, *others = sorted(_versions(tracker, run, what))
    for number in others:
        client.delete_model_version(what.name, str(number))
    return first


def _versions(tracker: Tracker, run: MlflowRun, what: RunRecord) -> list[int]:
    found = tracker.client.search_model_versions(f"name = '{what.name}' AND run_id = '{run.info.run_id}'")
    return [int(version.version) for version in found if version.tags.get(DIGEST_TAG) == what.bundle.digest]


def _point(tracker: Tracker, name: str, alias: str, number: int) -> None:
    """Move an alias, never back: a run that is completed late does not stand above one that came after it."""
    present = tracker.client.get_registered_model(name).aliases.get(alias)
    if present is None or int(present) < number:
        tracker.client.set_registered_model_alias(name, alias, str(number))


def text(value: Any) -> str:
    """Write a value as MLflow keeps it.

    >>> text("plain"), text(["增速", 1])
    ('plain', '["增速", 1]')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
