from datetime import date

import numpy as np
import pytest
from feature_panels import indicator, make_tree

from features.indicators import IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from models.detectors.detector import Finding
from models.detectors.generic import DETECTORS, long_boom, surge_with_rising_risk, worsening_together
from models.detectors.measures import Measure
from models.detectors.situation import Situation

UNIT = 5
"""The unit in which something is wrong; the first three are parents."""
RATIO = {"kind": "ratio", "unit": "%", "direction": "lower", "perspective": "risk"}


def quiet(frequency: Frequency = "A", *, periods: int = 10, leaves: int = 30, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    per_year = Calendar(frequency).per_year
    units = len(make_tree(Calendar(frequency), leaves))

    def steps(scale: float) -> np.ndarray:
        return np.cumsum(rng.normal(0, scale / np.sqrt(per_year), (periods, units)), axis=0)

    return {
        "AUTO_VOLUME": np.exp(5 + steps(0.03)),
        "CARD_VOLUME": np.exp(4 + steps(0.03)),
        "AUTO_LATE": 2 + steps(0.1),
        "CARD_LATE": 3 + steps(0.1),
        "FRAUD": 1 + steps(0.1),
    }


def look_at(
    values: dict[str, np.ndarray],
    frequency: Frequency = "A",
    *,
    leaves: int = 30,
    disturbed: dict[str, np.ndarray] | None = None,
) -> Situation:
    calendar = Calendar(frequency)
    tree = make_tree(calendar, leaves)
    over = {"AUTO_LATE": "AUTO_VOLUME", "CARD_LATE": "CARD_VOLUME"}
    indicators = [
        indicator(code) if code.endswith("VOLUME") else indicator(code, **RATIO, denominator=over.get(code))
        for code in values
    ]
    for array in values.values():
        array[:, tree.ever_parent] = np.nan
    first = calendar.parse({"A": "2000", "Q": "2000-Q1", "M": "2000-01"}[frequency])
    panel = Panel(calendar, tree, IndicatorSet(indicators), first, values, date(2040, 1, 1))
    return Situation(panel, disturbed=disturbed)


def grown(values: dict[str, np.ndarray], code: str, factor: float, *, first: int, last: int) -> None:
    ramp = np.clip((np.arange(len(values[code])) - first + 1) / (last - first + 1), 0, 1)
    values[code][:, UNIT] *= factor**ramp


def surging(frequency: Frequency = "A", *, risk: str = "AUTO_LATE") -> dict[str, np.ndarray]:
    year = Calendar(frequency).per_year
    values = quiet(frequency, periods=10 * year)
    grown(values, "AUTO_VOLUME", 1.5, first=6 * year, last=7 * year - 1)
    grown(values, risk, 1.6, first=7 * year, last=8 * year - 1)
    return values


def of(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


@pytest.mark.parametrize("frequency", ["A", "Q", "M"])
def test_a_surge_with_rising_risk_is_found_on_any_frequency(frequency: Frequency):
    at = look_at(surging(frequency), frequency)
    found, row = of(surge_with_rising_risk(at)), 8 * at.per_year - 1
    assert found.met[row, UNIT]
    assert found.joint[row, UNIT] < 0.05
    assert np.nanargmin(found.joint[row]) == UNIT
    others = ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != UNIT)
    assert found.met[:, others].mean() < 0.05
    assert found.met[: 6 * at.per_year, UNIT].mean() < 0.15


def test_risk_that_rises_with_another_volume_is_not_linked():
    values = surging(risk="CARD_LATE")
    values["AUTO_LATE"][6:, UNIT] /= 1.5  # as much is late as before, of half as many loans again
    assert not of(surge_with_rising_risk(look_at(values))).met[:, UNIT].any()
    assert of(surge_with_rising_risk(look_at(surging()))).met[7, UNIT]


def test_growth_does_not_hide_the_risk_it_brings():
    values = quiet()
    grown(values, "AUTO_VOLUME", 2.0, first=6, last=7)
    values["AUTO_LATE"][6:, UNIT] = values["AUTO_LATE"][5, UNIT]  # the share stays while the late loans double
    at = look_at(values)
    found = of(surge_with_rising_risk(at))
    assert found.risk[6, UNIT] < 0.05
    assert found.met[6, UNIT]
    assert Measure("net_formation", "AUTO_LATE", 12) in found.evidence


def test_each_further_indicator_that_is_looked_at_is_paid_for():
    values = surging()
    few = of(surge_with_rising_risk(look_at({code: values[code].copy() for code in ("AUTO_VOLUME", "AUTO_LATE")})))
    many = of(surge_with_rising_risk(look_at(values)))
    assert many.risk[7, UNIT] == pytest.approx(3 * few.risk[7, UNIT], rel=1e-5)


@pytest.mark.parametrize("detect", [surge_with_rising_risk, long_boom])
def test_growth_by_merger_is_not_flagged(detect):
    merger = np.zeros((10, 33), dtype=bool)
    merger[6:8, UNIT] = True
    assert of(detect(look_at(surging()))).met[7, UNIT]
    found = of(detect(look_at(surging(), disturbed={"merger": merger})))
    assert not found.met[6:8, UNIT].any()
    assert np.isnan(found.joint[6:8, UNIT]).all()


def test_a_boom_of_three_years_is_told_from_three_annual_changes_alone():
    values = quiet(periods=4)
    grown(values, "CARD_VOLUME", 1.6, first=1, last=3)
    found = of(long_boom(look_at(values)))
    assert found.met[3, UNIT]
    assert np.isnan(found.risk[:3]).all()
    assert found.performance is None


def test_a_merger_stays_in_the_growth_of_three_years_for_three_years():
    merger = np.zeros((10, 33), dtype=bool)
    merger[6, UNIT] = True
    found = of(long_boom(look_at(quiet(), disturbed={"merger": merger})))
    assert np.isnan(found.risk[6:9, UNIT]).all()
    assert np.isfinite(found.risk[9, UNIT])


def test_several_risks_that_worsen_a_little_at_once_are_found_together():
    values = quiet()
    for code in ("AUTO_LATE", "CARD_LATE", "FRAUD"):
        values[code][7:, UNIT] += 0.3
    at = look_at(values)
    found = of(worsening_together(at))
    assert found.met[7, UNIT]
    one = quiet()
    one["FRAUD"][7:, UNIT] += 3.0
    assert not of(worsening_together(look_at(one))).met[7, UNIT]


def test_risks_that_always_move_together_are_not_several_reasons():
    values = quiet(leaves=300, periods=6)
    for code in ("CARD_LATE", "FRAUD"):
        values[code] = values["AUTO_LATE"] + np.random.default_rng(1).normal(0, 1e-3, values[code].shape)
    found = of(worsening_together(look_at(values, leaves=300)))
    known = found.risk[np.isfinite(found.risk)]
    assert (known < 0.05).mean() < 0.07


def test_silent_where_nothing_grows_or_nothing_can_go_wrong():
    values = quiet()
    risks = look_at({code: values[code] for code in ("AUTO_LATE", "CARD_LATE")})
    assert [detector.find(risks) for detector in DETECTORS] == [None, None, None]
    volumes = look_at({code: values[code] for code in ("AUTO_VOLUME", "CARD_VOLUME")})
    assert surge_with_rising_risk(volumes) is None
    assert worsening_together(volumes) is None
    assert long_boom(volumes) is not None
