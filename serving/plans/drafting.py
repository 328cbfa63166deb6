"""The lines of a plan: one a unit and indicator, with all that is needed to change and to tell them later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.judging.fairness import unit_groups
from models.levels import LEAVES
from models.suggestion import MILESTONES, display_step, rounded
from serving.plans.curve import curves, hardness
from serving.plans.plan import LEVELS
from training.scoring.peers import group_quantiles, groups_at

if TYPE_CHECKING:
    from features.units import UnitTree
    from serving.plans.material import Material
    from serving.plans.steering import Steering
    from training.plan import Plan as Breakdown
    from training.suggest import SuggestedLevel

QUARTILES = (0.25, 0.5, 0.75)
CHANCES = tuple(f"p_{name}" for name in LEVELS)
GROUPED = ("region_type", "peer_group", "size", "volatility", "past_growth", "growth_rank")
"""What fairness is judged by; see `models.judging.fairness.unit_groups`."""
Kept = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""Basis, groups, and columns of a line."""


def broken_down(material: Material, asked: Steering) -> Breakdown:
    """Break goals down over suggestions, within what is fixed; see `training.plan.make_plan`."""
    from training.plan import make_plan  # which brings the learners

    return make_plan(
        material.suggestions,
        tree=material.snapshot.tree,
        origin=material.origin,
        goals=asked.frame("goals"),
        pins=asked.frame("pins"),
        floors=asked.frame("floors"),
        caps=asked.frame("caps"),
        flagged=asked.frame("flagged"),
        policy=material.policy,
        cap_ratchet=asked.cap_ratchet,
    )


def lines_of(material: Material, made: Breakdown, asked: Steering) -> list[dict[str, Any]]:
    """Lay out the lines of a plan as rows of the table, but for its id.

    Parameters
    ----------
    material : Material
    made : Breakdown
        The goals broken down.
    asked : Steering

    Returns
    -------
    list of dict
        In the order of the suggestions: by indicator, the highest units first.
    """
    frame, suggested = made.frame, material.suggestions.frame
    tree, origin = material.snapshot.tree, material.origin
    kept = _kept_of_parts(material)
    above = ancestors(tree, origin)
    roles = roles_of(made)
    pinned = {(row.unit, row.indicator) for row in asked.pins}
    flagged = flagged_keys(asked, above)
    figures = {name: _plain(frame[name]) for name in ("last_actual", *LEVELS, *CHANCES)}
    first = {name: _plain(suggested[name]) for name in (*LEVELS, *CHANCES)}
    miles = {name: _plain(suggested[name]) for name in MILESTONES}
    evidence, before = frame["evidence"].astype(str).tolist(), suggested["evidence"].astype(str).tolist()
    rows: list[dict[str, Any]] = []
    for place, key in enumerate(zip(frame["unit"].astype(str), frame["indicator"].astype(str), strict=True)):
        unit, code = key
        basis, groups, more = kept[key]
        rows.append(
            {
                "unit": unit,
                "indicator": code,
                "position": place,
                "revision": 1,
                "role": roles.get(key, ""),
                "above": above[unit],
                **more,
                **{name: values[place] for name, values in figures.items()},
                "suggested": {name: values[place] for name, values in first.items()} | {"evidence": before[place]},
                "basis": basis | {name: values[place] for name, values in miles.items()},
                "groups": groups,
                "evidence": evidence[place],
                "flagged": key in flagged or (unit, "") in flagged,
                "pinned": key in pinned,
                "overridden": False,
                "reason": "",
                "changed_by": None,
                "changed_at": None,
            }
        )
    return rows


def roles_of(made: Breakdown) -> dict[tuple[str, str], str]:
    """Tell which units have a goal, and which are between a goal and the leaves, by unit and indicator."""
    roles: dict[tuple[str, str], str] = {}
    for part in made.parts:
        tree, goals = part.allocation.tree, set(part.goal_places.tolist())
        under = np.zeros(len(tree.units), dtype=bool)
        under[sorted(goals)] = True
        for nodes in tree.levels[1:]:
            under[nodes] |= under[tree.parent[nodes]]
        for place in range(tree.leaves, len(tree.units)):
            if place in goals:
                roles[str(tree.units[place]), part.code] = "goal"
            elif under[place]:
                roles[str(tree.units[place]), part.code] = "total"
    return roles


def ancestors(tree: UnitTree, ordinal: int) -> dict[str, list[str]]:
    """Give the units above each one in a period, the nearest first."""
    codes, parents = [str(code) for code in tree.codes], tree.parents(ordinal).tolist()
    found: dict[str, list[str]] = {}
    for number, code in enumerate(codes):
        chain, at = [], parents[number]
        while at >= 0:
            chain.append(codes[at])
            at = parents[at]
        found[code] = chain
    return found


def flagged_keys(asked: Steering, above: dict[str, list[str]]) -> set[tuple[str, str]]:
    """List unit and indicator (blank for all) of what is flagged for risk: the units named and all below them."""
    named: dict[str, set[str]] = {}
    for row in asked.flagged:
        named.setdefault(row.unit, set()).add(row.indicator)
    if not named:
        return set()
    return {(unit, code) for unit, chain in above.items() for head in (unit, *chain) for code in named.get(head, ())}


def _kept_of_parts(material: Material) -> dict[tuple[str, str], Kept]:
    """Give for each line its basis, its groups, and the columns that follow from the level."""
    tree, asked = material.snapshot.tree, material.policy.levels.as_dict().values()
    peers = groups_at(tree, material.origin)
    found: dict[tuple[str, str], Kept] = {}
    for part in material.suggestions.parts:
        level, indicator = part.level, part.level.indicator
        units = [str(unit) for unit in level.problem.units]
        step = display_step(indicator, level.problem.base[-1])
        stated = [rounded(part.distribution.value_at(p), step, indicator.limits) for p in asked]
        hard, chance = curves(part, np.stack(stated))
        known = np.isfinite((hard + chance).sum(axis=1))
        pairs = [
            [list(points), list(chances)] if there else []
            for points, chances, there in zip(hard.tolist(), chance.tolist(), known.tolist(), strict=True)
        ]
        in_points = indicator.kind in ("ratio", "level")
        growth = _growth(level.trailing, in_points=in_points)
        ours = peers[level.numbers]
        sign = {"higher": 1.0, "lower": -1.0}.get(indicator.direction, np.nan)
        actual = quartiles(hardness(indicator, level.latest), ours)
        grown = quartiles(growth * sign, ours)
        leaf = level.name == LEAVES
        told = unit_groups(level, tree) if leaf else None
        columns = {name: [None] * len(units) for name in GROUPED}
        if told is not None:
            columns = {name: told[name].astype(object).where(told[name].notna(), None).tolist() for name in GROUPED}
        weight = _weights(part) if in_points else [None] * len(units)
        growths = _plain(pd.Series(growth))
        for place, unit in enumerate(units):
            groups = {"actual_quartile": actual[place], "growth_quartile": grown[place]}
            groups |= {name: values[place] for name, values in columns.items()}
            basis = {"curve": pairs[place], "step": step, "in_points": in_points}
            more = {"leaf": leaf, "weight": weight[place], "growth": growths[place]}
            found[unit, indicator.code] = (basis, groups, more)
    return found


def quartiles(values: np.ndarray, groups: np.ndarray) -> list[int | None]:
    """Give each unit its quarter among its peers, 1 where the values are highest; None where fewer than five are known.

    >>> quartiles(np.array([5.0, 4, 3, 2, 1, 9]), np.array([0, 0, 0, 0, 0, 1]))
    [1, 1, 2, 3, 4, None]
    """
    if not len(values):
        return []
    low, middle, high = group_quantiles(values, groups, QUARTILES)
    place = np.where(values >= high, 1, np.where(values >= middle, 2, np.where(values >= low, 3, 4)))
    known = np.isfinite(values) & np.isfinite(low)
    return [int(number) if there else None for number, there in zip(place, known, strict=True)]


def _growth(trailing: np.ndarray, *, in_points: bool) -> np.ndarray:
    """Give the growth (U,) of the last year: percent of the year before, or points."""
    if len(trailing) < 2:
        return np.full(trailing.shape[1], np.nan)
    before, last = trailing[-2], trailing[-1]
    if in_points:
        return last - before
    return np.where(before != 0, 100 * (last - before) / np.where(before != 0, np.abs(before), 1.0), np.nan)


def _weights(part: SuggestedLevel) -> list[float | None]:
    """Give the denominators by which ratios and levels of the units are averaged; ones where none are known."""
    given = part.level.problem.weight
    if given is None:
        return [1.0] * len(part.level.problem.units)
    return np.maximum(np.nan_to_num(given[-1]), 0.0).tolist()


def _plain(column: pd.Series) -> list[float | None]:
    """Give a column as numbers; None where there is none."""
    values = column.to_numpy(dtype=float)
    return [value if there else None for value, there in zip(values.tolist(), np.isfinite(values), strict=True)]
