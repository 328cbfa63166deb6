"""What each kind of change asks for: a test for each row of banks' practice, and for what asks for nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changing_bank import CALENDAR, DECEMBER, SEED, Bank, months, moved, policy
from scoring_bank import make_panel, make_policy

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet
from serving.advisor import Advisor
from serving.settings import Settings
from training.promote import champion
from training.retraining.decision import Action, Decision
from training.retraining.policy_marks import marked_policy, policy_day
from training.target_model import model_name

PANEL = make_panel()
NOW = datetime(2025, 3, 2, tzinfo=UTC)
NEW = {"definition_version": "2"}
EFFICACY = {"kind": "efficacy"}
TEA = {
    "code": "TEA", "name": {"en": "Tea", "zh": "茶"}, "unit": "n", "direction": "higher", "kind": "flow",
    "perspective": "performance",
}  # fmt: skip


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


@pytest.fixture
def trained(bank: Bank) -> Bank:
    bank.deliver()
    bank.train()
    return bank


def whats(decision: Decision) -> dict[str, str]:
    return {action.subject: action.what for action in decision.actions}


def codes(action: Action, *, asks: bool | None = None) -> list[str]:
    return [ground["code"] for ground in action.figures["grounds"] if asks in (None, ground["asks"])]


def items(*weights: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"indicator": code, "weight": weight, "against": "peers", "rule": EFFICACY} for code, weight in weights]


def only(plain: dict[str, Any]) -> str:
    return json.dumps({"change": 1} | plain)


KEPT = {"target": "keep", "warning": "keep", "scores": "keep", "history": "none"}


def test_without_a_model_in_service_it_is_trained(bank):
    bank.deliver()
    found = bank.decide()
    assert whats(found) == KEPT | {"target": "retrain", "warning": "retrain"}
    assert codes(found.of("target")) == ["first"]


def test_where_nothing_has_changed_everything_stays_and_it_says_so(trained):
    found = trained.decide()
    assert whats(found) == KEPT
    for subject in ("target", "warning"):
        action = found.of(subject)
        assert codes(action) == []
        assert [why.en for why in action.why] == ["Nothing that the model rests on has changed since it was trained."]
    assert "同" not in found.of("history").why[0].zh
    assert len(found.lines) == 4
    assert found.lines[0].en.startswith("Target model: stays as it is.")
    assert found.lines[0].zh.startswith("目标模型：保持不变。")


def test_weights_alone_retrain_no_target_model(bank):
    """Weights 权重: score in shadow, no retraining of targets, old and new side by side."""
    bank.deliver()
    bank.activate(policy(items=items(("LENDING", "60"), ("LATE", "40"))))
    bank.train()
    bank.activate(policy("2", start="2025-01-01", items=items(("LENDING", "50"), ("LATE", "50"))))
    found = bank.decide()
    assert whats(found) == KEPT | {"scores": "rescore"}
    assert codes(found.of("target")) == ["policy"]
    assert found.of("target").why[0].en == (
        "The policy has 2 differences (trial@1 → trial@2: scorecards.all.items.LENDING.weight, "
        "scorecards.all.items.LATE.weight): they change points and rules, not the figures that the model learns from."
    )
    scores = found.of("scores")
    assert scores.figures["before"].startswith("trial@1 ")
    assert scores.figures["after"].startswith("trial@2 ")
    assert scores.figures["differences"]["weights"] == 2
    assert "2 differences of the policy" in scores.why[0].en
    assert "Score in shadow" in scores.why[0].en


def test_a_definition_with_restated_history_retrains_and_marks_no_break(trained):
    """Definition 口径: new version, history restated, retrain."""
    trained.deliver(moved(PANEL, "LENDING", by=3, since="2020-01"), entries={"LENDING": NEW}, day="2025-04-01")
    found = trained.decide()
    assert whats(found) == {"target": "retrain", "warning": "retrain", "scores": "rescore", "history": "restated"}
    target = found.of("target")
    assert codes(target, asks=True) == ["figures", "definition"]
    restated = next(ground for ground in target.figures["grounds"] if ground["code"] == "figures")
    assert restated["new"] == 0
    assert restated["restated"] > 500
    assert (
        "LENDING has definition 2 in place of 1 from data version 2 on: history is restated for LENDING (100%). "
        "1 of the model's 6 levels rest on it."
    ) in [why.en for why in target.why]
    definition, late = found.of("warning").figures["grounds"]
    assert (definition["held"], definition["of"]) == (1, 4)
    assert (late["code"], late["known_from"]) == ("known_late", "2025-04-01")
    assert "known_late" not in codes(target), "it learns from all that is known by now"
    assert found.of("scores").figures["since"] == 1
    assert found.of("history").figures["definitions"][0]["treatment"] == "restated"


def test_a_definition_without_history_breaks_it_off(trained):
    """Definition 口径: or mark the break, and what rests on it goes with it."""
    last = np.where(np.arange(len(PANEL.ordinals))[:, None] == len(PANEL.ordinals) - 1, PANEL.array("LOANS"), np.nan)
    trained.deliver(PANEL.with_values({"LOANS": last}), entries={"LOANS": NEW}, day="2025-04-01")
    found = trained.decide()
    assert whats(found) == {"target": "retrain", "warning": "retrain", "scores": "rescore", "history": "break"}
    sentence = found.of("history").why[0].en
    assert sentence == (
        "LOANS has definition 2 in place of 1 from data version 2 on: history breaks off, to begin with the period "
        "named, for LOANS (2024-12), LATE (–), YIELD (–)."
    )
    grounds = {ground["code"]: ground for ground in found.of("target").figures["grounds"]}
    assert grounds["definition"]["held"] == 2, "late and yield rest on the loans, which have no target model"
    grounds = {ground["code"]: ground for ground in found.of("warning").figures["grounds"]}
    assert grounds["definition"]["held"] == 2, "one column of the loans, one of a ratio over them"


def test_a_definition_that_nothing_rests_on_leaves_the_model(trained):
    names = {"names": ["LENDING.growth_1y"]}
    trained.champions["warning"] = type(trained.champions["warning"])(
        "warning", trained.champions["warning"].meta | {"fitted": names}, {}, {}
    )
    trained.deliver(PANEL, entries={"NPS": NEW}, day="2025-04-01")
    found = trained.decide()
    assert found.of("warning").what == "keep"
    assert codes(found.of("warning")) == ["definition"]
    assert found.of("warning").why[0].en.endswith("Nothing of the model rests on it.")
    assert found.of("target").what == "retrain"


def test_a_new_indicator_is_watched_first(bank):
    """New KPI 新指标: observe at weight 0, low evidence; the other models stay."""
    bank.deliver()
    bank.activate(policy())
    bank.train()
    bank.deliver(more=[TEA])
    found = bank.decide()
    assert whats(found) == KEPT
    observe = next(ground for ground in found.of("target").figures["grounds"] if ground["code"] == "observe")
    assert observe["codes"] == ["TEA"]
    assert observe["evidence"] == "low"
    assert "weight 0" in found.of("target").why[0].en


def test_a_new_indicator_with_years_enough_gets_a_model(trained):
    tea = Indicator.model_validate(TEA)
    panel = replace(
        PANEL,
        indicators=IndicatorSet([*PANEL.indicators.values(), tea]),
        values={**PANEL.values, "TEA": PANEL.array("LENDING")},
    )
    trained.deliver(panel, more=[TEA])
    found = trained.decide()
    assert found.of("target").what == "retrain"
    assert "new_indicator" in codes(found.of("target"), asks=True)


def test_a_new_indicator_of_the_policy_is_scored_in_shadow(bank):
    bank.deliver()
    bank.activate(policy(items=items(("LENDING", "100"))))
    bank.train()
    bank.activate(policy("2", start="2025-01-01", items=items(("LENDING", "90"), ("NPS", "10"))))
    found = bank.decide()
    assert whats(found) == KEPT | {"scores": "rescore"}
    assert any("watch it at weight 0" in why.en for why in found.of("scores").why)


CAP = {"kind": "rate_cap", "cap": 24, "income": "INTEREST", "volume": "LOANS"}


@pytest.mark.parametrize(("start", "target"), [("2025-07", "keep"), ("2024-07", "retrain")])
def test_a_rate_cap_recalibrates_risk_and_waits_for_figures(trained, start, target):
    """Rate cap 利率上限: what-if, risk recalibrated; income models once figures under the cap are in."""
    found = trained.decide(change=only(CAP | {"from": start}))
    assert whats(found) == KEPT | {"target": target, "warning": "retrain", "scores": "rescore"}
    assert found.of("scores").figures["change"] == "rate_cap"
    if target == "retrain":
        assert "flag of the regime" in found.of("target").why[0].en


def test_merged_moved_and_split_units_recompute_peers_and_leave_models(trained):
    """Merge, split, transfer 撤并: the tree has its dates, history is added up on the same basis, peers are new."""

    def change(units):
        units.loc[units["unit"] == "S00", ["valid_to", "successor"]] = ["2024-09", "S01"]
        units.loc[units["unit"] == "S05", "parent"] = "R1"
        units.loc[units["unit"] == "B05", ["valid_to", "successor"]] = ["2024-09", "B01|B02"]
        units.loc[units["unit"] == "B04", "peer_group"] = "small"
        return units

    values = {code: array.copy() for code, array in PANEL.values.items()}
    for array in values.values():
        array[CALENDAR.parse("2024-10") - PANEL.first :, PANEL.units.get_indexer(["S00", "B05"])] = float("nan")
    trained.deliver(PANEL.with_values(values), units=change)
    found = trained.decide()
    assert whats(found) == KEPT | {"scores": "rescore"}
    units = next(ground for ground in found.of("target").figures["grounds"] if ground["code"] == "units")
    assert {key: units[key] for key in ("merged", "split", "moved", "regrouped")} == dict.fromkeys(
        ("merged", "split", "moved", "regrouped"), 1
    )
    assert "same basis" in found.of("target").why[0].en


def test_a_merger_from_outside_leaves_models(trained):
    found = trained.decide(change=only({"kind": "merger", "from": "2024-07", "units": ["S00", "S01"], "into": "S00"}))
    assert whats(found) == KEPT | {"scores": "rescore"}
    assert codes(found.of("target")) == ["merger"]


def test_a_tolerance_leaves_models(trained):
    plain = {"kind": "npl_tolerance", "from": "2024-07", "indicator": "LATE", "points": 1}
    assert whats(trained.decide(change=only(plain))) == KEPT | {"scores": "rescore"}


def test_a_restatement_is_scored_again_and_learned_from(trained):
    """Restatement 财务重述: values known then stay known then, points are worked out again."""
    trained.deliver(moved(PANEL, "LENDING", by=5, since="2024-11"), day="2025-04-01")
    found = trained.decide()
    assert whats(found) == KEPT | {"target": "retrain", "scores": "rescore"}
    grounds = found.of("target").figures["grounds"]
    assert [(ground["code"], ground["new"]) for ground in grounds] == [("figures", 0)]
    restated = np.isfinite(PANEL.array("LENDING")[-2:]).sum()
    assert grounds[0]["restated"] == restated
    assert "closed periods stay" in found.of("scores").why[0].en
    assert found.of("warning").what == "keep", "it learned from what was known at the end of 2024"


def test_what_was_known_then_is_not_changed_by_a_later_restatement(bank):
    """A model of what was known at its origin learns the same again."""
    bank.deliver()
    bank.train(latest=False)
    bank.deliver(moved(PANEL, "LENDING", by=5, since="2024-11"), day="2025-04-01")
    assert bank.decide(latest=False).of("target").what == "keep"
    assert bank.decide(latest=True).of("target").what == "retrain"


@pytest.mark.parametrize(
    "change",
    [
        {"gates": [{"kind": "veto", "id": "late", "title": {"en": "v", "zh": "否决"},
                    "when": {"indicator": "LATE", "above": "8"}}]},
        {"grades": [{"name": "A", "from": "80"}, {"name": "C"}]},
        {"limits": {"bonus": 5, "malus": 5}},
    ],
)  # fmt: skip
def test_vetoes_caps_and_tiers_replay_gates_only(bank, change):
    """Veto, cap and tier rules 规则: replay gates only."""
    bank.deliver()
    bank.activate(policy())
    bank.train()
    bank.activate(policy("2", start="2025-01-01", **change))
    found = bank.decide()
    assert whats(found) == KEPT | {"scores": "replay_gates"}
    assert "Replay limits and gates" in found.of("scores").why[0].en


def test_weights_and_gates_together_are_scored_in_shadow(bank):
    bank.deliver()
    bank.activate(policy(items=items(("LENDING", "60"), ("LATE", "40"))))
    bank.train()
    grades = [{"name": "A", "from": "80"}, {"name": "C"}]
    bank.activate(policy("2", start="2025-01-01", items=items(("LENDING", "50"), ("LATE", "50")), grades=grades))
    found = bank.decide()
    assert found.of("scores").what == "rescore"
    assert len(found.of("scores").why) == 2


def test_other_levels_of_targets_ask_for_no_model_and_no_score(bank):
    bank.deliver()
    bank.activate(policy())
    bank.train()
    levels = {
        "floor": {"probability": 0.9, "points": 80},
        "target": {"probability": 0.6, "points": 100},
        "stretch": {"probability": 0.2, "points": 120},
    }
    bank.activate(policy("2", start="2025-01-01", targets=levels))
    found = bank.decide()
    assert whats(found) == KEPT
    assert any("Targets suggested from now on change" in why.en for why in found.of("scores").why)


def test_later_periods_retrain(bank):
    bank.deliver(months(PANEL, upto="2024-06"))
    bank.train(as_of=CALENDAR.parse("2024-06"))
    bank.deliver(PANEL)
    found = bank.decide()
    assert whats(found) == KEPT | {"target": "retrain", "warning": "retrain"}
    assert codes(found.of("target")) == ["figures", "periods"]
    assert "6 periods after the end" in found.of("target").why[1].en
    back = bank.decide(as_of=CALENDAR.parse("2024-03"))
    assert back.of("target").what == "retrain"
    assert codes(back.of("target")) == ["periods"]


def test_figures_beyond_the_origin_do_not_count(bank):
    bank.deliver(months(PANEL, upto="2024-06"))
    june = CALENDAR.parse("2024-06")
    bank.train(as_of=june)
    bank.deliver(PANEL)
    assert whats(bank.decide(as_of=june)) == KEPT


def test_another_program_seed_or_attempt_retrains(trained):
    found = trained.decide(code_version="10.0", seed=8, attempt=2)
    assert codes(found.of("target"), asks=True) == ["code", "seed", "again"]
    assert codes(found.of("warning"), asks=True) == ["code", "seed", "again"]
    assert codes(trained.decide(attempt=2).of("target")) == ["again"]


def test_a_kind_that_is_not_asked_for_is_left(trained):
    found = trained.decide(kinds=("warning",), attempt=2)
    assert whats(found) == KEPT | {"target": "none", "warning": "retrain"}


def test_a_model_of_another_history_is_not_compared(trained):
    champion = trained.champions["target"]
    trained.champions["target"] = type(champion)("target", champion.meta | {"fingerprint": "f" * 64}, {}, {})
    found = trained.decide()
    assert codes(found.of("target"), asks=True) == ["other_data"]


def test_a_model_that_does_not_say_its_policy_is_taken_to_be_of_that_in_force_then(bank):
    bank.deliver()
    bank.activate(policy(items=items(("LENDING", "60"), ("LATE", "40"))))
    bank.train(policy_version="default-1")
    assert whats(bank.decide()) == KEPT
    bank.activate(policy("2", start="2025-02-01", items=items(("LENDING", "50"), ("LATE", "50"))))
    mark = bank.request(as_of=DECEMBER + 1).policy
    assert mark.startswith("trial@2 ")
    assert bank.decide(policy=mark).of("scores").what == "rescore"


def test_a_policy_that_is_lost_cannot_be_set_beside_another(bank):
    bank.deliver()
    bank.train(policy_version="gone@3 0123456789ab")
    found = bank.decide()
    assert whats(found) == KEPT
    assert "gone@3" in found.of("scores").why[0].en


def test_equal_weights_stand_in_where_there_is_no_policy(bank):
    bank.deliver()
    bank.train()
    assert bank.champions["target"].meta["policy_version"] == "default"
    bank.activate(make_policy(effective={"from": "2025-01-01"}))
    assert bank.decide().of("scores").what == "rescore"


def test_equal_weights_of_other_indicators_are_another_policy(trained):
    trained.deliver(more=[TEA])
    figures = trained.decide().of("scores").figures
    assert figures["differences"]["weights"] > 0
    day = policy_day(trained.snapshot, DECEMBER)
    before, after = (
        marked_policy(trained.snapshot, trained.home, figures[side], day=day) for side in ("before", "after")
    )
    assert len(before.scorecards[0].items) + 1 == len(after.scorecards[0].items)


def test_a_definition_from_outside_asks_for_its_figures_first(trained):
    plain = {"kind": "definition", "from": "2024-07", "indicator": "LENDING", "version": "2", "treatment": "break"}
    found = trained.decide(change=only(plain))
    assert whats(found) == {"target": "retrain", "warning": "retrain", "scores": "rescore", "history": "break"}
    assert "bring its figures under definition_version 2 first" in found.of("target").why[0].en


def test_a_change_that_cannot_be_read_is_refused(trained):
    for text in ("{", '{"kind": "war"}', only({"kind": "rate_cap", "from": "2025"})):
        with pytest.raises(LoadlineError, match="cannot be read"):
            trained.decide(change=text)


def test_nobody_is_told_causes(trained):
    for action in trained.decide(attempt=2).actions:
        for why in action.why:
            assert not {"because", "caused"} & set(why.en.split())


def test_a_model_that_was_really_trained(bank):
    """Its bundle tells all that is compared: weights leave it, a definition does not."""
    few = PANEL.only(["LENDING", "INTEREST", "LOANS"])
    bank.deliver(few)
    advisor = Advisor(Settings(home=bank.home, store_url=str(bank.place / "store")), clock=lambda: NOW)
    run, _ = advisor.training.request(by="test", kinds=("target",), seed=SEED, trials=0)
    advisor.training.work(run)
    assert run.state == "done", run.events[-1].text.en
    bank.champions = {"target": champion(bank.home, model_name("small-bank")), "warning": None}
    assert bank.champions["target"] is not None
    asked = {"kinds": ("target",), "code_version": installed("loadline")}
    assert bank.decide(**asked).of("target").what == "keep"
    bank.activate(policy(start="2025-01-01", items=items(("LENDING", "60"), ("LATE", "40"))))
    found = bank.decide(**asked | {"policy": bank.request(as_of=DECEMBER).policy})
    assert found.of("target").what == "keep"
    bank.deliver(few, entries={"LENDING": NEW}, day="2025-04-01")
    found = bank.decide(**asked)
    assert found.of("target").what == "retrain"
    assert "definition" in codes(found.of("target"), asks=True)
