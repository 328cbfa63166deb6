"""What a small process answers from at the moment: taken up from the notice in the background, swapped whole."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.hot.notice import (
    Notice,
    TargetsNotice,
    Title,
    WarningNotice,
    as_they_were,
    place_of,
    read_notice,
    state_of,
)
from serving.hot.sheet import FOLDER, Sheet
from training.promotion.copies import copy_folder

if TYPE_CHECKING:
    from serving.hot.scorer import Scorer

LOOK_SECONDS = 0.25
"""Between looks at some ten files, which take a tenth of a millisecond: a change must be seen within a second."""

log = logging.getLogger("loadline.serving")


@dataclass(frozen=True, eq=False)
class Asked:
    """A warning model that can be asked.

    Attributes
    ----------
    dataset : str
    scorer : Scorer
    titles : tuple of Title
        Of its drivers.
    """

    dataset: str
    scorer: Scorer
    titles: tuple[Title, ...]


@dataclass(frozen=True, eq=False)
class Served:
    """What answers, wholly from one notice; datasets that are missing here are left to the whole application."""

    dataset: str = ""
    sheets: Mapping[str, Sheet] = field(default_factory=dict)
    models: Mapping[str, Asked] = field(default_factory=dict)


class Watch:
    """Follows the notice; `now` is replaced in one assignment.

    Parameters
    ----------
    home : Path
    release : str
        Of this program: what another one wrote is not used.

    Attributes
    ----------
    now : Served
    """

    def __init__(self, home: Path, *, release: str) -> None:
        self.now = Served()
        self._home, self._release = home, release
        self._notice: Notice | None = None
        self._seen: object = None
        self._trouble = ""
        self._sheets: dict[str, Sheet] = {}
        self._models: dict[tuple[str, str], tuple[WarningNotice, Asked]] = {}
        self._refused: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look now, and from now on in the background."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="notice", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Take up what the notice says; what cannot be read leaves the last good one in place."""
        state = state_of(place_of(self._home))
        if state != self._seen:
            try:
                found = read_notice(self._home)
            except LoadlineError as error:
                self._tell(error.what)
            else:
                self._notice = None if found is None or found.release != self._release else found
                self._refused.clear()
            self._seen = state
        now = self._taken_up(self._notice)
        if now.dataset != self.now.dataset or now.sheets != self.now.sheets or now.models != self.now.models:
            self.now = now

    def leave(self, sheet: Sheet) -> None:
        """Answer no more from a sheet that has turned out to be damaged; its copies in memory are let go."""
        self._refused.add(sheet.digest)
        self._sheets.pop(sheet.digest, None)
        now = self.now
        kept = {name: one for name, one in now.sheets.items() if one is not sheet}
        self.now = Served(now.dataset, kept, now.models)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # the thread must outlive what nobody expected
                log.exception("the notice could not be looked at")

    def _taken_up(self, notice: Notice | None) -> Served:
        if notice is None or not as_they_were(self._home, notice.store):
            return Served()
        sheets = {}
        for dataset, one in notice.targets.items():
            sheet = self._sheet(one) if as_they_were(self._home, one.rests_on) else None
            if sheet is not None and sheet.index.dataset == dataset and sheet.index.release == self._release:
                sheets[dataset] = sheet
        models = {}
        for dataset, about in notice.warnings.items():
            asked = self._model(dataset, about) if as_they_were(self._home, about.rests_on) else None
            if asked is not None:
                models[dataset] = asked
        self._sheets = {sheet.digest: sheet for sheet in sheets.values()} | {
            sheet.digest: sheet for sheet in self.now.sheets.values()
        }
        return Served(notice.dataset, sheets, models)

    def _sheet(self, one: TargetsNotice) -> Sheet | None:
        if one.digest in self._refused or Path(one.file).name != one.file:
            return None
        found = self._sheets.get(one.digest)
        if found is None:
            try:
                found = self._sheets[one.digest] = Sheet(self._home / FOLDER / one.file, one.digest)
            except (LoadlineError, OSError) as error:
                self._refused.add(one.digest)
                self._tell(error.what if isinstance(error, LoadlineError) else "a sheet cannot be read")
        return found

    def _model(self, dataset: str, about: WarningNotice) -> Asked | None:
        """Load a model, verified once more: what was tried out is known by its digest."""
        key = (dataset, about.digest)
        if about.digest in self._refused:
            return None
        known = self._models.get(key)
        if known is not None and (known[0].codes, known[0].titles) == (about.codes, about.titles):
            return known[1]
        from serving.hot.scorer import Drivers, Scorer

        try:
            bundle = ModelBundle.load(copy_folder(self._home, about.model, about.digest), expected=about.digest)
            scorer = Scorer(bundle, Drivers(about.codes, about.of_feature))
        except (LoadlineError, ValueError, KeyError, OSError) as error:
            self._refused.add(about.digest)
            self._tell(error.what if isinstance(error, LoadlineError) else "a warning model cannot be read")
            return None
        found = Asked(dataset, scorer, about.titles)
        self._models = {key: (about, found)} | {k: v for k, v in self._models.items() if k[0] != dataset}
        return found

    def _tell(self, what: str) -> None:
        if what != self._trouble:
            log.error("left to the whole application: %s", what)
        self._trouble = what
