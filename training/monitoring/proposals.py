"""The record of proposals to train again: opened by a look, accepted or dismissed by a person; nothing is taken out.

A proposal trains nothing. Accepting it makes a request for training, which has gates of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from training.lock import file_lock
from training.monitoring.finding import Finding
from training.monitoring.proposal import Action, Line, Proposal
from training.promotion.sealed import append_sealed, opened, read_raw

FOLDER, RECORD, LOCK = "monitoring", "proposals.jsonl", "lock"
WHAT = "record of proposals"
WATCH = "the watch"
"""Stands for who opens and settles."""
SHORTEST_NAME, SHORTEST_REASON = 2, 4
"""Characters: a name may be 李明, a reason 年末换挡."""
Clock = Callable[[], datetime]


def every_proposal(home: str | Path, *, dataset: str | None = None) -> tuple[Proposal, ...]:
    """Read the proposals, the newest first.

    Raises
    ------
    LoadlineError
        Where the record is not as it was written.
    """
    grouped: dict[str, list[Line]] = {}
    for line in _lines(home):
        grouped.setdefault(line.proposal, []).append(line)
    found = [Proposal(tuple(lines)) for lines in grouped.values()]
    return tuple(proposal for proposal in reversed(found) if dataset in (None, proposal.dataset))


def find_proposal(home: str | Path, name: str) -> Proposal:
    """Find a proposal.

    Raises
    ------
    LoadlineError
        Where there is none of that name.
    """
    for proposal in every_proposal(home):
        if proposal.name == name.strip().upper():
            return proposal
    raise LoadlineError(f"there is no proposal {name!r}", hint="`loadline proposals list` shows them.")


def note_findings(
    home: str | Path,
    findings: tuple[Finding, ...],
    *,
    about: Mapping[str, Any],
    cool_down_days: int,
    clock: Clock,
) -> tuple[Proposal, ...]:
    """Write what a look found into the record; give the proposals that it opened.

    A breach opens a proposal unless one of the same model and check is open or accepted, or was dismissed on the same
    figures or less than the cool-down ago. An open one whose figures have changed is refreshed. One is settled once
    another model serves that is not in breach. The same look again writes nothing.
    """
    dataset = str(about["dataset"])
    names: list[str] = []
    with _locked(home):
        for finding in findings:
            key = (dataset, finding.model, finding.check)
            before = next((proposal for proposal in every_proposal(home) if proposal.key == key), None)
            for action in _due(before, finding, about, at=_now(clock), cool_down_days=cool_down_days):
                name = before.name if before is not None and action != "opened" else _next_name(home)
                _append(home, action, name, dataset, by=WATCH, clock=clock, finding=finding, about=about)
                if action == "opened":
                    names.append(name)
    return tuple(proposal for proposal in every_proposal(home, dataset=dataset) if proposal.name in names)


def _due(
    before: Proposal | None, finding: Finding, about: Mapping[str, Any], *, at: datetime, cool_down_days: int
) -> tuple[Action, ...]:
    """Tell what a finding does to the last proposal of its model and check."""
    breach = finding.state == "breach"
    if before is None or before.state in ("settled", "replaced"):
        return ("opened",) if breach else ()
    another = finding.version != before.opened_on.version
    if before.state == "dismissed":
        if not breach:
            return ()
        quiet = at - before.last.at < timedelta(days=cool_down_days)
        same = finding.figures == before.finding.figures or about["fingerprint"] == before.about["fingerprint"]
        return () if not another and (quiet or same) else ("opened",)
    if another:
        return ("replaced", "opened") if breach else ("settled",)
    if finding.figures != before.finding.figures:
        return ("refreshed",)
    return ()


def accept(
    home: str | Path,
    name: str,
    *,
    by: str,
    reason: str,
    request: Callable[[Proposal], str],
    clock: Clock,
) -> Proposal:
    """Accept a proposal: ask for training, and note the run.

    The decision is on record before anything is asked for; where asking fails, accepting again asks again.

    Parameters
    ----------
    request : callable
        Makes a request for training and gives the name of its run; equal requests are one run.

    Raises
    ------
    LoadlineError
        Where it is neither open nor accepted, or name or reason are missing.
    """
    by, reason = _stated(by, reason)
    with _locked(home):
        found = find_proposal(home, name)
        if found.state == "open":
            _append(home, "accepted", found.name, found.dataset, by=by, reason=reason, clock=clock)
        elif found.state != "accepted":
            raise _closed(found)
    run = request(find_proposal(home, name))
    with _locked(home):
        if find_proposal(home, name).run != run:
            _append(home, "requested", found.name, found.dataset, by=by, reason=reason, clock=clock, run=run)
    return find_proposal(home, name)


def dismiss(home: str | Path, name: str, *, by: str, reason: str, clock: Clock) -> Proposal:
    """Dismiss a proposal; the same figures do not open it again.

    Raises
    ------
    LoadlineError
        Where it is not open, or name or reason are missing.
    """
    by, reason = _stated(by, reason)
    with _locked(home):
        found = find_proposal(home, name)
        if found.state == "dismissed" and (found.last.by, found.last.reason) == (by, reason):
            return found
        if found.state != "open":
            raise _closed(found)
        _append(home, "dismissed", found.name, found.dataset, by=by, reason=reason, clock=clock)
    return find_proposal(home, name)


def _stated(by: str, reason: str) -> tuple[str, str]:
    by, reason = by.strip(), reason.strip()
    if len(by) < SHORTEST_NAME:
        raise LoadlineError("a decision needs a name", where="--by", hint="State who decides.")
    if len(reason) < SHORTEST_REASON:
        raise LoadlineError("a decision needs a reason", where="--reason", hint="Say why, for the record.")
    return by, reason


def _closed(found: Proposal) -> LoadlineError:
    hint = f"It was decided by {found.last.by} on {found.last.at.date()}."
    return LoadlineError(f"the proposal {found.name} is {found.state}", where=found.finding.check, hint=hint)


def _locked(home: str | Path) -> AbstractContextManager[None]:
    return file_lock(Path(home) / FOLDER / LOCK)


def _now(clock: Clock) -> datetime:
    at = clock()
    if at.tzinfo is None:
        raise LoadlineError("the clock gives a time without a zone", hint="Pass a clock in UTC.")
    return at.astimezone(UTC)


def _next_name(home: str | Path) -> str:
    return f"P-{len({line.proposal for line in _lines(home)}) + 1:04d}"


def _append(
    home: str | Path,
    action: Action,
    name: str,
    dataset: str,
    *,
    by: str,
    clock: Clock,
    finding: Finding | None = None,
    about: Mapping[str, Any] | None = None,
    reason: str = "",
    run: str = "",
) -> None:
    """Add a line; only under the lock."""
    raw = read_raw(_path(home))
    number = len(opened(raw, what=WHAT).lines) + 1
    line = Line(number, _now(clock), by, action, name, dataset, finding, about or {}, reason, run)
    append_sealed(raw, line.as_dict(), what="the proposal")


def _path(home: str | Path) -> Path:
    return Path(home) / FOLDER / RECORD


def _lines(home: str | Path) -> tuple[Line, ...]:
    """Read the record, verified, oldest first; a last line that a crash cut short does not count."""
    path = _path(home)
    try:
        return tuple(Line.from_dict(plain) for plain in opened(read_raw(path), what=WHAT).lines)
    except (ValueError, KeyError, TypeError) as error:
        hint = "It was made by another version of the program, or changed by hand: restore it from a backup."
        raise LoadlineError(f"the {WHAT} cannot be read", where=str(path), hint=hint) from error
