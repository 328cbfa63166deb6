"""Scores taken apart into lines: they add up for any policy and figures."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from policies import policies

from features.indicators import library
from models.policy.document import Policy
from models.scoring.comparison import LIMITS, ROUNDING, ScoreLines, all_lines, lines_of
from models.scoring.engine import score
from models.scoring.facts import Facts

ROWS = 12


def scored(policy: Policy, seed: int) -> ScoreLines:
    """Score rows of random figures, some of them missing, on random scorecards of a policy or on none."""
    rng = np.random.default_rng(seed)
    codes = list(library())

    def figures() -> dict[str, np.ndarray]:
        drawn = np.round(rng.uniform(-50, 150, (len(codes), ROWS)), 1)
        return dict(zip(codes, np.where(rng.random(drawn.shape) < 0.1, np.nan, drawn), strict=True))

    months = rng.integers(0, 24, ROWS).astype(float)
    kinds = ("last_year", "floor", "target", "stretch", "peers")
    facts = Facts(ROWS, figures(), **{kind: figures() for kind in kinds}, opened=months, moved=months)
    cards = rng.integers(-1, len(policy.scorecards), ROWS)
    return lines_of(score(policy, facts, cards, library()), ROWS)


@settings(max_examples=60, deadline=None)
@given(policies(library()), st.integers(0, 10**6))
def test_lines_add_up_to_the_stated_score(policy: Policy, seed: int) -> None:
    found = scored(policy, seed)
    assert (found.cents.sum(axis=0) == found.tenths * 10).all()
    assert not found.cents[~found.present].any()
    assert not found.present[:, ~found.scored].any()
    assert all((found.present[found.lines.index(line)] == found.scored).all() for line in (LIMITS, ROUNDING))


@settings(max_examples=30, deadline=None)
@given(policies(library()), policies(library()), st.integers(0, 10**6))
def test_two_scorings_on_the_same_lines_are_what_they_were(first: Policy, second: Policy, seed: int) -> None:
    one, two = scored(first, seed), scored(second, seed)
    lines = all_lines(one.lines, two.lines)
    for found in (one, two):
        laid = found.on(lines)
        assert laid.lines == lines
        assert (laid.cents.sum(axis=0) == found.cents.sum(axis=0)).all()
        for number, line in enumerate(found.lines):
            np.testing.assert_array_equal(laid.cents[lines.index(line)], found.cents[number])


@given(st.integers(0, 10**6))
def test_rows_are_taken_in_the_order_asked_and_none_is_without_a_score(seed: int) -> None:
    found = scored(_ANY, seed)
    taken = found.take(np.array([3, -1, 0]))
    np.testing.assert_array_equal(taken.tenths, [found.tenths[3], 0, found.tenths[0]])
    np.testing.assert_array_equal(taken.scored, [found.scored[3], False, found.scored[0]])
    assert not taken.cents[:, 1].any()
    assert taken.grade[1] == taken.card[1] == ""


_ANY = Policy.model_validate(
    {
        "policy": 1,
        "id": "any",
        "version": "1",
        "title": {"en": "x", "zh": "项"},
        "source": "made for the tests",
        "effective": {"from": "2020-01-01"},
        "level": "internal",
        "scorecards": [
            {
                "id": "a",
                "title": {"en": "x", "zh": "项"},
                "items": [{"indicator": "R01", "weight": 100, "rule": {"kind": "ratio"}}],
            }
        ],
        "missing": {"then": "rescale"},
    }
)
