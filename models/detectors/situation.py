"""What detectors look at: figures as known, peers, and what happened to units; each series computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from threading import RLock
from typing import Any, TypeVar

import numpy as np

from features.groups import PORTION, PeerGroups, PeerQuartiles
from features.indicators import Indicator
from features.inputs import PanelInputs
from features.panel import Panel
from features.windows import IQR_PER_SD, Known, lagged, over, window_sum
from models.detectors.measures import KINDS, Figures, Measure

OWN_YEARS = 3
"""Own past against which a movement is held: a cycle of targets."""
LEAST_MONTHS = 12
"""Fewest months of figures before a unit's own past says anything (on coarser data: three periods)."""
LEAST_PERIODS = 3
PEER_WEIGHT = 8.0
"""Observations for which the peers' spread counts in a unit's own: eight, so that a short or smooth past is shrunk."""
UTMOST_Z = 1e9
"""Nothing lies further out: p-values of more would be too small for the numbers that they are kept as."""

Found = TypeVar("Found")


class Situation:
    """A panel, ready to be looked at by detectors.

    Row P of every array holds what was known at the end of period P: an indicator that is published late is moved
    down by its delay after it is computed.

    Parameters
    ----------
    panel : Panel
        P periods x U units, as known; parents rolled up or not: they have no peers.
    delays : Mapping[str, int]
        By indicator: after how many periods its figures are usually known; 0 where not named.
    disturbed : Mapping[str, np.ndarray]
        By reason (`merger`, `transfer`, `holiday`): (P, U) booleans of unit-periods in which figures moved for
        reasons that are not the unit's doing.
    attainment : np.ndarray, optional
        (P, U) attainment of the units' targets as known, 1 is fully, NaN where unknown.
    """

    def __init__(
        self,
        panel: Panel,
        *,
        delays: Mapping[str, int] | None = None,
        disturbed: Mapping[str, np.ndarray] | None = None,
        attainment: np.ndarray | None = None,
    ) -> None:
        self.panel = panel
        self.delays = dict(delays or {})
        self.disturbed = dict(disturbed or {})
        self.attainment = attainment
        self.groups = PeerGroups(panel.tree.peer_groups())
        self._inputs = PanelInputs(panel)
        self._kept: dict[Hashable, Any] = {}
        self._busy: dict[Hashable, RLock] = {}
        self._lock = RLock()

    @property
    def shape(self) -> tuple[int, int]:
        """Give the shape of every array: periods, units."""
        return len(self.panel.ordinals), len(self.panel.tree)

    @property
    def per_year(self) -> int:
        """Count the periods of a year."""
        return self.panel.calendar.per_year

    def periods(self, months: int) -> int:
        """Give months as periods of the data, at least one (none for no months)."""
        return 0 if months == 0 else max(1, round(months * self.per_year / 12))

    def find(self, *roles: str) -> Indicator | None:
        """Give the first indicator at hand that plays one of the roles, in the order of the roles."""
        for role in roles:
            for indicator in self.panel.indicators.with_role(role):
                if indicator.code in self.panel and np.isfinite(self.panel.array(indicator.code)).any():
                    return indicator
        return None

    def figures(self, code: str) -> Figures:
        """Give an indicator's figures, undelayed, with numerator and denominator where they are at hand."""
        return Figures(
            self.panel.array(code),
            self._inputs.get("numerator", code),
            self._inputs.get("denominator", code),
            self.panel.indicator(code),
            self.panel,
        )

    def delay(self, code: str) -> int:
        """Give after how many periods all that an indicator is computed from is known."""
        spec = self.panel.indicator(code)
        parts = [code, spec.numerator, spec.denominator]
        return max(self.delays.get(part, 0) for part in parts if part is not None)

    def known(self, code: str, array: np.ndarray) -> np.ndarray:
        """Move an array computed from an indicator down to the rows in which it was known."""
        delay = self.delay(code)
        return lagged(array, delay) if delay else array

    def values(self, measure: Measure) -> np.ndarray:
        """Give a measure: (P, U), NaN where unknown. Not to be written to."""
        return self._series("values", measure, self._compute)

    def peer_z(self, measure: Measure) -> np.ndarray:
        """Give the robust z of a measure among the peers of the same period: float32; NaN below five peers."""
        return self._series("peer_z", measure, self._against_peers)

    def own_z(self, measure: Measure) -> np.ndarray:
        """Give a measure against the unit's own past: distance from its mean over a spread shrunk to the peers'.

        Returns
        -------
        np.ndarray
            (P, U) float32.
        """
        return self._series("own_z", measure, self._against_own)

    def peers_middle(self, measure: Measure) -> np.ndarray:
        """Give the median of the peers: (P, U)."""
        return self._peer_quartiles(measure).cut(slice(0, self.shape[1]))[1]

    def peer_rank(self, measure: Measure) -> np.ndarray:
        """Give the share of peers below, 0 to 1; 1 is the highest figure."""
        return self._series("rank", measure, lambda m: self.groups.order(self.values(m)).rank)

    def once(self, name: Hashable, compute: Callable[[], Found]) -> Found:
        """Give something that several detectors look at, computed by the first of them."""
        with self._lock:
            busy = self._busy.setdefault(name, RLock())
        with busy:
            if name not in self._kept:
                self._kept[name] = compute()
            return self._kept[name]

    def forget(self) -> None:
        """Let go of everything computed so far; what is asked for again is computed again."""
        with self._lock:
            self._kept, self._busy = {}, {}

    def _series(self, name: str, measure: Measure, compute: Callable[[Measure], np.ndarray]) -> np.ndarray:
        def frozen() -> np.ndarray:
            found = compute(measure).view()  # figures of the panel stay as writable as they were
            found.flags.writeable = False
            return found

        return self.once((name, measure), frozen)

    def _compute(self, measure: Measure) -> np.ndarray:
        array = KINDS[measure.kind].compute(self.figures(measure.code), self.periods(measure.months))
        return self.known(measure.code, np.asarray(array, dtype=np.float64))

    def _peer_quartiles(self, measure: Measure) -> PeerQuartiles:
        return self.once(("quartiles", measure), lambda: self.groups.quartiles(self.values(measure)))

    def _blocks(self) -> Iterator[slice]:
        """Cut the units into portions that stay in cache."""
        periods, units = self.shape
        step = max(1, PORTION // max(1, periods))
        for start in range(0, units, step):
            yield slice(start, start + step)

    def _against_peers(self, measure: Measure) -> np.ndarray:
        x, quartiles = self.values(measure), self._peer_quartiles(measure)
        out = np.empty(x.shape, dtype=np.float32)
        for units in self._blocks():
            low, middle, high = quartiles.cut(units)
            z = over((x[:, units] - middle) * IQR_PER_SD, high - low)
            np.clip(z, -UTMOST_Z, UTMOST_Z, out=out[:, units], casting="same_kind")
        return out

    def _against_own(self, measure: Measure) -> np.ndarray:
        x, quartiles = self.values(measure), self._peer_quartiles(measure)
        gap = max(1, self.periods(measure.months))  # windows that overlap say the same thing twice
        out = np.empty(x.shape, dtype=np.float32)
        for units in self._blocks():
            low, _, high = quartiles.cut(units)
            z = _against_past(x[:, units], (high - low) / IQR_PER_SD, gap=gap, per_year=self.per_year)
            np.clip(z, -UTMOST_Z, UTMOST_Z, out=out[:, units], casting="same_kind")
        return out


def _against_past(x: np.ndarray, peers_spread: np.ndarray, *, gap: int, per_year: int) -> np.ndarray:
    """Give the distance from the mean of the past up to `gap` rows ago, over its spread, shrunk to the peers'.

    Source of the shrinkage: an inverse-gamma prior on the variance, as in G. Smyth, limma (2004).
    """
    past = Known.of(lagged(x, gap))
    window = max(OWN_YEARS * per_year, 2 * LEAST_PERIODS)
    sums = past.sums(window)
    count = sums.count
    mean = sums.mean(min(LEAST_PERIODS, window))
    others = np.maximum(count - 1, 0)
    squares = window_sum(past.figures * past.figures, window)
    squares -= sums.total**2 / np.maximum(count, 1)
    prior = peers_spread**2
    prior = np.where(np.isfinite(prior), prior, squares / np.maximum(others, 1))
    with np.errstate(invalid="ignore"):
        spread = np.sqrt((PEER_WEIGHT * prior + np.maximum(squares, 0.0)) / (PEER_WEIGHT + others))
    z = over(x - mean, spread)
    least = LEAST_PERIODS if per_year < 12 else LEAST_MONTHS
    z[count < least] = np.nan
    return z
