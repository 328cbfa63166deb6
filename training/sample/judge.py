"""Judging target distributions by the sample bank's truth: are outcomes spread as they were said to be?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from features.indicators import library
from models.judging.origin_score import own_pit
from models.outcome.distribution import TargetDistribution
from models.outcome.problem import TargetProblem
from training.sample.bank import SampleBank
from training.sample.dynamics import CODES
from training.sample.truth import QUANTILES
from training.sample.units import FIRST_YEAR

GRID = np.round(np.arange(0.05, 0.951, 0.05), 2)
"""Probabilities at which a distribution is held against the true one."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """How one indicator's distributions for one year stood against the truth.

    Attributes
    ----------
    code : str
    year : int
    true_share : np.ndarray
        (Q,) true probability of an outcome below what was said to be the quantile at `GRID`, averaged over branches:
        equal to `GRID` where the distributions are right on average. What the year's shared shocks really came to does
        not enter, but what the generator knew and the figures do not tell does.
    own : np.ndarray
        Probability integral transforms of the clean outcomes given the common growth that the year brought.
    """

    code: str
    year: int
    true_share: np.ndarray
    own: np.ndarray


def year_outcomes(bank: SampleBank, code: str) -> np.ndarray:
    """Give each branch's figure of each year (Y, B), as its basis has it; NaN where a month is missing."""
    there = bank.layout.alive & ~bank.layout.gaps
    months = np.where(there, bank.ledger.values[code], np.nan).reshape(-1, 12, len(bank.layout))
    basis = bank.dynamics.courses[code].driver.basis
    if basis == "year_end":
        return months[:, -1]
    return months.sum(axis=1) if basis == "year_sum" else months.mean(axis=1)


def problem_of(bank: SampleBank, code: str, *, year: int) -> TargetProblem:
    """Ask for a year from the figures to the end of the year before, straight from the generator's books.

    Raises
    ------
    LoadlineError
        Where the code is not one of the drivers, or no year lies before.
    """
    indicator = library().find(code)
    rows = year - FIRST_YEAR
    figures = year_outcomes(bank, code)[:rows]
    weight = year_outcomes(bank, indicator.denominator)[:rows] if indicator.denominator in CODES else None
    return TargetProblem.annual(
        indicator,
        np.arange(FIRST_YEAR, year),
        figures,
        units=pd.Index(bank.layout.codes),
        weight=weight if indicator.kind == "ratio" else None,
        peers=np.asarray(bank.layout.peer),
    )


def judge(bank: SampleBank, found: TargetDistribution, *, code: str, year: int) -> Verdict:
    """Hold the distributions of a year against the truth, over the branches whose year was clean.

    Parameters
    ----------
    bank : SampleBank
    found : TargetDistribution
        Of the bank's branches.
    code : str
    year : int
    """
    truth = bank.attainable
    truth = truth[(truth["indicator"] == code) & (truth["year"] == year)].set_index("unit").reindex(found.units)
    clean = (truth["status"] == "clean").to_numpy() & found.known
    table = np.log(truth[[f"q{q:.2f}" for q in QUANTILES]].to_numpy()[clean])
    # The outcome is a monotone function of one normal number, very nearly a lognormal one.
    tenth, middle, ninth = (int(np.argmin(np.abs(QUANTILES - q))) for q in (0.1, 0.5, 0.9))
    scale = (table[:, ninth] - table[:, tenth]) / (ndtri(0.9) - ndtri(0.1))
    said = np.log(found.quantile(GRID)[clean])
    share = ndtr((said - table[:, [middle]]) / scale[:, None]).mean(axis=0)
    own = own_pit(found, np.where(clean, truth["realised"].to_numpy(), np.nan))
    return Verdict(code, year, share, own[clean])


def distance(verdicts: list[Verdict]) -> float:
    """Give the largest gap between true shares, averaged over years and banks, and what was said."""
    return float(np.abs(np.mean([verdict.true_share for verdict in verdicts], axis=0) - GRID).max())


def own_distance(verdicts: list[Verdict]) -> float:
    """Give the Kolmogorov-Smirnov distance of the conditional transforms from the uniform distribution."""
    shares = np.sort(np.concatenate([verdict.own[np.isfinite(verdict.own)] for verdict in verdicts]))
    steps = np.arange(len(shares) + 1) / len(shares)
    return float(max(np.max(steps[1:] - shares), np.max(shares - steps[:-1])))
