"""The models in service: taken up in the background, tried out first, swapped whole; the last good one answers on."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.errors import NotReadyError
from serving.one_version import held
from serving.served_kinds import Targets, Warnings
from serving.slot import Kind, S, Slot
from serving.suggested import Suggested
from serving.trial import ChangedError, Trial

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.publishing import Publishing

POLL_SECONDS = 1.0
"""Between looks at the record while nobody asks; a look costs a few milliseconds."""
FIRST_SECONDS = 50.0
"""A request waits for so long for the first suggestions of all, before the minute is over that proxies allow."""
GLANCE_SECONDS = 2.0
"""Who asks whether the service is ready waits for so long: what is kept in the home is at hand within it."""
CLOSING_SECONDS = 5.0
"""Whoever stops the service waits for so long for what is at work in the background."""
MAKING = "what answers is being made from the model"

_log = logging.getLogger("loadline.serving")
Key = tuple[str, str]


class InService:
    """Gives what answers, and sees to it that it follows the record of promotions.

    Nothing is taken up within a request. A model that the record names is verified, tried out in a process of its own
    and asked for everything that it will be asked; then one assignment puts it in place. One that fails is left, and
    the last good one answers on. Within a request the answer is always the same; see `serving.one_version`.

    Parameters
    ----------
    advisor : Advisor
    clock : callable
        Seconds, never going back.
    trial : Trial, optional
    first : float
        Seconds that a request waits where nothing can answer yet.
    """

    def __init__(
        self,
        advisor: Advisor,
        *,
        clock: Callable[[], float] = time.monotonic,
        trial: Trial | None = None,
        first: float = FIRST_SECONDS,
    ) -> None:
        self._advisor, self._clock, self._first = advisor, clock, first
        self._trial = Trial() if trial is None else trial
        self._kinds: dict[str, Kind[Any]] = {kind.name: kind for kind in (Targets(advisor), Warnings(advisor))}
        self._slots: dict[Key, Slot[Any]] = {}
        self._turns: dict[Key, int] = {}
        self._asked: set[Key] = set()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._polling = self._closed = False
        self._publishing: Publishing | None = None

    def suggested(self, dataset: str) -> Suggested | None:
        """Give the suggestions that answer for a dataset; None before the first promotion.

        Raises
        ------
        NotReadyError
            Where there are none yet, or no model can be taken up.
        """
        return self._get(Targets.name, dataset)

    def warning_model(self, dataset: str) -> ModelBundle | None:
        """Give the model of deterioration that answers; None where there is none, or none that can be taken up."""
        try:
            found = self._get(Warnings.name, dataset)
        except NotReadyError:
            return None
        return None if found is None else found.model

    def promoted(self, dataset: str) -> bool:
        """Tell whether a target model was ever promoted for a dataset.

        Raises
        ------
        LoadlineError
            Where the record is damaged.
        """
        slot = self._slot((Targets.name, dataset))
        return slot.served is not None or bool(slot.line())

    def digest(self, kind: str, dataset: str) -> str | None:
        """Give the digest of the model that answers at this moment; None where none does."""
        served = self._slot((kind, dataset)).served
        return None if served is None else served.mark.digest

    def state(self, kind: str, dataset: str) -> str:
        """Tell how a kind fares: `ok`, `degraded: ...` or `missing: ...`; `missing` where nothing was ever promoted."""
        slot = self._slot((kind, dataset))
        try:
            if slot.served is None and slot.wanted().digest is None:
                return "missing"
            if slot.served is None and slot.kind.needed:
                self._turn(slot, GLANCE_SECONDS)
            else:
                self._ask(slot)
            trouble = slot.trouble or (MAKING if slot.served is None else "")
        except LoadlineError as error:
            trouble = error.what
        if not trouble:
            return "ok"
        return f"{'missing' if slot.served is None and slot.kind.needed else 'degraded'}: {trouble}"

    def publish(self) -> None:
        """Tell small processes what answers from now on; to be called before anything is asked for."""
        from serving.publishing import Publishing

        self._publishing = Publishing(self._advisor)
        self._kinds[Targets.name].sheets = True  # type: ignore[attr-defined]

    def start(self) -> None:
        """Follow the record even while nobody asks, beginning with the data stored last."""
        self._polling = True
        try:
            dataset = self._advisor.snapshot().about.dataset
            self._ask(self._slot((Targets.name, dataset)))
            if self._publishing is not None:
                self._ask(self._slot((Warnings.name, dataset)))
        except LoadlineError:
            _log.info("no data is stored yet")

    def close(self) -> None:
        """Stop looking, and end what is being tried out."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            worker = self._worker
            self._changed.notify_all()
        self._trial.close()
        if worker is not None and worker is not threading.current_thread():
            worker.join(CLOSING_SECONDS)

    def _get(self, kind: str, dataset: str) -> Any:
        return held((id(self), kind, dataset), lambda: self._answering(self._slot((kind, dataset))))

    def _slot(self, key: Key) -> Slot[Any]:
        with self._changed:
            if key not in self._slots:
                home, kind = self._advisor.settings.home, self._kinds[key[0]]
                self._slots[key] = Slot(kind, key[1], home=home, trial=self._trial, clock=self._clock)
            return self._slots[key]

    def _answering(self, slot: Slot[S]) -> S | None:
        """Give what answers, and have a change looked after."""
        served = slot.served
        try:
            wanted = slot.wanted()
        except LoadlineError as error:
            if served is None:
                raise NotReadyError(error.what, hint=error.hint) from error
            self._ask(slot)
            return served
        if served is None:
            return None if wanted.digest is None else self._first_of_all(slot)
        if served.mark != wanted and slot.looked_at != wanted:
            self._ask(slot)
        return served

    def _first_of_all(self, slot: Slot[S]) -> S:
        """Wait until there is something that answers, or an attempt has come to nothing."""
        self._turn(slot, self._first)
        if slot.served is not None:
            return slot.served
        if slot.trouble:
            hint = "The console's first page says why. Promote another model, or train one: `loadline train`."
            raise NotReadyError("no model can answer: none on record is sound", hint=hint)
        raise NotReadyError(MAKING, hint="Ask again in a minute.")

    def _turn(self, slot: Slot[Any], seconds: float) -> None:
        """Have a slot looked after, and wait until something answers or an attempt begun from now on has ended."""
        key = (slot.kind.name, slot.dataset)
        with self._changed:
            turns = self._turns.get(key, 0)
            self._ask(slot)
            self._changed.wait_for(
                lambda: (
                    slot.served is not None
                    or self._closed
                    or (self._turns.get(key, 0) > turns and key not in self._asked)
                ),
                timeout=seconds,
            )

    def _ask(self, slot: Slot[Any]) -> None:
        with self._changed:
            self._asked.add((slot.kind.name, slot.dataset))
            if self._worker is None and not self._closed:
                self._worker = threading.Thread(target=self._work, name="in service", daemon=True)
                self._worker.start()
                atexit.register(self.close)  # a thread inside a library must not see the interpreter go
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._polling:
                    self._changed.wait_for(lambda: self._asked or self._closed, timeout=POLL_SECONDS)
                if self._closed or not (self._asked or self._polling):
                    self._worker = None
                    atexit.unregister(self.close)
                    return
                due = sorted(self._asked or self._slots)
                self._asked.clear()
            for key in due:
                self._look_after(key)

    def _look_after(self, key: Key) -> None:
        slot, publishing = self._slots[key], self._publishing
        try:
            rests_on = {} if publishing is None else publishing.before(slot.dataset, slot.kind.model_name(slot.dataset))
            slot.take_up()
            if publishing is not None and slot.served is not None:
                publishing.tell(slot.kind.name, slot.kind.model_name(slot.dataset), slot.served, rests_on)
        except ChangedError:
            self._ask(slot)
        except Exception:  # the thread must outlive what nobody expected
            _log.exception("%s of %s could not be looked after", *key)
        with self._changed:
            self._turns[key] = self._turns.get(key, 0) + 1
            self._changed.notify_all()
