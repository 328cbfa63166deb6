"""Policies: read, checked, compared, put in force and taken back. Documents are untrusted text, never a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from features.errors import LoadlineError
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.units import DatasetName
from serving.errors import InvalidError, NotFoundError
from serving.policy_schemas import (
    ActivationAsked,
    PolicyChange,
    PolicyCheckAsked,
    PolicyChecked,
    PolicyDecision,
    PolicyDetail,
    PolicyDifference,
    PolicyFinding,
    WithdrawalAsked,
)
from serving.policy_text import policy_of_text
from serving.schemas import Sentence

if TYPE_CHECKING:
    from models.policy.difference import Change
    from models.policy.document import Policy
    from models.policy.validator import Finding
    from training.policy_record import Activation

router = APIRouter(tags=["policies"])

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[A-Za-z0-9][A-Za-z0-9._-]{0,39})?$"
"""An id, or an id and a version: nothing that leads anywhere."""
PolicyName = Annotated[
    str,
    Path(
        max_length=150,
        pattern=NAME_PATTERN,
        description="`active`, an activated policy such as branch@2, or a ready-made one.",
        examples=["retail-line"],
    ),
]
Compared = Annotated[
    str,
    Query(
        max_length=150,
        pattern=NAME_PATTERN,
        description="`active`, an activated policy such as branch@2, or a ready-made one.",
        examples=["retail-line"],
    ),
]
TheDesk = Annotated[Desk, Depends(desk_of)]


@router.post("/policies/check", summary="Check a policy", operation_id="check_policy")
def check_policy(asked: PolicyCheckAsked, desk: TheDesk, dataset: DatasetName = None) -> PolicyChecked:
    """Tell what speaks against a policy: its own weights, supervisors' rules, the stored data. Nothing is kept."""
    name = desk.directory(dataset).snapshot.about.dataset
    found = desk.advisor.policies.checked(policy_of_text(asked.document), dataset=name)
    return PolicyChecked(
        policy=found.policy.label,
        against=found.against,
        errors=found.errors,
        findings=[_finding(finding) for finding in found.findings],
    )


@router.get("/policies/diff", summary="Compare two policies", operation_id="compare_policies")
def compare_policies(
    response: Response, desk: TheDesk, old: Compared, new: Compared, dataset: DatasetName = None
) -> PolicyDifference:
    """Tell each difference in a sentence, and what it asks for before it counts."""
    from models.policy.difference import differences

    before, after = (_known(desk, name, dataset) for name in (old, new))
    answer = PolicyDifference(
        old=before.label, new=after.label, changes=[_change(change) for change in differences(before, after)]
    )
    response.headers["ETag"] = entity_tag("policy-difference", answer.model_dump_json())
    return answer


@router.get("/policies/{policy}", summary="Read a policy", operation_id="get_policy")
def get_policy(response: Response, policy: PolicyName, desk: TheDesk, dataset: DatasetName = None) -> PolicyDetail:
    """Give a policy as YAML, with what it is called and when it is in force."""
    from models.policy.reading import policy_digest

    found = _known(desk, policy, dataset)
    text = desk.advisor.policies.known_text(policy, dataset=desk.directory(dataset).snapshot.about.dataset)
    response.headers["ETag"] = entity_tag("policy", policy_digest(found), text)
    return PolicyDetail(
        id=found.id,
        version=found.version,
        title=Sentence(en=found.title.en, zh=found.title.zh),
        level=found.level,
        source=found.source,
        effective_from=found.effective.start,
        effective_until=found.effective.until,
        digest=policy_digest(found),
        document=text,
    )


@router.post("/policies/{policy}/activate", summary="Put a policy in force", operation_id="activate_policy")
def activate_policy(
    asked: ActivationAsked, policy: PolicyName, desk: TheDesk, dataset: DatasetName = None
) -> PolicyDecision:
    """Put a policy in force from its first day on. Refused where it has errors or reaches into a closed period."""
    from models.policy.document import Period

    name = desk.directory(dataset).snapshot.about.dataset
    found = _known(desk, policy, dataset) if asked.document is None else policy_of_text(asked.document)
    if policy not in (found.label, found.id):
        hint = f"Send it to /api/v1/policies/{found.label}/activate, or change the document."
        raise InvalidError(f"the document is {found.label}, the address says {policy}", hint=hint)
    if asked.effective_from is not None:
        until = found.effective.until
        if until is not None and until < asked.effective_from:
            raise InvalidError(f"the policy ends on {until}, before it would begin", hint="Send an earlier day.")
        days = Period.model_validate({"from": asked.effective_from, "until": until})
        found = found.model_copy(update={"effective": days})
    done = desk.advisor.policies.put_in_force(
        found, by=asked.signer, reason=asked.reason, accept=asked.accept, cut_short=asked.cut_short, dataset=name
    )
    _note(desk, done, name)
    return _decision(done)


@router.post("/policies/{policy}/withdraw", summary="Take a policy back", operation_id="withdraw_policy")
def withdraw_policy(
    asked: WithdrawalAsked, policy: PolicyName, desk: TheDesk, dataset: DatasetName = None
) -> PolicyDecision:
    """Take the last activated policy back, as long as no period was closed under it; the one before goes on."""
    name = desk.directory(dataset).snapshot.about.dataset
    label = _known(desk, policy, dataset).label
    done = desk.advisor.policies.withdraw(by=asked.signer, reason=asked.reason, label=label, dataset=name)
    _note(desk, done, name)
    return _decision(done)


def _known(desk: Desk, name: str, dataset: str | None) -> Policy:
    known = desk.directory(dataset).snapshot.about.dataset
    try:
        return desk.advisor.policies.known(name, dataset=known)
    except LoadlineError as error:
        if type(error) is not LoadlineError:
            raise
        hint = "GET /api/v1/policies lists those activated and those that come with the software."
        raise NotFoundError(error.what, hint=hint) from error


def _note(desk: Desk, done: Activation, dataset: str) -> None:
    """Note a decision in the audit, too; the record of policies itself is the one that counts."""
    detail = {"by": done.by, "reason": done.reason, "digest": done.digest, "from": done.start.isoformat()}
    with desk.advisor.database.write() as connection:
        desk.advisor.audit.write(
            connection, f"policy.{done.action}", subject=f"policy {done.label}", dataset=dataset, detail=detail
        )


def _finding(finding: Finding) -> PolicyFinding:
    return PolicyFinding(
        code=finding.code,
        severity=finding.severity,
        where=finding.where,
        what=Sentence(en=finding.what["en"], zh=finding.what["zh"]),
        hint=Sentence(en=finding.hint, zh=finding.hint_zh),
        source=finding.source,
    )


def _change(change: Change) -> PolicyChange:
    asked = change.consequence.text
    return PolicyChange(
        kind=change.kind,
        where=change.where,
        before=change.before,
        after=change.after,
        text=Sentence(en=change.text.en, zh=change.text.zh),
        consequence=Sentence(en=asked.en, zh=asked.zh),
        retrain=change.retrain,
    )


def _decision(done: Activation) -> PolicyDecision:
    return PolicyDecision(
        action=done.action,
        policy=done.label,
        level=done.level,
        effective_from=done.start,
        effective_until=done.until,
        at=done.at,
        by=done.by,
        reason=done.reason,
        digest=done.digest,
        ended=None if done.shortened is None else done.shortened.label,
        accepted=sorted({finding["finding"] for finding in done.accepted}),
    )
