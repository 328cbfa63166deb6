"""The record of runs: one for equal requests, its state from its log, whole whatever kills the writer."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retraining_bank import REQUEST

from features.errors import LoadlineError
from features.indicators import Title
from training.retraining.runs import LOG, PROGRESS, RUNS, WORKER_LOCK, Advance, Run, Runs, worker_at_work

SAID = Title(en="Something.", zh="某事。")


def clock() -> Iterator[datetime]:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    while True:
        yield at
        at += timedelta(seconds=1)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    times = clock()
    return Runs(tmp_path, lambda: next(times))


def test_the_same_request_twice_is_one_run(runs: Runs) -> None:
    first, new = runs.ask(REQUEST)
    again, newer = runs.ask(replace(REQUEST, by="somebody else"))
    assert (new, newer) == (True, False)
    assert again.folder == first.folder
    assert [run.name for run in runs.every()] == [REQUEST.run]


def test_the_same_request_at_the_same_time_is_one_run(runs: Runs) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: runs.ask(REQUEST), range(64)))
    assert sum(new for _, new in found) == 1
    assert {run.name for run, _ in found} == {REQUEST.run}
    assert [event.kind for event in found[0][0].events] == ["queued"]


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_after_a_run_that_came_to_nothing_the_same_request_makes_another(runs: Runs, end: str) -> None:
    first, _ = runs.ask(REQUEST)
    first.say(end, SAID)  # type: ignore[arg-type]
    second, new = runs.ask(REQUEST)
    assert new
    assert second.name != first.name
    assert second.request.attempt == 2


def test_after_a_run_that_is_done_the_same_request_is_that_run(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    run.say("done", SAID)
    again, new = runs.ask(REQUEST)
    assert not new
    assert again.state == "done"


def test_a_request_that_was_being_written_when_its_process_died_is_no_run(runs: Runs, tmp_path: Path) -> None:
    run, _ = runs.ask(REQUEST)
    run.folder.rename(run.folder.with_name(f".{run.name}.0123abcd.partial"))
    assert runs.every() == runs.waiting() == ()
    assert runs.ask(REQUEST)[1]


def test_runs_wait_until_they_end_the_oldest_first(runs: Runs) -> None:
    asked = [runs.ask(replace(REQUEST, seed=seed, at=f"2025-01-0{9 - seed}T00:00:00+00:00"))[0] for seed in (1, 2, 3)]
    asked[1].say("started", SAID, step="read")
    assert [run.name for run in runs.waiting()] == [run.name for run in reversed(asked)]
    asked[1].say("failed", SAID)
    assert asked[1].ended
    assert [run.name for run in runs.waiting()] == [asked[2].name, asked[0].name]


def test_the_state_follows_the_log(runs: Runs, tmp_path: Path) -> None:
    run, _ = runs.ask(REQUEST)
    assert run.state == "queued"
    run.say("started", SAID, step="read")
    assert run.state == "interrupted"
    lock = tmp_path / RUNS / WORKER_LOCK
    with open(lock, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert worker_at_work(tmp_path)
        assert run.state == "running"
    assert not worker_at_work(tmp_path)
    run.say("done", SAID)
    assert run.state == "done"


def test_waiting_runs_come_oldest_first_and_ended_ones_do_not(runs: Runs) -> None:
    late = runs.ask(replace(REQUEST, seed=1, at="2025-01-02"))[0]
    early = runs.ask(replace(REQUEST, seed=2, at="2025-01-01"))[0]
    over = runs.ask(replace(REQUEST, seed=3, at="2025-01-03"))[0]
    over.say("done", SAID)
    assert [run.name for run in runs.waiting()] == [early.name, late.name]
    assert [run.name for run in runs.every()] == [over.name, late.name, early.name]


def test_events_are_read_as_they_were_said(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    said = run.say("note", Title(en="12 levels", zh="12 个层级"), step="target.fit", figures={"levels": 12})
    assert run.events[-1].as_dict() == said.as_dict()


def test_a_last_line_that_was_cut_short_does_not_count_and_is_written_over(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    with open(run.folder / LOG, "ab") as log:
        log.write(b'{"at": "2025-01-')
    assert [event.kind for event in run.events] == ["queued"]
    run.say("started", SAID, step="read")
    assert [event.kind for event in run.events] == ["queued", "started"]


def test_how_far_a_run_is_may_be_missing_or_spoiled(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    assert run.advance is None
    run.advanced("target.fit", "fitting", 3, 10)
    assert run.advance == Advance("target.fit", "fitting", 3, 10)
    (run.folder / PROGRESS).write_text("{")
    assert run.advance is None


def test_what_came_of_it_is_kept_whole(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    assert run.result is None
    run.end({"text": {"en": "a", "zh": "甲"}})
    run.end({"text": {"en": "a", "zh": "甲"}})
    assert run.result == {"text": {"en": "a", "zh": "甲"}}


def test_a_run_that_is_not_there_and_a_name_that_leads_elsewhere_are_refused(runs: Runs) -> None:
    with pytest.raises(LoadlineError, match="there is no training run"):
        runs.find("nothing")
    for name in ("../elsewhere", "", ".hidden"):
        with pytest.raises(LoadlineError):
            runs.find(name)


def test_an_empty_home_has_no_runs(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "none", lambda: datetime.now(UTC))
    assert runs.every() == ()
    assert runs.waiting() == ()
    assert not (tmp_path / "none").exists()


def test_a_mark_to_stop_is_seen(runs: Runs) -> None:
    run, _ = runs.ask(REQUEST)
    assert not run.cancelled
    run.ask_to_stop()
    assert Run(run.folder, runs.clock).cancelled


@pytest.mark.parametrize("name", ["request.json", "log.jsonl"])
def test_a_damaged_record_of_a_run_is_named(runs: Runs, name: str) -> None:
    run, _ = runs.ask(REQUEST)
    (run.folder / name).write_text("{\n")
    with pytest.raises(LoadlineError, match="not what was written") as refused:
        [found.state for found in runs.every()]
    assert refused.value.where == str(run.folder / name)
    with pytest.raises(LoadlineError, match="not what was written"):
        [found.request for found in runs.waiting()]
