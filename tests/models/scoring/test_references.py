"""Figures to compare with: what has none stands as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.scoring.facts import Facts
from models.scoring.references import against_last_year, against_peers, against_target, reference_of

FACTS = Facts(
    3,
    actual={"A": np.array([1.0, 2.0, np.nan]), "B": np.array([5.0, 6.0, 7.0])},
    last_year={"A": np.array([0.5, np.nan, 3.0])},
    target={"A": np.array([4.0, 4.0, 4.0])},
    peers={"B": np.array([9.0, np.nan, 9.0])},
    opened=np.array([3.0, 14.0, np.inf]),
    moved=np.array([3.0, 14.0, np.inf]),
)


def test_figures_are_replaced_where_there_is_one_to_compare_with():
    found = against_last_year(FACTS)
    np.testing.assert_array_equal(found.facts.actual["A"], [0.5, 2.0, np.nan])
    assert found.compared["A"].tolist() == [True, False, False]
    np.testing.assert_array_equal(found.facts.actual["B"], FACTS.actual["B"])
    assert not found.compared["B"].any()


def test_targets_and_peers():
    np.testing.assert_array_equal(against_target(FACTS).facts.actual["A"], [4.0, 4.0, np.nan])
    np.testing.assert_array_equal(against_peers(FACTS).facts.actual["B"], [9.0, 6.0, 9.0])


def test_policy_targets_and_last_year_stay():
    for against in ("target", "last_year", "peers"):
        found = reference_of(FACTS, against)
        assert found.against == against
        assert found.facts.target is FACTS.target
        assert found.facts.last_year is FACTS.last_year


def test_protection_is_as_it_was_a_year_ago():
    facts = against_last_year(FACTS).facts
    assert facts.opened is not None
    assert facts.moved is not None
    assert facts.opened.tolist() == [3.0, 2.0, np.inf]  # younger than a year: as it is
    assert facts.moved.tolist() == [np.inf, 2.0, np.inf]  # had not moved yet
    just = replace(FACTS, opened=np.full(3, 12.0), moved=np.full(3, 12.0))  # a year ago to the month
    facts = against_last_year(just).facts
    assert facts.opened is not None
    assert facts.moved is not None
    assert [*facts.opened, *facts.moved] == [0.0] * 6
    assert against_peers(FACTS).facts.opened is FACTS.opened


def test_an_unknown_reference_is_refused():
    with pytest.raises(KeyError):
        reference_of(FACTS, "budget")  # type: ignore[arg-type]
