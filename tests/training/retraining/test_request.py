"""Requests for training: equal ones have one name, whoever asks and whyever."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from retraining_bank import REQUEST

from features.errors import LoadlineError
from training.retraining.request import NAMED_BY, TrainingRequest

OTHER = {
    "dataset": "another",
    "data_version": 2,
    "fingerprint": "b" * 64,
    "as_of": "2022",
    "latest": False,
    "policy": "own-2",
    "code_version": "9.9",
    "seed": 8,
    "trials": 3,
    "kinds": ("target",),
    "change": "{}",
    "attempt": 2,
}
SAME = {"by": "Wang Fang", "reason": "again", "at": "2025-01-01T00:00:00+00:00", "cluster": "tcp://127.0.0.1:8786"}


def test_every_field_either_names_the_run_or_does_not() -> None:
    assert set(OTHER) == set(NAMED_BY)
    assert set(OTHER) | set(SAME) == {field.name for field in fields(TrainingRequest)}


@pytest.mark.parametrize("field", OTHER)
def test_another_request_is_another_run(field: str) -> None:
    assert replace(REQUEST, **{field: OTHER[field]}).run != REQUEST.run


@pytest.mark.parametrize("field", SAME)
def test_who_asks_and_why_makes_no_other_run(field: str) -> None:
    assert replace(REQUEST, **{field: SAME[field]}).run == REQUEST.run


def test_a_request_is_read_as_it_was_kept() -> None:
    again = TrainingRequest.from_dict(REQUEST.as_dict())
    assert again == REQUEST
    assert again.run == REQUEST.run


@pytest.mark.parametrize("change", [{"format": 99}, {"kinds": None}, {"unknown": 1}])
def test_a_request_that_cannot_be_read_says_so(change: dict[str, object]) -> None:
    with pytest.raises(LoadlineError, match="cannot be read"):
        TrainingRequest.from_dict(REQUEST.as_dict() | change)


def test_a_request_that_is_not_whole_says_so() -> None:
    plain = REQUEST.as_dict()
    del plain["seed"]
    with pytest.raises(LoadlineError, match="cannot be read"):
        TrainingRequest.from_dict(plain)
