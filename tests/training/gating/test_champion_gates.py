"""The gates against the champion: what is caught, what passes, and what a person has to sign for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.gating.champion_gates import champion_gates
from training.gating.comparison import Comparison, Over, of_groups, of_origins, of_parts
from training.gating.gate import Gate
from training.gating.losses import Losses
from training.gating.paired import NOTHING, same
from training.gating.rules import GateRules
from training.gating.stability import Overlap, Sides, main_drivers, overlap_of

RULES = GateRules.packaged()
ALIKE = Overlap("target", "abc", 0.95, 100)
NAMES = {"not_worse_than_champion", "no_group_worse_off", "stable_explanations"}


def losses(
    rng: np.random.Generator, *, origins: int = 6, units: int = 120, worse: float = 0.0, only: str = ""
) -> Losses:
    """Draw losses; the challenger is worse by a part of the baseline's, for all or for one group of ten."""
    shape = (origins, units)
    year, unit = (axis.ravel() for axis in np.indices(shape))
    groups = np.array([f"P{number}" for number in range(10)], dtype=object)
    mine = groups[unit % 10]
    champion = np.exp(rng.normal(0, 0.3, shape)).ravel()
    common, apart = 0.05 * rng.standard_normal(origins), 0.03 * rng.standard_normal((origins, 10))
    change = common[year] + apart[year, unit % 10] + 0.15 * rng.standard_normal(origins * units)
    change += np.where((mine == only) | (only == ""), worse, 0.0)
    part = np.zeros(len(year), dtype=np.int64)
    return Losses(2000 + year, unit, part, champion + change, champion, np.ones_like(champion), {"peer_group": mine})


def compared(found: Losses, *, over: Over = "replayed") -> Comparison:
    replayed, after = (found, Losses.joined(())) if over == "replayed" else (Losses.joined(()), found)
    return Comparison(
        "target",
        "abc",
        "replayed",
        replayed.difference(),
        after.difference(),
        of_groups(found, over=over),
        of_origins({}, replayed, after),
        of_parts(found, ["LOANS.leaves"], over=over),
    )


def gates(comparison: Comparison, overlap: Overlap = ALIKE) -> dict[str, Gate]:
    return {gate.name: gate for gate in champion_gates(RULES, comparison, overlap)}


def test_a_challenger_that_is_bad_for_one_group_only_is_caught_and_the_group_is_named() -> None:
    found = gates(compared(losses(np.random.default_rng(1), worse=0.3, only="P3")))
    assert set(found) == NAMES
    assert found["not_worse_than_champion"].passed, "over all units it is lost in the noise"
    gate = found["no_group_worse_off"]
    assert (gate.passed, gate.effect) == (False, "block")
    assert gate.measured == pytest.approx(0.3, abs=0.1)
    for language, words in (("en", "peer group P3"), ("zh", "对标组 P3")):
        assert words in gate.text[language]
        assert "P4" not in gate.text[language]


def test_noise_alone_seldom_fails_a_challenger() -> None:
    rng = np.random.default_rng(2)
    failed = pd.DataFrame(
        [{name: not gate.passed for name, gate in gates(compared(losses(rng))).items()} for _ in range(300)]
    ).mean()
    assert 0.02 <= failed["not_worse_than_champion"] <= 0.08
    assert failed["no_group_worse_off"] <= 0.05


def test_a_challenger_that_is_worse_throughout_fails_by_what_is_said() -> None:
    gate = gates(compared(losses(np.random.default_rng(3), worse=0.2)))["not_worse_than_champion"]
    assert (gate.passed, gate.effect) == (False, "block")
    assert gate.measured is not None
    assert f"{gate.measured:.1%}" in gate.text["en"]
    assert f"{gate.measured:.1%}" in gate.text["zh"]
    assert gate.measured > gate.threshold[0] > 0


def test_two_years_are_left_to_a_person() -> None:
    found = gates(compared(losses(np.random.default_rng(4), origins=2, worse=0.3)))
    for name in ("not_worse_than_champion", "no_group_worse_off"):
        assert (found[name].passed, found[name].effect) == (False, "sign_off")
    assert "weak" in found["not_worse_than_champion"].text["en"]


def test_years_that_neither_knew_decide_once_there_are_three() -> None:
    rng = np.random.default_rng(5)
    better, worse = losses(rng, worse=-0.2), losses(rng, worse=0.2)
    for origins, passed in ((2, True), (3, False), (6, False)):
        after = worse.where(worse.year < 2000 + origins)
        found = replace(
            compared(better), after=after.difference(), groups=compared(better).groups + of_groups(after, over="after")
        )
        assert gates(found)["not_worse_than_champion"].passed is passed
    assert not gates(found)["no_group_worse_off"].passed


def test_the_same_procedure_and_the_first_model_pass() -> None:
    procedure = replace(compared(losses(np.random.default_rng(6))), how="same", replayed=same(origins=6), after=NOTHING)
    assert all(gate.passed for gate in gates(procedure).values())
    first = Comparison("target", None, "first")
    assert all(gate.passed for gate in gates(first, Overlap("target", None)).values())


@pytest.mark.parametrize(("share", "passed"), [(0.9, True), (0.899, False), (None, False)])
def test_explanations_that_changed_ask_for_a_signature(share: float | None, passed: bool) -> None:
    parts = () if share is None else ({"part": "LOANS.leaves", "rows": 5, "share": share},)
    overlap = Overlap("target", "abc", share, 5, parts)
    gate = gates(compared(losses(np.random.default_rng(7))), overlap)["stable_explanations"]
    assert gate.passed is passed
    assert gate.effect == "sign_off"
    if share == 0.899:
        assert "LOANS.leaves 90%" in gate.text["en"]


def test_main_drivers_are_the_three_largest_with_their_direction() -> None:
    values = np.array([[0.1, -5.0, 3.0, 2.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1e-12, 0.0, -1.0]])
    expected = [[0, -1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, -1]]
    np.testing.assert_array_equal(main_drivers(values), expected)


def test_drivers_are_in_common_where_both_name_them_and_they_point_the_same_way() -> None:
    old = np.array([[1, -1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
    new = np.array([[1, -1, 0, 1], [-1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]])
    sides = Sides("LOANS.leaves", pd.Index(list("abcde")), old, new)
    np.testing.assert_allclose(sides.shares, [2 / 3, 2 / 3, 1, 0, 1 / 2])
    found = overlap_of("target", "abc", [sides], drivers=["w", "x", "y", "z"])
    assert found.examples == ({"part": "LOANS.leaves", "unit": "d", "champion": [], "challenger": ["+w", "+x", "+y"]},)
    assert found.table()["share"].tolist() == [pytest.approx(np.mean([2 / 3, 2 / 3, 1, 0, 0.5]))]
