"""The record of reviews: whole after any crash, sealed against any hand, and the same for all who read it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from review_record import ABOUT, BANK, REASON, Clock, alert, alerts, open_desk, standings

from features.errors import LoadlineError
from training.review.acts import Desk, assign, decide, note
from training.review.raising import record_raised
from training.review.record import RECORD, dataset_folder, read_record
from training.review.sampling import draw_below

# Writes, in a process that is killed around one of its calls of fsync.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from training.review.acts import Desk, decide

home, call, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
count, fsync = 0, os.fsync

def killed(handle):
    global count
    count += 1
    if count == call and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(handle)
    if count == call and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

os.fsync = killed
desk = Desk(home, "sample-bank", lambda: datetime(2025, 6, 1, tzinfo=UTC))
decide(desk, "B01@2024-10", "confirmed", by="Li Ming")
"""

# Writes one note after another until it is killed.
WRITER = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from training.review.acts import Desk, note

desk = Desk(Path(sys.argv[1]), "sample-bank", lambda: datetime.now(UTC))
for number in itertools.count():
    note(desk, "B01@2024-10", text=f"note {sys.argv[2]}.{number}", by="Li Ming")
    print("written", flush=True)
"""


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}


def path_of(home: Path) -> Path:
    return dataset_folder(home, BANK) / RECORD


def test_what_was_written_is_read_back(tmp_path):
    desk = open_desk(tmp_path)
    entry = assign(desk, "B02@2024-10", to="王芳", by="Li Ming", due=date(2025, 2, 1), text="先看保证金")
    record = read_record(tmp_path, BANK)
    assert record.entries[-1] == entry
    assert entry.number == 2
    assert entry.at == datetime.fromisoformat("2025-01-15T11:30:00+00:00")  # the clock was read for the date due, too
    case = record.cases["B02@2024-10"]
    assert (case.shown.score, case.shown.detectors, case.about["model_version"]) == (0.8, ("W01", "W03"), "warning-1")
    assert (case.due, case.status, case.version) == (date(2025, 2, 1), "assigned", 2)


def test_only_what_is_new_or_different_is_raised(tmp_path):
    clock = Clock()
    table = alerts()
    assert record_raised(tmp_path, BANK, table, ABOUT, clock) == ("B01@2024-10", "B02@2024-10", "B03@2024-10")
    assert record_raised(tmp_path, BANK, table, ABOUT | {"data_version": 4}, clock) == ()
    later = alerts(alert("B01", last="2025-01", severity="red"), alert("B02", score=0.8), alert("B09"))
    assert record_raised(tmp_path, BANK, later, ABOUT, clock) == ("B01@2024-10", "B09@2024-10")
    cases = read_record(tmp_path, BANK).cases
    assert [showing.shown.last for showing in cases["B01@2024-10"].showings] == ["2024-12", "2025-01"]
    assert len(path_of(tmp_path).read_bytes().splitlines()) == 2


@pytest.mark.parametrize("probability", [float("nan"), None, pd.NA])
def test_no_probability_is_kept_as_none(tmp_path, probability):
    record_raised(tmp_path, BANK, alerts(alert("B01", probability=probability)), ABOUT, Clock())
    assert read_record(tmp_path, BANK).cases["B01@2024-10"].shown.probability is None
    assert record_raised(tmp_path, BANK, alerts(alert("B01", probability=probability)), ABOUT, Clock()) == ()


def test_figures_of_any_kind_are_kept_as_figures(tmp_path):
    row = alert(
        "B01", score=np.float32(0.5), probability=np.float32(0.25), open=np.bool_(True), detectors=("W01", "W02")
    )
    about = {
        "data_version": np.int64(3),
        "level": np.float64(0.2),
        "budget": float("nan"),
        "known_on": date(2025, 1, 10),
    }
    record_raised(tmp_path, BANK, alerts(row), about | {"unheard": object()}, Clock())
    case = read_record(tmp_path, BANK).cases["B01@2024-10"]
    assert (case.shown.score, case.shown.probability, case.shown.detectors) == (0.5, 0.25, ("W01", "W02"))
    assert case.about == {"data_version": 3, "level": 0.2, "budget": None, "known_on": "2025-01-10"}


def test_a_score_that_differs_unseen_is_no_change(tmp_path):
    record_raised(tmp_path, BANK, alerts(alert("B01", score=0.5)), ABOUT, Clock())
    assert record_raised(tmp_path, BANK, alerts(alert("B01", score=0.5 + 1e-9)), ABOUT, Clock()) == ()
    assert record_raised(tmp_path, BANK, alerts(alert("B01", score=0.51)), ABOUT, Clock()) == ("B01@2024-10",)


def test_a_period_is_drawn_for_once(tmp_path):
    listed = alerts(alert("U00"), alert("U01"))
    first = draw_below(standings(listed=2), listed, period="2024-12", seed=1)
    other = draw_below(standings(listed=2), listed, period="2024-12", seed=2)
    assert first.rows["alert"].tolist() != other.rows["alert"].tolist()
    record_raised(tmp_path, BANK, listed, ABOUT, Clock(), draw=first)
    assert record_raised(tmp_path, BANK, listed, ABOUT, Clock(), draw=other) == ()
    (drawing,) = read_record(tmp_path, BANK).draws
    assert list(drawing.chances) == first.rows["alert"].tolist()
    assert (drawing.below, drawing.above) == (38, ("U00@2024-10", "U01@2024-10"))
    (key,) = drawing.chances
    case = read_record(tmp_path, BANK).cases[key]
    assert case.shown.sampled
    assert case.chance == pytest.approx(first.rows["chance"].iloc[0])


def test_the_record_as_of_a_day_knows_nothing_later(tmp_path):
    desk = open_desk(tmp_path)
    decide(
        replace(desk, clock=Clock(datetime.fromisoformat("2025-03-01T10:00+00:00"))), "B01@2024-10", "confirmed", by="A"
    )
    record = read_record(tmp_path, BANK)
    assert record.known_on(date(2025, 2, 28)).cases["B01@2024-10"].disposition is None
    assert record.known_on(date(2025, 3, 1)).cases["B01@2024-10"].verdict is True
    assert record.known_on(date(2025, 1, 14)).cases == {}


def _swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1]]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"merged", b"bribed"), lines[2]], "line 3 .* does not follow"),
        (lambda lines: [lines[0], lines[2]], "line 2 .* does not follow"),
        (_swapped, "line 2 .* does not follow"),
        (lambda lines: lines[1:], "line 1 .*"),
        (lambda lines: [lines[0], b"{}", lines[2]], "line 2 .* cannot be read"),
        (lambda lines: [b"[1]", *lines[1:]], "line 1 .* cannot be read"),
    ],
)
def test_a_record_changed_by_hand_is_refused(tmp_path, spoil, words):
    desk = open_desk(tmp_path)
    decide(desk, "B01@2024-10", "dismissed", by="Li Ming", reason=REASON)
    note(desk, "B01@2024-10", text="seen", by="Li Ming")
    path = path_of(tmp_path)
    path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(LoadlineError, match=words):
        read_record(tmp_path, BANK)
    before = path.read_bytes()
    with pytest.raises(LoadlineError, match=words):
        note(desk, "B01@2024-10", text="again", by="Li Ming")
    assert path.read_bytes() == before


@pytest.mark.parametrize("given", [{"entry": 1}, {"entry": 9}, {"entry": "2"}, {}])
def test_an_undoing_of_nothing_is_refused(tmp_path, given):
    desk = open_desk(tmp_path)
    note(desk, "B01@2024-10", text="seen", by="Li Ming")
    path = path_of(tmp_path)
    lines = path.read_bytes().splitlines()
    plain = json.loads(lines[1]) | {"action": "undone", "given": given}
    path.write_bytes(lines[0] + b"\n" + json.dumps(plain).encode() + b"\n")
    with pytest.raises(LoadlineError, match="undoes what is not on record"):
        read_record(tmp_path, BANK)


@pytest.mark.parametrize("name", ["../away", "", ".hidden", "a/b"])
def test_a_dataset_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(LoadlineError):
        record_raised(tmp_path, name, alerts(), ABOUT, Clock())
    assert list(tmp_path.iterdir()) == []


def test_a_clock_without_a_zone_is_refused(tmp_path):
    with pytest.raises(LoadlineError, match="without a zone"):
        record_raised(tmp_path, BANK, alerts(), ABOUT, lambda: datetime(2025, 1, 1))  # noqa: DTZ001
    assert read_record(tmp_path, BANK).entries == ()


def test_two_deciding_at_once_have_one_winner(tmp_path):
    desk = open_desk(tmp_path)
    start = threading.Barrier(2)
    answers: dict[str, str] = {}

    def race(name: str, decision: str) -> None:
        start.wait()
        try:
            answers[name] = decide(desk, "B01@2024-10", decision, by=name, reason=REASON).action
        except LoadlineError as error:
            answers[name] = str(error)

    racers = [threading.Thread(target=race, args=pair) for pair in (("Ann", "confirmed"), ("Bo", "dismissed"))]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    found = read_record(tmp_path, BANK).cases["B01@2024-10"]
    assert len(found.entries) == 1
    winner = found.entries[0].by
    loser = next(name for name in answers if name != winner)
    assert answers[winner] == found.status
    assert f"{found.status} by {winner}" in answers[loser]
    assert f"--after {found.version}" in answers[loser]


@pytest.mark.parametrize(("call", "when"), [(call, when) for call in (1, 2) for when in ("before", "after")])
def test_a_kill_around_each_write_leaves_the_old_state_or_the_new(tmp_path, call, when):
    desk = open_desk(tmp_path)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(call), when], env=environment(), check=False
    )
    assert killed.returncode == -9
    assert read_record(tmp_path, BANK).cases["B01@2024-10"].status in ("new", "confirmed")
    note(desk, "B01@2024-10", text="goes on", by="Li Ming")
    assert read_record(tmp_path, BANK).cases["B01@2024-10"].notes[-1].text == "goes on"


def test_nothing_is_written_after_what_the_test_above_kills(tmp_path):
    open_desk(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "3", "before"], env=environment(), check=False)
    assert done.returncode == 0


def test_a_kill_at_any_moment_leaves_a_whole_record(tmp_path):
    moments = random.Random(7)
    open_desk(tmp_path)
    count = 1
    for start in range(3):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(0.05 * moments.random())
            worker.kill()
        entries = read_record(tmp_path, BANK).entries
        assert len(entries) > count
        assert [entry.text for entry in entries if entry.text.startswith(f"note {start}.")] == [
            f"note {start}.{number}" for number in range(len(entries) - count)
        ]
        count = len(entries)


def test_nothing_about_reviews_is_made_by_reading(tmp_path):
    assert read_record(tmp_path, BANK).entries == ()
    assert list(tmp_path.iterdir()) == []
    assert Desk(tmp_path, BANK, Clock()).home == tmp_path
