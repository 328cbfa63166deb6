"""The contest: every learner foretells rows that it has not seen, and the blend is chosen by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from models.deterioration.anchor import LEAST_POSITIVES, Pair, anchor_share
from models.deterioration.blending import Shares, blended_shares, straight_line
from models.deterioration.contenders import CONTENDERS, INDICATOR, SIMPLE, Work
from models.deterioration.folds import forward_splits, grouped_folds
from models.deterioration.judging import log_loss, measured
from models.deterioration.problem import DeteriorationProblem

FEWEST_AHEAD = 20
"""Positives among later rows from which these can decide."""


@dataclass(frozen=True, eq=False)
class Foretold:
    """Log-odds of rows by learners that have not seen them, each brought to the same scale.

    Attributes
    ----------
    names : tuple of str
        K learners.
    margins : np.ndarray
        (K, n) calibrated log-odds.
    rows : np.ndarray
        (n,) which rows of the problem.
    """

    names: tuple[str, ...]
    margins: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class Contest:
    """What came of it.

    Attributes
    ----------
    settings : Mapping
        The setting chosen for each learner.
    weights : Mapping
        By learner, its part in the blend's calibrated log-odds.
    factors : Mapping
        By learner, the factor on its own (uncalibrated) log-odds in the blend; learners without a share are absent.
    constant : float
        Added to the blend's log-odds.
    grouped : Foretold
        Every row once, events kept together.
    blend : np.ndarray
        (n,) log-odds of the blend for the same rows, its shares found without the row's own fold.
    forward, forward_blend
        The same for later rows foretold from earlier ones; None where there is too little time. They are shown, and
        must show skill, but choose nothing: the first stretches are foretold from so little that a learner which later
        does well looks bad.
    replaced_by : str
        The simple learner that serves alone, having beaten the blend; empty where the blend serves.
    ahead : bool
        Whether later rows foretold from earlier ones decided, and not rows held back from among others.
    """

    settings: Mapping[str, float]
    weights: Mapping[str, float]
    factors: Mapping[str, float]
    constant: float
    grouped: Foretold
    blend: np.ndarray
    forward: Foretold | None
    forward_blend: np.ndarray | None
    replaced_by: str
    ahead: bool = False


def contest(work: Work, *, ahead: bool = False) -> Contest:
    """Hold the contest over all rows of a problem; `ahead` lets later rows foretold from earlier ones decide."""
    problem = work.problem
    names = tuple(name for name, each in CONTENDERS.items() if each.possible(problem))
    fold = grouped_folds(problem, seed=work.seed)
    splits = [(fold != number, fold == number) for number in np.unique(fold)]
    settings: dict[str, float] = {}
    raw = np.empty((len(names), len(problem)))
    for place, name in enumerate(names):
        tried = CONTENDERS[name].settings
        found = _foretell(work, name, splits, tried)
        best = int(np.argmin([_calibrated_loss(one, problem) for one in found]))
        settings[name], raw[place] = tried[best], found[best]
    later_raw = _forward(work, names, settings)
    few = problem.positives < LEAST_POSITIVES  # from so many on the anchor guards against changed times
    ahead = ahead and few and later_raw is not None and problem.y[later_raw.rows].sum() >= FEWEST_AHEAD
    if ahead and later_raw is not None:
        judged, lines = _calibrated(problem.rows(later_raw.rows), later_raw.margins)
    else:
        judged, lines = _calibrated(problem, raw)
    grouped = Foretold(names, _brought(raw, lines), np.arange(len(problem)))
    forward = None if later_raw is None else replace(later_raw, margins=_brought(later_raw.margins, lines))
    decides = forward if ahead and forward is not None else grouped
    used = _shares(judged, decides.margins)
    blend = used.margin(grouped.margins)
    if not ahead:
        for number in np.unique(fold):
            held = fold == number
            blend[held] = _shares(problem.rows(~held), grouped.margins[:, ~held]).margin(grouped.margins[:, held])
    replaced_by = _replacement(judged, decides, used.margin(decides.margins) if ahead else blend)
    if replaced_by:
        used = Shares(0.0, np.array([float(name == replaced_by) for name in names]))
        blend = used.margin(grouped.margins)
    single = names.index(INDICATOR)
    later = None
    if forward is not None:
        later = Pair(problem.rows(forward.rows), used.margin(forward.margins), forward.margins[single])
    share = anchor_share(later if ahead and later else Pair(problem, blend, grouped.margins[single]), later)
    if share > 0 and replaced_by != INDICATOR:
        used = Shares((1 - share) * used.constant, (1 - share) * used.factors + share * np.eye(len(names))[single])
        blend = (1 - share) * blend + share * grouped.margins[single]
        replaced_by = ""
    weights = {name: float(used.factors[k]) for k, name in enumerate(names) if used.factors[k] > 0}
    factors = {name: weight * float(lines[names.index(name), 1]) for name, weight in weights.items()}
    return Contest(
        settings,
        weights,
        factors,
        used.constant + float(used.factors @ lines[:, 0]),
        grouped,
        blend,
        forward,
        None if forward is None else used.margin(forward.margins),
        replaced_by,
        ahead,
    )


def _foretell(
    work: Work, name: str, splits: list[tuple[np.ndarray, np.ndarray]], settings: Sequence[float]
) -> np.ndarray:
    """Give the log-odds (settings, n) of rows that each split holds back; NaN of rows that none does."""
    found = np.full((len(settings), len(work.problem)), np.nan)
    alone = replace(work, threads=1)  # as many splits at a time as there are threads

    def foretell(split: tuple[np.ndarray, np.ndarray]) -> None:
        seen, held = split
        found[:, held] = CONTENDERS[name].trials(alone.at(seen), work.rows.at(held), settings)

    with ThreadPoolExecutor(work.threads) as pool:
        list(pool.map(foretell, splits))
    return found


def _forward(work: Work, names: tuple[str, ...], settings: Mapping[str, float]) -> Foretold | None:
    """Foretell later rows from earlier ones; log-odds as the learners give them."""
    splits = forward_splits(work.problem)
    if not splits:
        return None
    raw = np.concatenate([_foretell(work, name, splits, (settings[name],)) for name in names])
    rows = np.flatnonzero(np.isfinite(raw).all(axis=0))
    return Foretold(names, raw[:, rows], rows)


def _calibrated(problem: DeteriorationProblem, raw: np.ndarray) -> tuple[DeteriorationProblem, np.ndarray]:
    """Give the rows that decide, and each learner's calibration on them (K, 2)."""
    return problem, np.array([straight_line(one, problem.y, problem.weight) for one in raw])


def _brought(raw: np.ndarray, lines: np.ndarray) -> np.ndarray:
    return lines[:, :1] + lines[:, 1:] * raw


def _shares(problem: DeteriorationProblem, margins: np.ndarray) -> Shares:
    return blended_shares(margins, problem.y, problem.weight)


def _calibrated_loss(margin: np.ndarray, problem: DeteriorationProblem) -> float:
    intercept, slope = straight_line(margin, problem.y, problem.weight)
    return log_loss(problem.y, expit(intercept + slope * margin), problem.weight)


def _replacement(problem: DeteriorationProblem, grouped: Foretold, blend: np.ndarray) -> str:
    """Name the simple learner that ranks better than the blend both at the top and over all; "" where none does."""
    best, name = measured(problem.y, expit(blend), problem.weight, problem.period), ""
    for place, one in enumerate(grouped.names):
        if one not in SIMPLE:
            continue
        found = measured(problem.y, expit(grouped.margins[place]), problem.weight, problem.period)
        if all(found[key] >= best[key] for key in ("average_precision", "auc")):
            best, name = found, one
    return name
