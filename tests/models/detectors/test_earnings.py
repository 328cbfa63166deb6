import numpy as np
import pytest
from watched_bank import PLANTED, all_of, situation, swell

from models.detectors.earnings import AFTER_TAX, provision_release
from models.detectors.measures import Measure

START = 30
YEAR_ON = START + 12
"""By then a whole year of profit has been earned with the lower provisions."""


@pytest.mark.parametrize(("provisions", "profit", "met"), [(0.6, 1.1, True), (0.6, 2.5, False), (1.0, 1.1, False)])
def test_profit_that_last_years_coverage_would_have_eaten(provisions: float, profit: float, met: bool):
    def steady(values: dict[str, np.ndarray]) -> None:
        values["NPL"][:, PLANTED] = values["NPL"][0, PLANTED]
        values["PROVISIONS"][:, PLANTED] = 2.1 * values["NPL"][0, PLANTED]
        values["PROFIT"][:, PLANTED] = values["PROVISIONS"][0, PLANTED] / 30

    at = situation(
        all_of(
            steady,
            swell("PROVISIONS", provisions, first=START, last=START + 5),
            swell("PROFIT", profit, first=START, last=START),
        )
    )
    found = provision_release(at)
    assert found is not None
    assert found.met[YEAR_ON, PLANTED] == met


def test_what_is_missing_is_measured_at_the_coverage_of_a_year_ago():
    at = situation(swell("PROVISIONS", 0.75, first=START, last=START))
    release = at.values(Measure("release", "R08", 12))
    provisions, bad = at.panel.array("PROVISIONS"), at.panel.array("NPL")
    now, then = START + 3, START - 9
    wanted = provisions[then, PLANTED] / bad[then, PLANTED] * bad[now, PLANTED] - provisions[now, PLANTED]
    np.testing.assert_allclose(release[now, PLANTED], wanted / provisions[then, PLANTED])
    assert 0 < AFTER_TAX < 1


def test_more_provisions_per_bad_loan_are_no_release():
    found = provision_release(situation(swell("PROVISIONS", 1.5, first=START, last=START)))
    assert found is not None
    assert not found.met[START : START + 12, PLANTED].any()
    assert np.nanmin(found.risk[START : START + 12, PLANTED]) > 0.5


def test_needs_the_amounts_behind_the_coverage():
    at = situation()
    assert provision_release(type(at)(at.panel.only(["PROFIT", "R08"]))) is None
