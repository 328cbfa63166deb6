"""The learners that contend for a share of the model: a catalogue, each with how it is fitted and tuned out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from features.matrix import SEPARATOR
from models.deterioration.boosted import ROUNDS, Boosted
from models.deterioration.forest import Forest
from models.deterioration.judging import average_precision
from models.deterioration.linear import PENALTIES, Linear, ridge_path, single
from models.deterioration.problem import DeteriorationProblem
from models.deterioration.rows import Rows
from models.deterioration.settings import DEFAULT, WarningSettings
from models.explanation.contrast import Players

PRIOR = "prior"
"""Name of a column that is a score made without any outcome."""
SCREENED_ROWS = 20_000
"""Uneventful rows on which single columns are compared: enough to tell which is best."""


AS_REPORTED = f"{SEPARATOR}level"
"""Ending of the names of figures that nothing is computed from."""
PLAIN_ENOUGH = 0.5
"""A figure as reported is the best single one where it tells this part of what the best computed one tells: which
computed one comes first changes with the times."""


class Learner(Protocol):
    """What every learner can do once fitted."""

    def margin(self, rows: Rows, *, threads: int = 1) -> np.ndarray:
        """Give log-odds."""
        ...

    def contrast(self, rows: Rows, reference: Rows, players: Players) -> np.ndarray:
        """Share out how far the log-odds of rows lie from those of their reference."""
        ...


@dataclass(frozen=True)
class Work:
    """What a learner is fitted from.

    Attributes
    ----------
    problem : DeteriorationProblem
    rows : Rows
        The same rows, ready.
    seed, threads : int
    settings : WarningSettings
    """

    problem: DeteriorationProblem
    rows: Rows
    seed: int
    threads: int = 1
    settings: WarningSettings = DEFAULT

    def at(self, chosen: np.ndarray) -> Work:
        """Keep some rows."""
        return replace(self, problem=self.problem.rows(chosen), rows=self.rows.at(chosen))


class Contender(Protocol):
    """A kind of learner."""

    @property
    def settings(self) -> Sequence[float]:
        """Give how much it may learn, from little to much; one where there is nothing to choose."""
        ...

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Tell whether the rows allow it."""
        ...

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Fit once and give the log-odds (settings, n) of other rows at each setting."""
        ...

    def fit(self, work: Work, setting: float) -> Learner:
        """Fit at one setting."""
        ...


@dataclass(frozen=True)
class BestIndicator:
    """The single column that tells most, found anew wherever it is fitted."""

    settings: Sequence[float] = (0.0,)

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Always."""
        return True

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Give the log-odds of other rows."""
        return self.fit(work, 0.0).margin(later)[None]

    def fit(self, work: Work, setting: float) -> Linear:
        """Choose the column by its average precision, in the direction known for it or else in the better one.

        A figure as reported is preferred, see `PLAIN_ENOUGH`.
        """
        problem, scores = work.problem, work.rows.scores
        kept = np.arange(len(problem))
        if len(kept) > SCREENED_ROWS + problem.positives:
            calm = np.flatnonzero(problem.y == 0)
            kept = np.concatenate([np.flatnonzero(problem.y == 1), calm[:: -(-len(calm) // SCREENED_ROWS)]])
        y, weight = problem.y[kept], problem.weight[kept]
        found = [
            (average_precision(y, sign * scores[kept, place], weight), place, int(sign))
            for place, known in enumerate(problem.direction)
            for sign in ((known,) if known else (1, -1))
        ]
        best = max(found)
        plain = [one for one in found if problem.names[one[1]].endswith(AS_REPORTED)]
        if plain and max(plain)[0] >= PLAIN_ENOUGH * best[0]:
            best = max(plain)
        return single(work.rows, problem.y, best[1], sign=best[2])


@dataclass(frozen=True)
class PriorScore:
    """The score made without outcomes, brought to a probability."""

    settings: Sequence[float] = (0.0,)

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Tell whether there is such a column."""
        return PRIOR in problem.names

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Give the log-odds of other rows."""
        return self.fit(work, 0.0).margin(later)[None]

    def fit(self, work: Work, setting: float) -> Linear:
        """Fit its slope, which may not be negative."""
        return single(work.rows, work.problem.y, work.problem.names.index(PRIOR), sign=1)


@dataclass(frozen=True)
class Regression:
    """Logistic regression over all columns."""

    settings: Sequence[float] = PENALTIES

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Always."""
        return True

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Give the log-odds of other rows at each penalty."""
        return np.stack([one.margin(later) for one in ridge_path(work.rows, work.problem.y, penalties=settings)])

    def fit(self, work: Work, setting: float) -> Linear:
        """Fit at one penalty."""
        return ridge_path(work.rows, work.problem.y, penalties=(setting,))[0]


@dataclass(frozen=True)
class BoostedTrees:
    """LightGBM."""

    settings: Sequence[float] = ROUNDS

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Always."""
        return True

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Give the log-odds of other rows after so many trees."""
        rounds = [int(one) for one in settings]
        grown = Boosted.fit(
            work.problem, seed=work.seed, rounds=max(rounds), bags=1, threads=work.threads, settings=work.settings
        )
        return grown.margins(later, rounds, threads=work.threads)

    def fit(self, work: Work, setting: float) -> Boosted:
        """Fit so many trees."""
        return Boosted.fit(
            work.problem, seed=work.seed, rounds=int(setting), threads=work.threads, settings=work.settings
        )


@dataclass(frozen=True)
class RandomTrees:
    """Extremely randomised trees."""

    settings: Sequence[float] = (0.0,)

    def possible(self, problem: DeteriorationProblem) -> bool:
        """Always."""
        return True

    def trials(self, work: Work, later: Rows, settings: Sequence[float]) -> np.ndarray:
        """Give the log-odds of other rows by a smaller forest."""
        y, threads = work.problem.y, work.threads
        return Forest.trial(work.rows, y, later, seed=work.seed, threads=threads, settings=work.settings)[None]

    def fit(self, work: Work, setting: float) -> Forest:
        """Grow the forest."""
        y, threads = work.problem.y, work.threads
        return Forest.fit(work.rows, y, seed=work.seed, threads=threads, settings=work.settings)


INDICATOR, REGRESSION, BOOSTED, FOREST = "indicator", "regression", "boosted", "forest"

CONTENDERS: dict[str, Contender] = {
    INDICATOR: BestIndicator(),
    PRIOR: PriorScore(),
    REGRESSION: Regression(),
    BOOSTED: BoostedTrees(),
    FOREST: RandomTrees(),
}

SIMPLE = (INDICATOR, REGRESSION, PRIOR)
"""What replaces the blend where the blend does not beat it."""

WORDS = {
    INDICATOR: "best single indicator",
    PRIOR: "prior score",
    REGRESSION: "logistic regression",
    BOOSTED: "boosted trees",
    FOREST: "extremely randomised trees",
}
