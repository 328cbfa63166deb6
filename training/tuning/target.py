"""Tuning of the target model: pinball loss at past origins against that of pooled growth, nothing known too early."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np

from models.levels import Level
from models.outcome.global_growth import GlobalGrowth
from models.outcome.problem import TargetProblem
from models.outcome.settings import DEFAULT, TargetSettings
from training.progress import Progress, silent
from training.tuning.beyond_noise import Cell, paired
from training.tuning.choosing import NOTHING_ASKED, TOO_FEW_TIMES, chosen, divided
from training.tuning.search import Knob, Knobs, best, search
from training.tuning.target_origins import Origin, origins_of, sampled
from training.tuning.tuned import DEFAULT_TRIALS, Tuned, untuned

SPACE = (
    Knob("kept", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
    Knob("ridge_penalty", (10.0, 30.0, 100.0, 300.0, 1000.0)),
    Knob("own.leaves", (2, 3, 4, 6, 8, 12)),
    Knob("own.least_rows", (10, 20, 40, 80)),
    Knob("own.trees", (40, 80, 120, 200)),
    Knob("own.l2", (1.0, 5.0, 20.0, 100.0)),
    Knob("shared.leaves", (4, 6, 8, 12, 16)),
    Knob("shared.least_rows", (20, 40, 80, 160)),
    Knob("shared.trees", (60, 120, 200, 300)),
    Knob("shared.l2", (1.0, 5.0, 20.0, 100.0)),
)
"""From much more cautious than usual to much less; the rate of learning stays, since trees and rate tell alike."""

USUAL: Knobs = {
    knob.name: getattr(DEFAULT, knob.name)
    if "." not in knob.name
    else getattr(getattr(DEFAULT, knob.name.split(".")[0]), knob.name.split(".")[1])
    for knob in SPACE
}


def tune_target(
    levels: Sequence[Level],
    *,
    seed: int,
    folder: Path,
    trials: int = DEFAULT_TRIALS,
    progress: Progress = silent,
) -> Tuned[TargetSettings]:
    """Look for settings that would have done better at past origins.

    Parameters
    ----------
    levels : sequence of Level
        Those that are learned from. A sample of them is seen; see `training.tuning.target_origins`.
    seed : int
    folder : Path
        Where the trials are written down. After an interruption the search goes on from there.
    trials : int
        Most settings that are tried, the usual ones included; 0 or 1 keeps these.
    progress : Progress

    Returns
    -------
    Tuned
        With the usual settings where nothing did better beyond noise, on origins newer than those searched on.
    """
    if trials < 2:
        return untuned(DEFAULT, NOTHING_ASKED)
    problems = sampled(levels)
    by_year = origins_of(problems, seed=seed)
    searched, held_out = divided(list(by_year))
    if not searched:
        return untuned(DEFAULT, TOO_FEW_TIMES)
    early, late = ([one for year in years for one in by_year[year]] for years in (searched, held_out))
    found = search(
        SPACE,
        lambda knobs: loss_ratio(early, DEFAULT.with_knobs(knobs)),
        usual=USUAL,
        seed=seed,
        trials=trials,
        record=Path(folder) / f"target-{_identity(problems, seed)}.jsonl",
        progress=progress,
    )
    leading = best(found)
    other = DEFAULT.with_knobs(leading.knobs)
    gain = None if other == DEFAULT else paired(_cells(late, DEFAULT, other))
    return chosen(DEFAULT, other, trials=found, best=leading, gain=gain, searched=searched, held_out=held_out)


def loss_ratio(origins: Sequence[Origin], settings: TargetSettings) -> float:
    """Give the loss over that of pooled growth: geometric mean over indicators and levels, then over years."""
    shared = _shared(origins, settings)
    logs: dict[int, list[float]] = {}
    for one in origins:
        loss = float(np.nanmean(one.losses(one.tried(settings), shared[one.level, one.past.asked])))
        logs.setdefault(one.past.asked, []).append(np.log(loss / one.pooled_loss))
    return float(np.exp(np.mean([np.mean(each) for each in logs.values()])))


def _shared(origins: Sequence[Origin], settings: TargetSettings) -> dict[tuple[str, int], GlobalGrowth | None]:
    """Fit the trees over all indicators of each level and year."""
    together: dict[tuple[str, int], list[TargetProblem]] = {}
    for one in origins:
        together.setdefault((one.level, one.past.asked), []).append(one.past)
    return {
        key: GlobalGrowth.fit(problems, seed=origins[0].seed, settings=settings) for key, problems in together.items()
    }


def _cells(origins: Sequence[Origin], usual: TargetSettings, other: TargetSettings) -> list[Cell]:
    """Give the losses of both settings at each origin, the recipe fitted wholly with either."""
    shared = {settings: _shared(origins, settings) for settings in (usual, other)}
    cells = []
    for one in origins:
        first, second = (
            one.losses(one.fitted(settings), shared[settings][one.level, one.past.asked]) for settings in (usual, other)
        )
        seen = np.isfinite(first) & np.isfinite(second)
        cells.append(Cell(one.past.asked, one.past.units.to_numpy()[seen], first[seen], second[seen]))
    return cells


def _identity(problems: Sequence[tuple[str, TargetProblem]], seed: int) -> str:
    """Name what the trials depend on, so that those of other data are not taken for these."""
    told = hashlib.sha256()
    about = [installed("loadline"), seed, [(knob.name, knob.values) for knob in SPACE], DEFAULT.as_dict()]
    told.update(json.dumps(about).encode())
    for name, problem in problems:
        told.update(f"{name} {problem.indicator.model_dump_json()} {problem.horizon} {list(problem.years)}".encode())
        told.update(json.dumps(problem.units.astype(str).tolist()).encode())
        for array in (problem.base, problem.outcome, problem.weight, problem.peers, problem.size):
            told.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return told.hexdigest()[:12]
