"""The registry's aliases follow the records, sooner or later, and never name what is not there."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from offered_models import NAME, NOON, PASSED, model, offered, promoted, serving

from models.bundle import ModelBundle
from training.promote import MODELS, candidates, champion, champion_digest, promote, rollback, sync_all
from training.promotion.aliases import Followed, sync_challenger, synced
from training.recorded_run import RunRecord, record
from training.track import DIGEST_TAG, Tracker

TESTS = str(Path(__file__).parents[2])

# Registers, offers and promotes one model after another, aliases included, until it is killed.
PROMOTER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from offered_models import NAME, model, offered, promoted
from training.promote import candidates
from training.recorded_run import RunRecord, record
from training.track import Tracker
home = Path(sys.argv[1])
tracker = Tracker(home)
tracker.client
print("ready", flush=True)
for number in itertools.count(len(candidates(home, NAME))):
    record(tracker, RunRecord(NAME, f"run-{number}", model(number)), alias="challenger")
    offered(home, number)
    promoted(home, number, tracker=tracker)
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Iterator[Tracker]:
    """One registry for the module, since making its tables takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Tracker(tmp_path_factory.mktemp("registry"))


def registered(tracker: Tracker, name: str, bundle: ModelBundle, *, alias: str | None = None) -> int:
    return record(tracker, RunRecord(name, f"run-{bundle.version}", bundle), alias=alias)


def aliases(tracker: Tracker, name: str = NAME) -> dict[str, int]:
    return {alias: int(number) for alias, number in tracker.client.get_registered_model(name).aliases.items()}


def test_aliases_follow_offers_promotions_and_rollbacks(tmp_path, registry):
    numbers = {number: registered(registry, NAME, model(number), alias="challenger") for number in (1, 2, 3)}
    offered(tmp_path, 1)
    promoted(tmp_path, 1, tracker=registry)
    assert aliases(registry) == {"champion": numbers[1]}
    offered(tmp_path, 2)
    assert synced(tmp_path, NAME, registry) == Followed(NAME, numbers[1], numbers[2])
    assert aliases(registry) == {"champion": numbers[1], "challenger": numbers[2]}
    offered(tmp_path, 3)
    promoted(tmp_path, 3, tracker=registry)
    assert aliases(registry) == {"champion": numbers[3]}
    decision = {"by": "Li Ming", "reason": "worse", "clock": lambda: NOON, "tracker": registry}
    rollback(tmp_path, NAME, expected_champion=model(3).digest, **decision)
    assert aliases(registry) == {"champion": numbers[1]}


def test_a_model_that_is_not_registered_is_told(tmp_path, registry, caplog):
    offered(tmp_path, 8)
    promoted(tmp_path, 8, tracker=registry)
    assert "not in the registry" in caplog.text
    assert "not in the registry" in sync_all(tmp_path, registry)[0]
    assert sync_challenger(tmp_path, "never-offered", registry) is None


def test_promotions_go_on_without_a_registry_and_its_aliases_follow_later(tmp_path, registry, caplog, monkeypatch):
    number = registered(registry, "later", model(5))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = Tracker(tmp_path, "http://ann:secret@127.0.0.1:9")
    decision = {"by": "Li Ming", "reason": "better", "clock": lambda: NOON, "gates": [PASSED], "tracker": away}
    promote(tmp_path, "later", model(5), expected_champion=None, **decision)
    assert champion(tmp_path, "later") == model(5)
    assert "was not moved" in caplog.text
    assert "secret" not in caplog.text
    assert sync_all(tmp_path, registry) == ()
    assert aliases(registry, "later") == {"champion": number}


def test_damage_to_one_model_stops_no_other(tmp_path, registry):
    number = registered(registry, "whole", model(6))
    decision = {"by": "Li Ming", "reason": "better", "clock": lambda: NOON, "gates": [PASSED]}
    promote(tmp_path, "whole", model(6), expected_champion=None, **decision)
    serving(tmp_path, 1)
    (tmp_path / MODELS / NAME / "promotions.jsonl").write_text("{}\n")
    (broken,) = sync_all(tmp_path, registry)
    assert broken.startswith(f"{NAME}: ")
    assert "promotion record" in broken
    assert aliases(registry, "whole") == {"champion": number}


def test_kills_at_random_moments_leave_no_alias_dangling(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    moments, tracker = random.Random(66), Tracker(tmp_path)
    tracker.client  # noqa: B018 - makes the tables once
    for _ in range(4):
        command = [sys.executable, "-c", PROMOTER, str(tmp_path), TESTS]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
            time.sleep(0.3 + 1.5 * moments.random())
            worker.kill()
        digest = champion_digest(tmp_path, NAME)
        served = champion(tmp_path, NAME)
        assert (served.digest if served else None) == digest
        assert sync_all(tmp_path, tracker) == ()
        if candidates(tmp_path, NAME):
            named = aliases(tracker)
            waiting = candidates(tmp_path, NAME)[-1].digest
            expected = {"champion": digest} if digest else {}
            expected |= {"challenger": waiting} if waiting != digest else {}
            found = {alias: tracker.client.get_model_version(NAME, str(named[alias])) for alias in named}
            assert {alias: version.tags[DIGEST_TAG] for alias, version in found.items()} == expected
            for alias in named:
                fetched = tracker.fetch(NAME, alias, into=tmp_path / f"got {alias} {named[alias]}")
                assert fetched.digest == expected[alias]
    assert champion_digest(tmp_path, NAME) is not None
