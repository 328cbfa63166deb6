"""What the checks of a warning model look at: its columns and probabilities year by year, outcomes, dispositions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.snapshot import Snapshot
from training.monitoring.standing import REPLAYED, SEED
from training.promote import history, kept_bundle
from training.review.labels import dispositions
from training.review.record import read_record
from training.warning.fitting import PRIOR, Fitted, fitted, from_bundle, model_name
from training.warning.labels import Labels
from training.warning.material import Material
from training.warning.schedule import training_origin

MOST_YEARS = 15
"""Years looked at, as for targets."""


@dataclass(frozen=True, eq=False)
class WarningWatch:
    """Everything that the checks of a warning model may use.

    Attributes
    ----------
    name, version : str
    model : Fitted or None
        None where there is none that learned anything; reviewers may have decided about alerts all the same.
    material : Material
        Up to the last period; nothing in it came later.
    labels : Labels
        Outcomes as known at the end of the last period.
    rows : np.ndarray
        (T,) rows of the material a year apart, the last one the newest.
    decided : pd.DataFrame
        `alert, decision, at, probability, listed, sampled`: decisions that stood at the end of the last period.
    """

    name: str
    version: str
    model: Fitted | None
    material: Material
    labels: Labels
    rows: np.ndarray
    decided: pd.DataFrame

    @property
    def fitted(self) -> Fitted:
        """Give the model where there is one."""
        assert self.model is not None
        return self.model

    @property
    def learned(self) -> np.ndarray:
        """Tell which of the rows (T,) the model had seen when it learned."""
        return self.rows + self.material.first <= self.fitted.origin

    @property
    def newer(self) -> bool:
        """Tell whether there are figures that the model has not learned from."""
        return self.material.last > self.fitted.origin

    @property
    def period(self) -> str:
        """Give the last period as the calendar writes it."""
        return self.material.snapshot.description.calendar.format(self.material.last)

    def yearly(self, name: str) -> np.ndarray:
        """Give a column (T, U) of the leaves that exist in each row."""
        source = self.material.prior if name == PRIOR else self.material.matrix.array(name)
        assert source is not None
        return np.where(self.material.leaves[self.rows], source[self.rows], np.nan).astype(np.float64)

    def probabilities(self) -> np.ndarray:
        """Give the model's probabilities (T, U) of the leaves that exist in each row."""
        asked = np.zeros(self.material.leaves.shape, dtype=bool)
        asked[self.rows] = self.material.leaves[self.rows]
        return self.fitted.of_rows(self.material, asked)[self.rows]

    def promised(self) -> np.ndarray:
        """Give the model's probabilities (P, U) of all that came after it learned and whose outcome is known."""
        asked = self.labels.known & self.material.leaves
        asked[: self.fitted.origin + 1 - self.material.first] = False
        return self.fitted.of_rows(self.material, asked)


def warning_watch(snapshot: Snapshot, material: Material, *, home: Path, origin: int, latest: bool) -> WarningWatch:
    """Gather what the checks of a warning model look at.

    Parameters
    ----------
    snapshot : Snapshot
    material : Material
        Up to `origin`.
    home : Path
    origin : int
        Last period (ordinal).
    latest : bool
        True for the champion of now; False for a look back: the last champion that had learned from earlier periods,
        and where there is none, a model fitted as it would have been a year before.

    Raises
    ------
    LoadlineError
        Where the record or a copy is damaged.
    """
    name = model_name(snapshot.about.dataset)
    found = _standing(snapshot, material, name, home=home, origin=origin, latest=latest)
    version, model = found if found is not None and found[1].model is not None else ("", None)
    per_year = snapshot.description.calendar.per_year
    rows = np.arange(material.last, material.first - 1, -per_year)[MOST_YEARS::-1] - material.first
    day = None if latest else snapshot.description.calendar.end(origin)
    decided = decisions(home, snapshot.about.dataset, day)
    return WarningWatch(name, version, model, material, material.labels_at(origin), rows, decided)


def decisions(home: Path, dataset: str, day: date | None) -> pd.DataFrame:
    """List the decisions that stood at the end of a day, with the probability that the reviewer was shown."""
    table = dispositions(home, dataset, as_of=day)
    cases = read_record(home, dataset).known_on(day).cases
    shown = [cases[key] for key in table["alert"]]
    return table.assign(
        probability=pd.Series([case.shown.probability for case in shown], dtype=float),
        listed=[not case.shown.sampled and case.chance is None for case in shown],
    )


def _standing(
    snapshot: Snapshot, material: Material, name: str, *, home: Path, origin: int, latest: bool
) -> tuple[str, Fitted] | None:
    calendar = snapshot.description.calendar
    for promotion in reversed(history(home, name)):
        bundle = kept_bundle(home, name, promotion.champion)
        model = from_bundle(bundle)
        at_hand = {*material.matrix.names, PRIOR}.issuperset(model.names)
        known_on = str(bundle.meta.get("known_on", "9999"))
        if latest:
            return (bundle.version, model) if at_hand else None
        if at_hand and model.origin < origin and known_on <= calendar.end(origin).isoformat():
            return bundle.version, model
    if latest:
        return None
    last = calendar.last_of_year(int(calendar.year(origin + 1)) - 1)
    before = training_origin(calendar, last - calendar.per_year, begin=material.first)
    if before < material.first:
        return None
    try:
        return REPLAYED, fitted(material, before, seed=SEED)
    except LoadlineError:
        return None
