"""What explanations of scores rest on: the scores of a period, computed once for each data, policy and targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.store import Snapshot
from models.scoring.engine import CardScores, score_card
from serving.score_course import Course, course_of
from serving.scoring import PeriodScores, ScoreRequest
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from training.scoring.closings import Closing
    from training.scoring.network import Network

KEPT = 8
"""Answers that are kept: of four periods, with their tables or courses."""


@dataclass(frozen=True, eq=False)
class ScoreBasis:
    """The scores of a period with all that they rest on.

    Attributes
    ----------
    snapshot : Snapshot
        The data version that was scored.
    ordinal : int
    scores : PeriodScores
    closed : Closing or None
        The version of the closed period that this is.
    stamp : tuple
        Tells this from every other basis.
    """

    snapshot: Snapshot
    ordinal: int
    scores: PeriodScores
    closed: Closing | None
    stamp: tuple[Any, ...]

    @property
    def network(self) -> Network:
        """Give the scores of all units."""
        return self.scores.network

    @property
    def period(self) -> str:
        """Give the period as the dataset writes it."""
        return self.scores.period

    def row(self, unit: str) -> CardScores | None:
        """Give one unit's score by itself; None where it is on no scorecard in the period."""
        number, figures = self.network.figures.tree.number(unit), self.network.figures
        rows = np.flatnonzero((figures.unit == number) & (figures.period == self.ordinal))
        if not len(rows):
            return None
        card = self.network.policy.scorecards[int(figures.card[rows[0]])]
        return score_card(
            self.network.policy, card, figures.facts.take(rows[:1]), self.snapshot.indicators, rows=rows[:1]
        )

    def lines(self, unit: str) -> pd.DataFrame | None:
        """Give one unit's lines alone, see `training.scoring.lines.lines`; None where it is on no scorecard."""
        from training.scoring.lines import lines

        scores = self.row(unit)
        return None if scores is None else lines(replace(self.network, scores=(scores,)))


class ScoreBases:
    """Scores periods as they are asked for, and keeps the last ones.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._lock = Lock()
        self._kept: dict[tuple[Any, ...], Any] = {}

    def basis(self, asked: ScoreRequest, *, dataset: str | None = None, progress: Progress = silent) -> ScoreBasis:
        """Score a period, or give what was scored before from the same data, policy and targets.

        A closed period is given as it was closed: from its data version, policy and targets, unless others are asked
        for.

        Raises
        ------
        LoadlineError
            As `serving.scoring.Scoring.score`.
        """
        key = self.stamp(asked, dataset=dataset)
        with self._lock:  # the first to ask has it computed; the others wait for it
            return self._keep(key, lambda: self._computed(asked, key, dataset=dataset, progress=progress))

    def stamp(self, asked: ScoreRequest, *, dataset: str | None = None) -> tuple[Any, ...]:
        """Tell what an answer would rest on, without computing it: data, records of policies and closings, the plan."""
        snapshot = self._advisor.snapshot(dataset)
        about, home = snapshot.about, self._advisor.settings.home
        period = self._advisor.scoring.ordinal(snapshot, asked.period)
        folders = [home / name / about.dataset for name in ("policies", "scores")]
        records = [_state(path) for folder in folders for path in sorted(folder.glob("*.jsonl"))]
        files = [None if path is None else (str(path), _state(path)) for path in (asked.policy, asked.targets)]
        published = self._advisor.scoring.published(asked, dataset=about.dataset)
        return (
            about.dataset,
            about.version,
            about.fingerprint,
            period,
            asked.suggested_targets,
            asked.known_on,
            tuple(files),
            tuple(records),
            None if published is None else published.label,
        )

    def table(self, basis: ScoreBasis) -> pd.DataFrame:
        """Give one row a unit; see `training.scoring.tables.summary`. Not to be changed."""
        with self._lock:
            return self._table(basis)

    def course(self, basis: ScoreBasis) -> Course:
        """Give stated scores and grades of the periods up to this one, the earliest first.

        Closed periods are as they were closed, others under this period's policy. Where targets matter, only periods
        of the same year are given: those of other years had other targets.
        """
        with self._lock:
            return self._keep(("course", *basis.stamp), lambda: self._course(basis))

    def _table(self, basis: ScoreBasis) -> pd.DataFrame:
        return self._keep(("table", *basis.stamp), basis.scores.summary)

    def _keep(self, key: tuple[Any, ...], make) -> Any:
        found = self._kept.pop(key, None)
        found = make() if found is None else found
        self._kept[key] = found
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    def _computed(
        self, asked: ScoreRequest, key: tuple[Any, ...], *, dataset: str | None, progress: Progress
    ) -> ScoreBasis:
        from training.scoring.closings import latest

        snapshot = self._advisor.snapshot(dataset)
        ordinal = self._advisor.scoring.ordinal(snapshot, asked.period)
        overruled = asked.policy or asked.targets or asked.suggested_targets or asked.known_on
        standing = None
        if not overruled:
            period = snapshot.description.calendar.format(ordinal)
            standing = latest(self._advisor.settings.home, snapshot.about.dataset, period)
        if standing is not None:
            return self._as_closed(standing, ordinal, key)
        scores = self._advisor.scoring.score(asked, dataset=dataset, progress=progress)
        return ScoreBasis(snapshot, ordinal, scores, None, key)

    def _as_closed(self, closing: Closing, ordinal: int, key: tuple[Any, ...]) -> ScoreBasis:
        """Score a closed period again from what it was closed with."""
        from training.scoring.archive import read_closed, scored_again

        home, dataset = self._advisor.settings.home, str(key[0])
        closed = read_closed(home, dataset, closing.period, level=closing.level, version=closing.version)
        snapshot, network = scored_again(self._advisor.store, dataset, closed)
        note = f"Policy {closed.policy.label}, under which {closing.period} was closed (version {closing.version})."
        scores = PeriodScores(closing.period, network, closed.targets, closing.known_on_given, note, network.notes)
        return ScoreBasis(snapshot, ordinal, scores, closing, key)

    def _course(self, basis: ScoreBasis) -> Course:
        from training.scoring.archive import read_closed
        from training.scoring.closings import latest

        home, dataset, level = self._advisor.settings.home, basis.snapshot.about.dataset, basis.network.policy.level
        return course_of(
            basis,
            self._table(basis),
            standing=lambda period: latest(home, dataset, period, level=level),
            closed_table=lambda closing: (
                read_closed(home, dataset, closing.period, level=closing.level, version=closing.version).summary
            ),
        )


def _state(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return (0, 0)
    return (about.st_mtime_ns, about.st_size)
