"""The warning model that serves: registered with its card, gated, promoted, and asked only for its own year."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import warning_bank

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store
from models.bundle import ModelBundle
from training.gating.gate import Gate
from training.gating.rules import GateRules
from training.gating.warning_gates import check_learned
from training.promote import champion_digest, promote
from training.warning.answering import replayed_probability
from training.warning.champion import in_service, warning_bundle
from training.warning.fitting import fitted, model_name
from training.warning.forward_chain import LOGIT, MODEL, SINGLE, ForwardChain, forward_chain
from training.warning.material import Material, material

SEED = 3
YEARS = 2
NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("champion")


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
def serving(found: Material, home: Path) -> ModelBundle:
    """The model of the last year, promoted."""
    bundle = warning_bundle(found, fitted(found, found.last, seed=SEED, home=home), seed=SEED, policy="own@1")
    name = model_name(found.snapshot.about.dataset)
    gates = [Gate("enough_cases", True, None, (), {"en": "Enough.", "zh": "足够。"})]
    promote(
        home,
        name,
        bundle,
        by="test",
        reason="a test",
        expected_champion=champion_digest(home, name),
        gates=gates,
        clock=lambda: NOW,
    )
    return bundle


def test_past_years_are_replayed_beside_what_has_to_be_beaten(found: Material, chain: ForwardChain) -> None:
    assert chain.years == (found.last - 2, found.last - 1), "the last year has no outcomes yet"
    table = chain.table().set_index("name")
    assert set(table.index) == {MODEL, SINGLE, LOGIT}
    assert (table["rows"] == YEARS * warning_bank.BRANCHES).all()
    assert table["auc_within"][MODEL] > 0.85
    assert len(chain.singles) == YEARS
    assert chain.singles[0] in found.matrix
    assert chain.calibration()["rows"].sum() == YEARS * warning_bank.BRANCHES


def test_a_bundle_says_what_it_learned_from(snapshot: Snapshot, serving: ModelBundle) -> None:
    assert serving.meta["as_of"] == "2021"
    assert serving.meta["known_on"] == "2021-12-31"
    assert serving.meta["policy_version"] == "own@1"
    assert serving.meta["fingerprint"] == snapshot.about.fingerprint


def test_the_champion_answers_for_its_own_year_and_as_a_replay_would(
    found: Material, serving: ModelBundle, home: Path
) -> None:
    asked = in_service(found, home)
    own = asked(found.last)
    assert own is not None
    assert asked(found.last - 1) is None
    again = fitted(found, found.last, seed=SEED)
    np.testing.assert_array_equal(
        own.probability(found, found.last, found.last), again.probability(found, found.last, found.last)
    )
    prior = np.full(found.leaves.shape, 0.5)
    other = material(found.snapshot, found.last, prior=prior)
    assert in_service(other, home)(found.last) is None, "it knows no prior scores"


def test_a_damaged_champion_is_passed_over(found: Material, serving: ModelBundle, home: Path) -> None:
    folder = home / "models" / model_name(found.snapshot.about.dataset) / serving.version
    meta = folder / "meta.json"
    kept = meta.read_bytes()
    meta.write_bytes(kept.replace(b"2021", b"2020", 1))
    try:
        assert in_service(found, home)(found.last) is None
    finally:
        meta.write_bytes(kept)
    answer = replayed_probability(found, found.last, found.last, seed=SEED, serving=in_service(found, home), home=home)
    assert np.isfinite(answer.probability[-1]).any()


def made(model: float, single: float, *, stated: float = 0.2, years: tuple[int, ...] = (1, 2)) -> ForwardChain:
    """Make a chain whose rankings have about these qualities: 0 none, 1 perfect."""
    rng = np.random.default_rng(1)
    y = (rng.random((2, 500)) < 0.2).astype(float)
    rank = {name: q * y + (1 - q) * rng.random(y.shape) for name, q in ((MODEL, model), (SINGLE, single))}
    rank[MODEL] = rank[MODEL] / rank[MODEL].mean() * stated
    return ForwardChain(rank | {LOGIT: rng.random(y.shape)}, years, y, ("x", "x"))


def passed(found: Material, home: Path, chain: ForwardChain) -> dict[str, bool]:
    model = fitted(found, found.last, seed=SEED, home=home)
    return {gate.name: gate.passed for gate in check_learned(GateRules.packaged(), model, chain)}


def test_gates(found: Material, home: Path) -> None:
    good = passed(found, home, made(0.6, 0.3))
    assert good == {"enough_cases": True, "skill": True, "beats_simple": True, "calibration": True}
    assert not passed(found, home, made(0.2, 0.6))["beats_simple"]
    assert not passed(found, home, made(0.6, 0.3, stated=0.6))["calibration"]
    assert passed(found, home, made(0.2, 0.6, years=(1,)))["beats_simple"], "one year says nothing"
    early = fitted(found, found.first + 1, seed=SEED)
    gates = {gate.name: gate for gate in check_learned(GateRules.packaged(), early, made(0.6, 0.3))}
    assert not gates["enough_cases"].passed
    assert not gates["skill"].passed
    assert all(set(gate.text) == {"en", "zh"} for gate in gates.values())


def test_a_champion_that_wants_what_the_data_no_longer_has_is_not_asked(
    found: Material, serving: ModelBundle, home: Path, tmp_path: Path
) -> None:
    origin = found.snapshot.description.calendar.parse(serving.meta["as_of"])
    assert in_service(found, home)(origin) is not None
    folder = warning_bank.write_bank(tmp_path / "bank")
    text = (folder / "indicators.yaml").read_text().splitlines(keepends=True)
    (folder / "indicators.yaml").write_text("".join(line for line in text if "FEES" not in line))
    figures = pd.read_csv(folder / "observations.csv")
    figures[figures["indicator"] != "FEES"].to_csv(folder / "observations.csv", index=False)
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(folder), now=NOW)
    poorer = material(store.snapshot(), store.snapshot().span[1])
    assert in_service(poorer, home)(origin) is None
