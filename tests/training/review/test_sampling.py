"""Drawing from below the line: the same again, spread over the ranks, with chances that add up."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_record import alert, alerts, standings

from training.review.sampling import COLUMNS, chances_by_rank, draw_below


@given(units=st.integers(0, 300), draws=st.integers(0, 300))
def test_chances_add_up_to_the_draws_and_fall_with_the_rank(units, draws):
    draws = min(draws, units)
    chances = chances_by_rank(units, draws)
    assert len(chances) == units
    assert math.isclose(chances.sum(), draws, abs_tol=1e-6)
    assert (np.diff(chances) <= 1e-9).all()
    if draws:
        assert chances.min() > 0
        assert chances.max() <= 1


def test_the_same_seed_draws_the_same_whatever_else_is_in_the_table():
    listed = alerts(*(alert(f"U{number:02d}") for number in range(10)))
    table = standings(60, listed=10)
    drawn = draw_below(table, listed, period="2024-12", seed=5).rows
    more = pd.concat([standings(60, listed=10, period="2025-01"), table.iloc[::-1]])
    again = draw_below(more, listed.iloc[::-1], period="2024-12", seed=5).rows
    assert drawn["alert"].tolist() == again["alert"].tolist()
    assert [*COLUMNS, "chance"] == drawn.columns.tolist()


@pytest.mark.parametrize(("listed", "count"), [(0, 0), (1, 1), (20, 1), (21, 2), (40, 2), (41, 3)])
def test_one_is_drawn_for_every_twenty_alerts(listed, count):
    open_alerts = alerts(*(alert(f"U{number:02d}") for number in range(listed)), alert("GONE", open=False))
    draw = draw_below(standings(80, listed=listed), open_alerts, period="2024-12", seed=1)
    assert len(draw.rows) == count
    assert len(draw.above) == listed
    assert draw.below == 80 - listed


def test_neither_the_listed_nor_parents_nor_the_unscored_are_drawn():
    table = standings(12, listed=2)
    table.loc[5, "score"] = float("nan")
    units = [code for code in table["unit"] if code != "U04"]
    with_alert = alerts(alert("U00"), alert("U03"), alert("U07", sampled=True))
    found: set[str] = set()
    for seed in range(300):
        draw = draw_below(table, with_alert, period="2024-12", seed=seed, units=units)
        assert draw.below == 7
        assert draw.above == ("U00@2024-10", "U03@2024-10")
        found |= set(draw.rows["unit"])
    assert found == {"U02", "U06", "U07", "U08", "U09", "U10", "U11"}
    assert draw.rows["sampled"].all()
    assert draw.rows["severity"].eq("").all()
    assert draw.rows["alert"].tolist() == [f"{draw.rows['unit'].iloc[0]}@2024-12"]


def test_units_are_drawn_as_often_as_their_chances_say():
    listed = alerts(*(alert(f"U{number:02d}") for number in range(45)))
    table = standings(95, listed=45)
    counts = dict.fromkeys(table["unit"][45:], 0)
    chances: dict[str, float] = {}
    rounds = 800
    for seed in range(rounds):
        rows = draw_below(table, listed, period="2024-12", seed=seed).rows
        for unit, chance in zip(rows["unit"], rows["chance"], strict=True):
            counts[unit] += 1
            chances[unit] = chance
    assert len(chances) == 50
    for unit, chance in chances.items():
        spread = math.sqrt(chance * (1 - chance) / rounds)
        assert abs(counts[unit] / rounds - chance) < 5 * spread
    top = sum(counts[f"U{number}"] for number in range(45, 55)) / rounds
    assert top == pytest.approx(1.5, abs=0.12)  # half of three draws fall to the fifth nearest to the line


def test_draws_of_a_period_are_spread_over_the_ranks():
    listed = alerts(*(alert(f"U{number:02d}") for number in range(60)))
    for seed in range(50):
        rows = draw_below(standings(99, listed=60), listed, period="2024-12", seed=seed).rows
        assert len(rows) == 3
        assert rows["score"].is_monotonic_decreasing
        assert rows["score"].iloc[-1] < rows["score"].iloc[0] - 0.04


def test_units_of_which_nothing_is_known_are_not_drawn_unless_nothing_is_known_of_any():
    table = standings(10, listed=1)
    silent = table.assign(p_value=table["p_value"].where(table["unit"] != "U05"))
    assert draw_below(table, alerts(alert("U00")), period="2024-12", seed=1).below == 9
    assert draw_below(silent, alerts(alert("U00")), period="2024-12", seed=1).below == 8
    for unknown in (table.assign(p_value=float("nan")), table.drop(columns="p_value")):
        assert draw_below(unknown, alerts(alert("U00")), period="2024-12", seed=1).below == 9
