"""The warning model's champion against a challenger, on a small bank with dated outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import warning_bank

from features.snapshot import Snapshot
from models.bundle import ModelBundle
from models.deterioration.settings import DEFAULT, WarningSettings
from training.gating.comparison import Comparison
from training.gating.gate import Gate
from training.gating.rules import GateRules
from training.gating.stability import Overlap
from training.gating.warning_comparison import compare_warning, log_loss
from training.gating.warning_gates import check_warning
from training.gating.warning_stability import overlap_warning
from training.warning.fitting import Fitted, about_origin, fitted, to_bundle
from training.warning.forward_chain import MODEL, ForwardChain, forward_chain
from training.warning.material import Material, material

SEED, YEARS = 3, 3
OTHER = WarningSettings(rate=0.3, least_rows=2, l2=0.0, columns=1.0, forest_leaf=0.2)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gating")


@pytest.fixture(scope="module")
def snapshot(home: Path) -> Snapshot:
    return warning_bank.stored(home)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Material:
    return material(snapshot, snapshot.span[1])


@pytest.fixture(scope="module")
def chain(found: Material, home: Path) -> ForwardChain:
    return forward_chain(found, found.labels_at(found.last), seed=SEED, home=home, years=YEARS)


@pytest.fixture(scope="module")
def challenger(found: Material, home: Path) -> Fitted:
    return fitted(found, found.last, seed=SEED, home=home)


def champion(found: Material, home: Path, *, years_ago: int, settings: WarningSettings = DEFAULT) -> ModelBundle:
    origin = found.last - years_ago
    model = fitted(found, origin, seed=SEED, home=home, settings=settings)
    return to_bundle(model, about_origin(found, origin, seed=SEED, settings=settings))


def gates(challenger: Fitted, chain: ForwardChain, comparison: Comparison, overlap: Overlap) -> dict[str, Gate]:
    return {gate.name: gate for gate in check_warning(GateRules.packaged(), challenger, chain, comparison, overlap)}


def test_the_first_model_has_nothing_to_be_compared_with(
    found: Material, challenger: Fitted, chain: ForwardChain
) -> None:
    compared = compare_warning(found, challenger, chain, None)
    assert compared.how == "first"
    table = compared.by_origin().set_index("year")
    assert tuple(table.index) == tuple(found.snapshot.description.calendar.year(np.array(chain.years)))
    assert table["auc_within"].between(0.5, 1).all()
    result = gates(challenger, chain, compared, overlap_warning(found, challenger, None))
    assert list(result)[-3:] == ["not_worse_than_champion", "no_group_worse_off", "stable_explanations"]
    assert all(result[name].passed for name in list(result)[-3:])


def test_the_same_procedure_passes_exactly(
    found: Material, challenger: Fitted, chain: ForwardChain, home: Path
) -> None:
    serving = champion(found, home, years_ago=3)
    compared = compare_warning(found, challenger, chain, serving, seed=SEED, home=home)
    assert compared.how == "same"
    assert compared.replayed.mean == compared.after.mean == 0.0
    assert compared.after.origins == 2, "the labels of the last year have not matured"
    assert gates(challenger, chain, compared, Overlap("warning", "x", 1.0, 1))["not_worse_than_champion"].passed


def test_other_settings_are_replayed_year_by_year_and_judged_on_what_came_since(
    found: Material, challenger: Fitted, chain: ForwardChain, home: Path
) -> None:
    serving = champion(found, home, years_ago=3, settings=OTHER)
    compared = compare_warning(found, challenger, chain, serving, seed=SEED, home=home)
    assert compared.how == "replayed"
    assert compared.replayed.origins == YEARS
    assert compared.after.origins == 2
    assert compared.after.weak
    year = chain.years[0]
    calendar = found.snapshot.description.calendar
    row = int(np.flatnonzero(np.asarray(calendar.year(np.arange(len(chain.judged)) + found.first)) == year)[0])
    asked = np.zeros(found.leaves.shape, dtype=bool)
    asked[row] = found.leaves[row]
    old = fitted(found, found.first + row - 1, seed=SEED, home=home, settings=OTHER)
    y = chain.judged[row][found.leaves[row]]
    lost = [
        log_loss(answer[row][found.leaves[row]], y).mean()
        for answer in (chain.scores[MODEL], old.of_rows(found, asked, shown=False))
    ]
    table = compared.by_origin().set_index("year")
    assert table.loc[year, "replayed_challenger"] / table.loc[year, "replayed_champion"] == pytest.approx(
        lost[0] / lost[1]
    )
    again = Comparison.from_dict(json.loads(json.dumps(compared.as_dict(), allow_nan=False)))
    assert again == compared


def test_a_challenger_that_knows_nothing_is_refused(
    found: Material, challenger: Fitted, chain: ForwardChain, home: Path
) -> None:
    rng = np.random.default_rng(1)
    guess = np.where(np.isfinite(chain.scores[MODEL]), rng.uniform(0.05, 0.6, chain.judged.shape), np.nan)
    worse = ForwardChain({**chain.scores, MODEL: guess}, chain.years, chain.judged, chain.singles)
    serving = champion(found, home, years_ago=1, settings=OTHER)
    compared = compare_warning(found, challenger, worse, serving, seed=SEED, home=home)
    gate = gates(challenger, worse, compared, Overlap("warning", "x", 1.0, 1))["not_worse_than_champion"]
    assert (gate.passed, gate.effect) == (False, "block")
    assert gate.measured is not None
    assert gate.measured > 0.1


def test_explanations_are_compared_where_risk_is_highest(found: Material, challenger: Fitted, home: Path) -> None:
    own = to_bundle(challenger, about_origin(found, found.last, seed=SEED))
    alike = overlap_warning(found, challenger, own)
    assert (alike.share, alike.rows) == (1.0, warning_bank.BRANCHES)
    other = overlap_warning(found, challenger, champion(found, home, years_ago=3, settings=OTHER))
    assert other.share is not None
    assert 0.2 < other.share < 1.0
    assert other.examples[0]["unit"] in found.snapshot.tree.codes
    poorer = own.meta["fitted"] | {"names": [*own.meta["fitted"]["names"][:-1], "GONE.level"]}
    gone = ModelBundle(own.kind, dict(own.meta) | {"fitted": poorer}, own.texts, own.arrays)
    nothing = overlap_warning(found, challenger, gone)
    assert nothing.share is None
    assert "columns" in nothing.notes[0].en


def test_a_probability_of_nought_costs_no_more_than_a_thousandth_can() -> None:
    lost = log_loss(np.array([0.0, 1.0, 0.0, 0.5, np.nan]), np.array([1.0, 1.0, 0.0, np.nan, 1.0]))
    np.testing.assert_allclose(lost, [-np.log(1e-3), -np.log(0.999), -np.log(0.999), np.nan, np.nan])
