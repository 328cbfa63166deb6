"""Who gains and who loses by a change: by region, peer group, business line, size and score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.units import MIN_PEERS
from models.judging.fairness import TERCILES, terciles
from training.simulation.compared import Compared
from training.simulation.grades import grade_moves

SMALLEST_GROUP = MIN_PEERS
"""Figures of groups of fewer units are not shown."""

DESCRIBED = ("region_type", "peer_group", "business_line", "level")
SUPPRESSED = f"fewer than {SMALLEST_GROUP} units"
FIGURES = ("gain", "lose", "unchanged", "mean_before", "mean_after", "mean_change", "grade_up", "grade_down")


def group_table(compared: Compared) -> pd.DataFrame:
    """Give one row a group.

    Returns
    -------
    pd.DataFrame
        `dimension` (`region_type`, `peer_group`, `business_line`, `level`, `size`, `score`), `group`, `units`,
        `scores` (units x periods), `gain, lose, unchanged`, the means, `grade_up, grade_down`, and `note` where the
        group is too small to be shown. Size and score before the change are cut into thirds within each period.
        Dimensions with a single group are left out.
    """
    rows = np.flatnonzero(compared.both)
    about = compared.about.iloc[rows].reset_index(drop=True)
    old, new, change = compared.old.tenths[rows], compared.new.tenths[rows], compared.difference[rows]
    moves = grade_moves(compared, rows)
    labels = {name: about[name].astype(str) for name in DESCRIBED}
    labels["size"] = _thirds(about["size"].to_numpy(dtype=float), about["period"])
    labels["score"] = _thirds(old.astype(float), about["period"])
    columns = {
        "gain": change > 0,
        "lose": change < 0,
        "unchanged": change == 0,
        "mean_before": old / 10,
        "mean_after": new / 10,
        "mean_change": change / 10,
        "grade_up": np.where(np.isnan(moves), np.nan, moves > 0),
        "grade_down": np.where(np.isnan(moves), np.nan, moves < 0),
    }
    figures = pd.DataFrame(columns).assign(unit=about["unit"])
    made = [_dimension(name, label, figures) for name, label in labels.items()]
    made = [part for part in made if len(part) > 1]
    empty = pd.DataFrame(columns=["dimension", "group", "units", "scores", *FIGURES, "note"])
    return pd.concat(made, ignore_index=True) if made else empty


def _dimension(name: str, label: pd.Series, figures: pd.DataFrame) -> pd.DataFrame:
    known = label.to_numpy() != ""
    grouped = figures[known].groupby(label.to_numpy()[known])
    counts = [grouped[c].sum().astype(float) for c in ("gain", "lose", "unchanged")]
    means = [grouped[c].mean().round(2) for c in ("mean_before", "mean_after", "mean_change")]
    moves = [grouped[c].sum(min_count=1) for c in ("grade_up", "grade_down")]
    table = pd.concat([grouped["unit"].nunique().rename("units"), grouped.size().rename("scores")], axis=1)
    table = table.join(pd.concat([*counts, *means, *moves], axis=1))
    small = table["units"] < SMALLEST_GROUP
    table.loc[small, ["scores", *FIGURES]] = np.nan
    table["note"] = np.where(small, SUPPRESSED, "")
    table = table.rename_axis("group").reset_index()
    if set(table["group"]) <= set(TERCILES):
        table = table.sort_values("group", key=lambda names: names.map(TERCILES.index), kind="stable")
    table.insert(0, "dimension", name)
    return table


def _thirds(values: np.ndarray, period: pd.Series) -> pd.Series:
    labels = np.full(len(values), "", dtype=object)
    for rows in period.groupby(period).indices.values():
        labels[rows] = terciles(values[rows])
    return pd.Series(labels)
