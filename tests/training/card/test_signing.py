"""Signatures that the record of promotions holds: decisions of people, not promotions that followed by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from card_cases import TARGET

from models.bundle import ModelBundle
from training.card.signing import approvals, sign_from_record
from training.card.writing import FACTS, card_facts, write_cards
from training.promote import offer, promote_candidate
from training.promotion.copies import card_folder
from training.promotion.history import Promotion

DIGEST, OTHER = "a" * 64, "b" * 64


def promotion(by: str = "Zhao", asked_by: str = "li.ming", **given) -> Promotion:
    fields = {"action": "promote", "previous": None, "champion": DIGEST} | given
    at = given.pop("at", datetime(2024, 4, 1, 9, tzinfo=UTC))
    fields.pop("at", None)
    return Promotion(at, by, "good enough", asked_by=asked_by, **fields)


def test_another_person_who_promotes_approves() -> None:
    found = approvals([promotion()], DIGEST[:12])["approver"]
    assert (found.name, found.date, found.note, found.mark) == ("Zhao", "2024-04-01", "good enough", "")


@pytest.mark.parametrize("by", ["li.ming", " LI.MING "])
def test_a_promotion_by_whoever_asked_is_nobodys_approval(by: str) -> None:
    assert approvals([promotion(by)], DIGEST[:12]) == {}


@pytest.mark.parametrize(
    ("given", "mark"), [({"signed": True}, "signed"), ({"forced": True, "signed": True}, "forced")]
)
def test_signing_and_forcing_are_decisions_whoever_does_it(given: dict, mark: str) -> None:
    assert approvals([promotion("li.ming", **given)], DIGEST[:12])["approver"].mark == mark


def test_the_last_decision_on_this_version_counts() -> None:
    record = [
        promotion("Qian"),
        promotion("Sun", champion=OTHER, previous=DIGEST),
        promotion("Wu", action="rollback", previous=OTHER),
        promotion("Zhou", previous=OTHER),
    ]
    assert approvals(record, DIGEST[:12])["approver"].name == "Zhou"
    assert approvals(record[:3], DIGEST[:12])["approver"].name == "Qian"
    assert approvals([], DIGEST[:12]) == {}


def test_the_card_of_a_promoted_version_is_signed_and_nothing_stops_a_promotion(tmp_path, caplog) -> None:
    def clock() -> datetime:
        return datetime(2024, 4, 1, tzinfo=UTC)

    bundle = ModelBundle("target", {"seed": 7})
    offer(tmp_path, "target-x", bundle, gates=TARGET.gates[:1], run="r-1", by="li.ming", clock=clock)
    assert sign_from_record(tmp_path, "target-x", bundle.version) == (), "not promoted, no card"
    decided = {"by": "Zhao", "reason": "checked", "expected_champion": None, "clock": clock}
    promote_candidate(tmp_path, "target-x", bundle.version, two_people=True, **decided)
    folder = card_folder(tmp_path, "target-x", bundle.version)
    write_cards(replace(TARGET, signatures={}), folder)
    assert len(sign_from_record(tmp_path, "target-x", bundle.version)) == 4
    assert card_facts(folder).signatures["approver"].name == "Zhao"
    assert "Zhao" in (folder / "model-card.zh.html").read_text()
    (folder / FACTS).write_bytes(b"{")
    assert sign_from_record(tmp_path, "target-x", bundle.version) == ()
    assert "was not signed" in caplog.text
