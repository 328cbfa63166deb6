"""Blending base learners: which blend, chosen by its loss at past origins and by its record elsewhere.

With three to eight past years a free optimum over the weights would fit their shocks. So a short list of blends is held
against pooled growth, and what each showed is drawn towards what it showed on other panels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.outcome.opinions import DRIFT, ETS, GLOBAL, LEARNERS, POOLED, RECIPE, STEADY, Asked, Opinion

PRIOR_ORIGINS = 6.0
"""Origins that a blend's record elsewhere counts as. Between 3 and 12 the loss on small panels differs by 0.2%."""

PROOF_ORIGINS = 3
"""From this many past origins on, no blend that lost to pooled growth over them is used. One or two years prove little:
they are mostly their common shock."""


@dataclass(frozen=True)
class Blend:
    """Shares of base learners, adding up to one.

    Attributes
    ----------
    name : str
    shares : Mapping
        By name of the learner.
    record : float
        Loss over that of pooled growth which is expected of it before it is tested.
    """

    name: str
    shares: Mapping[str, float]
    record: float


BLENDS: tuple[Blend, ...] = (
    Blend("pooled growth", {POOLED: 1.0}, 1.0),
    Blend("recipe 25%", {RECIPE: 0.25, POOLED: 0.75}, 0.98),
    Blend("recipe 50%", {RECIPE: 0.5, POOLED: 0.5}, 0.96),
    Blend("recipe 75%", {RECIPE: 0.75, POOLED: 0.25}, 0.945),
    Blend("recipe", {RECIPE: 1.0}, 0.94),
    Blend("recipe, half of its shock", {RECIPE: 0.5, STEADY: 0.5}, 0.953),
    Blend("recipe with global trees", {RECIPE: 0.7, GLOBAL: 0.3}, 0.94),
    Blend("recipe with own drift", {RECIPE: 0.8, DRIFT: 0.2}, 0.945),
    Blend("recipe with AutoETS", {RECIPE: 0.8, ETS: 0.2}, 0.945),
)
"""What is tested, with its record: losses against pooled growth on small public panels that constants were not chosen
on, or a little worse where a blend was no better there than the recipe alone and has to earn its place."""

FALLBACK = BLENDS[0]


def opinions(asked: Asked, *, of: Sequence[Blend] = BLENDS) -> dict[str, Opinion]:
    """Ask every learner that the blends need; those with nothing to say are left out."""
    needed = [name for name in LEARNERS if any(name in blend.shares for blend in of)]
    found = {name: LEARNERS[name](asked) for name in needed}
    return {name: opinion for name, opinion in found.items() if opinion is not None}


def mixed(found: Mapping[str, Opinion], shares: Mapping[str, float]) -> Opinion:
    """Average locations, scales, shocks and residuals, so that quantiles cannot cross.

    The recipe stands in for a learner that has nothing to say.
    """
    parts = [(share, found.get(name) or found[RECIPE]) for name, share in shares.items()]
    return Opinion(
        sum((share * part.growth for share, part in parts), np.zeros(1)),
        sum((share * part.scale for share, part in parts), np.zeros(1)),
        sum((share * part.shock for share, part in parts), np.zeros(1)),
        sum((share * part.residual for share, part in parts), np.zeros(1)),
    )


def possible(found: Mapping[str, Opinion]) -> list[Blend]:
    """List the blends all of whose learners have something to say."""
    return [blend for blend in BLENDS if all(name in found for name in blend.shares)]


@dataclass(frozen=True)
class Choice:
    """The blend chosen, and what it rests on.

    Attributes
    ----------
    blend : Blend
    ratios : dict
        Geometric mean over past origins of the loss over that of pooled growth, by name of the blend.
    expected : float
        The same for the chosen blend, drawn towards its record.
    """

    blend: Blend
    ratios: dict[str, float]
    expected: float


def choose(losses: Sequence[Mapping[str, float]]) -> Choice:
    """Choose a blend by its losses at past origins.

    Parameters
    ----------
    losses : sequence of mapping
        For each past origin the loss of each blend, by name; a blend that was not tested at an origin is taken to
        have done as the recipe did there. Nothing untested is used: without origins it is pooled growth.

    Notes
    -----
    Each origin has one vote, as the logarithm of a ratio. The mean is drawn towards the logarithm of the record with
    the weight of `PRIOR_ORIGINS`.
    """
    if not losses:
        return Choice(FALLBACK, {}, 1.0)
    tested = [blend for blend in BLENDS if any(blend.name in loss for loss in losses)]
    means = {}
    for blend in tested:
        logs = [np.log(loss.get(blend.name, loss[RECIPE]) / loss[FALLBACK.name]) for loss in losses]
        means[blend.name] = float(np.mean(logs))
    count = len(losses)

    def expected(blend: Blend) -> float:
        return (count * means[blend.name] + PRIOR_ORIGINS * np.log(blend.record)) / (count + PRIOR_ORIGINS)

    allowed = [blend for blend in tested if count < PROOF_ORIGINS or means[blend.name] <= 0]
    best = min(allowed, key=expected)
    ratios = {name: float(np.exp(mean)) for name, mean in means.items()}
    return Choice(best, ratios, float(np.exp(expected(best))))


def described(shares: Mapping[str, float]) -> str:
    """Say in a few words what a blend is made of."""
    if len(shares) == 1:
        return next(iter(shares))
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())


def as_plain(choice: Choice) -> dict[str, Any]:
    """Give a choice as plain data."""
    return {"blend": choice.blend.name, "ratios": choice.ratios, "expected": choice.expected}
