"""The use cases of appeals: raising one, proving that the figure can be reproduced, and deciding on it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.exc import IntegrityError

from features.errors import LoadlineError
from serving.access.principal import Principal, who
from serving.appeals.frozen import Difference, Frozen, differences
from serving.appeals.ledger import (
    OPEN_STATES,
    Appeal,
    AppealEvent,
    by_request,
    events_of,
    find,
    frozen_of,
    listed,
    moved,
    note,
    pending,
    put_down,
)
from serving.errors import DeniedError, InvalidError, StaleError
from serving.plans.actors import required_person

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.suggested import Suggested

Kind = Literal["score", "target"]
Action = Literal["review", "uphold", "reject", "withdraw"]

LONGEST_WORDS = 4_000
"""Characters of an appeal or an answer: two pages; what needs more belongs into a letter."""
SHORTEST_WORDS = 2
"""Characters: 有误 is a reason."""
NOTED_DIFFERENCES = 5
"""Differences that the event of a reproduction keeps; who wants all asks again."""


@dataclass(frozen=True, slots=True)
class Step:
    """A way from one state to another.

    Attributes
    ----------
    before : tuple of str
        States from which it leads.
    after : str
    own : bool
        True where only who raised the appeal may take it, False where everybody else may.
    """

    before: tuple[str, ...]
    after: str
    own: bool


STEPS: dict[Action, Step] = {
    "review": Step(("open",), "under_review", own=False),
    "uphold": Step(("under_review",), "upheld", own=False),
    "reject": Step(("under_review",), "rejected", own=False),
    "withdraw": Step(OPEN_STATES, "withdrawn", own=True),
}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of telling an appealed figure once more.

    Attributes
    ----------
    appeal : str
    same : bool
        True where everything told is the same, every number to its last bit.
    frozen_figure, figure : float or None
        As it was told, and as it comes out now; the second is None, too, where it could not be computed.
    differences : tuple of Difference
    trouble : str
        Why it could not be told again; blank where it could.
    frozen_release, release : str
        Of the program, then and now.
    """

    appeal: str
    same: bool
    frozen_figure: float | None
    figure: float | None
    differences: tuple[Difference, ...]
    trouble: str
    frozen_release: str
    release: str


def identity(principal: Principal) -> str:
    """Give who somebody is, whatever the name; at the command line of the machine the name is all there is."""
    return f"local:{principal.name}" if principal.kind == "local" else f"{principal.kind}:{principal.id}"


class Appeals:
    """What managers ask who doubt a figure, and what those answer who decide.

    Parameters
    ----------
    advisor : Advisor
        Whose data, policies, models and database answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def raise_(
        self,
        unit: str,
        period: str,
        *,
        kind: Kind = "score",
        indicator: str = "",
        words: str,
        dataset: str | None = None,
        suggested: Suggested | None = None,
        request_key: str | None = None,
    ) -> tuple[Appeal, Reproduction | None]:
        """Raise an appeal: freeze the figure as it is told now with all that it rests on, and reproduce it at once.

        Parameters
        ----------
        unit, period : str
            Of a target the period is its year.
        kind : {"score", "target"}
        indicator : str
            Of a target; blank for a score.
        words : str
            What is appealed, and why.
        dataset : str, optional
        suggested : Suggested, optional
            The suggestions that a service tells; by default those of the champion on record.
        request_key : str, optional
            Names the request: sent again it gives the appeal that it raised.

        Returns
        -------
        appeal : Appeal
        reproduction : Reproduction or None
            None where the request had raised it before.

        Raises
        ------
        NotFoundError
            Where there is no such figure.
        LoadlineError
            Where an appeal on the figure is pending.
        """
        words = _checked_words(words, "an appeal")
        with self._advisor.database.read() as connection:
            again = None if request_key is None else by_request(connection, request_key)
        if again is not None:
            return again, None
        frozen = self._frozen(unit, period, kind=kind, indicator=indicator, dataset=dataset, suggested=suggested)
        appeal = self._new(frozen, words)
        proof = self._compared(appeal.id, frozen)
        detail = {"frozen": frozen.digest, "reproduced": proof.same, "trouble": proof.trouble}
        about = {name: getattr(appeal, name) for name in ("dataset", "kind", "unit", "period", "indicator")}
        try:
            with self._advisor.database.write() as connection:
                standing = pending(connection, **about)
                again = None if standing is None or request_key is None else by_request(connection, request_key)
                if again is not None:  # the same request, a moment earlier
                    return again, None
                _refuse_second(standing)
                put_down(connection, appeal, frozen, request_key=request_key, detail=detail)
                told = detail | {"unit": appeal.unit, "period": appeal.period, "indicator": appeal.indicator}
                self._audit(connection, appeal, "raise", told)
        except IntegrityError:  # the same request at the same moment
            with self._advisor.database.read() as connection:
                again = None if request_key is None else by_request(connection, request_key)
            if again is None:
                raise
            return again, None
        return appeal, proof

    def find(self, appeal: str) -> Appeal:
        """Look an appeal up.

        Raises
        ------
        NotFoundError
            Where there is none of that id.
        """
        with self._advisor.database.read() as connection:
            return find(connection, appeal)

    def frozen(self, appeal: str) -> Frozen:
        """Read what an appeal has frozen, verified.

        Raises
        ------
        TamperedError
            Where it was changed since.
        """
        with self._advisor.database.read() as connection:
            return frozen_of(connection, appeal)

    def events(self, appeal: str) -> list[AppealEvent]:
        """List what happened to an appeal, the first first."""
        with self._advisor.database.read() as connection:
            find(connection, appeal)
            return events_of(connection, appeal)

    def listed(
        self,
        *,
        units: Collection[str] | None = None,
        unit: str | None = None,
        dataset: str | None = None,
        state: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> tuple[list[Appeal], int]:
        """List appeals, the newest first, with the number of all; see `serving.appeals.ledger.listed`."""
        with self._advisor.database.read() as connection:
            return listed(connection, units=units, unit=unit, dataset=dataset, state=state, after=after, limit=limit)

    def reproduce(self, appeal: str) -> Reproduction:
        """Tell the figure once more from what was frozen, compare it bit for bit, and note that it was done.

        What was stored, activated or promoted since has no part in it. What is missing or was changed is told in the
        reproduction, not raised.

        Raises
        ------
        NotFoundError
            Where there is none of that id.
        """
        found = self.find(appeal)
        try:
            made = self._compared(appeal, self.frozen(appeal))
        except LoadlineError as error:
            made = Reproduction(appeal, False, None, None, (), error.what, "", installed("loadline"))
        detail = {
            "same": made.same,
            "trouble": made.trouble,
            "release": made.release,
            "differences": [[d.where, d.frozen, d.now] for d in made.differences[:NOTED_DIFFERENCES]],
        }
        with self._advisor.database.write() as connection:
            find(connection, appeal, lock=True)
            now, name = self._advisor.now(), who().name
            note(connection, appeal, at=now, by=name, action="reproduce", reason="", detail=detail)
            self._audit(connection, found, "reproduce", {"same": made.same, "trouble": made.trouble})
        return made

    def decide(self, appeal: str, action: Action, *, revision: int, words: str = "") -> Appeal:
        """Take the next step of an appeal.

        Parameters
        ----------
        appeal : str
        action : {"review", "uphold", "reject", "withdraw"}
        revision : int
            Of the appeal as it was seen.
        words : str
            The answer to who raised it; it may be blank only where the review begins.

        Raises
        ------
        NotFoundError
            Where there is none of that id.
        StaleError
            Where somebody has taken a step meanwhile.
        DeniedError
            Where who raised it would decide on it, or anybody else withdraw it.
        LoadlineError
            Where its state does not allow the step.
        """
        words = words.strip() if action == "review" and not words.strip() else _checked_words(words, "an answer")
        step, principal = STEPS[action], who()
        with self._advisor.database.write() as connection:
            found = find(connection, appeal, lock=True)
            if found.revision != revision:
                hint = "Look it up again: GET gives its present ETag."
                raise StaleError(f"the appeal {appeal} was changed meanwhile", where=appeal, hint=hint)
            if found.state not in step.before:
                raise LoadlineError(
                    f"an appeal that is {found.state.replace('_', ' ')} cannot be changed by {action!r}",
                    where=appeal,
                    hint=f"{action!r} needs one that is {' or '.join(step.before).replace('_', ' ')}.",
                )
            if (identity(principal) == found.raised_by_id) is not step.own:
                what = "only who raised an appeal withdraws it" if step.own else "who raised an appeal does not decide"
                raise DeniedError(what, where=appeal, hint="Have it done by another person." if not step.own else "")
            if not step.own:
                required_person("decide an appeal")
            moved(connection, found, state=step.after)
            now = self._advisor.now()
            note(connection, appeal, at=now, by=principal.name, action=action, reason=words, detail={})
            self._audit(connection, found, action, {"state": step.after, "reason": words})
            return find(connection, appeal)

    def _frozen(
        self,
        unit: str,
        period: str,
        *,
        kind: Kind,
        indicator: str,
        dataset: str | None,
        suggested: Suggested | None,
    ) -> Frozen:
        if kind == "score":
            if indicator:
                raise InvalidError("an appeal on a score names no indicator", hint="It is on the score as a whole.")
            from serving.appeals.score_case import freeze_score

            return freeze_score(self._advisor, unit, period, dataset=dataset)
        from serving.appeals.target_case import freeze_target

        if not indicator:
            raise InvalidError("an appeal on a target names its indicator", hint="Send `indicator`.")
        if suggested is None:
            suggested = self._advisor.suggesting.suggested(self._advisor.snapshot(dataset))
        if period.strip() != str(suggested.mark.year):
            raise InvalidError(
                f"targets are suggested for {suggested.mark.year}, not for {period!r}",
                hint=f"Send {suggested.mark.year} as `period`.",
            )
        return freeze_target(self._advisor, unit, indicator, suggested)

    def _new(self, frozen: Frozen, words: str) -> Appeal:
        about, principal = frozen.content, who()
        return Appeal(
            id=uuid.uuid4().hex,
            dataset=about["dataset"],
            kind=about["kind"],
            unit=about["unit"],
            period=about["period"],
            indicator=about["indicator"],
            state="open",
            revision=1,
            words=words,
            frozen_digest=frozen.digest,
            raised_at=self._advisor.now(),
            raised_by=principal.name,
            raised_by_id=identity(principal),
        )

    def _compared(self, appeal: str, frozen: Frozen) -> Reproduction:
        about, release = frozen.content, installed("loadline")
        try:
            told = self._again(frozen)
        except LoadlineError as error:
            return Reproduction(appeal, False, about["figure"], None, (), error.what, about["release"], release)
        found = differences(about["told"], told)
        figure = told["score"] if about["kind"] == "score" else told["row"]["target"]
        return Reproduction(appeal, not found, about["figure"], figure, found, "", about["release"], release)

    def _again(self, frozen: Frozen) -> dict[str, Any]:
        if frozen.content["kind"] == "score":
            from serving.appeals.score_case import score_again

            return score_again(self._advisor, frozen)
        from serving.appeals.target_case import target_again

        return target_again(self._advisor, frozen)

    def _audit(self, connection: Any, appeal: Appeal, action: str, detail: dict[str, Any]) -> None:
        subject = f"appeal {appeal.id}"
        self._advisor.audit.write(
            connection, f"appeal.{action}", subject=subject, dataset=appeal.dataset, detail=detail
        )


def _checked_words(words: str, what: str) -> str:
    words = words.strip()
    if not SHORTEST_WORDS <= len(words) <= LONGEST_WORDS or "\x00" in words:
        hint = f"Write {SHORTEST_WORDS} to {LONGEST_WORDS:,} characters."
        raise InvalidError(f"{what} needs its reason in words", hint=hint)
    return words


def _refuse_second(pending: str | None) -> None:
    if pending is not None:
        raise LoadlineError(
            "an appeal on this figure is pending",
            where=pending,
            hint=f"See appeal {pending}: it is answered, or withdrawn, before another is raised.",
        )
