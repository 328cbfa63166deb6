"""The champion of the warning model against a challenger: over replayed years, and on what came since."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from features.indicators import Title
from models.bundle import ModelBundle
from models.deterioration.settings import DEFAULT, WarningSettings
from models.judging.fairness import DESCRIBED, terciles
from training.gating.comparison import Comparison, How, of_groups, of_origins
from training.gating.losses import Losses
from training.gating.paired import same
from training.gating.warning_stability import at_hand
from training.progress import Progress, silent
from training.warning.evaluation import judged as skill_of
from training.warning.fitting import Fitted, fitted, from_bundle
from training.warning.forward_chain import MODEL, ForwardChain
from training.warning.material import Material
from training.warning.schedule import terms

SUREST = 1e-3
"""Probabilities are kept this far from 0 and 1 when they are judged: beyond, a single surprise would decide."""
SIZED_BY = ("loans", "deposits", "assets")
"""Roles of indicators by which units are cut into thirds by size, the first that there is."""


def compare_warning(
    material: Material,
    found: Fitted,
    chain: ForwardChain,
    champion: ModelBundle | None,
    *,
    seed: int | None = None,
    home: Path | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Compare a challenger with the champion by the log loss of their probabilities.

    Parameters
    ----------
    material : Material
    found : Fitted
        The challenger.
    chain : ForwardChain
        Past years as the challenger's procedure would have answered them.
    champion : ModelBundle or None
    seed : int, optional
        That the challenger was trained with; the champion's where not given.
    home : Path, optional
        Where fitted models are kept.
    progress : Progress

    Notes
    -----
    Both are procedures: each replayed year is answered by a model that learned before it. Where nothing makes them
    differ, nothing is fitted. Unit-periods after the champion's origin whose labels have matured are judged as well: by
    the champion as it stands, and by the challenger's procedure as of the champion's origin. The challenger itself may
    have learned from them.
    """
    own = _record(chain, material)
    if champion is None:
        return Comparison("warning", None, "first", origins=of_origins(own, _empty(), _empty()))
    theirs = champion.meta
    mine_seed = int(theirs["seed"]) if seed is None else seed
    code = installed("loadline")
    old = from_bundle(champion)
    alike = _settings(found) == _settings(old) and mine_seed == theirs["seed"]
    how: How = "not_replayable" if theirs.get("code_version", code) != code else "same" if alike else "replayed"
    groups = groups_of_units(material)
    replayed = after = _empty()
    progress("comparing", 0, 2)
    if how == "replayed":
        replayed = _losses(
            chain.judged, chain.scores[MODEL], _replay(material, chain, old, theirs["seed"], home), groups, material
        )
    progress("comparing", 1, 2)
    notes = ()
    if old.model is None or not at_hand(material, old):
        en = "The champion rests on columns that the data no longer has; it was not judged on what came since."
        notes = (Title(en=en, zh="在用模型所用的列在数据中已不存在，未按其后的年度检验。"),)
    else:
        asked = material.leaves & np.isfinite(chain.judged)
        asked[: old.origin - material.first + 1] = False
        mine = (
            old if how == "same" else fitted(material, old.origin, seed=mine_seed, home=home, settings=_settings(found))
        )
        challenger, standing = (one.of_rows(material, asked, shown=False) for one in (mine, old))
        after = _losses(np.where(asked, chain.judged, np.nan), challenger, standing, groups, material)
    progress("comparing", 2, 2)
    differences = replayed.difference(), after.difference()
    if how == "same":
        units = int(material.leaves.any(axis=0).sum())
        unseen = same(origins=len(np.unique(after.year)), units=len(np.unique(after.unit)))
        differences = same(origins=len(chain.years), units=units), unseen
    return Comparison(
        "warning",
        champion.version,
        how,
        *differences,
        groups=() if how == "same" else of_groups(replayed, over="replayed") + of_groups(after, over="after"),
        origins=of_origins(own, replayed, after),
        notes=notes,
    )


def log_loss(probability: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Give the log loss of each probability; NaN where there is none, or nothing is known of what happened."""
    p = np.clip(probability, SUREST, 1 - SUREST)
    return -np.where(y == 1, np.log(p), np.log1p(-p)) + np.where(np.isfinite(y), 0.0, np.nan)


def _settings(found: Fitted) -> WarningSettings:
    return DEFAULT if found.model is None else found.model.settings


def _replay(material: Material, chain: ForwardChain, champion: Fitted, seed: int, home: Path | None) -> np.ndarray:
    """Answer the replayed years (P, U) by the champion's procedure."""
    out = np.full(material.leaves.shape, np.nan)
    calendar = material.snapshot.description.calendar
    for term in terms(calendar, material.first, material.last, begin=material.first):
        if term.year not in chain.years:
            continue
        asked = np.zeros(material.leaves.shape, dtype=bool)
        rows = slice(term.first - material.first, term.last - material.first + 1)
        asked[rows] = material.leaves[rows]
        model = fitted(material, term.origin, seed=seed, home=home, settings=_settings(champion))
        out[rows] = model.of_rows(material, asked, shown=False)[rows]
    return out


def _losses(
    y: np.ndarray,
    challenger: np.ndarray,
    champion: np.ndarray,
    groups: Mapping[str, np.ndarray],
    material: Material,
) -> Losses:
    """Lay out what both lost on labelled unit-periods; the baseline states the share that deteriorated."""
    known = np.isfinite(y) & np.isfinite(challenger) & np.isfinite(champion)
    if not known.any():
        return _empty()
    periods, units = np.nonzero(known)
    happened = y[known]
    rate = np.full(len(happened), happened.mean())
    return Losses(
        np.asarray(material.snapshot.description.calendar.year(periods + material.first)),
        units,
        np.zeros(len(units), dtype=np.int64),
        log_loss(challenger[known], happened),
        log_loss(champion[known], happened),
        log_loss(rate, happened),
        {name: labels[units] for name, labels in groups.items()},
    )


def groups_of_units(material: Material) -> dict[str, np.ndarray]:
    """Give the group (U,) of each unit by dimension: as described, and thirds of the leaves by size."""
    tree, panel = material.snapshot.tree, material.panel
    out = {name: tree.attributes[name].astype(str).to_numpy(dtype=object) for name in DESCRIBED}
    sized = [one.code for role in SIZED_BY for one in panel.indicators.with_role(role) if one.kind == "stock"]
    code = next((code for code in sized if code in panel), None)
    if code is not None:
        rows = np.isfinite(panel.array(code)).any(axis=1)
        last = panel.array(code)[np.flatnonzero(rows)[-1]] if rows.any() else np.full(len(tree), np.nan)
        out["size"] = terciles(np.where(material.leaves[-1], last, np.nan))
    return out


def _record(chain: ForwardChain, material: Material) -> dict[int, dict[str, Any]]:
    """Judge the challenger's procedure year by year."""
    out: dict[int, dict[str, Any]] = {}
    calendar = material.snapshot.description.calendar
    years = np.asarray(calendar.year(np.arange(len(chain.judged)) + material.first))
    for year in chain.years:
        answers, y = chain.scores[MODEL][years == year], chain.judged[years == year]
        asked = np.isfinite(answers) & np.isfinite(y)
        if not asked.any():
            continue
        skill = skill_of(MODEL, answers[asked], y[asked], np.nonzero(asked)[0], probability=True)
        rate = np.full(int(asked.sum()), y[asked].mean())
        base = float(log_loss(rate, y[asked]).mean())
        lost = float(log_loss(answers[asked], y[asked]).mean())
        figures = {
            "loss_ratio": lost / base if 0 < skill.positives < skill.rows else np.nan,
            "auc_within": skill.auc_within,
            "average_precision": skill.average_precision,
            "brier": skill.brier,
        }
        told = {name: float(value) if np.isfinite(value) else None for name, value in figures.items()}
        out[int(year)] = {"outcomes": skill.rows, "positives": skill.positives} | told
    return out


def _empty() -> Losses:
    return Losses.joined(())
