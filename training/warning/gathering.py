"""Everything that watching a dataset rests on, put together once: what was known, what was found, what was reviewed."""

from __future__ import annotations

from datetime import date

import pandas as pd

from features.rollup import rolled_up
from features.snapshot import Snapshot
from features.vintages import vintages
from training.progress import Progress, silent
from training.warning.looking import Looked, look
from training.warning.material import Material, material


def gathered(
    snapshot: Snapshot,
    last: int,
    *,
    reviewed: pd.DataFrame | None = None,
    known_on: date | None = None,
    progress: Progress = silent,
) -> tuple[Looked, Material]:
    """Look at a dataset up to a period, and gather what the models learn and answer from.

    Parameters
    ----------
    snapshot : Snapshot
    last : int
        Last period (ordinal) asked about.
    reviewed : pd.DataFrame, optional
        What reviewers found; see `training.review.labels.reviewed_labels`.
    known_on : date, optional
        Leave out what became known after this day, whatever the period.
    progress : Progress
    """
    cut = tuple(v.using(rolled_up) for v in vintages(snapshot, snapshot.span[0], last, known_on=known_on))
    cut = (*cut[:-1], cut[-1].held())  # looking and learning both want the newest
    looked = look(cut, progress=progress)
    return looked, material(snapshot, last, known_on=known_on, prior=looked.prior, reviewed=reviewed, stretches=cut)
