"""The use cases of watching models: a look at them, and the proposals to train again that it opens."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import LoadlineError
from serving.watching import Kept
from training.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.advisor import Advisor
    from training.monitoring.looking import Look
    from training.monitoring.proposal import Proposal
    from training.monitoring.rules import CheckRules

KEPT = 4
"""Looks kept ready: of the newest figures of a few datasets, or of periods that somebody looks back at."""
COLUMNS = (
    "proposal",
    "state",
    "dataset",
    "check",
    "measured",
    "threshold",
    "opened_at",
    "by",
    "reason",
    "run",
    "finding",
)
"""Of the table of proposals."""


class Monitoring:
    """What those who answer for models ask for. Nothing here trains a model; accepting a proposal asks for a run.

    Parameters
    ----------
    advisor : Advisor
        Whose data and models are watched.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._kept: Kept[Look] = Kept(KEPT)
        self._looking = Lock()

    @property
    def _home(self) -> Path:
        return self._advisor.settings.home

    @property
    def rules(self) -> CheckRules:
        """Give the checks, as the home has them."""
        from training.monitoring.rules import CheckRules

        return CheckRules.read(self._home)

    def look(
        self,
        *,
        as_of: str | None = None,
        dataset: str | None = None,
        kinds: Sequence[str] | None = None,
        progress: Progress = silent,
    ) -> Look:
        """Make every check; without `as_of` proposals are opened, refreshed and settled on record.

        Parameters
        ----------
        as_of : str, optional
            Look back: only what was known at the end of this period, and models that had learned from nothing later;
            nothing is written.
        dataset : str, optional
            The one stored last by default.
        kinds : sequence of str, optional
            `target`, `warning`; both by default.
        progress : Progress

        Raises
        ------
        LoadlineError
            Where there is no such data or period, or a record is damaged.
        """
        from training.monitoring.looking import KINDS, with_proposals
        from training.monitoring.looking import look as look_at

        snapshot = self._advisor.snapshot(dataset)
        origin = self._advisor.origin(snapshot, as_of)
        asked = tuple(kinds or KINDS)
        if set(asked) - set(KINDS):
            raise LoadlineError(f"there is no model of kind {asked}", hint=f"Kinds: {', '.join(KINDS)}.")
        rules, latest = self.rules, as_of is None
        key = (snapshot.about.fingerprint, origin, latest, asked, rules, *self._rests_on(snapshot.about.dataset))
        with self._looking:
            seen = self._kept.get(key)
            if seen is None:
                seen = look_at(
                    snapshot, self._home, origin=origin, latest=latest, rules=rules, kinds=asked, progress=progress
                )
                self._kept.put(key, seen)
        if not latest:
            return seen
        from training.monitoring.proposals import note_findings

        opened = note_findings(
            self._home,
            seen.findings,
            about=seen.about,
            cool_down_days=rules.cool_down_days,
            clock=self._advisor.now,
        )
        return with_proposals(seen, opened, self.proposals(dataset=snapshot.about.dataset, open_only=True))

    def proposals(self, *, dataset: str | None = None, open_only: bool = False) -> tuple[Proposal, ...]:
        """List proposals, the newest first; of every dataset where none is named."""
        from training.monitoring.proposals import every_proposal

        found = every_proposal(self._home, dataset=dataset)
        return tuple(proposal for proposal in found if not open_only or proposal.state == "open")

    def proposal(self, name: str) -> Proposal:
        """Find a proposal.

        Raises
        ------
        LoadlineError
            Where there is none of that name.
        """
        from training.monitoring.proposals import find_proposal

        return find_proposal(self._home, name)

    def accept(self, name: str, *, by: str, reason: str, request: Callable[[Proposal], str] | None = None) -> Proposal:
        """Accept a proposal: a training run is asked for, of the kind of model concerned, and noted.

        Parameters
        ----------
        name : str
        by, reason : str
            Who decides, and why.
        request : callable, optional
            Asks for training and gives the name of the run; by default a run on the newest data version.

        Raises
        ------
        LoadlineError
            Where it is not open, or name or reason are missing.
        """
        from training.monitoring.proposals import accept

        done = accept(
            self._home, name, by=by, reason=reason, request=request or self._request(by), clock=self._advisor.now
        )
        self._advisor.audit.kept("accept_proposal", by=by, subject=done.name, dataset=done.dataset)
        return done

    def dismiss(self, name: str, *, by: str, reason: str) -> Proposal:
        """Dismiss a proposal; the same figures do not open it again.

        Raises
        ------
        LoadlineError
            Where it is not open, or name or reason are missing.
        """
        from training.monitoring.proposals import dismiss

        done = dismiss(self._home, name, by=by, reason=reason, clock=self._advisor.now)
        self._advisor.audit.kept("dismiss_proposal", by=by, subject=done.name, dataset=done.dataset)
        return done

    def table(self, *, dataset: str | None = None, open_only: bool = False) -> pd.DataFrame:
        """Give a row a proposal."""
        rows = []
        for proposal in self.proposals(dataset=dataset, open_only=open_only):
            told = proposal.as_dict()
            finding: dict[str, Any] = told["finding"]
            rows.append(
                {
                    **{name: told[name] for name in COLUMNS if name in told},
                    "measured": finding["measured"],
                    "threshold": " to ".join(f"{limit:g}" for limit in finding["threshold"]),
                    "finding": finding["text"]["en"],
                    "finding_zh": finding["text"]["zh"],
                }
            )
        return pd.DataFrame(rows, columns=[*COLUMNS, "finding_zh"])

    def _request(self, by: str) -> Callable[[Proposal], str]:
        def ask(proposal: Proposal) -> str:
            finding = proposal.finding
            run, _ = self._advisor.training.request(
                by=by,
                reason=f"proposal {proposal.name}: {finding.title.en}",
                dataset=proposal.dataset,
                kinds=(proposal.kind,),
                again=True,  # a person has said yes: that nothing else has changed is no reason not to
            )
            return run.name

        return ask

    def _rests_on(self, dataset: str) -> tuple[Any, ...]:
        """Give what a look rests on beside the data: the champions, decided reviews, and targets on record."""
        from training.monitoring.promises import SUGGESTIONS
        from training.promote import history
        from training.review.labels import dispositions
        from training.scoring.closings import closings
        from training.target_model import model_name as target_name
        from training.warning.fitting import model_name as warning_name

        champions = tuple(
            tuple(promotion.champion for promotion in history(self._home, name))
            for name in (target_name(dataset), warning_name(dataset))
        )
        decided = dispositions(self._home, dataset).to_json(date_format="iso")
        kept = tuple(sorted(path.name for path in (self._home / SUGGESTIONS).glob("*.parquet")))
        return champions, decided, len(closings(self._home, dataset)), kept
