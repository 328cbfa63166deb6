"""The queue: what is pressing first, and nothing that was shown lapses by itself."""

from __future__ import annotations

from datetime import date

import pandas as pd
from review_record import ABOUT, BANK, REASON, Clock, alert, alerts, open_desk, standings

from training.review.acts import assign, decide, link, note, undo
from training.review.queue import COLUMNS, queue
from training.review.raising import record_raised
from training.review.record import Record, read_record
from training.review.sampling import draw_below

TODAY = date(2025, 1, 15)


def test_severity_goes_before_score():
    table = alerts(
        alert("B01", score=0.5, severity="amber"),
        alert("B02", score=0.4, severity="red"),
        alert("B03", score=0.9, severity="amber"),
        alert("B04", score=0.9, severity="amber", open=False),
    )
    shown = queue(table, Record(), TODAY)
    assert shown["unit"].tolist() == ["B02", "B03", "B01"]
    assert list(shown.columns) == list(COLUMNS)
    assert shown["status"].eq("new").all()
    assert shown["entry"].eq(0).all()
    assert queue(table, Record(), TODAY, every=True)["unit"].tolist() == ["B02", "B03", "B01", "B04"]


def test_the_queue_tells_how_each_stands(tmp_path):
    desk = open_desk(tmp_path)
    assign(desk, "B01@2024-10", to="王芳", by="Ann", due=date(2025, 1, 20))
    note(desk, "B01@2024-10", text="first", by="Ann")
    last = note(desk, "B01@2024-10", text="second", by="Ann")
    decide(desk, "B02@2024-10", "watching", by="Bo")
    link(desk, "B02@2024-10", case="C-12", by="Bo")
    decide(desk, "B03@2024-10", "dismissed", by="Cy", reason=REASON)
    shown = queue(alerts(), read_record(tmp_path, BANK), TODAY).set_index("unit")
    assert shown["status"].to_dict() == {"B01": "assigned", "B02": "watching"}
    first, second = shown.loc["B01"], shown.loc["B02"]
    assert (first["assigned_to"], first["due"], first["note"], first["entry"]) == (
        "王芳",
        "2025-01-20",
        "second",
        last.number,
    )
    assert (second["reviewer"], second["decided_on"], second["links"]) == ("Bo", "2025-01-15", "C-12")
    every = queue(alerts(), read_record(tmp_path, BANK), TODAY, every=True).set_index("unit")
    assert every.loc["B03", "status"] == "dismissed"


def test_what_is_decided_is_never_overdue(tmp_path):
    desk = open_desk(tmp_path)
    for key in ("B01@2024-10", "B02@2024-10"):
        assign(desk, key, to="王芳", by="Ann", due=date(2025, 1, 20))
    decide(desk, "B02@2024-10", "confirmed", by="Bo")
    record = read_record(tmp_path, BANK)
    for today, overdue in ((date(2025, 1, 20), False), (date(2025, 1, 21), True)):
        shown = queue(alerts(), record, today, every=True).set_index("unit")["overdue"]
        assert (shown["B01"], shown["B02"], shown["B03"]) == (overdue, False, False)


def test_what_was_shown_and_not_decided_does_not_lapse(tmp_path):
    desk = open_desk(tmp_path)
    over = alerts(
        alert("B01", severity="red", open=False), alert("B02", score=0.8, open=False), alert("B03", score=0.7)
    )
    decide(desk, "B02@2024-10", "dismissed", by="Cy", reason=REASON)
    shown = queue(over, read_record(tmp_path, BANK), TODAY)
    assert shown["unit"].tolist() == ["B03", "B01"]


def test_what_is_no_longer_among_the_alerts_waits_for_its_decision(tmp_path):
    desk = open_desk(tmp_path)
    decide(desk, "B02@2024-10", "confirmed", by="Cy")
    left = alerts(alert("B03", score=0.1))
    shown = queue(left, read_record(tmp_path, BANK), TODAY)
    assert shown["unit"].tolist() == ["B03", "B01"]
    assert shown["open"].tolist() == [True, False]
    every = queue(left, read_record(tmp_path, BANK), TODAY, every=True).set_index("unit")["status"]
    assert every.to_dict() == {"B03": "new", "B01": "new", "B02": "confirmed"}


def test_the_same_case_under_a_new_key_supersedes_what_was_not_decided(tmp_path):
    desk = open_desk(tmp_path)
    decide(desk, "B02@2024-10", "watching", by="Cy")
    restated = alerts(alert("B01", "2024-09"), alert("B02", "2024-09"), alert("B03", "2024-09", open=False))
    every = queue(restated, read_record(tmp_path, BANK), TODAY, every=True).set_index("alert")["status"]
    assert every.loc[["B01@2024-10", "B02@2024-10", "B03@2024-10"]].tolist() == ["superseded", "watching", "new"]
    assert "B01@2024-10" not in queue(restated, read_record(tmp_path, BANK), TODAY)["alert"].tolist()


def test_the_drawn_stay_until_they_are_decided(tmp_path):
    clock = Clock()
    listed = alerts(alert("U00"))
    draw = draw_below(standings(listed=1), listed, period="2024-12", seed=1)
    record_raised(tmp_path, BANK, listed, ABOUT, clock, draw=draw)
    (key,) = draw.rows["alert"]
    later = alerts(alert("U00", last="2025-01"))
    shown = queue(later, read_record(tmp_path, BANK), TODAY).set_index("alert")
    assert bool(shown.loc[key, "sampled"])
    assert (shown.loc[key, "severity"], shown.loc[key, "status"]) == ("", "new")
    assert list(shown.index)[-1] == key
    desk = open_desk(tmp_path, table=later, clock=clock)
    decide(desk, key, "dismissed", by="Cy", reason=REASON)
    assert key not in queue(later, read_record(tmp_path, BANK), TODAY)["alert"].tolist()
    undo(desk, key, by="Cy", reason="the wrong one was meant")
    assert key in queue(later, read_record(tmp_path, BANK), TODAY)["alert"].tolist()


def test_an_empty_bank_has_an_empty_queue():
    shown = queue(alerts().iloc[:0], Record(), TODAY)
    assert shown.empty
    assert list(shown.columns) == list(COLUMNS)
    assert queue(pd.DataFrame(columns=alerts().columns), Record(), TODAY, every=True).empty
