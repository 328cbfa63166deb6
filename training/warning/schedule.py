"""Which model answers which periods: one a fiscal year, trained as of the end of a year before."""

from __future__ import annotations

from dataclasses import dataclass

from features.periods import Calendar

WORTHWHILE = 0.2
"""A model is trained again once the history is longer by this part: every year up to the ninth, then more seldom."""


@dataclass(frozen=True, slots=True)
class Term:
    """The periods that one model answers.

    Attributes
    ----------
    year : int
        Fiscal year.
    origin : int
        Last period (ordinal) that the model learned from.
    first, last : int
        Periods (ordinals) that it answers, both inclusive.
    """

    year: int
    origin: int
    first: int
    last: int


def terms(calendar: Calendar, first: int, last: int, *, begin: int) -> tuple[Term, ...]:
    """Cut a range of periods into the terms of the models that answer them; an empty range has none.

    Parameters
    ----------
    calendar : Calendar
    first, last : int
        Periods (ordinals) asked about, both inclusive.
    begin : int
        First period (ordinal) of the data.
    """
    if first > last:
        return ()
    years = range(int(calendar.year(first)), int(calendar.year(last)) + 1)
    return tuple(
        Term(
            year,
            training_origin(calendar, calendar.first_of_year(year) - 1, begin=begin),
            max(first, calendar.first_of_year(year)),
            min(last, calendar.last_of_year(year)),
        )
        for year in years
    )


def training_origin(calendar: Calendar, known: int, *, begin: int) -> int:
    """Give the end of the last year, up to a period, at which a model is trained.

    A model is trained at the end of every fiscal year, and with a long history at the end of every few. It depends on
    nothing but the calendar and the first period of the data, so the same question has the same answer whenever it is
    asked.
    """
    last = int(calendar.year(known))
    if known != calendar.last_of_year(last):
        last -= 1
    start = int(calendar.year(begin))
    year = min(start, last)
    while (following := year + max(1, int(WORTHWHILE * (year - start + 1)))) <= last:
        year = following
    return calendar.last_of_year(year)
