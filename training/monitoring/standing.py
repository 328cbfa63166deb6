"""The target model that is watched: the champion, or for a look back the one that could have served then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.errors import LoadlineError
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from models.levels import LEAVES, levels_of, target_codes
from models.outcome.target import TargetModel
from training.progress import Progress, silent
from training.promote import history, kept_bundle
from training.target_model import fit_level, level_tasks, model_name, models_in

REPLAYED = "replayed"
"""Version of a model that is fitted for a look back, as it would have been trained a year before."""
SEED = 20240101


@dataclass(frozen=True, eq=False)
class StandingModel:
    """A target model as it stood.

    Attributes
    ----------
    name, version : str
    as_of : int
        Last period (ordinal) that it learned from.
    known_on : date
        Last day whose figures it may know.
    horizon : int
        Periods from its origin to the end of the year that it foretells.
    models : Mapping
        By key of the level, each put together when it is asked for.
    """

    name: str
    version: str
    as_of: int
    known_on: date
    horizon: int
    models: Mapping[str, Callable[[], TargetModel]]

    @property
    def replayed(self) -> bool:
        """Tell whether it was fitted for this look."""
        return self.version == REPLAYED


def standing_model(
    snapshot: Snapshot, home: Path, *, origin: int, latest: bool, progress: Progress = silent
) -> StandingModel | None:
    """Give the model to watch as of a period; None where there is none.

    Parameters
    ----------
    snapshot : Snapshot
    home : Path
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True for the champion of now; False for a look back: the last champion that had learned from earlier periods and
        knew nothing of later days, and where there is none, a model fitted as it would have been a year before.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the record or a copy is damaged.
    """
    calendar, name = snapshot.description.calendar, model_name(snapshot.about.dataset)
    record = history(home, name)
    for promotion in reversed(record):
        found = _of_bundle(snapshot, name, kept_bundle(home, name, promotion.champion))
        if latest:
            return found
        if found is not None and found.as_of < origin and found.known_on <= calendar.end(origin):
            return found
    return None if latest else _replayed(snapshot, name, origin, progress)


def _of_bundle(snapshot: Snapshot, name: str, bundle: ModelBundle) -> StandingModel | None:
    """Read what a bundle says of itself; None where it does not say up to when it learned."""
    meta = bundle.meta
    if not all(field in meta for field in ("as_of", "known_on", "horizon")):
        return None
    try:
        as_of = snapshot.description.calendar.parse(meta["as_of"])
    except LoadlineError:  # of a dataset of another frequency
        return None
    known_on = date.fromisoformat(meta["known_on"])
    return StandingModel(name, bundle.version, as_of, known_on, int(meta["horizon"]), models_in(bundle))


def _replayed(snapshot: Snapshot, name: str, origin: int, progress: Progress) -> StandingModel | None:
    """Fit the leaves' models as of the end of the year before the last that is over."""
    calendar = snapshot.description.calendar
    year = int(calendar.year(origin + 1)) - 1
    as_of = calendar.last_of_year(year) - calendar.per_year
    if as_of <= snapshot.span[0]:
        return None
    panel = snapshot.panel(as_of)
    levels = []
    codes = target_codes(panel)
    for number, code in enumerate(codes):
        progress("replaying", number, len(codes))
        found = levels_of(panel, code, year=year, origin=as_of)
        levels += [level for level in found if level.name == LEAVES and level.learned]
    fitted = dict(fit_level(task) for task in level_tasks(levels, seed=SEED))
    progress("replaying", len(codes), len(codes))
    models = {key: (lambda model=model: model) for key, model in fitted.items()}
    return StandingModel(name, REPLAYED, as_of, calendar.end(as_of), calendar.per_year, models)
