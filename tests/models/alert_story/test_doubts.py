import numpy as np
import pytest
from watched_bank import PLANTED, situation

from features.indicators import Title
from models.alert_story.doubts import doubts_of, next_looks
from models.alert_story.figures import figure_of, peers_of
from models.alert_story.patterns import BY_CODE, PastRecord, Pattern
from models.detectors.measures import Measure

MERGER = ("merger", Title(en="merger, split or new unit", zh="机构撤并或新设"))


def pattern(code: str = "W01", verdict: str = "holds") -> Pattern:
    words = {"en": "does not hold here", "zh": "在本数据中不成立"}
    record = PastRecord(40, 31, 31, 12, 0.4, 0.2, 0.6, 0.2, None, verdict, words)
    return Pattern(BY_CODE[code], True, 0, 0.01, None, 0.01, words, record, words)


def figure(periods: int = 40, leaves: int = 40, code: str = "LOANS"):
    at = situation(leaves=leaves, periods=periods)
    measure = Measure("growth", code, 6)
    return figure_of(at, measure, periods - 1, PLANTED, peers=peers_of(at.panel.tree, PLANTED))


def kinds(found):
    return [(doubt.kind, doubt.code) for doubt in found]


def test_every_pattern_says_what_would_make_it_a_false_alarm():
    found = doubts_of([pattern(code) for code in BY_CODE], [])
    assert kinds(found) == [("innocent", code) for code in BY_CODE]
    for doubt in found:
        innocent = BY_CODE[doubt.code].innocent
        assert doubt.text["en"].lower() == innocent.en.rstrip(".").lower()
        assert doubt.text["zh"] == innocent.zh.rstrip("。")


def test_well_known_figures_of_many_peers_raise_no_doubt():
    assert doubts_of([], [figure()]) == ()


def test_what_moved_the_figures_is_told():
    (doubt,) = doubts_of([], [], disturbed=[MERGER])
    assert (doubt.kind, doubt.code) == ("disturbance", "merger")
    assert "merger, split or new unit" in doubt.text["en"]


@pytest.mark.parametrize(("periods", "leaves", "kind"), [(20, 40, "short"), (40, 14, "peers"), (40, 4, "peers")])
def test_short_histories_and_few_peers_are_told(periods, leaves, kind):
    (doubt,) = doubts_of([], [figure(periods, leaves)])
    assert (doubt.kind, doubt.code) == (kind, "LOANS")
    said = {20: "only 20 months", 14: "only 6 peers", 4: "fewer than five peers"}[
        periods if kind == "short" else leaves
    ]
    assert said in doubt.text["en"]


def test_restated_figures_are_told_where_an_alert_rests_on_them():
    loans, arrears = figure(), figure(code="R04")
    (doubt,) = doubts_of([], [loans, arrears], restated=["R04", "PROFIT", "R04"])
    assert (doubt.kind, doubt.code) == ("restated", "R04")
    assert "Loans" not in doubt.text["en"]


def test_a_pattern_that_does_not_hold_on_the_data_is_doubted():
    found = doubts_of([pattern(), pattern("W04", "no_better")], [])
    assert ("record", "W04") in kinds(found)
    assert ("record", "W01") not in kinds(found)


def test_each_family_gives_one_thing_to_look_at_and_none_gives_the_figures():
    assert len(next_looks([pattern("W01"), pattern("W02"), pattern("W04")])) == 2
    assert "moved most" in next_looks([])[0]["en"]
    assert np.all([text["zh"] for text in next_looks([pattern(code) for code in BY_CODE])])
