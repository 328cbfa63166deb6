from collections.abc import Callable

import numpy as np
from watched_bank import PLANTED, Plant, all_of, situation, swell, watched_bank

from models.detectors.conduct import complaint_divergence, dormant_accounts, mis_selling, silent_incidents
from models.detectors.detector import Finding
from models.detectors.situation import Situation

START = 28
SHOWN = slice(START + 3, START + 7)
performing = all_of(*(swell(code, 1.25, first=18, last=23) for code in ("P01", "P04", "P07", "P08", "PROFIT")))
failing = all_of(*(swell(code, 0.8, first=18, last=23) for code in ("P01", "P04", "P07", "P08", "PROFIT")))


def others(at: Situation) -> np.ndarray:
    return ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)


def run(detect: Callable[[Situation], Finding | None], at: Situation) -> Finding:
    found = detect(at)
    assert found is not None
    return found


def counts(code: str, before: float, after: float, *, whole: str = "", size: float = 0.0) -> Plant:
    """Plant counts of one unit: so many a month before and from the start on, over customers or staff of a size."""

    def plant(values: dict[str, np.ndarray]) -> None:
        rows = np.arange(len(values[code]))
        values[code][:, PLANTED] = np.where(rows < START, before, after)
        if whole:
            values[whole][:, PLANTED] = size

    return plant


def test_complaints_that_rise_under_good_results_are_found():
    at = situation(all_of(performing, counts("COMPLAINTS", 4, 12)))
    found = run(complaint_divergence, at)
    assert found.met[SHOWN, PLANTED].all()
    assert found.joint[SHOWN, PLANTED].max() < 0.05
    assert not found.met[:START, PLANTED].any()
    assert found.met[:, others(at)].mean() < 0.1
    assert found.joint[START + 4, PLANTED] == np.nanmin(found.joint[START + 4])


def test_complaints_without_good_results_are_another_matter():
    found = run(complaint_divergence, situation(all_of(failing, counts("COMPLAINTS", 4, 12))))
    assert not found.met[:, PLANTED].any()
    assert found.risk[START + 4, PLANTED] < 0.01
    assert found.joint[START + 4, PLANTED] > 0.5


def test_two_complaints_at_a_small_branch_are_no_pattern():
    two = all_of(performing, counts("COMPLAINTS", 0, 0, whole="CUSTOMERS", size=3000.0))

    def plant(values: dict[str, np.ndarray]) -> None:
        two(values)
        values["COMPLAINTS"][START, PLANTED] = 2.0

    found = run(complaint_divergence, situation(plant))
    assert not found.met[:, PLANTED].any()
    assert found.risk[START : START + 3, PLANTED].min() > 0.15


def test_many_complaints_as_always_are_no_rise():
    found = run(complaint_divergence, situation(all_of(performing, counts("COMPLAINTS", 9, 9))))
    assert not found.met[24:, PLANTED].any()
    assert found.risk[24:, PLANTED].min() > 0.2


def test_a_rate_without_counts_is_held_against_peers_and_own_past():
    panel = watched_bank(all_of(performing, counts("COMPLAINTS", 4, 14)))
    panel = panel.only([code for code in panel.codes if code not in ("COMPLAINTS", "CUSTOMERS")])
    found = run(complaint_divergence, Situation(panel))
    assert found.met[SHOWN, PLANTED].any()


def dormant(surge: str, points: float, *, accounts: float = 1.0) -> Plant:
    def plant(values: dict[str, np.ndarray]) -> None:
        swell(surge, 1.8 if surge == "NEW_ACCOUNTS" else 1.3, first=START - 3, last=START)(values)
        values["NEW_ACCOUNTS"][:, PLANTED] = np.maximum(np.round(values["NEW_ACCOUNTS"][:, PLANTED] * accounts), 4.0)
        values["ACTIVATION_90D"][START:, PLANTED] -= points

    return plant


def test_accounts_that_surge_and_are_not_used_are_found():
    for surge in ("NEW_ACCOUNTS", "U07"):
        at = situation(dormant(surge, 25.0))
        found = run(dormant_accounts, at)
        assert found.met[START : START + 3, PLANTED].any(), surge
        assert not found.met[:START, PLANTED].any()
        assert found.met[:, others(at)].mean() < 0.01
        assert np.nanmin(found.joint[START : START + 3, PLANTED]) < 0.01


def test_accounts_that_surge_and_are_used_are_welcome():
    assert not run(dormant_accounts, situation(dormant("NEW_ACCOUNTS", 0.0))).met[:, PLANTED].any()


def test_a_smaller_fall_of_use_is_not_met():
    steady = np.zeros(48)

    def plant(values: dict[str, np.ndarray]) -> None:
        dormant("NEW_ACCOUNTS", 0.0)(values)
        values["ACTIVATION_90D"][:, PLANTED] = 55.0 + steady
        values["ACTIVATION_90D"][START:, PLANTED] -= 9.0

    assert not run(dormant_accounts, situation(plant)).met[:, PLANTED].any()


def test_a_handful_of_accounts_says_nothing():
    found = run(dormant_accounts, situation(dormant("U07", 15.0, accounts=0.01)))
    assert not found.met[:, PLANTED].any()
    assert np.nanmin(found.risk[START : START + 3, PLANTED]) > 0.05


def mis_sold(sales: float, compliant: float, cancelled: float) -> Plant:
    def plant(values: dict[str, np.ndarray]) -> None:
        share = values["COMPLIANT_SALES"] / values["SALES"]
        swell("SALES", sales, first=22, last=27)(values)
        share[START:, PLANTED] -= compliant
        values["COMPLIANT_SALES"] = values["SALES"] * share
        values["POLICIES_CANCELLED"][START:, PLANTED] = np.round(
            values["POLICIES_CANCELLED"][START:, PLANTED] * cancelled
        )

    return plant


def test_sales_that_are_less_compliant_and_cancelled_more_are_found():
    at = situation(mis_sold(1.6, 0.06, 4.0))
    found = run(mis_selling, at)
    assert found.met[START : START + 6, PLANTED].any()
    assert not found.met[:22, PLANTED].any()
    assert found.met[:, others(at)].mean() < 0.02
    assert np.nanmin(found.joint[START : START + 6, PLANTED]) < 0.02


def test_mis_selling_needs_all_three_signs():
    for sales, compliant, cancelled in ((1.0, 0.06, 4.0), (1.6, -0.03, 4.0), (1.6, 0.06, 0.1)):
        found = run(mis_selling, situation(mis_sold(sales, compliant, cancelled)))
        assert not found.met[START : START + 6, PLANTED].any()


def quiet(staff: float, findings: float) -> Plant:
    return all_of(
        counts("INCIDENTS", 0, 0, whole="STAFF", size=staff),
        counts("C04", 1, findings),
    )


def test_no_incidents_beside_many_findings_are_found():
    at = situation(quiet(200.0, 4))
    found = run(silent_incidents, at)
    assert found.met[START + 3 : START + 6, PLANTED].all()
    assert not found.met[:START, PLANTED].any()
    assert found.met[:, others(at)].mean() < 0.05
    assert found.joint[START + 5, PLANTED] == np.nanmin(found.joint[START + 5])


def test_a_small_unit_may_well_have_had_no_incident():
    found = run(silent_incidents, situation(quiet(20.0, 4)))
    assert not found.met[:, PLANTED].any()
    assert np.nanmin(found.joint[:, PLANTED]) > 0.3


def test_findings_as_usual_are_no_sign_of_silence():
    found = run(silent_incidents, situation(quiet(200.0, 1)))
    assert not found.met[:, PLANTED].any()


def test_reported_incidents_are_no_silence():
    found = run(silent_incidents, situation(all_of(quiet(200.0, 4), counts("INCIDENTS", 0, 1))))
    assert not found.met[START:, PLANTED].any()
    assert found.joint[START + 5, PLANTED] == 1.0
