"""Changes from outside: each does to figures and yardsticks what it says, and nothing to what lies before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scoring_bank import CALENDAR, make_policy, make_targets
from tried_rules import DECEMBER, EFFICACY, JUNE, TITLE, change, items, present, setting

from features.errors import LoadlineError
from features.snapshot import Snapshot
from models.policy.document import Policy
from training.simulation.compared import Compared, compare
from training.simulation.definition import simulate_definition
from training.simulation.merger import simulate_merger
from training.simulation.new_indicator import simulate_new_indicator, with_item
from training.simulation.rate_cap import capped, simulate_rate_cap
from training.simulation.replay import Replay
from training.simulation.reworked import Reworked
from training.simulation.setting import Effect, Setting
from training.simulation.tolerance import simulate_npl_tolerance

BOTH = (JUNE, DECEMBER)
JULY = CALENDAR.parse("2024-07")


def compared(effect: Effect) -> Compared:
    return compare(effect.before, effect.after)


def fact(side: Replay, kind: str, code: str, unit: str, period: int = DECEMBER) -> float:
    """Give a figure that was scored."""
    for network in side.networks:
        figures = network.figures
        row = np.flatnonzero((figures.tree.codes[figures.unit] == unit) & (figures.period == period))
        if len(row):
            return float(figures.facts.of(kind, code)[row[0]])
    raise AssertionError(f"{unit} was not scored")


def nothing_changes_before(found: Compared, start: int = JULY) -> None:
    earlier = (found.about["period"] < start).to_numpy()
    assert earlier.any()
    assert not found.moved[:, earlier].any()


def wide(**weights: str) -> Policy:
    return make_policy(items(**weights), gates=[])


# A cap on a rate


def test_income_above_the_cap_is_gone_and_ratios_follow(snapshot: Snapshot) -> None:
    asked = change("rate_cap", cap=4, income="INTEREST", volume="LOANS", share=0.5)
    whom = np.ones(len(snapshot.tree), dtype=bool)
    codes = ["INTEREST", "LOANS", "YIELD"]
    plain = snapshot.panel(DECEMBER, indicators=codes)
    rework = Reworked.of(snapshot, capped(asked, JULY, whom), needed=codes)
    held = rework.panel(DECEMBER, indicators=codes)
    income, loans = plain.array("INTEREST"), plain.array("LOANS")
    rate = 100 * 12 * income / loans
    late = (plain.ordinals >= JULY)[:, None] & (rate > 4)
    assert late.sum() > 10
    np.testing.assert_array_equal(held.array("LOANS"), loans)
    expected = np.where(late, income * (0.5 + 0.5 * 4 / rate), income)
    np.testing.assert_allclose(held.array("INTEREST"), expected, rtol=1e-12)
    np.testing.assert_allclose(held.array("YIELD"), plain.array("YIELD") * expected / income, rtol=1e-9)


def test_a_rate_cap_costs_points_from_its_period_on(snapshot: Snapshot) -> None:
    policy = wide(INTEREST="50", LATE="50")
    asked = change("rate_cap", cap=3, income="INTEREST", volume="LOANS", applies_to={"peer_group": ["big"]})
    effect = simulate_rate_cap(setting(snapshot, policy, BOTH), asked)
    found = compared(effect)
    nothing_changes_before(found)
    small = (found.about["peer_group"] == "small").to_numpy()
    assert not found.difference[small].any()
    assert (found.difference[~small] <= 0).all()
    assert (found.difference[~small] < 0).any()
    table = effect.tables["effect"]
    assert set(table.loc[table["period"] == "2024-06", "regime"]) == {0}
    assert (table["income_after"] <= table["income_before"]).all()
    assert (table.loc[table["regime"] == 1, "rate_after"] <= 3 + 1e-9).all()


def test_targets_move_by_what_the_cap_takes(snapshot: Snapshot) -> None:
    base = setting(snapshot, wide(INTEREST="50", LATE="50"))
    given = pd.DataFrame({"unit": ["B00"], "indicator": ["INTEREST"], "year": [2024], "target": [100.0]})
    asked = change("rate_cap", cap=3, income="INTEREST", volume="LOANS")
    asked_of = Setting(snapshot, base.before, base.after, base.periods, given)
    table = simulate_rate_cap(asked_of, asked).tables["targets"].set_index("unit")
    row = table.loc["B00"]
    assert row["factor"] == pytest.approx(row["figure_after"] / row["figure_before"])
    assert row["factor"] < 1
    assert row["target_after"] == pytest.approx(100 * row["factor"])


def test_a_rate_cap_on_what_is_no_income_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="no flow"):
        simulate_rate_cap(setting(snapshot), change("rate_cap", cap=3, income="LOANS", volume="LOANS"))


# A tolerance for bad loans


def against_fixed(value: str, above: str) -> Policy:
    item = {"indicator": "LATE", "weight": "60", "against": "fixed", "value": value, "rule": {"kind": "ratio"}}
    ceiling = {"kind": "grade_ceiling", "id": "late", "title": TITLE, "grade": "C"}
    return make_policy([*items(DEPOSITS="40"), item], gates=[ceiling | {"when": {"indicator": "LATE", "above": above}}])


def test_a_tolerance_is_a_policy_with_other_figures_for_those_that_it_is_for(snapshot: Snapshot) -> None:
    asked = change("npl_tolerance", indicator="LATE", points=2, share=0.5, applies_to={"peer_group": ["big"]})
    effect = simulate_npl_tolerance(setting(snapshot, against_fixed("1.5", "2"), BOTH), asked)
    found = compared(effect)
    nothing_changes_before(found)
    eased = compare(effect.before, setting(snapshot, against_fixed("2.5", "3"), BOTH).present())
    big = ((found.about["peer_group"] == "big") & (found.about["period"] >= JULY)).to_numpy()
    assert (found.difference[big] > 0).any()
    np.testing.assert_array_equal(found.moved[:, big], eased.moved[:, big])
    assert not found.moved[:, ~big].any()
    assert effect.tables["yardsticks"]["moves"].all()


def test_tiers_and_targets_move_with_a_tolerance_and_peers_only_when_asked(snapshot: Snapshot) -> None:
    tiers = {"kind": "tiers", "tiers": [{"points": 100}, {"from": 1, "points": 60}, {"from": 2, "points": 0}]}
    item = {"indicator": "LATE", "weight": "50", "rule": tiers}
    whole = change("npl_tolerance", indicator="LATE", points=50)
    found = compared(simulate_npl_tolerance(setting(snapshot, make_policy([*items(NPS="50"), item], gates=[])), whole))
    late = found.new.cents[[line.key == "LATE" for line in found.lines].index(True)]
    assert (late[found.both] == 5000).all()  # nobody is 51 points late
    peers = setting(snapshot, wide(LATE="50", NPS="50"))
    stays = simulate_npl_tolerance(peers, whole)
    assert not compared(stays).difference.any()
    assert not stays.tables["yardsticks"]["moves"].any()
    assert "no score changes" in stays.statements[1].en
    moves = compared(
        simulate_npl_tolerance(peers, change("npl_tolerance", indicator="LATE", points=50, peers_too=True))
    )
    assert (moves.difference[moves.both] > 0).any()
    assert (moves.difference >= 0).all()


def test_a_tolerance_on_what_should_be_high_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="keep low"):
        simulate_npl_tolerance(setting(snapshot), change("npl_tolerance", indicator="NPS", points=1))


# A definition


def test_restating_puts_last_year_on_the_new_definition(snapshot: Snapshot) -> None:
    policy = wide(DEPOSITS="50", LATE="50")
    asked = change(
        "definition", **{"from": "2024-01"}, indicator="DEPOSITS", version="2", treatment="restate", factor=0.8
    )
    effect = simulate_definition(setting(snapshot, policy), asked)
    before, after = (fact(side, "last_year", "DEPOSITS", "B01") for side in (effect.before, effect.after))
    assert after == pytest.approx(0.8 * before)
    assert fact(effect.after, "actual", "DEPOSITS", "B01") == fact(effect.before, "actual", "DEPOSITS", "B01")
    assert (compared(effect).difference >= 0).all()


def test_figures_still_on_the_old_definition_are_put_on_the_new_one(snapshot: Snapshot) -> None:
    asked = change("definition", indicator="DEPOSITS", version="2", treatment="restate", factor=0.8, reported="old")
    effect = simulate_definition(setting(snapshot, wide(DEPOSITS="50", LATE="50"), BOTH), asked)
    nothing_changes_before(compared(effect))
    for kind in ("actual", "last_year"):
        before, after = (fact(side, kind, "DEPOSITS", "B01") for side in (effect.before, effect.after))
        assert after == pytest.approx(0.8 * before)


def test_a_ratio_moves_with_a_restated_part(snapshot: Snapshot) -> None:
    asked = change("definition", indicator="INTEREST", version="2", treatment="restate", factor=0.5, reported="old")
    effect = simulate_definition(setting(snapshot, wide(YIELD="50", LATE="50")), asked)
    before, after = (fact(side, "actual", "YIELD", "B01") for side in (effect.before, effect.after))
    assert after == pytest.approx(before / 2, rel=1e-5)


@pytest.mark.parametrize(("start", "compared_again"), [("2024-01", False), ("2023-07", False), ("2023-01", True)])
def test_growth_is_never_computed_across_a_break(snapshot: Snapshot, start: str, compared_again: bool) -> None:
    asked = change("definition", **{"from": start}, indicator="DEPOSITS", version="2", treatment="break")
    effect = simulate_definition(setting(snapshot, wide(DEPOSITS="50", LATE="50")), asked)
    assert np.isfinite(fact(effect.before, "last_year", "DEPOSITS", "B01"))
    assert np.isfinite(fact(effect.after, "last_year", "DEPOSITS", "B01")) is np.bool_(compared_again)
    assert np.isfinite(fact(effect.after, "actual", "DEPOSITS", "B01"))
    counted = effect.tables["definition"].iloc[0]
    assert (counted["last_year_after"] > 0) == compared_again


def test_a_break_within_the_year_withholds_the_years_figure(snapshot: Snapshot) -> None:
    asked = change("definition", indicator="DEPOSITS", version="2", treatment="break")
    effect = simulate_definition(setting(snapshot, wide(DEPOSITS="50", LATE="50"), BOTH), asked)
    assert np.isnan(fact(effect.after, "actual", "DEPOSITS", "B01"))
    assert fact(effect.after, "actual", "DEPOSITS", "B01", JUNE) == fact(
        effect.before, "actual", "DEPOSITS", "B01", JUNE
    )


def test_a_table_restates_what_it_has_and_withholds_the_rest(snapshot: Snapshot, tmp_path: Path) -> None:
    table = tmp_path / "restated.csv"
    months = [f"2023-{month:02d}" for month in range(1, 13)]
    pd.DataFrame({"unit": "B01", "period": months, "value": 480.0}).to_csv(table, index=False)
    asked = change(
        "definition", **{"from": "2024-01"}, indicator="DEPOSITS", version="2", treatment="restate", table=table
    )
    effect = simulate_definition(setting(snapshot, wide(DEPOSITS="50", LATE="50")), asked)
    assert fact(effect.after, "last_year", "DEPOSITS", "B01") == 480
    assert np.isnan(fact(effect.after, "last_year", "DEPOSITS", "B02"))


def test_a_wrong_table_is_told_line_by_line(snapshot: Snapshot, tmp_path: Path) -> None:
    table = tmp_path / "restated.csv"
    table.write_text(
        "unit,period,value\nNOBODY,2023-01,1\nB01,last May,1\nB01,2023-01,much\nB01,2023-01,7\n", encoding="utf-8"
    )
    asked = change("definition", indicator="DEPOSITS", version="2", treatment="restate", table=table)
    with pytest.raises(LoadlineError) as told:
        simulate_definition(setting(snapshot), asked)
    lines = [(breach.line, breach.column) for breach in told.value.breaches]  # pyright: ignore[reportAttributeAccessIssue]
    assert lines == [(2, "unit"), (3, "period"), (4, "value"), (5, "period")]


# A new indicator


def test_weights_shrink_in_proportion_and_sum_to_a_hundred() -> None:
    policy = wide(LENDING="33.33", DEPOSITS="33.33", LATE="33.34")
    asked = change("new_indicator", item=items(NPS="10")[0])
    made = with_item(policy, asked.item)  # pyright: ignore[reportAttributeAccessIssue]
    weights = [item.weight for item in made.scorecards[0].items]
    assert sum(weights) == 100
    assert weights[-1] == 10
    assert max(abs(float(w) - 30) for w in weights[:3]) <= 0.011


def test_a_new_indicator_is_scored_beside_the_others(snapshot: Snapshot) -> None:
    policy = wide(DEPOSITS="50", LATE="50")
    effect = simulate_new_indicator(setting(snapshot, policy, BOTH), change("new_indicator", item=items(NPS="10")[0]))
    found = compared(effect)
    nothing_changes_before(found)
    asked = compare(effect.before, setting(snapshot, wide(DEPOSITS="45", LATE="45", NPS="10"), (DECEMBER,)).present())
    late = (found.about["period"] == DECEMBER).to_numpy()
    same = (asked.about["period"] == DECEMBER).to_numpy()
    np.testing.assert_array_equal(found.new.tenths[late], asked.new.tenths[same])
    observed = effect.tables["observed"].set_index("unit")
    assert set(observed["period"]) == {"2024-12"}
    row = observed.loc["B01"]
    assert row["points"] == pytest.approx(100 * row["figure"] / row["reference"], abs=0.005)
    assert row["would_add"] == pytest.approx(row["points"] / 10, abs=0.005)
    assert "no score changes by it" in effect.statements[0].en


def test_the_prior_of_a_new_indicator_is_the_peers_and_says_on_how_little_it_rests(snapshot: Snapshot) -> None:
    effect = simulate_new_indicator(setting(snapshot), change("new_indicator", item=items(YIELD="10")[0]))
    prior = effect.tables["prior"].set_index("unit")
    big = prior.loc[[f"B{n:02d}" for n in range(6)]]
    assert np.allclose(big["middle"], np.median(big["figure"]))
    assert (prior["low"] <= prior["middle"]).all()
    assert prior.loc["NEW", "evidence"].startswith("low: 0.8 years")
    assert prior.loc["B01", "evidence"] == "5.0 years of figures"


def test_an_indicator_that_is_there_already_is_not_new(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="already"):
        simulate_new_indicator(setting(snapshot), change("new_indicator", item=items(LATE="10")[0]))
    ghost = {"indicator": "GHOST", "weight": "10", "rule": EFFICACY}
    with pytest.raises(LoadlineError, match="no indicator 'GHOST'"):
        simulate_new_indicator(setting(snapshot), change("new_indicator", item=ghost))


# A merger


@pytest.mark.parametrize("into", ["S99", "S00"])
def test_a_merged_unit_has_the_sums_of_both_and_their_history(snapshot: Snapshot, into: str) -> None:
    policy = wide(LENDING="30", DEPOSITS="30", LATE="40")
    effect = simulate_merger(setting(snapshot, policy, BOTH), change("merger", units=["S00", "S01"], into=into))
    nothing_changes_before(compared(effect))
    for kind in ("actual", "last_year"):
        for code in ("LENDING", "DEPOSITS"):
            parts = [fact(effect.before, kind, code, unit) for unit in ("S00", "S01")]
            assert fact(effect.after, kind, code, into) == pytest.approx(sum(parts), abs=1e-5)
    loans = [snapshot.panel(DECEMBER).array("LOANS")[-1, snapshot.tree.number(u)] for u in ("S00", "S01")]
    late = [fact(effect.before, "actual", "LATE", unit) for unit in ("S00", "S01")]
    assert fact(effect.after, "actual", "LATE", into) == pytest.approx(np.average(late, weights=loans), abs=1e-5)
    units = effect.after.about.loc[effect.after.about["period"] == DECEMBER, "unit"].tolist()
    assert into in units
    assert "S01" not in units
    assert ("S00" in units) == (into == "S00")


def test_peers_are_worked_out_anew_and_a_merger_brings_no_protection(snapshot: Snapshot) -> None:
    effect = simulate_merger(setting(snapshot), change("merger", units=["S00", "S02"], into="S99"))
    found = effect.after.networks[0].figures
    row = np.flatnonzero(found.tree.codes[found.unit] == "S99")[0]
    assert found.facts.opened is not None
    assert not found.facts.opened[row] < 12
    small = ["S01", "S03", "S04", "S05"]
    assert any(fact(effect.before, "peers", "NPS", u) != fact(effect.after, "peers", "NPS", u) for u in small)
    big = ["B00", "B01"]
    assert all(fact(effect.before, "peers", "NPS", u) == fact(effect.after, "peers", "NPS", u) for u in big)


def test_merged_regions_take_their_branches_along(snapshot: Snapshot) -> None:
    policy = make_policy(items(DEPOSITS="50", LATE="50"), gates=[], not_scored=[])
    card = policy.scorecards[0]
    every = policy.model_copy(update={"scorecards": (card.model_copy(update={"applies_to": type(card.applies_to)()}),)})
    effect = simulate_merger(setting(snapshot, every), change("merger", units=["R1", "R2"], into="R1"))
    parts = [fact(effect.before, "actual", "DEPOSITS", unit) for unit in ("R1", "R2")]
    assert fact(effect.after, "actual", "DEPOSITS", "R1") == pytest.approx(sum(parts), rel=1e-9)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"units": ["S00", "R1"], "into": "S00"}, "different levels"),
        ({"units": ["S00", "MERGED"], "into": "S00"}, "does not exist"),
        ({"units": ["S00", "S01"], "into": "B00"}, "another unit"),
        ({"units": ["S00", "NOBODY"], "into": "S00"}, "no unit 'NOBODY'"),
    ],
)
def test_units_that_cannot_become_one_are_refused(snapshot: Snapshot, fields: dict, said: str) -> None:
    with pytest.raises(LoadlineError, match=said):
        simulate_merger(setting(snapshot), change("merger", **fields))


@pytest.mark.parametrize("start", ["2024-13", "2024-02-30", "soon", "9999-12", "1066"])
def test_a_change_begins_in_a_period(snapshot: Snapshot, start: str) -> None:
    asked = change("merger", units=["S00", "S01"], into="S00").model_copy(update={"start": start})
    with pytest.raises(LoadlineError, match="is no period") as told:
        simulate_merger(setting(snapshot), asked)
    assert told.value.where == "from"


def test_a_change_after_the_last_period_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="after the last period replayed"):
        simulate_merger(setting(snapshot, present(), (JUNE,)), change("merger", units=["S00", "S01"], into="S00"))


def test_merged_units_have_their_targets_added_up(snapshot: Snapshot) -> None:
    base, targets = setting(snapshot, make_policy(gates=[])), make_targets()
    found = simulate_merger(
        Setting(snapshot, base.before, base.after, base.periods, targets),
        change("merger", units=["S00", "S01"], into="S99"),
    )
    given = targets.set_index("unit")["target"]
    assert fact(found.after, "target", "LENDING", "S99") == pytest.approx(given["S00"] + given["S01"])
    assert fact(found.after, "target", "LENDING", "B01") == given["B01"]


def test_a_policy_is_scored_against_the_targets_that_it_would_have_set(snapshot: Snapshot) -> None:
    policy, targets = make_policy(gates=[]), make_targets()
    harder = targets.assign(target=targets["target"] * 1.5)
    asked = Setting(snapshot, policy, policy, (DECEMBER,), targets, targets_after=harder)
    before, after = asked.present(), asked.replayed(policy, [DECEMBER])
    for unit in ("B01", "S03"):
        old, new = (fact(side, "target", "LENDING", unit) for side in (before, after))
        assert new == pytest.approx(1.5 * old)
