"""The registry's aliases follow the records: `champion` who serves, `challenger` the newest that might.

A registry out of reach changes nothing about who serves: its aliases follow later.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from training.promotion.candidates import candidates
from training.promotion.history import champion_digest, history
from training.promotion.standing import state_of
from training.promotion.verifying import models_on_record

if TYPE_CHECKING:
    from training.track import Tracker

CHAMPION, CHALLENGER = "champion", "challenger"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """Where the aliases of a model point in the registry.

    Attributes
    ----------
    model : str
    champion, challenger : int or None
        Numbers of the versions; None where there is none, or it is not registered.
    problem : str
        Why the aliases could not follow; "" where they did.
    """

    model: str
    champion: int | None
    challenger: int | None
    problem: str = ""


def sync_alias(home: str | Path, model_name: str, tracker: Tracker) -> int | None:
    """Let the registry's alias follow the record; gives the version, or None where the champion is not registered.

    The alias is set without a lock, since a registry can be slow: whoever sets it looks at the record again afterwards,
    so that after crossing promotions the last to set it sets it right.
    """
    while True:
        digest = champion_digest(home, model_name)
        if digest is None:
            return None
        number = tracker.point(model_name, CHAMPION, digest=digest)
        if champion_digest(home, model_name) == digest:
            return number


def sync_challenger(home: str | Path, model_name: str, tracker: Tracker) -> int | None:
    """Let the alias of the challenger name the newest candidate, or nothing once that one has served."""
    while True:
        digest = _challenger(home, model_name)
        number = None if digest is None else tracker.point(model_name, CHALLENGER, digest=digest)
        if number is None:
            _clear(model_name, CHALLENGER, tracker)
        if _challenger(home, model_name) == digest:
            return number


def sync_all(home: str | Path, tracker: Tracker) -> tuple[str, ...]:
    """Let the aliases of all models of a home follow; give a line for each that could not, and stop at none."""
    found = (synced(home, name, tracker) for name in models_on_record(home))
    return tuple(f"{followed.model}: {followed.problem}" for followed in found if followed.problem)


def synced(home: str | Path, model_name: str, tracker: Tracker) -> Followed:
    """Let the aliases of one model follow; what goes wrong is told, not raised."""
    try:
        first = sync_alias(home, model_name, tracker)
        second = sync_challenger(home, model_name, tracker)
        missing = first is None and champion_digest(home, model_name) is not None
    except LoadlineError as error:
        return Followed(model_name, None, None, f"the registry's alias was not moved: {error}")
    problem = "the champion is not in the registry; no alias was moved" if missing else ""
    return Followed(model_name, first, second, problem)


def follow(home: str | Path, model_name: str, tracker: Tracker | None) -> None:
    """Let the aliases follow a promotion, where there is a registry; what goes wrong is logged."""
    if tracker is None:
        return
    if problem := synced(home, model_name, tracker).problem:
        _log.warning("%s: %s", model_name, problem)


def _challenger(home: str | Path, model_name: str) -> str | None:
    offered = candidates(home, model_name)
    if not offered:
        return None
    newest = offered[-1].digest
    return newest if state_of(newest, history(home, model_name), offered) == "challenger" else None


def _clear(model_name: str, alias: str, tracker: Tracker) -> None:
    from mlflow.exceptions import MlflowException

    with tracker.explained():
        try:
            known = tracker.client.get_registered_model(model_name).aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return
            raise
        if alias in known:
            tracker.client.delete_registered_model_alias(model_name, alias)
