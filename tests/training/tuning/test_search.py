import json
import math
from pathlib import Path

import pytest

from features.errors import LoadlineError
from training.tuning.search import Knob, Trial, best, search

SPACE = (Knob("a", (0.0, 1.0, 2.0, 3.0, 4.0)), Knob("b", (1, 2, 4, 8)))
USUAL = {"a": 4.0, "b": 8}
TRIALS = 14


def bowl(knobs: dict[str, float]) -> float:
    return (knobs["a"] - 1) ** 2 + math.log2(knobs["b"]) + 0.1


def found(record: Path, *, trials: int = TRIALS, seed: int = 3, objective=bowl, progress=None) -> tuple[Trial, ...]:
    told = {} if progress is None else {"progress": progress}
    return search(SPACE, objective, usual=USUAL, seed=seed, trials=trials, record=record, **told)


def test_the_usual_values_are_tried_first_and_better_ones_are_found(tmp_path: Path):
    trials = found(tmp_path / "trials.jsonl")
    assert trials[0] == Trial(USUAL, bowl(USUAL))
    assert len(trials) == TRIALS
    assert best(trials).loss < 0.5 * bowl(USUAL)


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path):
    whole = found(tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    for done in range(TRIALS):
        record = tmp_path / f"stopped-{done}.jsonl"
        record.write_bytes(b"".join(lines[:done]) + lines[done][: 7 * done])  # the last line cut short
        asked = []

        def counted(knobs: dict[str, float], asked=asked) -> float:
            asked.append(knobs)
            return bowl(knobs)

        assert found(record, objective=counted) == whole
        assert len(asked) <= TRIALS - done
        assert record.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_more_trials_begin_with_the_same(tmp_path: Path):
    few = found(tmp_path / "one.jsonl", trials=5)
    assert found(tmp_path / "two.jsonl")[:5] == few
    assert found(tmp_path / "two.jsonl", trials=5) == few


def test_seeds_differ(tmp_path: Path):
    assert found(tmp_path / "one.jsonl", seed=1) != found(tmp_path / "two.jsonl", seed=2)


@pytest.mark.parametrize("damage", [b"{}", b"no json", b'{"knobs": {"a": 17.0, "b": 1}, "loss": 0.0}', b"[1]"])
def test_what_follows_damage_is_tried_again(tmp_path: Path, damage: bytes):
    whole = found(tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines()
    record = tmp_path / "damaged.jsonl"
    record.write_bytes(b"\n".join([*lines[:3], damage, *lines[4:]]) + b"\n")
    assert found(record) == whole
    assert record.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_cannot_be_measured_is_passed_over(tmp_path: Path):
    trials = found(tmp_path / "trials.jsonl", objective=lambda knobs: math.nan if knobs["a"] < 3 else bowl(knobs))
    assert any(one.loss is None for one in trials)
    assert best(trials).knobs["a"] >= 3
    assert all("NaN" not in line for line in (tmp_path / "trials.jsonl").read_text().splitlines())
    with pytest.raises(LoadlineError, match="measured"):
        best([Trial(USUAL, None)])


def test_says_how_far_it_is_and_writes_plain_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    told = []
    found(tmp_path / "trials.jsonl", trials=4, progress=lambda *one: told.append(one))
    assert told == [("tuning", done, 4) for done in range(5)]
    assert capsys.readouterr() == ("", "")
    assert [set(json.loads(line)) for line in (tmp_path / "trials.jsonl").read_bytes().splitlines()] == [
        {"knobs", "loss"}
    ] * 4
