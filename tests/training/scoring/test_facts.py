"""The figures that scores rest on: taken right, on one basis, from the past alone, and silent where there is little."""

from __future__ import annotations

from dataclasses import replace

import feature_panels
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_bank import BIG, CALENDAR, MERGED, MOVER, NEW, SMALL, make_panel, make_policy, make_targets

from features.basis import same_basis
from features.errors import LoadlineError
from features.panel import Panel
from features.periods import Frequency
from features.rollup import rolled_up
from features.years import year_figures
from models.policy.document import Policy
from models.scoring.engine import score
from models.scoring.points import SCORED
from training.scoring.facts import NetworkFacts, facts_from

JUNE, DECEMBER = CALENDAR.parse("2024-06"), CALENDAR.parse("2024-12")
CODES = ("LENDING", "DEPOSITS", "LOANS", "LATE", "YIELD", "NPS")
TITLE = {"en": "x", "zh": "项"}


def every_code(rule: dict | None = None, **changes: object) -> Policy:
    items = [
        {"indicator": code, "weight": "16.67" if code != "NPS" else "16.65", "rule": rule or {"kind": "ratio"}}
        for code in CODES
    ]
    return make_policy(items, **changes)


def everyone(rule: dict | None = None) -> Policy:
    policy = every_code(rule, not_scored=[])
    card = policy.scorecards[0]
    return policy.model_copy(update={"scorecards": (card.model_copy(update={"applies_to": type(card.applies_to)()}),)})


def of(found: NetworkFacts, kind: str, code: str, unit: str, period: int = DECEMBER) -> float:
    row = np.flatnonzero((found.tree.codes[found.unit] == unit) & (found.period == period))
    return float(found.facts.of(kind, code)[row[0]])


def months(panel: Panel, code: str, unit: str, first: str, last: str) -> np.ndarray:
    rows = slice(CALENDAR.parse(first) - panel.first, CALENDAR.parse(last) - panel.first + 1)
    return panel.array(code)[rows, panel.tree.number(unit)]


def test_at_the_years_end_figures_are_those_of_the_year() -> None:
    panel = make_panel()
    found = facts_from(panel, everyone(), [DECEMBER])
    whole = rolled_up(same_basis(panel, DECEMBER))
    for code in CODES:
        figures = year_figures(whole, code).value
        expected = {"actual": figures[DECEMBER - panel.first], "last_year": figures[DECEMBER - 12 - panel.first]}
        for kind, array in expected.items():
            np.testing.assert_allclose(found.facts.of(kind, code), array[found.unit], rtol=1e-12, atol=1e-6)
    assert {"G", "R1", "R2", NEW} <= set(found.tree.codes[found.unit])


def test_within_the_year_figures_are_those_of_the_year_to_date() -> None:
    panel = make_panel()
    found = facts_from(panel, every_code(), [JUNE])
    this, last = ("2024-01", "2024-06"), ("2023-01", "2023-06")
    for kind, (first, end) in (("actual", this), ("last_year", last)):
        assert of(found, kind, "LENDING", "S00", JUNE) == pytest.approx(
            months(panel, "LENDING", "S00", first, end).sum()
        )
        assert of(found, kind, "DEPOSITS", "S00", JUNE) == pytest.approx(
            months(panel, "DEPOSITS", "S00", first, end).mean()
        )
        assert of(found, kind, "LOANS", "S00", JUNE) == months(panel, "LOANS", "S00", end, end)[0]
        assert of(found, kind, "LATE", "S00", JUNE) == months(panel, "LATE", "S00", end, end)[0]
        rate, loans = (months(panel, code, "S00", first, end) for code in ("YIELD", "LOANS"))
        assert of(found, kind, "YIELD", "S00", JUNE) == pytest.approx((rate * loans).sum() / loans.sum(), abs=1e-6)


def test_a_gap_in_the_year_to_date_leaves_no_sum_but_the_latest_balance() -> None:
    panel = make_panel()
    values = {code: array.copy() for code, array in panel.values.items()}
    for code in ("LENDING", "LOANS"):
        values[code][CALENDAR.parse("2024-02") - panel.first, panel.tree.number("S00")] = np.nan
    found = facts_from(panel.with_values(values), every_code(), [JUNE])
    assert np.isnan(of(found, "actual", "LENDING", "S00", JUNE))
    assert of(found, "actual", "LOANS", "S00", JUNE) == months(panel, "LOANS", "S00", "2024-06", "2024-06")[0]


def test_a_branch_that_took_another_over_is_compared_with_both() -> None:
    panel = make_panel()
    found = facts_from(panel, every_code(), [DECEMBER])
    parts = [np.nan_to_num(months(panel, "LENDING", unit, "2023-01", "2023-12")).sum() for unit in ("B00", MERGED)]
    assert of(found, "last_year", "LENDING", "B00") == pytest.approx(sum(parts))
    assert MERGED not in set(found.tree.codes[found.unit])


def test_totals_say_nothing_when_too_few_of_their_branches_report() -> None:
    panel = make_panel()
    values = {code: array.copy() for code, array in panel.values.items()}
    silent = [panel.tree.number(unit) for unit in BIG[:1]]
    values["LENDING"][-12:, silent] = np.nan
    one_missing = facts_from(panel.with_values(values), everyone(), [DECEMBER])
    known = [months(panel, "LENDING", unit, "2024-01", "2024-12").sum() for unit in BIG[1:]]
    moved_away = months(panel, "LENDING", MOVER, "2024-01", "2024-12").sum()
    assert of(one_missing, "actual", "LENDING", "R1") == pytest.approx(sum(known))
    assert any("LENDING" in note and "lack the figures" in note for note in one_missing.notes)
    values["LENDING"][-12:, [panel.tree.number(unit) for unit in BIG[:2]]] = np.nan
    two_missing = facts_from(panel.with_values(values), everyone(), [DECEMBER])
    assert np.isnan(of(two_missing, "actual", "LENDING", "R1"))
    # The branch that moved counts, for all its past, where it is now.
    assert of(two_missing, "actual", "LENDING", "R2") > moved_away


def test_peers_are_their_median_in_the_units_own_terms() -> None:
    panel = make_panel()
    found = facts_from(panel, every_code(), [DECEMBER])
    late = [of(found, "actual", "LATE", unit) for unit in BIG]
    grown = [of(found, "actual", "LENDING", unit) / of(found, "last_year", "LENDING", unit) for unit in BIG]
    for unit in BIG:
        assert of(found, "peers", "LATE", unit) == pytest.approx(np.median(late), abs=1e-6)
        expected = of(found, "last_year", "LENDING", unit) * np.median(grown)
        assert of(found, "peers", "LENDING", unit) == pytest.approx(expected)


@pytest.mark.parametrize(("reporting", "told"), [(4, False), (5, True)])
def test_peers_of_fewer_than_five_are_suppressed(reporting: int, told: bool) -> None:
    panel = make_panel()
    values = {code: array.copy() for code, array in panel.values.items()}
    values["NPS"][:, [panel.tree.number(unit) for unit in BIG[reporting:]]] = np.nan
    found = facts_from(panel.with_values(values), make_policy(), [DECEMBER])
    assert [bool(np.isfinite(of(found, "peers", "NPS", unit))) for unit in BIG] == [told] * 6
    assert np.isfinite(of(found, "peers", "NPS", SMALL[0]))
    assert any("suppressed" in note and f"NPS {reporting}" in note for note in found.notes) is not told


def test_standards_are_quantiles_of_the_year_before_from_the_worst_to_the_best() -> None:
    panel = make_panel()
    quantiles = ["0.1", "0.5", "0.75"]
    rule = {"kind": "efficacy", "quantiles": quantiles, "coefficients": ["0.2", "0.6", "1"]}
    found = facts_from(panel, every_code(rule), [DECEMBER])
    key = tuple(float(q) for q in quantiles)
    row = np.flatnonzero(found.tree.codes[found.unit] == "B01")[0]
    before = [of(found, "last_year", "LATE", unit) for unit in BIG]
    expected = np.quantile(before, [0.9, 0.5, 0.25])  # lower is better: the worst is the highest
    np.testing.assert_allclose(found.facts.standards["LATE", key][:, row], expected, atol=1e-6)
    year_ago = facts_from(panel, every_code(rule), [DECEMBER - 12])
    grown = [of(year_ago, "actual", "LOANS", u, DECEMBER - 12) / of(year_ago, "last_year", "LOANS", u, DECEMBER - 12)
             for u in BIG]  # fmt: skip
    expected = of(found, "last_year", "LOANS", "B01") * np.quantile(grown, key)
    np.testing.assert_allclose(found.facts.standards["LOANS", key][:, row], expected, rtol=1e-9)


def test_a_flows_target_counts_as_far_as_is_usual_by_then() -> None:
    panel = make_panel()
    targets = make_targets(panel=panel)
    found = facts_from(panel, every_code(), [JUNE], targets=targets)
    by_unit = targets.set_index("unit")
    for unit in ("B03", "S05"):
        for level in ("floor", "target", "stretch"):
            whole = by_unit.loc[unit, level]
            assert of(found, level, "LENDING", unit, JUNE) == pytest.approx(0.4 * whole, rel=1e-3)  # not half
    assert any("usual" in note and "2024-06" in note for note in found.notes)
    whole_year = facts_from(panel, every_code(), [DECEMBER], targets=targets)
    assert of(whole_year, "target", "LENDING", "B03") == by_unit.loc["B03", "target"]
    assert not any("usual" in note for note in whole_year.notes)


def test_a_target_of_nothing_is_nothing_at_any_place_of_the_year() -> None:
    panel = make_panel()
    targets = make_targets(panel=panel)
    targets.loc[targets["unit"] == "B03", "target"] = 0.0
    found = facts_from(panel, every_code(), [JUNE], targets=targets)
    assert of(found, "target", "LENDING", "B03", JUNE) == 0


def test_a_branch_without_a_past_keeps_the_pace_of_the_others() -> None:
    panel = make_panel()
    targets = make_targets(panel=panel)
    new = pd.DataFrame({"unit": [NEW], "indicator": "LENDING", "year": 2024, "target": [100.0]})
    found = facts_from(panel, every_code(), [JUNE], targets=pd.concat([targets, new]))
    assert of(found, "target", "LENDING", NEW, JUNE) == pytest.approx(40, rel=1e-3)


def test_a_target_of_the_years_end_stands_as_it_is_within_the_year() -> None:
    targets = pd.DataFrame({"unit": ["B01"], "indicator": "LATE", "year": 2024, "target": [1.5]})
    found = facts_from(make_panel(), every_code(), [JUNE], targets=targets)
    assert of(found, "target", "LATE", "B01", JUNE) == 1.5
    assert np.isnan(of(found, "target", "LATE", "B02", JUNE))


def test_values_of_a_whole_year_are_told_within_it() -> None:
    tiers = {"kind": "tiers", "tiers": [{"points": "0"}, {"from": "100", "points": "100"}]}
    policy = make_policy([{"indicator": code, "weight": "50", "rule": tiers} for code in ("LENDING", "LOANS")])
    within, whole = (facts_from(make_panel(), policy, [period]).notes for period in (JUNE, DECEMBER))
    assert any("(LENDING) are those of a whole year" in note for note in within)
    assert not any("whole year" in note for note in whole)


def test_without_a_past_year_there_is_no_pace() -> None:
    panel = make_panel(months=6)
    at = CALENDAR.parse("2020-06")
    targets = pd.DataFrame({"unit": ["B01"], "indicator": "LENDING", "year": 2020, "target": [100.0]})
    found = facts_from(panel, every_code(), [at], targets=targets)
    assert np.isnan(of(found, "target", "LENDING", "B01", at))
    assert any("no pace" in note for note in found.notes)


def test_protection_counts_from_opening_and_from_moving() -> None:
    found = facts_from(make_panel(), every_code(), [DECEMBER])
    about = dict(
        zip(found.tree.codes[found.unit], zip(found.facts.opened, found.facts.moved, strict=True), strict=True)
    )
    assert about[NEW] == (9, np.inf)  # since March
    assert about[MOVER] == (np.inf, 5)  # since July
    assert about["B00"] == (np.inf, np.inf)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), period=st.integers(CALENDAR.parse("2022-02"), DECEMBER - 1))
def test_what_comes_after_a_period_changes_nothing_in_it(seed: int, period: int) -> None:
    panel = make_panel(seed=seed % 3)
    rng = np.random.default_rng(seed)
    later = np.arange(len(panel.ordinals)) > period - panel.first
    changed = {
        code: np.where(later[:, None], rng.uniform(1, 999, array.shape), array) for code, array in panel.values.items()
    }
    year = int(CALENDAR.year(period))
    targets = make_targets(year, panel=panel)
    policy = everyone({"kind": "efficacy"})
    now = facts_from(panel, policy, [period], targets=targets)
    assert_same(now, facts_from(panel.with_values(changed), policy, [period], targets=targets))
    assert_same(now, facts_from(panel.up_to(period), policy, [period], targets=targets))


def test_a_period_scored_alone_or_among_others_has_the_same_figures() -> None:
    panel, periods = make_panel(), list(range(DECEMBER - 23, DECEMBER + 1))
    targets = pd.concat([make_targets(2023, panel=panel), make_targets(2024, panel=panel)])
    policy = everyone({"kind": "efficacy"})
    together = facts_from(panel, policy, periods, targets=targets)
    for period in periods:
        alone = facts_from(panel, policy, [period], targets=targets)
        here = together.period == period
        cut = replace(together, facts=together.facts.take(here), unit=together.unit[here], period=together.period[here])
        assert_same(cut, alone)


def assert_same(one: NetworkFacts, other: NetworkFacts) -> None:
    np.testing.assert_array_equal(one.unit, other.unit)
    for kind in ("actual", "last_year", "peers", "floor", "target", "stretch", "standards"):
        left, right = getattr(one.facts, kind), getattr(other.facts, kind)
        assert set(left) == set(right)
        for code in left:
            np.testing.assert_array_equal(left[code], right[code], err_msg=f"{kind} {code}")
    np.testing.assert_array_equal(one.facts.opened, other.facts.opened)
    np.testing.assert_array_equal(one.facts.moved, other.facts.moved)


def test_targets_of_another_year_are_refused() -> None:
    with pytest.raises(LoadlineError, match="of 2023, not of 2024"):
        facts_from(make_panel(), every_code(), [DECEMBER], targets=make_targets(2023))


def test_an_unknown_indicator_is_refused() -> None:
    policy = make_policy([{"indicator": "NOPE", "weight": "100", "rule": {"kind": "ratio"}}])
    with pytest.raises(LoadlineError, match="'NOPE'"):
        facts_from(make_panel(), policy, [DECEMBER])


def test_a_policy_for_nobody_is_refused() -> None:
    policy = every_code()
    card = policy.scorecards[0]
    selector = card.applies_to.model_copy(update={"level": ("moon",)})
    empty = policy.model_copy(update={"scorecards": (card.model_copy(update={"applies_to": selector}),)})
    with pytest.raises(LoadlineError, match="no unit is on a scorecard"):
        facts_from(make_panel(), empty, [DECEMBER])


def test_units_on_no_scorecard_are_counted() -> None:
    policy = every_code(not_scored=[])
    found = facts_from(make_panel(), policy, [DECEMBER])
    assert found.notes[0] == "3 units are on no scorecard of trial@1."


@pytest.mark.parametrize("frequency", ["A", "Q", "M"])
@pytest.mark.parametrize("seed", [0, 1])  # the fiscal year ends in December, or in June
def test_odd_figures_of_any_frequency_are_taken_like_those_of_years(frequency: Frequency, seed: int) -> None:
    panel = feature_panels.make_panel(frequency, periods={"A": 9, "Q": 20, "M": 60}[frequency], seed=seed)
    calendar = panel.calendar
    codes = [code for code in panel.codes if panel.indicator(code).is_target]
    weights = ["12.5"] * len(codes)
    increment = {"kind": "increment", "better": (side := {"step": 1, "points": 1, "most": 20}), "worse": side}
    items = [{"indicator": c, "weight": w, "rule": increment} for c, w in zip(codes, weights, strict=True)]
    policy = make_policy(items, gates=[])
    end = calendar.last_of_year(int(calendar.year(panel.last + 1)) - 1)
    found = facts_from(panel, policy, [end])
    for code in codes:
        figures = year_figures(panel, code).value
        for kind, row in (("actual", end - panel.first), ("last_year", end - panel.first - calendar.per_year)):
            np.testing.assert_allclose(found.facts.of(kind, code), figures[row, found.unit], rtol=1e-12, atol=1e-6)
    year = int(calendar.year(panel.last))
    leaves = panel.units[~panel.tree.ever_parent].astype(str)
    targets = pd.concat([pd.DataFrame({"unit": leaves, "indicator": c, "year": year, "target": 50.0}) for c in codes])
    scores = score(
        policy,
        (within := facts_from(panel, policy, [panel.last], targets=targets)).facts,
        within.card,
        panel.indicators,
    )
    assert all((card.state == SCORED).any() for card in scores)
