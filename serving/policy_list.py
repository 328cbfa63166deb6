"""The policies of a dataset as answers: those activated, the one it came with, and which one answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from features.store import Snapshot
from models.policy.document import Policy
from models.policy.reading import policy_digest, policy_from
from models.policy.shipped import shipped
from serving.schemas import Sentence
from serving.score_schemas import PolicyInForce, PolicyList
from training.policies import policy_for, policy_of
from training.policy_record import history, terms

if TYPE_CHECKING:
    from serving.advisor import Advisor


def policy_list(advisor: Advisor, snapshot: Snapshot) -> PolicyList:
    """List the policies of a dataset, the latest first, and say which one answers for the last period with figures.

    Raises
    ------
    LoadlineError
        Where a record is damaged, or the policy that would answer has errors.
    """
    home, dataset = advisor.settings.home, snapshot.about.dataset
    day = snapshot.description.calendar.end(snapshot.span[1])
    answering, note = policy_for(snapshot, home, day=day)
    digest = policy_digest(answering)

    def entry(policy: Policy, origin: Literal["activated", "dataset", "default"]) -> PolicyInForce:
        days = None if origin == "default" else policy.effective
        return PolicyInForce(
            id=policy.id,
            version=policy.version,
            title=Sentence(en=policy.title.en, zh=policy.title.zh),
            level=policy.level,
            source=policy.source,
            effective_from=None if days is None else days.start,
            effective_until=None if days is None else days.until,
            origin=origin,
            answers=policy_digest(policy) == digest,
        )

    activated = [policy_of(home, dataset, term) for term in terms(history(home, dataset))]
    items = [entry(policy, "activated") for policy in reversed(activated)]
    if snapshot.policy is not None:
        items.append(entry(policy_from(snapshot.policy), "dataset"))
    if not any(item.answers for item in items):
        items.append(entry(answering, "default"))
    return PolicyList(items=items, note=note, shipped=list(shipped()))
