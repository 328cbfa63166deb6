"""The probability of deterioration, period by period: as a replay would have given it, or with hindsight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from features.indicators import Title
from training.warning.fitting import Fitted, basis, fit_on, fitted, kept
from training.warning.labels import Labels
from training.warning.material import Material
from training.warning.schedule import terms

HINDSIGHT_FOLDS = 5
"""Parts into which labelled rows are cut, so that no row is answered by a model that has seen its label."""

NO_FOLD = -1
"""Stands for the rows without a label, which belong to no part."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Probabilities and what gave them.

    Attributes
    ----------
    probability : np.ndarray
        (P, U), rows as of the material; NaN where nothing was asked, for parents, and where no model has skill.
    models : tuple of Fitted
        By term, the latest last; with hindsight the one model that answers unlabelled rows.
    """

    probability: np.ndarray
    models: tuple[Fitted, ...]

    @property
    def last(self) -> Fitted | None:
        """Give the model that answered the last period."""
        return self.models[-1] if self.models else None

    @property
    def note(self) -> Title:
        """Say what the last model rests on."""
        last = self.last
        return last.note if last is not None else Title(en="Nothing was asked.", zh="未提出问题。")


def replayed_probability(
    material: Material,
    first: int,
    last: int,
    *,
    seed: int,
    home: Path | None = None,
    serving: Callable[[int], Fitted | None] = lambda origin: None,
) -> Answer:
    """Answer each period by the model of its year, trained as of the end of a year before; see `schedule`.

    Parameters
    ----------
    material : Material
    first, last : int
        Periods (ordinals) asked about, both inclusive.
    seed : int
    home : Path, optional
        Where fitted models are kept.
    serving : callable
        From an origin to the model in service for it, if there is one; it spares fitting it again.
    """
    out = np.full(material.leaves.shape, np.nan)
    models = []
    for term in terms(material.snapshot.description.calendar, first, last, begin=material.first):
        model = serving(term.origin) or fitted(material, term.origin, seed=seed, home=home)
        models.append(model)
        if model.answers:
            rows = slice(term.first - material.first, term.last - material.first + 1)
            out[rows] = model.probability(material, term.first, term.last)
    return Answer(out, tuple(models))


def hindsight_probability(
    material: Material, first: int, last: int, *, day: date, seed: int, home: Path | None = None
) -> Answer:
    """Answer all periods from every label known by a day, labelled rows by models that did not see their wave.

    For outcomes of which it is not on record when they became known, where a replay would only guess.

    Parameters
    ----------
    material : Material
    first, last : int
        Periods (ordinals) asked about, both inclusive.
    day : date
    seed : int
    home : Path, optional
        Where fitted models are kept.
    """
    known = material.labels_now(day)
    fold = folds(known, seed=seed)

    def learned(left_out: int) -> Fitted:
        about = basis(material, day, seed=seed) | {"hindsight": True, "last": material.last, "left_out": left_out}
        where = np.ones(fold.shape, dtype=bool) if left_out == NO_FOLD else fold != left_out
        return kept(home, about, lambda: fit_on(material, known, origin=material.last, seed=seed, where=where))

    whole = learned(NO_FOLD)
    asked = material.leaves.copy()
    asked[: first - material.first] = False
    asked[last - material.first + 1 :] = False
    if not whole.answers:
        return Answer(np.full(asked.shape, np.nan), (whole,))
    out = whole.of_rows(material, asked & ~known.known)
    for number in range(HINDSIGHT_FOLDS):
        mine = asked & (fold == number)
        if not mine.any():
            continue
        model = learned(number)
        guess = np.full(mine.shape, whole.positives / whole.rows)
        if model.model is not None:  # the whole has shown skill; a part need not show it again
            guess = model.of_rows(material, mine, shown=False)
        out = np.where(mine, guess, out)
    return Answer(out, (whole,))


def folds(known: Labels, *, seed: int) -> np.ndarray:
    """Cut labelled rows into parts: (P, U) numbers, -1 where unlabelled.

    A wave of events goes with the uneventful rows of the year in which it begins: rows of one year, and rows of one
    event, are never on both sides.
    """
    group = np.broadcast_to((np.arange(len(known.y)) + known.first)[:, None] // known.per_year, known.y.shape)
    group = np.where(known.wave >= 0, known.wave, group)
    numbers, counts = np.unique(group[known.known], return_counts=True)
    positives = np.array([int((known.y[(group == n) & known.known] == 1).sum()) for n in numbers])
    order = np.lexsort((np.random.default_rng(seed).permutation(len(numbers)), -counts, -positives))
    part = {}
    for place, at in enumerate(order):  # dealt out to and fro, so that each part has as many events
        turn, step = divmod(place, HINDSIGHT_FOLDS)
        part[int(numbers[at])] = step if turn % 2 == 0 else HINDSIGHT_FOLDS - 1 - step
    lookup = np.array([part[int(n)] for n in numbers])
    fold = np.full(known.y.shape, NO_FOLD, dtype=np.int64)
    if len(numbers):
        at = np.minimum(np.searchsorted(numbers, group), len(numbers) - 1)
        fold = np.where(known.known, lookup[at], NO_FOLD)
    return fold
