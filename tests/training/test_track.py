"""Where models are registered: the embedded database; one process each way where MLflow must be imported afresh."""

import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.errors import LoadlineError
from models.bundle import ModelBundle
from training.gating.gate import Gate
from training.promote import champion, promote, rollback
from training.recorded_run import RunRecord, record
from training.track import Tracker

GATES = (Gate("beats_baseline", True, 0.94, (1.0,), {"en": "Better.", "zh": "更优。"}),)

# Registers a model in a new home, with every way out of the process watched and no sign of being under test.
FIRST_USE = """
import sys
from pathlib import Path

reached = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        reached.append((event, str(arguments)))
sys.addaudithook(watch)

from models.bundle import ModelBundle
from training.recorded_run import RunRecord, record
from training.signature import signature
from training.track import Tracker
import training.promote
assert "mlflow" not in sys.modules and "pandas" not in sys.modules, "imported too early"

home, seed = Path(sys.argv[1]), int(sys.argv[2])
tracker, bundle = Tracker(home), ModelBundle("target", {"seed": seed})
print("ready", flush=True)
while not (home / "go").exists():
    pass
files = {"signature.json": signature(bundle)}
version = record(tracker, RunRecord("target", f"seed-{seed}", bundle, metrics={None: {"loss_ratio": 0.9}}, files=files))
import threading
assert not [t for t in threading.enumerate() if "telemetry" in t.name.lower()], "telemetry runs"
assert not reached, reached
print(version)
"""
TEST_MARKS = ("PYTEST_", "CI", "GITHUB_", "MLFLOW_", "DO_NOT_TRACK")


def model(number: int) -> ModelBundle:
    meta = {"data_version": 3, "fingerprint": "ab12", "as_of": "2024-12", "number": number}
    return ModelBundle("target", meta, {"D01": f"tree {number}\n"}, {"scale": np.arange(3.0)})


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """One home for the module, since making its tables takes seconds; at a path that an address must carry unharmed."""
    folder = tmp_path_factory.mktemp("home") / "家 #1"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def tracker(home) -> Iterator[Tracker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Tracker(home)


def registered(tracker: Tracker, name: str, number: int, *, alias: str | None = None) -> int:
    return record(tracker, RunRecord(name, f"{name}-{number}", model(number)), alias=alias)


def artifact(tracker: Tracker, name: str, version: int) -> Path:
    """Find the folder in which the embedded default keeps a version's bundle."""
    run = tracker.client.get_model_version(name, str(version)).run_id or "?"
    return next(path for path in (Path(tracker.home) / "mlflow" / "artifacts").rglob("bundle") if run in str(path))


def test_two_processes_migrate_a_new_home_at_once_and_nothing_leaves_the_host(home):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(TEST_MARKS)}
    command = [sys.executable, "-c", FIRST_USE, str(home)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    workers = [subprocess.Popen([*command, seed], **pipes) for seed in ("1", "2")]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    (home / "go").touch()
    answers = [worker.communicate(timeout=120) for worker in workers]
    assert [errors for _, errors in answers] == ["", ""]
    assert sorted(out.strip() for out, _ in answers) == ["1", "2"]
    assert {path.name for path in home.iterdir()} == {"go", "mlflow"}
    assert {path.name for path in home.parent.iterdir()} == {home.name}


def test_a_registered_model_comes_back_verified(tracker, tmp_path):
    number = registered(tracker, "fetched", 1, alias="challenger")
    assert tracker.fetch("fetched", number, into=tmp_path / "one") == model(1)
    assert tracker.fetch("fetched", "challenger", into=tmp_path / "two") == model(1)
    assert tracker.fetch("fetched", str(number), into=tmp_path / "three") == model(1)
    assert ModelBundle.load(tmp_path / "two", expected=model(1).digest) == model(1)
    version = tracker.client.get_model_version("fetched", str(number))
    assert version.tags == {
        "loadline.run": "fetched-1",
        "loadline.digest": model(1).digest,
        "loadline.kind": "target",
        "loadline.data_version": "3",
        "loadline.fingerprint": "ab12",
        "loadline.as_of": "2024-12",
    }
    assert version.current_stage in (None, "None")


@pytest.mark.parametrize("harm", ["change", "add", "remove"])
def test_a_tampered_registry_is_refused_and_leaves_nothing(tracker, tmp_path, harm):
    number = registered(tracker, f"tampered-{harm}", 1)
    folder = artifact(tracker, f"tampered-{harm}", number)
    if harm == "change":
        forged = model(2).save(tmp_path / "forged")
        for path in forged.rglob("*"):
            if path.is_file():
                (folder / path.relative_to(forged)).write_bytes(path.read_bytes())
    elif harm == "add":
        (folder / "python_model.pkl").write_bytes(b"")
    else:
        (folder / "meta.json").unlink()
    with pytest.raises(LoadlineError):
        tracker.fetch(f"tampered-{harm}", number, into=tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_what_is_not_there_says_so(tracker, tmp_path):
    for version in (99, "champion"):
        with pytest.raises(LoadlineError, match="MLflow"):
            tracker.fetch("nothing", version, into=tmp_path / "got")


def test_a_version_without_a_digest_is_refused(tracker, tmp_path):
    number = registered(tracker, "bare", 1)
    source = artifact(tracker, "bare", number).as_uri()
    made = tracker.client.create_model_version("bare", source)
    with pytest.raises(LoadlineError, match="no digest"):
        tracker.fetch("bare", int(made.version), into=tmp_path / "got")


def test_the_alias_follows_promotion_and_rollback(tracker, tmp_path):
    decide = {
        "by": "li.ming",
        "reason": "better",
        "clock": lambda: datetime(2025, 3, 1, tzinfo=UTC),
        "tracker": tracker,
    }
    expected = None
    for number in (1, 2):
        registered(tracker, "aliased", number)
        expected = promote(
            tmp_path, "aliased", model(number), expected_champion=expected, gates=GATES, **decide
        ).champion
        assert tracker.fetch("aliased", "champion", into=tmp_path / f"got {number}") == champion(tmp_path, "aliased")
    rollback(tmp_path, "aliased", expected_champion=expected, **decide)
    assert tracker.fetch("aliased", "champion", into=tmp_path / "back") == champion(tmp_path, "aliased") == model(1)


def test_promotion_goes_on_without_a_registry(tmp_path, caplog):
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_text("this is no database, and long enough to be seen as such" * 20)
    with caplog.at_level(logging.WARNING, logger="training.promotion.aliases"):
        promote(
            tmp_path,
            "target",
            model(1),
            by="li.ming",
            reason="better",
            expected_champion=None,
            gates=GATES,
            clock=lambda: datetime(2025, 3, 1, tzinfo=UTC),
            tracker=Tracker(tmp_path),
        )
    assert champion(tmp_path, "target") == model(1)
    assert "not moved" in caplog.text
    assert "not a database" in caplog.text


def test_a_home_that_no_address_can_name_is_refused_at_once(tmp_path):
    with pytest.raises(LoadlineError, match="address"):
        Tracker(tmp_path / "100%25").client.search_experiments()
    assert {path.name for path in tmp_path.iterdir()} == {"100%25"}


def test_a_password_is_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9/")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker(tmp_path)
    assert tracker.uri.startswith("http://ann:secret@")
    with pytest.raises(LoadlineError) as caught:
        registered(tracker, "unreachable", 1)
    assert caught.value.where == "http://127.0.0.1:9/"
    assert "secret" not in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("statements", [3, 60, 150])
def test_a_database_that_was_being_made_when_the_process_was_killed_is_made_anew(
    tmp_path: Path, statements: int
) -> None:
    dies = f"""
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from training.track import Tracker
count = 0
@event.listens_for(Engine, "before_cursor_execute")
def counted(*_):
    global count
    count += 1
    if count == {statements}:
        os.kill(os.getpid(), signal.SIGKILL)
Tracker(Path(sys.argv[1])).client
"""
    ended = subprocess.run([sys.executable, "-c", dies, str(tmp_path)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert Tracker(tmp_path).client.search_registered_models() == []
    left = [path.name for path in (tmp_path / "mlflow").iterdir()]
    assert sorted(left) == ["lock", "mlflow.db"]
