"""Suggested targets to score against: as they would have been set before the year began."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from models.policy.targets import TargetPolicy
from training.progress import Progress, silent
from training.promote import champion_digest
from training.suggest import suggest_targets
from training.target_model import model_name

COLUMNS = ["unit", "indicator", "year", "floor", "target", "stretch", "p_target", "model_version"]
FORMAT = 1
"""Raised when the columns of kept tables change."""


def suggested_targets(
    snapshot: Snapshot,
    year: int,
    *,
    home: Path,
    policy: TargetPolicy,
    known_on: date | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Give the targets that would have been suggested for a year at the end of the year before.

    Nothing that became known later has a say. They are kept in the home for each data version, model and policy.

    Returns
    -------
    pd.DataFrame
        `unit, indicator, year, floor, target, stretch, p_target, model_version`.

    Raises
    ------
    LoadlineError
        Where too little was known by then, or `known_on`, the day by which figures are to be known, lies before.
    """
    calendar, about = snapshot.description.calendar, snapshot.about
    origin = calendar.first_of_year(year) - 1
    if not snapshot.span[0] <= origin <= snapshot.span[1]:
        raise LoadlineError(
            f"there are no figures as of {calendar.format(origin)} to suggest targets for {year} from",
            where="--suggested-targets",
            hint="Give the targets that were set with --targets.",
        )
    if known_on is not None and known_on < calendar.end(origin):
        raise LoadlineError(
            f"targets for {year} are suggested from what was known on {calendar.end(origin)}, after {known_on}",
            where="--known-on",
            hint="Choose a later day, or give the targets that were set with --targets.",
        )
    model = champion_digest(home, model_name(about.dataset)) or "none"
    levels = policy.levels
    parts = (about.fingerprint[:16], model[:16], about.version, year, levels.floor, levels.target, levels.stretch)
    kept = home / "suggestions" / f"{'-'.join(map(str, parts))}-at-year-start-{FORMAT}.parquet"
    if kept.is_file():
        return pd.read_parquet(kept)
    try:
        found = suggest_targets(
            snapshot, year, home=home, origin=origin, latest=False, policy=policy, progress=progress
        )
    except LoadlineError as error:
        raise LoadlineError(
            f"no targets for {year} could have been suggested at the end of {calendar.format(origin)}: {error.what}",
            where="--suggested-targets",
            hint="Give the targets that were set with --targets.",
        ) from error
    frame = found.frame[COLUMNS]
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(".partial")
    frame.to_parquet(unfinished, index=False)
    unfinished.replace(kept)
    return frame
