"""The scores of all units on scorecards, in one pass, with the versions that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.periods import Calendar
from features.store import Snapshot
from models.policy.document import Policy
from models.scoring.engine import CardScores, score
from training.scoring.facts import NetworkFacts, network_facts

GIVEN = "given"
"""In place of a model's version: people set the targets."""
NO_TARGETS = "none"


@dataclass(frozen=True)
class Versions:
    """What scores rest on: the data version and the day up to which it was used, the policy, and whose targets."""

    data_version: int
    fingerprint: str
    known_on: date
    policy: str
    targets: str


@dataclass(frozen=True, eq=False)
class Network:
    """Scores of N rows: units in periods.

    Attributes
    ----------
    policy : Policy
    figures : NetworkFacts
        What was scored; the numbers in `scores` are its rows.
    scores : tuple of CardScores
        One for each scorecard that has rows.
    calendar : Calendar
    versions : Versions
    """

    policy: Policy
    figures: NetworkFacts
    scores: tuple[CardScores, ...]
    calendar: Calendar
    versions: Versions

    @property
    def notes(self) -> tuple[str, ...]:
        """Give what a careful reader should know."""
        return self.figures.notes


def score_network(
    snapshot: Snapshot,
    policy: Policy,
    periods: Sequence[int],
    *,
    targets: pd.DataFrame | None = None,
    targets_version: str = GIVEN,
    known_on: date | None = None,
) -> Network:
    """Score every unit on a scorecard in each of some periods.

    Parameters
    ----------
    snapshot : Snapshot
    policy : Policy
        Checked by its validator.
    periods : sequence of int
        Ordinals.
    targets : pd.DataFrame, optional
        `unit, indicator, year, target`, and perhaps `floor` and `stretch`; without it, items against targets are not
        scored.
    targets_version : str
        The model that suggested the targets.
    known_on : date, optional
        Leave out what became known after this day; by default nothing is left out.

    Raises
    ------
    LoadlineError
        As `training.scoring.facts.network_facts`, and where nothing was known of the periods.
    """
    figures = network_facts(snapshot, policy, periods, targets=targets, known_on=known_on)
    if not any(np.isfinite(array).any() for array in figures.facts.actual.values()):
        until = "" if known_on is None else f" known on {known_on}"
        raise LoadlineError(
            f"no unit on a scorecard has a figure that {policy.label} looks at{until}",
            where="--known-on" if known_on is not None else "--period",
            hint="Use a later day or another period." if known_on is not None else "Use another period.",
        )
    versions = Versions(
        snapshot.about.version,
        snapshot.about.fingerprint,
        known_on or snapshot.last_known,
        policy.label,
        NO_TARGETS if targets is None else targets_version,
    )
    scores = score(policy, figures.facts, figures.card, snapshot.indicators)
    return Network(policy, figures, scores, snapshot.description.calendar, versions)
