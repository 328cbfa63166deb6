"""Which policy answers on a day: the file given, the activated one, the dataset's own, or equal weights."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from features.dataset import Dataset
from features.store import Snapshot
from features.units import FOREVER
from models.policy.document import Period, Policy
from models.policy.reading import STORED, policy_from, read_policy
from models.policy.shipped import default_policy
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from models.policy.validator import check, raise_if_errors
from training.policy_record import EvaluationLevel, Term, history, kept_policy, terms


def term_on(home: str | Path, dataset: str, day: date, *, level: EvaluationLevel | None = None) -> Term | None:
    """Find the version in force on a day; of both levels, the internal one comes first."""
    return next((term for term in terms(history(home, dataset), level) if term.holds(day)), None)


def in_force(home: str | Path, dataset: str, day: date, *, level: EvaluationLevel | None = None) -> Policy | None:
    """Read the policy in force on a day, verified against the record; None where none is.

    Its `effective` days are those of the record: a version that another one followed ends the day before.

    Raises
    ------
    LoadlineError
        Where the copy or the record is damaged.
    """
    term = term_on(home, dataset, day, level=level)
    return None if term is None else policy_of(home, dataset, term)


def policy_of(home: str | Path, dataset: str, term: Term) -> Policy:
    """Read the policy of a term, verified against the record, with the term's days as its own."""
    policy = kept_policy(home, dataset, term.activation)
    if policy.effective.until == term.until:
        return policy
    return policy.model_copy(update={"effective": Period.model_validate({"from": term.start, "until": term.until})})


def found_policy(
    snapshot: Snapshot, home: str | Path, *, day: date, given: Path | None = None
) -> tuple[Policy, str] | None:
    """Find the policy that answers on a day: the file given, the activated one, or the one that the dataset came with.

    Returns
    -------
    policy : Policy
    note : str
        Where it comes from, in a sentence.

    Raises
    ------
    LoadlineError
        Where it has errors or cannot be read.
    """
    dataset = snapshot.about.dataset
    if given is not None:
        policy = read_policy(given)
        note = f"Policy {policy.label} from the file {given}"
        outside = "" if holds(policy, day) else f"; {day} lies outside its days in force"
        return policy, f"{note}{outside}.{_cautions(policy, snapshot)}"
    active = in_force(home, dataset, day)
    if active is not None:
        return active, f"Policy {active.label}, activated and in force on {day}."
    if snapshot.policy is None:
        return None
    policy = policy_from(snapshot.policy)
    if not holds(policy, day):
        return None
    return policy, f"Policy {policy.label}, which came with the dataset {dataset}.{_cautions(policy, snapshot)}"


def policy_for(snapshot: Snapshot, home: str | Path, *, day: date, given: Path | None = None) -> tuple[Policy, str]:
    """Give the policy that answers on a day, equal weights where there is none; see `found_policy`."""
    found = found_policy(snapshot, home, day=day, given=given)
    if found is not None:
        return found
    policy = default_policy(snapshot.indicators)
    return policy, f"No policy is in force on {day}: the default of equal weights, {policy.label}, stands in."


def check_own_policy(dataset: Dataset) -> tuple[str, ...]:
    """Check the policy that a dataset comes with, before anything is stored; give what it warns of as notes.

    Raises
    ------
    TableError, PolicyError
        With everything that is wrong with it.
    """
    if dataset.policy is None:
        return ()
    policy = read_policy(dataset.folder / STORED)
    today = dataset.tree.attributes[dataset.tree.valid(FOREVER)]
    findings = check(policy, indicators=dataset.indicators, units=today)
    raise_if_errors(findings)
    return tuple(f"{STORED}: {finding.what['en']}" for finding in findings)


def target_policy_on(snapshot: Snapshot, home: str | Path, day: date) -> TargetPolicy:
    """Give what the policy that answers on a day says about targets; the default where there is none."""
    found = found_policy(snapshot, home, day=day)
    return DEFAULT_POLICY if found is None else found[0].target_policy


def current_units(snapshot: Snapshot) -> pd.DataFrame:
    """Give the attributes of the units that exist in the last period with figures."""
    tree = snapshot.tree
    return tree.attributes[tree.valid(snapshot.span[1])]


def holds(policy: Policy, day: date) -> bool:
    """Tell whether a day is one of those on which a policy states that it is in force."""
    days = policy.effective
    return days.start <= day and (days.until is None or day <= days.until)


def _cautions(policy: Policy, snapshot: Snapshot) -> str:
    """Refuse errors; name the warnings that nobody has accepted."""
    findings = check(policy, indicators=snapshot.indicators, units=current_units(snapshot))
    raise_if_errors(findings)
    codes = sorted({finding.code for finding in findings})
    return f" Nobody has accepted what the check warns of: {', '.join(codes)}." if codes else ""
