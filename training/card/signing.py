"""Signatures on a card that the record of promotions already holds: who approved the model, and how."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from features.errors import LoadlineError
from training.card.facts import Signature
from training.card.writing import sign_cards
from training.lock import file_lock
from training.promotion.copies import card_folder
from training.promotion.history import Promotion, history
from training.promotion.standing import same_person

_log = logging.getLogger(__name__)


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


def sign_from_record(home: str | Path, name: str, version: str) -> tuple[Path, ...]:
    """Write a model's card again with what the record of promotions says of its approval.

    A promotion stands whatever becomes of the card: where there is none, or it cannot be written, that is logged.
    """
    try:
        folder = card_folder(home, name, version)
        signatures = approvals(history(home, name), version)
        if not signatures or not folder.is_dir():
            return ()
        with file_lock(folder.parent / "lock"):
            return sign_cards(folder, signatures)
    except LoadlineError as error:
        _log.warning("the card of %s %s was not signed: %s", name, version, error)
        return ()


def _own_decision(promotion: Promotion) -> bool:
    return promotion.signed or promotion.forced or not same_person(promotion.by, promotion.asked_by)
