"""The owner's evaluation of 2021 replayed: on banks that report all of it, and on what is published of countries."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from features.dataset import open_dataset
from features.indicators import library
from features.snapshot import Snapshot
from features.store import Store
from models.policy.default import default_policy
from models.policy.document import Policy
from models.policy.reading import read_policy
from models.policy.shipped import shipped
from models.policy.validator import check, raise_if_errors
from models.scoring.comparison import Line
from models.scoring.points import SCORED
from training.policies import current_units
from training.simulation.compared import compare
from training.simulation.replay import replay
from training.simulation.simulation import simulate

NOW = datetime(2025, 3, 2, tzinfo=UTC)
BANKS = [f"K{number:02d}" for number in range(12)]
YEARS = range(2019, 2025)
OWNER = shipped()["owner-evaluation"]
COUNTRIES = Path(__file__).parents[3] / "docs" / "examples" / "owner-evaluation-countries.yaml"
WORLD = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "world-banking"


def codes_of(policy: Policy) -> list[str]:
    """List the indicators of a policy's items and of their rules."""
    items = [item for card in policy.scorecards for item in card.items]
    others = [item.rule.all_loans for item in items if item.rule.kind == "two_increase"]
    return list(dict.fromkeys([*(item.indicator for item in items), *others]))


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Twelve banks that report every item of the evaluation, made up."""
    folder = tmp_path_factory.mktemp("banks") / "dataset"
    folder.mkdir()
    about = {"contract": 1, "name": "banks", "title": {"en": "Banks", "zh": "银行"}, "frequency": "A"}
    about |= {"source": "made for the tests", "licence": "none"}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    codes = codes_of(OWNER)
    (folder / "indicators.yaml").write_text(yaml.safe_dump({"indicators": [{"code": c} for c in codes]}))
    units = pd.DataFrame({"unit": ["MOF", *BANKS], "parent": ["", *["MOF"] * 12], "name": ["Owner", *BANKS]})
    units.assign(level=["owner", *["bank"] * 12], peer_group=["", *["listed"] * 12]).to_csv(
        folder / "units.csv", index=False
    )
    rng = np.random.default_rng(5)
    rows = []
    for code in codes:
        low, high = library()[code].limits
        centre = 20.0 if np.isinf(low) else max(low, 0.0) + 10
        for bank in BANKS:
            own = centre + rng.normal(0, 2)
            for year in YEARS:
                value = float(np.clip(own + rng.normal(0, 1), low, high))
                rows.append((bank, year, code, round(value, 2)))
    pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"]).to_csv(
        folder / "observations.csv", index=False
    )
    store = Store(folder.parent / "store")
    store.ingest(open_dataset(folder), now=NOW)
    return store.snapshot()


def bank_policy() -> Policy:
    """Give the shipped evaluation for the banks alone; its own scorecard is for every unit."""
    card = OWNER.scorecards[0]
    return OWNER.model_copy(
        update={
            "scorecards": (
                card.model_copy(update={"applies_to": card.applies_to.model_copy(update={"level": ("bank",)})}),
            )
        }
    )


def test_every_item_of_the_shipped_evaluation_is_scored_where_it_is_reported(banks: Snapshot) -> None:
    targets = pd.DataFrame(
        {"unit": BANKS, "indicator": "S01", "year": 2024, "target": 5.0}
    )  # the plan of the two increases
    found = replay(banks, bank_policy(), [banks.span[1]], targets=targets)
    scores = found.networks[0].scores[0]
    assert (scores.state == SCORED).all()
    assert scores.scored.all()
    assert (scores.weights.sum(axis=0) == 10_000).all()
    blocks = pd.Series([float(item.weight) for item in scores.card.items]).groupby(
        [item.block for item in scores.card.items]
    )
    assert blocks.sum().to_dict() == dict.fromkeys(
        ["development-goals", "development-quality", "risk-control", "results"], 25.0
    )


def test_the_evaluation_beside_equal_weights(banks: Snapshot, tmp_path: Path) -> None:
    """An item of both policies has the same points on both sides, at another weight."""
    present = default_policy(banks.indicators)
    years = [banks.description.calendar.parse(str(year)) for year in (2022, 2023, 2024)]
    found = simulate(banks, present, bank_policy(), years, home=tmp_path)
    compared = found.compared
    assert compared.both.sum() == len(BANKS) * len(years)
    assert (compared.moved.sum(axis=0) == 10 * compared.difference).all()
    number = compared.lines.index(Line("item", "TAX_PER_HEAD"))
    rows = compared.both & (compared.old.weights[number] > 0) & (compared.new.weights[number] > 0)
    assert rows.any()
    old, new = (side.cents[number, rows] / side.weights[number, rows] for side in (compared.old, compared.new))
    np.testing.assert_allclose(old, new, atol=0.01)
    assert not found.retraining.models
    assert {change.kind for change in found.differences} >= {"evaluation_level", "scorecards"}


@pytest.mark.skipif(not WORLD.exists(), reason="world-banking is not here")
def test_the_evaluation_on_banking_systems_of_countries(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(WORLD), now=NOW)
    snapshot = store.snapshot()
    policy = read_policy(COUNTRIES)
    findings = check(policy, indicators=snapshot.indicators, units=current_units(snapshot))
    raise_if_errors(findings)
    assert not findings
    years = [snapshot.description.calendar.parse(str(year)) for year in range(2010, 2018)]
    present = default_policy(snapshot.indicators)
    compared = compare(replay(snapshot, present, years), replay(snapshot, policy, years))
    assert compared.both.sum() > 1_000
    assert (compared.moved.sum(axis=0) == 10 * compared.difference).all()
    cost = compared.moved[compared.lines.index(Line("item", "COST_INCOME"))]
    assert (cost[compared.both] >= 0).all()  # a quarter of the whole instead of a tenth
    assert np.abs(cost).sum() == np.abs(compared.moved).sum(axis=1).max()


def test_the_example_of_countries_is_four_classes_of_25() -> None:
    policy = read_policy(COUNTRIES)
    frame = pd.DataFrame([(i.block, float(i.weight)) for i in policy.scorecards[0].items])
    assert set(frame.groupby(0)[1].sum()) == {25.0}
