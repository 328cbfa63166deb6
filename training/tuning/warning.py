"""Tuning of the warning model: log loss in past years, each foretold from what was known before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np

from features.indicators import Title
from models.deterioration.settings import DEFAULT, WarningSettings
from training.progress import Progress, silent
from training.tuning.beyond_noise import paired
from training.tuning.choosing import NOTHING_ASKED, TOO_FEW_TIMES, chosen, divided
from training.tuning.search import Knob, Knobs, best, search
from training.tuning.tuned import DEFAULT_TRIALS, Tuned, untuned
from training.tuning.warning_years import (
    FEWEST_POSITIVES,
    LaterYears,
    PastYear,
    cells,
    loss_ratio,
    past_years,
    told_apart,
)
from training.warning.material import Material

SPACE = (
    Knob("rate", (0.02, 0.03, 0.05, 0.08)),
    Knob("leaves", (0.5, 1.0, 2.0, 4.0)),
    Knob("least_rows", (10, 20, 40, 80)),
    Knob("l2", (1.0, 5.0, 20.0, 100.0)),
    Knob("columns", (0.2, 0.4, 0.7, 1.0)),
    Knob("forest_leaf", (0.5, 1.0, 2.0, 4.0)),
)
"""From more cautious than usual to less. How many trees are taken, and how far regression is held back, is found anew
wherever the model is fitted."""

USUAL: Knobs = {knob.name: getattr(DEFAULT, knob.name) for knob in SPACE}

TOO_FEW_CASES = Title(
    en=f"The usual settings serve: past years have too few cases of deterioration (fewer than {FEWEST_POSITIVES} to "
    "search on or to decide by) to tell other settings from luck.",
    zh=f"采用常用参数：历史年度的恶化样本过少（用于搜索或判定的样本不足 {FEWEST_POSITIVES} 个），无法区分优劣与偶然。",
)


def tune_warning(
    material: Material,
    origin: int,
    *,
    seed: int,
    folder: Path,
    trials: int = DEFAULT_TRIALS,
    progress: Progress = silent,
) -> Tuned[WarningSettings]:
    """Look for settings that would have foretold past years better.

    Parameters
    ----------
    material : Material
        Up to `origin` or later.
    origin : int
        Last period (ordinal) that may be used: what happened in past years is what was known of it at its end.
    seed : int
    folder : Path
        Where the trials are written down. After an interruption the search goes on from there.
    trials : int
        Most settings that are tried, the usual ones included; 0 or 1 keeps these.
    progress : Progress

    Returns
    -------
    Tuned
        With the usual settings where there are too few cases, and where nothing lost less beyond noise and ranked as
        well, in years newer than those searched on.
    """
    if trials < 2:
        return untuned(DEFAULT, NOTHING_ASKED)
    years = past_years(material, origin, seed=seed) if material.first <= origin <= material.last else {}
    searched, held_out = divided(list(years))
    if not searched:
        return untuned(DEFAULT, TOO_FEW_TIMES)
    early, late = [years[year] for year in searched], [years[year] for year in held_out]
    if not (told_apart(early) and told_apart(late)):
        return untuned(DEFAULT, TOO_FEW_CASES)
    found = search(
        SPACE,
        lambda knobs: loss_ratio(early, DEFAULT.with_knobs(knobs)),
        usual=USUAL,
        seed=seed,
        trials=trials,
        record=Path(folder) / f"warning-{_identity(years, seed)}.jsonl",
        progress=progress,
    )
    leading = best(found)
    other = DEFAULT.with_knobs(leading.knobs)
    gain = None
    if other != DEFAULT:
        first, second = (LaterYears.of(early, late, settings) for settings in (DEFAULT, other))
        gain = paired(cells(late, first, second))
        gain = replace(gain, better=gain.better and second.precision >= first.precision)
    return chosen(DEFAULT, other, trials=found, best=leading, gain=gain, searched=searched, held_out=held_out)


def _identity(years: Mapping[int, PastYear], seed: int) -> str:
    """Name what the trials depend on, so that those of other data are not taken for these."""
    told = hashlib.sha256()
    about = [installed("loadline"), seed, [(knob.name, knob.values) for knob in SPACE], DEFAULT.as_dict(), list(years)]
    told.update(json.dumps(about).encode())
    for one in years.values():
        told.update(json.dumps(one.earlier.names).encode())
        for array in (one.earlier.X, one.earlier.y, one.earlier.weight, one.X, one.y, one.unit, one.weight):
            told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()[:12]
