"""Champion against challenger on a real small bank: as procedures at past origins, and on what came since."""

from __future__ import annotations

import json
from dataclasses import replace

import gating_bank
import numpy as np
import pytest

from features.snapshot import Snapshot
from models.bundle import ModelBundle
from models.judging.reliability import PROMISES
from models.levels import Level
from models.outcome.settings import DEFAULT
from models.outcome.target import TargetModel
from training.gating.comparison import Comparison
from training.gating.replay import JUDGED_ORIGINS, judged_units, judging_scale, losses_of, replay
from training.gating.rules import GateRules
from training.gating.stability import Overlap
from training.gating.target_comparison import compare_target
from training.gating.target_gates import check_target
from training.gating.target_stability import overlap_target
from training.target_model import level_evidence, models_in

LAST = gating_bank.FIRST + gating_bank.YEARS - 1
RECKLESS = DEFAULT.with_knobs({"kept": 3.0, "ridge_penalty": 0.01})
RULES = GateRules.packaged()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return gating_bank.stored(tmp_path_factory.mktemp("gating"))


@pytest.fixture(scope="module")
def levels(snapshot: Snapshot) -> list[Level]:
    return gating_bank.leaf_levels(snapshot, LAST)


@pytest.fixture(scope="module")
def models(levels: list[Level]) -> dict[str, TargetModel]:
    return gating_bank.models_of(levels)


@pytest.fixture(scope="module")
def reckless(levels: list[Level]) -> dict[str, TargetModel]:
    return gating_bank.models_of(levels, settings=RECKLESS)


@pytest.fixture(scope="module")
def champion(snapshot: Snapshot) -> ModelBundle:
    """The champion of three years ago."""
    return gating_bank.bundled(gating_bank.models_of(gating_bank.leaf_levels(snapshot, LAST - 3)), LAST - 3)


def compared(
    levels: list[Level], models: dict[str, TargetModel], champion: ModelBundle | None, snapshot: Snapshot
) -> Comparison:
    before = {} if champion is None else models_in(champion)
    return compare_target(levels, models, before, seed=gating_bank.SEED, champion_bundle=champion, tree=snapshot.tree)


def gates(levels: list[Level], models: dict[str, TargetModel], comparison: Comparison, overlap: Overlap) -> dict:
    evidence = [level_evidence(level, models[level.key]) for level in levels]
    return {gate.name: gate for gate in check_target(RULES, evidence, comparison, overlap)}


def test_the_first_model_passes_and_says_that_there_is_nothing_to_compare_with(
    levels: list[Level], models: dict[str, TargetModel], snapshot: Snapshot
) -> None:
    found = compared(levels, models, None, snapshot)
    assert (found.how, found.champion) == ("first", None)
    result = gates(levels, models, found, overlap_target(levels, models, {}))
    assert all(gate.passed for gate in result.values()), result
    for name in ("not_worse_than_champion", "no_group_worse_off", "stable_explanations"):
        assert result[name].text["en"] == "There is no champion to compare with."
    table = found.by_origin()
    assert table["year"].is_monotonic_increasing
    assert table["loss_ratio"].between(0.3, 1.2).all()
    assert table["coverage"].notna().all()


def test_the_same_procedure_passes_exactly_and_nothing_is_fitted(
    levels: list[Level],
    models: dict[str, TargetModel],
    champion: ModelBundle,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was fitted")

    monkeypatch.setattr("training.gating.target_comparison.replay", refuse)
    monkeypatch.setattr("training.gating.target_comparison.rolling_growth", refuse)
    monkeypatch.setattr(TargetModel, "fit", refuse)
    found = compared(levels, models, champion, snapshot)
    assert found.how == "same"
    assert found.replayed.mean == found.after.mean == 0.0
    after = found.by_origin().set_index("year").loc[LAST - 2 :]
    assert len(after) == 3, "the champion is still judged by what came after it"
    assert (after["after_difference"] == 0).all()
    assert after["after_champion"].between(0.2, 1.3).all()
    result = gates(levels, models, found, Overlap("target", found.champion, 1.0, 1))
    assert result["not_worse_than_champion"].passed
    assert result["not_worse_than_champion"].measured == 0.0


def test_a_reckless_challenger_is_refused_and_the_gate_says_by_how_much(
    levels: list[Level], reckless: dict[str, TargetModel], champion: ModelBundle, snapshot: Snapshot
) -> None:
    found = compared(levels, reckless, champion, snapshot)
    assert found.how == "replayed"
    assert found.replayed.origins == JUDGED_ORIGINS
    assert found.replayed.units == gating_bank.BRANCHES
    assert found.after.origins == 3
    over, decisive = found.deciding(3)
    assert over == "after", "three years came that neither knew"
    assert found.deciding(4)[0] == "replayed"
    assert found.replayed.worse(confidence=0.95), found.replayed
    for difference in (found.replayed, decisive):
        assert difference.mean is not None
        assert difference.mean > 0
    replayed = GateRules(
        tuple(
            replace(rule, thresholds={**rule.thresholds, "origins_after": 9.0})
            if "origins_after" in rule.thresholds
            else rule
            for rule in RULES.rules
        ),
        two_people=False,
    )
    evidence = [level_evidence(level, reckless[level.key]) for level in levels]
    result = {gate.name: gate for gate in check_target(replayed, evidence, found, Overlap("target", "x", 1.0, 1))}
    gate = result["not_worse_than_champion"]
    assert (gate.passed, gate.effect) == (False, "block")
    assert gate.measured == found.replayed.mean
    assert f"{found.replayed.mean:.1%} worse" in gate.text["en"]
    assert "差" in gate.text["zh"]
    assert set(found.by_part()["part"]) == {level.key for level in levels}
    assert set(found.by_group()["dimension"]) >= {"peer_group", "size"}


def test_the_other_way_round_the_challenger_is_better(
    levels: list[Level], models: dict[str, TargetModel], snapshot: Snapshot
) -> None:
    old = gating_bank.models_of(gating_bank.leaf_levels(snapshot, LAST - 1), settings=RECKLESS)
    found = compared(levels, models, gating_bank.bundled(old, LAST - 1), snapshot)
    assert found.replayed.mean is not None
    assert found.replayed.mean < 0
    assert found.after.weak, "one year came since"
    assert found.deciding(3)[0] == "replayed"
    result = gates(levels, models, found, Overlap("target", found.champion, 1.0, 1))
    assert result["not_worse_than_champion"].passed
    assert result["no_group_worse_off"].passed


def test_a_champion_of_other_code_is_judged_only_by_what_came_after_it(
    levels: list[Level], models: dict[str, TargetModel], snapshot: Snapshot, champion: ModelBundle
) -> None:
    other = ModelBundle(champion.kind, dict(champion.meta) | {"code_version": "0.0"}, champion.texts, champion.arrays)
    found = compared(levels, models, other, snapshot)
    assert found.how == "not_replayable"
    assert found.replayed.mean is None
    assert found.after.mean == pytest.approx(0.0, abs=1e-12), "the same procedure, learned from the same figures"
    today = gating_bank.bundled(models, LAST, code_version="0.0")
    nothing = compared(levels, models, today, snapshot)
    gate = gates(levels, models, nothing, Overlap("target", "x", 1.0, 1))["not_worse_than_champion"]
    assert (gate.passed, gate.effect) == (False, "sign_off")


def test_a_replay_knows_nothing_of_the_year_that_it_answers(levels: list[Level]) -> None:
    problem = levels[0].problem
    whole = replay(problem, seed=1, shared={}, settings=DEFAULT)
    assert len(whole) == JUDGED_ORIGINS
    year = sorted(whole)[2]
    row = int(np.flatnonzero(problem.years == year)[0])
    spoiled = problem.outcome.copy()
    spoiled[row + 1 :] *= 3.0
    base = problem.base.copy()
    base[row + 2 :] *= 3.0
    later = replay(replace(problem, outcome=spoiled, base=base), seed=1, shared={}, settings=DEFAULT)
    np.testing.assert_allclose(later[year][0], whole[year][0], rtol=1e-9)


def test_a_replay_is_what_training_then_would_have_answered(levels: list[Level]) -> None:
    problem = levels[0].problem
    found = replay(problem, seed=1, shared={}, settings=DEFAULT)
    year = max(found)
    row = int(np.flatnonzero(problem.years == year)[0])
    past = problem.at(row)
    then = TargetModel.fit(past, seed=1, settings=DEFAULT).predict(past)
    slow = losses_of(then, problem.outcome[row], judging_scale(problem))[judged_units(problem)]
    np.testing.assert_allclose(found[year][0], slow, rtol=1e-9)


def test_promises_kept_pass_and_broken_ones_are_named(
    levels: list[Level], models: dict[str, TargetModel], snapshot: Snapshot
) -> None:
    def with_attained(add: float) -> dict[str, TargetModel]:
        out = {}
        for key, model in models.items():
            rows = [
                row | {"attained": [min(1.0, max(0.0, p + add + 0.01 * (row["year"] % 2))) for p in PROMISES]}
                for row in model.test["by_origin"]
            ]
            out[key] = replace(model, test=model.test | {"by_origin": rows})
        return out

    for add, passed in ((0.0, True), (0.05, True), (-0.2, False), (0.15, False)):
        changed = with_attained(add)
        found = compared(levels, changed, None, snapshot)
        gate = gates(levels, changed, found, Overlap("target", None))["attainment"]
        assert gate.passed is passed, (add, gate)
    assert "target 7" in gate.text["en"]
    assert "目标 7" in gate.text["zh"]


def test_explanations_of_a_model_are_its_own(levels: list[Level], models: dict[str, TargetModel]) -> None:
    same = {key: (lambda model=model: model) for key, model in models.items()}
    found = overlap_target(levels, models, same, champion="abc")
    assert (found.share, found.champion) == (1.0, "abc")
    assert found.rows == len(levels) * gating_bank.BRANCHES
    assert found.examples == ()


def test_other_explanations_ask_for_a_signature(
    levels: list[Level], models: dict[str, TargetModel], snapshot: Snapshot
) -> None:
    def turned(model: TargetModel) -> TargetModel:
        relative = replace(model.recipe.relative, coefficients=-model.recipe.relative.coefficients, trees="")
        return replace(model, recipe=replace(model.recipe, relative=relative))

    assert all(model.weight > 0 for model in models.values()), "a model that blends nothing explains nothing"
    before = {key: (lambda model=model: turned(model)) for key, model in models.items()}
    found = overlap_target(levels, models, before, champion="abc")
    assert found.share is not None
    assert found.share < 0.5
    assert found.examples[0]["champion"] != found.examples[0]["challenger"]
    again = Overlap.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False)))
    assert again == found
    comparison = compared(levels, models, None, snapshot)
    gate = gates(levels, models, comparison, found)["stable_explanations"]
    assert (gate.passed, gate.effect) == (False, "sign_off")
    assert levels[0].key.split(".")[0] in gate.text["zh"]


def test_a_comparison_survives_json(levels: list[Level], reckless: dict[str, TargetModel], snapshot: Snapshot) -> None:
    old = gating_bank.bundled(gating_bank.models_of(gating_bank.leaf_levels(snapshot, LAST - 1)[:1]), LAST - 1)
    found = compared(levels, reckless, old, snapshot)
    again = Comparison.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False)))
    assert again == found
    assert "1 are new" in found.notes[0].en
    for table in (found.by_origin(), found.by_group(), found.by_part()):
        assert len(table)
