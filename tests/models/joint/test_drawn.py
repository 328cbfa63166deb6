"""Distributions known as draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_panels import make_panel

from models.joint.drawn import DrawnDistribution, meets


def test_a_band_is_attained_by_staying_near_it() -> None:
    indicator = make_panel(direction="band", band=[10.0, 20.0]).indicator("FLOW")
    draws = np.sort(np.random.default_rng(1).normal(23, 3, (4000, 1)), axis=0)
    found = DrawnDistribution(indicator, draws, np.array([""]))
    value = found.value_at(0.6)
    assert value[0] > 20
    assert found.attain(value)[0] == pytest.approx(0.6, abs=0.01)
    assert found.attain(np.array([15.0]))[0] < found.attain(np.array([30.0]))[0]


def test_a_total_that_never_moves_is_attained() -> None:
    indicator = make_panel(direction="lower").indicator("FLOW")
    draws = np.full((100, 1), 0.1 + 0.2)  # 0.30000000000000004
    assert DrawnDistribution(indicator, draws, np.array([""])).attain(np.array([0.3]))[0] == 1.0


@given(st.sampled_from(["higher", "lower"]), st.floats(0.05, 0.95), st.floats(0.001, 0.04))
@settings(max_examples=20, deadline=None)
def test_attaining_gets_less_likely_as_more_is_asked(direction: str, probability: float, more: float) -> None:
    indicator = make_panel(direction=direction).indicator("FLOW")
    draws = np.sort(np.random.default_rng(2).normal(100, 9, (500, 3)), axis=0)
    found = DrawnDistribution(indicator, draws, np.array(["", "", ""]))
    easy, hard = found.value_at(min(probability + more, 1.0)), found.value_at(probability)
    assert (found.attain(hard) <= found.attain(easy)).all()
    assert (np.abs(found.attain(hard) - probability) <= 2 / 500).all()


def test_an_unknown_value_is_met_in_no_draw() -> None:
    indicator = make_panel().indicator("FLOW")
    assert not meets(indicator, np.ones((4, 1)), np.array([np.nan])).any()
    found = DrawnDistribution(indicator, np.full((4, 1), np.nan), np.array([""]))
    assert np.isnan(found.attain(np.array([1.0]))).all()
