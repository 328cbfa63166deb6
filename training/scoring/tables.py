"""Scores as a table: one row a unit and period, every figure as exact as it is stated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.scoring.conditions import UNKNOWN, YES
from models.scoring.engine import CardScores
from models.scoring.points import NO_FIGURE, NO_RATIO, NO_REFERENCE, SCORED
from training.scoring.network import Network

REASONS = {NO_FIGURE: "no figure", NO_REFERENCE: "nothing to compare with", NO_RATIO: "a ratio says nothing"}
"""Why an item has no points, in words."""
SEPARATOR = "; "


def summary(network: Network) -> pd.DataFrame:
    """Give one row a unit and period, in the order of the network's rows.

    Returns
    -------
    pd.DataFrame
        `unit, name, period, scorecard, score, grade, raw, gated, assessed_weight, adjustments, bonus, malus, gates,
        reason, notes`, then `points:CODE` (out of 100) and `amount:CODE` (what it brings to the total) for every
        indicator that is an item, then `policy_version, targets_version, data_version, known_on`. Where there is no
        score, `reason` says why. `gates` are those that change the total. `adjustments` are before their limits,
        `bonus` and `malus` after.
    """
    tree, figures = network.figures.tree, network.figures
    codes = list(dict.fromkeys(i.indicator for card in network.policy.scorecards for i in card.items))
    parts = [_of_card(scores, codes) for scores in network.scores]
    found = pd.concat(parts).sort_index()
    written = {int(p): network.calendar.format(int(p)) for p in np.unique(figures.period)}
    about = pd.DataFrame(
        {
            "unit": tree.codes[figures.unit].astype(str),
            "name": tree.attributes["name"].to_numpy(dtype=object)[figures.unit],
            "period": [written[int(p)] for p in figures.period],
        },
        index=found.index,
    )
    versions = network.versions
    return pd.concat([about, found], axis=1).assign(
        policy_version=versions.policy,
        targets_version=versions.targets,
        data_version=versions.data_version,
        known_on=str(versions.known_on),
    )


def hundredths(cents: np.ndarray, known: np.ndarray | bool = True) -> np.ndarray:
    """Give whole cents as points: the floats that are written with two decimals at most; NaN where not known."""
    return np.where(known, cents / 100, np.nan)


def _of_card(scores: CardScores, codes: Sequence[str]) -> pd.DataFrame:
    known, card, policy = scores.scored, scores.card, scores.policy
    grades = np.array([*(grade.name for grade in policy.grades), ""], dtype=object)
    columns: dict[str, object] = {
        "scorecard": card.id,
        "score": np.where(known, scores.tenths / 10, np.nan),
        "grade": grades[scores.grade],
        "raw": hundredths(scores.raw, known),
        "gated": hundredths(scores.gated, known),
        "assessed_weight": hundredths(scores.assessed),
        "adjustments": _adjustments(scores),
        "bonus": hundredths(scores.bonus, known),
        "malus": hundredths(scores.malus, known),
        "gates": np.where(known, _named(_changed(scores), [gate.id for gate in policy.gates]), ""),
        "reason": np.where(known, "", missing_items(scores)),
        "notes": _notes(scores),
    }
    place = {item.indicator: number for number, item in enumerate(card.items)}
    for code in codes:
        number = place.get(code)
        if number is None:
            columns |= {f"points:{code}": np.nan, f"amount:{code}": np.nan}
            continue
        there = scores.state[number] == SCORED
        columns[f"points:{code}"] = hundredths(scores.points[number], there)
        columns[f"amount:{code}"] = hundredths(scores.items[number], there & known)
    return pd.DataFrame(columns, index=scores.rows)


def missing_items(scores: CardScores) -> np.ndarray:
    """Say which items of each row (N,) have no points, and why; empty where all have."""
    items = [item.indicator for item in scores.card.items]

    def told(states: np.ndarray) -> str:
        parts = []
        for state, why in REASONS.items():
            codes = [items[number] for number in np.flatnonzero(states == state)]
            if codes:
                parts.append(f"{why}: {', '.join(codes)}")
        return SEPARATOR.join(parts)

    return _each_pattern(scores.state, told)


def _notes(scores: CardScores) -> np.ndarray:
    """Say of each row (N,) what its score leaves out."""
    missing = missing_items(scores)
    rescaled = scores.scored & (missing != "")
    share = np.array([f"{cents / 100:g}" for cents in scores.assessed], dtype=object)
    left_out = np.where(rescaled, "items of " + share + " of 100 are assessed (" + missing + ")", "")
    gates = [gate.id for gate in scores.policy.gates]
    adjustments = [adjustment.id for adjustment in scores.card.adjustments]
    conditional = np.array(
        [gate.kind == "protection_floor" or gate.when is not None for gate in scores.policy.gates], dtype=bool
    )
    idle = (scores.acts == YES) & ~_changed(scores) & conditional.reshape(-1, 1) & scores.scored
    idle = _named(idle, gates)
    idle = np.where(idle != "", "holds without changing the total: " + idle, "")
    unjudged = _named(np.concatenate([scores.acts, scores.adjustment_state]) == UNKNOWN, [*gates, *adjustments])
    unjudged = np.where(unjudged != "", "not judged for want of a figure: " + unjudged, "")
    return _joined(_joined(left_out, idle), unjudged)


def _changed(scores: CardScores) -> np.ndarray:
    """Tell which gates change which totals: (G, N)."""
    return np.diff(scores.running, axis=0) != 0


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where((first != "") & (second != ""), first + SEPARATOR + second, first + second)


def _adjustments(scores: CardScores) -> np.ndarray:
    """Name the adjustments that act on each row (N,), with what each adds or takes."""
    found = np.full(scores.facts.rows, "", dtype=object)
    for adjustment, cents in zip(scores.card.adjustments, scores.adjustments, strict=True):
        acts = np.flatnonzero((cents != 0) & scores.scored)
        told = np.array([f"{adjustment.id} {amount / 100:+.2f}" for amount in cents[acts]], dtype=object)
        found[acts] = _joined(found[acts], told)
    return found


def _named(present: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """List in words what is present (M, N) in each row: (N,)."""
    return _each_pattern(
        present.astype(np.int8), lambda column: SEPARATOR.join(names[m] for m in np.flatnonzero(column).tolist())
    )


def _each_pattern(columns: np.ndarray, told) -> np.ndarray:
    """Write a text for each column of small numbers (M, N), once for each that differs: (N,)."""
    if not columns.size:
        return np.full(columns.shape[1], "", dtype=object)
    packed = np.ascontiguousarray(columns.T).view(np.dtype((np.void, columns.shape[0]))).ravel()
    distinct, place = np.unique(packed, return_inverse=True)
    patterns = distinct.view(np.int8).reshape(len(distinct), columns.shape[0])
    return np.array([told(pattern) for pattern in patterns], dtype=object)[place]
