"""Risk sees first, the branch last, and no score is touched by any of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from review_record import BANK, REASON, open_desk

from features.errors import LoadlineError
from training.review.acts import decide, release, undo
from training.review.record import read_record
from training.review.visibility import AFTERWARDS, REVIEWING, may_see, visible_to

ROOT = Path(__file__).resolve().parents[3]
B01, B02, B03 = "B01@2024-10", "B02@2024-10", "B03@2024-10"


def test_a_manager_sees_only_what_was_confirmed_and_released(tmp_path):
    desk = open_desk(tmp_path)
    decide(desk, B01, "confirmed", by="Ann")
    decide(desk, B02, "confirmed", by="Ann")
    decide(desk, B03, "dismissed", by="Ann", reason=REASON)
    assert visible_to("manager", read_record(tmp_path, BANK)) == frozenset()
    release(desk, B02, by="Ann")
    record = read_record(tmp_path, BANK)
    for role in AFTERWARDS:
        assert visible_to(role, record) == {B02}
    for role in REVIEWING:
        assert visible_to(role, record) == {B01, B02, B03}
    undo(desk, B02, by="Ann", reason="released too early")
    assert visible_to("manager", read_record(tmp_path, BANK)) == frozenset()


@pytest.mark.parametrize("role", ["", "MANAGER", "branch", "owner"])
def test_an_unknown_role_sees_nothing(tmp_path, role):
    open_desk(tmp_path)
    record = read_record(tmp_path, BANK)
    with pytest.raises(LoadlineError, match="no role"):
        visible_to(role, record)
    with pytest.raises(LoadlineError, match="no role"):
        may_see(role, record.cases[B01])


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def reached(starts: list[Path]) -> set[str]:
    """Follow imports through the project's own modules."""
    todo, seen = list(starts), set()
    names: set[str] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path):
            names.add(name)
            places = (ROOT / f"{name.replace('.', '/')}.py", ROOT / name.replace(".", "/") / "__init__.py")
            todo += [place for place in places if place.is_file()]
    return names


@pytest.mark.parametrize(
    "folder", ["training/scoring", "training/simulation", "models/scoring", "models/policy", "models/goals"]
)
def test_nothing_that_scores_or_sets_targets_reads_a_review_or_an_alert(folder):
    starts = list((ROOT / folder).rglob("*.py"))
    assert len(starts) > 3
    names = reached(starts)
    assert any(name.startswith("features.") for name in names)
    warned = ("training.review", "training.warning", "models.triage", "models.detectors")
    assert sorted(name for name in names if name.startswith(warned)) == []
