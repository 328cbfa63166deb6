"""Which model serves: a verified local copy and an append-only record, readable without MLflow.

The record is the truth. Promotion compares the champion with the one that its author saw, and swaps, under a file lock;
the alias in the registry follows.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX, VERSION_LENGTH, ModelBundle, check_name, is_digest_of
from training.gates import Gate
from training.journal import append_line, read_lines
from training.lock import file_lock

if TYPE_CHECKING:
    from training.track import Tracker

MODELS = "models"
RECORD = "promotions.jsonl"
CHAMPION = "champion"  # the alias in the registry

_log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
Action = Literal["promote", "rollback"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One line of the record.

    Attributes
    ----------
    at : datetime
        In UTC.
    by, reason : str
        Who decided, and why.
    action : str
        `promote` or `rollback`.
    previous : str or None
        Digest of the champion until then.
    champion : str
        Digest of the champion from then on.
    gates : tuple of Gate
        What the model had shown.
    """

    at: datetime
    by: str
    reason: str
    action: Action
    previous: str | None
    champion: str
    gates: tuple[Gate, ...] = ()


def history(home: str | Path, model_name: str) -> tuple[Promotion, ...]:
    """Read the record of a model, oldest first; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a whole line is unreadable or does not follow from the one before.
    """
    path = _folder(home, model_name) / RECORD
    promotions: list[Promotion] = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            promotion = _parsed(line)
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(path, number, "cannot be read") from error
        if promotion.previous != (promotions[-1].champion if promotions else None):
            raise _broken(path, number, "does not follow from the line before")
        promotions.append(promotion)
    return tuple(promotions)


def champion_digest(home: str | Path, model_name: str) -> str | None:
    """Give the digest of the champion, or None before the first promotion."""
    record = history(home, model_name)
    return record[-1].champion if record else None


def champion(home: str | Path, model_name: str) -> ModelBundle | None:
    """Load the champion and verify it against the record; None before the first promotion. Needs no MLflow.

    Raises
    ------
    LoadlineError
        Where the copy or the record is damaged.
    """
    digest = champion_digest(home, model_name)
    return None if digest is None else ModelBundle.load(_copy(home, model_name, digest), expected=digest)


def promote(
    home: str | Path,
    model_name: str,
    bundle: ModelBundle,
    *,
    by: str,
    reason: str,
    expected_champion: str | None,
    gates: Sequence[Gate],
    clock: Clock,
    tracker: Tracker | None = None,
) -> Promotion:
    """Make a bundle the champion, if the champion is still the expected one.

    Promoting the present champion again changes nothing, except that its copy is repaired where it was damaged.

    Parameters
    ----------
    expected_champion : str or None
        Digest or version of the champion that the decision was made against; None where there was none.
    gates : sequence of Gate
        At least one, and all passed.
    clock : callable
        Gives the time, with its zone.
    tracker : Tracker, optional
        Its registry's alias `champion` is moved afterwards; a registry out of reach is logged and changes nothing.

    Raises
    ------
    LoadlineError
        Where a gate failed, the champion has changed meanwhile, or the copy cannot be written.
    """
    failed = [gate for gate in gates if not gate.passed]
    if failed or not gates:
        what = " ".join(gate.text["en"] for gate in failed) or "The model has passed through no gate."
        hint = "The champion stays. See the backtest report, and train again."
        raise LoadlineError(f"the model may not be promoted: {what}", where=model_name, hint=hint)
    folder = _folder(home, model_name)
    with file_lock(folder / "lock"):
        record = _expected(home, model_name, expected_champion)
        _clear_leftovers(folder)
        _keep(bundle, _copy(home, model_name, bundle.digest))
        if record and record[-1].champion == bundle.digest:
            promotion = record[-1]
        else:
            promotion = _append(folder, record, bundle.digest, "promote", by, reason, clock, tuple(gates))
    _follow(home, model_name, tracker)
    return promotion


def rollback(
    home: str | Path,
    model_name: str,
    *,
    by: str,
    reason: str,
    expected_champion: str | None,
    clock: Clock,
    tracker: Tracker | None = None,
) -> Promotion:
    """Go back to the champion before this one; once more, to the one before that.

    Raises
    ------
    LoadlineError
        Where there is no earlier one, its copy is damaged, or the champion has changed meanwhile.
    """
    folder = _folder(home, model_name)
    with file_lock(folder / "lock"):
        record = _expected(home, model_name, expected_champion)
        line: list[Promotion] = []
        for promotion in record:
            if promotion.action == "rollback":
                line.pop()
            else:
                line.append(promotion)
        if len(line) < 2:
            hint = "Promote another model instead."
            raise LoadlineError("there is no earlier champion to go back to", where=model_name, hint=hint)
        earlier = line[-2]
        ModelBundle.load(_copy(home, model_name, earlier.champion), expected=earlier.champion)
        promotion = _append(folder, record, earlier.champion, "rollback", by, reason, clock, earlier.gates)
    _follow(home, model_name, tracker)
    return promotion


def sync_alias(home: str | Path, model_name: str, tracker: Tracker) -> int | None:
    """Let the registry's alias follow the record; gives the version, or None where the champion is not registered.

    The alias is set without a lock, since a registry can be slow: whoever sets it looks at the record again afterwards,
    so that after crossing promotions the last to set it sets it right.
    """
    while True:
        digest = champion_digest(home, model_name)
        if digest is None:
            return None
        number = tracker.point(model_name, CHAMPION, digest=digest)
        if champion_digest(home, model_name) == digest:
            return number


def _follow(home: str | Path, model_name: str, tracker: Tracker | None) -> None:
    if tracker is None:
        return
    try:
        if sync_alias(home, model_name, tracker) is None:
            _log.warning("the champion of %s is not in the registry; no alias was moved", model_name)
    except LoadlineError as error:
        _log.warning("the registry's alias for %s was not moved: %s", model_name, error)


def _folder(home: str | Path, model_name: str) -> Path:
    check_name(model_name)
    return Path(home) / MODELS / model_name


def _copy(home: str | Path, model_name: str, digest: str) -> Path:
    return _folder(home, model_name) / digest[:VERSION_LENGTH]


def _expected(home: str | Path, model_name: str, expected: str | None) -> tuple[Promotion, ...]:
    record = history(home, model_name)
    current = record[-1].champion if record else None
    same = expected is None if current is None else expected is not None and is_digest_of(expected, current)
    if not same:
        now, then = (digest[:VERSION_LENGTH] if digest else "none" for digest in (current, expected))
        hint = "Look at the present champion, compare again, and decide anew."
        raise LoadlineError(f"the champion has changed: it is {now}, expected was {then}", where=model_name, hint=hint)
    return record


def _clear_leftovers(folder: Path) -> None:
    """Delete what a killed promotion left half written; only under the lock, when nobody else can be writing."""
    for path in folder.glob(f".*{PARTIAL_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)


def _keep(bundle: ModelBundle, folder: Path) -> None:
    try:
        bundle.save(folder)
    except LoadlineError:
        if not folder.exists():
            raise
        damaged = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        folder.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
        bundle.save(folder)


def _append(
    folder: Path,
    record: Sequence[Promotion],
    digest: str,
    action: Action,
    by: str,
    reason: str,
    clock: Clock,
    gates: tuple[Gate, ...],
) -> Promotion:
    if not by.strip() or not reason.strip():
        raise LoadlineError(
            "a promotion needs a name and a reason", where=folder.name, hint="State who decides, and why."
        )
    at = clock()
    if at.tzinfo is None:
        raise LoadlineError("the clock gives a time without a zone", where=folder.name, hint="Pass a clock in UTC.")
    previous = record[-1].champion if record else None
    promotion = Promotion(at.astimezone(UTC), by, reason, action, previous, digest, gates)
    append_line(folder / RECORD, _line(promotion), what="the promotion")
    return promotion


def _line(promotion: Promotion) -> bytes:
    plain = {
        "at": promotion.at.isoformat(),
        "by": promotion.by,
        "action": promotion.action,
        "from": promotion.previous,
        "to": promotion.champion,
        "reason": promotion.reason,
        "gates": [gate.as_dict() for gate in promotion.gates],
    }
    return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()


def _parsed(line: bytes) -> Promotion:
    plain = json.loads(line)
    at, gates = datetime.fromisoformat(plain["at"]), tuple(Gate.from_dict(gate) for gate in plain["gates"])
    return Promotion(at, plain["by"], plain["reason"], plain["action"], plain["from"], plain["to"], gates)


def _broken(path: Path, number: int, what: str) -> LoadlineError:
    hint = "The record was changed by hand or by a failing disk: restore it from a backup."
    return LoadlineError(f"line {number} of the promotion record {what}", where=str(path), hint=hint)
