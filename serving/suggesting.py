"""The use cases of looking at suggested targets: those of a unit or of all, and how one comes about."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from serving.explanation import with_course
from serving.tables import write_table
from training.progress import Progress, silent

if TYPE_CHECKING:
    from models.explanation.own_course import Against
    from serving.advisor import Advisor
    from training.own_course import Courses

TABLE_FORMAT = 2
"""Raised when the columns of kept tables change."""
COURSES_KEPT = 8
"""Indicators whose levels are kept ready for explanations: some 10 MB each for 10,000 units."""


class Suggesting:
    """What a manager looks at: suggestions as of the latest figures, made once and kept in the home.

    Parameters
    ----------
    advisor : Advisor
        Whose data and models answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._cache: dict[tuple[Any, ...], pd.DataFrame] = {}
        self._courses: dict[tuple[Any, ...], Courses] = {}

    def suggestion(self, unit: str, year: int | None = None, *, dataset: str | None = None) -> pd.DataFrame:
        """Give the suggestions for one unit, from a table kept while data and model stay the same.

        Raises
        ------
        LoadlineError
            Where there is no such unit.
        """
        snapshot = self._advisor.snapshot(dataset)
        snapshot.tree.number(unit)
        asked = self._advisor.default_year(snapshot.about.dataset) if year is None else year
        table = self.table(asked, dataset=snapshot.about.dataset)
        return table[table["unit"] == unit].reset_index(drop=True)

    def table(self, year: int, *, dataset: str | None = None, progress: Progress = silent) -> pd.DataFrame:
        """Give the suggestions of all units as of the latest figures, computed once for each data, model and policy.

        They are kept in the home, so that a service that starts has them at hand. Beside the promised columns they
        have the milestones that explain them.
        """
        from training.promote import champion_digest
        from training.retrain import model_name

        snapshot = self._advisor.snapshot(dataset)
        about = snapshot.about
        model = champion_digest(self._advisor.settings.home, model_name(about.dataset)) or "none"
        rules = hashlib.sha256(repr(self._advisor.planning.target_policy(snapshot, year)).encode()).hexdigest()[:16]
        key = (about.fingerprint[:16], model[:16], about.version, rules, year, TABLE_FORMAT)
        if key not in self._cache:
            kept = self._advisor.settings.home / "suggestions" / f"{'-'.join(map(str, key))}.parquet"
            if kept.is_file():
                frame = pd.read_parquet(kept)
            else:
                frame = self._advisor.planning.plan(year, dataset=about.dataset, progress=progress).frame
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_table(frame, kept)
            self._cache = {k: v for k, v in self._cache.items() if k[:3] == key[:3]} | {key: frame}
        return self._cache[key]

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
        rows = self.suggestion(unit, year, dataset=snapshot.about.dataset)
        rows = rows[(rows["indicator"] == indicator) & rows["target"].notna()]
        if rows.empty:
            raise LoadlineError(
                f"there is no suggested target for {unit} on {indicator}",
                where="--indicator",
                hint="`loadline targets --year YEAR` lists what there is, and why some have none.",
            )
        row = dict(rows.iloc[0])
        course = self._indicator_courses(snapshot, indicator, int(row["year"])).of(unit)
        return with_course(row, snapshot.indicators[indicator], course, against)

    def _indicator_courses(self, snapshot: Snapshot, indicator: str, year: int) -> Courses:
        from training.own_course import courses
        from training.promote import champion_digest
        from training.retrain import model_name

        home, about = self._advisor.settings.home, snapshot.about
        model = champion_digest(home, model_name(about.dataset))
        key = (about.fingerprint, about.version, model, year, indicator)
        if key not in self._courses:
            origin = self._advisor.origin(snapshot, None)
            made = courses(snapshot, indicator, year, home=home, origin=origin, latest=True)
            kept = list(self._courses.items())[-(COURSES_KEPT - 1) :]
            self._courses = dict(kept) | {key: made}
        return self._courses[key]
