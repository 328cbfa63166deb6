"""Units that joined lately: how their growth differs from that of settled units, learned from earlier newcomers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLASSES = 2
"""Units with no and with one year of own growth are told apart; from two years on a unit speaks for itself."""

PRIOR_CASES = 10.0
PRIOR_FACTOR = 1.25
"""Without earlier newcomers to learn from, their spread is taken to be a quarter wider, and that counts as ten cases.
Among public panels their 80% band had to be widened by 1.15 (US banks) to more than 3 (new bank branches)."""

MATCHED_SHARE = 0.8
"""Newcomers' spread is matched where the 80% band ends."""


@dataclass(frozen=True)
class Newcomers:
    """What sets newcomers apart, by years of own growth.

    Attributes
    ----------
    shift : np.ndarray
        (CLASSES,) added to the expected latent growth.
    factor : np.ndarray
        (CLASSES,) on the scale, at least 1.
    """

    shift: np.ndarray
    factor: np.ndarray

    @classmethod
    def fit(cls, residual: np.ndarray, scale: np.ndarray, *, lateness: np.ndarray) -> Newcomers:
        """Learn from residuals and scales (T+1, U) of units of each `lateness`."""
        usual = np.abs(residual / scale)[lateness == CLASSES]
        usual = usual[np.isfinite(usual)]
        edge = float(np.quantile(usual, MATCHED_SHARE)) if len(usual) else 0.0
        shift, factor = np.zeros(CLASSES), np.full(CLASSES, PRIOR_FACTOR)
        for own in range(CLASSES):
            cases = (lateness == own) & np.isfinite(residual)
            count = int(cases.sum())
            if not count or not edge:
                continue
            shift[own] = float(np.median(residual[cases])) * count / (count + PRIOR_CASES)
            reach = float(np.quantile(np.abs((residual - shift[own]) / scale)[cases], MATCHED_SHARE))
            seen = np.log(max(reach / edge, 1.0))
            factor[own] = np.exp((count * seen + PRIOR_CASES * np.log(PRIOR_FACTOR)) / (count + PRIOR_CASES))
        return cls(shift, factor)

    def of(self, lateness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the shift and the factor of each unit (U,)."""
        return np.append(self.shift, 0.0)[lateness], np.append(self.factor, 1.0)[lateness]


def lateness(steps: np.ndarray) -> np.ndarray:
    """Class every unit and row (T+1, U): years of own growth of those that joined late, `CLASSES` for all others.

    A unit that was there when the panel began has no more years than the panel; that does not make it a newcomer.
    """
    own = np.cumsum(np.isfinite(steps), axis=0)
    possible = np.arange(len(steps))[:, None]
    return np.where((own < possible) & (own < CLASSES), own, CLASSES)
