import math

import pytest

from models.outcome.settings import DEFAULT
from training.tuning.beyond_noise import Gain
from training.tuning.choosing import chosen, divided
from training.tuning.search import Trial

TRIALS = (Trial({"kept": 0.7}, 0.95), Trial({"kept": 1.0}, 0.9))
OTHER = DEFAULT.with_knobs({"kept": 1.0})


@pytest.mark.parametrize(
    ("count", "searched", "held_out"), [(3, 0, 0), (4, 2, 2), (5, 3, 2), (6, 3, 3), (7, 4, 3), (12, 9, 3)]
)
def test_the_newest_times_decide(count: int, searched: int, held_out: int):
    early, late = divided(range(2000, 2000 + count))
    assert (len(early), len(late)) == (searched, held_out)
    assert [*early, *late] == (list(range(2000, 2000 + count)) if held_out else [])


def came_to(gain: Gain | None):
    leading = TRIALS[0] if gain is None else TRIALS[1]
    return chosen(DEFAULT, OTHER, trials=TRIALS, best=leading, gain=gain, searched=(2015, 2016), held_out=(2017, 2018))


def test_better_settings_are_taken():
    found = came_to(Gain(0.021, 0.004, 0.003, 2, better=True))
    assert (found.settings, found.changed) == (OTHER, True)
    assert [(one["usual"], one["chosen"]) for one in found.tried] == [(True, False), (False, True)]
    assert "2.1% lower" in found.text.en
    assert "低 2.1%" in found.text.zh
    assert found.figures["held_out"] == [2017, 2018]


@pytest.mark.parametrize(
    ("gain", "said", "zh"),
    [
        (Gain(0.004, 0.01, 0.003, 2, better=False), "0.4% lower", "低 0.4%"),
        (Gain(-0.02, 0.01, 0.003, 2, better=False), "2.0% higher", "高 2.0%"),
        (None, "none of 1 others", "均未更优"),
    ],
)
def test_else_the_usual_ones_stay_and_it_is_said(gain: Gain | None, said: str, zh: str):
    found = came_to(gain)
    assert (found.settings, found.changed) == (DEFAULT, False)
    assert [one["chosen"] for one in found.tried] == [True, False]
    assert "The usual settings serve" in found.text.en
    assert said in found.text.en
    assert zh in found.text.zh
    assert math.isfinite(found.figures.get("gain", 0.0))
