"""The facts of real models: what the builders gather agrees with what the models and records say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import retraining_bank
import warning_bank

from features.snapshot import Snapshot
from models.bundle import ModelBundle
from models.levels import Level, levels_of
from models.outcome.target import TargetModel
from training.card import target_facts, warning_facts, write_cards
from training.card.drivers import target_drivers, warning_drivers
from training.card.facts import CardFacts, CardTable
from training.card.past_origins import by_year, kept_promises, past_origins
from training.card.target import level_titles
from training.card.warning import detector_record, warning_groups
from training.gating.stability import Overlap
from training.target_model import bundle_of, fit_level, level_evidence, level_tasks
from training.warning.champion import warning_bundle
from training.warning.fitting import Fitted, fitted
from training.warning.forward_chain import ForwardChain, forward_chain
from training.warning.gathering import gathered
from training.warning.looking import Looked
from training.warning.material import Material

SEED = 3
YEARS = 2
ABOUT = {"dataset": "small", "data_version": 1, "fingerprint": "ab", "as_of": "2021", "known_on": "2021-12-31"}
ABOUT |= {"horizon": 1, "policy_version": "default", "code_version": "0.1.0", "seed": SEED}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("card")


@pytest.fixture(scope="module")
def snapshot(home: Path) -> Snapshot:
    return warning_bank.stored(home)


@pytest.fixture(scope="module")
def levels(snapshot: Snapshot) -> list[Level]:
    origin = snapshot.span[1]
    panel, year = snapshot.panel(origin), int(snapshot.description.calendar.year(origin + 1))
    return [
        level
        for code in ("LOANS", "NPL")
        for level in levels_of(panel, code, year=year, origin=origin)
        if level.learned
    ]


@pytest.fixture(scope="module")
def models(levels: list[Level]) -> dict[str, TargetModel]:
    return dict(fit_level(task) for task in level_tasks(levels, seed=SEED))


@pytest.fixture(scope="module")
def bundle(models: dict[str, TargetModel]) -> ModelBundle:
    return bundle_of(models, ABOUT)


@pytest.fixture(scope="module")
def facts(
    snapshot: Snapshot, levels: list[Level], models: dict[str, TargetModel], bundle: ModelBundle, home: Path
) -> CardFacts:
    return target_facts(
        snapshot,
        "target-small",
        bundle,
        evidence=[level_evidence(level, models[level.key]) for level in levels],
        home=home,
        request=retraining_bank.REQUEST,
        overlap=Overlap("target", "abc", 0.95, 120, ({"part": "NPL.leaves", "rows": 60, "share": 0.9},)),
        drivers=target_drivers(levels, models),
    )


def rows(facts: CardFacts, name: str) -> pd.DataFrame:
    table: CardTable = facts.tables[name]
    return pd.DataFrame(table.rows, columns=list(table.columns))


def english(values: Sequence) -> list[str]:
    return [value if isinstance(value, str) else value.en for value in values]


def test_the_card_tells_data_run_and_versions(facts: CardFacts, snapshot: Snapshot, bundle: ModelBundle) -> None:
    data, training = facts.pairs["data"], facts.pairs["training"]
    assert data["checksum"] == snapshot.about.fingerprint
    assert data["known_on"] == "2021-12-31"
    assert data["figures"] == snapshot.about.added
    assert training["operator"] == "Li Ming"
    assert training["run"] == retraining_bank.REQUEST.run
    assert training["trained_at"] == "2024-06-01 00:00 UTC"
    assert facts.pairs["versions"]["model_digest"] == bundle.digest
    assert "lightgbm" in str(facts.pairs["versions"]["libraries"])
    assert english(rows(facts, "definitions")["code"]) == ["LOANS", "NPL"]
    assert len(rows(facts, "rules")) == 8
    assert len(rows(facts, "monitoring")) >= 4


def test_performance_is_what_the_models_kept(facts: CardFacts, models: dict[str, TargetModel]) -> None:
    table = rows(facts, "by_indicator")
    assert english(table["indicator"]) == ["Loans", "NPL ratio"]
    assert english(table["level"]) == ["branches", "branches"]
    assert "decomposed growth" in english(table["served_by"])[1]
    for place, model in enumerate(models.values()):
        assert table["coverage"][place] == pytest.approx(model.test["coverage"])
    years = rows(facts, "by_origin")
    npl = models["NPL.leaves"].test["by_origin"]
    assert list(years["year"]) == [row["year"] for row in npl]
    first = [model.test["by_origin"][0]["loss_ratio"] for model in models.values()]
    assert years["loss_ratio"][0] == pytest.approx(np.exp(np.mean(np.log(first))))
    assert years["worst_ratio"][0] == pytest.approx(max(first))
    groups = rows(facts, "by_group")
    assert english(groups["group"]) == ["low", "middle", "high"]
    assert groups["outcomes"].sum() == years["outcomes"].sum()


def test_promises_are_held_against_what_was_attained(bundle: ModelBundle) -> None:
    table = kept_promises(bundle)
    assert list(table["promised"]) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert table["attained"].is_monotonic_increasing
    assert (table["lowest"] <= table["attained"]).all()
    assert (table["attained"] <= table["highest"]).all()
    assert abs(table["attained"] - table["promised"]).max() < 0.2, "the bank is drawn as the model believes"


def test_older_bundles_without_a_record_by_year_leave_gaps() -> None:
    bare = ModelBundle("target", {"levels": {"LOANS.leaves": {"test": {"origins": 0}}}})
    assert past_origins(bare).empty
    assert by_year(past_origins(bare)).empty
    assert kept_promises(bare).empty


def test_explanations_are_told_in_words(facts: CardFacts) -> None:
    assert "95.0%" in facts.texts["stability"][0].en
    assert english(rows(facts, "overlap")["indicator"]) == ["NPL ratio, branches"]
    drivers = rows(facts, "drivers")
    assert drivers["share"].is_monotonic_decreasing
    assert drivers["share"].sum() == pytest.approx(1)
    assert "volatility" not in english(drivers["driver"]), "codes are told in words"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("NPL.leaves", ("不良率", "末级机构")),
        ("NPL.depth-1", ("不良率", "第 1 层")),
        ("NPL.leaves.rest2", ("不良率", "末级机构，当年剩余 2 期")),
        ("GONE.leaves", ("GONE.leaves", None)),
    ],
)
def test_levels_are_named(snapshot: Snapshot, key: str, said: tuple) -> None:
    indicator, level = level_titles(snapshot, key)
    assert (indicator if isinstance(indicator, str) else indicator.zh, level and level.zh) == said


def test_the_facts_go_to_json_and_back(facts: CardFacts, tmp_path: Path) -> None:
    assert CardFacts.from_dict(json.loads(json.dumps(facts.as_dict()))) == facts
    assert len(write_cards(facts, tmp_path)) == 4


@pytest.fixture(scope="module")
def watched(snapshot: Snapshot) -> tuple[Looked, Material]:
    return gathered(snapshot, snapshot.span[1])


@pytest.fixture(scope="module")
def learned(watched: tuple[Looked, Material], home: Path) -> Fitted:
    return fitted(watched[1], watched[1].last, seed=SEED, home=home)


@pytest.fixture(scope="module")
def chain(watched: tuple[Looked, Material], home: Path) -> ForwardChain:
    material = watched[1]
    return forward_chain(material, material.labels_at(material.last), seed=SEED, home=home, years=YEARS)


def test_the_card_of_a_warning_model_tells_its_record(
    snapshot: Snapshot, watched: tuple[Looked, Material], learned: Fitted, chain: ForwardChain, tmp_path: Path
) -> None:
    looked, material = watched
    record = detector_record(looked, material.labels_at(material.last), material.leaves)
    found = warning_facts(
        snapshot,
        "warning-small",
        warning_bundle(material, learned, seed=SEED),
        found=learned,
        chain=chain,
        detectors=record,
        groups=warning_groups(material, chain),
        drivers=warning_drivers(material, learned),
    )
    years = rows(found, "by_year")
    assert list(years["year"]) == list(chain.years)
    table = chain.table().set_index("name")
    assert years["rows"].sum() == table["rows"]["model"]
    assert years["hits"].sum() == table["hits"]["model"], "the budget is spent by period, so years add up"
    assert english(rows(found, "rankings")["name"])[0] == "this model"
    assert rows(found, "reliability")["rows"].sum() == table["rows"]["model"]
    patterns = rows(found, "detectors")
    assert list(patterns["fired"]) == sorted(record["fired"], reverse=True)
    groups = rows(found, "by_group")
    assert english(groups["group"]) == ["low", "middle", "high"]
    assert groups["positives"].sum() == table["positives"]["model"]
    assert rows(found, "drivers")["share"].is_monotonic_decreasing
    assert found.pairs["data"]["positives"] == learned.positives
    assert learned.note in found.texts["limits"]
    assert "tuning" not in found.texts
    write_cards(found, tmp_path)


def test_a_single_year_leaves_its_years_apart(chain: ForwardChain) -> None:
    each = chain.by_year()
    assert list(each) == list(chain.years)
    assert all(int(table["rows"].max()) == warning_bank.BRANCHES for table in each.values())
