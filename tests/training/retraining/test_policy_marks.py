"""A model remembers its policy by label and content, and the policy is found again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from changing_bank import DECEMBER, Bank, policy
from scoring_bank import make_panel, write_bank

from features.dataset import open_dataset
from features.errors import LoadlineError
from models.policy.reading import write_policy
from training.policy_record import POLICIES
from training.retraining.policy_marks import DEFAULT, mark_of, marked_policy, policy_day, policy_mark

DAY = date(2025, 1, 1)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    made = Bank(tmp_path)
    made.deliver()
    return made


def found(bank: Bank, mark: str, *, day: date = DAY):
    return marked_policy(bank.snapshot, bank.home, mark, day=day)


def test_the_policy_is_that_of_the_first_day_on_which_the_model_answers(bank):
    assert policy_day(bank.snapshot, DECEMBER) == DAY


def test_without_a_policy_equal_weights_are_marked(bank):
    assert policy_mark(bank.snapshot, bank.home, DAY) == DEFAULT
    default = found(bank, DEFAULT)
    assert default.id == "equal-weight"
    assert mark_of(default) == DEFAULT
    assert found(bank, default.label) == default
    assert found(bank, "default-1") == default


def test_an_activated_policy_is_found_even_after_another_one_ended_it(bank):
    bank.activate(policy())
    mark = policy_mark(bank.snapshot, bank.home, DAY)
    assert mark.startswith("trial@1 ")
    bank.activate(policy("2", start="2025-01-01"))
    old = found(bank, mark)
    assert old.label == "trial@1"
    assert old.effective.until == date(2024, 12, 31)
    assert mark_of(old) == mark, "the day on which it ends does not make it another policy"
    new = policy_mark(bank.snapshot, bank.home, DAY)
    assert new.startswith("trial@2 ")
    assert found(bank, new).label == "trial@2"
    assert found(bank, "trial@1").label == "trial@1"
    assert found(bank, "", day=date(2024, 6, 30)).label == "trial@1"
    assert found(bank, "default-1").label == "trial@2"


def test_other_content_under_the_same_label_is_not_taken_for_it(bank):
    bank.activate(policy())
    assert found(bank, "trial@1 0123456789ab") is None
    assert found(bank, "trial@9") is None


def test_a_policy_that_came_with_the_data_is_found_in_its_history(bank, tmp_path):
    folder = write_bank(tmp_path / "own", make_panel())
    (folder / "policy.yaml").write_text(write_policy(policy("own")), encoding="utf-8")
    bank.store.ingest(open_dataset(folder), now=datetime(2025, 3, 3, tzinfo=UTC))
    mark = policy_mark(bank.snapshot, bank.home, DAY)
    assert mark.startswith("trial@own ")
    plain = yaml.safe_load(write_policy(policy("newer")))
    (folder / "policy.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
    bank.store.ingest(open_dataset(folder), now=datetime(2025, 3, 4, tzinfo=UTC))
    assert found(bank, mark).label == "trial@own"
    assert found(bank, policy_mark(bank.snapshot, bank.home, DAY)).label == "trial@newer"


def test_a_damaged_copy_is_refused(bank):
    bank.activate(policy())
    mark = policy_mark(bank.snapshot, bank.home, DAY)
    copy = next((bank.home / POLICIES).rglob("*.yaml"))
    copy.write_text(copy.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(LoadlineError, match="not what was activated"):
        found(bank, mark)
