"""Which model answers which period."""

from __future__ import annotations

from itertools import pairwise

import pytest

from features.periods import Calendar
from training.warning.schedule import Term, terms, training_origin


def test_each_year_is_answered_by_the_model_of_the_end_of_the_year_before() -> None:
    calendar = Calendar("M", 6)
    first, last = calendar.parse("2020-03"), calendar.parse("2021-08")
    found = terms(calendar, first, last, begin=first - 24)
    assert [term.year for term in found] == [2020, 2021, 2022]
    assert [calendar.format(term.origin) for term in found] == ["2019-06", "2020-06", "2021-06"]
    assert found[0].first == first
    assert found[-1].last == last
    assert all(a.last + 1 == b.first for a, b in pairwise(found))
    assert all(term.origin < term.first for term in found)


def test_annual_periods_have_a_model_each_and_an_empty_range_none() -> None:
    found = terms(Calendar("A"), 2001, 2002, begin=1999)
    assert found == (Term(2001, 2000, 2001, 2001), Term(2002, 2001, 2002, 2002))
    assert terms(Calendar("A"), 2003, 2002, begin=1999) == ()


@pytest.mark.parametrize("as_of", ["2020-12", "2021-01", "2021-05", "2021-11"])
def test_models_are_trained_as_of_the_last_year_that_is_over(as_of: str) -> None:
    calendar = Calendar("M")
    begin = calendar.parse("2014-01")
    assert calendar.format(training_origin(calendar, calendar.parse(as_of), begin=begin)) == "2020-12"


def test_the_longer_the_history_the_more_seldom_is_trained() -> None:
    calendar = Calendar("A")
    origins = sorted({training_origin(calendar, year, begin=1870) for year in range(1870, 2017)})
    assert origins[:10] == list(range(1870, 1880))
    gaps = [later - earlier for earlier, later in pairwise(origins)]
    assert gaps == sorted(gaps)
    assert len(origins) < 30
    assert all(gap <= max(1, 0.2 * (origin - 1869)) for gap, origin in zip(gaps, origins, strict=False))


def test_an_origin_before_the_data_lies_before_it() -> None:
    calendar = Calendar("M")
    begin = calendar.parse("2014-03")
    assert training_origin(calendar, calendar.parse("2013-12"), begin=begin) == calendar.parse("2013-12")
