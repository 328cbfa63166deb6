"""What endpoints and pages ask about the watch over models, in the form in which they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request

from features.errors import LoadlineError
from serving.api.alert_desk import GIVEN
from serving.api.desk import Desk
from serving.errors import InvalidError, NotFoundError
from serving.jobs import Jobs
from serving.schemas import Sentence
from serving.watch_schemas import ProposalLine, WatchFinding, WatchLook, WatchProposal

if TYPE_CHECKING:
    from serving.watch_schemas import ProposalDecision
    from training.monitoring.finding import Finding
    from training.monitoring.looking import Look
    from training.monitoring.proposals import Proposal


class WatchDesk:
    """Asks the advisor about the watch over models; one for an application.

    Parameters
    ----------
    desk : Desk
    jobs : Jobs
        Has the training that is asked for worked on.
    """

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        self.desk = desk
        self.jobs = jobs

    def look(self, *, dataset: str | None = None) -> WatchLook:
        """Give what the checks find now; made once for the same data, models and reviews.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        LoadlineError
            Where a record or a model is damaged.
        """
        name = self.desk.directory(dataset).snapshot.about.dataset
        return look_answer(self.desk.advisor.monitoring.look(dataset=name))

    def proposals(self, *, dataset: str | None = None, state: str | None = None) -> list[WatchProposal]:
        """List the proposals, the newest first.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        """
        if dataset is not None:
            self.desk.directory(dataset)
        found = self.desk.advisor.monitoring.proposals(dataset=dataset)
        return [proposal_answer(proposal) for proposal in found if state in (None, proposal.state)]

    def find(self, name: str) -> WatchProposal:
        """Find a proposal.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        """
        return proposal_answer(self._found(name))

    def accept(self, name: str, decision: ProposalDecision) -> WatchProposal:
        """Accept a proposal: training is asked for, and worked on.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        LoadlineError
            Where it is decided already.
        """
        monitoring = self.desk.advisor.monitoring
        by, reason = decision.signer, decision.reason
        accepted = self._decided(name, lambda known: monitoring.accept(known, by=by, reason=reason))
        self.jobs.wake()
        return accepted

    def dismiss(self, name: str, decision: ProposalDecision) -> WatchProposal:
        """Dismiss a proposal: the same figures do not open it again.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        LoadlineError
            Where it is decided already.
        """
        monitoring = self.desk.advisor.monitoring
        by, reason = decision.signer, decision.reason
        return self._decided(name, lambda known: monitoring.dismiss(known, by=by, reason=reason))

    def _decided(self, name: str, decide: Callable[[str], Proposal]) -> WatchProposal:
        known = self._found(name).name
        try:
            return proposal_answer(decide(known))
        except LoadlineError as error:
            if error.where.startswith(GIVEN):
                raise InvalidError(error.what, hint=error.hint) from error
            raise

    def _found(self, name: str) -> Proposal:
        every = self.desk.advisor.monitoring.proposals()
        found = next((proposal for proposal in every if proposal.name == name), None)
        if found is None:
            raise NotFoundError(f"there is no proposal {name!r}", hint="GET /api/v1/proposals lists them.")
        return found


def look_answer(found: Look) -> WatchLook:
    """Give a look as the API has it."""
    about = found.about
    return WatchLook(
        dataset=about["dataset"],
        data_version=about["data_version"],
        as_of=about["as_of"],
        known_on=about["known_on"],
        models=dict(about["models"]),
        summary=Sentence(en=found.summary.en, zh=found.summary.zh),
        findings=[finding_answer(finding) for finding in found.findings],
        open=[proposal_answer(proposal) for proposal in found.standing],
    )


def proposal_answer(found: Proposal) -> WatchProposal:
    """Give a proposal as the API has it."""
    return WatchProposal(
        proposal=found.name,
        dataset=found.dataset,
        kind=found.kind,
        state=found.state,
        finding=finding_answer(found.finding),
        run=found.run,
        lines=[
            ProposalLine(at=line.at, by=line.by, action=line.action, reason=line.reason, run=line.run)
            for line in found.lines
        ],
    )


def finding_answer(found: Finding) -> WatchFinding:
    """Give a finding as the API has it."""
    told = found.as_dict()
    return WatchFinding(
        check=found.check,
        title=Sentence(en=found.title.en, zh=found.title.zh),
        model=found.model,
        version=found.version,
        state=found.state,
        measured=told["measured"],
        threshold=list(found.threshold),
        interval=_whole(told["interval"]),
        sample=found.sample,
        text=Sentence(en=found.text.en, zh=found.text.zh),
        table=told["table"],
        flagged=list(found.flagged),
    )


def _whole(interval: list[float | None] | None) -> list[float] | None:
    if interval is None:
        return None
    ends = [end for end in interval if end is not None]
    return ends if len(ends) == 2 else None


async def watch_of(request: Request) -> WatchDesk:
    """Give the watch desk of the application that is asked."""
    return request.app.state.watch
