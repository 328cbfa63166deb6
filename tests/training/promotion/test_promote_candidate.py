"""Promoting what is on record: gates, signatures, second people, force; one winner whatever happens."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from offered_models import NAME, NOON, UNSTABLE, WORSE, model, offered, promoted, serving

from features.errors import LoadlineError
from training.promote import MODELS, candidates, champion, champion_digest, history, promote_candidate, rollback
from training.promotion.verifying import verify

TESTS = str(Path(__file__).parents[2])

# Waits for the file that starts the race, then promotes one offered model against no champion.
RACER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from offered_models import promoted
from features.errors import LoadlineError
home, number = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
while not (home / "go").exists():
    time.sleep(0.001)
try:
    print("won", promoted(home, number, by=f"person {number}", expected_champion=None).champion)
except LoadlineError as error:
    print("lost", error.what)
"""

# Offers and promotes one model after another until it is killed; goes on from what is on record, as a run does.
PROMOTER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from offered_models import NAME, offered, promoted
from training.promote import candidates
for number in itertools.count(max(len(candidates(sys.argv[1], NAME)) - 1, 0)):
    offered(Path(sys.argv[1]), number)
    promoted(Path(sys.argv[1]), number)
    print("promoted", flush=True)
"""


def test_a_model_that_passed_is_promoted_and_recorded_with_its_run(tmp_path):
    offered(tmp_path, 1)
    done = promoted(tmp_path, 1)
    assert champion(tmp_path, NAME) == model(1)
    assert (done.by, done.asked_by, done.run, done.reason) == ("Wang Fang", "Li Ming", "run-1", "better")
    assert (done.signed, done.forced, done.overridden) == (False, False, ())
    assert history(tmp_path, NAME) == (done,)


def test_the_same_promotion_twice_changes_nothing(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2)
    done = promoted(tmp_path, 2, expected_champion=model(1).digest)
    assert promoted(tmp_path, 2, expected_champion=model(1).digest, by="Somebody else") == done
    assert promoted(tmp_path, 2, expected_champion=model(2).version) == done
    assert len(history(tmp_path, NAME)) == 2
    with pytest.raises(LoadlineError, match="champion has changed"):
        promoted(tmp_path, 2, expected_champion=None)


def test_a_failed_gate_says_which_and_by_how_much_and_leaves_the_champion(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2, WORSE)
    with pytest.raises(LoadlineError, match=r"champion: It is worse by 40%\. \(measured 1\.4, limit 1\)"):
        promoted(tmp_path, 2)
    with pytest.raises(LoadlineError, match="may not be promoted"):
        promoted(tmp_path, 2, signed=True)
    assert champion(tmp_path, NAME) == model(1)


def test_a_gate_left_to_a_person_needs_a_signature(tmp_path):
    offered(tmp_path, 1, UNSTABLE)
    with pytest.raises(LoadlineError, match="sign for it") as caught:
        promoted(tmp_path, 1)
    assert "--sign" in caught.value.hint
    done = promoted(tmp_path, 1, signed=True, reason="The new drivers follow the new product.")
    assert (done.signed, done.forced, done.overridden) == (True, False, ())
    assert history(tmp_path, NAME)[-1].signed


def test_force_stays_on_the_record_with_what_it_overrode(tmp_path):
    offered(tmp_path, 1, WORSE, UNSTABLE)
    with pytest.raises(LoadlineError, match="name and a reason"):
        promoted(tmp_path, 1, force=True, reason="  ")
    done = promoted(tmp_path, 1, force=True, reason="The supervisor asks for it.")
    assert (done.forced, done.overridden) == (True, ("champion", "stability"))
    serving(tmp_path, 2)
    assert history(tmp_path, NAME)[0].forced
    assert not history(tmp_path, NAME)[1].forced


def test_force_with_a_signature_overrides_only_the_rest(tmp_path):
    offered(tmp_path, 1, WORSE, UNSTABLE)
    done = promoted(tmp_path, 1, force=True, signed=True)
    assert (done.signed, done.forced, done.overridden) == (True, True, ("champion",))


def test_force_that_overrides_nothing_is_not_called_force(tmp_path):
    offered(tmp_path, 1)
    assert not promoted(tmp_path, 1, force=True).forced


def test_two_people_are_needed_also_with_force_but_not_to_go_back(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2)
    for force in (False, True):
        with pytest.raises(LoadlineError, match="Somebody other than Li Ming"):
            promoted(tmp_path, 2, two_people=True, by=" LI ming", force=force)
    done = promoted(tmp_path, 2, two_people=True)
    assert (done.by, done.asked_by) == ("Wang Fang", "Li Ming")
    back = rollback(tmp_path, NAME, by="Li Ming", reason="worse", expected_champion=done.champion, clock=lambda: NOON)
    assert (back.champion, back.run, back.asked_by) == (model(1).digest, "run-1", "Li Ming")


def test_a_comparison_with_another_champion_is_refused_or_forced(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2)
    serving(tmp_path, 3)
    with pytest.raises(
        LoadlineError, match=f"compared with {model(1).version}, and the champion is {model(3).version}"
    ):
        promoted(tmp_path, 2)
    assert promoted(tmp_path, 2, force=True).overridden == ("comparison",)


@pytest.mark.parametrize("expected", [None, "0" * 64, model(2).digest, model(1).digest[:5], ""])
def test_a_decision_against_another_champion_is_refused(tmp_path, expected):
    serving(tmp_path, 1)
    offered(tmp_path, 3)
    with pytest.raises(LoadlineError, match="champion has changed"):
        promoted(tmp_path, 3, expected_champion=expected, force=True)
    assert champion(tmp_path, NAME) == model(1)


def test_what_was_never_offered_is_not_promoted(tmp_path):
    offered(tmp_path, 1)
    with pytest.raises(LoadlineError, match="no candidate"):
        promoted(tmp_path, 2)
    with pytest.raises(LoadlineError, match="cannot name"):
        promote_candidate(
            tmp_path, "../x", "abcd", by="a", reason="b", expected_champion=None, clock=lambda: NOON, two_people=False
        )


@pytest.mark.parametrize("changes", [{"by": " "}, {"reason": ""}, {"clock": lambda: NOON.replace(tzinfo=None)}])
def test_who_why_and_when_are_needed(tmp_path, changes):
    offered(tmp_path, 1)
    with pytest.raises(LoadlineError):
        promoted(tmp_path, 1, **changes)
    assert history(tmp_path, NAME) == ()


def test_a_promotion_whose_head_was_lost_in_a_crash_is_finished_by_the_same_again(tmp_path):
    serving(tmp_path, 1)
    head = tmp_path / MODELS / NAME / "promotions.head"
    before = head.read_bytes()
    serving(tmp_path, 2)
    after = head.read_bytes()
    head.write_bytes(before)
    assert champion(tmp_path, NAME) == model(2)
    promoted(tmp_path, 2, expected_champion=model(1).digest)
    assert head.read_bytes() == after


def test_two_processes_at_once_have_one_winner(tmp_path):
    offered(tmp_path, 1)
    offered(tmp_path, 2, run="run-2")
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path), number, TESTS], stdout=subprocess.PIPE, text=True)
        for number in ("1", "2")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    answers = sorted(racer.communicate(timeout=60)[0].split(maxsplit=1) for racer in racers)
    assert [answer[0] for answer in answers] == ["lost", "won"]
    assert "champion has changed" in answers[0][1]
    assert champion_digest(tmp_path, NAME) == answers[1][1].strip()
    assert len(history(tmp_path, NAME)) == 1


def test_kills_at_random_moments_leave_one_whole_champion(tmp_path):
    moments = random.Random(61)
    known = 0
    for _ in range(8):
        command = [sys.executable, "-c", PROMOTER, str(tmp_path), TESTS]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"promoted\n"
            time.sleep(0.15 * moments.random())
            worker.kill()
        record, offers = history(tmp_path, NAME), candidates(tmp_path, NAME)
        assert len(record) >= known
        known = len(record)
        assert [promotion.run for promotion in record] == [candidate.run for candidate in offers[: len(record)]]
        assert len(record) <= len(offers) <= len(record) + 1
        served = champion(tmp_path, NAME)
        assert served is not None
        assert served.digest == record[-1].champion
    serving(tmp_path, len(offers))
    assert {checked.state for checked in verify(tmp_path)} == {"ok"}
    assert not list((tmp_path / MODELS / NAME).glob(".*"))


def test_what_a_killed_offer_left_half_written_stops_nobody_and_is_cleared(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2)
    folder = tmp_path / MODELS / NAME
    for act in (
        lambda: promoted(tmp_path, 2),
        lambda: promoted(tmp_path, 2),
        lambda: rollback(tmp_path, NAME, by="a", reason="b", expected_champion=model(2).digest, clock=lambda: NOON),
    ):
        model(3).save(folder / ".0123.partial")
        (folder / ".promotions.head.0123.partial").write_text("1 ")
        act()
        assert not list(folder.glob(".*"))
    assert champion(tmp_path, NAME) == model(1)
