"""Reviewing as risk does it: from the queue to decisions that the next training learns from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from review_record import REASON
from review_watching import DATASET, PlainWatching, bank_alerts, bank_table
from serving_home import BRANCHES, advisor_at, write_dataset

from features.errors import LoadlineError
from serving.advisor import Advisor
from serving.reviewing import Reviewing
from training.review.labels import dispositions, reviewed_labels

FIRST, SECOND, OVER = "A/B@2023", "..@2023", "N07@2015"


@pytest.fixture
def reviewing(tmp_path: Path) -> Reviewing:
    """The hostile bank, with alerts on three of its branches."""
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "dataset"))
    return Reviewing(advisor, PlainWatching())


def watching(reviewing: Reviewing) -> PlainWatching:
    assert isinstance(reviewing._given, PlainWatching)
    return reviewing._given


def test_the_queue_shows_the_open_ones_and_one_drawn_from_below(reviewing):
    shown = reviewing.queue()
    assert shown["unit"].tolist()[:3] == BRANCHES[:3]
    drawn = shown[shown["sampled"]]
    assert len(drawn) == 1
    assert drawn["unit"].iloc[0] in BRANCHES[3:]
    assert set(shown["status"]) == {"new"}
    case = reviewing.case(FIRST)
    assert (case.shown.p_value, case.shown.q_value, case.about["data_version"]) == (0.01, 0.15, 1)


def test_looking_again_writes_nothing_and_draws_nobody_else(reviewing):
    first = reviewing.queue()
    count = len(reviewing.record().entries)
    again = reviewing.queue()
    assert again.equals(first)
    assert len(reviewing.record().entries) == count == 1


def test_neither_parents_nor_units_that_are_gone_are_drawn(reviewing):
    given = watching(reviewing)
    given.alerts = given.alerts[given.alerts["unit"] != "N07"].assign(first="2012")
    for year in range(2012, 2025):
        given.about = {**given.about, "as_of": str(year)}
        given.table = bank_table(period=str(year))
        reviewing.queue()
    record = reviewing.record()
    gone_since = {drawing.period: drawing.below for drawing in record.draws}
    assert gone_since == {str(year): len(BRANCHES) - (2 if year <= 2018 else 3) for year in range(2012, 2025)}
    drawn = {case.shown.unit for case in record.cases.values() if case.shown.sampled}
    assert drawn <= {*BRANCHES[3:], "GONE"}
    assert len(drawn) > 3


def test_one_that_was_over_before_it_was_shown_may_still_be_decided(reviewing):
    assert OVER not in reviewing.queue(every=True)["alert"].tolist()
    assert OVER not in reviewing.record().cases
    reviewing.decide(OVER, "confirmed", by="Ann")
    assert (reviewing.case(OVER).status, reviewing.case(OVER).about["as_of"]) == ("confirmed", "2015")
    assert reviewing.queue(every=True).set_index("alert").loc[OVER, "status"] == "confirmed"


def test_deciding_on_what_is_on_record_asks_nobody_to_compute_it_again(reviewing):
    reviewing.queue()
    asked = watching(reviewing).asked
    reviewing.decide(FIRST, "watching", by="Ann")
    assert watching(reviewing).asked == asked


def test_an_unknown_alert_is_answered_with_near_ones(reviewing):
    for key, near in (("A/B@2022", FIRST), ("N07@2016", OVER), ("A/B@soon", FIRST), ("A/B@1066", FIRST)):
        with pytest.raises(LoadlineError) as refused:
            reviewing.decide(key, "confirmed", by="Ann")
        assert near in refused.value.hint
    assert reviewing.record().entries == ()


@pytest.mark.parametrize("alert", ["nobody@2015", "N07", "N07@2024", "N07@soon"])
def test_what_cannot_be_an_alert_of_the_past_is_not_looked_for_there(reviewing, alert):
    before = watching(reviewing).asked
    with pytest.raises(LoadlineError, match="no alert is called"):
        reviewing.note(alert, text="who is this", by="Li")
    assert watching(reviewing).asked == before + 1


def test_decisions_reach_triage_and_training(reviewing):
    reviewing.queue()
    reviewing.decide(FIRST, "confirmed", by="Ann")
    reviewing.decide(SECOND, "dismissed", by="Bo", reason=REASON)
    home = reviewing._advisor.settings.home
    assert reviewed_labels(home, DATASET)[["unit", "value", "known_on"]].values.tolist() == [
        ["A/B", 1, date(2025, 1, 15)],
        ["..", 0, date(2025, 1, 15)],
    ]
    assert dispositions(home, DATASET)["decision"].tolist() == ["confirmed", "dismissed"]
    assert SECOND not in reviewing.queue()["alert"].tolist()
    table = reviewing.reviewers()
    assert table["by"].tolist() == ["Ann", "Bo"]


def test_an_alert_that_goes_on_is_updated_not_repeated(reviewing):
    reviewing.queue()
    reviewing.assign(FIRST, to="王芳", by="Ann", due=date(2025, 1, 15))
    given = watching(reviewing)
    given.alerts, given.table = bank_alerts(last="2025"), bank_table(period="2025")
    shown = reviewing.queue()
    assert shown["alert"].tolist().count(FIRST) == 1
    assert shown.set_index("alert").loc[FIRST, "status"] == "assigned"
    assert len(reviewing.case(FIRST).showings) == 2


def test_the_pack_is_written_with_the_record_in_it(reviewing, tmp_path):
    reviewing.note(FIRST, text="collateral was sold twice", by="Ann")
    reviewing.pack(FIRST, tmp_path / "pack.html")
    page = (tmp_path / "pack.html").read_text(encoding="utf-8")
    assert "collateral was sold twice" in page
    assert "<polyline" in page
    assert "2025-01-15" in page


def test_the_history_has_everything(reviewing):
    reviewing.queue()
    reviewing.assign(FIRST, to="王芳", by="Ann")
    reviewing.decide(FIRST, "confirmed", by="Ann", expected=2)
    reviewing.undo(FIRST, by="Bo", reason="the wrong branch")
    own = reviewing.history(FIRST)
    assert own["action"].tolist() == ["raised", "assigned", "confirmed", "undone"]
    assert own["undone"].tolist() == [False, False, True, False]
    every = reviewing.history()
    assert len(every) == 4 + 3
    assert every["entry"].is_monotonic_increasing
    with pytest.raises(LoadlineError, match="no alert"):
        reviewing.history("nothing")


def test_recall_is_told_once_the_drawn_are_decided(reviewing):
    shown = reviewing.queue()
    assert reviewing.recall().recall is None
    for key, sampled in zip(shown["alert"], shown["sampled"], strict=True):
        reviewing.decide(key, "dismissed" if sampled else "confirmed", by="Ann", reason=REASON)
    found = reviewing.recall()
    assert (found.recall, found.high, found.confirmed_above, found.below) == (1.0, 1.0, 3, len(BRANCHES) - 3)


@pytest.fixture
def surging(tmp_path: Path) -> Advisor:
    """The hostile bank, with a branch whose loans grew by half in the last year while its bad loans trebled."""
    folder = write_dataset(tmp_path / "dataset")
    path = folder / "observations.csv"
    figures = pd.read_csv(path, dtype={"period": str})
    own = (figures["unit"] == "N05") & (figures["period"] == "2024")
    figures.loc[own & (figures["indicator"] == "LOANS"), "value"] *= 1.5
    figures.loc[own & (figures["indicator"] == "NPL_RATIO"), "value"] *= 3.0
    figures.to_csv(path, index=False)
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(folder)
    return advisor


def test_the_advisors_own_alerts_are_reviewed(surging):
    reviewing = surging.reviewing
    shown = reviewing.queue().set_index("alert")
    assert "N05@2024" in shown.index
    case = reviewing.case("N05@2024")
    assert (case.shown.last, case.about["as_of"], case.about["data_version"]) == ("2024", "2024", 1)
    assert case.shown.p_value is not None
    assert 0 <= case.shown.p_value <= 1
    (drawing,) = reviewing.record().draws
    assert drawing.below + len(drawing.above) == len(BRANCHES)  # not the one without any figures
    reviewing.decide("N05@2024", "dismissed", by="Ann", reason=REASON)
    after = reviewing.queue()
    assert "N05@2024" not in after["alert"].tolist()
    assert len(after) == len(shown) - 1
