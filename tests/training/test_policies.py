"""Which policy answers on a day, and what of it targets follow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from serving_home import write_dataset

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.snapshot import Snapshot
from features.store import Store
from models.policy.document import Policy
from models.policy.targets import DEFAULT_POLICY
from training.policies import current_units, policy_for, target_policy_on
from training.policy_activation import activate
from training.suggest import suggest_targets

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
DAY = date(2025, 1, 1)


def document(name: str, *, first: str = "2020-01-01", **changes: Any) -> dict[str, Any]:
    return {
        "policy": 1,
        "id": name,
        "version": "7",
        "title": {"en": "Quality alone", "zh": "只看质量"},
        "source": "made for a test",
        "effective": {"from": first},
        "level": "internal",
        "scorecards": [
            {
                "id": "all",
                "title": {"en": "All units", "zh": "全部单位"},
                "items": [{"indicator": "NPL_RATIO", "weight": 100, "rule": {"kind": "ratio"}}],
            }
        ],
        "targets": {
            "floor": {"probability": 0.9, "points": 80},
            "target": {"probability": 0.7, "points": 100},
            "stretch": {"probability": 0.3, "points": 120},
        },
    } | changes


def stored(place: Path, policy: dict[str, Any] | None = None) -> Snapshot:
    folder = write_dataset(place / "dataset")
    if policy is not None:
        (folder / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    store = Store(place / "store")
    return store.snapshot(store.ingest(open_dataset(folder), now=NOON).version)


def put_in_force(home: Path, snapshot: Snapshot, policy: dict[str, Any]) -> None:
    activate(
        home,
        snapshot.about.dataset,
        Policy.model_validate(policy),
        by="li.ming",
        reason="agreed by the board",
        last_closed=lambda level: None,
        clock=lambda: NOON,
        indicators=snapshot.indicators,
        units=current_units(snapshot),
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A dataset without a policy."""
    return stored(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A dataset that came with a policy, in force from 2020 on."""
    return stored(tmp_path_factory.mktemp("ruled"), document("datasets-own"))


def test_equal_weights_stand_in_where_there_is_no_policy(bare, tmp_path):
    policy, note = policy_for(bare, tmp_path, day=DAY)
    assert policy.id == "equal-weight"
    assert note == f"No policy is in force on 2025-01-01: the default of equal weights, {policy.label}, stands in."
    assert target_policy_on(bare, tmp_path, DAY) == DEFAULT_POLICY


def test_the_datasets_own_comes_before_the_default(ruled, tmp_path):
    policy, note = policy_for(ruled, tmp_path, day=DAY)
    assert (policy.label, note) == (
        "datasets-own@7",
        "Policy datasets-own@7, which came with the dataset hostile-bank.",
    )
    found = target_policy_on(ruled, tmp_path, DAY)
    assert (found.version, found.levels.target) == ("datasets-own@7", 0.7)


def test_it_answers_only_on_its_days(ruled, tmp_path):
    assert policy_for(ruled, tmp_path, day=date(2019, 12, 31))[0].id == "equal-weight"
    assert target_policy_on(ruled, tmp_path, date(2019, 12, 31)) == DEFAULT_POLICY
    assert policy_for(ruled, tmp_path, day=date(2020, 1, 1))[0].id == "datasets-own"


def test_an_activated_one_comes_before_the_datasets_own(ruled, tmp_path):
    put_in_force(tmp_path, ruled, document("activated", first="2025-01-01"))
    policy, note = policy_for(ruled, tmp_path, day=DAY)
    assert (policy.label, note) == ("activated@7", "Policy activated@7, activated and in force on 2025-01-01.")
    assert policy_for(ruled, tmp_path, day=date(2024, 12, 31))[0].id == "datasets-own"


def test_a_file_comes_before_everything(ruled, tmp_path):
    put_in_force(tmp_path, ruled, document("activated"))
    path = tmp_path / "given.yaml"
    path.write_text(yaml.safe_dump(document("given", first="2025-06-01"), allow_unicode=True), encoding="utf-8")
    policy, note = policy_for(ruled, tmp_path, day=date(2025, 6, 1), given=path)
    assert (policy.label, note) == ("given@7", f"Policy given@7 from the file {path}.")
    outside = f"Policy given@7 from the file {path}; 2025-01-01 lies outside its days in force."
    assert policy_for(ruled, tmp_path, day=DAY, given=path)[1] == outside


def test_errors_are_refused_wherever_the_policy_comes_from(bare, tmp_path):
    wrong = document("wrong")
    wrong["scorecards"][0]["items"][0]["weight"] = 90
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(wrong, allow_unicode=True), encoding="utf-8")
    with pytest.raises(LoadlineError):
        policy_for(bare, tmp_path, day=DAY, given=path)
    snapshot = stored(tmp_path, wrong)
    with pytest.raises(LoadlineError):
        policy_for(snapshot, tmp_path, day=DAY)
    assert policy_for(snapshot, tmp_path, day=date(2019, 1, 1))[0].id == "equal-weight"


def test_suggestions_follow_the_policy(bare, tmp_path):
    levels = Policy.model_validate(document("own")).target_policy
    origin = bare.span[1]
    plain = suggest_targets(bare, 2025, home=tmp_path, origin=origin, latest=True).frame
    ruled = suggest_targets(bare, 2025, home=tmp_path, origin=origin, latest=True, policy=levels).frame
    assert set(plain["policy_version"]) == {DEFAULT_POLICY.version}
    assert set(ruled["policy_version"]) == {"own@7"}
    some = plain["target"].notna()
    assert (ruled.loc[some, "p_target"] > plain.loc[some, "p_target"]).mean() > 0.9
    assert ruled.loc[some, "p_target"].median() == pytest.approx(0.7, abs=0.05)
