"""Logistic regression on normal scores: over all columns with a penalty, or over a single one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from models.deterioration.rows import Rows
from models.explanation.contrast import Players

PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
"""Ridge penalties that are tried, in rows: from almost nothing learned to what 40,000 rows carry."""
SINGLE_PENALTY = 1.0
"""Of a single column: one row's worth, so that a perfect split stays finite."""
MISSING_SHARES = (0.02, 0.98)
"""A column tells by its gaps where a share of rows between these lacks it."""
STEPS = 30
"""Newton steps at most; six are usual."""
SETTLED = 1e-6


@dataclass(frozen=True, eq=False)
class Linear:
    """Log-odds as a weighted sum of normal scores and of gaps.

    Attributes
    ----------
    intercept : float
    coefficients, gaps : np.ndarray
        (F,) for the score of each column, and for its being missing.
    """

    intercept: float
    coefficients: np.ndarray
    gaps: np.ndarray

    def margin(self, rows: Rows, *, threads: int = 1) -> np.ndarray:
        """Give log-odds (n,); one thread does."""
        used, missed = np.flatnonzero(self.coefficients), np.flatnonzero(self.gaps)
        found = rows.some_scores(used) @ self.coefficients[used]
        return self.intercept + found + ~np.isfinite(rows.X[:, missed]) @ self.gaps[missed]

    def contrast(self, rows: Rows, reference: Rows, players: Players) -> np.ndarray:
        """Share out (n, players) how far rows lie from their reference, or from the only one: term by term."""
        terms = (rows.scores.astype(float) - reference.scores) * self.coefficients
        terms += (np.isnan(rows.X).astype(float) - np.isnan(reference.X)) * self.gaps
        found = np.zeros((len(terms), len(players.names)))
        np.add.at(found.T, np.array(players.of_feature), terms.T)
        return found


def ridge_path(rows: Rows, y: np.ndarray, *, penalties: Sequence[float] = PENALTIES) -> list[Linear]:
    """Fit all columns at several penalties, each from where the one before ended."""
    missing = np.isnan(rows.X)
    share = missing.mean(axis=0)
    telling = np.flatnonzero((share > MISSING_SHARES[0]) & (share < MISSING_SHARES[1]))
    Z = np.concatenate([np.ones((len(y), 1), np.float32), rows.scores, missing[:, telling]], axis=1, dtype=np.float32)
    count = rows.X.shape[1]
    beta = np.zeros(Z.shape[1])
    beta[0] = _log_odds(y)
    found = []
    for penalty in penalties:
        beta = _newton(Z, y, penalty=penalty, start=beta)
        gaps = np.zeros(count)
        gaps[telling] = beta[1 + count :]
        found.append(Linear(float(beta[0]), beta[1 : 1 + count].copy(), gaps))
    return found


def single(rows: Rows, y: np.ndarray, column: int, *, sign: int = 0) -> Linear:
    """Fit one column; a slope against its sign (where that is not zero) becomes zero."""
    scores = rows.some_scores(np.array([column]))
    Z = np.concatenate([np.ones((len(y), 1), np.float32), scores], axis=1)
    beta = _newton(Z, y, penalty=SINGLE_PENALTY, start=np.array([_log_odds(y), 0.0]))
    coefficients = np.zeros(rows.X.shape[1])
    coefficients[column] = beta[1] if beta[1] * sign >= 0 else 0.0
    return Linear(float(beta[0]), coefficients, np.zeros(rows.X.shape[1]))


def _log_odds(y: np.ndarray) -> float:
    """Give the log-odds of the base rate, half a row added to either side."""
    return float(np.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5)))


def _newton(Z: np.ndarray, y: np.ndarray, *, penalty: float, start: np.ndarray) -> np.ndarray:
    """Minimise the log loss plus half the penalty times the squared coefficients, the first column free."""
    ridge = np.full(Z.shape[1], penalty)
    ridge[0] = 0.0

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        margin = Z @ beta.astype(np.float32)
        return float(np.logaddexp(0, margin).sum() - margin @ y + 0.5 * (ridge @ beta**2)), margin

    beta, (value, margin) = start, loss(start)
    for _ in range(STEPS):
        p = expit(margin.astype(np.float64))
        slope = Z.T @ (p - y).astype(np.float32) + ridge * beta
        weighted = Z * np.sqrt(p * (1 - p)).astype(np.float32)[:, None]
        curve = (weighted.T @ weighted).astype(np.float64)
        curve[np.diag_indices_from(curve)] += ridge + 1e-6
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-3:  # shortened until it goes downhill
            tried, ahead = loss(beta - size * step)
            if tried <= value:
                break
            size /= 2
        else:
            break
        gained, beta, value, margin = value - tried, beta - size * step, tried, ahead
        if gained < SETTLED * abs(value):
            break
    return beta
