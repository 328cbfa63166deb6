"""The sample bank's own policy, and its split of weights by region against one set of weights for all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store
from models.policy.document import Policy, Selector
from models.policy.reading import policy_from
from models.policy.validator import check
from training.policies import current_units, policy_for
from training.sample.bank import generate
from training.simulation.simulation import Simulation, simulate

NOW = datetime(2025, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("sample")
    generate(branches=120).write(folder / "bank")
    store = Store(folder / "store")
    store.ingest(open_dataset(folder / "bank"), now=NOW)
    return store.snapshot()


def split_of(bank: Snapshot) -> Policy:
    assert bank.policy is not None
    return policy_from(bank.policy)


def one_for_all(split: Policy) -> Policy:
    """Put every branch on the scorecard of the central ones."""
    card = next(card for card in split.scorecards if card.id == "central")
    every = card.model_copy(update={"id": "all", "applies_to": Selector(level=("branch",))})
    return split.model_copy(update={"id": "one-for-all", "scorecards": (every,)})


@pytest.fixture(scope="module")
def found(bank: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    split, last = split_of(bank), bank.span[1]
    return simulate(bank, one_for_all(split), split, [last - 12, last], home=tmp_path_factory.mktemp("home"))


def test_the_banks_policy_has_nothing_to_find_fault_with(bank: Snapshot, tmp_path: Path) -> None:
    assert check(split_of(bank), indicators=bank.indicators, units=current_units(bank)) == ()
    day = bank.description.calendar.end(bank.span[1])
    policy, note = policy_for(bank, tmp_path, day=day)
    assert policy.label == "sample-branches@1"
    assert "came with the dataset" in note


def test_risk_weighs_most_everywhere_and_scale_most_on_the_coast(bank: Snapshot) -> None:
    weights = {}
    for card in split_of(bank).scorecards:
        classes: dict[str, float] = {}
        for item in card.items:
            perspective = item.perspective or bank.indicators[item.indicator].perspective
            classes[perspective] = classes.get(perspective, 0) + float(item.weight)
        assert max(classes, key=lambda name: classes[name]) == "risk"
        weights[card.id] = {item.indicator: float(item.weight) for item in card.items}
    assert weights["coastal"]["P01"] > weights["central"]["P01"] > weights["western"]["P01"]
    assert weights["western"]["U01"] > weights["central"]["U01"] > weights["coastal"]["U01"]


def test_every_branch_has_a_score_but_the_newest(found: Simulation) -> None:
    scored = found.compared.new.scored
    assert scored.mean() > 0.95


def test_where_weights_stay_scores_stay(found: Simulation) -> None:
    central = (found.compared.about["region_type"] == "central").to_numpy()
    assert not found.compared.moved[:, central].any()
    elsewhere = found.compared.both & ~central
    assert (found.compared.difference[elsewhere] != 0).mean() > 0.9


def test_a_lines_change_is_its_points_times_the_change_of_its_weight(found: Simulation) -> None:
    compared = found.compared
    for number, line in enumerate(compared.lines):
        if line.kind != "item":
            continue
        rows = compared.both & (compared.old.weights[number] > 0) & (compared.new.weights[number] > 0)
        old, new = (side.cents[number, rows] / side.weights[number, rows] for side in (compared.old, compared.new))
        np.testing.assert_allclose(old, new, atol=0.03)  # rounding of cents at a weight of four


def test_new_customers_count_more_in_the_west_and_less_on_the_coast(found: Simulation) -> None:
    compared = found.compared
    number = next(n for n, line in enumerate(compared.lines) if line.key == "U01")
    region = compared.about["region_type"].to_numpy()
    assert (compared.moved[number, compared.both & (region == "western")] >= 0).all()
    assert (compared.moved[number, compared.both & (region == "coastal")] <= 0).all()


def test_no_model_learns_again_for_it(found: Simulation) -> None:
    assert not found.retraining.models
    assert found.retraining.score_models
