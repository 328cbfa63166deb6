from collections.abc import Callable

import numpy as np
from watched_bank import PLANTED, Plant, situation, watched_bank

from models.detectors.detector import Finding
from models.detectors.scale import bill_stuffing, round_tripping, window_dressing
from models.detectors.situation import Situation

QUARTER_ENDS = np.arange(48) % 3 == 2
ROW = 30


def others(at: Situation) -> np.ndarray:
    return ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)


def run(detect: Callable[[Situation], Finding | None], at: Situation) -> Finding:
    found = detect(at)
    assert found is not None
    return found


def pushed(rows: np.ndarray, *, stays: bool = False) -> Plant:
    """Swell the deposits at some month ends by a tenth, and report the deviation."""

    def plant(values: dict[str, np.ndarray]) -> None:
        values["DEPOSITS"] = values["P01"] * (1 + values["R13"] / 100)
        values["DEPOSITS"][rows, PLANTED] *= 1.1
        values["R13"][rows, PLANTED] = 10.0
        if stays:
            values["DEPOSITS"][rows.argmax() :, PLANTED] = values["P01"][rows.argmax() :, PLANTED] * 1.1

    return plant


def late_pushes() -> np.ndarray:
    return QUARTER_ENDS & (np.arange(48) >= 24)


def test_deposits_pushed_at_quarter_ends_are_found_a_month_after_the_second():
    at = situation(pushed(late_pushes()))
    found = run(window_dressing, at)
    second = 29
    assert not found.met[: second + 1].any(), "the fall of the month after must be known"
    assert found.met[second + 1 :, PLANTED].all()
    assert not found.met[:, others(at)].any()
    assert found.risk[second + 1 : 36, PLANTED].max() < 0.01
    assert {measure.code for measure in found.evidence} == {"R13", "DEPOSITS"}


def test_deposits_that_stay_were_not_pushed():
    assert not run(window_dressing, situation(pushed(late_pushes(), stays=True))).met.any()


def test_one_quarter_end_is_not_a_habit():
    once = np.arange(48) == 29
    assert not run(window_dressing, situation(pushed(once))).met.any()


def test_pushes_at_other_month_ends_are_no_quarter_ends():
    assert not run(window_dressing, situation(pushed(np.roll(late_pushes(), 1)))).met.any()


def test_the_deviation_is_read_off_balance_and_average_and_the_other_way_round():
    panel = watched_bank(pushed(late_pushes()))
    whole = run(window_dressing, Situation(panel)).met
    for missing in ("R13", "DEPOSITS", "P01"):
        kept = [code for code in panel.codes if code != missing]
        np.testing.assert_array_equal(run(window_dressing, Situation(panel.only(kept))).met, whole, missing)
    assert window_dressing(Situation(panel.only(["R13", "LOANS"]))) is None


def test_a_lasting_habit_of_pushing_is_met_but_is_no_rise():
    def plant(values: dict[str, np.ndarray]) -> None:
        values["DEPOSITS"] = values["P01"] * (1 + values["R13"] / 100)
        values["DEPOSITS"][QUARTER_ENDS, PLANTED] *= 1.06
        values["R13"][QUARTER_ENDS, PLANTED] = 6.0

    found = run(window_dressing, situation(plant))
    assert found.met[30:, PLANTED].all()
    assert found.risk[36:, PLANTED].min() > 0.05


def test_figures_that_come_late_move_the_finding_down_with_them():
    panel = watched_bank(pushed(late_pushes()))
    soon, late = (run(window_dressing, Situation(panel, delays=delays)) for delays in ({}, {"DEPOSITS": 2}))
    np.testing.assert_array_equal(late.met[2:], soon.met[:-2])
    assert not late.met[:2].any()


def round_trip(*codes: str, pledges: float = 2.0, back: float = 1.1) -> Plant:
    """Swell balances at the end of one month."""

    def plant(values: dict[str, np.ndarray]) -> None:
        for code in codes:
            values[code][ROW, PLANTED] *= 1.1
            values[code][ROW + 1 :, PLANTED] *= 1.1 / back
        values["PLEDGED_DEPOSITS"][ROW, PLANTED] *= pledges

    return plant


def test_loans_and_deposits_that_go_round_are_found_when_they_are_back():
    at = situation(round_trip("LOANS", "DEPOSITS"))
    found = run(round_tripping, at)
    assert found.met[ROW + 1, PLANTED]
    assert not found.met[: ROW + 1].any()
    assert not found.met[ROW + 2 :].any()
    assert not found.met[:, others(at)].any()
    assert found.joint[ROW + 1, PLANTED] < 0.01
    assert [measure.code for measure in found.evidence] == ["DEPOSITS", "LOANS", "PLEDGED_DEPOSIT_SHARE"]


def test_one_side_alone_does_not_go_round():
    for code in ("LOANS", "DEPOSITS"):
        assert not run(round_tripping, situation(round_trip(code))).met.any()


def test_growth_that_stays_does_not_go_round():
    assert not run(round_tripping, situation(round_trip("LOANS", "DEPOSITS", back=1.0))).met.any()


def test_pledges_must_have_risen_where_they_are_reported():
    fewer = round_trip("LOANS", "DEPOSITS", pledges=0.3)
    assert not run(round_tripping, situation(fewer)).met.any()
    panel = watched_bank(fewer).only(["LOANS", "DEPOSITS"])
    assert run(round_tripping, Situation(panel)).met[ROW + 1, PLANTED]


def test_months_are_matched_where_loans_come_later_than_deposits():
    panel = watched_bank(round_trip("LOANS", "DEPOSITS"))
    for delays in ({"LOANS": 1}, {"DEPOSITS": 1}):
        found = run(round_tripping, Situation(panel, delays=delays))
        assert found.met[ROW + 2, PLANTED]
        assert found.met.sum() == 1


def stuffed(bills: float, others: float = 0.0) -> Plant:
    """Add bills and other loans to the loans, as parts of them, for good."""

    def plant(values: dict[str, np.ndarray]) -> None:
        size = values["LOANS"][ROW - 1, PLANTED]
        values["LOANS"][ROW, PLANTED] = size
        values["LOANS"][ROW:, PLANTED] += (bills + others) * size
        values["BILLS"][ROW:, PLANTED] = values["BILLS"][ROW - 1, PLANTED] + bills * size

    return plant


def test_bills_that_make_most_of_the_lending_are_found():
    at = situation(stuffed(0.06, 0.02))
    found = run(bill_stuffing, at)
    assert found.met[ROW, PLANTED]
    assert found.met[:, PLANTED].sum() == 1
    assert found.joint[ROW, PLANTED] < 0.01
    assert found.met[:, others(at)].mean() < 0.01


def test_bills_beside_more_of_other_lending_are_none():
    assert not run(bill_stuffing, situation(stuffed(0.04, 0.05))).met[:, PLANTED].any()


def test_a_few_bills_in_a_month_without_lending_are_none():
    assert not run(bill_stuffing, situation(stuffed(0.003))).met[:, PLANTED].any()


def test_bills_and_loans_of_one_month_are_compared():
    panel = watched_bank(stuffed(0.06))
    found = run(bill_stuffing, Situation(panel, delays={"BILLS": 1}))
    assert found.met[:, PLANTED].nonzero()[0].tolist() == [ROW + 1]


def test_a_merged_unit_is_left_alone():
    plants = {window_dressing: pushed(late_pushes()), round_tripping: round_trip("LOANS", "DEPOSITS"),
              bill_stuffing: stuffed(0.06)}  # fmt: skip
    for detect, plant in plants.items():
        panel = watched_bank(plant)
        merged = np.zeros((48, len(panel.tree)), dtype=bool)
        merged[:, PLANTED] = True
        found = run(detect, Situation(panel, disturbed={"merger": merged}))
        assert not found.met[:, PLANTED].any()
        assert np.isnan(found.risk[:, PLANTED]).all()
