"""What reviews teach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pandas as pd
from review_record import BANK, REASON, Clock, alert, alerts, open_desk

from training.review.acts import decide, note, undo
from training.review.labels import DISPOSITIONS, LABELS, dispositions, reviewed_labels, reviewers
from training.review.record import read_record

B01, B02, B03 = "B01@2024-10", "B02@2024-10", "B03@2024-10"


def reviewed(home):
    desk = open_desk(
        home, table=alerts(alert("B01", period="2024-11", severity="red"), alert("B02", score=0.8), alert("B03"))
    )
    decide(desk, B01, "confirmed", by="Ann")
    decide(desk, B02, "dismissed", by="Bo", reason=REASON)
    decide(desk, B03, "watching", by="Bo")
    return desk


def test_confirmed_is_one_dismissed_is_nought_watched_is_none(tmp_path):
    reviewed(tmp_path)
    labels = reviewed_labels(tmp_path, BANK)
    assert labels.columns.tolist() == list(LABELS)
    assert labels.to_dict("records") == [
        {"unit": "B01", "period": "2024-11", "value": 1, "known_on": date(2025, 1, 15), "by": "Ann", "alert": B01,
         "first": "2024-10", "last": "2024-12", "sampled": False},
        {"unit": "B02", "period": "2024-12", "value": 0, "known_on": date(2025, 1, 15), "by": "Bo", "alert": B02,
         "first": "2024-10", "last": "2024-12", "sampled": False},
    ]  # fmt: skip


def test_dispositions_name_the_period_and_score_decided_about(tmp_path):
    reviewed(tmp_path)
    found = dispositions(tmp_path, BANK)
    assert found.columns.tolist() == list(DISPOSITIONS)
    assert found[["alert", "unit", "period", "decision", "score"]].values.tolist() == [
        [B01, "B01", "2024-12", "confirmed", 0.9],
        [B02, "B02", "2024-12", "dismissed", 0.8],
        [B03, "B03", "2024-12", "watching", 0.9],
    ]


def test_an_undone_decision_is_no_label(tmp_path):
    desk = reviewed(tmp_path)
    undo(desk, B01, by="Ann", reason="the wrong branch")
    assert reviewed_labels(tmp_path, BANK)["alert"].tolist() == [B02]
    assert dispositions(tmp_path, BANK)["alert"].tolist() == [B02, B03]


def test_training_as_of_a_day_learns_from_no_later_review(tmp_path):
    desk = reviewed(tmp_path)
    later = replace(desk, clock=Clock(datetime.fromisoformat("2025-06-01T00:00+00:00")))
    undo(later, B02, by="Bo", reason="new evidence has come")
    decide(later, B02, "confirmed", by="Bo")
    assert reviewed_labels(tmp_path, BANK)["value"].tolist() == [1, 1]
    for day, values in ((date(2025, 5, 31), [1, 0]), (date(2025, 1, 14), [])):
        assert reviewed_labels(tmp_path, BANK, as_of=day)["value"].tolist() == values
        assert len(dispositions(tmp_path, BANK, as_of=day)) == (3 if values else 0)


def test_an_empty_record_gives_empty_tables(tmp_path):
    assert reviewed_labels(tmp_path, BANK).columns.tolist() == list(LABELS)
    assert dispositions(tmp_path, BANK).empty
    assert reviewers(read_record(tmp_path, BANK)).empty


def test_each_reviewer_is_held_against_what_came(tmp_path):
    table = alerts(*(alert(f"B0{number}") for number in range(1, 7)))
    desk = open_desk(tmp_path, table=table)
    for unit, decision, by in (
        ("B01", "confirmed", "Ann"),
        ("B02", "confirmed", "Ann"),
        ("B03", "dismissed", "Ann"),
        ("B04", "dismissed", "Bo"),
        ("B05", "confirmed", "Bo"),
        ("B06", "watching", "Bo"),
    ):
        decide(desk, f"{unit}@2024-10", decision, by=by, reason=REASON)
    note(desk, "B06@2024-10", text="seen", by="Cy")
    undo(desk, "B05@2024-10", by="Cy", reason="the wrong branch")
    outcomes = pd.DataFrame(
        [("B01", "2024-12", 1), ("B01", "2024-11", 0), ("B02", "2024-12", 0), ("B03", "2024-10", 1),
         ("B04", "2025-01", 1), ("B05", "2024-12", 1), ("B06", "2024-12", 1)],
        columns=["unit", "period", "value"],
    )  # fmt: skip
    found = reviewers(read_record(tmp_path, BANK), outcomes).set_index("by")
    assert found.index.tolist() == ["Ann", "Bo"]
    assert found.loc["Ann", ["decided", "confirmed", "dismissed", "watching", "undone"]].tolist() == [3, 2, 1, 0, 0]
    assert found.loc["Ann", ["proved", "proved_right", "missed", "cried_wolf"]].tolist() == [3, 1, 1, 1]
    assert found.loc["Bo", ["decided", "confirmed", "dismissed", "watching", "undone", "proved"]].tolist() == [
        2,
        0,
        1,
        1,
        1,
        0,
    ]
    assert (found["days"] >= 0).all()
    assert reviewers(read_record(tmp_path, BANK))["proved"].sum() == 0
