"""The steps from the last figure to a target add up, whatever is not known."""

import math
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from target_problems import make_indicator

from models.reasons import STEPS, WHOLE_CHANGE, Step, steps
from models.wording import STEP_WORDS, target_sentence

figure = st.floats(-1e7, 1e7, allow_nan=False)
perhaps = figure | st.just(float("nan"))


@given(last=figure, like=perhaps, expected=perhaps, suggested=perhaps, target=figure, decimals=st.integers(0, 4))
def test_the_steps_add_up_to_the_target_as_shown(last, like, expected, suggested, target, decimals) -> None:
    row = {"last_actual": last, "like_group": like, "expected": expected, "suggested": suggested, "target": target}
    found = steps(row, decimals=decimals)
    shown = [Decimal(f"{value:.{decimals}f}") for value in (round(last, decimals), *(s.amount for s in found))]
    assert sum(shown) == Decimal(f"{round(target, decimals):.{decimals}f}")


def test_every_step_has_words_and_totals_have_one_step_of_expectation() -> None:
    row = {"last_actual": 100.0, "like_group": math.nan, "expected": 107.0, "suggested": 105.0, "target": 110.0}
    assert steps(row, decimals=0) == [Step(WHOLE_CHANGE, 7.0), Step("room", -2.0), Step("set_by_hand", 5.0)]
    assert set(STEP_WORDS) == {*STEPS, WHOLE_CHANGE}


def test_without_a_last_figure_nothing_is_split() -> None:
    row = {"last_actual": math.nan, "like_group": 3.0, "expected": 4.0, "suggested": 5.0, "target": 5.0}
    assert steps(row, decimals=1) == []
    told = target_sentence(make_indicator(), [], last=None, target=5.0, probability=0.6, decimals=1)
    assert told["en"] == "No figure of the last year; target 5.0 CNY m, attained with a probability of 60%."
    assert "nan" not in told["zh"]


def test_a_sentence_shows_signs_and_both_languages() -> None:
    told = target_sentence(make_indicator(), [Step("room", -2.5)], last=100.0, target=97.5, probability=0.6, decimals=1)
    assert "-2.5" in told["en"]
    assert "所留余地 -2.5" in told["zh"]
    assert "60%" in told["zh"]
