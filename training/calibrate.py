"""The quarterly calibration of the targets of a year: reads how they stand, and proposes within the policy's limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches, TableError
from features.errors import LoadlineError
from features.reading import frame_of, read_table, require_table
from features.store import Snapshot
from features.units import UnitTree
from models.in_year.quarterly import CalibrationProposal, propose_calibration
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from training.outlook import stand
from training.progress import Progress, silent

RELIEF_COLUMNS = ["unit", "indicator"]


def calibrate(
    snapshot: Snapshot,
    targets: pd.DataFrame,
    *,
    home: Path,
    origin: int,
    latest: bool,
    policy: TargetPolicy = DEFAULT_POLICY,
    relief: pd.DataFrame | None = None,
    relief_only: bool = False,
    keep_total: bool = False,
    progress: Progress = silent,
) -> CalibrationProposal:
    """Propose which of the targets to move, given the year to date; see `models.in_year.quarterly.propose_calibration`.

    Parameters
    ----------
    snapshot : Snapshot
    targets : pd.DataFrame
        As for `training.outlook.outlook`, all of one year. Where a row has no `p_target`, it was promised what the
        policy's level of targets says.
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) that may be used; inside the year.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    policy : TargetPolicy
    relief : pd.DataFrame, optional
        `unit, indicator` of approved relief for outside causes; it covers the units below.
    relief_only : bool
        True to ease no target without relief.
    keep_total : bool
        True to let the moves of amounts under one parent and indicator add up to zero, exactly.
    progress : Progress

    Raises
    ------
    LoadlineError
        As `training.outlook.outlook` does, and where the year has not begun.
    """
    standing = stand(snapshot, targets, home=home, origin=origin, latest=latest, policy=policy, progress=progress)
    calendar = snapshot.description.calendar
    coming = [int(year) for year in standing.frame["year"] if year > calendar.year(origin)]
    if coming:
        raise LoadlineError(
            f"the year {coming[0]} has not begun by {calendar.format(origin)}",
            where="year",
            hint="Targets of a coming year are set with `loadline targets`; use a later --as-of to calibrate.",
        )
    given = standing.frame["p_at_start"].to_numpy(dtype=float) if "p_at_start" in standing.frame else np.nan
    promised = np.where(np.isfinite(given), given, policy.levels.target) * np.ones(len(standing.frame))
    tree = snapshot.tree
    above = tree.parents(origin)
    parents = {str(tree.codes[unit]): str(tree.codes[above[unit]]) for unit in np.flatnonzero(above >= 0).tolist()}
    return propose_calibration(
        standing.frame,
        promised=promised,
        restoring=standing.value_at(promised),
        attain=standing.attain,
        indicators={code: snapshot.indicators[code] for code in snapshot.indicators},
        parents=parents,
        policy=policy,
        relieved=None if relief is None else _relieved(standing.frame, relief, tree, origin),
        relief_only=relief_only,
        keep_total=keep_total,
    )


def read_relief_file(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read approved relief: `unit, indicator`; it covers the units below the one named.

    Raises
    ------
    LoadlineError
        With every problem of the file.
    """
    require_table(path, ", ".join(RELIEF_COLUMNS))
    breaches = Breaches()
    rows = frame_of(read_table(path, required=RELIEF_COLUMNS, optional=[], breaches=breaches))
    breaches.raise_if_any(str(path), error=TableError)
    if rows.empty:
        return pd.DataFrame(columns=RELIEF_COLUMNS)
    known = {"unit": set(snapshot.tree.codes), "indicator": set(snapshot.indicators)}
    for name, expected in (("unit", "a unit of the data"), ("indicator", "an indicator of the data")):
        wrong = rows[~rows[name].isin(known[name])]
        breaches.add_rows(path.name, wrong.index.to_numpy(), name, wrong[name].iloc.__getitem__, expected=expected)
    breaches.raise_if_any(str(path), error=TableError)
    return rows[RELIEF_COLUMNS].reset_index(drop=True)


def _relieved(frame: pd.DataFrame, relief: pd.DataFrame, tree: UnitTree, origin: int) -> np.ndarray:
    """Tell which rows (N,) relief was approved for, to the unit itself or to one above it."""
    number = np.array([tree.number(str(unit)) for unit in frame["unit"]], dtype=int)
    found = np.zeros(len(frame), dtype=bool)
    for unit, code in zip(relief["unit"], relief["indicator"], strict=True):
        found |= tree.subtree(str(unit), origin)[number] & (frame["indicator"] == code).to_numpy()
    return found
