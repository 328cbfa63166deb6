from datetime import date

import numpy as np
import pytest
from feature_panels import indicator, make_panel, make_tree

from features.indicators import IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.novelty import COUNTED, LEAST_REFERENCE, UTMOST_Z, Novelty, novelty

UNIT, ROW = 7, 40
GOOD, BAD = ("SALES", "FEES", "COSTS"), ("LATE", "COMPLAINTS", "LEAVERS")


def quiet(periods: int = 60, *, leaves: int = 40, frequency: Frequency = "M", seed: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    units = len(make_tree(Calendar(frequency), leaves))
    return {code: 10 + np.cumsum(rng.normal(0, 0.05, (periods, units)), axis=0) for code in (*GOOD, *BAD)}


def look_at(
    values: dict[str, np.ndarray], *, leaves: int = 40, frequency: Frequency = "M", begins: str | None = None
) -> Situation:
    calendar = Calendar(frequency)
    tree = make_tree(calendar, leaves)
    good = [indicator(code, direction="lower" if code == "COSTS" else "higher") for code in GOOD]
    bad = [indicator(code, kind="ratio", direction="lower", perspective="risk") for code in BAD]
    indicators = IndicatorSet([each for each in (*good, *bad) if each.code in values])
    for array in values.values():
        array[:, tree.ever_parent] = np.nan
    first = calendar.parse(begins or {"A": "2000", "M": "2000-01"}[frequency])
    return Situation(Panel(calendar, tree, indicators, first, values, date(2040, 1, 1)))


def of(found: Novelty | None) -> Novelty:
    assert found is not None
    return found


def moved(**moves: float) -> dict[str, np.ndarray]:
    values = quiet()
    for code, size in moves.items():
        values[code][ROW - 3 :, UNIT] += size
    return values


def test_results_and_risks_that_surprise_together_are_the_most_unusual():
    found = of(novelty(look_at(moved(SALES=1.5, LATE=1.5))))
    assert np.nanargmax(found.score[ROW]) == UNIT
    assert found.p[ROW, UNIT] < 0.01


def test_either_side_alone_is_less_unusual_than_both():
    both, sales, late = (
        of(novelty(look_at(moved(**moves)))).score[ROW, UNIT]
        for moves in ({"SALES": 1.5, "LATE": 1.5}, {"SALES": 1.5}, {"LATE": 1.5})
    )
    assert both > 1.3 * max(sales, late)


def test_bad_results_and_falling_risks_are_no_surprise():
    before = of(novelty(look_at(quiet()))).score[ROW, UNIT]
    after = of(novelty(look_at(moved(SALES=-1.5, COSTS=1.5, LATE=-1.5)))).score[ROW, UNIT]
    assert after < before


def test_lower_costs_count_as_good_results():
    found = of(novelty(look_at(moved(COSTS=-1.5, LATE=1.5))))
    assert np.nanargmax(found.score[ROW]) == UNIT
    assert found.parts(ROW, UNIT)[0].measure.code in ("COSTS", "LATE")


def test_parts_name_what_was_unusual():
    found = of(novelty(look_at(moved(FEES=1.5, COMPLAINTS=1.5))))
    parts = found.parts(ROW, UNIT)
    assert {(part.measure.code, part.good) for part in parts[:2]} == {("FEES", True), ("COMPLAINTS", False)}
    assert [part.z for part in parts] == sorted((part.z for part in parts), reverse=True)
    assert len(parts) <= 2 * COUNTED
    assert parts[0].z <= UTMOST_Z
    assert all(part.z > 0 for part in parts)
    assert parts[0].measure.months == Measure("growth", "FEES", 6).months


def test_p_values_are_even_where_nothing_is_wrong():
    p = np.concatenate([of(novelty(look_at(quiet(120, seed=seed)))).p for seed in range(4)], axis=1)
    known = p[np.isfinite(p)]
    assert known.min() > 0
    assert (known < 0.05).mean() < 0.055
    settled = p[72:][np.isfinite(p[72:])]
    assert len(settled) > 5000
    assert (settled < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (settled < 0.5).mean() == pytest.approx(0.5, abs=0.08)


def test_measures_that_move_together_need_no_correction():
    values = quiet()
    for code in BAD[1:]:
        values[code] = values["LATE"] + np.random.default_rng(0).normal(0, 1e-3, values[code].shape)
    p = of(novelty(look_at(values))).p
    assert (p[np.isfinite(p)] < 0.05).mean() == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize(("frequency", "periods"), [("M", 60), ("Q", 32), ("A", 12)])
def test_nothing_of_the_future_is_seen(frequency: Frequency, periods: int):
    panel = make_panel(frequency, periods=periods, leaves=60, seed=1)
    whole = of(novelty(Situation(panel)))
    assert np.isfinite(whole.p).any()
    for last in (periods // 2, periods - 3):
        then = of(novelty(Situation(panel.up_to(panel.first + last))))
        np.testing.assert_allclose(then.score, whole.score[: last + 1], rtol=1e-5)
        np.testing.assert_allclose(then.p, whole.p[: last + 1], rtol=1e-6)


def test_parents_and_young_units_have_no_score():
    values = quiet()
    for array in values.values():
        array[:30, UNIT] = np.nan
    at = look_at(values)
    found = of(novelty(at))
    assert np.isnan(found.score[:, at.panel.tree.ever_parent]).all()
    assert np.isnan(found.score[:36, UNIT]).all()
    assert np.isfinite(found.score[50, UNIT])
    assert found.parts(20, UNIT) == ()


def test_silent_with_too_few_scores_to_compare_with():
    found = of(novelty(look_at(quiet(5, leaves=20, frequency="A"), leaves=20, frequency="A")))
    enough = np.cumsum(np.isfinite(found.score).sum(axis=1)) >= LEAST_REFERENCE
    assert not enough.any()
    assert np.isnan(found.p).all()
    assert np.isfinite(found.score).any()


def test_silent_with_fewer_than_three_measures_or_five_peers():
    values = quiet()
    assert novelty(look_at({code: values[code] for code in ("SALES", "LATE")})) is None
    assert np.isnan(of(novelty(look_at(quiet(leaves=4), leaves=4))).score).all()


def test_risks_alone_are_scored_where_there_are_no_results():
    values = {code: array for code, array in moved(LATE=1.5, LEAVERS=1.5).items() if code in BAD}
    found = of(novelty(look_at(values)))
    assert found.good == ()
    assert np.nanargmax(found.score[ROW]) == UNIT


def test_figures_without_the_start_of_a_year_are_not_ranked():
    found = of(novelty(look_at(quiet(periods=5), begins="2000-04")))
    assert np.isnan(found.p).all()
