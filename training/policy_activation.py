"""Activating a version of a policy and going back: what speaks against it is refused, what is done is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from features.errors import LoadlineError
from features.indicators import IndicatorSet
from models.policy.document import Policy
from models.policy.reading import write_policy
from models.policy.validator import Finding, check, raise_if_errors
from training.journal import write_copy
from training.lock import file_lock
from training.policy_record import (
    Activation,
    EvaluationLevel,
    Shortened,
    Term,
    append,
    copy_path,
    digest_of,
    history,
    kept_policy,
    last_of,
    lock_path,
    standing,
    terms,
)
from training.promote import Clock

LastClosed = Callable[[EvaluationLevel], date | None]
"""Gives the last day of the last period that was closed at a level; None where none was."""
ONE_DAY = timedelta(days=1)


def activate(
    home: str | Path,
    dataset: str,
    policy: Policy,
    *,
    by: str,
    reason: str,
    last_closed: LastClosed,
    clock: Clock,
    indicators: IndicatorSet | None = None,
    units: pd.DataFrame | None = None,
    accept: Sequence[str] = (),
    cut_short: bool = False,
    impact: str | None = None,
) -> Activation:
    """Put a version in force from its first day on, unless something speaks against it.

    A version before it that is open-ended then ends on the day before; that is written in the record, and its copy
    stays as it is. Activating what is already the last version again changes nothing, except that its copy is repaired
    where it was damaged.

    Parameters
    ----------
    policy : Policy
    by, reason : str
        Who decides, and why; they stand behind what is accepted, too.
    last_closed : callable
        Asked under the lock, so that no period is closed meanwhile by who holds the same lock.
    clock : callable
        Gives the time, with its zone.
    indicators : IndicatorSet, optional
    units : pd.DataFrame, optional
        What the validator checks against.
    accept : sequence of str
        Codes of the validator's warnings that are accepted.
    cut_short : bool
        Let it end a version before it that states a last day of its own.
    impact : str, optional
        Where the report of its impact is kept.

    Raises
    ------
    LoadlineError
        Where the validator finds errors or warnings that nobody accepted, the version's name stands for other content
        already, it begins in a closed period, overlaps the version before it or leaves a gap after it.
    """
    _require_author(by, reason, policy.label)
    findings = check(policy, indicators=indicators, units=units)
    raise_if_errors(findings)
    accepted = _accepted(findings, accept, policy)
    content = write_policy(policy).encode()
    with file_lock(lock_path(home, dataset)):
        record = history(home, dataset)
        last = last_of(standing(record), policy.level)
        now = Activation(
            at=_time(clock),
            by=by,
            reason=reason,
            action="activate",
            id=policy.id,
            version=policy.version,
            digest=digest_of(content),
            level=policy.level,
            start=policy.effective.start,
            until=policy.effective.until,
            accepted=accepted,
            impact=impact,
        )
        same = last is not None and last.label == now.label
        if last is not None and same and last.digest == now.digest:
            write_copy(copy_path(home, dataset, last), content)
            return last
        _require_new_name(home, dataset, policy, record)
        if last is not None and same:
            return last  # the same content in other words, as an earlier release may have written it
        _require_open(policy.effective.start, last_closed(policy.level), policy.label)
        now = _following(now, terms(record, policy.level), cut_short=cut_short)
        write_copy(copy_path(home, dataset, now), content)
        append(home, dataset, now)
    return now


def withdraw(
    home: str | Path,
    dataset: str,
    *,
    by: str,
    reason: str,
    last_closed: LastClosed,
    clock: Clock,
    label: str | None = None,
) -> Activation:
    """Go back to the version before the last, which is in force again for as long as it was.

    Parameters
    ----------
    last_closed : callable
        As for `activate`.
    label : str, optional
        The version to withdraw, which must be the last of its level; by default the last that was activated.

    Raises
    ------
    LoadlineError
        Where nothing is active, the version is not the last, or a period was closed under it.
    """
    with file_lock(lock_path(home, dataset)):
        record = history(home, dataset)
        active = standing(record)
        found = [activation for activation in active if label in (None, activation.label)]
        if not found:
            raise LoadlineError(
                "no policy is active" if label is None else f"{label} is not active",
                where=dataset,
                hint="`loadline policy list` shows the active ones.",
            )
        last = found[-1]
        _require_author(by, reason, last.label)
        after = last_of(active, last.level)
        if after is not None and after is not last:
            hint = f"Withdraw {after.label} first."
            raise LoadlineError(f"{after.label} was activated after {last.label}", where=last.label, hint=hint)
        _require_open(last.start, last_closed(last.level), last.label)
        gone = Activation(
            at=_time(clock),
            by=by,
            reason=reason,
            action="withdraw",
            id=last.id,
            version=last.version,
            digest=last.digest,
            level=last.level,
            start=last.start,
            until=last.until,
        )
        append(home, dataset, gone)
    return gone


def _accepted(findings: Sequence[Finding], accept: Sequence[str], policy: Policy) -> tuple[dict[str, str], ...]:
    """List the warnings that are accepted; refuse those that nobody accepts, and acceptances of nothing."""
    codes = {finding.code for finding in findings}
    idle = sorted(set(accept) - codes)
    if idle:
        raise LoadlineError(
            f"there is no finding {idle[0]!r} to accept",
            where=policy.label,
            hint=f"Found: {', '.join(sorted(codes)) or 'nothing'}.",
        )
    ahead = [finding for finding in findings if finding.code not in accept]
    if ahead:
        listed = " ".join(f"[{finding.code}] {finding.where}: {finding.what['en']}" for finding in ahead)
        codes_left = " ".join(f"--accept {code}" for code in sorted({finding.code for finding in ahead}))
        raise LoadlineError(
            f"nobody has accepted what the check warns of: {listed}",
            where=policy.label,
            hint=f"Change the policy, or accept by name and with a reason: {codes_left}.",
        )
    return tuple({"finding": f.code, "where": f.where, "what": f.what["en"]} for f in findings)


def _require_author(by: str, reason: str, label: str) -> None:
    if not by.strip() or not reason.strip():
        raise LoadlineError(
            "a decision on a policy needs a name and a reason", where=label, hint="State who decides, and why."
        )


def _require_new_name(home: str | Path, dataset: str, policy: Policy, record: Sequence[Activation]) -> None:
    """Refuse a version whose name stood for other content, active or withdrawn: results carry that name."""
    for earlier in record:
        if earlier.label == policy.label and kept_policy(home, dataset, earlier) != policy:
            raise LoadlineError(
                f"{policy.label} is the name of another content, activated on {earlier.at.date()}",
                where="version",
                hint="Give the changed policy a version of its own.",
            )


def _require_open(start: date, closed: date | None, label: str) -> None:
    """Refuse to change what is in force on the days of a closed period."""
    if closed is not None and start <= closed:
        raise LoadlineError(
            f"{label} is in force from {start}, and periods are closed up to {closed}",
            where="effective",
            hint=f"Closed periods never change: a version can begin on {closed + ONE_DAY} or later.",
        )


def _following(now: Activation, earlier: Sequence[Term], *, cut_short: bool) -> Activation:
    """Fit a version after those before it; refuse overlaps and gaps."""
    if not earlier:
        return now
    last = earlier[-1]
    ends = now.start - ONE_DAY
    if now.start <= last.start:
        raise LoadlineError(
            f"{now.label} begins on {now.start}, and {last.activation.label} is in force from {last.start}",
            where="effective",
            hint=f"Begin after {last.start}, or withdraw {last.activation.label} first.",
        )
    if last.until is not None and now.start > last.until + ONE_DAY:
        raise LoadlineError(
            f"no version would be in force from {last.until + ONE_DAY} to {ends}",
            where="effective",
            hint=f"{last.activation.label} ends on {last.until}: begin on {last.until + ONE_DAY}.",
        )
    if last.until is not None and now.start <= last.until and not cut_short:
        raise LoadlineError(
            f"{now.label} begins on {now.start}, and {last.activation.label} is in force until {last.until}",
            where="effective",
            hint=f"Begin on {last.until + ONE_DAY}, or end {last.activation.label} earlier with --cut-short.",
        )
    if last.until == ends:
        return now
    return replace(now, shortened=Shortened(last.activation.label, last.activation.digest, ends))


def _time(clock: Clock) -> datetime:
    at = clock()
    if at.tzinfo is None:
        raise LoadlineError("the clock gives a time without a zone", hint="Pass a clock in UTC.")
    return at.astimezone(UTC)
