"""Suggesting targets: from the champion where it may answer, from a model fitted on the spot where it may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from models.bundle import ModelBundle
from models.distribution import TargetDistribution, TargetLevels
from models.levels import LEAVES, Level, horizon_periods, levels_of, target_codes
from models.suggestion import suggest
from models.target import TargetModel
from models.totals import DrawnDistribution, covers, total_distribution
from training.progress import Progress, silent
from training.promote import champion
from training.retrain import POLICY, level_seed, model_name, models_in

SEED = 20240101
"""Of models fitted on the spot and of joint draws: the same question gets the same answer."""
LOW = "low: "
"""Begins the evidence of what rests on little."""


@dataclass(frozen=True)
class SuggestedLevel:
    """The suggestions for one indicator at one level, with what they rest on."""

    level: Level
    distribution: TargetDistribution | DrawnDistribution
    model_version: str


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
    levels: TargetLevels | None = None,
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
    levels : TargetLevels, optional
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the year is over, or no indicator may have targets.
    """
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    ahead = horizon_periods(panel, year, origin)
    serving = _fitting_champion(snapshot, home=home, known_on=panel.known_on, ahead=ahead)
    ready = models_in(serving) if serving is not None else {}
    doubtful = set(serving.meta["low_evidence"]) if serving is not None else set()
    levels = levels or TargetLevels()
    codes = target_codes(panel)
    if not codes:
        hint = "Give at least one indicator whose perspective is not context and whose target_allowed is true."
        raise LoadlineError("no indicator of the data may have targets", where=snapshot.about.dataset, hint=hint)
    frames: list[pd.DataFrame] = []
    parts: list[SuggestedLevel] = []
    for number, code in enumerate(codes):
        progress("suggesting", number, len(codes))
        leaves: Level | None = None
        below: tuple[Level, TargetDistribution] | None = None
        for level in levels_of(panel, code, year=year, origin=origin):
            version = serving.version if serving is not None and level.key in ready else "fitted-on-request"
            if level.learned:
                if level.key in ready:
                    model = ready[level.key]()
                else:
                    model = TargetModel.fit(level.problem, seed=level_seed(level.key, SEED))
                distribution = model.predict(level.problem)
                if level.name == LEAVES:
                    leaves = level
                if leaves is not None and covers(level, leaves, panel.tree, ordinal=origin):
                    below = (level, distribution)  # the nearest level that is learned and whole is added up
            elif below is not None:
                distribution = total_distribution(level, *below, panel.tree, ordinal=origin, seed=SEED)
                version = parts[-1].model_version
            else:
                continue
            frame = suggest(level, distribution, levels, quantiles=quantiles).assign(model_version=version)
            if level.key in doubtful:
                frame["evidence"] = frame["evidence"].where(
                    frame["evidence"].str.startswith(("low", "none")), LOW + frame["evidence"]
                )
            frames.append(frame)
            parts.append(SuggestedLevel(level, distribution, version))
    progress("suggesting", len(codes), len(codes))
    if not frames:
        raise LoadlineError(
            "no unit has a whole year of figures to start from",
            where=snapshot.about.dataset,
            hint="Use a later --as-of, or bring more history.",
        )
    every = pd.concat(frames, ignore_index=True)
    depth = pd.Series(panel.tree.depths(origin), index=panel.tree.codes)
    every["_depth"] = every["unit"].map(depth)
    every["_place"] = every["indicator"].map({code: place for place, code in enumerate(codes)})
    every = every.sort_values(["_place", "_depth", "unit"], kind="stable").drop(columns=["_place", "_depth"])
    every = every.assign(policy_version=POLICY, data_version=snapshot.about.version)
    return Suggestions(every.reset_index(drop=True), tuple(parts), levels)


def _fitting_champion(snapshot: Snapshot, *, home: Path, known_on: date, ahead: int) -> ModelBundle | None:
    """Load the champion if it may answer the question."""
    found = champion(home, model_name(snapshot.about.dataset))
    if found is None or found.meta["horizon"] != ahead or date.fromisoformat(found.meta["known_on"]) > known_on:
        return None
    return found
