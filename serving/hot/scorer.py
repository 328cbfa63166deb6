"""A warning model ready to answer about single rows: what `models.deterioration.model` says, from the same bundle.

It reads the bundle without the packages that learning takes, and keeps ready what hangs on the model alone. Its answers
are those of `DeteriorationModel.predict` and `contributions` to `DECIMALS` digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from features.errors import LoadlineError
from models.bundle import ModelBundle
from models.deterioration.limits import DECIMALS, EVEN, EVEN_RATES, PSEUDO_ROWS
from models.deterioration.scores import NormalScores
from models.explanation.leaves import PinnedTrees
from models.explanation.trees import TreeEnsemble
from models.rounding import shares
from serving.hot.library import Trees

KIND = "warning"
FORMAT = 1
"""Of the parts that this reads."""


@dataclass(frozen=True)
class Drivers:
    """What contributions are grouped into.

    Attributes
    ----------
    codes : tuple of str
    of_feature : tuple of int
        The driver that each feature belongs to.
    """

    codes: tuple[str, ...]
    of_feature: tuple[int, ...]


class _Learner(Protocol):
    def margin(self, X: np.ndarray) -> np.ndarray: ...

    def contrast(self, row: np.ndarray) -> np.ndarray: ...


class Scorer:
    """Answers for one model; may be asked by several threads at once.

    Parameters
    ----------
    bundle : ModelBundle
        Verified, and tried out.
    drivers : Drivers, optional
        Every feature by itself where not given.

    Raises
    ------
    LoadlineError
        Where the bundle holds no warning model that has learned anything.
    """

    def __init__(self, bundle: ModelBundle, drivers: Drivers | None = None) -> None:
        meta = bundle.meta["fitted"]["model"] if bundle.kind == KIND else None
        if meta is None or meta.get("format") != FORMAT:
            raise LoadlineError("this is no warning model that can be asked", hint="Train it again.")
        self.version = bundle.version
        self.names = tuple(str(name) for name in meta["names"])
        self.drivers = drivers or Drivers(self.names, tuple(range(len(self.names))))
        if len(self.drivers.of_feature) != len(self.names):
            raise LoadlineError("the drivers are those of another model")
        self.base_rate = float(meta["record"]["base_rate"])
        scale = NormalScores(bundle.arrays["scale.knots"], bundle.arrays["scale.scores"])
        typical = np.ascontiguousarray(bundle.arrays["typical"], dtype=np.float32)
        self._constant, calibration = float(meta["constant"]), meta["calibration"]
        self._line = float(calibration["intercept"]), float(calibration["slope"])
        self._knots, self._rates = (np.array(calibration[name], float) for name in ("knots", "rates"))
        parts = _Parts(bundle, scale, typical, self.drivers)
        self._learners = [
            (float(meta["factors"][name]), _LEARNERS[kind["kind"]](parts, name, kind))
            for name, kind in meta["learners"].items()
        ]
        self._reference = float(self.margin(typical[None])[0])
        self.base = float(self._probability(np.array([self._reference]))[0])

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Give the blend's log-odds (n,) of rows (n, F) float32 before calibration."""
        found = np.full(len(X), self._constant)
        for factor, learner in self._learners:
            found += factor * learner.margin(X)
        return found

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give the probability (n,) of rows (n, F) float32, NaN where nothing is known."""
        return np.round(self._probability(self.margin(X)), DECIMALS)

    def explain(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say how far each driver takes the probability away from that of the typical row.

        Returns
        -------
        probability : np.ndarray
            (n,), as `predict` gives it.
        amounts : np.ndarray
            (n, drivers), rounded so that each row adds up to its probability less `base`, all with `DECIMALS` digits.
        """
        values = np.zeros((len(X), len(self.drivers.codes)))
        for place, row in enumerate(X):
            for factor, learner in self._learners:
                values[place] += factor * learner.contrast(row)
        here = self.margin(X)
        output, gap = self._probability(here), here - self._reference
        even = np.abs(gap) < EVEN
        line = _logistic(self._line[0] + self._line[1] * here)
        slope = self._line[1] * line * (1 - line)
        values *= np.where(even, slope, (output - self.base) / np.where(even, 1.0, gap))[:, None]
        probability, base = np.round(output, DECIMALS), round(self.base, DECIMALS)
        return probability, shares(values, probability - base, decimals=DECIMALS)

    def _probability(self, margin: np.ndarray) -> np.ndarray:
        line = _logistic(self._line[0] + self._line[1] * margin)
        return (line + np.interp(margin, self._knots, self._rates)) / 2 if len(self._knots) else line


@dataclass(frozen=True, eq=False)
class _Parts:
    bundle: ModelBundle
    scale: NormalScores
    typical: np.ndarray
    drivers: Drivers

    def pinned(self, text: str) -> PinnedTrees:
        players: Sequence[int] = self.drivers.of_feature
        return PinnedTrees.of(TreeEnsemble.of(text), self.typical, player=players, count=len(self.drivers.codes))

    def text(self, name: str) -> str:
        try:
            return self.bundle.texts[name]
        except KeyError:
            raise LoadlineError("a part of the warning model is missing", where=name) from None


class _Linear:
    """A weighted sum of normal scores and of gaps."""

    def __init__(self, parts: _Parts, name: str, kind: Mapping[str, Any]) -> None:
        self._scale, self._intercept = parts.scale, float(kind["intercept"])
        self._of, self._count = np.array(parts.drivers.of_feature), len(parts.drivers.codes)
        self._weights, self._gaps = (parts.bundle.arrays[f"{name}.{part}"] for part in ("coefficients", "gaps"))
        self._typical_scores = self._scale.apply(parts.typical[None])[0]
        self._typical_gaps = np.isnan(parts.typical)

    def margin(self, X: np.ndarray) -> np.ndarray:
        return self._intercept + self._scale.apply(X) @ self._weights + ~np.isfinite(X) @ self._gaps

    def contrast(self, row: np.ndarray) -> np.ndarray:
        scores = self._scale.apply(row[None])[0]
        terms = (scores.astype(float) - self._typical_scores) * self._weights
        terms += (np.isnan(row).astype(float) - self._typical_gaps) * self._gaps
        return np.bincount(self._of, terms, minlength=self._count)


class _Boosted:
    """The mean log-odds of some boosted models."""

    def __init__(self, parts: _Parts, name: str, kind: Mapping[str, Any]) -> None:
        texts = [parts.text(f"{name}-{number}.lgb.txt") for number in range(int(kind["models"]))]
        self._trees = [Trees(text, raw=True) for text in texts]
        self._pinned = [parts.pinned(text) for text in texts]

    def margin(self, X: np.ndarray) -> np.ndarray:
        return np.sum([trees.predict(X) for trees in self._trees], axis=0) / len(self._trees)

    def contrast(self, row: np.ndarray) -> np.ndarray:
        return np.sum([pinned.contrast(row) for pinned in self._pinned], axis=0) / len(self._pinned)


class _Forest:
    """Log-odds of the mean rate of random trees."""

    def __init__(self, parts: _Parts, name: str, kind: Mapping[str, Any]) -> None:
        text = parts.text(f"{name}.lgb.txt")
        self._few = PSEUDO_ROWS * float(kind["rate"])
        self._trees, self._pinned = Trees(text, raw=False), parts.pinned(text)

    def margin(self, X: np.ndarray) -> np.ndarray:
        return self._log_odds(self._trees.predict(X))

    def contrast(self, row: np.ndarray) -> np.ndarray:
        values, there = self._pinned.contrast(row), self._pinned.reference
        gap = float(values.sum())
        here = there + gap
        if abs(gap) < EVEN_RATES:
            return values * (1 + 2 * self._few) / ((here + self._few) * (1 + self._few - here))
        apart = self._log_odds(np.array([here])) - self._log_odds(np.array([there]))
        return values * (apart / gap)

    def _log_odds(self, rate: np.ndarray) -> np.ndarray:
        share = (np.clip(rate, 0.0, 1.0) + self._few) / (1 + 2 * self._few)
        return np.log(share) - np.log1p(-share)


_LEARNERS = {"linear": _Linear, "boosted": _Boosted, "forest": _Forest}


def _logistic(margin: np.ndarray) -> np.ndarray:
    """Turn log-odds into a probability, without ever passing what a float can hold."""
    small = np.exp(-np.abs(margin))
    return np.where(margin >= 0, 1.0, small) / (1.0 + small)
