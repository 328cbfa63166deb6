from decimal import Decimal

import numpy as np
import pytest

from features.indicators import library
from models.alert_story.drivers import (
    MOST,
    OTHERS,
    driver_of,
    driver_players,
    driver_title,
    kind_of,
    told_drivers,
)

KNOWN = library()
CODES = ("LOANS.growth", "R01.worsening", "R04.level", "U04.past", "calendar", "prior")


def exact(value: float) -> Decimal:
    return Decimal(str(value))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_shown_adds_up_exactly_whatever_the_amounts(seed):
    rng = np.random.default_rng(seed)
    codes = [f"{code}.{kind}" for code in list(KNOWN)[:8] for kind in ("growth", "level", "peers")]
    base = float(rng.uniform(0, 0.5 if seed % 2 else 0.01))
    amounts = rng.normal(0, 0.1 * base, len(codes)) * (rng.random(len(codes)) < 0.8)
    prediction = float(base + amounts.sum())
    told = told_drivers(codes, amounts, base=base, prediction=prediction, indicators=KNOWN)
    for parts in (told.parts, told.kinds):
        assert exact(told.base_value) + sum(exact(part.amount) for part in parts) == exact(told.prediction)
        assert len(parts) <= MOST + 1
    assert told.prediction == round(prediction, told.decimals)
    assert told.decimals == (3 if max(base, prediction) >= 0.02 else 4)


def test_the_largest_come_first_and_the_rest_are_told_together():
    codes = [f"{code}.growth" for code in list(KNOWN)[: MOST + 5]]
    amounts = np.array([0.001] * 5 + [-0.02] + [0.01] * (MOST - 1))
    told = told_drivers(codes, amounts, base=0.1, prediction=0.1 + amounts.sum(), indicators=KNOWN)
    assert told.parts[0].code == codes[5]
    assert told.parts[0].amount == -0.02
    assert told.parts[-1].code == OTHERS
    assert told.parts[-1].title["en"] == "5 others together"
    assert told.parts[-1].amount == pytest.approx(0.005)


def test_nothing_to_tell_apart_is_told_as_nothing():
    told = told_drivers(CODES, np.zeros(len(CODES)), base=0.2, prediction=0.2, indicators=KNOWN)
    assert (told.parts, told.kinds) == ((), ())
    assert told.base_value == told.prediction == 0.2


def test_drivers_are_named_in_words_with_their_sign_in_points():
    told = told_drivers(
        ("LOANS.growth", "prior"), np.array([0.061, -0.02]), base=0.1, prediction=0.141, indicators=KNOWN
    )
    assert told.parts[0].text == {"en": "Loans (growth) +6.1 points", "zh": "贷款余额（增速）+6.1个百分点"}
    assert told.parts[1].text["en"].endswith("by general rules -2 points")
    assert driver_title("calendar", KNOWN)["en"] == "time of the year"


def test_the_same_gap_is_told_by_kind_over_all_indicators():
    codes = ("LOANS.growth", "DEPOSITS.growth", "R01.worsening", "R04.worsening", "C01.level", "H01.level", "prior")
    amounts = np.array([0.01, 0.02, 0.03, 0.04, -0.01, 0.02, 0.005])
    told = told_drivers(codes, amounts, base=0.1, prediction=0.1 + amounts.sum(), indicators=KNOWN)
    found = {part.code: part.amount for part in told.kinds}
    assert found == {
        "risk.worsening": 0.07,
        "business.growth": 0.03,
        "other.level": 0.02,
        "risk.level": -0.01,
        "prior": 0.005,
    }
    assert told.kinds[0].title == {"en": "risk and compliance (worsening)", "zh": "风险与合规（恶化幅度）"}


def test_columns_are_grouped_each_once():
    columns = ("LOANS.growth_1y", "LOANS.growth_3y", "LOANS.peer_z", "R01.worsening_6m", "year_share", "prior")
    players = driver_players(columns)
    assert players.names == ("LOANS.growth", "LOANS.peers", "R01.worsening", "calendar", "prior")
    assert players.of_feature == (0, 0, 1, 2, 3, 4)
    assert driver_of("LOANS.growth_1y") == "LOANS.growth"
    assert kind_of("calendar", KNOWN) == "calendar"
