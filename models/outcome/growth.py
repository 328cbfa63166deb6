"""The scale on which growth is measured: a catalogue of transforms, one of which is chosen for each indicator.

Growth is always a difference on the *latent* scale: `latent(outcome) - latent(base)`. Modelling growth and never the
level is what lets trees and pools of units be used at all: neither extrapolates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from features.errors import LoadlineError
from features.indicators import Indicator

Kind = Literal["log", "logit", "asinh", "difference"]

SMALL_QUANTILE = 0.05
"""The offset that lets a ratio touch its bound is half this quantile of the distances that are not zero: Cox's
empirical logit adds half an observation, and a low quantile, unlike the minimum, is not set by one odd figure."""

MOSTLY_ZERO = 0.3
"""A ratio that is zero this often has no meaningful relative growth: it is modelled by differences."""

SIGNED_AMOUNT_SHARE = 0.25
"""A signed amount is linear below this share of the median size and logarithmic above: far enough from zero that its
sign may change, close enough that a large unit's growth is judged in percent."""


@dataclass(frozen=True)
class Transform:
    """A monotone map between an indicator's values and the latent scale.

    Attributes
    ----------
    kind : {"log", "logit", "asinh", "difference"}
        The entry of `TRANSFORMS`.
    low, high : float
        Bounds of the indicator; every value given back lies within them.
    offset : float
        Added to the distance from a bound where ratios touch it; 0 elsewhere.
    scale : float
        Size of one latent unit, in the indicator's unit, for `asinh` and `difference`; 1 elsewhere.
    hurdle : bool
        Zero is an event of its own with its own probability; the latent scale covers positive values only.
    """

    kind: Kind
    low: float = float("-inf")
    high: float = float("inf")
    offset: float = 0.0
    scale: float = 1.0
    hurdle: bool = False

    def latent(self, values: np.ndarray) -> np.ndarray:
        """Map values to the latent scale; NaN where there is none, such as a zero behind a hurdle."""
        values = np.asarray(values, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            out = TRANSFORMS[self.kind][0](values, self)
        return np.where(np.isfinite(out), out, np.nan)

    def value(self, latent: np.ndarray) -> np.ndarray:
        """Map latent figures back to values, within the bounds."""
        with np.errstate(over="ignore"):
            out = TRANSFORMS[self.kind][1](np.asarray(latent, dtype=float), self)
        return np.clip(out, self.low, self.high)

    def as_dict(self) -> dict[str, Any]:
        """Give the transform as plain data; infinite bounds become None."""
        data = asdict(self)
        return data | {side: data[side] if np.isfinite(data[side]) else None for side in ("low", "high")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Transform:
        """Read back what `as_dict` gave."""
        low, high = data["low"], data["high"]
        ends = {"low": float("-inf") if low is None else low, "high": float("inf") if high is None else high}
        return cls(**dict(data, **ends))


def _logit(y: np.ndarray, t: Transform) -> np.ndarray:
    return np.log((y - t.low + t.offset) / (t.high - y + t.offset))


def _from_logit(z: np.ndarray, t: Transform) -> np.ndarray:
    share = 0.5 * (1 + np.tanh(z / 2))
    return t.low - t.offset + share * (t.high - t.low + 2 * t.offset)


Map = Callable[[np.ndarray, Transform], np.ndarray]

TRANSFORMS: dict[Kind, tuple[Map, Map]] = {
    "log": (lambda y, t: np.log(y + t.offset), lambda z, t: np.exp(z) - t.offset),
    "logit": (_logit, _from_logit),
    "asinh": (lambda y, t: np.arcsinh(y / t.scale), lambda z, t: np.sinh(z) * t.scale),
    "difference": (lambda y, t: y / t.scale, lambda z, t: z * t.scale),
}
"""For each kind the way to the latent scale and the way back."""


def choose_transform(indicator: Indicator, values: np.ndarray) -> Transform:
    """Choose the scale of an indicator's growth from what is known of it.

    Positive amounts and ratios grow by logs; amounts that can be zero by logs behind a hurdle; ratios bounded on both
    sides by logit differences; signed ratios and levels by differences; signed amounts by differences of asinh, which
    is a difference near zero and a relative growth far from it. Multiplying all values by a constant leaves growth as
    it is (for two-sided bounds: if they are multiplied too).

    Parameters
    ----------
    indicator : Indicator
    values : np.ndarray
        All values known, in any shape; NaN where not observed.

    Raises
    ------
    LoadlineError
        Where no value is known.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        raise LoadlineError(f"no value of {indicator.code} is known", hint="Give at least one year of observations.")
    low, high = indicator.limits
    amount = indicator.kind in ("flow", "stock")
    bounds: dict[str, Any] = {"low": float(low), "high": float(high)}
    size = float(np.median(np.abs(known[known != 0]))) if np.any(known != 0) else 1.0
    spread = float(np.median(np.abs(known - np.median(known)))) or size
    if not amount and np.isfinite(low) and np.isfinite(high) and known.min() >= low and known.max() <= high:
        return Transform("logit", offset=_offset(np.minimum(known - low, high - known)), **bounds)
    if known.min() < 0 or indicator.kind == "level":
        if amount:
            return Transform("asinh", scale=SIGNED_AMOUNT_SHARE * size, **bounds)
        return Transform("difference", scale=spread, **bounds)
    zeros = float(np.mean(known == 0))
    if not amount and zeros > MOSTLY_ZERO:
        return Transform("difference", scale=spread, low=max(low, 0.0), high=high)
    if amount:
        return Transform("log", hurdle=zeros > 0, low=max(low, 0.0), high=high)
    return Transform("log", offset=_offset(known), low=max(low, 0.0), high=high)


def _offset(distances: np.ndarray) -> float:
    """Give the offset that a bound which is touched needs; none where none is touched."""
    inside = distances[distances > 0]
    if len(inside) == len(distances) or not len(inside):
        return 0.0 if len(inside) else 1.0
    return 0.5 * float(np.quantile(inside, SMALL_QUANTILE))
