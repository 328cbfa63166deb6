"""Proposals on record: one for each model and check, decided by people, settled by another model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from features.errors import LoadlineError
from features.indicators import Title
from training.monitoring.finding import Finding
from training.monitoring.proposals import (
    FOLDER,
    RECORD,
    accept,
    dismiss,
    every_proposal,
    find_proposal,
    note_findings,
)

REASON = "figures of the merger, explained"
FOUND = Finding(
    check="target.inputs",
    title=Title(en="Drift of the inputs", zh="输入漂移"),
    model="target-bank",
    version="aaaaaaaaaaaa",
    measured=0.004,
    threshold=(0.02,),
    interval=None,
    sample=9,
    state="breach",
    text=Title(en="It drifted.", zh="发生漂移。"),
    table=({"name": "LOANS", "psi": 0.4},),
    flagged=("LOANS",),
)


class Watch:
    """Looks at one home, a day after the other."""

    def __init__(self, home):
        self.home, self.at = home, datetime(2025, 1, 1, tzinfo=UTC)

    def clock(self):
        return self.at

    def look(self, *findings, fingerprint="f1", days=1):
        self.at += timedelta(days=days)
        about = {"dataset": "bank", "fingerprint": fingerprint, "as_of": "2024-12"}
        return note_findings(self.home, findings, about=about, cool_down_days=28, clock=self.clock)

    def lines(self):
        path = self.home / FOLDER / RECORD
        return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def watch(tmp_path) -> Watch:
    return Watch(tmp_path)


def test_a_breach_opens_one_proposal_and_the_same_look_again_writes_nothing(watch):
    (opened,) = watch.look(FOUND)
    assert (opened.name, opened.state, opened.kind) == ("P-0001", "open", "target")
    assert watch.look(FOUND) == ()
    assert watch.lines() == 1
    assert len(every_proposal(watch.home)) == 1


def test_what_is_in_order_or_cannot_be_judged_opens_nothing(watch):
    assert (
        watch.look(replace(FOUND, state="ok"), replace(FOUND, check="target.coverage", state="too little data")) == ()
    )
    assert watch.lines() == 0


def test_changed_figures_refresh_the_open_proposal(watch):
    watch.look(FOUND)
    assert watch.look(replace(FOUND, measured=0.001, flagged=("LOANS", "SALES"))) == ()
    found = find_proposal(watch.home, "P-0001")
    assert (found.state, found.finding.measured, found.opened_on.measured) == ("open", 0.001, 0.004)
    assert watch.lines() == 2


def test_each_check_and_model_has_its_own(watch):
    other = replace(FOUND, check="target.coverage"), replace(FOUND, model="target-other")
    assert [proposal.name for proposal in watch.look(FOUND, *other)] == ["P-0003", "P-0002", "P-0001"]


def test_a_dismissed_one_stays_quiet_until_figures_and_time_have_changed(watch):
    watch.look(FOUND)
    dismiss(watch.home, "P-0001", by="Li Ming", reason=REASON, clock=watch.clock)
    other = replace(FOUND, measured=0.0001)
    assert watch.look(FOUND, fingerprint="f2", days=60) == ()  # the same figures
    assert watch.look(other, fingerprint="f1", days=60) == ()  # the same data
    assert [found.name for found in watch.look(other, fingerprint="f2", days=1)] == ["P-0002"]
    dismiss(watch.home, "P-0002", by="Li Ming", reason=REASON, clock=watch.clock)
    assert watch.look(replace(FOUND, measured=0.0002), fingerprint="f3", days=27) == ()  # too soon
    assert [found.name for found in watch.look(replace(FOUND, measured=0.0002), fingerprint="f3", days=2)] == ["P-0003"]


def test_another_model_that_drifts_too_is_not_covered_by_a_dismissal(watch):
    watch.look(FOUND)
    dismiss(watch.home, "P-0001", by="Li Ming", reason=REASON, clock=watch.clock)
    assert [found.name for found in watch.look(replace(FOUND, version="bbbbbbbbbbbb"))] == ["P-0002"]


def test_accepting_asks_for_one_run_however_often(watch):
    watch.look(FOUND)
    asked = []

    def request(proposal):
        asked.append(proposal.name)
        return "bank-1234"

    for _ in range(2):
        found = accept(watch.home, "p-0001", by="Li Ming", reason=REASON, request=request, clock=watch.clock)
    assert (found.state, found.run, asked) == ("accepted", "bank-1234", ["P-0001", "P-0001"])
    assert [line.action for line in found.lines] == ["opened", "accepted", "requested"]
    assert watch.look(FOUND) == ()
    with pytest.raises(LoadlineError, match="is accepted"):
        dismiss(watch.home, "P-0001", by="Li Ming", reason=REASON, clock=watch.clock)


def test_a_request_that_fails_can_be_made_again(watch):
    watch.look(FOUND)

    def refuse(proposal):
        raise LoadlineError("the disk is full")

    with pytest.raises(LoadlineError, match="disk is full"):
        accept(watch.home, "P-0001", by="Li Ming", reason=REASON, request=refuse, clock=watch.clock)
    assert (find_proposal(watch.home, "P-0001").state, find_proposal(watch.home, "P-0001").run) == ("accepted", "")
    accept(watch.home, "P-0001", by="Li Ming", reason=REASON, request=lambda found: "run", clock=watch.clock)
    assert find_proposal(watch.home, "P-0001").run == "run"


@pytest.mark.parametrize("state", ["ok", "too little data"])
def test_another_model_that_is_not_in_breach_settles_it(watch, state):
    watch.look(FOUND)
    assert watch.look(replace(FOUND, version="bbbbbbbbbbbb", state=state, measured=None, flagged=())) == ()
    assert find_proposal(watch.home, "P-0001").state == "settled"
    assert watch.look(replace(FOUND, version="bbbbbbbbbbbb"))[0].name == "P-0002"


def test_another_model_in_breach_replaces_it(watch):
    watch.look(FOUND)
    (opened,) = watch.look(replace(FOUND, version="bbbbbbbbbbbb"))
    assert (find_proposal(watch.home, "P-0001").state, opened.name, opened.state) == ("replaced", "P-0002", "open")


def test_the_same_model_passing_again_leaves_the_decision_to_a_person(watch):
    watch.look(FOUND)
    watch.look(replace(FOUND, state="ok", measured=0.5, flagged=()))
    found = find_proposal(watch.home, "P-0001")
    assert (found.state, found.finding.state) == ("open", "ok")


@pytest.mark.parametrize(("by", "reason"), [("", REASON), ("L", REASON), ("Li Ming", ""), ("Li Ming", " no ")])
def test_a_decision_needs_a_name_and_a_reason(watch, by, reason):
    watch.look(FOUND)
    with pytest.raises(LoadlineError, match="needs a"):
        dismiss(watch.home, "P-0001", by=by, reason=reason, clock=watch.clock)
    with pytest.raises(LoadlineError, match="needs a"):
        accept(watch.home, "P-0001", by=by, reason=reason, request=lambda found: "run", clock=watch.clock)
    assert watch.lines() == 1


def test_what_was_cut_short_by_a_crash_does_not_count_and_a_changed_line_is_noticed(watch):
    watch.look(FOUND, replace(FOUND, check="target.coverage"))
    path = watch.home / FOLDER / RECORD
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"number": 3, "at": "20')
    assert len(every_proposal(watch.home)) == 2
    watch.look(replace(FOUND, check="target.attainment"))
    assert [found.name for found in every_proposal(watch.home)] == ["P-0003", "P-0002", "P-0001"]
    path.write_bytes(path.read_bytes().replace(b"0.004", b"0.400", 1))
    with pytest.raises(LoadlineError, match="record of proposals"):
        every_proposal(watch.home)


def test_what_is_kept_is_read_back_as_it_was(watch):
    (opened,) = watch.look(FOUND)
    assert opened.finding == FOUND
    assert find_proposal(watch.home, "P-0001").as_dict() == opened.as_dict()
    with pytest.raises(LoadlineError, match="no proposal"):
        find_proposal(watch.home, "P-0009")
