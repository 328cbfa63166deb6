"""Episodes: listings of a unit gathered into one alert each, which is updated while it lasts and rests once decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logit

Decision = Literal["confirmed", "dismissed", "watching", "closed"]

GAP_MONTHS = 3
"""Listings no further apart than this belong together: evidence wavers, and a quarter brings new figures for all."""
COOL_DOWN_MONTHS = 6
"""A decided case rests for half a year: the same growth stays in the windows of the detectors for as long."""
ESCALATION = 3.0
"""A resting case comes back at once where the odds of its score are this many times those that were decided on."""
EDGE = 1e-12
"""Scores are kept so far from 0 and 1 before odds are taken."""
STAYING: tuple[Decision, ...] = ("confirmed", "watching")
"""Decisions that keep an alert open, listed or not, until another decision is made, or nothing has been heard of it for
as long as a decided case rests."""


class Ruling(NamedTuple):
    """A decision on an alert: the row in which the alert was raised, the row of the decision, and what was decided."""

    raised: int
    row: int
    decision: Decision


@dataclass(frozen=True, eq=False)
class Episodes:
    """The episodes of a panel, in order of their first row, then of the unit.

    Attributes
    ----------
    unit, first, last, peak : np.ndarray
        (E,) unit number; rows in which it was raised, was last on the list or held open, and had its highest score.
    open : np.ndarray
        (E,) booleans: on the list, or held open by a decision, in the last row.
    number : np.ndarray
        (P, U) position of the episode to which a unit-period belongs, -1 for none: while it is listed, and while a
        decision holds it open.
    listed : np.ndarray
        (P, U) booleans: the list without the cases that rest.
    """

    unit: np.ndarray
    first: np.ndarray
    last: np.ndarray
    peak: np.ndarray
    open: np.ndarray
    number: np.ndarray
    listed: np.ndarray


@dataclass
class _Case:
    """One episode as it grows: the rows in which it was listed or held open, the one with the highest score, and the
    last one in which it was listed or decided on."""

    rows: list[int]
    peak: int
    heard: int
    held: bool = False


def gather_episodes(
    listed: np.ndarray,
    score: np.ndarray,
    *,
    per_year: int,
    rulings: dict[int, list[Ruling]] | None = None,
) -> Episodes:
    """Gather the listings of each unit into episodes.

    A decision counts from the row after it was made. Whatever a row holds rests on that row and earlier ones: with
    later rows removed, the same episodes begin in the same rows.

    Parameters
    ----------
    listed : np.ndarray
        (P, U) booleans.
    score : np.ndarray
        (P, U), 0 to 1, known where listed.
    per_year : int
        Periods of a year.
    rulings : dict, optional
        By unit number: its decisions (`rulings_of`).

    Returns
    -------
    Episodes
    """
    gap = GAP_MONTHS * per_year // 12
    rest = -(-COOL_DOWN_MONTHS * per_year // 12)
    rulings = rulings or {}
    kept = np.zeros(listed.shape, dtype=bool)
    cases: list[tuple[int, _Case]] = []
    for unit in np.flatnonzero(listed.any(axis=0)):
        found = _unit_cases(listed[:, unit], score[:, unit], rulings.get(int(unit), []), gap, rest, kept[:, unit])
        cases.extend((int(unit), case) for case in found)
    cases.sort(key=lambda entry: (entry[1].rows[0], entry[0]))
    number = np.full(listed.shape, -1, dtype=np.int32)
    for place, (unit, case) in enumerate(cases):
        number[case.rows, unit] = place
    table = np.array([(unit, c.rows[0], c.rows[-1], c.peak) for unit, c in cases], dtype=np.intp).reshape(-1, 4)
    units, first, last, peak = table.T
    return Episodes(units, first, last, peak, last == len(listed) - 1, number, kept)


def rulings_of(dispositions: pd.DataFrame, units: pd.Index, periods: pd.Index) -> dict[int, list[Ruling]]:
    """Read decisions from a table, in the order in which they were made.

    Parameters
    ----------
    dispositions : pd.DataFrame
        `alert` (`unit@period of the first listing`), `unit`, `period` of the decision, `decision`. Alerts that name a
        unit or a period which the panel does not have are passed over.
    units, periods : pd.Index
        Of the panel, as text.
    """
    raised = periods.get_indexer(pd.Index([str(key).rpartition("@")[2] for key in dispositions["alert"]]))
    unit = units.get_indexer(pd.Index(dispositions["unit"]))
    row = periods.get_indexer(pd.Index(dispositions["period"].astype(str)))
    found: dict[int, list[Ruling]] = {}
    for u, first, at, decision in zip(unit, raised, row, dispositions["decision"], strict=True):
        if min(u, first, at) >= 0:
            found.setdefault(int(u), []).append(Ruling(int(first), int(at), decision))
    for rulings in found.values():
        rulings.sort(key=lambda ruling: ruling.row)
    return found


def _unit_cases(
    listed: np.ndarray, score: np.ndarray, rulings: list[Ruling], gap: int, rest: int, kept: np.ndarray
) -> Iterator[_Case]:
    """Walk through one unit's rows; yield its cases, and mark in `kept` the listings that no rest hides."""
    case: _Case | None = None
    rests_until, decided_on = -1, -np.inf
    for row in range(len(listed)):
        if case is not None and row - case.heard > (rest if case.held else gap + 1):
            yield case
            case = None
        escalated = listed[row] and _odds(score[row]) >= decided_on + np.log(ESCALATION)
        kept[row] = listed[row] and (row > rests_until or escalated)
        if kept[row]:
            case = case or _Case([], row, row)
            case.heard = row
            case.peak = row if score[row] > score[case.peak] else case.peak
        if case is None:
            continue
        if kept[row] or case.held:
            case.rows.append(row)
        for ruling in rulings:
            if ruling.row == row and ruling.raised == case.rows[0]:
                case.held, case.heard = ruling.decision in STAYING, row
                if not case.held:
                    yield case
                    rests_until, decided_on = row + rest, _odds(score[case.peak])
                    case = None
                    break
    if case is not None:
        yield case


def _odds(score: float) -> float:
    return float(logit(min(max(score, EDGE), 1.0 - EDGE)))
