"""Suggesting targets: from the champion where it may answer, from a model fitted on the spot where it may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd

from features.errors import LoadlineError
from features.panel import Panel
from features.store import Snapshot
from models.bundle import ModelBundle
from models.joint.totals import DrawnDistribution, covers, total_distribution
from models.levels import LEAVES, Level, horizon_periods, levels_of, target_codes
from models.outcome.distribution import TargetDistribution, TargetLevels
from models.outcome.target import TargetModel
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from models.suggestion import suggest
from training.progress import Progress, silent
from training.promote import champion
from training.target_model import level_evidence, level_seed, model_name, models_in

SEED = 20240101
"""Of models fitted on the spot and of joint draws: the same question gets the same answer."""
ON_REQUEST = "fitted-on-request"
"""Model version of what the champion may not answer."""
LOW = "low: "
"""Begins the evidence of what rests on little."""
Champion = ModelBundle | Literal["recorded"] | None
"""The model to ask: one at hand, none, or the one that the record of promotions names at this moment."""


@dataclass(frozen=True)
class SuggestedLevel:
    """The suggestions for one indicator at one level, with what they rest on; `low` where past origins show little."""

    level: Level
    distribution: TargetDistribution | DrawnDistribution
    model_version: str
    low: bool


@dataclass(frozen=True)
class Suggestions:
    """All suggestions for a year.

    Attributes
    ----------
    frame : pd.DataFrame
        One row a unit and indicator, the highest units first.
    parts : tuple of SuggestedLevel
    levels : TargetLevels
    """

    frame: pd.DataFrame
    parts: tuple[SuggestedLevel, ...]
    levels: TargetLevels


def suggest_targets(
    snapshot: Snapshot,
    year: int,
    *,
    home: Path,
    origin: int,
    latest: bool,
    quantiles: Sequence[float] = (),
    policy: TargetPolicy = DEFAULT_POLICY,
    model: Champion = "recorded",
    progress: Progress = silent,
) -> Suggestions:
    """Suggest floor, target and stretch for every unit and indicator.

    The champion answers only for what it was trained for: the same dataset, the same distance to the year's end, and
    nothing in it that became known after `origin`. Whatever else is asked is fitted on the spot and says so in its
    model version.

    Parameters
    ----------
    snapshot : Snapshot
    year : int
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    quantiles : sequence of float
    policy : TargetPolicy
        Whose levels are suggested.
    model : ModelBundle, optional
        The champion to ask; see `Champion`.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the year is over, or no indicator may have targets.
    """
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    horizon_periods(panel, year, origin)
    codes = target_codes(panel)
    if not codes:
        hint = "Give at least one indicator whose perspective is not context and whose target_allowed is true."
        raise LoadlineError("no indicator of the data may have targets", where=snapshot.about.dataset, hint=hint)
    parts = year_distributions(
        snapshot, panel, year, home=home, origin=origin, codes=codes, model=model, progress=progress
    )
    if not parts:
        raise LoadlineError(
            "no unit has a whole year of figures to start from",
            where=snapshot.about.dataset,
            hint="Use a later --as-of, or bring more history.",
        )
    every = pd.concat([_rows(part, policy.levels, quantiles) for part in parts], ignore_index=True)
    depth = pd.Series(panel.tree.depths(origin), index=panel.tree.codes)
    every["_depth"] = every["unit"].map(depth)
    every["_place"] = every["indicator"].map({code: place for place, code in enumerate(codes)})
    every = every.sort_values(["_place", "_depth", "unit"], kind="stable").drop(columns=["_place", "_depth"])
    every = every.assign(policy_version=policy.version, data_version=snapshot.about.version)
    return Suggestions(every.reset_index(drop=True), tuple(parts), policy.levels)


def year_distributions(
    snapshot: Snapshot,
    panel: Panel,
    year: int,
    *,
    home: Path,
    origin: int,
    codes: Sequence[str],
    model: Champion = "recorded",
    progress: Progress = silent,
) -> list[SuggestedLevel]:
    """Find the distribution of a year's outcome for every unit, one indicator after the other.

    Parameters
    ----------
    snapshot : Snapshot
    panel : Panel
        Of the snapshot, holding nothing after `origin`.
    year : int
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) that may be used.
    codes : sequence of str
        Indicators asked about.
    model : ModelBundle, optional
        The champion to ask; see `Champion`.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the year is over.
    """
    ahead = horizon_periods(panel, year, origin)
    serving = fitting_champion(snapshot, home=home, known_on=panel.known_on, ahead=ahead, model=model)
    ready, version = (models_in(serving), serving.version) if serving is not None else ({}, ON_REQUEST)
    parts: list[SuggestedLevel] = []
    for number, code in enumerate(codes):
        progress("suggesting", number, len(codes))
        parts += _suggested_levels(panel, code, year=year, origin=origin, ready=ready, champion_version=version)
    progress("suggesting", len(codes), len(codes))
    return parts


def _suggested_levels(
    panel: Panel,
    code: str,
    *,
    year: int,
    origin: int,
    ready: Mapping[str, Callable[[], TargetModel]],
    champion_version: str,
) -> list[SuggestedLevel]:
    """Find the distributions of one indicator, leaves first; small levels are added up from the nearest one below."""
    found: list[SuggestedLevel] = []
    leaves: Level | None = None
    below: SuggestedLevel | None = None
    for level in levels_of(panel, code, year=year, origin=origin):
        if level.learned:
            served = level.key in ready
            model = ready[level.key]() if served else TargetModel.fit(level.problem, seed=level_seed(level.key, SEED))
            low = level_evidence(level, model).low_evidence
            version = champion_version if served else ON_REQUEST
            part = SuggestedLevel(level, level.of_year(model.predict(level.problem)), version, low)
            leaves = level if level.name == LEAVES else leaves
            if leaves is not None and covers(level, leaves, panel.tree, ordinal=origin):
                below = part
        elif below is not None and isinstance(below.distribution, TargetDistribution):
            total = total_distribution(level, below.level, below.distribution, panel.tree, ordinal=origin, seed=SEED)
            part = SuggestedLevel(level, total, below.model_version, below.low)
        else:
            continue
        found.append(part)
    return found


def _rows(part: SuggestedLevel, levels: TargetLevels, quantiles: Sequence[float]) -> pd.DataFrame:
    """Write the suggestions of a level, marked where they rest on little."""
    frame = suggest(part.level, part.distribution, levels, quantiles=quantiles)
    if part.low:
        told = frame["evidence"].str.startswith(("low", "none"))
        frame["evidence"] = frame["evidence"].where(told, LOW + frame["evidence"])
    if part.level.so_far is not None and "like_group" in frame:
        frame["like_group"] = part.level.so_far.year(frame["like_group"].to_numpy(dtype=float))
    return frame.assign(last_actual=part.level.latest, model_version=part.model_version)


def fitting_champion(
    snapshot: Snapshot, *, home: Path, known_on: date, ahead: int, model: Champion = "recorded"
) -> ModelBundle | None:
    """Give the champion if it may answer the question."""
    found = champion(home, model_name(snapshot.about.dataset)) if isinstance(model, str) else model
    if found is None or found.meta["horizon"] != ahead or date.fromisoformat(found.meta["known_on"]) > known_on:
        return None
    return found
