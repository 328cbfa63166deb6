"""Training end to end on a small bank: registered, gated, promoted, reproducible, on a cluster as in this process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Snapshot, Store
from training.distributed import run_tasks
from training.gating.gate import FEWEST_ORIGINS
from training.promote import champion, history
from training.suggest import suggest_targets
from training.target_model import (
    Training,
    bundle_of,
    fit_level,
    level_evidence,
    level_tasks,
    model_name,
    models_in,
    retrain,
)
from training.track import Tracker

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def write_bank(folder: Path, *, restated: bool = False) -> Path:
    """Write ten quarterly branches with one volume over eight years; perhaps a last year restated later."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: quarters\ntitle: {en: Quarters, zh: 季度}\nfrequency: Q\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n- {code: SALES, name: {en: Sales, zh: 销售}, unit: CNY m, direction: higher, kind: flow, "
        "perspective: performance, core: true}\n"
    )
    branches = [f"B{i}" for i in range(10)]
    units = pd.DataFrame({"unit": ["HQ", *branches], "parent": ["", *["HQ"] * 10], "name": ["HQ", *branches]})
    units.to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(3)
    rows = []
    for i, branch in enumerate(branches):
        level = 50.0 + 10 * i
        for year in range(2016, 2024):
            level *= float(np.exp(rng.normal(0.04, 0.06)))
            for quarter, share in enumerate((0.3, 0.25, 0.25, 0.2), start=1):
                rows.append((branch, f"{year}-Q{quarter}", "SALES", round(level * share, 4), ""))
    if restated:
        rows += [(b, "2023-Q4", "SALES", 99.0, "2024-02-15") for b in branches]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value", "known_on"])
    frame.to_csv(folder / "observations.csv", index=False)
    return folder


def stored(place: Path, *, restated: bool = False) -> Snapshot:
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank", restated=restated)), now=NOW)
    return store.snapshot()


def trained(snapshot: Snapshot, home: Path, *, as_of: str = "2023-Q4", latest: bool = True) -> Training:
    origin = snapshot.description.calendar.parse(as_of)
    return retrain(
        snapshot, home=home, origin=origin, latest=latest, tracker=Tracker(home), seed=7, by="test", clock=lambda: NOW
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retrain")


@pytest.fixture(scope="module")
def snapshot(place: Path) -> Snapshot:
    return stored(place)


@pytest.fixture(scope="module")
def training(snapshot: Snapshot, place: Path) -> Training:
    return trained(snapshot, place / "home")


def test_the_model_is_registered_promoted_and_serves(snapshot: Snapshot, training: Training, place: Path) -> None:
    home = place / "home"
    assert training.promoted, training.outcome
    serving = champion(home, training.model)
    assert serving is not None
    assert serving.version == training.model_version
    assert serving.meta["fingerprint"] == snapshot.about.fingerprint
    assert history(home, training.model)[-1].by == "test"
    again = Tracker(home).fetch(training.model, "champion", into=place / "fetched")
    assert again.digest == serving.digest
    origin = snapshot.description.calendar.parse("2023-Q4")
    frame = suggest_targets(snapshot, 2024, home=home, origin=origin, latest=True).frame
    assert set(frame["model_version"]) == {serving.version}


def test_a_saved_model_says_what_the_fitted_one_said(snapshot: Snapshot, training: Training, place: Path) -> None:
    from models.levels import levels_of

    origin = snapshot.description.calendar.parse("2023-Q4")
    level = levels_of(snapshot.panel(origin), "SALES", year=2024, origin=origin)[0]
    _, model = fit_level(level_tasks([level], seed=5)[0])
    again = models_in(bundle_of({level.key: model}, {}))[level.key]()
    quantiles = [0.05, 0.5, 0.95]
    expected = model.predict(level.problem).quantile(quantiles)
    np.testing.assert_array_equal(again.predict(level.problem).quantile(quantiles), expected)


def test_the_same_training_gives_the_same_model(snapshot: Snapshot, training: Training, tmp_path: Path) -> None:
    assert trained(snapshot, tmp_path).model_version == training.model_version


def test_a_champion_that_knew_later_figures_does_not_answer_for_the_past(
    snapshot: Snapshot, training: Training, place: Path
) -> None:
    for as_of, year in (("2022-Q4", 2023), ("2023-Q3", 2023)):
        origin = snapshot.description.calendar.parse(as_of)
        frame = suggest_targets(snapshot, year, home=place / "home", origin=origin, latest=False).frame
        assert set(frame["model_version"]) == {"fitted-on-request"}


def test_a_later_restatement_is_not_known_as_of_before(tmp_path: Path) -> None:
    snapshot = stored(tmp_path, restated=True)
    origin = snapshot.description.calendar.parse("2023-Q4")
    then = suggest_targets(snapshot, 2024, home=tmp_path, origin=origin, latest=False).frame.set_index("unit")
    now = suggest_targets(snapshot, 2024, home=tmp_path, origin=origin, latest=True).frame.set_index("unit")
    plain = stored(tmp_path / "plain")
    before = suggest_targets(plain, 2024, home=tmp_path, origin=origin, latest=False).frame.set_index("unit")
    pd.testing.assert_series_equal(then["target"], before["target"])
    assert (now["last_actual"] > then["last_actual"]).all()


def test_a_target_may_be_asked_for_in_the_middle_of_the_year(snapshot: Snapshot, place: Path) -> None:
    origin = snapshot.description.calendar.parse("2023-Q2")
    frame = suggest_targets(
        snapshot, 2023, home=place / "none", origin=origin, latest=False, quantiles=[0.1, 0.9]
    ).frame
    year_end = suggest_targets(
        snapshot, 2023, home=place / "none", origin=origin - 2, latest=False, quantiles=[0.1, 0.9]
    ).frame
    width = (frame["q0.9"] - frame["q0.1"]) / frame["last_actual"]
    wider = (year_end["q0.9"] - year_end["q0.1"]) / year_end["last_actual"]
    assert frame["target"].notna().all()
    assert width[1:].median() < wider[1:].median()


def test_a_dataset_without_targets_says_so(tmp_path: Path) -> None:
    folder = write_bank(tmp_path / "bank")
    text = (folder / "indicators.yaml").read_text().replace("core: true", "target_allowed: false")
    (folder / "indicators.yaml").write_text(text)
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder), now=NOW)
    with pytest.raises(LoadlineError, match="no indicator of the data may have targets"):
        trained(store.snapshot(), tmp_path / "home")


def test_long_dataset_names_keep_their_models_apart() -> None:
    names = {model_name("a" * 60 + suffix) for suffix in ("-one", "-two")}
    assert len(names) == 2
    assert all(len(name) <= 60 for name in names)


@pytest.fixture(scope="module")
def scheduler(place: Path) -> Iterator[str]:
    """A real Dask scheduler with one worker, each a process of its own."""
    file = place / "scheduler.json"
    where = ["--scheduler-file", str(file)]
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard"]
    processes = [subprocess.Popen([*dask, "--no-dashboard", *where], stderr=subprocess.DEVNULL)]
    try:
        for _ in range(300):
            if file.exists():
                break
            time.sleep(0.1)
        processes.append(subprocess.Popen([*worker, *where], stderr=subprocess.DEVNULL))
        import json

        yield json.loads(file.read_text())["address"]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def test_fits_on_a_cluster_equal_those_in_this_process(snapshot: Snapshot, scheduler: str) -> None:
    from models.levels import levels_of

    origin = snapshot.description.calendar.parse("2023-Q4")
    tasks = level_tasks(levels_of(snapshot.panel(origin), "SALES", year=2024, origin=origin), seed=5)
    here, there = run_tasks(fit_level, tasks), run_tasks(fit_level, tasks, cluster=scheduler)
    assert [key for key, _ in here] == [key for key, _ in there]
    for (key, mine), (_, other) in zip(here, there, strict=True):
        assert bundle_of({key: mine}, {}).digest == bundle_of({key: other}, {}).digest


def test_thin_levels_show_the_ratio_that_was_drawn_to_the_record(snapshot: Snapshot) -> None:
    from models.levels import levels_of

    calendar = snapshot.description.calendar
    for as_of, year, few in (("2019-Q4", 2020, True), ("2023-Q4", 2024, False)):
        origin = calendar.parse(as_of)
        level = levels_of(snapshot.panel(origin), "SALES", year=year, origin=origin)[0]
        _, model = fit_level(level_tasks([level], seed=5)[0])
        found = level_evidence(level, model)
        assert (found.origins < FEWEST_ORIGINS) is few
        expected = model.test["expected"] if few else model.test["ratios"][model.test["blend"]]
        assert found.loss_ratio == expected
        assert found.loss_ratio <= 1.0


def test_a_cluster_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(LoadlineError, match="no Dask scheduler"):
        run_tasks(fit_level, [], cluster="tcp://127.0.0.1:9")
