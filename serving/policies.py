"""The use cases of policies over time: checking, comparing, activating, listing, showing and withdrawing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError

if TYPE_CHECKING:
    from models.policy.difference import Change
    from models.policy.document import Policy
    from models.policy.validator import Finding
    from serving.advisor import Advisor
    from training.policy_activation import LastClosed
    from training.policy_record import Activation, EvaluationLevel

ACTIVE = "active"
"""Stands for the policy in force today."""
SUFFIXES = (".yaml", ".yml")
LIBRARY = "the built-in library"
"""What indicators are looked up in where nothing is stored."""
TERMS = (
    *("policy", "level", "in_force_from", "in_force_until", "in_force_today"),
    *("activated_at", "by", "reason", "accepted", "digest"),
)
HISTORY = ("at", "action", "policy", "level", "from", "until", "by", "reason", "digest")


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    policy : Policy
    findings : tuple of Finding
    against : str
        What its indicators were looked up in.
    """

    policy: Policy
    findings: tuple[Finding, ...]
    against: str

    @property
    def errors(self) -> int:
        """Count what is refused; the rest are warnings."""
        return sum(finding.severity == "error" for finding in self.findings)


class Policies:
    """What HR asks for when rules change.

    Parameters
    ----------
    advisor : Advisor
        Whose home keeps the activated policies.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def check(self, path: Path, *, dataset: str | None = None) -> Checked:
        """Check a policy's file against the stored dataset, or the built-in indicators where nothing is stored.

        Versions of the same policy that are active count as the earlier ones.

        Raises
        ------
        LoadlineError
            Where the file cannot be read as a policy.
        """
        from models.policy.reading import read_policy

        return self.checked(read_policy(path), dataset=dataset)

    def checked(self, policy: Policy, *, dataset: str | None = None) -> Checked:
        """Check a policy that was read already; see `check`."""
        from features.indicators import library
        from models.policy.validator import check
        from training.policies import current_units

        if dataset is None and not self._advisor.store.versions():
            return Checked(policy, check(policy, indicators=library()), LIBRARY)
        snapshot = self._advisor.snapshot(dataset)
        about = snapshot.about
        findings = check(
            policy,
            indicators=snapshot.indicators,
            units=current_units(snapshot),
            earlier=self._before(about.dataset, policy),
        )
        return Checked(policy, findings, f"{about.dataset}, data version {about.version}")

    def named(self, name: str, *, dataset: str | None = None) -> Policy:
        """Find a policy: a file, `active`, an activated one (`id@version`, or an id for its last), or a ready-made one.

        Raises
        ------
        LoadlineError
            Where nothing has that name, or it cannot be read.
        """
        from models.policy.reading import read_policy

        return read_policy(Path(name)) if _is_file(name) else self.known(name, dataset=dataset)

    def known(self, name: str, *, dataset: str | None = None) -> Policy:
        """Find a policy by name alone: whatever it is, it is never taken for a file.

        Raises
        ------
        LoadlineError
            Where nothing has that name.
        """
        from models.policy.shipped import shipped

        found = self._activated(name, dataset) or _ready_made(name)
        if found is None:
            known = f"Name a file, an activated one (`loadline policy list`), or one of {', '.join(shipped())}."
            raise LoadlineError(f"no policy is called {name!r}", hint=known)
        return found

    def known_text(self, name: str, *, dataset: str | None = None) -> str:
        """Give a policy that `known` finds as YAML; ready-made ones as they were written, with their remarks."""
        from models.policy.reading import write_policy
        from models.policy.shipped import shipped_text

        policy = self.known(name, dataset=dataset)
        return shipped_text(policy.id) if policy is _ready_made(name) else write_policy(policy)

    def diff(self, old: str, new: str, *, dataset: str | None = None) -> tuple[Change, ...]:
        """Compare two policies, each by the names that `named` knows."""
        from models.policy.difference import differences

        return differences(self.named(old, dataset=dataset), self.named(new, dataset=dataset))

    def activate(
        self,
        path: Path,
        *,
        by: str,
        reason: str,
        accept: Sequence[str] = (),
        cut_short: bool = False,
        impact: Path | None = None,
        dataset: str | None = None,
    ) -> Activation:
        """Put a policy in force for a dataset; see `training.policy_activation.activate`.

        Raises
        ------
        LoadlineError
            Where it is refused, or the report of its impact is no file.
        """
        from models.policy.reading import read_policy

        if impact is not None and not impact.is_file():
            raise LoadlineError("there is no such file", where=str(impact), hint="Name a report that exists.")
        return self.put_in_force(
            read_policy(path),
            by=by,
            reason=reason,
            accept=accept,
            cut_short=cut_short,
            impact=None if impact is None else str(impact.resolve()),
            dataset=dataset,
        )

    def put_in_force(
        self,
        policy: Policy,
        *,
        by: str,
        reason: str,
        accept: Sequence[str] = (),
        cut_short: bool = False,
        impact: str | None = None,
        dataset: str | None = None,
    ) -> Activation:
        """Put a policy in force that was read already; see `training.policy_activation.activate`."""
        from training.policies import current_units
        from training.policy_activation import activate

        snapshot = self._advisor.snapshot(dataset)
        done = activate(
            self._advisor.settings.home,
            snapshot.about.dataset,
            policy,
            by=by,
            reason=reason,
            last_closed=self._last_closed(snapshot.about.dataset),
            clock=self._advisor.now,
            indicators=snapshot.indicators,
            units=current_units(snapshot),
            accept=accept,
            cut_short=cut_short,
            impact=impact,
        )
        self._note(done, snapshot.about.dataset)
        return done

    def _note(self, done: Activation, dataset: str) -> None:
        subject, detail = f"policy {done.label}", {"digest": done.digest, "from": done.start.isoformat()}
        self._advisor.audit.kept(f"policy.{done.action}", by=done.by, subject=subject, dataset=dataset, detail=detail)

    def withdraw(self, *, by: str, reason: str, label: str | None = None, dataset: str | None = None) -> Activation:
        """Go back to the version before the last; see `training.policy_activation.withdraw`."""
        from training.policy_activation import withdraw

        known = self._advisor.snapshot(dataset).about.dataset
        done = withdraw(
            self._advisor.settings.home,
            known,
            by=by,
            reason=reason,
            last_closed=self._last_closed(known),
            clock=self._advisor.now,
            label=label,
        )
        self._note(done, known)
        return done

    def terms(self, *, dataset: str | None = None) -> pd.DataFrame:
        """List the activated policies with the days on which they are in force.

        Returns
        -------
        pd.DataFrame
            `policy, level, in_force_from, in_force_until, in_force_today, activated_at, by, reason, accepted, digest`;
            no last day where nothing follows.
        """
        from training.policy_record import history, terms

        known = self._advisor.snapshot(dataset).about.dataset
        today = self._today()
        rows = [
            {
                "policy": term.activation.label,
                "level": term.activation.level,
                "in_force_from": term.start.isoformat(),
                "in_force_until": None if term.until is None else term.until.isoformat(),
                "in_force_today": term.holds(today),
                "activated_at": term.activation.at.isoformat(),
                "by": term.activation.by,
                "reason": term.activation.reason,
                "accepted": ", ".join(sorted({finding["finding"] for finding in term.activation.accepted})),
                "digest": term.activation.digest[:12],
            }
            for term in terms(history(self._advisor.settings.home, known))
        ]
        return pd.DataFrame(rows, columns=list(TERMS))

    def history(self, *, dataset: str | None = None) -> pd.DataFrame:
        """List every decision on record, oldest first, withdrawals included."""
        from training.policy_record import history

        known = self._advisor.snapshot(dataset).about.dataset
        lines = [line.as_dict() for line in history(self._advisor.settings.home, known)]
        rows = [
            {
                "at": line["at"],
                "action": line["action"],
                "policy": f"{line['id']}@{line['version']}",
                "level": line["level"],
                "from": line["from"],
                "until": line["until"],
                "by": line["by"],
                "reason": line["reason"],
                "digest": line["digest"][:12],
            }
            for line in lines
        ]
        return pd.DataFrame(rows, columns=list(HISTORY))

    def text(self, name: str, *, dataset: str | None = None) -> str:
        """Give a policy as YAML, to read or to start one's own from; for the names see `named`.

        Files and ready-made ones are given as they were written, with their remarks.
        """
        if _is_file(name):
            self.named(name, dataset=dataset)
            return Path(name).read_text(encoding="utf-8-sig")
        return self.known_text(name, dataset=dataset)

    def _before(self, dataset: str, policy: Policy) -> list[Policy]:
        """Give the version that a policy would follow, ending the day before where it states no last day."""
        from datetime import timedelta

        from models.policy.document import Period
        from training.policies import policy_of
        from training.policy_record import history, terms

        home = self._advisor.settings.home
        last = next(reversed(terms(history(home, dataset), policy.level)), None)
        if last is None or last.activation.id != policy.id or last.activation.version == policy.version:
            return []
        before = policy_of(home, dataset, last)
        ends = policy.effective.start - timedelta(days=1)
        if last.until is not None or ends < last.start:
            return [before]
        days = Period.model_validate({"from": last.start, "until": ends})
        return [before.model_copy(update={"effective": days})]

    def _last_closed(self, dataset: str) -> LastClosed:
        from training.scoring.closings import last_closed_day

        home = self._advisor.settings.home

        def last_closed(level: EvaluationLevel) -> date | None:
            return last_closed_day(home, dataset, level=level)

        return last_closed

    def _today(self) -> date:
        return self._advisor.now().date()

    def _activated(self, name: str, dataset: str | None) -> Policy | None:
        """Find an activated policy; None where there is none of that name, or no data that one could be active for."""
        from training.policies import in_force, policy_of
        from training.policy_record import history, terms

        home = self._advisor.settings.home
        stored = dataset is not None or bool(self._advisor.store.versions())
        known = self._advisor.snapshot(dataset).about.dataset if stored else None
        if name == ACTIVE:
            found = None if known is None else in_force(home, known, self._today())
            if found is None:
                hint = "`loadline policy list` shows what is active; `loadline policy activate FILE` makes one so."
                raise LoadlineError("no policy is in force today", where=name, hint=hint)
            return found
        every = () if known is None else terms(history(home, known))
        named = [term for term in every if name in (term.activation.label, term.activation.id)]
        return policy_of(home, known, named[-1]) if known is not None and named else None


def _is_file(name: str) -> bool:
    return Path(name).is_file() or name.endswith(SUFFIXES)


def _ready_made(name: str) -> Policy | None:
    from models.policy.shipped import shipped

    return next((policy for policy in shipped().values() if name in (policy.id, policy.label)), None)
