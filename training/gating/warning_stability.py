"""Whether the warning model tells the same as before of what sets a unit at risk apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.indicators import Title
from models.alert_story.drivers import driver_players
from models.bundle import ModelBundle
from models.deterioration.model import middle
from training.gating.stability import UNITS, Overlap, Sides, main_drivers, overlap_of
from training.warning.fitting import PRIOR, THREADS, Fitted, columns, from_bundle
from training.warning.material import Material


def overlap_warning(material: Material, found: Fitted, champion: ModelBundle | None) -> Overlap:
    """Compare what sets the units most at risk apart from the middle of all, by champion and challenger.

    Parameters
    ----------
    material : Material
        Its last period is explained.
    found : Fitted
        The challenger.
    champion : ModelBundle or None
    """
    if champion is None:
        return Overlap("warning", None)
    old = from_bundle(champion)
    if old.model is None or found.model is None or not at_hand(material, old):
        note = Title(
            en="The champion rests on columns that the data no longer has; explanations were not compared.",
            zh="在用模型所用的列在数据中已不存在，未对比解释。",
        )
        return Overlap("warning", champion.version, notes=(note,))
    asked = np.zeros(material.leaves.shape, dtype=bool)
    asked[-1] = material.leaves[-1]
    sides = [
        (model, names, columns(material, names, asked))
        for model, names in ((old.model, old.names), (found.model, found.names))
    ]
    ranks = [pd.Series(model.predict(X, threads=THREADS)).rank().to_numpy() for model, _, X in sides]
    some = np.sort(np.argsort(-(ranks[0] + ranks[1]), kind="stable")[:UNITS])
    valued = []
    for model, names, X in sides:
        players = driver_players(names)
        values, _ = model.contributions(X[some], players=players, reference=middle(X))
        valued.append(pd.DataFrame(values, columns=list(players.names)))
    codes = sorted({*valued[0].columns, *valued[1].columns})
    before, now = (main_drivers(frame.reindex(columns=codes, fill_value=0.0).to_numpy()) for frame in valued)
    units = material.snapshot.tree.codes[np.flatnonzero(asked[-1])][some]
    return overlap_of("warning", champion.version, [Sides("warning", units, before, now)], drivers=codes)


def at_hand(material: Material, model: Fitted) -> bool:
    """Tell whether the data has every column that a model wants."""
    there = {*material.matrix.names, *([PRIOR] if material.prior is not None else [])}
    return there.issuperset(model.names)
