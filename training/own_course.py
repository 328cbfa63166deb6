"""Finding the model behind a suggestion, to break down what it makes of a unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from features.store import Snapshot
from models.explanation.own_course import Course
from models.levels import Level, horizon_periods, levels_of
from models.outcome.target import TargetModel
from training.suggest import SEED, Champion, fitting_champion
from training.target_model import level_seed, models_in


@dataclass(frozen=True, eq=False)
class Courses:
    """The levels of one indicator and the models that answer for them; each is made ready when it is first asked for.

    Attributes
    ----------
    levels : tuple of Level
    ready : Mapping
        Models of the champion, by key of the level; what is missing is fitted on the spot, as for the suggestions.
    """

    levels: tuple[Level, ...]
    ready: Mapping[str, Callable[[], TargetModel]]
    _made: dict[str, Course] = field(default_factory=dict)

    def of(self, unit: str) -> Course | None:
        """Give the course of the unit's level; None where it is added up from what is below, or there is none."""
        level = next((level for level in self.levels if unit in level.problem.units), None)
        if level is None or not level.learned:
            return None
        if level.key not in self._made:
            build = self.ready.get(level.key)
            model = TargetModel.fit(level.problem, seed=level_seed(level.key, SEED)) if build is None else build()
            self._made[level.key] = Course.of(level, model)
        return self._made[level.key]


def courses(
    snapshot: Snapshot,
    code: str,
    year: int,
    *,
    home: Path,
    origin: int,
    latest: bool,
    model: Champion = "recorded",
) -> Courses:
    """Set up an indicator's levels as `training.suggest` does.

    Parameters
    ----------
    snapshot : Snapshot
    code : str
        Of the indicator.
    year : int
        Asked about.
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    model : ModelBundle, optional
        The champion to ask; see `training.suggest.Champion`.

    Raises
    ------
    LoadlineError
        Where the year is over.
    """
    denominator = snapshot.indicators[code].denominator
    needed = [code] if denominator is None or denominator not in snapshot.indicators else [code, denominator]
    panel = snapshot.panel(origin, known_on=date.max if latest else None, indicators=needed)
    ahead = horizon_periods(panel, year, origin)
    serving = fitting_champion(snapshot, home=home, known_on=panel.known_on, ahead=ahead, model=model)
    ready = {} if serving is None else models_in(serving)
    return Courses(tuple(levels_of(panel, code, year=year, origin=origin)), ready)
