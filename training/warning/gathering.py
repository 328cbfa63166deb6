"""Everything that watching a dataset rests on, put together once: what was known, what was found, what was reviewed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from features.rollup import rolled_up
from features.snapshot import Snapshot
from features.vintages import vintages
from training.progress import Progress, silent
from training.review.labels import reviewed_labels
from training.warning.looking import Looked, look
from training.warning.material import Material, material


def gathered(
    snapshot: Snapshot, home: Path, last: int, *, known_on: date | None = None, progress: Progress = silent
) -> tuple[Looked, Material]:
    """Look at a dataset up to a period, and gather what the models learn and answer from.

    Parameters
    ----------
    snapshot : Snapshot
    home : Path
        Its record of reviews is read.
    last : int
        Last period (ordinal) asked about.
    known_on : date, optional
        Leave out what became known after this day, whatever the period.
    progress : Progress
    """
    cut = tuple(v.using(rolled_up) for v in vintages(snapshot, snapshot.span[0], last, known_on=known_on))
    looked = look(cut, progress=progress)
    reviewed = reviewed_labels(home, snapshot.about.dataset)
    return looked, material(snapshot, last, known_on=known_on, prior=looked.prior, reviewed=reviewed, stretches=cut)
