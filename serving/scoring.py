"""The use cases of scoring: the scores of a period, closing it for good, and looking at what was closed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from serving.plans.published import PublishedPlan, published_plan, targets_of
from training.progress import Progress, silent

if TYPE_CHECKING:
    from models.policy.document import Policy
    from serving.advisor import Advisor
    from training.scoring.archive import ClosedScores, Reproduction
    from training.scoring.closings import Closing
    from training.scoring.network import Network

NO_GRADE = "no grade"
NO_TARGETS = (
    "No targets are given, so items against a target have no points: publish a plan, or add --targets FILE or "
    "--suggested-targets."
)
NOT_COMPARED = "The policy compares no item with a target, so the targets bear on no score."
COMMON_REASONS = 5
"""Reasons for having no score that are listed; the others are counted."""


@dataclass(frozen=True)
class ScoreRequest:
    """What is to be scored, and how.

    Attributes
    ----------
    period : str
        A period; a bare year stands for its last one.
    policy : Path, optional
        A policy file; by default the policy in force on the period's last day, and of a closed period its own.
    targets : Path, optional
        A table of the targets that were set; by default those of the published plan.
    suggested_targets : bool
        True to compare with what would have been suggested at the end of the year before.
    known_on : date, optional
        Leave out what became known after this day.
    """

    period: str
    policy: Path | None = None
    targets: Path | None = None
    suggested_targets: bool = False
    known_on: date | None = None


@dataclass(frozen=True, eq=False)
class PeriodScores:
    """The scores of a period, with what they were compared with.

    Attributes
    ----------
    period : str
    network : Network
    targets : pd.DataFrame or None
    known_on_given : bool
    policy_note : str
        Which policy answers, and why.
    notes : tuple of str
    """

    period: str
    network: Network
    targets: pd.DataFrame | None
    known_on_given: bool
    policy_note: str
    notes: tuple[str, ...]

    def summary(self) -> pd.DataFrame:
        """Give one row a unit; see `training.scoring.tables.summary`."""
        from training.scoring.tables import summary

        return summary(self.network)

    def lines(self) -> pd.DataFrame:
        """Give one row a unit and line; see `training.scoring.lines.lines`."""
        from training.scoring.lines import lines

        return lines(self.network)


class Scoring:
    """What HR asks for when a period is over, and what an appeal asks for later.

    Parameters
    ----------
    advisor : Advisor
        Whose data, policies and models answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def score(self, asked: ScoreRequest, *, dataset: str | None = None, progress: Progress = silent) -> PeriodScores:
        """Score all units on a scorecard in a period; nothing is stored.

        Where no targets are asked for, the published plan of the year counts, as far as it was known.

        Raises
        ------
        LoadlineError
            Where the period lies outside the data, no unit is on a scorecard, the targets are of another year, or the
            policy has errors.
        """
        from training.scoring.needs import needs_of
        from training.scoring.network import GIVEN, score_network

        snapshot = self._advisor.snapshot(dataset)
        calendar = snapshot.description.calendar
        ordinal = self.ordinal(snapshot, asked.period)
        period = calendar.format(ordinal)
        policy, note, targets, version = self._found(snapshot, asked, ordinal=ordinal)
        compared = bool(needs_of(policy, snapshot.indicators).targeted)
        published = self._published(snapshot, asked, ordinal=ordinal) if compared else None
        if published is not None:
            targets, version = targets_of(self._advisor.database, published), published.label
        elif targets is None and asked.suggested_targets:
            from training.scoring.suggested import suggested_targets

            targets = suggested_targets(
                snapshot,
                int(calendar.year(ordinal)),
                home=self._advisor.settings.home,
                policy=policy.target_policy,
                known_on=asked.known_on,
                progress=progress,
            )
            version = ", ".join(sorted(set(targets["model_version"]) - {""}))
        network = score_network(
            snapshot,
            policy,
            [ordinal],
            targets=targets,
            targets_version=version or GIVEN,
            known_on=asked.known_on,
        )
        notes = list(network.notes) if published is None else [published.note, *network.notes]
        if compared is (targets is None):
            notes.insert(0, NO_TARGETS if compared else NOT_COMPARED)
        return PeriodScores(period, network, targets, asked.known_on is not None, note, tuple(notes))

    def close(
        self, scores: PeriodScores, *, by: str, reason: str = "", dataset: str | None = None
    ) -> tuple[Closing, bool]:
        """Close a period, or put a restated version beside it; see `training.scoring.archive.close`."""
        from training.scoring.archive import close

        name = self._advisor.snapshot(dataset).about.dataset
        closing, new = close(
            self._advisor.settings.home,
            scores.network,
            dataset=name,
            targets=scores.targets,
            known_on_given=scores.known_on_given,
            by=by,
            reason=reason,
            clock=self._advisor.now,
        )
        if new:
            subject = f"{closing.period} version {closing.version}"
            self._advisor.audit.kept("scores.close", by=by, subject=subject, dataset=name)
        return closing, new

    def closings(self, *, dataset: str | None = None) -> pd.DataFrame:
        """List the versions of closed periods, the oldest first."""
        from training.scoring.closings import closings

        columns = ["period", "level", "version", "at", "by", "reason", "policy", "targets", "data_version", "known_on"]
        every = closings(self._advisor.settings.home, self._advisor.snapshot(dataset).about.dataset)
        return pd.DataFrame([{name: getattr(c, name) for name in columns} for c in every], columns=columns)

    def closed(
        self, period: str, *, version: int | None = None, level: str | None = None, dataset: str | None = None
    ) -> ClosedScores:
        """Read a version of a closed period, the last by default."""
        from training.scoring.archive import read_closed

        snapshot = self._advisor.snapshot(dataset)
        return read_closed(
            self._advisor.settings.home,
            snapshot.about.dataset,
            self._written(snapshot, period),
            level=level,
            version=version,
        )

    def reproduce(
        self, period: str, *, version: int | None = None, level: str | None = None, dataset: str | None = None
    ) -> Reproduction:
        """Score a closed period again from what is stored, and compare every figure."""
        from training.scoring.archive import reproduce

        snapshot = self._advisor.snapshot(dataset)
        return reproduce(
            self._advisor.settings.home,
            self._advisor.store,
            snapshot.about.dataset,
            self._written(snapshot, period),
            level=level,
            version=version,
        )

    def ordinal(self, snapshot: Snapshot, period: str) -> int:
        """Read a period; a bare year stands for its last one.

        Raises
        ------
        LoadlineError
            Where it is no period, or lies outside the data.
        """
        try:
            return self._advisor.origin(snapshot, period)
        except LoadlineError as error:
            raise LoadlineError(error.what, where="--period", hint=error.hint) from error

    def published(self, asked: ScoreRequest, *, dataset: str | None = None) -> PublishedPlan | None:
        """Give the published plan that scores of a period are held against; None where others count, or none is known.

        A closed period keeps the targets that it was closed with.
        """
        snapshot = self._advisor.snapshot(dataset)
        return self._published(snapshot, asked, ordinal=self.ordinal(snapshot, asked.period))

    def _published(self, snapshot: Snapshot, asked: ScoreRequest, *, ordinal: int) -> PublishedPlan | None:
        from training.scoring.closings import latest

        if asked.targets is not None or asked.suggested_targets:
            return None
        home, calendar, dataset = self._advisor.settings.home, snapshot.description.calendar, snapshot.about.dataset
        if asked.policy is None and latest(home, dataset, calendar.format(ordinal)) is not None:
            return None
        year = int(calendar.year(ordinal))
        return published_plan(self._advisor.database, dataset, year, known_on=asked.known_on)

    def _written(self, snapshot: Snapshot, period: str) -> str:
        return snapshot.description.calendar.format(self.ordinal(snapshot, period))

    def _found(
        self, snapshot: Snapshot, asked: ScoreRequest, *, ordinal: int
    ) -> tuple[Policy, str, pd.DataFrame | None, str]:
        """Find the policy and the targets: those given; of a closed period its own; else the policy in force."""
        from training.policies import policy_for
        from training.scoring.archive import read_closed
        from training.scoring.closings import latest
        from training.target_file import read_target_file

        home, calendar, dataset = self._advisor.settings.home, snapshot.description.calendar, snapshot.about.dataset
        targets = None if asked.targets is None else read_target_file(asked.targets, snapshot)
        standing = None if asked.policy is not None else latest(home, dataset, calendar.format(ordinal))
        if standing is None:
            policy, note = policy_for(snapshot, home, day=calendar.end(ordinal), given=asked.policy)
            return policy, note, targets, ""
        closed = read_closed(home, dataset, standing.period, level=standing.level, version=standing.version)
        note = f"Policy {closed.policy.label}, under which {standing.period} was closed (version {standing.version})."
        if targets is not None or asked.suggested_targets:
            return closed.policy, note, targets, ""
        return closed.policy, note, closed.targets, standing.targets if closed.targets is not None else ""


def told(scores: PeriodScores, table: pd.DataFrame) -> list[str]:
    """Say in sentences what came of scoring a period.

    Parameters
    ----------
    scores : PeriodScores
    table : pd.DataFrame
        Its summary.
    """
    scored = table["score"].notna()
    said = [scores.policy_note, f"{int(scored.sum()):,} of {len(table):,} units have a score in {scores.period}."]
    counts = table.loc[scored, "grade"].value_counts()
    names = [grade.name for grade in scores.network.policy.grades]
    if names:
        said.append("Grades: " + ", ".join(f"{name} {int(counts.get(name, 0)):,}" for name in names) + ".")
    reasons = Counter(table.loc[~scored, "reason"])
    for reason, count in reasons.most_common(COMMON_REASONS):
        said.append(f"{_units(count)} no score: {shortened(reason)}.")
    rest = len(reasons) - COMMON_REASONS
    if rest > 0:
        left = sum(sorted(reasons.values())[:rest])
        said.append(f"{_units(left)} no score for {rest:,} other reasons: see the column `reason`.")
    return [*said, *(f"Note: {note}" for note in scores.notes)]


def _units(count: int) -> str:
    return f"{count:,} unit has" if count == 1 else f"{count:,} units have"


LONGEST_REASON = 160
"""Characters of a reason shown on a terminal; the table has all."""


def shortened(text: str) -> str:
    """Cut a long text for a terminal."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON].rsplit(' ', 1)[0]} ..."
