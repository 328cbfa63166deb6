"""The estimate of recall: near the truth where the truth is known, and honest where little is known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from review_record import BANK, REASON, Clock, alert, alerts, open_desk, standings

from features.indicators import Title
from training.review.acts import decide
from training.review.entry import Entry, Shown
from training.review.raising import record_raised
from training.review.recall import estimated_recall
from training.review.record import Record, read_record
from training.review.sampling import SHARE, draw_below

AT = datetime(2025, 1, 1, tzinfo=UTC)


def reviewed(
    periods: int,
    *,
    seed: int,
    hidden: float,
    share: float = 1.0,
    units: int = 400,
    listed: int = 20,
    drawn: float = SHARE,
) -> tuple[Record, float]:
    """Review a bank on paper: a true positive is where `truth` says so; give the record, and the recall there is."""
    rng = np.random.default_rng(seed)
    entries: list[Entry] = []
    caught = missed = 0
    for place in range(periods):
        period = f"{2000 + place // 12}-{1 + place % 12:02d}"
        table = standings(units, listed=listed, period=period)
        on_list = alerts(*(alert(unit, period, period) for unit in table["unit"][:listed]))
        draw = draw_below(table, on_list, period=period, seed=seed, share=drawn)
        rank = np.arange(units) / units
        bad = rng.random(units) < np.where(rank < listed / units, 0.6, hidden * (rank < 0.3))
        caught += int(bad[:listed].sum())
        missed += int(bad[listed:].sum())
        shown = [*Shown.of_table(on_list), *Shown.of_table(draw.rows)]
        given = {"alerts": [s.as_dict() for s in shown], "about": {}, "drawn": draw.as_dict()}
        entries.append(Entry(len(entries) + 1, AT, "loadline", "raised", given=given))
        for one in shown:
            if rng.random() < share:
                decision = "confirmed" if bad[table["unit"].tolist().index(one.unit)] else "dismissed"
                entries.append(Entry(len(entries) + 1, AT, "Ann", decision, one.alert))
    return Record(tuple(entries)), caught / (caught + missed)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_the_interval_holds_the_truth(share):
    held = 0
    for seed in range(6):
        record, truth = reviewed(24, seed=seed, hidden=0.05, share=share)
        found = estimated_recall(record)
        assert found.low <= found.recall <= found.high  # type: ignore[operator]
        held += found.low <= truth <= found.high  # type: ignore[operator]
    assert held >= 5


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_many_draws_come_near_the_truth(share):
    """The draws fall on ranks of very different chances, and the misses lie in the upper ones."""
    record, truth = reviewed(40, seed=4, hidden=0.05, share=share, drawn=1.0)
    found = estimated_recall(record)
    assert found.recall == pytest.approx(truth, abs=0.06)
    assert found.high - found.low < 0.4  # type: ignore[operator]


def test_more_draws_narrow_the_interval():
    widths = []
    for periods in (12, 96):
        found = estimated_recall(reviewed(periods, seed=3, hidden=0.04)[0])
        widths.append(found.high - found.low)  # type: ignore[operator]
    assert widths[1] < 0.75 * widths[0]


def test_with_nothing_confirmed_below_all_may_have_been_caught_and_much_may_not():
    found = estimated_recall(reviewed(6, seed=1, hidden=0.0)[0])
    assert (found.recall, found.high, found.confirmed_below, found.reviewed_below) == (1.0, 1.0, 0, 6)
    assert found.low is not None
    assert found.low < 0.6
    assert "small sample" in found.note["en"]
    assert "样本较小" in found.note["zh"]


def test_with_nothing_confirmed_above_recall_may_be_nothing(tmp_path):
    clock = Clock()
    listed = alerts(alert("U00"))
    draw = draw_below(standings(listed=1), listed, period="2024-12", seed=1)
    record_raised(tmp_path, BANK, listed, {}, clock, draw=draw)
    desk = open_desk(tmp_path, table=listed, clock=clock)
    decide(desk, "U00@2024-10", "dismissed", by="Ann", reason=REASON)
    decide(desk, draw.rows["alert"].iloc[0], "confirmed", by="Ann")
    found = estimated_recall(read_record(tmp_path, BANK))
    assert (found.recall, found.low, found.high) == (0.0, 0.0, 0.0)


def test_what_cannot_be_told_is_not_told(tmp_path):
    nothing = estimated_recall(Record())
    assert (nothing.recall, nothing.low, nothing.high, nothing.periods) == (None, None, None, 0)
    assert "Nothing was drawn" in nothing.note["en"]
    clock = Clock()
    listed = alerts(alert("U00"))
    draw = draw_below(standings(listed=1), listed, period="2024-12", seed=1)
    record_raised(tmp_path, BANK, listed, {}, clock, draw=draw)
    desk = open_desk(tmp_path, table=listed, clock=clock)
    decide(desk, "U00@2024-10", "confirmed", by="Ann")
    undecided = estimated_recall(read_record(tmp_path, BANK))
    assert (undecided.recall, undecided.confirmed_above, undecided.reviewed_below) == (None, 1, 0)
    assert "None of the units" in undecided.note["en"]
    key = draw.rows["alert"].iloc[0]
    decide(desk, key, "watching", by="Ann")
    assert estimated_recall(read_record(tmp_path, BANK)).reviewed_below == 0
    decide(desk, key, "dismissed", by="Ann", reason=REASON, expected=read_record(tmp_path, BANK).cases[key].version)
    told = estimated_recall(read_record(tmp_path, BANK))
    assert (told.recall, told.reviewed_below, told.above, told.below) == (1.0, 1, 1, 39)


def test_one_that_was_drawn_and_is_listed_later_still_counts_as_drawn(tmp_path):
    clock = Clock()
    listed = alerts(alert("U00"))
    draw = draw_below(standings(listed=1), listed, period="2024-12", seed=1)
    record_raised(tmp_path, BANK, listed, {}, clock, draw=draw)
    key = draw.rows["alert"].iloc[0]
    restated = alerts(alert("U00"), alert(key.split("@")[0], "2024-12", "2025-02"))
    desk = open_desk(tmp_path, table=restated, clock=clock)
    for one in (key, "U00@2024-10"):
        decide(desk, one, "confirmed", by="Ann")
    record = read_record(tmp_path, BANK)
    assert not record.cases[key].shown.sampled
    found = estimated_recall(record)
    assert (found.confirmed_above, found.confirmed_below) == (1, 1)
    weight = 1 / draw.rows["chance"].iloc[0]
    assert found.recall == pytest.approx(1 / (1 + weight))


def test_titles_in_one_language_stand_for_both():
    (shown,) = Shown.of_table(alerts(alert("B01", title_zh=None)))
    assert shown.title == Title(en="Growth then delinquency", zh="Growth then delinquency")
