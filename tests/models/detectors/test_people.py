import numpy as np
from watched_bank import PLANTED, Plant, all_of, situation, swell, watched_bank

from features.indicators import IndicatorSet, library
from features.panel import Panel
from models.detectors.detector import Finding
from models.detectors.people import turnover_spike
from models.detectors.situation import Situation

START = 28
CORE = ("P01", "P04", "P07", "P08", "PROFIT")
performing = all_of(*(swell(code, 1.25, first=18, last=23) for code in CORE))
failing = all_of(*(swell(code, 0.8, first=18, last=23) for code in CORE))


def run(at: Situation) -> Finding:
    found = turnover_spike(at)
    assert found is not None
    return found


def leaving(before: float, after: float, *, staff: float) -> Plant:
    """Plant so many leavers a month before and from the start on, of so many staff."""

    def plant(values: dict[str, np.ndarray]) -> None:
        rows = np.arange(len(values["LEAVERS"]))
        values["STAFF"][:, PLANTED] = staff
        values["LEAVERS"][:, PLANTED] = np.where(rows < START, before, after)

    return plant


def rates_only(panel: Panel, *, staff: bool) -> Panel:
    """Report frontline turnover as a rate, with or without the number of staff."""
    rate = 100.0 * panel.array("LEAVERS") / panel.array("STAFF")
    kept = {
        code: x for code, x in panel.values.items() if code not in ("LEAVERS", "H01") and (staff or code != "STAFF")
    }
    codes = [*panel.indicators, "FRONTLINE_TURNOVER"]
    return Panel(
        panel.calendar,
        panel.tree,
        IndicatorSet(library()[code] for code in codes),
        panel.first,
        kept | {"FRONTLINE_TURNOVER": rate},
        panel.known_on,
    )


def test_staff_who_leave_under_good_results_are_noticed():
    at = situation(all_of(performing, leaving(1, 4, staff=100.0)))
    found = run(at)
    assert found.met[START + 1 : START + 7, PLANTED].all()
    assert not found.met[:START, PLANTED].any()
    assert found.joint[START + 4, PLANTED] == np.nanmin(found.joint[START + 4])
    assert found.joint[START + 4, PLANTED] < 0.05
    others = ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)
    assert found.met[:, others].mean() < 0.05
    assert [measure.code for measure in found.evidence][-1] == "H01"


def test_leavers_without_good_results_are_another_matter():
    found = run(situation(all_of(failing, leaving(1, 4, staff=100.0))))
    assert not found.met[:, PLANTED].any()
    assert found.risk[START + 4, PLANTED] < 0.01


def test_two_leavers_of_a_small_branch_are_no_spike():
    one_month = all_of(performing, leaving(0, 0, staff=15.0))

    def plant(values: dict[str, np.ndarray]) -> None:
        one_month(values)
        values["LEAVERS"][START, PLANTED] = 2.0

    found = run(situation(plant))
    assert not found.met[:, PLANTED].any()
    assert found.risk[START : START + 3, PLANTED].min() > 0.07


def test_a_unit_in_which_many_always_leave_has_no_spike():
    found = run(situation(all_of(performing, leaving(4, 4, staff=100.0))))
    assert not found.met[30:, PLANTED].any()


def test_leavers_everywhere_are_no_ones_own():
    def plant(values: dict[str, np.ndarray]) -> None:
        performing(values)
        values["LEAVERS"][START:] = np.random.default_rng(1).poisson(0.036 * values["STAFF"][START:])

    found = run(situation(plant))
    assert np.nanmean(found.risk[START + 3 :] < 0.05) < 0.1


def test_the_frontlines_own_turnover_comes_first_even_as_a_rate():
    panel = watched_bank(all_of(performing, leaving(1, 5, staff=100.0)))
    for staff in (True, False):
        at = Situation(rates_only(panel, staff=staff))
        found = run(at)
        assert found.evidence[-1].code == "FRONTLINE_TURNOVER"
        assert found.met[START + 2 : START + 6, PLANTED].any()


def test_a_rate_that_stands_for_two_people_says_nothing():
    one_month = all_of(performing, leaving(0, 0, staff=15.0))

    def plant(values: dict[str, np.ndarray]) -> None:
        one_month(values)
        values["LEAVERS"][START, PLANTED] = 2.0

    found = run(Situation(rates_only(watched_bank(plant), staff=True)))
    assert not found.met[:, PLANTED].any()
    assert found.risk[START, PLANTED] == 1.0
