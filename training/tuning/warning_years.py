"""Past years as the trials of a warning model's settings see them: rows known before a year, and what came in it.

A trial does not hold the whole contest of learners. It grows the trees that the settings are about, on a sample of the
rows, and judges the mean of their calibrated log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.deterioration.blending import straight_line
from models.deterioration.boosted import ROUNDS, Boosted
from models.deterioration.forest import Forest
from models.deterioration.judging import average_precision
from models.deterioration.model import FEWEST_EVENTS
from models.deterioration.problem import DeteriorationProblem
from models.deterioration.rows import Rows
from models.deterioration.sampling import sampled
from models.deterioration.scores import NormalScores
from models.deterioration.settings import WarningSettings
from training.tuning.beyond_noise import Cell
from training.warning.fitting import LEAST_POSITIVES, columns, rows_of, thinned
from training.warning.material import Material
from training.warning.schedule import terms

MOST_YEARS = 6
"""Past years judged, the newest."""
MOST_FIGURES = 200_000
"""Figures (rows x columns) learned from in a trial; every positive is kept as far as they fill less than half."""
FEWEST_YEAR_POSITIVES = 5
"""Positives of a year from which it is judged."""
FEWEST_POSITIVES = 40
"""Positives of the years searched on, and of those that decide: with fewer the error of a loss is above a sixth of it,
while settings differ by a few hundredths."""
TRIED_ROUNDS = tuple(one for one in ROUNDS if one <= 200)
"""Numbers of boosted trees judged; the best is taken, as in the contest."""


@dataclass(frozen=True, eq=False)
class PastYear:
    """One year, its rows and those that could be learned from before it.

    Attributes
    ----------
    year : int
    earlier : DeteriorationProblem
        What was known at the end of the year before.
    X : np.ndarray
        (n, F) rows of the year.
    y, unit, weight : np.ndarray
        (n,) what came, whose rows they are, and how many each stands for.
    seed : int
    """

    year: int
    earlier: DeteriorationProblem
    X: np.ndarray
    y: np.ndarray
    unit: np.ndarray
    weight: np.ndarray
    seed: int

    @property
    def positives(self) -> int:
        """Count the rows followed by deterioration."""
        return int(self.y.sum())

    @cached_property
    def _rows(self) -> tuple[Rows, Rows]:
        scale = NormalScores.of(self.earlier.X)
        found = Rows(self.earlier.X, scale), Rows(self.X, scale)
        for rows in found:
            _ = rows.scores  # once for all trials
        return found

    def foretold(self, settings: WarningSettings) -> np.ndarray:
        """Give log-odds of the year's rows (K, n): by boosted trees after each of `TRIED_ROUNDS`, by random ones."""
        seen, later = self._rows
        grown = Boosted.fit(self.earlier, seed=self.seed, rounds=max(TRIED_ROUNDS), bags=1, settings=settings)
        random = Forest.trial(seen, self.earlier.y, later, seed=self.seed, settings=settings)
        return np.vstack([grown.margins(later, TRIED_ROUNDS), random[None]])


def past_years(material: Material, origin: int, *, seed: int) -> dict[int, PastYear]:
    """Set up the past years by their number, judged by the labels known at an origin."""
    calendar, known = material.snapshot.description.calendar, material.labels_at(origin)
    found: dict[int, PastYear] = {}
    for term in reversed(terms(calendar, material.first, origin, begin=material.first)):
        if len(found) == MOST_YEARS or not material.first <= term.origin < term.first:
            continue
        asked = np.zeros(material.leaves.shape, dtype=bool)
        asked[term.first - material.first : term.last - material.first + 1] = True
        asked &= material.leaves & known.known
        before = material.labels_at(term.origin)
        usable = before.known & material.leaves
        usable[term.origin - material.first + 1 :] = False
        positives = before.y[usable] == 1
        events = len(np.unique(before.event[usable & (before.y == 1)]))
        happened = int((known.y[asked] == 1).sum())
        if positives.sum() < LEAST_POSITIVES or events < FEWEST_EVENTS or positives.all():
            continue
        if happened < FEWEST_YEAR_POSITIVES or happened == asked.sum():
            continue
        earlier = rows_of(material, before, usable, origin=term.origin, seed=seed)
        chosen, weight = thinned(asked, known.y == 1, material, seed=seed)
        found[term.year] = PastYear(
            term.year,
            sampled(earlier, seed=seed, figures=MOST_FIGURES),
            columns(material, earlier.names, chosen),
            known.y[chosen].astype(np.int8),
            np.nonzero(chosen)[1],
            weight[chosen],
            seed,
        )
    return dict(sorted(found.items()))


@dataclass(frozen=True, eq=False)
class Calibrated:
    """How log-odds become comparable: learned on some years, used on others.

    Attributes
    ----------
    lines : np.ndarray
        (K, 2) intercept and slope of each of what `PastYear.foretold` gives.
    rounds : int
        Which number of boosted trees lost least.
    """

    lines: np.ndarray
    rounds: int

    @classmethod
    def fit(cls, years: Sequence[PastYear], raw: Sequence[np.ndarray]) -> Calibrated:
        """Learn from the log-odds (K, n) of each year."""
        together, y = np.concatenate(raw, axis=1), np.concatenate([one.y for one in years])
        weight = np.concatenate([one.weight for one in years])
        lines = np.array([straight_line(one, y, weight) for one in together])
        brought = lines[:-1, :1] + lines[:-1, 1:] * together[:-1]
        return cls(lines, int(np.argmin([weight @ loss_of(one, y) for one in brought])))

    def margin(self, raw: np.ndarray) -> np.ndarray:
        """Give the mean log-odds (n,) of both kinds of trees."""
        brought = self.lines[:, :1] + self.lines[:, 1:] * raw
        return (brought[self.rounds] + brought[-1]) / 2


def loss_of(margin: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Give the log loss (n,) of log-odds."""
    return np.logaddexp(0.0, margin) - margin * y


def loss_ratio(years: Sequence[PastYear], settings: WarningSettings) -> float:
    """Give the log loss over that of the base rate, over all years together."""
    raw = [one.foretold(settings) for one in years]
    fitted = Calibrated.fit(years, raw)
    weight, y = (np.concatenate([getattr(one, name) for one in years]) for name in ("weight", "y"))
    margin = np.concatenate([fitted.margin(each) for each in raw])
    rate = float(weight @ y / weight.sum())
    base = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    return float(weight @ loss_of(margin, y) / weight.sum() / base)


@dataclass(frozen=True, eq=False)
class LaterYears:
    """What settings came to in years that they were not searched on.

    Attributes
    ----------
    losses : list of np.ndarray
        (n,) by year.
    precision : float
        Average precision over all years together.
    """

    losses: list[np.ndarray]
    precision: float

    @classmethod
    def of(cls, searched: Sequence[PastYear], later: Sequence[PastYear], settings: WarningSettings) -> LaterYears:
        """Judge later years, calibrated on those searched on."""
        fitted = Calibrated.fit(searched, [one.foretold(settings) for one in searched])
        margins = [fitted.margin(one.foretold(settings)) for one in later]
        weight, y = (np.concatenate([getattr(one, name) for one in later]) for name in ("weight", "y"))
        losses = [loss_of(margin, one.y) for margin, one in zip(margins, later, strict=True)]
        return cls(losses, average_precision(y, np.concatenate(margins), weight))


def cells(later: Sequence[PastYear], usual: LaterYears, other: LaterYears) -> list[Cell]:
    """Pair the losses of two settings, a cell a year."""
    return [
        Cell(one.year, one.unit, first, second, one.weight)
        for one, first, second in zip(later, usual.losses, other.losses, strict=True)
    ]


def told_apart(years: Sequence[PastYear]) -> bool:
    """Tell whether the years have positives enough to judge by."""
    return sum(one.positives for one in years) >= FEWEST_POSITIVES
