import numpy as np
from watched_bank import PLANTED, Plant, all_of, situation, swell, watched_bank

from models.detectors.detector import Finding
from models.detectors.inclusive import fake_inclusive
from models.detectors.situation import Situation

START = 26
SHOWN = slice(START + 5, START + 9)
growing = swell("S01", 1.5, first=START, last=START + 3)
bunching = swell("CAP_TICKET_SHARE", 2.0, first=START, last=START + 3)
bills = swell("BILLS", 1.6, first=START, last=START + 5)


def run(at: Situation) -> Finding:
    found = fake_inclusive(at)
    assert found is not None
    return found


def test_inclusive_growth_of_split_loans_and_bills_is_found():
    at = situation(all_of(growing, bunching, bills))
    found = run(at)
    assert found.met[SHOWN, PLANTED].any()
    assert not found.met[:START, PLANTED].any()
    assert np.nanmin(found.joint[SHOWN, PLANTED]) < 0.01
    others = ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)
    assert found.met[:, others].mean() < 0.02
    assert [measure.code for measure in found.evidence] == ["S01", "CAP_TICKET_SHARE", "BILLS"]


def test_each_sign_is_needed():
    fewer = swell("BILLS", 0.6, first=START, last=START + 5)
    apart = swell("CAP_TICKET_SHARE", 0.5, first=START, last=START + 3)
    slower = swell("S01", 0.7, first=START, last=START + 3)
    plants: list[Plant] = [
        all_of(growing, bunching, fewer),
        all_of(growing, apart, bills),
        all_of(slower, bunching, bills),
    ]
    for plant in plants:
        assert not run(situation(plant)).met[SHOWN, PLANTED].any()


def test_the_balance_stands_in_for_the_growth_rate():
    plant = all_of(swell("SME_LOANS", 1.4, first=START, last=START + 5), bunching, bills)
    panel = watched_bank(plant)
    found = run(Situation(panel.only([code for code in panel.codes if code != "S01"])))
    assert found.evidence[0].code == "SME_LOANS"
    assert found.met[SHOWN, PLANTED].any()


def test_a_growth_rate_that_was_negative_is_not_compared():
    def plant(values: dict[str, np.ndarray]) -> None:
        bunching(values)
        bills(values)
        values["S01"][:START, PLANTED] = -2.0
        values["S01"][START:, PLANTED] = 9.0

    assert not run(situation(plant)).met[:, PLANTED].any()
