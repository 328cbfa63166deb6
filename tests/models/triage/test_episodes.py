"""Episodes: one alert while it lasts, rest after a decision, and nothing known of later."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.triage.episodes import Ruling, gather_episodes, rulings_of


def _gather(text: str, *, score: list[float] | None = None, rulings: list[Ruling] | None = None, per_year: int = 12):
    """Gather one unit's rows, written as `x` for listed and `.` for not."""
    listed = np.array([[mark == "x"] for mark in text])
    scores = np.full(listed.shape, 0.9) if score is None else np.array(score)[:, None]
    return gather_episodes(listed, scores, per_year=per_year, rulings={0: rulings or []})


def _marks(episodes) -> str:
    return "".join("." if number < 0 else str(number) for number in episodes.number[:, 0])


def test_listings_no_more_than_three_months_apart_are_one_alert():
    assert _marks(_gather(".xx...xx....x")) == ".00...00....1"


def test_the_gap_is_three_months_in_coarser_data_too():
    assert _marks(_gather("x.x..x", per_year=4)) == "0.0..1"
    assert _marks(_gather("xx.x", per_year=1)) == "00.1"


def test_an_episode_has_first_last_peak_and_whether_it_is_open():
    found = _gather("xx.x......x", score=[0.5, 0.7, 0.1, 0.6, 0, 0, 0, 0, 0, 0, 0.9])

    assert (found.first.tolist(), found.last.tolist(), found.peak.tolist()) == ([0, 10], [3, 10], [1, 10])
    assert found.open.tolist() == [False, True]


def test_episodes_are_in_order_of_time_then_unit():
    listed = np.array([[0, 1, 0], [1, 1, 1]], dtype=bool)

    found = gather_episodes(listed, np.full(listed.shape, 0.9), per_year=12)

    assert list(zip(found.first.tolist(), found.unit.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 2)]


@pytest.mark.parametrize("decision", ["dismissed", "closed"])
def test_a_decided_case_rests_for_half_a_year(decision):
    found = _gather("xxx" + "x" * 10, rulings=[Ruling(0, 2, decision)])

    assert _marks(found) == "000......1111"
    assert found.listed[:, 0].tolist() == [mark != "." for mark in "000......1111"]


def test_a_resting_case_comes_back_where_it_is_much_worse():
    score = [0.9] * 4 + [0.95, 0.99, 0.99]

    found = _gather("xxxxxxx", score=score, rulings=[Ruling(0, 1, "dismissed")])

    assert _marks(found) == "00...11"  # odds of 9 at the dismissal: 19 is not enough, 99 is


@pytest.mark.parametrize("decision", ["confirmed", "watching"])
def test_a_case_taken_up_stays_open_until_it_is_closed(decision):
    held = _gather("x" + "." * 5, rulings=[Ruling(0, 0, decision)])
    closed = _gather("x" + "." * 9, rulings=[Ruling(0, 0, decision), Ruling(0, 5, "closed")])

    assert _marks(held) == "000000"
    assert held.open.tolist() == [True]
    assert not held.listed[1:].any()
    assert _marks(closed) == "000000...."


@pytest.mark.parametrize("decision", ["confirmed", "watching"])
def test_a_case_taken_up_ends_when_nothing_was_heard_of_it_for_half_a_year(decision):
    found = _gather("x" + "." * 9 + "x", rulings=[Ruling(0, 0, decision)])

    assert _marks(found) == "0000000...1"


def test_a_decision_on_one_alert_leaves_the_next_one_alone():
    found = _gather("x......xx", rulings=[Ruling(0, 7, "dismissed")])

    assert _marks(found) == "0......11"


def test_decisions_are_read_from_the_record():
    record = pd.DataFrame(
        {
            "alert": ["B@2024-02", "B@2024-01", "B@1999-01", "X@2024-01"],
            "unit": ["B", "B", "B", "X"],
            "period": ["2024-03", "2024-02", "2024-02", "2024-01"],
            "decision": ["dismissed", "watching", "closed", "closed"],
        }
    )

    found = rulings_of(record, pd.Index(["A", "B"]), pd.Index(["2024-01", "2024-02", "2024-03"]))

    assert found == {1: [Ruling(0, 1, "watching"), Ruling(1, 2, "dismissed")]}


def test_no_listing_no_episode():
    found = _gather("....")

    assert len(found.unit) == 0
    assert not found.listed.any()


@given(
    listed=arrays(bool, (14, 3)),
    score=arrays(float, (14, 3), elements=st.floats(0, 1)),
    rows=st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13), st.integers(0, 2)), max_size=6),
    decision=st.sampled_from(["confirmed", "dismissed", "watching", "closed"]),
    length=st.integers(1, 13),
)
def test_past_episodes_are_the_same_with_later_rows_removed(listed, score, rows, decision, length):
    rulings: dict[int, list[Ruling]] = {}
    for raised, row, unit in sorted(rows, key=lambda entry: entry[1]):
        rulings.setdefault(unit, []).append(Ruling(raised, row, decision))

    whole = gather_episodes(listed, score, per_year=12, rulings=rulings)
    cut = gather_episodes(listed[:length], score[:length], per_year=12, rulings=rulings)

    np.testing.assert_array_equal(whole.number[:length], cut.number)
    np.testing.assert_array_equal(whole.listed[:length], cut.listed)
    began = whole.first < length
    np.testing.assert_array_equal(whole.first[began], cut.first)
    np.testing.assert_array_equal(whole.unit[began], cut.unit)
    for first, last, peak in zip(cut.first, cut.last, cut.peak, strict=True):
        assert first <= peak <= last < length
