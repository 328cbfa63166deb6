"""The use cases of warning: who is to be reviewed, now or in past periods, and why."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from features.errors import LoadlineError
from features.store import Snapshot
from training.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from models.bundle import ModelBundle
    from serving.advisor import Advisor
    from serving.in_service import InService
    from training.review.facts import AlertFacts
    from training.warning.looking import Looked
    from training.warning.material import Material
    from training.warning.watch import Asked, Watch

KEPT = 2
"""Watches kept ready: the newest period's, and one that somebody looks back at. Each holds the whole panel."""


Result = TypeVar("Result")


class Kept(Generic[Result]):
    """The results asked for last, by key; safe to use from several threads.

    Parameters
    ----------
    most : int
        Results kept; one more drives out what was not asked for the longest.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Result] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._results)

    def keys(self) -> list[Any]:
        """List the keys of what is kept."""
        with self._lock:
            return list(self._results)

    def get(self, key: Hashable) -> Result | None:
        """Give a result, if it is kept."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: Hashable, result: Result) -> None:
        """Keep a result."""
        with self._lock:
            self._results[key] = result
            while len(self._results) > self._most:
                self._results.popitem(last=False)


class Watching:
    """What risk teams ask for.

    Parameters
    ----------
    advisor : Advisor
        Whose data and models answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._kept: Kept[Watch] = Kept(KEPT)
        self._found: Kept[tuple[Looked, Material]] = Kept(KEPT)
        self._computing = Lock()
        self._in_service: InService | None = None

    def follow(self, models: InService) -> None:
        """Ask the model in service from now on, instead of the one that the record names at the moment."""
        self._in_service = models

    def prepare(self, model: ModelBundle, *, dataset: str) -> None:
        """Rank the newest list by a model that is to be put in service; only where anybody has looked at it."""
        snapshot = self._advisor.snapshot(dataset)
        if any(snapshot.about.fingerprint == key[0] for key in self._found.keys()):  # noqa: SIM118 - no dictionary
            self._watched(snapshot, self._asked(snapshot, as_of=None, first=None, last=None, whole=False), model)

    def watch(
        self,
        *,
        as_of: str | None = None,
        first: str | None = None,
        last: str | None = None,
        whole: bool = False,
        dataset: str | None = None,
        progress: Progress = silent,
    ) -> Watch:
        """Watch a network: find, rank, and gather into alerts.

        Parameters
        ----------
        as_of : str, optional
            Use only what was known at the end of this period; by default each period is judged as of its own end.
        first, last : str, optional
            The periods to look at; by default the newest, or that of `as_of`.
        whole : bool
            Look at all periods where none is named.
        dataset : str, optional
        progress : Progress

        Raises
        ------
        LoadlineError
            Where the periods are not those of the data.
        """
        snapshot = self._advisor.snapshot(dataset)
        asked = self._asked(snapshot, as_of=as_of, first=first, last=last, whole=whole)
        return self._watched(snapshot, asked, self._champion(snapshot), progress)

    def _watched(
        self, snapshot: Snapshot, asked: Asked, model: ModelBundle | None, progress: Progress = silent
    ) -> Watch:
        from training.warning.watch import ranked

        home, decided = self._advisor.settings.home, self._dispositions(snapshot, asked)
        digest = None if model is None else model.digest
        key = (snapshot.about.fingerprint, asked, digest, decided.to_json(date_format="iso"))
        found = self._kept.get(key)
        if found is not None:  # what is ready does not wait for what is being computed
            return found
        with self._computing:
            found = self._kept.get(key)
            if found is None:
                looked, known = self._gathered(snapshot, asked, progress)
                found = ranked(looked, known, asked, home=home, dispositions=decided, model=model, progress=progress)
                self._kept.put(key, found)
            return found

    def facts(self, alert: str, *, dataset: str | None = None) -> AlertFacts:
        """Give what the evidence pack of an alert shows.

        Raises
        ------
        LoadlineError
            Where there is no such alert.
        """
        from serving.alert_explanation import alert_facts

        return alert_facts(self._advisor, alert, dataset=dataset)

    def _gathered(self, snapshot: Snapshot, asked: Asked, progress: Progress) -> tuple[Looked, Material]:
        """Give what was found and known; it stays the same when somebody decides about an alert of the last period."""
        from training.review.labels import reviewed_labels
        from training.warning.gathering import gathered

        about = snapshot.about
        reviewed = reviewed_labels(self._advisor.settings.home, about.dataset)
        if not asked.hindsight:
            day = snapshot.description.calendar.end(asked.last).isoformat()
            reviewed = reviewed[reviewed["known_on"].astype(str) <= day]
        key = (about.fingerprint, asked.last, reviewed.to_json(date_format="iso"))
        found = self._found.get(key)
        if found is None:
            found = gathered(snapshot, asked.last, reviewed=reviewed, progress=progress)
            self._found.put(key, found)
        return found

    def _asked(
        self, snapshot: Snapshot, *, as_of: str | None, first: str | None, last: str | None, whole: bool
    ) -> Asked:
        from models.triage.discovery import REVIEW_BUDGET
        from training.warning.watch import Asked

        origin = self._advisor.origin
        known_to = None if as_of is None else origin(snapshot, as_of)
        end = origin(snapshot, last if last is not None else as_of)
        begin = end
        if first is not None:
            begin = origin(snapshot, first)
        elif whole and last is None and as_of is None:
            begin = snapshot.span[0]
        if begin > end:
            hint = "Give --from before --to; --to is the newest period where it is left out."
            raise LoadlineError(f"{first} comes after the last period asked about", where="--from", hint=hint)
        if known_to is not None and end > known_to:
            hint = "Ask for periods up to --as-of."
            raise LoadlineError("what came later is not known as of that period", where="--to", hint=hint)
        policy = self._policy(snapshot, end)
        return Asked(
            begin,
            end,
            hindsight=end > begin and self._undated(snapshot),
            known_by=date.max if known_to is None else snapshot.description.calendar.end(known_to),
            policy_version=policy[0],
            budget=REVIEW_BUDGET if policy[1] is None else policy[1],
        )

    def _policy(self, snapshot: Snapshot, period: int) -> tuple[str, float | None]:
        """Give the label of the policy in force at a period's end, and its budget for reviews, if it has one."""
        from training.policies import found_policy

        found = found_policy(snapshot, self._advisor.settings.home, day=snapshot.description.calendar.end(period))
        return ("", None) if found is None else (found[0].label, float(found[0].alert_budget))

    @staticmethod
    def _undated(snapshot: Snapshot) -> bool:
        """Tell whether outcomes are given without the days on which they became known."""
        outcomes = snapshot.outcomes
        return len(outcomes) > 0 and not outcomes["known_on"].fillna("").astype(str).str.strip().astype(bool).any()

    def _champion(self, snapshot: Snapshot) -> ModelBundle | None:
        """Give the model to ask: the one in service, or the one that the record names, where it is sound."""
        from training.warning.champion import sound_champion

        dataset = snapshot.about.dataset
        if self._in_service is not None:
            return self._in_service.warning_model(dataset)
        return sound_champion(self._advisor.settings.home, dataset)

    def _dispositions(self, snapshot: Snapshot, asked: Asked) -> pd.DataFrame:
        """Give the decisions on alerts that stood at the end of the last period; those of today for the newest."""
        from training.review.labels import dispositions

        newest = asked.last == snapshot.span[1]
        day = None if newest else snapshot.description.calendar.end(asked.last)
        return dispositions(self._advisor.settings.home, snapshot.about.dataset, as_of=day)
