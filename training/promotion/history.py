"""The record of promotions, which is the truth about which model serves; readable without MLflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from features.errors import LoadlineError
from models.bundle import VERSION_LENGTH, ModelBundle
from training.gating.gate import Gate
from training.promotion.copies import is_digest, kept_bundle, model_folder
from training.promotion.sealed import Raw, Sealed, append_sealed, opened, read_raw, write_head

RECORD = "promotions.jsonl"
WHAT = "promotion record"
FIRST_FIELDS = frozenset({"at", "by", "action", "from", "to", "reason", "gates"})
"""Of the lines that were written before there were seals."""
RECORDS_KEPT = 64
"""Parsed records kept at hand, as many as a home may have models: the service looks at them with every answer."""

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
    run, asked_by : str
        Of the training, and who asked for it; "" where that is not on record.
    signed : bool
        Whoever decided signed for what a gate left to a person.
    forced : bool
        Something that forbids a promotion was overridden.
    overridden : tuple of str
        What: names of gates, or `comparison` where the model was compared with another champion.
    """

    at: datetime
    by: str
    reason: str
    action: Action
    previous: str | None
    champion: str
    gates: tuple[Gate, ...] = ()
    run: str = ""
    asked_by: str = ""
    signed: bool = False
    forced: bool = False
    overridden: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Give the champion's version, for people."""
        return self.champion[:VERSION_LENGTH]

    def as_dict(self) -> dict[str, Any]:
        """Give the line as plain JSON."""
        return {
            "at": self.at.isoformat(),
            "by": self.by,
            "action": self.action,
            "from": self.previous,
            "to": self.champion,
            "reason": self.reason,
            "gates": [gate.as_dict() for gate in self.gates],
            "run": self.run,
            "asked_by": self.asked_by,
            "signed": self.signed,
            "forced": self.forced,
            "overridden": list(self.overridden),
        }

    @classmethod
    def from_dict(cls, plain: Any) -> Promotion:
        """Read what `as_dict` gave; also a line of the days before candidates were on record.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where it is no such line.
        """
        previous, champion = plain["from"], plain["to"]
        texts = plain["by"], plain["reason"], plain.get("run", ""), plain.get("asked_by", "")
        known = is_digest(champion) and (previous is None or is_digest(previous))
        if not known or not all(isinstance(text, str) for text in texts) or plain["action"] not in get_args(Action):
            raise ValueError
        return cls(
            at=datetime.fromisoformat(plain["at"]),
            by=texts[0],
            reason=texts[1],
            action=plain["action"],
            previous=previous,
            champion=champion,
            gates=tuple(Gate.from_dict(gate) for gate in plain["gates"]),
            run=texts[2],
            asked_by=texts[3],
            signed=bool(plain.get("signed", False)),
            forced=bool(plain.get("forced", False)),
            overridden=tuple(plain.get("overridden", ())),
        )


def history(home: str | Path, model_name: str) -> tuple[Promotion, ...]:
    """Read the record of a model, oldest first; a last line that a crash cut short does not count.

    Raises
    ------
    LoadlineError
        Where a byte of it was changed, or a line does not follow from the one before.
    """
    return _promotions(read_raw(model_folder(home, model_name) / RECORD))


def promotion_record(home: str | Path, model_name: str) -> Sealed:
    """Read the record as sealed lines, for whoever checks it.

    Raises
    ------
    LoadlineError
        As `history`.
    """
    raw = read_raw(model_folder(home, model_name) / RECORD)
    _promotions(raw)
    return opened(raw, what=WHAT, before_seals=FIRST_FIELDS)


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
    return None if digest is None else kept_bundle(home, model_name, digest)


def line_of_champions(record: Sequence[Promotion]) -> tuple[Promotion, ...]:
    """List the promotions that were not rolled back, oldest first; the last but one is what a rollback goes to."""
    line: list[Promotion] = []
    for promotion in record:
        if promotion.action == "rollback":
            line.pop()
        else:
            line.append(promotion)
    return tuple(line)


def append_promotion(home: str | Path, model_name: str, promotion: Promotion) -> Promotion:
    """Add a line to the record; only under the lock.

    Raises
    ------
    LoadlineError
        Where who, why or when is missing, or it cannot be written; the record is then as it was.
    """
    check_decided(model_name, promotion.by, promotion.reason)
    if promotion.at.tzinfo is None:
        raise LoadlineError("the clock gives a time without a zone", where=model_name, hint="Pass a clock in UTC.")
    raw = read_raw(model_folder(home, model_name) / RECORD)
    append_sealed(raw, promotion.as_dict() | {"at": promotion.at.astimezone(UTC).isoformat()}, what="the promotion")
    return history(home, model_name)[-1]


def mend_head(home: str | Path, model_name: str) -> None:
    """Finish what a process killed between a line and its head left undone; only under the lock."""
    raw = read_raw(model_folder(home, model_name) / RECORD)
    _promotions(raw)
    write_head(raw)


def check_decided(model_name: str, by: str, reason: str) -> None:
    """Refuse a decision without a name or a reason.

    Raises
    ------
    LoadlineError
        Where either is blank.
    """
    if not by.strip() or not reason.strip():
        hint = "State who decides, and why."
        raise LoadlineError("a promotion needs a name and a reason", where=model_name, hint=hint)


@lru_cache(maxsize=RECORDS_KEPT)
def _promotions(raw: Raw) -> tuple[Promotion, ...]:
    promotions: list[Promotion] = []
    for number, plain in enumerate(opened(raw, what=WHAT, before_seals=FIRST_FIELDS).lines, start=1):
        try:
            promotion = Promotion.from_dict(plain)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _broken(raw.path, number, "cannot be read") from error
        if promotion.previous != (promotions[-1].champion if promotions else None):
            raise _broken(raw.path, number, "does not follow from the line before")
        if promotion.action == "rollback" and len(line_of_champions(promotions)) < 2:
            raise _broken(raw.path, number, "goes back to nothing")
        promotions.append(promotion)
    return tuple(promotions)


def _broken(path: Path, number: int, what: str) -> LoadlineError:
    hint = "The record was changed by hand or by a failing disk: restore the model's folder from a backup."
    return LoadlineError(f"line {number} of the {WHAT} {what}", where=str(path), hint=hint)
