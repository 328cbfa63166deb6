"""The outlook: how the targets that were set stand, given the year to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.panel import Panel
from features.store import Snapshot
from models.in_year.outlook import GIVEN, SHOWN_QUANTILES, level_outlook, value_at_each
from models.levels import horizon_periods
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from training.progress import Progress, silent
from training.suggest import LOW, SuggestedLevel, year_distributions

NEEDED = ("unit", "indicator", "year", "target")
KEY = ["unit", "indicator", "year"]
VERSIONS = ("model_version", "policy_version", "data_version")
FIGURES = (
    *("to_date", "expected_by_now", "pace_ratio"),
    *(f"q{q:g}" for q in SHOWN_QUANTILES),
    *("p_attain", "p_floor", "p_stretch", "p_at_start"),
)
NO_TARGET = "none: no target is set"
NO_FIGURES = "none: the unit has no figures of this indicator"


def outlook(
    snapshot: Snapshot,
    targets: pd.DataFrame,
    *,
    home: Path,
    origin: int,
    latest: bool,
    policy: TargetPolicy = DEFAULT_POLICY,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Say how likely each target is attained, given what is in of the year.

    Parameters
    ----------
    snapshot : Snapshot
    targets : pd.DataFrame
        `unit, indicator, year, target`, and perhaps `floor`, `stretch` and `p_target`, the probability when the target
        was set; as `training.target_file.read_target_file` gives them. A row without a target gets none of the
        probabilities.
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    policy : TargetPolicy
    progress : Progress

    Returns
    -------
    pd.DataFrame
        A row for each target, in the order given: `unit, indicator, year, as_of, target, to_date, expected_by_now,
        pace_ratio, q0.1, q0.5, q0.9, p_attain`, then `p_floor`, `p_stretch`, `p_at_start` where given, then `evidence,
        model_version, policy_version, data_version`. A flow's figures to date are sums, an average's and a ratio's
        those of the year to date; of a figure at the year's end the latest one.

    Raises
    ------
    LoadlineError
        Where a column or every target is missing, a key is given twice, a unit or indicator is not in the data, or a
        year is over.
    """
    return stand(snapshot, targets, home=home, origin=origin, latest=latest, policy=policy, progress=progress).frame


@dataclass(frozen=True, eq=False)
class Standing:
    """How targets stand, and the distributions that say so.

    Attributes
    ----------
    frame : pd.DataFrame
        As `outlook` gives it, N rows.
    parts : tuple of SuggestedLevel
    places : tuple of np.ndarray
        For each part the row (U,) of each of its units, -1 where it has no target.
    """

    frame: pd.DataFrame
    parts: tuple[SuggestedLevel, ...]
    places: tuple[np.ndarray, ...]

    def attain(self, values: np.ndarray) -> np.ndarray:
        """Give the probability (N,) of attaining values (N,); NaN for rows without a distribution."""
        return self._each(values, lambda part, given: part.distribution.attain(given))

    def value_at(self, probability: np.ndarray) -> np.ndarray:
        """Give the value (N,) that is attained with a probability of each row's own (N,)."""
        return self._each(probability, lambda part, given: value_at_each(part.distribution, given))

    def _each(self, given: np.ndarray, answer: Callable[[SuggestedLevel, np.ndarray], np.ndarray]) -> np.ndarray:
        found = np.full(len(self.frame), np.nan)
        for part, rows in zip(self.parts, self.places, strict=True):
            asked = rows >= 0
            values = np.where(asked, given[rows], np.nan)
            found[rows[asked]] = answer(part, values)[asked]
        return found


def stand(
    snapshot: Snapshot,
    targets: pd.DataFrame,
    *,
    home: Path,
    origin: int,
    latest: bool,
    policy: TargetPolicy = DEFAULT_POLICY,
    progress: Progress = silent,
) -> Standing:
    """Find how targets stand, and keep the distributions; see `outlook`."""
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    _check(targets, panel)
    rows = targets.rename(columns={"p_target": "p_at_start"}).reset_index(drop=True)
    years = sorted({int(year) for year in rows["year"]})
    for year in years:
        horizon_periods(panel, year, origin)
    frames, parts, places = [], [], []
    row_of = pd.Series(np.arange(len(rows)), index=pd.MultiIndex.from_frame(rows[KEY]))
    for year in years:
        codes = [code for code in panel.codes if code in set(rows.loc[rows["year"] == year, "indicator"])]
        found = year_distributions(snapshot, panel, year, home=home, origin=origin, codes=codes, progress=progress)
        for part in found:
            units = [str(unit) for unit in part.level.problem.units]
            keys = pd.MultiIndex.from_arrays([units, [part.level.indicator.code] * len(units), [year] * len(units)])
            at = row_of.reindex(keys).fillna(-1).to_numpy(dtype=int)
            frames.append(_of_part(part, rows, at, begun=int(panel.calendar.year(origin)) == year))
            parts.append(part)
            places.append(at)
    frame = _joined(rows, frames).assign(
        as_of=panel.calendar.format(origin), policy_version=policy.version, data_version=snapshot.about.version
    )
    asked = [name for name in FIGURES if name in frame]
    return Standing(frame[[*KEY, "as_of", "target", *asked, "evidence", *VERSIONS]], tuple(parts), tuple(places))


def _joined(rows: pd.DataFrame, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put what was found beside the targets; what was not found is missing, and the evidence says why."""
    start = ["p_at_start"] if "p_at_start" in rows else []
    names = ["p_attain", *[f"p_{name}" for name in ("floor", "stretch") if name in rows]]
    columns = [name for name in FIGURES if name in names or not name.startswith("p_")]
    frame = rows[[*KEY, "target", *start]].copy()
    frame[columns] = np.nan
    frame["evidence"], frame["model_version"] = NO_FIGURES, ""
    for found in frames:
        for name in [*columns, "evidence", "model_version"]:
            frame.loc[found.index, name] = found[name]
    frame["evidence"] = frame["evidence"].where(frame["target"].notna(), NO_TARGET)
    return frame


def _of_part(part: SuggestedLevel, rows: pd.DataFrame, places: np.ndarray, *, begun: bool) -> pd.DataFrame:
    """Give the outlook of the targets of one level, by their rows."""
    given = {
        name: np.where(places >= 0, rows[name].to_numpy(dtype=float)[places], np.nan) for name in GIVEN if name in rows
    }
    frame = level_outlook(part.level, part.distribution, given, begun=begun)
    if part.low:
        told = frame["evidence"].str.startswith(("low", "none"))
        frame["evidence"] = frame["evidence"].where(told, LOW + frame["evidence"])
    frame.index = pd.Index(places)
    return frame[places >= 0].assign(model_version=part.model_version)


def _check(targets: pd.DataFrame, panel: Panel) -> None:
    """Refuse targets that cannot be looked at."""
    missing = [name for name in NEEDED if name not in targets]
    if missing:
        raise LoadlineError(
            f"the targets have no column {', '.join(map(repr, missing))}",
            where="targets",
            hint=f"Columns: {', '.join(NEEDED)}; floor, stretch and p_target where they are known.",
        )
    if not np.isfinite(targets["target"].to_numpy(dtype=float)).any():
        raise LoadlineError("no target is set", where="targets", hint="Fill in the column `target`.")
    again = targets[targets.duplicated(KEY)]
    if len(again):
        row = again.iloc[0]
        raise LoadlineError(
            f"the target of {row['unit']} for {row['indicator']} in {row['year']} is given twice",
            where="targets",
            hint="Keep one of the two.",
        )
    codes = {code for code in panel.codes if panel.indicator(code).is_target}
    for name, known in (("unit", set(panel.units)), ("indicator", codes)):
        unknown = sorted(set(targets[name]) - known)
        if unknown:
            what = "is no unit of the data" if name == "unit" else "is no indicator that may have targets"
            more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            raise LoadlineError(f"{unknown[0]!r} {what}{more}", where="targets", hint=f"Check the column `{name}`.")
