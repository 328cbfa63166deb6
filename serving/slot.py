"""What answers for one kind of model and one dataset, and how its successor is taken up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH, ModelBundle
from serving.suggested import Mark
from serving.trial import ChangedError, Trial
from training.promotion.copies import copy_folder, kept_bundle, model_folder
from training.promotion.history import RECORD, history, line_of_champions

RETRY_SECONDS = 900.0
"""A refused model is tried again after this, or once its copy has changed: the machine may have been at fault."""
RECENT = 2
"""Versions kept ready: the one that answers and the one before it, for a rollback."""

_log = logging.getLogger("loadline.serving")


class Served(Protocol):
    """What answers: made once from a model, never changed."""

    @property
    def mark(self) -> Mark:
        """Give what tells it from all others."""
        ...


S = TypeVar("S", bound=Served)
S_co = TypeVar("S_co", bound=Served, covariant=True)


class Kind(Protocol[S_co]):
    """A kind of model, and how what answers is made from one; `needed` where nothing can be answered without."""

    name: str
    needed: bool

    def model_name(self, dataset: str) -> str:
        """Name the model of a dataset in the record."""
        ...

    def mark(self, dataset: str, digest: str | None) -> Mark:
        """Tell what would answer now."""
        ...

    def make(self, mark: Mark, model: ModelBundle, trial: Trial) -> S_co:
        """Make what answers; it may take its time."""
        ...


@dataclass(frozen=True)
class Refusal:
    """Why a model is not taken up, by which copy it was judged, and until when."""

    what: str
    copy: tuple[Any, ...]
    until: float


class Slot(Generic[S]):
    """Holds what answers; `take_up` is for one thread, everything else for all.

    Parameters
    ----------
    kind : Kind
    dataset : str
    home : Path
    trial : Trial
    clock : callable
        Seconds, never going back.

    Attributes
    ----------
    served : object or None
        What answers. It is replaced in one assignment: whoever has taken it has all of one version.
    trouble : str
        Why what the record asks for does not answer; "" where it does.
    looked_at : Mark or None
        What was last asked for and either taken up or found wanting.
    """

    def __init__(
        self, kind: Kind[S], dataset: str, *, home: Path, trial: Trial, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.kind, self.dataset = kind, dataset
        self.served: S | None = None
        self.trouble = ""
        self.looked_at: Mark | None = None
        self._home, self._trial, self._clock = home, trial, clock
        self._name = kind.model_name(dataset)
        self._record = model_folder(home, self._name) / RECORD
        self._read: tuple[Hashable, tuple[str, ...]] = (None, ())
        self._recent: list[S] = []
        self._refused: dict[str, tuple[Mark, Refusal]] = {}
        self._sound: dict[str, tuple[Any, ...]] = {}

    def wanted(self) -> Mark:
        """Tell what the record, the data and the policy ask for.

        Raises
        ------
        LoadlineError
            Where one of them cannot be read.
        """
        line = self.line()
        return self.kind.mark(self.dataset, line[-1] if line else None)

    def line(self) -> tuple[str, ...]:
        """List the champions that were not rolled back, oldest first; the record is read when it has changed."""
        state = _file_state(self._record)
        if state is None:
            return ()
        read, digests = self._read
        if read != state:
            digests = tuple(promotion.champion for promotion in line_of_champions(history(self._home, self._name)))
            self._read = (state, digests)
        return digests

    def take_up(self) -> None:
        """Put in place what is wanted, if it is sound.

        Raises
        ------
        ChangedError
            Where something else is wanted by now; nothing is changed then.
        """
        try:
            wanted, line = self.wanted(), self.line()
        except LoadlineError as error:
            self._in_trouble(error.what)
            return
        if wanted.digest is None:
            self._in_trouble("" if self.served is None else "the record of promotions is gone")
            return
        why = ""
        for mark in self._candidates(wanted, line):
            try:
                self.served = self._made(mark)
                break
            except ChangedError:
                raise
            except LoadlineError as error:
                why = why or error.what
        self.looked_at = wanted
        self._in_trouble(self._told(wanted, why))

    def _candidates(self, wanted: Mark, line: tuple[str, ...]) -> Iterator[Mark]:
        """Name what may answer, the best first: the champion; else what is in service; else the champions before it.

        A model that was rolled back is not among them: it was taken out of service on purpose.
        """
        yield wanted
        if self.served is not None:
            yield replace(wanted, digest=self.served.mark.digest)
            yield self.served.mark
            return
        for digest in dict.fromkeys(reversed(line)):
            if digest != wanted.digest:
                yield replace(wanted, digest=digest)

    def _made(self, mark: Mark) -> S:
        at_hand = self._recent if self.served is None else [self.served, *self._recent]
        made = next((one for one in at_hand if one.mark == mark), None)
        if made is None:
            made = self._tried(mark)
        self._recent = [made, *(one for one in self._recent if one is not made)][:RECENT]
        return made

    def _tried(self, mark: Mark) -> S:
        """Verify a model, try it out, and have it make what answers.

        Raises
        ------
        LoadlineError
            Where it is refused, now or lately.
        """
        digest = mark.digest or ""
        copy = _copy_state(copy_folder(self._home, self._name, digest))
        refused, refusal = self._refused.get(digest, (None, None))
        if refusal is not None and refused == mark and refusal.copy == copy and self._clock() < refusal.until:
            raise LoadlineError(refusal.what)
        began = self._clock()
        try:
            model = kept_bundle(self._home, self._name, digest)
            made = self.kind.make(mark, model, self._trial)
        except ChangedError:
            raise
        except Exception as error:  # whatever a model is able to bring about, the one in service answers on
            what = error.what if isinstance(error, LoadlineError) else f"{type(error).__name__}: {error}"
            self._refused[digest] = (mark, Refusal(what, copy, self._clock() + RETRY_SECONDS))
            raise LoadlineError(what) from error
        self._refused.pop(digest, None)
        self._sound[digest] = copy
        seconds = self._clock() - began
        _log.info("%s of %s: %s made ready in %.1f s", self.kind.name, self.dataset, model.version, seconds)
        return made

    def _told(self, wanted: Mark, why: str) -> str:
        champion = (wanted.digest or "")[:VERSION_LENGTH]
        if self.served is None:
            return f"the champion {champion} cannot be taken up: {why}"
        if self.served.mark == wanted:
            broken = self._copy_trouble(wanted.digest or "")
            return f"the copy of {champion} was damaged after it was taken up: {broken}" if broken else ""
        if self.served.mark.digest == wanted.digest:
            return f"new data or rules cannot be taken up, data version {self.served.mark.version} answers: {why}"
        answering = (self.served.mark.digest or "")[:VERSION_LENGTH]
        return f"the champion {champion} cannot be taken up, {answering} answers: {why}"

    def _copy_trouble(self, digest: str) -> str:
        """Look whether the copy of what answers is still whole, where anything about its files has changed."""
        copy = _copy_state(copy_folder(self._home, self._name, digest))
        if copy != self._sound.get(digest):
            try:
                kept_bundle(self._home, self._name, digest)
            except LoadlineError as error:
                return error.what
            self._sound[digest] = copy
        return ""

    def _in_trouble(self, what: str) -> None:
        if what and what != self.trouble:
            _log.error("%s of %s: %s", self.kind.name, self.dataset, what)
        elif self.trouble and not what:
            _log.warning("%s of %s: in order again", self.kind.name, self.dataset)
        self.trouble = what


def _file_state(path: Path) -> Hashable:
    """Give what changes whenever a file is written to; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _copy_state(folder: Path) -> tuple[Any, ...]:
    """Give what changes whenever a file of a copy is written to."""
    return tuple((str(path.relative_to(folder)), _file_state(path)) for path in sorted(folder.rglob("*")))
