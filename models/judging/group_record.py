"""The record of groups of units over past origins, as it is kept with a model: thirds by size, and peer groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.judging.fairness import SMALLEST_GROUP, terciles
from models.judging.metrics import mean_known
from models.outcome.problem import TargetProblem

SIZE, PEERS = "size", "peer_group"


@dataclass(frozen=True, eq=False)
class GroupedOrigin:
    """One past origin, unit by unit.

    Attributes
    ----------
    labels : Mapping
        By dimension, the group (U,) of each unit; blank where unknown.
    loss, baseline : np.ndarray
        (U,) pinball losses of the model and of pooled growth; NaN where there is no outcome.
    held : np.ndarray
        (U,) whether the outcome lay in the 80% band; NaN where unknown.
    """

    labels: Mapping[str, np.ndarray]
    loss: np.ndarray
    baseline: np.ndarray
    held: np.ndarray


def groups_at(past: TargetProblem, some: np.ndarray) -> dict[str, np.ndarray]:
    """Group some units (n,) of a problem by what was known at its origin; peer groups by their codes."""
    if past.weight is not None:
        size = past.weight[-1]
    elif past.size is not None:
        size = past.size
    else:
        amount = past.indicator.kind in ("flow", "stock")
        size = np.abs(past.base[-1]) if amount else np.full(len(past.units), np.nan)
    labels = {SIZE: terciles(size[some])}
    if past.peers is not None:
        labels[PEERS] = np.array([str(code) for code in past.peers[some]], dtype=object)
    return labels


def group_records(origins: Sequence[GroupedOrigin]) -> list[dict[str, Any]]:
    """Sum groups up over origins, which have one vote each.

    Returns
    -------
    list of dict
        Plain JSON, a row a group: `dimension`, `group`, `outcomes`, `loss_ratio` (geometric mean over origins of the
        group's loss over that of pooled growth) and `coverage`. Groups of fewer than five units are left out.
    """
    found: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for origin in origins:
        known = np.isfinite(origin.loss) & np.isfinite(origin.baseline)
        for dimension, labels in origin.labels.items():
            for label in dict.fromkeys(labels[known].tolist()):
                at = known & (labels == label)
                base = float(origin.baseline[at].mean())
                if label == "" or at.sum() < SMALLEST_GROUP or not base > 0:
                    continue
                figures = int(at.sum()), float(origin.loss[at].mean()) / base, mean_known(origin.held[at])
                found.setdefault((dimension, label), []).append(figures)
    rows = []
    for (dimension, label), each in sorted(found.items()):
        ratios = [ratio for _, ratio, _ in each]
        coverage = mean_known(np.array([held for *_, held in each]))
        rows.append(
            {
                "dimension": dimension,
                "group": label,
                "outcomes": sum(count for count, *_ in each),
                "loss_ratio": float(np.exp(np.mean(np.log(ratios)))) if min(ratios) > 0 else None,
                "coverage": coverage if np.isfinite(coverage) else None,
            }
        )
    return rows
