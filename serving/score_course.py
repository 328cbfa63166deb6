"""The course of scores up to a period: closed periods as they were closed, others under the period's own policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError

if TYPE_CHECKING:
    from serving.score_basis import ScoreBasis
    from training.scoring.closings import Closing

TREND_PERIODS = 6
"""Periods of a course, this one included: half a year of months, six years."""

Course = Mapping[str, Mapping[str, tuple[float, str]]]
"""By period and unit: the stated score, NaN where there is none, and the grade."""


def course_of(
    basis: ScoreBasis,
    table: pd.DataFrame,
    *,
    standing: Callable[[str], Closing | None],
    closed_table: Callable[[Closing], pd.DataFrame],
) -> Course:
    """Give stated scores and grades of the periods up to the basis' own, the earliest first.

    Where targets matter, only periods of the same year are given: those of other years had other targets.

    Parameters
    ----------
    basis : ScoreBasis
    table : pd.DataFrame
        Summary of the period itself.
    standing : callable
        Gives the version of an earlier period that stands; None where it is not closed.
    closed_table : callable
        Reads the summary of a version.
    """
    from training.scoring.network import score_network
    from training.scoring.tables import summary

    snapshot, network, targets = basis.snapshot, basis.network, basis.scores.targets
    calendar = snapshot.description.calendar
    first = max(snapshot.span[0], basis.ordinal - TREND_PERIODS + 1)
    if targets is not None:
        first = max(first, calendar.first_of_year(int(calendar.year(basis.ordinal))))
    found: dict[str, dict[str, tuple[float, str]]] = {}
    earlier = list(range(first, basis.ordinal))
    open_scores = None
    if earlier:
        try:
            known_on = network.versions.known_on if basis.scores.known_on_given else None
            open_scores = summary(score_network(snapshot, network.policy, earlier, targets=targets, known_on=known_on))
        except LoadlineError:  # no unit was on a scorecard then
            earlier = []
    tables = [(calendar.format(period), open_scores) for period in earlier]
    for period, scored in [*tables, (basis.period, table)]:
        closing = None if period == basis.period else standing(period)
        if closing is not None:
            scored = closed_table(closing)
        assert scored is not None
        mine = scored[scored["period"] == period]
        stated = zip(mine["score"].tolist(), mine["grade"].tolist(), strict=True)
        found[period] = dict(zip(mine["unit"], stated, strict=True))
    return found
