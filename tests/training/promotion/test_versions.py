"""The versions of a model together."""

import pytest
from offered_models import NAME, NOON, PASSED, UNSTABLE, WORSE, model, offered, promoted, serving

from features.errors import LoadlineError
from training.promote import MODELS, promote
from training.promotion.versions import model_versions


def seen(home, *, two_people=False):
    return model_versions(home, NAME, two_people=two_people)


def test_versions_are_listed_newest_first_with_what_they_wait_for(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2, WORSE, clock=lambda: NOON.replace(hour=13))
    offered(tmp_path, 3, UNSTABLE, clock=lambda: NOON.replace(hour=14))
    found = seen(tmp_path, two_people=True)
    assert [version.version for version in found.versions] == [model(number).version for number in (3, 2, 1)]
    assert [version.state for version in found.versions] == ["challenger", "superseded", "champion"]
    waits = [[obstacle.code for obstacle in version.obstacles] for version in found.versions]
    assert waits == [["signature", "second_person"], ["gates", "second_person"], []]
    assert found.champion == found.versions[2]
    assert found.challenger == found.versions[0]
    assert found.champion.promotion is not None
    assert found.champion.promotion.by == "Wang Fang"
    assert found.champion.meta["as_of"] == "2024-12"


def test_what_waits_for_a_second_person_only_is_promotable(tmp_path):
    serving(tmp_path, 1)
    offered(tmp_path, 2)
    assert [version.promotable for version in seen(tmp_path, two_people=True).versions] == [True, False]
    offered(tmp_path, 3, UNSTABLE)
    assert not seen(tmp_path).find(model(3).version).promotable


def test_a_version_is_found_by_its_beginning(tmp_path):
    serving(tmp_path, 1)
    assert seen(tmp_path).find().digest == model(1).digest
    offered(tmp_path, 2)
    found = seen(tmp_path)
    assert found.find().digest == model(2).digest
    assert found.find(model(1).digest[:6].upper()).digest == model(1).digest
    for wrong in ("", "abc", "zzzzzz"):
        with pytest.raises(LoadlineError, match="no version"):
            found.find(wrong)


def test_the_last_forced_promotion_of_a_version_shows(tmp_path):
    offered(tmp_path, 1, WORSE)
    promoted(tmp_path, 1, force=True)
    found = seen(tmp_path).versions[0]
    assert found.forced
    assert found.as_dict()["promotion"]["overridden"] == ["champion"]


def test_a_champion_from_before_candidates_is_described_by_its_copy(tmp_path):
    decision = {"by": "Wang Fang", "reason": "first", "clock": lambda: NOON, "gates": [PASSED]}
    promote(tmp_path, NAME, model(1), expected_champion=None, **decision)
    found = seen(tmp_path).versions[0]
    assert (found.kind, found.meta["data_version"], found.candidate, found.gates) == ("target", 3, None, (PASSED,))
    assert not found.promotable
    (tmp_path / MODELS / NAME / found.version / "meta.json").unlink()
    damaged = seen(tmp_path).versions[0]
    assert (damaged.kind, dict(damaged.meta), damaged.state) == ("", {}, "champion")


def test_a_model_that_is_not_on_record_is_refused(tmp_path):
    with pytest.raises(LoadlineError, match="no model"):
        seen(tmp_path)
