"""Signatures on a card that the record of promotions already holds: who approved the model, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from training.card.facts import Signature
from training.card.writing import sign_cards
from training.promotion.history import Promotion, history


def approvals(promotions: Sequence[Promotion], version: str) -> Mapping[str, Signature]:
    """Give the approver of a version: the last who promoted it by a decision of their own.

    A promotion that followed by itself on passing every gate, in the name of whoever asked for the training, is
    nobody's approval and leaves the line blank.
    """
    decided = [one for one in promotions if one.action == "promote" and one.version == version and _own_decision(one)]
    if not decided:
        return {}
    last = decided[-1]
    mark = "forced" if last.forced else "signed" if last.signed else ""
    return {"approver": Signature(last.by, f"{last.at:%Y-%m-%d}", last.reason, mark)}


def sign_from_record(home: str | Path, name: str, version: str, folder: str | Path) -> tuple[Path, ...]:
    """Write a model's card again with what the record of promotions says of its approval.

    Raises
    ------
    LoadlineError
        Where the card or the record is damaged, or there is no card.
    """
    return sign_cards(folder, approvals(history(home, name), version))


def _own_decision(promotion: Promotion) -> bool:
    by, asked = (" ".join(who.split()).casefold() for who in (promotion.by, promotion.asked_by))
    return promotion.signed or promotion.forced or by != asked
