"""Sentences add up as they are read, in both languages, and name units of measure as each language does."""

import re
from decimal import Decimal

import pytest
from target_problems import RATE, make_indicator

from models.reasons import Step
from models.wording import (
    AGAINST_WORDS,
    COURSE_NOTES,
    COURSE_WORDS,
    course_part_words,
    course_sentence,
    target_sentence,
)


def figures(text: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in re.findall(r"[+-][\d,]+\.\d+", text)]


@pytest.mark.parametrize("against", [None, *AGAINST_WORDS])
def test_the_parts_read_add_up_to_the_course_read(against: str | None) -> None:
    parts = {"level": 1200.25, "size": -0.5, "spread": 0.0, "carried": 0.25}
    told = course_sentence(parts, total=1200.0, against=against, decimals=2)
    for text in told.values():
        whole, *shown = figures(text)
        assert whole == sum(shown) == Decimal("1200.00")
        assert len(shown) == 3
    assert ("held against" in told["en"]) == (against is not None) == ("对照" in told["zh"])


def test_a_course_of_zeros_has_nothing_to_tell() -> None:
    told = course_sentence({"level": 0.0, "size": 0.001}, total=0.0, against="peers", decimals=2)
    assert told["en"] == "Its own course 0.00, held against the middle of its peers: nothing to tell apart."
    assert told["zh"] == "自身走势0.00，与同类组中位水平对照：无可细分的差别。"


def test_every_word_is_there_in_both_languages() -> None:
    for words in (*COURSE_WORDS.values(), *AGAINST_WORDS.values(), *COURSE_NOTES.values()):
        assert set(words) == {"en", "zh"}
        assert all(words.values())
    assert all("{" not in text for code in COURSE_WORDS for text in course_part_words(code, "group").values())


def test_the_unit_of_measure_is_told_in_the_readers_language() -> None:
    way = [Step("room", -2.5)]
    amount = target_sentence(make_indicator(), way, last=1100.0, target=1097.5, probability=0.6, decimals=1)
    assert amount["zh"].startswith("上期实际1,100.0百万元；")
    assert "目标1,097.5百万元" in amount["zh"]
    assert "target 1,097.5 CNY m" in amount["en"]
    rate = target_sentence(make_indicator(**RATE), way, last=2.0, target=1.5, probability=0.6, decimals=1)
    assert "目标1.5%" in rate["zh"]
    assert "target 1.5%" in rate["en"]
