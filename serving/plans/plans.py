"""The use cases of target plans: `advisor.plans`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from features.errors import LoadlineError
from serving.database.tables import plans as tables
from serving.errors import NotFoundError
from serving.idempotency import request_key
from serving.plans import records
from serving.plans.actors import acting_now
from serving.plans.drafting import broken_down, lines_of, roles_of
from serving.plans.material import Material, Materials, policy_document
from serving.plans.plan import Action, Plan, State
from serving.plans.published import published_plan, targets_of
from serving.plans.reallocation import changes_of, constraints_around
from serving.plans.steering import Asked, Steering
from serving.plans.steps import Steps
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.suggested import Suggested

ATTEMPTS = 8
"""Two drafts of a year begun in one moment want the same number: the later one takes the next. More than a few at once
are no people."""


class Plans(Steps):
    """What HR does with targets, from the draft to what is published.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        super().__init__(advisor)
        self._materials = Materials(advisor)

    def draft(
        self,
        year: int | None = None,
        *,
        asked: Steering | None = None,
        title: str = "",
        dataset: str | None = None,
        served: Suggested | None = None,
        may_fit: bool = True,
        progress: Progress = silent,
    ) -> Plan:
        """Draft the targets of a year from suggestions, goals broken down within what is fixed.

        Parameters
        ----------
        year : int, optional
            By default the one that targets are due for.
        asked : Steering, optional
        title : str
        dataset : str, optional
        served : Suggested, optional
            Suggestions at hand, of the year; by default those of this moment, made where there are none.
        may_fit : bool
            False where a caller waits: nothing is fitted then.
        progress : Progress

        Returns
        -------
        Plan
            Its `notes` say what was asked and left aside.

        Raises
        ------
        InfeasibleError
            Where goals cannot be met within what is fixed, with the smallest change that would let them be.
        LoadlineError
            Where what is asked is wrong, or the year is over.
        """
        asked, key = asked or Steering(), request_key()
        if key is not None and (made := self._made_before(key)) is not None:
            return made
        if served is None:
            snapshot = self._advisor.snapshot(dataset)
            served = self._advisor.suggesting.suggested(snapshot, year, progress=progress)
        asked.check(served.snapshot)
        material = self._materials.of_suggested(served, may_fit=may_fit, progress=progress)
        made = broken_down(material, asked)
        rows = [records.as_kept(row) for row in lines_of(material, made, asked)]
        about = _about(material, asked) | {"title": title.strip(), "notes": list(made.notes), "request_key": key}
        return self._inserted(about, rows, action=Action.DRAFT)

    def reallocate(
        self,
        plan: str,
        *,
        revision: int,
        goals: Iterable[Asked] = (),
        reason: str = "",
        may_fit: bool = True,
        progress: Progress = silent,
    ) -> Plan:
        """Break goals down again over the lines that nobody holds; pinned and overridden ones stay as they are.

        A held line of a unit that has others below it is a goal for these, unless a goal is given for it.

        Parameters
        ----------
        plan : str
        revision : int
            Of the plan, as it was seen.
        goals : iterable of Asked
            In the place of the plan's own for the same unit and indicator, or beside them.
        reason : str
        may_fit : bool
        progress : Progress

        Raises
        ------
        InfeasibleError
            Where goals and held lines cannot all be kept, with the smallest change that would let them be.
        StaleError
            Where the plan was changed since.
        LoadlineError
            Where the plan is no draft.
        """
        held = self.get(plan)
        records.require_revision(held.revision, revision)
        records.require_state(held, State.DRAFT, to="changed")
        material = self._materials.of_plan(held, may_fit=may_fit, progress=progress)
        given = tuple(goals)
        named = {(goal.unit, goal.indicator) for goal in given}
        asked = Steering.read(held.asked).with_goals(given)
        asked.check(material.snapshot)
        lines = self.lines(plan)
        constraints, asked = constraints_around(lines, asked, named)
        made = broken_down(material, constraints)
        changes = changes_of(lines, made.frame, roles_of(made), named)
        with self._advisor.database.write() as connection:
            held = self._held(connection, plan, revision, State.DRAFT, to="changed")
            after = {**held.asked, "goals": asked.document()["goals"]}
            return self._changed(
                connection, held, changes, action=Action.REALLOCATE, reason=reason.strip(), asked=after
            )

    def revise(self, plan: str, *, revision: int, reason: str = "", title: str = "") -> Plan:
        """Begin a new version from the published one, with its lines.

        Parameters
        ----------
        plan : str
            The published plan.
        revision : int
            Of it, as it was seen.
        reason : str
        title : str
            That of the published one by default.

        Raises
        ------
        StaleError
            Where it was changed since.
        LoadlineError
            Where it is not published.
        """
        key = request_key()
        if key is not None and (made := self._made_before(key)) is not None:
            return made
        with self._advisor.database.read() as connection:
            old = records.plan_of(connection, plan)
            records.require_revision(old.revision, revision)
            records.require_state(old, State.PUBLISHED, to="revised")
            rows = records.copied_lines(connection, plan)
        kept = ("dataset", "year", "data_version", "fingerprint", "model_version", "model_digest")
        kept += ("policy_version", "known_on", "asked", "indicators")
        about = {name: getattr(old, name) for name in kept}
        about |= {"title": title.strip() or old.title, "notes": list(old.notes), "request_key": key}
        return self._inserted(about, rows, action=Action.REVISE, reason=reason, of=old)

    def outlook(
        self, year: int, *, as_of: str | None = None, dataset: str | None = None, progress: Progress = silent
    ) -> pd.DataFrame:
        """Say how likely each published target of a year still is; see `training.outlook`.

        Raises
        ------
        NotFoundError
            Where no plan is published for the year.
        LoadlineError
            Where the year is over.
        """
        snapshot = self._advisor.snapshot(dataset)
        targets = self.published_targets(year, dataset=snapshot.about.dataset)
        return self._advisor.planning.outlook(targets, as_of=as_of, dataset=snapshot.about.dataset, progress=progress)

    def published_targets(self, year: int, *, dataset: str) -> pd.DataFrame:
        """Give the published targets of a year as a table; see `serving.plans.published.targets_of`.

        Raises
        ------
        NotFoundError
            Where no plan is published for the year.
        """
        found = published_plan(self._advisor.database, dataset, year)
        if found is None:
            raise NotFoundError(f"no target plan is published for {year}", hint="Publish one, or name another year.")
        return targets_of(self._advisor.database, found)

    def _made_before(self, key: str) -> Plan | None:
        """Give what the same request has made before: its answer may have been lost."""
        with self._advisor.database.read() as connection:
            asked = select(tables.plans).where(tables.plans.c.request_key == key)
            row = connection.execute(asked).mappings().one_or_none()
            return None if row is None else Plan.of(row)

    def _inserted(
        self,
        about: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        *,
        action: Action,
        reason: str = "",
        of: Plan | None = None,
    ) -> Plan:
        """Write a new plan with its lines, under the next number of its year."""
        for _ in range(ATTEMPTS):
            try:
                with self._advisor.database.write() as connection:
                    return self._written(connection, about, rows, action=action, reason=reason, of=of)
            except IntegrityError:
                key = about["request_key"]
                if key is not None and (made := self._made_before(key)) is not None:
                    return made
        raise LoadlineError("too many plans of this year are being made at once", hint="Try again.")

    def _written(
        self,
        connection: Connection,
        about: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        *,
        action: Action,
        reason: str,
        of: Plan | None,
    ) -> Plan:
        plan, at, by = secrets.token_hex(16), self._advisor.now(), acting_now()
        standing = records.published_id(connection, about["dataset"], about["year"], lock=True)
        if of is not None and standing != of.id:
            raise LoadlineError("another version was published meanwhile", hint="Revise that one.")
        version = records.next_version(connection, about["dataset"], about["year"])
        row = {**about, "id": plan, "version": version, "revises": standing, "state": State.DRAFT.value}
        row |= {"revision": 1, "created_at": at, "created_by": by.name, "published_at": None, "digest": ""}
        connection.execute(insert(tables.plans), [row])
        records.write_lines(connection, plan, rows)
        detail = {"lines_made": len(rows)} | ({} if of is None else {"of_plan": of.id})
        records.write_event(connection, plan, 1, at=at, by=by, action=action, reason=reason.strip(), detail=detail)
        told = {"year": about["year"], "version": version, **detail}
        found = records.plan_of(connection, plan)
        self._advisor.audit.write(
            connection, f"plan.{action.value}", subject=plan, dataset=about["dataset"], detail=told
        )
        return found


def _about(material: Material, asked: Steering) -> dict[str, Any]:
    """Give what a new plan rests on, as columns."""
    snapshot, frame = material.snapshot, material.suggestions.frame
    indicators = snapshot.indicators
    versions = sorted(set(frame["model_version"].astype(str)) - {""})
    rules = {"policy": policy_document(material.policy), "fitted": material.fitted}
    return {
        "dataset": snapshot.about.dataset,
        "year": material.year,
        "data_version": snapshot.about.version,
        "fingerprint": snapshot.about.fingerprint,
        "model_version": ", ".join(versions),
        "model_digest": material.digest,
        "policy_version": material.policy.version,
        "known_on": str(snapshot.last_known),
        "asked": asked.document() | rules,
        "indicators": {code: indicators[code].model_dump(mode="json") for code in frame["indicator"].unique()},
    }
