"""A volume as a product (因子分解): staff x customers a head x fees a customer; its change split over the factors.

The parts are Shapley values of the product: the average, over all orders in which the factors change, of what each
adds. They leave no remainder, and what two factors bring together is shared equally, which is the complete
decomposition of Sun (1998, Energy Economics 20). Logarithmic mean Divisia parts, often preferred (Ang 2004, Energy
Policy 32), are undefined where a volume is 0 or changes sign, as the income of a new branch does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import factorial

import numpy as np

from features.errors import LoadlineError
from models.scoring.facts import Facts
from models.scoring.gaps import Against

MOST = 10
"""Factors of a chain: their combinations are enumerated."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a chain: a volume, or how much of it there is for each of the one before (`per`)."""

    volume: str
    per: str | None


@dataclass(frozen=True, eq=False)
class FactorSplit:
    """The change of the last volume of a chain over its F factors, in that volume's unit; factors down, rows across.

    Attributes
    ----------
    factors : tuple of Factor
    now, then : np.ndarray
        (F, N) what each factor is, and was: `now.prod(axis=0)` is the last volume.
    parts : np.ndarray
        (F, N); they add up to the last volume's difference. NaN where a factor is not known: a figure is missing, or
        something is to be counted for each of none.
    """

    factors: tuple[Factor, ...]
    now: np.ndarray
    then: np.ndarray
    parts: np.ndarray


def factors_of(facts: Facts, chain: Sequence[str], against: Against) -> FactorSplit:
    """Split the difference of a chain's last volume from its reference.

    Parameters
    ----------
    facts : Facts
    chain : sequence of str
        Indicators, such as STAFF, CUSTOMERS, P08.
    against : {"target", "last_year", "peers"}
    """
    now, then = (np.stack([facts.of(kind, code) for code in chain]) for kind in ("actual", against))
    return split_factors(chain, now, then)


def split_factors(chain: Sequence[str], now: np.ndarray, then: np.ndarray) -> FactorSplit:
    """Split the difference of a chain's last volume between two sets of rows.

    Parameters
    ----------
    chain : sequence of str
        F indicators.
    now, then : np.ndarray
        (F, N) figures of the chain's volumes.

    Raises
    ------
    LoadlineError
        Where the chain is longer than can be enumerated.

    Examples
    --------
    >>> import numpy as np
    >>> now, then = np.array([[12.0], [600.0], [90.0]]), np.array([[10.0], [500.0], [60.0]])
    >>> split_factors(("STAFF", "CUSTOMERS", "P08"), now, then).parts.round(6).tolist()
    [[13.5], [0.0], [16.5]]
    """
    if len(chain) > MOST:
        raise LoadlineError(f"a chain of {len(chain)} factors; at most {MOST}", where=" x ".join(chain))
    factors = (Factor(chain[0], None), *(Factor(after, before) for before, after in pairwise(chain)))
    ratios_now, ratios_then = _ratios(now), _ratios(then)
    return FactorSplit(factors, ratios_now, ratios_then, _parts(ratios_now, ratios_then))


def _ratios(volumes: np.ndarray) -> np.ndarray:
    volumes = np.asarray(volumes, dtype=float)
    before = np.where(volumes[:-1] == 0, np.nan, volumes[:-1])
    return np.concatenate([volumes[:1], volumes[1:] / before])


def _parts(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Give Shapley values of the product: (F, N)."""
    count = len(now)
    parts = np.zeros(now.shape)
    for factor in range(count):
        for members in range(1 << count):
            if members >> factor & 1:
                continue
            size = members.bit_count()
            weight = factorial(size) * factorial(count - 1 - size) / factorial(count)
            others = np.array([members >> k & 1 for k in range(count) if k != factor], dtype=bool)
            kept = [k for k in range(count) if k != factor]
            product = np.where(others[:, None], now[kept], then[kept]).prod(axis=0)
            parts[factor] += weight * product
        parts[factor] *= now[factor] - then[factor]
    return np.where(np.isfinite(parts).all(axis=0), parts, np.nan)
