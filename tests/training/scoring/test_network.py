"""The scores of a stored bank: reproducible from what was known, whatever came later, in tables that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scoring_bank import BIG, CALENDAR, NEW, make_panel, make_policy, make_targets

from features.errors import LoadlineError
from features.store import Store
from models.scoring.facts import Facts
from models.scoring.waterfall import waterfall
from training.scoring.facts import YEARS_BACK, facts_from
from training.scoring.lines import lines
from training.scoring.network import Network, score_network
from training.scoring.tables import summary

JUNE, DECEMBER = CALENDAR.parse("2024-06"), CALENDAR.parse("2024-12")
TITLE = {"en": "x", "zh": "项"}


@pytest.fixture(scope="module")
def network(store: Store) -> Network:
    return score_network(store.snapshot(1), make_policy(), [JUNE, DECEMBER], targets=make_targets())


def test_figures_known_later_change_nothing(store: Store) -> None:
    before = score_network(store.snapshot(1), make_policy(), [DECEMBER], targets=make_targets())
    then = score_network(
        store.snapshot(2), make_policy(), [DECEMBER], targets=make_targets(), known_on=date(2025, 3, 31)
    )
    now = score_network(store.snapshot(2), make_policy(), [DECEMBER], targets=make_targets())
    ours = ["data_version", "known_on"]
    pd.testing.assert_frame_equal(summary(before).drop(columns=ours), summary(then).drop(columns=ours))
    changed = summary(before)["score"] != summary(now)["score"]
    assert set(summary(now).loc[changed, "unit"]) == {"B01", "S02"}
    assert (summary(then)["known_on"] == "2025-03-31").all()
    assert (summary(now)["known_on"] == "2025-04-02").all()


def test_a_stored_bank_has_the_figures_that_were_stored(store: Store) -> None:
    policy = make_policy()
    assert_same(
        score_network(store.snapshot(1), policy, [JUNE]).figures.facts, facts_from(make_panel(), policy, [JUNE]).facts
    )


def test_no_year_counts_but_those_that_are_read() -> None:
    panel, policy = make_panel(), make_policy()
    panel = replace(panel, tree=replace(panel.tree, successors={}))
    start = JUNE - YEARS_BACK * 12 + 1
    cut = {code: array[start - panel.first :] for code, array in panel.values.items()}
    read = facts_from(replace(panel, first=start, values=cut), policy, [JUNE, DECEMBER])
    assert_same(read.facts, facts_from(panel, policy, [JUNE, DECEMBER]).facts)


def assert_same(one: Facts, other: Facts) -> None:
    for kind in ("actual", "last_year", "peers", "standards"):
        left, right = getattr(one, kind), getattr(other, kind)
        assert left.keys() == right.keys()
        for key in left:
            np.testing.assert_array_equal(left[key], right[key])


def test_the_lines_of_a_score_add_up_to_it(network: Network) -> None:
    table, every = summary(network), lines(network)
    key = ["unit", "period"]
    exact = every.assign(amount=every["amount"].map(lambda x: Decimal(repr(float(x)))))
    sums = exact.groupby(key)["amount"].sum()
    scored = table[table["score"].notna()].set_index(key)["score"]
    assert len(scored) > 20
    assert set(sums.index) == set(scored.index)
    assert all(sums[at] == Decimal(repr(float(scored[at]))) for at in scored.index)
    assert {"item", "gate", "rounding"} <= set(every["kind"])


def test_the_lines_of_all_are_those_of_each(network: Network) -> None:
    every = lines(network).set_index(["unit", "period"])
    figures = network.figures
    for scores in network.scores:
        for row in np.flatnonzero(scores.scored):
            at = scores.rows[row]
            unit, period = figures.tree.codes[figures.unit[at]], network.calendar.format(figures.period[at])
            found = every.loc[(unit, period)]
            expected = [part for part in waterfall(scores) if part.there[row]]
            assert found[["kind", "line"]].to_numpy().tolist() == [[part.kind, part.key] for part in expected]
            assert [round(amount * 100) for amount in found["amount"]] == [part.cents[row] for part in expected]


def test_scores_are_written_as_they_are_stated(network: Network) -> None:
    table = summary(network)
    for name in ("score", "raw", "gated", "amount:LATE", "points:LATE"):
        written = [Decimal(repr(float(value))) for value in table[name].dropna()]
        assert all(-value.as_tuple().exponent <= (1 if name == "score" else 2) for value in written)
    gated = table.dropna(subset=["score"])
    assert all(
        abs(Decimal(repr(s)) - Decimal(repr(g))) <= Decimal("0.05")
        for s, g in gated[["score", "gated"]].to_numpy().tolist()
    )


def test_points_times_weight_are_the_amounts(network: Network) -> None:
    every = lines(network)
    items = every[(every["kind"] == "item") & every["points"].notna()]
    product = items["weight"] * items["points"] / 100
    assert (abs(items["amount"] - product) <= 0.005 + 1e-9).all()
    assert items.groupby(["unit", "period"])["weight"].sum().round(2).eq(100).all()


def test_references_stand_only_where_rules_look_at_them(store: Store) -> None:
    late = pd.DataFrame({"unit": ["B01"], "indicator": "LATE", "year": 2024, "target": [1.5]})
    targets = pd.concat([make_targets(), late])
    network = score_network(store.snapshot(1), make_policy(), [DECEMBER], targets=targets)
    items = lines(network).query("kind == 'item' and unit == 'B01'").set_index("indicator")
    assert items["reference"].notna().to_dict() == {"LENDING": True, "DEPOSITS": True, "LATE": False, "NPS": True}


def test_a_row_without_a_score_says_what_it_lacks(store: Store) -> None:
    policy = make_policy(missing={"then": "withhold"})
    network = score_network(store.snapshot(1), policy, [DECEMBER], targets=make_targets())
    table = summary(network).set_index("unit")
    new = table.loc[NEW]
    assert np.isnan(new["score"])
    assert new["reason"] == "no figure: LENDING, DEPOSITS"  # it has no whole year
    assert new["notes"] == ""  # nothing is said of a score that there is not
    assert np.isnan(new["raw"])
    assert np.isnan(new["amount:NPS"])
    assert new["points:NPS"] > 0  # what can be said of it is
    assert NEW not in set(lines(network)["unit"])
    assert table.loc["B01", "reason"] == ""
    assert table.loc["B01", "assessed_weight"] == 100


def test_a_rescaled_score_says_so(store: Store) -> None:
    table = summary(score_network(store.snapshot(1), make_policy(), [DECEMBER])).set_index("unit")
    assert table.loc["B01", "notes"] == "items of 70 of 100 are assessed (nothing to compare with: LENDING)"
    assert table.loc["B01", "assessed_weight"] == 70
    assert (table["targets_version"] == "none").all()


def test_gates_and_adjustments_that_act_are_named(store: Store) -> None:
    policy = make_policy()
    card = policy.scorecards[0]
    document = {
        "id": "nps",
        "title": TITLE,
        "kind": "bonus",
        "points": "1.5",
        "when": {"indicator": "NPS", "above": "0"},
    }
    late = {"indicator": "LATE", "above": "3"}
    gate = {"kind": "total_cap", "id": "late", "title": TITLE, "at": "40", "when": late}
    adjustment = type(policy).model_validate(
        policy.model_dump(by_alias=True)
        | {"scorecards": [card.model_dump(by_alias=True) | {"adjustments": [document]}], "limits": {"bonus": "1"}}
        | {"gates": [gate, gate | {"id": "again"}]}
    )
    network = score_network(store.snapshot(1), adjustment, [DECEMBER], targets=make_targets())
    table, every = summary(network).set_index("unit"), lines(network)
    assert table.loc["B01", "adjustments"] == "nps +1.50"
    assert table.loc["B01", "bonus"] == 1
    limit = every[(every["unit"] == "B01") & (every["kind"] == "limits")]
    assert limit[["line", "amount"]].to_numpy().tolist() == [["limits", -0.5]]
    scored = table["score"].notna().to_numpy()
    over = network.figures.facts.of("actual", "LATE")[scored] > 3
    capped = table["gates"].str.contains("late").to_numpy()[scored]
    idle = table["notes"].str.contains("holds without changing the total: again").to_numpy()[scored]
    assert capped.any()
    assert (capped <= over).all()
    assert (idle <= over).all()
    assert (capped <= idle).all()  # the second of two like gates finds nothing left to take
    assert (table["raw"] != table["gated"])[scored].tolist() == (table["gates"] != "")[scored].tolist()


def test_a_period_outside_the_data_is_refused(store: Store) -> None:
    with pytest.raises(LoadlineError, match="2025-01") as refused:
        score_network(store.snapshot(1), make_policy(), [DECEMBER + 1])
    assert "2020-01 to 2024-12" in refused.value.hint


def test_the_order_of_rows_is_that_of_the_units(network: Network) -> None:
    table = summary(network)
    assert table["period"].tolist() == sorted(table["period"])
    first = table[table["period"] == "2024-06"]["unit"].tolist()
    assert first[: len(BIG)] == BIG
