"""`idempotency`: the same again gives the same, another is refused, and what was made is made once."""

import shutil
import subprocess
import sys
import threading
from datetime import timedelta

import making_things
import pytest
from making_things import KEY, NOW, THINGS, Making
from postgres import sqlite_at
from sqlalchemy import func, select

from serving.access.principal import Principal
from serving.database.tables.idempotency import requests
from serving.kept_answers import LEASE, PURGE_SECONDS, Claim, InHandError, Kept, KeptAnswers

WAIT = 60
"""Seconds: generous, since other tests share the machine."""
DAY = timedelta(hours=24)
OTHER = Principal("other", "other", "key", ())


@pytest.fixture
def file(migrated_file, tmp_path):
    """A database in a file: for what is alike on every database."""
    made = sqlite_at(shutil.copy(migrated_file, tmp_path / "file.db"))
    yield made
    made.close()


@pytest.fixture
def making(file):
    return Making(file)


def test_the_same_again_gives_the_first_answer(database):
    making = Making(database)
    client = making.client()
    first, again = (client.post(THINGS, headers=KEY, json={"a": 1}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.content == first.content
    for name in ("etag", "location", "content-type", "content-length"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (making.asked, making.things()) == (1, 1)


def test_without_a_key_each_request_is_one_of_its_own(making):
    client = making.client()
    assert client.post(THINGS).json() != client.post(THINGS).json()
    assert making.things() == 2


@pytest.mark.parametrize("changed", ["body", "query", "path"])
def test_the_key_with_another_request_is_refused(making, changed):
    client = making.client()
    client.post(THINGS, headers=KEY, json={"a": 1})
    path = THINGS + ("?name=b" if changed == "query" else "/b" if changed == "path" else "")
    answer = client.post(path, headers=KEY, json={"a": 2 if changed == "body" else 1})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert making.asked == 1


def test_the_same_key_of_another_is_another_request(making):
    client = making.client()
    first = client.post(THINGS, headers=KEY)
    making.principal = OTHER
    assert client.post(THINGS, headers=KEY).json() != first.json()
    assert making.things() == 2


def test_fifty_at_once_make_one_thing(database):
    making = Making(database)
    answers, begin = [], threading.Barrier(50)

    def ask() -> None:
        begin.wait(WAIT)
        answers.append(making.client().post(THINGS, headers=KEY))

    callers = [threading.Thread(target=ask, daemon=True) for _ in range(50)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT)
    assert len(answers) == 50
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == 1
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 409)
    assert (making.asked, making.things()) == (1, 1)
    assert making.client().post(THINGS, headers=KEY).json()["id"] == made[0]


def test_while_the_first_is_being_answered_the_second_is_told_to_wait(file):
    begun, go_on = threading.Event(), threading.Event()
    making = Making(file, before_answer=lambda: (begun.set(), go_on.wait(WAIT)))
    answers = []
    first = threading.Thread(target=lambda: answers.append(making.client().post(THINGS, headers=KEY)), daemon=True)
    first.start()
    assert begun.wait(WAIT)
    second = making.client().post(THINGS, headers=KEY)
    go_on.set()
    first.join(WAIT)
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert answers[0].status_code == 201
    assert making.client().post(THINGS, headers=KEY).json() == answers[0].json()


@pytest.mark.parametrize("status", [422, 500])
def test_what_was_refused_or_failed_may_be_asked_anew(making, status):
    client = making.client()
    assert client.post(THINGS, params={"status": status}, headers=KEY).status_code == status
    assert client.post(THINGS, headers=KEY).status_code == 201
    assert making.asked == 2


def test_an_answer_that_shows_a_secret_is_not_kept(making, file):
    client = making.client()
    assert client.post(THINGS, params={"secret": True}, headers=KEY).status_code == 201
    again = client.post(THINGS, params={"secret": True}, headers=KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (409, "true")
    assert "once" in again.json()["detail"]
    assert making.asked == 1
    with file.read() as connection:
        assert connection.execute(select(requests.c.status, requests.c.body)).one() == (201, None)


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "x\x7f", "é"])
def test_a_key_that_is_none_is_refused(making, key):
    answer = making.client().post(THINGS, headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422
    twice = making.client().post(THINGS, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert twice.status_code == 422
    assert making.asked == 0


def test_after_a_kill_between_the_change_and_the_answer_the_retry_finds_what_was_made(database):
    url = database.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, making_things.__file__, url], capture_output=True, timeout=WAIT)
    assert done.returncode == -9, done.stderr
    making = Making(database)
    assert making.things() == 1
    assert making.client().post(THINGS, headers=KEY).status_code == 409  # it may be alive, for all that is known
    making.now = NOW + LEASE + timedelta(seconds=1)
    answer = making.client().post(THINGS, headers=KEY)
    assert (answer.status_code, answer.json()) == (201, {"id": "thing-1"})
    assert making.things() == 1


class Ticking:
    def __init__(self) -> None:
        self.now, self.seconds = NOW, 0.0


@pytest.fixture
def ticking():
    return Ticking()


@pytest.fixture
def answers(file, ticking):
    return KeptAnswers(file, lambda: ticking.now, keep=DAY, clock=lambda: ticking.seconds)


def test_a_sign_of_life_keeps_others_off(answers, ticking):
    claim = answers.claim("p", "k", "f")
    ticking.now += LEASE - timedelta(seconds=1)
    answers.renew(claim)
    ticking.now += LEASE - timedelta(seconds=1)
    with pytest.raises(InHandError):
        answers.claim("p", "k", "f")
    ticking.now += timedelta(seconds=2)
    assert answers.claim("p", "k", "f") == Claim("p", "k", 2)


def test_who_comes_back_too_late_changes_nothing(database, ticking):
    answers = KeptAnswers(database, lambda: ticking.now, keep=DAY)
    late = answers.claim("p", "k", "f")
    ticking.now += LEASE
    other = answers.claim("p", "k", "f")
    answers.keep(late, Kept(201, (), b"late"))
    answers.give_up(late)
    answers.renew(late)
    answers.keep(other, Kept(200, (("etag", '"1"'),), b"right"))
    answers.give_up(other)
    assert answers.claim("p", "k", "f") == Kept(200, (("etag", '"1"'),), b"right")


def test_answers_are_forgotten_after_a_day(answers, ticking, file):
    answers.keep(answers.claim("p", "k", "f"), Kept(201, (), b""))
    ticking.now += DAY - timedelta(seconds=1)
    assert isinstance(answers.claim("p", "k", "f"), Kept)
    ticking.now += timedelta(seconds=1)
    assert answers.claim("p", "k", "another") == Claim("p", "k", 2)
    ticking.now, ticking.seconds = ticking.now + DAY, PURGE_SECONDS
    answers.claim("p", "new", "f")
    with file.read() as connection:
        assert connection.scalar(select(func.count()).select_from(requests)) == 1


def test_clock_a_jump_of_a_day_leaves_no_request_stuck(answers, ticking):
    answers.claim("p", "k", "f")
    ticking.now -= DAY
    assert answers.claim("p", "k", "f").attempt == 2
    answers.keep(answers.claim("p", "done", "f"), Kept(201, (), b"x"))
    ticking.now -= DAY
    assert answers.claim("p", "done", "f") == Kept(201, (), b"x")
    ticking.now += 5 * DAY
    assert answers.claim("p", "done", "f").attempt == 2
