"""A volume as a product of factors, in words whose amounts add up as shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from models.rounding import shares
from models.scoring.factors import Factor, factors_of
from models.scoring.facts import Facts
from models.scoring.gaps import Against, gap_of, gap_text, shown_decimals
from models.scoring.phrases import Text, joined, say


@dataclass(frozen=True, slots=True)
class ToldFactor:
    """A factor: its name, what it is and is compared with, and its share in the volume's difference as shown."""

    name: Text
    figure: float
    reference: float
    amount: float


@dataclass(frozen=True, slots=True)
class ToldChain:
    """A volume, its difference, and the factors whose shares add up to it."""

    indicator: Indicator
    figure: float
    reference: float
    factors: tuple[ToldFactor, ...]
    text: Text


def told_chains(
    chains: Sequence[Sequence[str]], facts: Facts, indicators: Mapping[str, Indicator], *, row: int, against: Against
) -> list[ToldChain]:
    """Tell every chain of a policy of which all figures are known, in the volume's own unit.

    Parameters
    ----------
    chains : sequence of sequences of str
        Such as STAFF, CUSTOMERS, P08; see `Policy.factors`.
    facts : Facts
    indicators : Mapping[str, Indicator]
    row : int
    against : {"target", "last_year", "peers"}
    """
    found = []
    for chain in chains:
        split = factors_of(facts, chain, against)
        parts = split.parts[:, row]
        if not np.isfinite(parts).all():
            continue
        indicator = indicators[chain[-1]]
        figure, reference = (float(facts.of(kind, chain[-1])[row]) for kind in ("actual", against))
        gap = gap_of(indicator, figure, reference, against)
        decimals = shown_decimals(indicator, figure, reference)
        amounts = shares(parts, gap.amount, decimals=decimals).tolist()
        factors = tuple(
            ToldFactor(_name(factor, indicators), float(now), float(then), amount)
            for factor, now, then, amount in zip(
                split.factors, split.now[:, row], split.then[:, row], amounts, strict=True
            )
        )
        listed = joined(
            say("factor.part", name=factor.name, amount=_signed(indicator, factor.amount, decimals))
            for factor in factors
        )
        text = say("factor.chain", name=indicator.name.model_dump(), gap=gap.text, parts=listed)
        found.append(ToldChain(indicator, figure, reference, factors, text))
    return found


def _name(factor: Factor, indicators: Mapping[str, Indicator]) -> Text:
    volume = indicators[factor.volume].name.model_dump()
    return (
        volume
        if factor.per is None
        else say("factor.each", volume=volume, per=indicators[factor.per].name.model_dump())
    )


def _signed(indicator: Indicator, amount: float, decimals: int) -> Text:
    sign = "" if amount == 0 else "+" if math.copysign(1, amount) > 0 else "-"
    return {language: sign + text for language, text in gap_text(indicator, amount, decimals).items()}
