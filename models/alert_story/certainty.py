"""How sure an alert is: its place on the list, and how much of the list is expected to be mere chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.alert_story.phrases import Text, followed, one_in, say


@dataclass(frozen=True)
class Certainty:
    """How sure an alert is.

    Attributes
    ----------
    p_value : float or None
        Share of units with nothing wrong that look at least as unusual.
    q_value : float or None
        Estimated share of mere chance in a list that goes down to the unit.
    listed, looked_at : int
        Units on the list of the period, and units it was drawn from.
    place : int
        By score, 1 for the most concerning.
    expected_false : float or None
        How many of the list are expected to stand out by mere chance; whether the others matter, only a review tells.
    level, budget : float
        The false-discovery level, and the part of the units that can be reviewed in a period.
    text : Text
    """

    p_value: float | None
    q_value: float | None
    listed: int
    looked_at: int
    place: int
    expected_false: float | None
    level: float
    budget: float
    text: Text

    @property
    def rarity(self) -> Text:
        """Say how rare it is."""
        return one_in(self.p_value)


def certainty(
    at: int,
    *,
    score: np.ndarray,
    listed: np.ndarray,
    p_value: np.ndarray,
    q_value: np.ndarray,
    level: float,
    budget: float,
) -> Certainty:
    """Tell how sure the alert of one unit is.

    The rate at the end of the list is that of the list as a whole: whoever stands higher has a lower one.

    Parameters
    ----------
    at : int
        Place of the unit in the arrays.
    score, p_value, q_value : np.ndarray
        (n,) of the units looked at in the period; NaN where unknown.
    listed : np.ndarray
        (n,) booleans.
    level, budget : float
    """
    count, looked_at = int(listed.sum()), len(score)
    rates = q_value[listed]
    rates = rates[np.isfinite(rates)]
    false = None if not len(rates) else float(min(rates.max(), 1.0) * count)
    place = int((score > score[at]).sum()) + 1
    return Certainty(
        _known(p_value[at]),
        _known(q_value[at]),
        count,
        looked_at,
        place,
        false,
        level,
        budget,
        _text(bool(listed[at]), count, looked_at, place, false),
    )


def _text(listed: bool, count: int, looked_at: int, place: int, false: float | None) -> Text:
    of = f"{looked_at:,}"
    if not listed:
        if not count:
            return say("sure.unlisted.empty", place=f"{place:,}", of=of)
        return say("sure.unlisted", place=f"{place:,}", of=of, count=f"{count:,}")
    told = say("sure.alone", of=of) if count == 1 else say("sure.listed", count=f"{count:,}", of=of)
    if false is None:
        return followed(told, say("sure.false.unknown"))
    if false < 1:
        return followed(told, say("sure.false.few"))
    return followed(told, say("sure.false", false=f"{round(false):,}"))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
