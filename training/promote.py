"""Promoting a model, and going back: one champion, whatever happens.

The record is the truth. Promotion compares the champion with the one that its author saw, and swaps, under a file lock;
the aliases in the registry follow. What is read and recorded is in `training.promotion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH, ModelBundle, is_digest_of
from training.gating.gate import Gate
from training.promotion.aliases import CHALLENGER, CHAMPION, follow, sync_alias, sync_all
from training.promotion.candidates import Candidate, candidates, find_candidate, offer
from training.promotion.copies import MODELS, keep, kept_bundle, model_lock
from training.promotion.history import (
    RECORD,
    Clock,
    Promotion,
    append_promotion,
    champion,
    champion_digest,
    check_decided,
    history,
    line_of_champions,
    mend_head,
)
from training.promotion.standing import obstacles

if TYPE_CHECKING:
    from training.track import Tracker

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "MODELS",
    "RECORD",
    "Candidate",
    "Clock",
    "Promotion",
    "candidates",
    "champion",
    "champion_digest",
    "history",
    "kept_bundle",
    "offer",
    "promote",
    "promote_candidate",
    "rollback",
    "sync_alias",
    "sync_all",
]


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
    """Make a bundle the champion, if all gates passed and the champion is still the expected one.

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
        Its registry's aliases are moved afterwards; a registry out of reach is logged and changes nothing.

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
    with model_lock(home, model_name):
        done = _done_already(home, model_name, bundle.digest, expected_champion)
        if done is None:
            _check_expected(home, model_name, expected_champion)
        keep(home, model_name, bundle)
        if done is None:
            previous = champion_digest(home, model_name)
            made = Promotion(clock(), by, reason, "promote", previous, bundle.digest, tuple(gates))
            done = append_promotion(home, model_name, made)
        else:
            mend_head(home, model_name)
    follow(home, model_name, tracker)
    return done


def promote_candidate(
    home: str | Path,
    model_name: str,
    version: str,
    *,
    by: str,
    reason: str,
    expected_champion: str | None,
    clock: Clock,
    two_people: bool,
    signed: bool = False,
    force: bool = False,
    tracker: Tracker | None = None,
) -> Promotion:
    """Make a candidate on record the champion, if nothing stands in its way.

    Promoting it twice is promoting it once.

    Parameters
    ----------
    version : str
        Of the candidate.
    by, reason : str
        Who decides, and why.
    expected_champion : str or None
        Digest or version of the champion that the decision was made against; None where there was none.
    clock : callable
        Gives the time, with its zone.
    two_people : bool
        Whether it has to be somebody else than who asked for the training. Force does not change that.
    signed : bool
        Whoever decides signs for the gates that leave it to a person.
    force : bool
        Overrides failed gates, and a comparison with another champion than the present one. What was overridden stays
        on the record.
    tracker : Tracker, optional
        Its registry's aliases are moved afterwards; a registry out of reach is logged and changes nothing.

    Raises
    ------
    LoadlineError
        Where there is no such candidate, something stands in its way, the champion has changed meanwhile, its copy or
        a record is damaged, or the promotion cannot be written.
    """
    with model_lock(home, model_name):
        candidate = find_candidate(home, model_name, version)
        kept_bundle(home, model_name, candidate.digest)
        done = _done_already(home, model_name, candidate.digest, expected_champion)
        if done is None:
            _check_expected(home, model_name, expected_champion)
            check_decided(model_name, by, reason)
            present = champion_digest(home, model_name)
            overridden = _overridden(
                candidate, present, model_name, by=by, two_people=two_people, signed=signed, force=force
            )
            made = Promotion(
                at=clock(),
                by=by,
                reason=reason,
                action="promote",
                previous=present,
                champion=candidate.digest,
                gates=candidate.gates,
                run=candidate.run,
                asked_by=candidate.by,
                signed=signed,
                forced=bool(overridden),
                overridden=overridden,
            )
            done = append_promotion(home, model_name, made)
        else:
            mend_head(home, model_name)
    follow(home, model_name, tracker)
    return done


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
    """Go back to the champion before this one; once more, to the one before that. One person may always do so.

    Raises
    ------
    LoadlineError
        Where there is no earlier one, its copy is damaged, or the champion has changed meanwhile.
    """
    with model_lock(home, model_name):
        record = _check_expected(home, model_name, expected_champion)
        line = line_of_champions(record)
        if len(line) < 2:
            hint = "Promote another model instead."
            raise LoadlineError("there is no earlier champion to go back to", where=model_name, hint=hint)
        earlier = line[-2]
        kept_bundle(home, model_name, earlier.champion)
        made = Promotion(
            at=clock(),
            by=by,
            reason=reason,
            action="rollback",
            previous=record[-1].champion,
            champion=earlier.champion,
            gates=earlier.gates,
            run=earlier.run,
            asked_by=earlier.asked_by,
        )
        done = append_promotion(home, model_name, made)
    follow(home, model_name, tracker)
    return done


def _overridden(
    candidate: Candidate,
    champion: str | None,
    model_name: str,
    *,
    by: str,
    two_people: bool,
    signed: bool,
    force: bool,
) -> tuple[str, ...]:
    """Name what force has to override; refuse where something stands in the way that it does not, or is not to."""
    found = obstacles(candidate, champion, two_people=two_people, by=by)
    left = [obstacle for obstacle in found if not (signed and obstacle.code == "signature")]
    standing = [obstacle for obstacle in left if obstacle.code == "second_person" or not force]
    if standing:
        what = " ".join(obstacle.text.en for obstacle in standing)
        if any(obstacle.code == "second_person" for obstacle in standing):
            hint = "Let a second person promote it; --force does not replace them."
        elif all(obstacle.code == "signature" for obstacle in standing):
            hint = "Sign for it with --sign and a reason, or leave the champion."
        else:
            hint = "The champion stays. Train again, or override it with --force and a reason: both stay on the record."
        raise LoadlineError(f"the model may not be promoted: {what}", where=model_name, hint=hint)
    return tuple(name for obstacle in left for name in obstacle.gates or (obstacle.code,))


def _done_already(home: str | Path, model_name: str, digest: str, expected: str | None) -> Promotion | None:
    """Give the promotion that is asked for again, or None.

    It is the same one where the model serves, and whoever asks expects it, or the one that it replaced.
    """
    record = history(home, model_name)
    if not record or record[-1].champion != digest:
        return None
    last = record[-1]
    return last if _is(expected, last.champion) or _is(expected, last.previous) else None


def _check_expected(home: str | Path, model_name: str, expected: str | None) -> tuple[Promotion, ...]:
    record = history(home, model_name)
    current = record[-1].champion if record else None
    if not _is(expected, current):
        now, then = (digest[:VERSION_LENGTH] if digest else "none" for digest in (current, expected))
        hint = "Look at the present champion, compare again, and decide anew."
        raise LoadlineError(f"the champion has changed: it is {now}, expected was {then}", where=model_name, hint=hint)
    return record


def _is(expected: str | None, digest: str | None) -> bool:
    if expected is None or digest is None:
        return expected is digest
    return is_digest_of(expected, digest)
