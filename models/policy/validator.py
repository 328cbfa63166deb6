"""Whether a policy makes sense: every check of the catalogue, what speaks against it, and what has been accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from features.indicators import IndicatorSet
from models.policy.checks.cards import CARD_CHECKS
from models.policy.checks.check import Check, Finding, PolicyError, Subject
from models.policy.checks.grades import GRADE_CHECKS
from models.policy.checks.items import ITEM_CHECKS
from models.policy.checks.orders import ORDER_CHECKS
from models.policy.checks.rules import RULE_CHECKS
from models.policy.checks.units import UNIT_CHECKS
from models.policy.checks.versions import ACCEPTANCES, VERSION_CHECKS
from models.policy.document import Policy

__all__ = ["CHECKS", "Finding", "PolicyError", "check", "raise_if_errors"]

CHECKS: tuple[Check, ...] = (
    *CARD_CHECKS,
    *UNIT_CHECKS,
    *GRADE_CHECKS,
    *ITEM_CHECKS,
    *RULE_CHECKS,
    *ORDER_CHECKS,
    *VERSION_CHECKS,
)
"""All checks but the one of acceptances, which depends on what the others find."""


def check(
    policy: Policy,
    *,
    indicators: IndicatorSet | None = None,
    units: pd.DataFrame | None = None,
    earlier: Sequence[Policy] = (),
) -> tuple[Finding, ...]:
    """List what speaks against a policy; warnings that the policy itself records as accepted are left out.

    Parameters
    ----------
    policy : Policy
    indicators : IndicatorSet, optional
        Those of the dataset, or the built-in library. Without them nothing is checked that depends on them.
    units : pd.DataFrame, optional
        Attributes by unit code, as `UnitTree.attributes` has them; with them it is checked that each unit is covered.
    earlier : sequence of Policy
        Other versions of the same policy; those of other policies are passed over.

    Returns
    -------
    tuple of Finding
        Errors first, then by place and code.
    """
    others = tuple(other for other in earlier if other.id == policy.id and other != policy)
    subject = Subject(policy, indicators, units, others)
    found = [finding for entry in CHECKS for finding in entry.findings(subject)]
    unseen = frozenset(entry.code for entry in CHECKS if not entry.can_look(subject))
    found += ACCEPTANCES.findings(replace(subject, found=tuple(found), unseen=unseen))
    accepted = {acceptance.finding for acceptance in policy.accepted}
    left = [finding for finding in found if finding.severity == "error" or finding.code not in accepted]
    return tuple(sorted(left, key=lambda f: (f.severity != "error", f.where, f.code, f.what["en"])))


def raise_if_errors(findings: Sequence[Finding]) -> None:
    """Refuse a policy with errors.

    Raises
    ------
    PolicyError
        With everything that was found.
    """
    if any(finding.severity == "error" for finding in findings):
        raise PolicyError(tuple(findings))
