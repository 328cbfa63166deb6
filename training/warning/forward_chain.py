"""The warning model as it would have answered year after year, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.deterioration.settings import DEFAULT, WarningSettings
from training.warning.baselines import PlainLogit, SingleIndicator
from training.warning.evaluation import calibration, comparison
from training.warning.fitting import PRIOR, Fitted, columns, fitted, thinned
from training.warning.labels import Labels
from training.warning.material import Material
from training.warning.schedule import Term, terms

MODEL, SINGLE, LOGIT = "model", "single indicator", "logit"
YEARS = 5
"""Most years that are replayed to judge a model: enough for more than one wave, and a fit each at most."""


@dataclass(frozen=True, eq=False)
class ForwardChain:
    """Answers of past years, each from what was known before the year.

    Attributes
    ----------
    scores : Mapping[str, np.ndarray]
        By name: (P, U), NaN where there was none. The model's probabilities also where it had shown no skill.
    years : tuple of int
        Fiscal years judged.
    judged : np.ndarray
        (P, U) of 0, 1 and NaN: what happened, of the leaves.
    singles : tuple of str
        The single indicator chosen each year.
    spans : tuple of tuple of int
        First row of each year, and the one after its last.
    """

    scores: Mapping[str, np.ndarray]
    years: tuple[int, ...]
    judged: np.ndarray
    singles: tuple[str, ...]
    spans: tuple[tuple[int, int], ...] = ()

    def table(self) -> pd.DataFrame:
        """Compare the rankings; a row each, columns as of `evaluation.Skill`."""
        return comparison(self.scores, self.judged, probabilities=frozenset({MODEL, LOGIT}))

    def by_year(self) -> dict[int, pd.DataFrame]:
        """Compare the rankings year by year, where a year has labelled rows; columns as of `evaluation.Skill`."""
        found = {}
        for year, (begin, end) in zip(self.years, self.spans, strict=False):
            scores = {name: score[begin:end] for name, score in self.scores.items()}
            found[year] = comparison(scores, self.judged[begin:end], probabilities=frozenset({MODEL, LOGIT}))
        return {year: table for year, table in found.items() if int(table["rows"].max())}

    def calibration(self) -> pd.DataFrame:
        """Hold the model's probabilities against what happened."""
        return calibration(self.scores[MODEL], self.judged)


def forward_chain(
    material: Material,
    known: Labels,
    *,
    seed: int,
    home: Path | None = None,
    years: int = YEARS,
    settings: WarningSettings = DEFAULT,
) -> ForwardChain:
    """Replay past years, judged by labels known now.

    Parameters
    ----------
    material : Material
    known : Labels
        On the rows of the material.
    seed : int
    home : Path, optional
        Where fitted models are kept.
    years : int
        Most years, the latest that have labels and could be learned for.
    settings : WarningSettings
        Of every year's model.
    """
    judged = np.where(material.leaves, known.y, np.nan)
    calendar = material.snapshot.description.calendar
    scores = {name: np.full(judged.shape, np.nan) for name in (MODEL, SINGLE, LOGIT)}
    if material.prior is not None:
        scores[PRIOR] = np.full(judged.shape, np.nan)
    done, singles, spans = [], [], []
    for term in reversed(terms(calendar, material.first, material.last, begin=material.first)):
        rows = slice(term.first - material.first, term.last - material.first + 1)
        if len(done) == years or not np.isfinite(judged[rows]).any():
            continue
        model = fitted(material, term.origin, seed=seed, home=home, settings=settings)
        if model.model is None:
            continue
        done.append(term.year)
        spans.append((rows.start, rows.stop))
        singles.append(_answer(material, model, term, scores, seed=seed))
    return ForwardChain(scores, tuple(reversed(done)), judged, tuple(reversed(singles)), tuple(reversed(spans)))


def _answer(material: Material, model: Fitted, term: Term, scores: dict[str, np.ndarray], *, seed: int) -> str:
    """Fill in one year's answers; give the name of the single indicator."""
    rows = slice(term.first - material.first, term.last - material.first + 1)
    asked = np.zeros(material.leaves.shape, dtype=bool)
    asked[rows] = material.leaves[rows]
    learned = material.labels_at(term.origin)
    usable = learned.known & material.leaves
    usable[term.origin - material.first + 1 :] = False
    chosen, weight = thinned(usable, learned.y == 1, material, seed=seed)
    plain = tuple(name for name in model.names if name != PRIOR)
    X, y, test = columns(material, plain, chosen), learned.y[chosen], columns(material, plain, asked)
    single = SingleIndicator.best(X, y, plain, period=np.nonzero(chosen)[0])
    scores[MODEL][rows] = model.of_rows(material, asked, shown=False)[rows]
    if single is not None:
        scores[SINGLE][asked] = single.score(test)
    scores[LOGIT][asked] = PlainLogit.fit(X, y, weight=weight[chosen]).score(test)
    if material.prior is not None:
        scores[PRIOR][asked] = material.prior[asked]
    return "" if single is None else single.name
