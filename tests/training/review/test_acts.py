"""What people do with alerts, what they must say for it, and that nobody writes over what he has not seen."""

from __future__ import annotations

from datetime import date

import pytest
from review_record import BANK, REASON, alert, alerts, open_desk

from features.errors import LoadlineError
from training.review.acts import assign, decide, link, note, release, undo
from training.review.case import Case
from training.review.raising import record_raised
from training.review.record import read_record

KEY = "B01@2024-10"


def case(home, key: str = KEY) -> Case:
    return read_record(home, BANK).cases[key]


def test_a_decision_says_what_it_was_made_on(tmp_path):
    desk = open_desk(tmp_path)
    entry = decide(desk, KEY, "dismissed", by="  Li Ming ", reason=f" {REASON}\n")
    assert (entry.by, entry.text) == ("Li Ming", REASON)
    assert entry.given == {"period": "2024-12", "score": 0.9}
    assert (case(tmp_path).status, case(tmp_path).verdict) == ("dismissed", False)


@pytest.mark.parametrize("reason", ["", "   ", "no", "误报", "too short", "同业并表"])
def test_a_dismissal_needs_a_reason_that_says_something(tmp_path, reason):
    desk = open_desk(tmp_path)
    with pytest.raises(LoadlineError, match="reason"):
        decide(desk, KEY, "dismissed", by="Li Ming", reason=reason)
    assert case(tmp_path).status == "new"


def test_five_chinese_letters_are_a_reason(tmp_path):
    assert decide(open_desk(tmp_path), KEY, "dismissed", by="李明", reason="并表口径调整").text == "并表口径调整"


@pytest.mark.parametrize("decision", ["confirmed", "watching"])
def test_other_decisions_need_none(tmp_path, decision):
    assert decide(open_desk(tmp_path), KEY, decision, by="Li Ming").action == decision


def test_an_unknown_decision_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(LoadlineError, match="confirmed, dismissed, watching"):
        decide(open_desk(tmp_path), KEY, "maybe", by="Li Ming")


def test_the_same_said_again_writes_nothing(tmp_path):
    desk = open_desk(tmp_path)
    for act in (
        lambda: assign(desk, KEY, to="王芳", by="Li Ming"),
        lambda: decide(desk, KEY, "confirmed", by="Li Ming", expected=2),
        lambda: note(desk, KEY, text="see the file", by="Li Ming"),
        lambda: link(desk, KEY, case="C-12", by="Li Ming"),
        lambda: release(desk, KEY, by="Li Ming"),
        lambda: undo(desk, KEY, by="Li Ming", reason="released too early"),
    ):
        assert act() == act()
    assert len(case(tmp_path).entries) == 6


def test_a_decision_that_was_not_seen_is_not_written_over(tmp_path):
    desk = open_desk(tmp_path)
    first = decide(desk, KEY, "dismissed", by="Ann", reason=REASON)
    with pytest.raises(LoadlineError, match="dismissed by Ann") as refused:
        decide(desk, KEY, "confirmed", by="Bo")
    assert f"--after {first.number}" in refused.value.hint
    with pytest.raises(LoadlineError, match="dismissed by Ann"):
        decide(desk, KEY, "confirmed", by="Bo", expected=first.number + 1)
    assert decide(desk, KEY, "confirmed", by="Bo", expected=first.number).action == "confirmed"
    assert case(tmp_path).verdict is True
    assert [entry.action for entry in case(tmp_path).entries] == ["dismissed", "confirmed"]


def test_who_has_not_seen_a_note_is_told(tmp_path):
    desk = open_desk(tmp_path)
    written = note(desk, KEY, text="the collateral was sold", by="Ann")
    with pytest.raises(LoadlineError, match="a note by Ann"):
        decide(desk, KEY, "confirmed", by="Bo", expected=0)
    assert decide(desk, KEY, "confirmed", by="Bo", expected=written.number)


def test_who_has_seen_something_else_is_told(tmp_path):
    with pytest.raises(LoadlineError, match="nobody has written"):
        decide(open_desk(tmp_path), KEY, "confirmed", by="Bo", expected=7)


def test_reassigning_asks_to_have_seen_the_assignment(tmp_path):
    desk = open_desk(tmp_path)
    first = assign(desk, KEY, to="王芳", by="Ann", due=date(2025, 2, 1))
    with pytest.raises(LoadlineError, match="assigned to 王芳 by Ann"):
        assign(desk, KEY, to="Bo", by="Cy")
    assign(desk, KEY, to="Bo", by="Cy", expected=first.number)
    found = case(tmp_path)
    assert (found.assignment.given["to"], found.due) == ("Bo", None)  # type: ignore[union-attr]


def test_a_due_day_that_has_passed_is_refused(tmp_path):
    desk = open_desk(tmp_path)
    with pytest.raises(LoadlineError, match="2025-01-14 has passed"):
        assign(desk, KEY, to="王芳", by="Ann", due=date(2025, 1, 14))
    assert assign(desk, KEY, to="王芳", by="Ann", due=date(2025, 1, 15)).given["due"] == "2025-01-15"


def test_undoing_brings_back_what_stood_before(tmp_path):
    desk = open_desk(tmp_path)
    first = decide(desk, KEY, "confirmed", by="Ann")
    second = decide(desk, KEY, "dismissed", by="Bo", reason=REASON, expected=first.number)
    undo(desk, KEY, by="Cy", reason="wrong branch looked at")
    assert case(tmp_path).disposition == first
    undo(desk, KEY, by="Cy", reason="that one was wrong, too")
    assert (case(tmp_path).disposition, case(tmp_path).status) == (None, "new")
    assert case(tmp_path).undone == {first.number, second.number}
    assert len(case(tmp_path).entries) == 4
    with pytest.raises(LoadlineError, match="nothing to undo"):
        undo(desk, KEY, by="Cy", reason="and once more, please")
    assert decide(desk, KEY, "watching", by="Cy").action == "watching"


@pytest.mark.parametrize("number", [1, 3, 99, -1])
def test_only_what_stands_on_the_alert_is_undone(tmp_path, number):
    """Entry 1 raised the alerts, 2 is a note on this one, 3 is on another."""
    desk = open_desk(tmp_path)
    note(desk, KEY, text="seen", by="Ann")
    note(desk, "B02@2024-10", text="seen", by="Ann")
    with pytest.raises(LoadlineError, match=f"entry {number} is not one") as refused:
        undo(desk, KEY, by="Ann", reason="not meant like this", entry=number)
    assert "2" in refused.value.hint
    undo(desk, KEY, by="Ann", reason="not meant like this", entry=2)
    assert case(tmp_path).notes == ()


def test_only_the_confirmed_is_released_and_only_as_long_as_it_is(tmp_path):
    desk = open_desk(tmp_path)
    for _ in range(2):
        with pytest.raises(LoadlineError, match="only a confirmed alert"):
            release(desk, KEY, by="Ann")
        if case(tmp_path).disposition is None:
            decide(desk, KEY, "watching", by="Ann")
    decide(desk, KEY, "confirmed", by="Ann", expected=case(tmp_path).version)
    assert case(tmp_path).released is None
    release(desk, KEY, by="Ann")
    assert case(tmp_path).released is not None
    decide(desk, KEY, "dismissed", by="Bo", reason=REASON, expected=case(tmp_path).version)
    assert case(tmp_path).released is None
    decide(desk, KEY, "confirmed", by="Bo", expected=case(tmp_path).version)
    assert case(tmp_path).released is None


def test_a_later_showing_keeps_what_was_decided(tmp_path):
    desk = open_desk(tmp_path)
    decide(desk, KEY, "confirmed", by="Ann")
    record_raised(tmp_path, BANK, alerts(alert("B01", last="2025-02", score=0.99)), {}, desk.clock)
    found = case(tmp_path)
    assert (found.status, found.shown.last, found.disposition.given["period"]) == ("confirmed", "2025-02", "2024-12")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("B01@2024-09", "Did you mean B01@2024-10?"),
        ("B1@2024-10", "B01@2024-10"),
        ("nothing like it", "loadline review list"),
        ("", "loadline review list"),
    ],
)
def test_an_unknown_alert_is_answered_with_near_ones(tmp_path, key, hint):
    with pytest.raises(LoadlineError, match="no alert is called") as refused:
        note(open_desk(tmp_path), key, text="seen", by="Ann")
    assert hint in refused.value.hint


def test_links_are_listed_once(tmp_path):
    desk = open_desk(tmp_path)
    for link_, by in (("C-12", "Ann"), ("https://cases.example.com/7?x=1", "Ann"), ("C-12", "Bo")):
        link(desk, KEY, case=link_, by=by)
    assert case(tmp_path).links == ("C-12", "https://cases.example.com/7?x=1")
