"""Tells the small processes what they may answer: what the whole application itself answers from at the moment."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.asked_model import answers, titles_of
from serving.hot.notice import Notice, State, TargetsNotice, WarningNotice, read_notice, states, write_notice
from serving.hot.sheet import FOLDER, SUFFIX
from serving.kept_sheets import kept_sheet
from serving.release import release
from serving.suggested import Mark
from training.promotion.copies import MODELS
from training.promotion.history import RECORD as PROMOTIONS

if TYPE_CHECKING:
    from serving.advisor import Advisor

TARGETS, WARNINGS = "targets", "warnings"
VERSIONS_LOG = "versions/_delta_log"
"""Below the store: gets a file with every data version."""

log = logging.getLogger("loadline.serving")


class Publishing:
    """Keeps the notice in the home; for one thread.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor, self._home = advisor, advisor.settings.home
        self._last: Notice | None = None
        self._before: set[str] = set()
        self._told: dict[tuple[str, str], tuple[Any, dict[str, State]]] = {}

    def before(self, dataset: str, model: str) -> dict[str, State]:
        """Give the state of all that an answer rests on; to be asked for before that is read."""
        from training.policy_record import RECORD, dataset_folder

        policy = dataset_folder(self._home, dataset) / RECORD
        paths = [*self._store(), f"{MODELS}/{model}/{PROMOTIONS}", str(policy.relative_to(self._home))]
        return states(self._home, paths)

    def tell(self, kind: str, model: str, served: Any, rests_on: dict[str, State]) -> None:
        """Tell what answers now, if that is anything new."""
        dataset = served.mark.dataset
        before = self._told.get((kind, dataset))
        if before is not None and before[0] is served and before[1] == rests_on:
            return
        one: TargetsNotice | WarningNotice | None
        if kind == TARGETS:
            one = self._targets(served.mark, rests_on)
        else:
            one = self._warnings(dataset, model, served.model, rests_on)
        try:
            self._write(kind, dataset, one)
            self._told[kind, dataset] = (served, rests_on)
        except (OSError, LoadlineError) as error:
            log.error("the small processes cannot be told what answers: %s", type(error).__name__)

    def _targets(self, mark: Mark, rests_on: dict[str, State]) -> TargetsNotice | None:
        sheet = kept_sheet(self._home, mark)
        return None if sheet is None else TargetsNotice(sheet.path.name, sheet.digest, rests_on)

    def _warnings(
        self, dataset: str, model: str, bundle: ModelBundle, rests_on: dict[str, State]
    ) -> WarningNotice | None:
        if not answers(bundle):
            return None
        from models.alert_story.drivers import driver_players

        players = driver_players(bundle.meta["fitted"]["model"]["names"])
        titles = titles_of(players.names, self._advisor.snapshot(dataset).indicators)
        return WarningNotice(model, bundle.digest, players.names, players.of_feature, titles, rests_on)

    def _write(self, kind: str, dataset: str, one: TargetsNotice | WarningNotice | None) -> None:
        store = states(self._home, self._store())
        newest = self._advisor.store.versions()[-1].dataset
        last = self._last or self._kept() or Notice(release(), store, newest, {}, {})
        told: dict[str, Any] = {TARGETS: dict(last.targets), WARNINGS: dict(last.warnings)}
        told[kind].pop(dataset, None)
        if one is not None:
            told[kind][dataset] = one
        now = Notice(release(), store, newest, told[TARGETS], told[WARNINGS])
        if now != self._last:
            write_notice(self._home, now)
            self._last = now
            self._clear({entry.file for entry in now.targets.values()})

    def _kept(self) -> Notice | None:
        with suppress(LoadlineError):
            found = read_notice(self._home)
            if found is not None and found.release == release():
                return found
        return None

    def _store(self) -> list[str]:
        """Name what changes with the data; nothing where the store is on another machine."""
        location = self._advisor.settings.store_location
        if "://" in location:
            return []
        place = Path(location).resolve()
        home = self._home.resolve()
        return [str((place.relative_to(home) if place.is_relative_to(home) else place) / VERSIONS_LOG)]

    def _clear(self, used: set[str]) -> None:
        """Delete the sheets that nobody was told of lately; whoever has one open reads on."""
        for place in (self._home / FOLDER).glob(f"*{SUFFIX}"):
            if place.name not in used | self._before:
                place.unlink(missing_ok=True)
        self._before = used
