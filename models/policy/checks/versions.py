"""Checks of a policy in time: its other versions, and what has been accepted in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from features.indicators import Title
from models.policy.checks.check import Check, Place, Subject

ONE_DAY = timedelta(days=1)


def _between(subject: Subject, *, gap: bool) -> Iterator[Place]:
    """Compare versions that follow each other; one without an end is ended by the next."""
    policy = subject.policy
    versions = sorted((*subject.earlier, policy), key=lambda version: (version.effective.start, version.version))
    for before, after in pairwise(versions):
        if policy not in (before, after):
            continue
        start, until = after.effective.start, before.effective.until
        names = {"before": before.version, "after": after.version, "start": start, "until": until}
        if gap and until is not None and start > until + ONE_DAY:
            yield "effective", names | {"first": until + ONE_DAY, "last": start - ONE_DAY}
        elif not gap and (start == before.effective.start or (until is not None and start <= until)):
            yield "effective", names | {"until": until or "", "from": before.effective.start}


def _gaps(subject: Subject) -> Iterator[Place]:
    return _between(subject, gap=True)


def _overlaps(subject: Subject) -> Iterator[Place]:
    return _between(subject, gap=False)


def _reused(subject: Subject) -> Iterator[Place]:
    policy = subject.policy
    if any(other.version == policy.version for other in subject.earlier):
        yield "version", {"label": policy.label}


def _idle_acceptances(subject: Subject) -> Iterator[Place]:
    warnings = {finding.code for finding in subject.found if finding.severity == "warning"}
    for code in dict.fromkeys(acceptance.finding for acceptance in subject.policy.accepted):
        if code not in warnings | subject.unseen:
            yield f"accepted.{code}", {"code": code}


VERSION_CHECKS = (
    Check(
        "version-overlap",
        "error",
        Title(
            en="version {after} begins on {start}, while version {before} is in force from {from} to {until}",
            zh="版本{after}自{start}起执行，与版本{before}的有效期（{from}至{until}）重叠",
        ),
        Title(
            en="Begin the day after the other ends, or end the other earlier.",
            zh="请从上一版本失效次日起执行，或提前终止上一版本。",
        ),
        _overlaps,
    ),
    Check(
        "version-gap",
        "error",
        Title(
            en="no version is in force from {first} to {last}, between {before} and {after}",
            zh="{first}至{last}期间没有有效版本（介于版本{before}与{after}之间）",
        ),
        Title(
            en="Let the versions follow each other day by day, or leave the end of the earlier one open.",
            zh="请使各版本首尾衔接，或不设上一版本的截止日。",
        ),
        _gaps,
    ),
    Check(
        "version-reused",
        "error",
        Title(en="{label} already stands for another content", zh="{label}已用于另一份内容不同的办法"),
        Title(en="Give the changed policy a version of its own.", zh="请为修改后的办法编新的版本号。"),
        _reused,
    ),
)
"""Of versions that follow each other."""

ACCEPTANCES = Check(
    "idle-acceptance",
    "warning",
    Title(en="{code} is accepted, but there is no such warning", zh="已记录对{code}的确认，但并无此项提示"),
    Title(
        en="Remove the acceptance: it would silence the warning unseen should it come back. Errors cannot be accepted.",
        zh="请删除该确认，以免日后同类提示被直接忽略。错误不能以确认方式放行。",
    ),
    _idle_acceptances,
)
"""Of what is accepted without need; it looks at what the others found."""
