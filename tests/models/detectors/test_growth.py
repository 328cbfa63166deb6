import numpy as np
import pytest
from watched_bank import PLANTED, Plant, all_of, situation, swell

from models.detectors.detector import Finding
from models.detectors.growth import dilution, growth_then_delinquency, yield_reaching
from models.detectors.situation import Situation

START = 24
SHOWN = slice(START + 4, START + 12)
"""Months in which a pattern planted from `START` on should show."""


def leaves(at: Situation) -> np.ndarray:
    return ~at.panel.tree.ever_parent


def unseasoned(factor: float) -> Plant:
    """Let loans grow within six months and nothing else: new loans have had no time to go bad."""
    return swell("LOANS", factor, first=START, last=START + 5)


def most_striking(found: Finding, at: Situation, rows: slice) -> int:
    joint = np.where(leaves(at), found.joint, np.nan)[rows]
    return int(np.unravel_index(np.nanargmin(joint), joint.shape)[1])


def pattern_w01() -> Plant:
    return all_of(unseasoned(1.3), swell("OVERDUE", 1.7, first=START + 4, last=START + 9))


def test_growth_followed_by_arrears_is_found_and_no_one_else_is():
    at = situation(pattern_w01())
    found = growth_then_delinquency(at)
    assert found is not None
    assert found.met[SHOWN, PLANTED].any()
    assert most_striking(found, at, SHOWN) == PLANTED
    assert found.joint[SHOWN, PLANTED].min() < 0.01
    others = leaves(at) & (np.arange(at.shape[1]) != PLANTED)
    assert found.met[:, others].mean() < 0.02
    assert not found.met[:START, PLANTED].any()
    assert [measure.code for measure in found.evidence] == ["LOANS", "R04"]


def test_growth_whose_arrears_stay_flat_is_not_met():
    found = growth_then_delinquency(situation(unseasoned(1.3)))
    assert found is not None
    assert not found.met[:, PLANTED].any()


def test_arrears_without_growth_are_not_met():
    arrears = swell("OVERDUE", 1.7, first=START + 4, last=START + 9)
    found = growth_then_delinquency(situation(all_of(swell("LOANS", 0.95, first=START - 6, last=START + 6), arrears)))
    assert found is not None
    assert not found.met[SHOWN, PLANTED].any()


def test_growth_after_a_merger_is_not_flagged():
    merged = np.zeros(situation().shape, dtype=bool)
    merged[START : START + 12, PLANTED] = True
    found = growth_then_delinquency(situation(pattern_w01(), disturbed={"merger": merged}))
    assert found is not None
    assert found.performance is not None
    assert not found.met[SHOWN, PLANTED].any()
    assert np.isnan(found.performance[SHOWN, PLANTED]).all()


def test_the_denominator_of_the_risk_stands_for_the_volume_where_no_loans_are_declared():
    at = situation(pattern_w01())
    plain = at.panel.indicators["LOANS"].model_copy(update={"role": None})
    indicators = type(at.panel.indicators)(
        plain if spec.code == "LOANS" else spec for spec in at.panel.indicators.values()
    )
    renamed = Situation(type(at.panel)(**{**at.panel.__dict__, "indicators": indicators}))
    found = growth_then_delinquency(renamed)
    assert found is not None
    assert found.evidence[0].code == "LOANS"
    assert found.met[SHOWN, PLANTED].any()


def test_arrears_alone_without_any_volume_say_nothing():
    at = situation()
    assert growth_then_delinquency(Situation(at.panel.only(["R04"]))) is None


def pattern_w02() -> Plant:
    return all_of(
        swell("LOANS", 1.6, first=START, last=START + 9),
        swell("NPL", 1.35, first=START, last=START + 9),
    )


def test_a_falling_ratio_over_rising_bad_loans_is_dilution():
    at = situation(pattern_w02())
    found = dilution(at)
    assert found is not None
    rows = slice(START + 8, START + 13)
    assert at.panel.array("R01")[START + 10, PLANTED] < at.panel.array("R01")[START - 2, PLANTED]
    assert found.met[rows, PLANTED].any()
    assert most_striking(found, at, rows) == PLANTED


def test_a_ratio_that_rises_is_no_dilution():
    found = dilution(situation(swell("NPL", 1.5, first=START, last=START + 9)))
    assert found is not None
    assert found.risk[START + 9, PLANTED] < 0.05
    assert not found.met[START + 6 : START + 12, PLANTED].any()


def test_dilution_needs_a_base():
    at = situation()
    assert dilution(Situation(at.panel.only(["R01", "P01"]))) is None


@pytest.mark.parametrize(("price", "grade", "met"), [(1.3, 1.25, True), (1.3, 0.8, False), (1.0, 1.25, False)])
def test_dear_loans_to_weaker_customers_are_reaching_for_yield(price: float, grade: float, met: bool):
    at = situation(
        all_of(
            swell("NEW_LOAN_YIELD", price, first=START, last=START + 3),
            swell("CREDIT_RATING", grade, first=START, last=START + 6),
        )
    )
    found = yield_reaching(at)
    assert found is not None
    assert found.met[SHOWN, PLANTED].any() == met
    if met:
        assert most_striking(found, at, SHOWN) == PLANTED
