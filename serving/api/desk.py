"""What endpoints and pages ask the advisor for, in the form in which they answer."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

import pandas as pd
from fastapi import Request

from features.errors import LoadlineError
from features.indicators import Indicator
from serving.access.reach import reach, unknown_unit
from serving.audit.noting import note_dataset
from serving.directory import Directories, Directory, UnitEntry
from serving.errors import NotFoundError, NotReadyError
from serving.in_service import InService
from serving.narrowed import narrowed
from serving.readiness import readiness
from serving.registry_state import RegistryState
from serving.release import release

if TYPE_CHECKING:
    from serving.advisor import Advisor

READINESS_SECONDS = 5.0
"""Readiness is asked for often, and by anybody: an answer stands for this long."""


def entity_tag(*parts: object) -> str:
    """Give the ETag of an answer made from these versions by this release."""
    text = "\x1f".join(str(part) for part in (release(), *parts))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def finite(value: object) -> float | None:
    """Give a number as JSON can have it: None for NaN and infinity.

    >>> finite(float("nan")), finite(2)
    (None, 2.0)
    """
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class UnitTargets:
    """The suggestions for a unit in a year.

    Attributes
    ----------
    directory : Directory
        Of the data version.
    unit : UnitEntry
    year : int
    table : pd.DataFrame
        The advisor's columns, one row an indicator.
    """

    directory: Directory
    unit: UnitEntry
    year: int
    table: pd.DataFrame

    @property
    def known_on(self) -> date:
        """Give the last day on which any of the figures became known that the suggestions rest on."""
        return self.directory.snapshot.last_known


@dataclass(frozen=True)
class UnitPath:
    """The course of a unit so far and its path to the end of the year.

    Attributes
    ----------
    directory : Directory
    unit : UnitEntry
    indicator : Indicator
    past : list of (period, figure)
        None where there is no figure.
    table : pd.DataFrame
        `unit, indicator, period`, then the quantiles.
    """

    directory: Directory
    unit: UnitEntry
    indicator: Indicator
    past: list[tuple[str, float | None]]
    table: pd.DataFrame


class Desk:
    """Asks the advisor; one for an application.

    Every directory that it gives is as far as who asks may see: a unit beyond is not in it, and is answered like one
    that does not exist.

    Parameters
    ----------
    advisor : Advisor
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, advisor: Advisor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.advisor = advisor
        self.directories = Directories(advisor.snapshot)
        self.in_service = InService(advisor)
        self.registry = RegistryState(advisor.settings)
        advisor.watching.follow(self.in_service)
        self._clock = clock
        self._state: tuple[float, dict[str, str]] = (float("-inf"), {})
        self._year: tuple[tuple[str, int, str] | None, int] = (None, 0)
        self._asking, self._looking = Lock(), Lock()
        self._jobs: dict[tuple[object, ...], Future[pd.DataFrame]] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="path")

    def directory(self, dataset: str | None = None) -> Directory:
        """Give the directory of the last data version, or the last one of a dataset.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        LoadlineError
            Where there is no data at all.
        """
        try:
            found = narrowed(self.directories.open(dataset), reach())
            note_dataset(found.snapshot.about.dataset)
            return found
        except LoadlineError:
            known = {entry.dataset for entry in self.advisor.store.versions()}
            if not known or dataset is None or dataset in known:
                raise
            raise NotFoundError(f"there is no dataset {dataset!r}", hint="GET /api/v1/snapshots lists them.") from None

    def unit(self, directory: Directory, code: str) -> UnitEntry:
        """Look a unit up.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        if code not in directory.units:
            raise unknown_unit(code)
        return directory.units[code]

    def year(self, directory: Directory) -> int:
        """Give the year that targets are due for."""
        about = directory.snapshot.about
        key, year = self._year
        if key != (about.dataset, about.version, about.fingerprint):
            year = self.advisor.default_year(about.dataset)
            self._year = ((about.dataset, about.version, about.fingerprint), year)
        return year

    def has_model(self, directory: Directory) -> bool:
        """Tell whether a model was promoted for the dataset."""
        return self.in_service.promoted(directory.snapshot.about.dataset)

    def targets(self, code: str, *, year: int | None = None, dataset: str | None = None) -> UnitTargets:
        """Give the suggestions for a unit in the year that the model was trained for, the one after the last complete.

        Other years, and data without a model, would mean fitting for minutes while a caller waits; that is the command
        line's.

        Raises
        ------
        NotFoundError
            Where there is no such unit, no suggestion for it, none for that year, or no model.
        NotReadyError
            Where the first suggestions of all are not made yet, or no model can make them.
        """
        directory = self.directory(dataset)
        about = directory.snapshot.about
        unit = self.unit(directory, code)
        if not self.has_model(directory):
            self._check_year(year, self.year(directory))
            raise NotFoundError(f"there is no model for {about.dataset!r} yet", hint="Run `loadline train`.")
        served = self.in_service.suggested(about.dataset)
        if served is None:  # the record was there a moment ago
            raise NotReadyError(f"there is no model for {about.dataset!r}", hint="Run `loadline train`.")
        asked = served.mark.year
        self._check_year(year, asked)
        directory = narrowed(self.directories.of(served.snapshot), reach())
        try:
            table = served.of(code)
        except LoadlineError as error:
            raise NotFoundError(
                f"there is no suggestion for {code!r} in {asked}: {error.what}", hint=error.hint
            ) from error
        if table.empty or table["target"].isna().all():
            raise NotFoundError(
                f"there is no suggestion for {code!r} in {asked}",
                hint="Suggestions are made for units that have figures of the last years and have not ended.",
            )
        return UnitTargets(directory, directory.units.get(code, unit), asked, table)

    @staticmethod
    def _check_year(asked: int | None, served: int) -> None:
        if asked is not None and asked != served:
            raise NotFoundError(
                f"there is no suggestion for {asked}: suggestions are served for {served}",
                hint=f"Ask for {served}, or run `loadline targets --year {asked} --out FILE`.",
            )

    def path(self, code: str, indicator: str, *, dataset: str | None = None) -> UnitPath | None:
        """Give the path of a unit through the year on an indicator; None while it is being computed.

        The first to ask has it computed for all units, in the background and one indicator at a time.

        Raises
        ------
        NotFoundError
            Where there is no such unit or indicator, or nothing can be said of them.
        LoadlineError
            Where the computation failed, the next time it is asked for.
        """
        directory = self.directory(dataset)
        about = directory.snapshot.about
        unit = self.unit(directory, code)
        found = directory.snapshot.indicators.get(indicator)
        if found is None or not found.is_target:
            raise NotFoundError(
                f"there is no path for {indicator!r}",
                hint="GET /api/v1/indicators tells which indicators may have targets.",
            )
        planning, key = self.advisor.planning, (about.dataset, about.version, about.fingerprint, indicator)
        if not planning.has_path(indicator, dataset=about.dataset):
            with self._asking:
                job = self._jobs.get(key)
                if job is None:
                    self._jobs[key] = self._worker.submit(planning.path, indicator, dataset=about.dataset)
                    return None
                if not job.done():
                    return None
                del self._jobs[key]
            job.result()
        table = planning.path(indicator, dataset=about.dataset)
        mine = table[table["unit"] == code].reset_index(drop=True)
        if mine.empty:
            raise NotFoundError(
                f"there is no path for {code!r} on {indicator}",
                hint="Paths are made for units that have figures of the last periods and have not ended.",
            )
        return UnitPath(directory, unit, found, directory.course(code, indicator), mine)

    def readiness(self) -> dict[str, str]:
        """Tell the state of each component: `ok`, `degraded: ...` or `missing: ...`."""
        with self._looking:
            asked, state = self._state
            if self._clock() - asked >= READINESS_SECONDS:
                state = readiness(self.advisor, self.in_service, self.registry)
                self._state = (self._clock(), state)
        return state


async def desk_of(request: Request) -> Desk:
    """Give the desk of the application that is asked."""
    return request.app.state.desk
