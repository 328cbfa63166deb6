"""The use cases of looking at suggested targets: those of a unit or of all, and how one comes about."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.store import Snapshot
from models.bundle import ModelBundle
from serving.suggested import SHOWN, Mark, Suggested
from serving.tables import write_table
from training.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from models.explanation.own_course import Against
    from serving.advisor import Advisor


class Suggesting:
    """What a manager looks at: suggestions as of the latest figures, made once and kept in the home.

    What is asked here waits until it is made, from the champion that the record names. A running service asks
    `serving.in_service` instead, which waits for nothing.

    Parameters
    ----------
    advisor : Advisor
        Whose data and models answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._last: Suggested | None = None

    def suggestion(self, unit: str, year: int | None = None, *, dataset: str | None = None) -> pd.DataFrame:
        """Give the suggestions for one unit.

        Raises
        ------
        LoadlineError
            Where there is no such unit.
        """
        snapshot = self._advisor.snapshot(dataset)
        snapshot.tree.number(unit)
        return self.suggested(snapshot, year).of(unit)

    def table(self, year: int, *, dataset: str | None = None, progress: Progress = silent) -> pd.DataFrame:
        """Give the suggestions of all units as of the latest figures, computed once for each data, model and policy.

        They are kept in the home, so that a service that starts has them at hand. Beside the promised columns they
        have the milestones that explain them.
        """
        return self.suggested(self._advisor.snapshot(dataset), year, progress=progress).table

    def explain_target(
        self,
        unit: str,
        indicator: str,
        *,
        against: Against | None = None,
        year: int | None = None,
        dataset: str | None = None,
    ) -> dict[str, Any]:
        """Tell how a suggested target comes about: steps from the last figure to the target, adding up exactly.

        The unit's own course is told part by part, against its peers' middle, its own last year or the group's middle.

        Parameters
        ----------
        unit, indicator : str
        against : {"peers", "last_year", "group"}, optional
            By default the peers; all units where they are too few; else the unit's own last year.
        year : int, optional
        dataset : str, optional

        Returns
        -------
        dict
            `unit, indicator, year, unit_of_measure, base_value, prediction, probability, drivers` (each `code`,
            `amount`, `text`), `text`, `evidence, model_version, policy_version, data_version`; and what
            `serving.explanation.with_course` adds.

        Raises
        ------
        LoadlineError
            Where there is no such unit, no suggestion for it on the indicator, or not what it is to be held against.
        """
        snapshot = self._advisor.snapshot(dataset)
        snapshot.tree.number(unit)
        return self.suggested(snapshot, year).explain(unit, indicator, against=against)

    def suggested(self, snapshot: Snapshot, year: int | None = None, *, progress: Progress = silent) -> Suggested:
        """Give the suggestions that the champion on record makes from a data version, made now where none are kept."""
        from training.promotion.copies import kept_bundle
        from training.promotion.history import champion_digest
        from training.target_model import model_name

        home, name = self._advisor.settings.home, model_name(snapshot.about.dataset)
        digest = champion_digest(home, name)
        mark = self.mark(snapshot, digest, year)

        def load() -> ModelBundle | None:
            return None if digest is None else kept_bundle(home, name, digest)

        if self._last is None or self._last.mark != mark:
            table = self.kept(mark)
            if table is None:
                table = self.make(snapshot, mark, load(), progress=progress)
            self._last = Suggested(mark, snapshot, table, home, load)
        return self._last

    def mark(self, snapshot: Snapshot, digest: str | None, year: int | None = None) -> Mark:
        """Tell what suggestions would be made now from a data version and a champion.

        Parameters
        ----------
        snapshot : Snapshot
        digest : str or None
            Of the champion.
        year : int, optional
            By default the one that targets are due for, the year after the last that is complete.
        """
        about, calendar = snapshot.about, snapshot.description.calendar
        year = int(calendar.year(snapshot.span[1] + 1)) if year is None else year
        policy = self._advisor.planning.target_policy(snapshot, year)
        rules = hashlib.sha256(repr(policy).encode()).hexdigest()[:SHOWN]
        return Mark(about.dataset, about.version, about.fingerprint, rules, year, digest)

    def kept(self, mark: Mark) -> pd.DataFrame | None:
        """Give the table kept in the home; None where there is none that can be read."""
        place = self._place(mark)
        try:
            return pd.read_parquet(place) if place.is_file() else None
        except (OSError, ValueError):  # damaged: it is made again
            return None

    def make(
        self, snapshot: Snapshot, mark: Mark, model: ModelBundle | None, *, progress: Progress = silent
    ) -> pd.DataFrame:
        """Make the table, and keep it unless the policy has changed since the mark was taken."""
        policy = self._advisor.planning.target_policy(snapshot, mark.year)
        found = self._advisor.planning.plan(
            mark.year, dataset=mark.dataset, snapshot=snapshot, policy=policy, model=model, progress=progress
        )
        now = self.mark(snapshot, mark.digest, mark.year)
        if now == mark:
            place = self._place(mark)
            place.parent.mkdir(parents=True, exist_ok=True)
            write_table(found.frame, place)
        return found.frame

    def _place(self, mark: Mark) -> Path:
        return self._advisor.settings.home / "suggestions" / mark.file_name
