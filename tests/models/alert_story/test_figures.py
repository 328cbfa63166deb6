import numpy as np
import pytest
from watched_bank import PLANTED, all_of, situation, swell, watched_bank

from models.alert_story.figures import (
    CHARTED,
    MOST_MEASURES,
    figure_of,
    is_business,
    measure_title,
    peers_of,
    standing_out,
    told_measures,
)
from models.detectors.catalogue import DETECTORS, findings
from models.detectors.detector import Finding
from models.detectors.measures import KINDS, Measure, as_people_say
from models.detectors.situation import Situation

START, ROW = 24, 36
LOANS = Measure("growth", "LOANS", 6)


def surged() -> Situation:
    loans = swell("LOANS", 1.3, first=START, last=START + 5)
    return situation(all_of(loans, swell("OVERDUE", 1.7, first=START + 4, last=START + 9)))


def told(at: Situation, measure: Measure = LOANS, row: int = ROW, unit: int = PLANTED):
    return figure_of(at, measure, row, unit, peers=peers_of(at.panel.tree, unit))


def said(at: Situation, measure: Measure) -> np.ndarray:
    return 100 * as_people_say(measure, at.panel.indicator(measure.code), at.values(measure))


def test_growth_is_told_on_the_former_figure():
    at = surged()
    loans = at.panel.array("LOANS")[:, PLANTED]
    assert told(at).now == pytest.approx(100 * (loans[ROW] / loans[ROW - 6] - 1), abs=0.05)


def test_a_figure_stands_beside_its_own_past_and_its_peers():
    at = surged()
    found = told(at)
    values = said(at, LOANS)
    groups = at.panel.tree.peer_groups()
    peers = np.flatnonzero(groups == groups[PLANTED])
    assert found.now == pytest.approx(values[ROW, PLANTED], abs=0.05)
    past = values[:ROW, PLANTED]
    assert found.own_past == pytest.approx(np.nanmedian(past[np.isfinite(past)]), abs=0.05)
    assert found.peers_middle == pytest.approx(np.median(values[ROW, peers]), abs=0.05)
    assert found.peers == len(peers) - 1
    assert found.peer_z == at.peer_z(LOANS)[ROW, PLANTED]
    assert found.own_z == at.own_z(LOANS)[ROW, PLANTED]
    assert (found.unit, found.decimals, found.months) == ({"en": "%", "zh": "%"}, 2, ROW + 1)
    assert found.level == at.panel.array("LOANS")[ROW, PLANTED]


def test_the_surge_of_the_year_is_told_when_it_is_over():
    at = surged()
    found = told(at)
    assert found.strongest is not None
    z = at.peer_z(LOANS)[ROW - 11 : ROW + 1, PLANTED]
    row = ROW - 11 + int(z.argmax())
    assert row < ROW
    assert found.strongest.period == at.panel.calendar.format(at.panel.first + row)
    assert found.strongest.value == pytest.approx(said(at, LOANS)[row, PLANTED], abs=0.05)
    assert f"highest against its peers in {found.strongest.period}" in found.text["en"]
    assert "相对同组最高" in found.text["zh"]
    assert told(at, row=row).strongest is None  # it is now
    assert told(at, row=START - 1).strongest is None  # nothing stood out


def test_the_surge_of_years_ago_is_not_that_of_the_year():
    at = surged()
    assert at.peer_z(LOANS)[29:48, PLANTED].argmax() == 0
    later = told(at, row=47).strongest
    assert later is None or later.period >= at.panel.calendar.format(at.panel.first + 36)


def test_the_own_past_ends_before_the_period():
    at = surged()
    level = at.panel.array("LOANS")[:ROW, PLANTED]
    assert told(at, Measure("level", "LOANS")).own_past == pytest.approx(np.median(level), abs=0.05)
    assert np.median(at.panel.array("LOANS")[: ROW + 1, PLANTED]) > np.median(level) + 0.1


def test_figures_that_look_alike_get_one_decimal_more_and_no_more():
    found = told(situation(), row=47)  # grows by the same every month
    assert found.now == found.own_past
    assert found.decimals == 2
    assert f"{found.now}%" in found.text["en"]


def test_the_course_is_that_of_the_last_two_years_and_of_the_peers():
    at = surged()
    found = told(at)
    assert len(found.periods) == CHARTED[12]
    assert found.periods[-1] == at.panel.calendar.format(at.panel.first + ROW)
    assert found.values[-1] == found.now
    assert found.middles[-1] == found.peers_middle
    early = told(at, row=3)
    assert len(early.periods) == 4
    assert early.now is None
    assert "not known" in early.text["en"]


def test_nothing_after_the_period_is_looked_at():
    whole = surged()
    cut = Situation(whole.panel.up_to(whole.panel.first + ROW), delays=whole.delays)
    for measure in (LOANS, Measure("net_formation", "R04", 6), Measure("level", "R01")):
        assert told(whole, measure) == told(cut, measure)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["LOANS", "P04", "R01", "R05", "CREDIT_RATING"])
def test_every_kind_of_measure_is_told_in_a_unit_of_its_own(kind, code):
    at = situation(leaves=8, periods=40)
    found = told(at, Measure(kind, code, 6), row=39)
    for language in ("en", "zh"):
        assert "{" not in found.text[language]
        assert "nan" not in found.text[language]
    ratio = at.panel.indicator(code).kind in ("ratio", "level")
    if KINDS[kind].unit == "share" or (KINDS[kind].unit == "growth" and not ratio):
        assert found.unit["en"] == "%"
        if found.now is not None:
            shown = said(at, Measure(kind, code, 6))[39, PLANTED]
            assert found.now == pytest.approx(shown, abs=0.5 * 10**-found.decimals)
    elif KINDS[kind].unit == "growth" and at.panel.indicator(code).unit == "%":
        assert found.unit == {"en": "points", "zh": "个百分点"}


def test_a_window_is_named_as_long_as_it_comes_to_on_the_data():
    yearly = Situation(watched_bank(frequency="A", periods=8))
    assert measure_title(yearly, LOANS) == {"en": "Loans, growth over 12 months", "zh": "贷款余额近12个月增速"}
    assert measure_title(situation(leaves=8, periods=40), LOANS)["en"] == "Loans, growth over 6 months"


def test_without_peers_there_is_no_middle():
    at = situation(leaves=4, periods=40)
    found = told(at, row=39)
    assert (found.peers_middle, found.peer_z, found.strongest) == (None, None, None)
    assert "peers" not in found.text["en"]
    parent = 0
    assert not peers_of(at.panel.tree, parent).any()


def test_of_many_measures_those_that_stand_out_are_told_in_their_order():
    at = surged()
    for code, finding in findings(at).items():
        chosen = told_measures(at, finding, ROW, PLANTED)
        assert len(chosen) <= max(MOST_MEASURES, 0), code
        assert list(chosen) == [measure for measure in dict.fromkeys(finding.evidence) if measure in chosen]
    generic = findings(at)["G01"]
    assert len(set(generic.evidence)) > MOST_MEASURES
    kept = {(measure.kind, measure.code) for measure in told_measures(at, generic, ROW, PLANTED)}
    assert ("growth", "LOANS") in kept
    assert ("net_formation", "R04") in kept
    assert {"W01", "G01"} <= {detector.code for detector in DETECTORS}


def test_of_results_and_of_risks_one_is_told_even_where_the_other_side_stands_out_more():
    at = situation(all_of(*[swell(code, 1.5, first=30, last=36) for code in ("LOANS", "P04", "P08", "REVENUE")]))
    measures = [Measure("attainment", code) for code in ("LOANS", "P04", "P08", "REVENUE", "PROFIT")]
    quiet = Measure("rise", "R01", 6)
    nothing = np.full(at.shape, 0.5, dtype=np.float32)
    finding = Finding(nothing, nothing, nothing < 0, (*measures, quiet))
    chosen = told_measures(at, finding, ROW, PLANTED)
    assert len(chosen) == MOST_MEASURES
    assert chosen[-1] == quiet
    assert Measure("attainment", "PROFIT") not in chosen
    figures = [told(at, measure) for measure in chosen]
    assert [is_business(figure.indicator) for figure in figures] == [True, True, True, False]
    assert standing_out(figures[0]) > standing_out(figures[-1])
