"""How a model remembers the policy that it was trained under, and how that policy is found again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

from features.snapshot import Snapshot
from models.policy.default import DEFAULT_ID, default_policy
from models.policy.document import Policy
from models.policy.reading import policy_digest, policy_from
from training.policies import found_policy, policy_of
from training.policy_record import history, kept_policy, terms

DEFAULT = "default"
"""Mark of equal weights, which stand in where no policy is in force."""
UNKNOWN = ("default-1", "")
"""What models carry that were trained before policies were noted."""
DIGITS = 12
"""Hexadecimal digits of a policy's digest in its mark."""


def policy_day(snapshot: Snapshot, origin: int) -> date:
    """Give the day whose policy a model of an origin belongs to: the first on which it answers.

    Targets of a year follow the policy of its first day, and a new policy begins after the last closed period.
    """
    return snapshot.description.calendar.end(origin) + timedelta(days=1)


def policy_mark(snapshot: Snapshot, home: str | Path, day: date) -> str:
    """Name the policy that answers on a day by its label and content: `branch@2 3f2a9c01b7de`, or `default`."""
    found = found_policy(snapshot, home, day=day)
    return DEFAULT if found is None else mark_of(found[0])


def decided_mark(snapshot: Snapshot, home: str | Path, origin: int, *, today: date) -> str:
    """Name the policy that was decided on last, which may begin in the middle of a year or only in time to come.

    Its change is what a run answers to: new rules are tried in shadow before they count.
    """
    starts = (term.start for term in terms(history(home, snapshot.about.dataset)))
    return policy_mark(snapshot, home, max(policy_day(snapshot, origin), today, *starts))


def mark_of(policy: Policy) -> str:
    """Name a policy by its label and content; the days on which it is in force do not count."""
    if policy.id == DEFAULT_ID:
        return DEFAULT
    return f"{policy.label} {_digest(policy)}"


def marked_policy(snapshot: Snapshot, home: str | Path, mark: str, *, day: date) -> Policy | None:
    """Find the policy that a mark names: on the record of activations, or among those that came with the data.

    Parameters
    ----------
    snapshot : Snapshot
        The data version whose indicators the default weighs, and whose history is searched.
    home : Path
    mark : str
        As of `policy_mark`, or a bare label; that of equal weights names those of some data version.
    day : date
        Whose policy an `UNKNOWN` mark stands for.

    Returns
    -------
    Policy or None
        None where there is no such policy any more.
    """
    dataset, (label, _, digest) = snapshot.about.dataset, mark.partition(" ")
    if mark in UNKNOWN:
        found = found_policy(snapshot, home, day=day)
        return default_policy(snapshot.indicators) if found is None else found[0]
    if mark == DEFAULT:
        return default_policy(snapshot.indicators)
    if label.startswith(f"{DEFAULT_ID}@"):
        defaults = (default_policy(version.indicators) for version in _versions(snapshot))
        return next((policy for policy in defaults if policy.label == label), None)
    record = history(home, dataset)
    of_terms = {term.activation.digest: policy_of(home, dataset, term) for term in terms(record)}
    activated = [of_terms.get(one.digest) or kept_policy(home, dataset, one) for one in record if one.label == label]
    own = (policy_from(version.policy) for version in _versions(snapshot) if version.policy is not None)
    candidates = chain(reversed(activated), own)
    return next((p for p in candidates if p.label == label and digest in ("", _digest(p))), None)


def _digest(policy: Policy) -> str:
    """Give the digest of a policy without the day on which it ends, which what follows may bring forward."""
    effective = policy.effective.model_copy(update={"until": None})
    return policy_digest(policy.model_copy(update={"effective": effective}))[:DIGITS]


def _versions(snapshot: Snapshot) -> Iterator[Snapshot]:
    """Give the data versions of a chain, the newest first."""
    for length in range(len(snapshot.chain), 0, -1):
        yield Snapshot(snapshot.tables, snapshot.chain[:length])
