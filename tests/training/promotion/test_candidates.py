"""Candidates on record: offered once, found again, whole after a kill."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from offered_models import NAME, NOON, UNSTABLE, model, offered, promoted

from features.errors import LoadlineError
from models.bundle import ModelBundle
from training.promote import MODELS, candidates, champion, kept_bundle
from training.promotion.candidates import CANDIDATES, find_candidate
from training.promotion.copies import keep
from training.promotion.verifying import verify

# Offers one model after another until it is killed; begins anew with the first, as a step that is done again does.
OFFERER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from offered_models import offered
for number in itertools.count():
    offered(Path(sys.argv[1]), number)
    print("offered", flush=True)
"""


def test_an_offer_is_kept_and_on_record_and_nothing_serves(tmp_path):
    first = offered(tmp_path, 1, UNSTABLE, about={"registered": 7})
    assert candidates(tmp_path, NAME) == (first,)
    assert (first.number, first.at, first.by, first.run) == (1, NOON, "Li Ming", "run-1")
    assert (first.digest, first.kind, first.against) == (model(1).digest, "target", None)
    assert first.gates == first.failed == (UNSTABLE,)
    assert dict(first.meta) == {"as_of": "2024-12", "data_version": 3, "fingerprint": "ab12"}
    assert dict(first.about) == {"registered": 7}
    assert kept_bundle(tmp_path, NAME, first.digest) == model(1)
    assert champion(tmp_path, NAME) is None


def test_the_same_offer_again_adds_nothing_and_repairs_the_copy(tmp_path):
    first = offered(tmp_path, 1)
    (tmp_path / MODELS / NAME / first.version / "meta.json").write_text("{}")
    assert offered(tmp_path, 1, by="Wang Fang", clock=lambda: NOON.replace(year=2026)) == first
    assert candidates(tmp_path, NAME) == (first,)
    assert kept_bundle(tmp_path, NAME, first.digest) == model(1)


def test_another_run_of_the_same_model_is_another_offer(tmp_path):
    offered(tmp_path, 1)
    again = offered(tmp_path, 1, run="run-9", by="Wang Fang")
    assert [candidate.run for candidate in candidates(tmp_path, NAME)] == ["run-1", "run-9"]
    assert find_candidate(tmp_path, NAME, model(1).version) == again


def test_an_offer_remembers_the_champion_that_it_was_compared_with(tmp_path):
    offered(tmp_path, 1)
    promoted(tmp_path, 1)
    assert offered(tmp_path, 2).against == model(1).digest
    assert offered(tmp_path, 3, against=None).against is None
    assert offered(tmp_path, 4, against=model(9).digest).against == model(9).digest


def test_candidates_are_found_by_the_beginning_of_their_version(tmp_path):
    with pytest.raises(LoadlineError, match="no candidate on record"):
        find_candidate(tmp_path, NAME)
    offered(tmp_path, 1)
    newest = offered(tmp_path, 2)
    assert find_candidate(tmp_path, NAME) == newest
    for version in (model(1).digest, model(1).version, model(1).digest[:4].upper(), f" {model(1).version} "):
        assert find_candidate(tmp_path, NAME, version).digest == model(1).digest
    for version in ("", model(1).digest[:3], "zzzz", model(1).digest + "0", "../" + model(1).version):
        with pytest.raises(LoadlineError, match="no candidate"):
            find_candidate(tmp_path, NAME, version)


def test_a_beginning_that_names_two_is_refused(tmp_path):
    numbers: dict[str, int] = {}
    for number in range(1_000):  # four digits of some pair agree long before
        begins = model(number).digest[:4]
        if begins in numbers:
            break
        numbers[begins] = number
    offered(tmp_path, numbers[begins])
    offered(tmp_path, number)
    with pytest.raises(LoadlineError, match="names several"):
        find_candidate(tmp_path, NAME, begins)


@pytest.mark.parametrize("changes", [{"by": " "}, {"run": ""}, {"name": "../x"}, {"clock": NOON.replace(tzinfo=None)}])
def test_an_offer_needs_a_run_a_name_and_a_time(tmp_path, changes):
    settled = {key: (lambda at=value: at) if key == "clock" else value for key, value in changes.items()}
    with pytest.raises(LoadlineError):
        offered(tmp_path, 1, **settled)
    assert not (tmp_path / MODELS / NAME / CANDIDATES).exists()


def test_what_is_said_about_it_must_be_plain(tmp_path):
    with pytest.raises(LoadlineError, match="cannot be recorded"):
        offered(tmp_path, 1, about={"loss": float("nan")})
    assert candidates(tmp_path, NAME) == ()


def test_a_kill_between_copy_and_record_is_made_good_by_the_next_offer(tmp_path):
    keep(tmp_path, NAME, model(1))
    assert candidates(tmp_path, NAME) == ()
    assert offered(tmp_path, 1).number == 1


def test_kills_at_random_moments_leave_each_offer_once_and_whole(tmp_path):
    moments = random.Random(6)
    tests = str(Path(__file__).parents[2])
    for _ in range(8):
        command = [sys.executable, "-c", OFFERER, str(tmp_path), tests]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"offered\n"
            time.sleep(0.15 * moments.random())
            worker.kill()
        found = candidates(tmp_path, NAME)
        assert [candidate.run for candidate in found] == [f"run-{number}" for number in range(len(found))]
        assert {checked.state for checked in verify(tmp_path)} <= {"ok", "not on record"}  # a copy not yet on record
    final = offered(tmp_path, len(found))
    assert final.number == len(found) + 1
    assert {checked.state for checked in verify(tmp_path)} == {"ok"}
    folder = tmp_path / MODELS / NAME
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert all(ModelBundle.load(path).version == path.name for path in folder.iterdir() if path.is_dir())
