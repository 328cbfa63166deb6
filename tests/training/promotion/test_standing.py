"""How models stand, and what stands in their way, in words."""

import pytest
from offered_models import NAME, NOON, PASSED, UNSTABLE, WORSE, model, offered, promoted, serving

from training.gating.gate import Gate
from training.promote import candidates, history, rollback
from training.promotion.standing import STATE, obstacles, same_person, state_of


def states(home) -> list[str]:
    record, offers = history(home, NAME), candidates(home, NAME)
    return [state_of(model(number).digest, record, offers) for number in (1, 2, 3)]


def test_states_follow_offers_promotions_and_rollbacks(tmp_path):
    offered(tmp_path, 1)
    assert states(tmp_path) == ["challenger", "superseded", "superseded"]
    promoted(tmp_path, 1)
    offered(tmp_path, 2)
    assert states(tmp_path) == ["champion", "challenger", "superseded"]
    serving(tmp_path, 3)
    assert states(tmp_path) == ["former_champion", "superseded", "champion"]
    rollback(tmp_path, NAME, by="Li Ming", reason="complaints", expected_champion=model(3).digest, clock=lambda: NOON)
    assert states(tmp_path) == ["champion", "superseded", "former_champion"]


def test_every_state_has_a_name_in_both_languages():
    assert all(title.en and title.zh for title in STATE.values())


def codes(candidate, champion=None, **changes) -> list[str]:
    return [found.code for found in obstacles(candidate, champion, **{"two_people": False} | changes)]


def test_a_model_that_passed_is_free(tmp_path):
    assert codes(offered(tmp_path, 1)) == []


def test_each_obstacle_is_named_with_its_gates_and_by_how_much(tmp_path):
    found = obstacles(offered(tmp_path, 1, PASSED, WORSE, UNSTABLE), model(2).digest, two_people=True)
    assert [obstacle.code for obstacle in found] == ["gates", "comparison", "signature", "second_person"]
    assert [obstacle.gates for obstacle in found] == [("champion",), (), ("stability",), ()]
    gates, comparison, signature, second = (obstacle.text for obstacle in found)
    assert gates.en == "champion: It is worse by 40%. (measured 1.4, limit 1)"
    assert gates.zh == "champion：损失高出 40%。（实测 1.4，界限 1）"
    assert model(2).version in comparison.en
    assert model(2).version in comparison.zh
    assert "Reasons differ by 30%." in signature.en
    assert "Li Ming" in second.en
    assert "Li Ming" in second.zh


def test_a_model_without_gates_is_blocked(tmp_path):
    candidate = offered(tmp_path, 1)
    bare = type(candidate).from_dict(candidate.as_dict() | {"gates": []}, number=1)
    assert codes(bare) == ["gates"]


def test_a_gate_without_a_figure_is_told_without_one(tmp_path):
    gate = Gate("enough_data", False, None, (3.0,), {"en": "No indicator.", "zh": "没有指标。"})
    assert obstacles(offered(tmp_path, 1, gate), None, two_people=False)[0].text.en == "enough_data: No indicator."


@pytest.mark.parametrize(
    ("by", "other"), [("Wang Fang", True), ("li ming", False), (" LIMING ", False), ("Ｌi Ming", False), (None, False)]
)
def test_a_second_person_has_another_name(tmp_path, by, other):
    assert (codes(offered(tmp_path, 1), two_people=True, by=by) == []) is other


def test_names_are_the_same_but_for_case_width_and_spaces():
    assert same_person("张 伟", "张伟")
    assert not same_person("张伟", "张玮")
