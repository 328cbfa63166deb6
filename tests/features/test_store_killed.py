"""An ingest that is killed: whatever the moment, the store is whole, and the next ingest is complete.

One helper process imports everything once and forks a fresh process for each ingest, which is then really killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.dataset import open_dataset
from features.definition_changes import definition_changes
from features.store import Store

NOW = datetime(2024, 6, 1, tzinfo=UTC)
MOMENTS = 20
UNITS, PERIODS, CODES = 8, 12, ["X", "Y", "Z"]

NURSERY = """
import json, os, signal, sys, time
from datetime import UTC, datetime
import features.store as store
from features.dataset import open_dataset

def killed_around(write, call, when):
    count = 0
    def wrapped(*given, **more):
        nonlocal count
        count += 1
        if count == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*given, **more)
        if count == call and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped

for line in sys.stdin:
    task = json.loads(line)
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        if "create" in task:
            store.DeltaTable.create = killed_around(store.DeltaTable.create, task["create"], task["when"])
        if "call" in task:
            store.write_deltalake = killed_around(store.write_deltalake, task["call"], task["when"])
        store.Store(task["store"]).ingest(open_dataset(task["folder"]), now=datetime(2024, 6, 1, tzinfo=UTC))
        os._exit(0)
    if "delay" in task:
        time.sleep(task["delay"])
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    print(json.dumps({"killed": os.WIFSIGNALED(status), "seconds": time.perf_counter() - start}), flush=True)
"""


class Nursery:
    """Starts an ingest in a process of its own, and kills it."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        self.process = subprocess.Popen([sys.executable, "-c", NURSERY], **pipes)

    def ingest(self, store: Path, folder: Path, **how) -> dict:
        self.process.stdin.write(json.dumps({"store": str(store), "folder": str(folder), **how}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.process.stdin.close()
    assert made.process.wait(timeout=10) == 0


def figures(number: int) -> np.ndarray:
    """Make the figures of the n-th folder: (codes, periods, units); each differs from those of the folder before."""
    return np.arange(len(CODES) * PERIODS * UNITS, dtype=float).reshape(len(CODES), PERIODS, UNITS) + number


def folder(place: Path, number: int, *, definition: str = "1") -> Path:
    """Write the n-th folder; `definition` is that of X."""
    made = place / f"folder-{number}-{definition}"
    made.mkdir()
    about = "contract: 1\nname: bank\ntitle: {en: B, zh: B}\nfrequency: M\nsource: made up\nlicence: CC0\n"
    (made / "dataset.yaml").write_text(about, encoding="utf-8")
    entry = "- {{code: {0}, name: {{en: {0}, zh: {0}}}, unit: n, direction: higher, kind: stock, perspective: risk}}"
    entries = [*map(entry.format, CODES)]
    entries[0] = entries[0][:-1] + f", definition_version: '{definition}'}}"
    (made / "indicators.yaml").write_text("\n".join(["indicators:", *entries]), encoding="utf-8")
    units = ["unit,parent,name", "T,,T", *[f"u{u},T,u{u}" for u in range(UNITS)]]
    (made / "units.csv").write_text("\n".join(units) + "\n", encoding="utf-8")
    lines = ["unit,period,indicator,value"]
    for (code, period, unit), value in np.ndenumerate(figures(number)):
        lines.append(f"u{unit},{2022 + period // 12}-{period % 12 + 1:02d},{CODES[code]},{value}")
    (made / "observations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def assert_holds(store: Store, number: int, *, versions: int) -> None:
    """Check that the store has so many versions, of which the last holds the figures of a folder, all of them."""
    assert [v.version for v in store.versions()] == list(range(1, versions + 1))
    if versions:
        panel = store.snapshot(versions).panel()
        for code, expected in zip(CODES, figures(number), strict=True):
            np.testing.assert_array_equal(panel.array(code)[:, 1:], expected)


def test_killed_at_random_moments_the_store_is_whole(tmp_path, nursery):
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder(tmp_path, 0)), now=NOW)
    lasts = nursery.ingest(Path(store.location), folder(tmp_path, 1))["seconds"]
    lasts = min(lasts, nursery.ingest(Path(store.location), folder(tmp_path, 2))["seconds"])
    moments = (np.arange(MOMENTS) + np.random.default_rng(7).random(MOMENTS)) / MOMENTS * 1.1 * lasts
    versions, killed = 3, 0
    for number, moment in enumerate(np.random.default_rng(8).permutation(moments), start=3):
        made = folder(tmp_path, number)
        outcome = nursery.ingest(Path(store.location), made, delay=float(moment))
        killed += outcome["killed"]
        there = len(store.versions())
        assert there in (versions, versions + 1)
        assert there == versions + 1 or outcome["killed"]
        assert_holds(store, number if there > versions else number - 1, versions=there)
        entry = store.ingest(open_dataset(made), now=NOW)
        assert entry.restated == (figures(number).size if there == versions else 0)
        versions = there + 1
        assert_holds(store, number, versions=versions)
    assert killed >= MOMENTS / 2
    for version in (1, versions // 2):
        assert store.snapshot(version).panel().array("X").shape == (PERIODS, UNITS + 1)
    assert_first_is_intact(store)


def assert_first_is_intact(store: Store) -> None:
    for code, expected in zip(CODES, figures(0), strict=True):
        np.testing.assert_array_equal(store.snapshot(1).panel().array(code)[:, 1:], expected)


COMMITS = [(call, when) for call in (1, 2, 3) for when in ("before", "after")]


@pytest.mark.parametrize(("call", "when"), COMMITS)
@pytest.mark.parametrize("stored", [0, 1])
def test_killed_around_each_commit_the_store_is_whole(tmp_path, nursery, call, when, stored):
    """The commits are those of the figures, of the definitions, and of the version, which alone makes it exist."""
    store = Store(tmp_path / "store")
    if stored:
        store.ingest(open_dataset(folder(tmp_path, 0)), now=NOW)
    made = folder(tmp_path, 1)
    assert nursery.ingest(Path(store.location), made, call=call, when=when)["killed"]
    done = (call, when) == (3, "after")
    assert_holds(store, 1 if done else 0, versions=stored + done)
    entry = store.ingest(open_dataset(made), now=NOW)
    assert (entry.added + entry.restated) == (0 if done else figures(1).size)
    assert_holds(store, 1, versions=stored + done + 1)


@pytest.mark.parametrize(("call", "when"), COMMITS)
def test_killed_while_a_definition_changes_figures_stand_under_the_old_one_or_the_new(tmp_path, nursery, call, when):
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder(tmp_path, 0)), now=NOW)
    made = folder(tmp_path, 0, definition="2")
    assert nursery.ingest(Path(store.location), made, call=call, when=when)["killed"]
    done = (call, when) == (3, "after")
    assert_holds(store, 0, versions=1 + done)
    assert store.snapshot().indicators["X"].definition_version == ("2" if done else "1")
    assert len(definition_changes(store.snapshot())) == done
    entry = store.ingest(open_dataset(made), now=NOW)
    assert entry.restated == (0 if done else figures(0)[0].size)
    assert_holds(store, 0, versions=2 + done)
    (change,) = definition_changes(store.snapshot())
    assert (change.code, change.after, change.treatment) == ("X", "2", "restated")


@pytest.mark.parametrize(("create", "when"), COMMITS)
def test_killed_while_the_store_is_made_it_is_empty(tmp_path, nursery, create, when):
    store, made = Store(tmp_path / "store"), folder(tmp_path, 1)
    assert nursery.ingest(Path(store.location), made, create=create, when=when)["killed"]
    assert_holds(store, 0, versions=0)
    store.ingest(open_dataset(made), now=NOW)
    assert_holds(store, 1, versions=1)
