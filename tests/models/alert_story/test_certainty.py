import numpy as np
import pytest

from models.alert_story.certainty import Certainty, certainty

SCORE = np.array([0.2, 0.99, 0.97, 0.5, 0.98])
NAN = float("nan")


def sure(at: int, listed: list[int], q=(0.9, 0.01, 0.2, 0.8, 0.05), score=SCORE) -> Certainty:
    on = np.zeros(len(score), dtype=bool)
    on[listed] = True
    p = np.array([0.5, 0.001, NAN, 0.4, 0.01])[: len(score)]
    return certainty(at, score=score, listed=on, p_value=p, q_value=np.array(q), level=0.2, budget=0.05)


def test_the_rate_at_the_end_of_the_list_is_that_of_the_list():
    found = sure(1, [1, 2, 4])
    assert (found.listed, found.looked_at, found.place) == (3, 5, 1)
    assert found.expected_false == pytest.approx(0.6)
    assert found.text["en"] == (
        "it is one of 3 units on the list, of 5 looked at; "
        "fewer than 1 of those listed is expected to stand out by mere chance"
    )
    many = sure(2, [1, 2, 4], q=(0.9, 0.6, 0.7, 0.8, 0.65))
    assert many.expected_false == pytest.approx(2.1)
    assert "about 2 of those listed" in many.text["en"]
    assert "预计约2家纯属偶然" in many.text["zh"]


def test_a_rate_above_one_means_all_of_the_list():
    assert sure(1, [1, 4], q=(0.9, 1.4, 0.2, 0.8, NAN)).expected_false == 2


def test_alone_off_the_list_and_an_empty_list_have_words_of_their_own():
    assert "the only unit on the list, of 5" in sure(1, [1]).text["en"]
    assert sure(3, [1]).text["en"] == "by its score it is number 4 of 5; the list has 1"
    assert "nothing is on the list" in sure(3, []).text["en"]
    assert sure(3, []).expected_false is None


def test_without_p_values_it_says_that_nothing_can_be_estimated():
    found = sure(2, [2], q=(NAN,) * 5)
    assert (found.p_value, found.q_value, found.expected_false) == (None, None, None)
    assert "cannot be estimated" in found.text["en"]
    assert "too little" in found.rarity["en"]
