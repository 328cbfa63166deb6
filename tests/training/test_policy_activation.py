"""Policies over time: what is in force when, what is refused, and a record that no crash and no hand can bend."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LoadlineError
from features.indicators import library
from models.policy.document import Policy
from models.policy.reading import write_policy
from models.policy.validator import check
from training.journal import write_copy
from training.policies import in_force, term_on
from training.policy_activation import activate, withdraw
from training.policy_record import RECORD, Activation, append, copy_path, digest_of, history, standing, terms

BANK = "sample-bank"
DAY = date(2025, 1, 1)
NOON = datetime(2025, 3, 1, 20, tzinfo=timezone(timedelta(hours=8)))

# Activates, in a forked process that is killed around one of its calls of fsync.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from models.policy.reading import read_policy
from training.policy_activation import activate, withdraw

home, path, call, when = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
policy, count, fsync = read_policy(path), 0, os.fsync

def killed(handle):
    global count
    count += 1
    if count == call and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(handle)
    if count == call and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

os.fsync = killed
now = lambda: datetime(2025, 6, 1, tzinfo=UTC)
activate(home, "sample-bank", policy, by="tester", reason="a test", last_closed=lambda level: None, clock=now)
"""

# Activates one version after another, and withdraws every third, until it is killed.
ACTIVATOR = """
import itertools, sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from models.policy.document import Policy
from models.policy.reading import read_policy
from training.policy_activation import activate, withdraw

home, base, start = Path(sys.argv[1]), read_policy(sys.argv[2]), int(sys.argv[3])
now, open_ = (lambda: datetime.now(UTC)), (lambda level: None)
for number in itertools.count():
    first = date(2026, 1, 1) + timedelta(days=1000 * start + number)
    plain = base.model_dump(by_alias=True) | {"version": f"{start}.{number}", "effective": {"from": first}}
    policy = Policy.model_validate(plain)
    activate(home, "sample-bank", policy, by="tester", reason="again", last_closed=open_, clock=now)
    if number % 3 == 2:
        withdraw(home, "sample-bank", by="tester", reason="back", last_closed=open_, clock=now)
    print("activated", flush=True)
"""


def document(version: str = "1", first: str = "2025-01-01", until: str | None = None, **changes: Any) -> dict[str, Any]:
    days = {"from": first} if until is None else {"from": first, "until": until}
    ratio = {"kind": "ratio", "otherwise": {"kind": "increment"} | dict.fromkeys(("better", "worse"), SIDE)}
    return {
        "policy": 1,
        "id": "branch",
        "version": version,
        "title": {"en": "Branch scheme", "zh": "支行考核办法"},
        "source": "made for a test",
        "effective": days,
        "level": "internal",
        "scorecards": [
            {
                "id": "all",
                "title": {"en": "All units", "zh": "全部单位"},
                "items": [
                    {"indicator": "P08", "weight": "40", "rule": ratio},
                    {"indicator": "R01", "weight": "35", "rule": {"kind": "ratio"}},
                    {"indicator": "C02", "weight": "25", "rule": {"kind": "ratio"}},
                ],
            }
        ],
        "gates": [{"kind": "total_cap", "id": "cap", "title": {"en": "Cap", "zh": "封顶"}, "at": "120"}],
    } | changes


SIDE = {"step": "1", "points": "1", "most": "30"}


def policy(*given: Any, **changes: Any) -> Policy:
    return Policy.model_validate(document(*given, **changes))


def weights(*shares: int) -> list[dict[str, Any]]:
    """Give the scorecards with other weights."""
    made = document()["scorecards"]
    for item, weight in zip(made[0]["items"], shares, strict=True):
        item["weight"] = str(weight)
    return made


UNSAFE = {"scorecards": weights(80, 10, 10)}
"""Risk and compliance weigh least: the validator warns."""


def activated(home: Path, *given: Any, closed: date | None = None, **changes: Any):
    options = {name: changes.pop(name) for name in ("accept", "cut_short", "by", "reason", "clock") if name in changes}
    usual = {"by": "li.ming", "reason": "agreed by the board", "clock": lambda: NOON}
    return activate(
        home, BANK, policy(*given, **changes), last_closed=lambda level: closed, indicators=library(), **usual | options
    )


def withdrawn(home: Path, closed: date | None = None, **changes: Any):
    usual = {"by": "li.ming", "reason": "complaints", "clock": lambda: NOON}
    return withdraw(home, BANK, last_closed=lambda level: closed, **usual | changes)


def label_on(home: Path, day: str) -> str | None:
    found = in_force(home, BANK, date.fromisoformat(day))
    return None if found is None else found.label


def days(home: Path) -> list[tuple[str, str, str | None]]:
    return [
        (term.activation.version, str(term.start), None if term.until is None else str(term.until))
        for term in terms(history(home, BANK))
    ]


def test_the_policies_of_these_tests_are_what_they_say():
    assert check(policy(), indicators=library()) == ()
    assert {f.severity for f in check(policy(**UNSAFE), indicators=library())} == {"warning"}


def test_before_the_first_activation_nothing_is_in_force(tmp_path):
    assert in_force(tmp_path, BANK, date(2025, 1, 1)) is None
    assert history(tmp_path, BANK) == ()
    assert list(tmp_path.iterdir()) == []


def test_an_activated_policy_is_in_force_from_its_first_day(tmp_path):
    done = activated(tmp_path)
    assert label_on(tmp_path, "2024-12-31") is None
    assert label_on(tmp_path, "2025-01-01") == label_on(tmp_path, "2199-01-01") == "branch@1"
    assert in_force(tmp_path, BANK, date(2025, 1, 1)) == policy()
    assert history(tmp_path, BANK) == (done,)
    line = json.loads((tmp_path / "policies" / BANK / RECORD).read_text(encoding="utf-8"))
    assert (line["at"], line["by"], line["action"]) == ("2025-03-01T12:00:00+00:00", "li.ming", "activate")
    copy = tmp_path / "policies" / BANK / "branch" / f"1-{line['digest'][:12]}.yaml"
    assert copy.read_text(encoding="utf-8") == write_policy(policy())
    assert copy == copy_path(tmp_path, BANK, done)


def test_a_next_version_ends_an_open_one_the_day_before_and_leaves_its_copy_alone(tmp_path):
    first = activated(tmp_path)
    before = copy_path(tmp_path, BANK, first).read_bytes()
    second = activated(tmp_path, "2", "2026-01-01")
    assert second.shortened is not None
    assert (second.shortened.label, str(second.shortened.until)) == ("branch@1", "2025-12-31")
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31"), ("2", "2026-01-01", None)]
    assert label_on(tmp_path, "2025-12-31") == "branch@1"
    assert label_on(tmp_path, "2026-01-01") == "branch@2"
    ended = in_force(tmp_path, BANK, date(2025, 6, 1))
    assert ended is not None
    assert ended.effective.until == date(2025, 12, 31)
    assert copy_path(tmp_path, BANK, first).read_bytes() == before


def test_a_policy_of_another_name_takes_over_as_well(tmp_path):
    activated(tmp_path)
    activated(tmp_path, "1", "2026-01-01", id="network")
    assert (label_on(tmp_path, "2025-12-31"), label_on(tmp_path, "2026-01-01")) == ("branch@1", "network@1")


def test_an_owners_evaluation_is_in_force_beside_the_internal_scorecard(tmp_path):
    activated(tmp_path, id="owners", level="owner", accept=owner_warnings())
    assert label_on(tmp_path, "2025-06-01") == "owners@1"
    activated(tmp_path)
    assert label_on(tmp_path, "2025-06-01") == "branch@1"
    owners = in_force(tmp_path, BANK, date(2025, 6, 1), level="owner")
    assert owners is not None
    assert owners.label == "owners@1"
    withdrawn(tmp_path, label="owners@1")
    assert in_force(tmp_path, BANK, date(2025, 6, 1), level="owner") is None
    assert label_on(tmp_path, "2025-06-01") == "branch@1"


def owner_warnings() -> list[str]:
    return sorted({finding.code for finding in check(policy(level="owner"), indicators=library())})


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (("2", "2025-12-31"), "in force until 2025-12-31"),
        (("2", "2025-01-01"), "in force from 2025-01-01"),
        (("2", "2024-06-01", "2024-12-31"), "in force from 2025-01-01"),
        (("2", "2026-01-02"), "no version would be in force from 2026-01-01 to 2026-01-01"),
    ],
)
def test_overlaps_and_gaps_are_refused(tmp_path, second, words):
    activated(tmp_path, "1", "2025-01-01", "2025-12-31")
    with pytest.raises(LoadlineError, match=words):
        activated(tmp_path, *second)
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31")]
    activated(tmp_path, "2", "2026-01-01")
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31"), ("2", "2026-01-01", None)]


def test_a_version_with_a_last_day_is_cut_short_when_asked(tmp_path):
    activated(tmp_path, "1", "2025-01-01", "2025-12-31")
    activated(tmp_path, "2", "2025-07-01", cut_short=True)
    assert days(tmp_path) == [("1", "2025-01-01", "2025-06-30"), ("2", "2025-07-01", None)]
    withdrawn(tmp_path)
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31")]


def test_closed_periods_never_change(tmp_path):
    with pytest.raises(LoadlineError, match="closed up to 2025-01-31"):
        activated(tmp_path, closed=date(2025, 1, 31))
    with pytest.raises(LoadlineError, match="closed up to 2025-01-01"):
        activated(tmp_path, closed=date(2025, 1, 1))
    activated(tmp_path, closed=date(2024, 12, 31))
    for last in (date(2025, 1, 31), date(2025, 1, 1)):
        with pytest.raises(LoadlineError, match="closed up to"):
            withdrawn(tmp_path, closed=last)
    assert label_on(tmp_path, "2025-06-01") == "branch@1"
    activated(tmp_path, "2", "2025-02-01", closed=date(2025, 1, 31))
    with pytest.raises(LoadlineError, match="closed up to"):
        activated(tmp_path, "3", "2025-03-01", closed=date(2025, 3, 31))
    withdrawn(tmp_path, closed=date(2025, 1, 31))
    assert label_on(tmp_path, "2025-06-01") == "branch@1"


def test_the_name_of_a_version_stands_for_one_content(tmp_path):
    first = activated(tmp_path)
    with pytest.raises(LoadlineError, match="another content"):
        activated(tmp_path, scorecards=weights(35, 40, 25))
    withdrawn(tmp_path)
    with pytest.raises(LoadlineError, match="another content"):
        activated(tmp_path, scorecards=weights(35, 40, 25))
    again = activated(tmp_path)
    assert again.digest == first.digest
    assert [line.action for line in history(tmp_path, BANK)] == ["activate", "withdraw", "activate"]


def test_activating_the_last_again_records_nothing_and_repairs_its_copy(tmp_path):
    first = activated(tmp_path)
    copy = copy_path(tmp_path, BANK, first)
    copy.write_text("tampered", encoding="utf-8")
    with pytest.raises(LoadlineError, match="not what was activated"):
        in_force(tmp_path, BANK, date(2025, 1, 1))
    assert activated(tmp_path, closed=date(2025, 6, 30)) == first
    assert len(history(tmp_path, BANK)) == 1
    assert label_on(tmp_path, "2025-01-01") == "branch@1"
    copy.unlink()
    with pytest.raises(LoadlineError, match="cannot be read"):
        in_force(tmp_path, BANK, date(2025, 1, 1))


def test_a_copy_in_other_words_is_still_the_same_version(tmp_path):
    content = b"# As an earlier release wrote it.\n" + write_policy(policy()).encode()
    kept = Activation(NOON, "li.ming", "x", "activate", "branch", "1", digest_of(content), "internal", DAY, None)
    write_copy(copy_path(tmp_path, BANK, kept), content)
    append(tmp_path, BANK, kept)
    assert activated(tmp_path) == kept == history(tmp_path, BANK)[0]
    with pytest.raises(LoadlineError, match="another content"):
        activated(tmp_path, scorecards=weights(35, 40, 25))
    assert len(history(tmp_path, BANK)) == 1


def test_errors_are_refused(tmp_path):
    with pytest.raises(LoadlineError):
        activated(tmp_path, scorecards=weights(40, 35, 40))
    assert history(tmp_path, BANK) == ()


def test_warnings_need_a_person_who_accepts_them(tmp_path):
    codes = sorted({finding.code for finding in check(policy(**UNSAFE), indicators=library())})
    with pytest.raises(LoadlineError, match="nobody has accepted") as refused:
        activated(tmp_path, **UNSAFE)
    assert all(f"--accept {code}" in refused.value.hint for code in codes)
    with pytest.raises(LoadlineError, match="no finding 'moonlight' to accept"):
        activated(tmp_path, **UNSAFE, accept=[*codes, "moonlight"])
    done = activated(tmp_path, **UNSAFE, accept=codes)
    assert sorted({finding["finding"] for finding in done.accepted}) == codes
    assert history(tmp_path, BANK) == (done,)


def test_warnings_accepted_in_the_document_are_accepted(tmp_path):
    signed = {"by": "Li Ming", "on": "2025-01-01", "reason": "agreed by the board"}
    codes = {finding.code for finding in check(policy(**UNSAFE), indicators=library())}
    activated(tmp_path, **UNSAFE, accepted=[{"finding": code} | signed for code in sorted(codes)])
    assert label_on(tmp_path, "2025-01-01") == "branch@1"


@pytest.mark.parametrize("changes", [{"by": " "}, {"reason": ""}, {"clock": lambda: datetime(2025, 1, 1)}])  # noqa: DTZ001
def test_who_why_and_when_are_needed(tmp_path, changes):
    with pytest.raises(LoadlineError):
        activated(tmp_path, **changes)
    assert history(tmp_path, BANK) == ()
    activated(tmp_path)
    with pytest.raises(LoadlineError):
        withdrawn(tmp_path, **changes)
    assert len(history(tmp_path, BANK)) == 1


def test_withdrawing_walks_back_one_version_at_a_time(tmp_path):
    for version, first in (("1", "2025-01-01"), ("2", "2026-01-01"), ("3", "2027-01-01")):
        activated(tmp_path, version, first)
    with pytest.raises(LoadlineError, match="branch@3 was activated after branch@2"):
        withdrawn(tmp_path, label="branch@2")
    with pytest.raises(LoadlineError, match="branch@9 is not active"):
        withdrawn(tmp_path, label="branch@9")
    assert withdrawn(tmp_path, label="branch@3").version == "3"
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31"), ("2", "2026-01-01", None)]
    withdrawn(tmp_path)
    withdrawn(tmp_path)
    assert days(tmp_path) == []
    with pytest.raises(LoadlineError, match="no policy is active"):
        withdrawn(tmp_path)
    assert [line.action for line in history(tmp_path, BANK)] == ["activate"] * 3 + ["withdraw"] * 3


def test_every_torn_last_line_is_ignored_and_repaired(tmp_path):
    activated(tmp_path)
    path = tmp_path / "policies" / BANK / RECORD
    whole = path.read_bytes()
    activated(tmp_path, "2", "2026-01-01")
    both = path.read_bytes()
    for cut in range(len(whole), len(both), 7):
        path.write_bytes(both[:cut])
        assert label_on(tmp_path, "2026-06-01") == "branch@1"
        activated(tmp_path, "2", "2026-01-01")
        assert path.read_bytes() == both


def test_an_edited_record_is_refused(tmp_path):
    activated(tmp_path)
    activated(tmp_path, "2", "2026-01-01")
    withdrawn(tmp_path)
    path = tmp_path / "policies" / BANK / RECORD
    one, two, three = path.read_bytes().splitlines(keepends=True)
    other = one.replace(b"li.ming", b"wang.fang")
    odd = one.replace(b'"activate"', b'"deactivate"')
    for forged in ([one, three], [two], [other, two, three], [one, b"{}\n"], [one, b"\n"], [one, b"[1]\n"], [odd]):
        path.write_bytes(b"".join(forged))
        with pytest.raises(LoadlineError, match="policy record"):
            in_force(tmp_path, BANK, date(2025, 1, 1))
    path.write_bytes(one + two + three)
    assert label_on(tmp_path, "2026-06-01") == "branch@1"


@pytest.mark.parametrize("name", ["../bank", "a/b", "", ".x"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(LoadlineError, match="cannot name"):
        in_force(tmp_path, name, date(2025, 1, 1))


def test_decimals_are_kept_as_they_are(tmp_path):
    odd = Decimal("0.123456789012345")
    activated(tmp_path, ratchet_cap=odd)
    found = in_force(tmp_path, BANK, date(2025, 1, 1))
    assert found is not None
    assert found.ratchet_cap == odd


STEPS = st.one_of(
    st.tuples(st.just("activate"), st.integers(1, 40), st.none() | st.integers(0, 20), st.booleans()),
    st.tuples(st.just("withdraw"), st.none(), st.none(), st.none()),
    st.tuples(st.just("close"), st.integers(1, 6), st.none(), st.none()),
)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_whatever_is_done_days_have_one_version_and_closed_days_keep_theirs(tmp_path_factory, steps):
    home = tmp_path_factory.mktemp("home")
    first, closed = date(2025, 1, 1), None
    window = [first + timedelta(days=number) for number in range(70)]

    def versions() -> list[str | None]:
        timeline = terms(history(home, BANK))
        found = [[term.activation.version for term in timeline if term.holds(day)] for day in window]
        assert all(len(on_day) <= 1 for on_day in found)
        covered = "".join("x" if on_day else "." for on_day in found)
        assert "." not in covered.strip(".")
        return [on_day[0] if on_day else None for on_day in found]

    for number, (action, start, length, cut_short) in enumerate(steps):
        before = versions()
        if action == "close":
            closed = (closed or first) + timedelta(days=start)
        else:
            with contextlib.suppress(LoadlineError):
                if action == "withdraw":
                    withdrawn(home, closed)
                else:
                    begins = first + timedelta(days=start)
                    until = None if length is None else str(begins + timedelta(days=length))
                    activated(home, f"v{number}", str(begins), until, closed=closed, cut_short=cut_short)
        after = versions()
        assert [old for old, day in zip(before, window, strict=True) if closed is not None and day <= closed] == [
            new for new, day in zip(after, window, strict=True) if closed is not None and day <= closed
        ]


def test_two_at_once_have_one_winner(tmp_path):
    start = threading.Barrier(2)
    answers: list[str] = []

    def race(name: str) -> None:
        start.wait()
        try:
            answers.append(activated(tmp_path, "1", id=name).label)
        except LoadlineError as error:
            answers.append(error.what)

    racers = [threading.Thread(target=race, args=(name,)) for name in ("ann", "bo")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    lost, won = sorted(answers, key=lambda answer: answer.endswith("@1"))
    assert "begins on 2025-01-01" in lost
    assert [label_on(tmp_path, "2025-06-01")] == [won] == [line.label for line in history(tmp_path, BANK)]


def run(code: str, *given: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", code, *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(("call", "when"), [(call, when) for call in range(1, 6) for when in ("before", "after")])
def test_a_kill_around_each_write_leaves_the_old_state_or_the_new(tmp_path, call, when):
    """The writes are those of the copy (the file, then two folders) and of the record (the file, then its folder)."""
    activated(tmp_path)
    path = tmp_path / "next.yaml"
    path.write_text(write_policy(policy("2", "2026-01-01")), encoding="utf-8")
    assert run(KILLED, tmp_path, path, call, when).returncode == -9
    done = call >= 4  # the line is written before it is made durable
    assert label_on(tmp_path, "2026-06-01") == ("branch@2" if done else "branch@1")
    activated(tmp_path, "2", "2026-01-01")
    assert days(tmp_path) == [("1", "2025-01-01", "2025-12-31"), ("2", "2026-01-01", None)]
    folder = tmp_path / "policies" / BANK / "branch"
    assert sorted(name[:2] for name in os.listdir(folder)) == ["1-", "2-"]


def test_nothing_is_written_after_what_the_test_above_kills(tmp_path):
    path = tmp_path / "first.yaml"
    path.write_text(write_policy(policy()), encoding="utf-8")
    assert run(KILLED, tmp_path, path, 6, "before").returncode == 0


def test_a_kill_at_any_moment_leaves_one_whole_timeline(tmp_path):
    moments = random.Random(20)
    activated(tmp_path)
    path = tmp_path / "base.yaml"
    path.write_text(write_policy(policy()), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    lines = 1
    for start in range(5):
        command = [sys.executable, "-c", ACTIVATOR, str(tmp_path), str(path), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(0.02 + 0.1 * moments.random())
            worker.kill()
        record = history(tmp_path, BANK)
        assert len(record) > lines
        lines = len(record)
        active = standing(record)
        timeline = terms(record)
        assert [term.activation for term in timeline] == list(active)
        for before, after in itertools.pairwise(timeline):
            assert before.until == after.start - timedelta(days=1)
        for activation in active:
            found = in_force(tmp_path, BANK, activation.start)
            assert found is not None
            assert found.label == activation.label
    assert term_on(tmp_path, BANK, date(2199, 1, 1)) is not None
