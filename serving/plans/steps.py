"""From draft to publication: submit, approve by a second person, return, publish, withdraw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from features.errors import LoadlineError
from serving.errors import DeniedError
from serving.plans import records
from serving.plans.actors import Actor, acting_now, required_person
from serving.plans.editing import Edits
from serving.plans.plan import CHANGES, Action, Event, Plan, State
from serving.plans.values import required


class Steps(Edits):
    """Moves plans from state to state. Each step names the revision that the asker saw, and is one event."""

    def submit(self, plan: str, *, revision: int, reason: str = "") -> Plan:
        """Put a draft forward for approval: from here its lines stand still, sealed by a digest.

        Raises
        ------
        StaleError
            Where it was changed since.
        LoadlineError
            Where it is no draft.
        """
        with self._advisor.database.write() as connection:
            held = self._held(connection, plan, revision, State.DRAFT, to="submitted")
            digest = records.seal(connection, plan)
            changed = {"state": State.SUBMITTED.value, "digest": digest}
            return self._step(connection, held, Action.SUBMIT, reason=reason, detail={"digest": digest}, **changed)

    def approve(self, plan: str, *, revision: int, reason: str = "") -> Plan:
        """Approve what was submitted, byte for byte.

        Raises
        ------
        DeniedError
            Where whoever approves has submitted it or changed any of its lines, or is a program.
        StaleError
            Where it was changed since.
        LoadlineError
            Where it was not submitted, or its lines are not what they were.
        """
        required_person("approve a plan")
        with self._advisor.database.write() as connection:
            held = self._held(connection, plan, revision, State.SUBMITTED, to="approved")
            _require_second(records.events_of(connection, plan), acting_now())
            self._require_sealed(connection, held)
            detail = {"digest": held.digest}
            return self._step(
                connection, held, Action.APPROVE, reason=reason, detail=detail, state=State.APPROVED.value
            )

    def return_(self, plan: str, *, revision: int, reason: str) -> Plan:
        """Give a plan back to be changed; the reason is needed.

        Raises
        ------
        StaleError
            Where it was changed since.
        LoadlineError
            Where it is neither submitted nor approved, or no reason is given.
        """
        why = required(reason)
        with self._advisor.database.write() as connection:
            held = self._held(connection, plan, revision, State.SUBMITTED, State.APPROVED, to="returned")
            return self._step(connection, held, Action.RETURN, reason=why, state=State.DRAFT.value, digest="")

    def publish(self, plan: str, *, revision: int, reason: str = "") -> Plan:
        """Publish what was approved; the plan published before for that year is superseded in the same moment.

        Raises
        ------
        StaleError
            Where it was changed since.
        LoadlineError
            Where it is not approved, its lines are not what they were, or another version was published since it was
            drafted.
        """
        try:
            with self._advisor.database.write() as connection:
                return self._publish(connection, plan, revision, reason)
        except IntegrityError as error:  # somebody else published the year's first plan in this moment
            raise _overtaken() from error

    def withdraw(self, plan: str, *, revision: int, reason: str = "") -> Plan:
        """Give up a plan that is not published. What was published stays on record: revise it.

        Raises
        ------
        StaleError
            Where it was changed since.
        LoadlineError
            Where it was published, or given up before.
        """
        with self._advisor.database.write() as connection:
            held = self._held(connection, plan, revision, State.DRAFT, State.SUBMITTED, State.APPROVED, to="withdrawn")
            return self._step(connection, held, Action.WITHDRAW, reason=reason, state=State.WITHDRAWN.value)

    def _publish(self, connection: Connection, plan: str, revision: int, reason: str) -> Plan:
        held = self._held(connection, plan, revision, State.APPROVED, to="published")
        self._require_sealed(connection, held)
        before = records.published_id(connection, held.dataset, held.year, lock=True)
        if before != held.revises:
            raise _overtaken()
        if before is not None:
            old = records.plan_of(connection, before, lock=True)
            why = f"version {held.version} was published"
            detail = {"by_plan": held.id}
            self._step(connection, old, Action.SUPERSEDE, reason=why, detail=detail, state=State.SUPERSEDED.value)
        at = self._advisor.now()
        changed = {"state": State.PUBLISHED.value, "published_at": at}
        return self._step(connection, held, Action.PUBLISH, reason=reason, detail={"digest": held.digest}, **changed)

    def _held(self, connection: Connection, plan: str, revision: int, *states: State, to: str) -> Plan:
        """Lock a plan that is as the asker saw it and stands where it must."""
        held = records.plan_of(connection, plan, lock=True)
        records.require_revision(held.revision, revision)
        records.require_state(held, *states, to=to)
        return held

    def _step(
        self,
        connection: Connection,
        plan: Plan,
        action: Action,
        *,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> Plan:
        number = records.advance(connection, plan, **changed)
        records.write_event(
            connection,
            plan.id,
            number,
            at=self._advisor.now(),
            by=acting_now(),
            action=action,
            reason=reason.strip(),
            detail=detail,
        )
        about = {"revision": number, "year": plan.year, "version": plan.version, **(detail or {})}
        found = records.plan_of(connection, plan.id)
        self._advisor.audit.write(
            connection, f"plan.{action.value}", subject=plan.id, dataset=plan.dataset, detail=about
        )
        return found

    @staticmethod
    def _require_sealed(connection: Connection, plan: Plan) -> None:
        if records.seal(connection, plan.id) != plan.digest:
            raise LoadlineError(
                "the lines of the plan are not those that were submitted",
                where=plan.id,
                hint="They were changed past the program: return the plan, look at every line, and submit it again.",
            )


def own_part(events: Sequence[Event], by: Actor) -> Event | None:
    """Give what bars somebody from approving a plan: a change of its lines, or its submission; None for nothing."""
    for event in events:
        counts = event.action in CHANGES or event.action is Action.SUBMIT
        if counts and by.is_same(Actor(event.by, event.actor)):
            return event
    return None


def _require_second(events: Sequence[Event], by: Actor) -> None:
    """Refuse whoever submitted the plan or changed its lines: two people answer for a plan."""
    barring = own_part(events, by)
    if barring is not None:
        done = "submitted it" if barring.action is Action.SUBMIT else "changed its lines"
        raise DeniedError(
            f"{by.name} cannot approve the plan, having {done}",
            hint="A second person approves: one who has neither changed its lines nor submitted it.",
        )


def _overtaken() -> LoadlineError:
    return LoadlineError(
        "another version was published since this plan was drafted",
        hint="Withdraw this one, revise the published version, and bring over what is to change.",
    )
