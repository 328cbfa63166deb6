import re
from dataclasses import replace

import numpy as np
import pytest
from watched_bank import PLANTED, all_of, situation, swell

from features.indicators import library
from models.alert_story.certainty import certainty
from models.alert_story.doubts import doubts_of
from models.alert_story.drivers import told_drivers
from models.alert_story.figures import figure_of, peers_of, told_measures
from models.alert_story.patterns import patterns_of
from models.alert_story.phrases import say
from models.alert_story.story import Basis, Performance, Standing, alert_story, group_story
from models.detectors.catalogue import findings
from models.scoring.phrases import LANGUAGES

START, ROW = 24, 34
UNIT = {"en": "Jinan Branch", "zh": "济南支行"}
TITLE = {"en": "Growth, then delinquency", "zh": "高增后逾期"}
LISTED = Standing(UNIT, "2021-11", True, "red", TITLE, "2021-08")
HIGH = Performance(True, True, 1.12, 0.85)
BASIS = Basis(3, "2021-11-30")
DRIVERS = told_drivers(
    ("LOANS.growth", "R04.worsening"), np.array([0.15, 0.1]), base=0.05, prediction=0.3, indicators=library()
)


@pytest.fixture(scope="module")
def parts():
    loans = swell("LOANS", 1.3, first=START, last=START + 5)
    at = situation(all_of(loans, swell("OVERDUE", 1.7, first=START + 4, last=START + 9)))
    found = findings(at)
    patterns = patterns_of(found, {c: f.met for c, f in found.items()}, row=ROW, unit=PLANTED, records={})
    patterns = tuple(pattern for pattern in patterns if pattern.met)
    assert "W01" in {pattern.detector.code for pattern in patterns}
    peers = peers_of(at.panel.tree, PLANTED)
    measures = told_measures(at, found["W01"], ROW, PLANTED)
    return patterns, tuple(figure_of(at, measure, ROW, PLANTED, peers=peers) for measure in measures)


def sure(listed: bool = True):
    on = np.array([listed, True, False])
    one = np.array([0.1, 0.2, 0.9])
    return certainty(0, score=1 - one, listed=on, p_value=one, q_value=one, level=0.2, budget=0.05)


def told(parts, **changed) -> dict[str, str]:
    patterns, figures = parts
    given = {
        "standing": LISTED,
        "performance": HIGH,
        "patterns": patterns,
        "figures": figures,
        "probability": 0.3,
        "drivers": DRIVERS,
        "reference": say("reference.peers"),
        "certainty": sure(),
        "doubts": doubts_of(patterns, figures),
        "basis": BASIS,
    } | changed
    return alert_story(given.pop("standing"), **given)


def sentence_counts(text: dict[str, str]) -> tuple[int, int]:
    return len(re.findall(r"\.(?= |$)", text["en"])), text["zh"].count("。")


def assert_told(text: dict[str, str]) -> None:
    assert set(text) == set(LANGUAGES)
    for language in LANGUAGES:
        assert not re.search(r"[{}]|\bnan\b|\binf\b|None|\.\.|。。|  ", text[language]), text[language]
    english, chinese = sentence_counts(text)
    assert 3 <= english <= 6
    assert english == chinese


def test_an_alert_is_told_in_six_sentences_with_all_that_matters(parts):
    text = told(parts)
    assert_told(text)
    assert sentence_counts(text) == (6, 6)
    begin = "Jinan Branch is on the list for review in 2021-11 (red, since 2021-08): Growth, then delinquency"
    assert text["en"].startswith(begin)
    assert text["zh"].startswith("济南支行2021年11月列入复核名单（红色，自2021年8月起）：高增后逾期")
    for part in (
        "112% of the year's pace and ahead of 85% of its peers",
        "Loans, growth over 6 months",
        "probability of deterioration is 30%, against 5.0% for the middle of its peers",
        "Loans (growth) +15 points",
        "one of 2 units on the list, of 3",
        "it would be a false alarm if this holds: the rise in arrears comes from old loans",
        "data version 3, as known on 2021-11-30",
        "changes no score and no target",
    ):
        assert part.lower() in text["en"].lower(), part


def test_the_title_is_not_told_twice(parts):
    assert told(parts)["en"].count("Growth, then delinquency") == 1


def test_a_unit_off_the_list_is_told_without_an_alarm(parts):
    standing = Standing(UNIT, "2021-11", False, "", {"en": "", "zh": ""})
    nearest = tuple(replace(pattern, met=False) for pattern in parts[0])
    text = told(parts, standing=standing, patterns=nearest, certainty=sure(False), doubts=(), probability=None)
    assert_told(text)
    assert "is not on the list for review in 2021-11; the nearest pattern, growth, then delinquency" in text["en"]
    assert "false alarm if" not in text["en"]
    assert "no probability" not in text["en"]
    met = told(parts, standing=standing, certainty=sure(False))
    assert "need not worry anybody if this holds: the rise in arrears" in met["en"]
    assert "false alarm" not in met["en"]
    silent = told(parts, standing=standing, patterns=(), figures=(), certainty=sure(False), doubts=())
    assert "no pattern has enough figures" in silent["en"]


def test_a_listed_unit_without_a_pattern_is_not_told_to_have_met_one(parts):
    nearest = tuple(replace(pattern, met=False) for pattern in parts[0][:1])
    text = told(parts, patterns=nearest)
    assert "(red, since 2021-08): signs that stand out only together; the nearest pattern" in text["en"]
    probable = told(parts, patterns=nearest, standing=replace(LISTED, by_probability=True))
    assert "a high estimated probability of deterioration; the nearest pattern" in probable["en"]


def test_where_no_probability_is_given_it_says_so(parts):
    assert "No probability of deterioration is given." in told(parts, probability=None, drivers=None)["en"]
    only = told(parts, drivers=None)["en"]
    assert "The estimated probability of deterioration is 30%." in only


@pytest.mark.parametrize(
    ("performance", "said"),
    [
        (Performance(False, True, 0.98, 0.5), "results were good within the last half year"),
        (Performance(False, False, 0.9, 0.2), "results are not high"),
        (Performance(False, False, None, None), None),
    ],
)
def test_performance_is_told_as_it_is(parts, performance, said):
    text = told(parts, performance=performance)
    assert_told(text)
    assert (said in text["en"]) if said else ("results" not in text["en"])


def test_a_group_is_told_by_the_units_below_it():
    names = [{"en": f"B{number}", "zh": f"第{number}支行"} for number in range(1, 8)]
    text = group_story(UNIT, "2021-Q3", units=19, listed=names, basis=BASIS)
    assert_told(text)
    assert "has 19 units below it in 2021-Q3, 7 of them on the list" in text["en"]
    assert "B5" in text["en"]
    assert "B6" not in text["en"]
    none = group_story(UNIT, "2021", units=19, listed=[], basis=BASIS)
    assert "0 of them" in none["en"]
    assert "most concerning" not in none["en"]


def test_a_name_in_latin_letters_is_set_apart_in_chinese(parts):
    assert told(parts, standing=replace(LISTED, unit={"en": "B1", "zh": "B1"}))["zh"].startswith("B1 2021年11月")
