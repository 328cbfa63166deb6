import json

import numpy as np
import pytest

from training.tuning.beyond_noise import CERTAINTY, LEAST_GAIN, Cell, paired

UNITS = np.arange(50)


def cell(time: int, *, saved: float, noise: float = 0.0, seed: int = 0, weight: np.ndarray | None = None) -> Cell:
    rng = np.random.default_rng([seed, time])
    usual = rng.uniform(0.5, 1.5, len(UNITS))
    return Cell(time, UNITS, usual, usual * (1 - saved + noise * rng.standard_normal(len(UNITS))), weight)


def test_a_gain_at_every_time_is_beyond_noise():
    found = paired([cell(time, saved=0.03, noise=0.02) for time in range(3)])
    assert found.better
    assert found.gain == pytest.approx(0.03, abs=0.01)
    assert found.times == 3


@pytest.mark.parametrize(
    "saved",
    [
        (0.0, 0.0, 0.0),
        (0.05, -0.04, 0.0),  # the luck of a year
        (-0.03, -0.03, -0.03),
        (0.03,),  # nothing to tell luck by
        (0.06, 0.01),  # two years that do not agree
        (LEAST_GAIN / 2,) * 3,  # not worth it
        (),
    ],
)
def test_luck_losses_and_trifles_are_not(saved: tuple[float, ...]):
    assert not paired([cell(time, saved=one, noise=1e-4) for time, one in enumerate(saved)]).better


def test_a_few_units_alone_are_not():
    lucky = [cell(time, saved=0.0) for time in range(3)]
    for one in lucky:
        one.other[0] -= 0.9 * one.usual.mean()  # the same unit each time
    found = paired(lucky)
    assert found.gain > 0.015
    assert found.gain < 2 * found.error_of_units
    assert not found.better


def test_rows_count_by_their_weight():
    weight = np.where(UNITS < 25, 1.0, 0.0)
    found = cell(0, saved=0.0, weight=weight)
    found.other[25:] = 0.0
    assert paired([found]).gain == pytest.approx(0.0)


def test_the_error_of_units_is_that_of_resampling_them():
    rng = np.random.default_rng(1)
    usual, shared = rng.uniform(0.5, 1.5, (2, 400)), rng.standard_normal(400)  # a unit's luck lasts
    other = usual * (1 - 0.05 * shared)
    units = np.arange(400)

    def gain(chosen: np.ndarray) -> float:
        return float(np.mean(1 - other[:, chosen].mean(axis=1) / usual[:, chosen].mean(axis=1)))

    drawn = np.std([gain(rng.choice(400, 400)) for _ in range(400)])
    found = paired([Cell(time, units, usual[time], other[time]) for time in range(2)])
    assert found.error_of_units == pytest.approx(drawn, rel=0.15)


@pytest.mark.parametrize("times", [2, 3])
def test_settings_that_are_no_better_are_seldom_taken(times: int):
    rng = np.random.default_rng(times)
    taken = 0
    for run in range(400):
        luck = 0.01 * rng.standard_normal(times)
        taken += paired([cell(t, saved=luck[t], noise=0.02, seed=run) for t in range(times)]).better
    assert taken / 400 < 1.4 * (1 - CERTAINTY)


def test_plain_json():
    json.dumps(paired([]).as_dict(), allow_nan=False)
    assert paired([cell(0, saved=0.1)]).as_dict()["error_of_times"] is None
