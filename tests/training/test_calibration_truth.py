"""Targets of the sample bank against its true attainable distribution, on banks that nothing was tuned on."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from features.dataset import open_dataset
from features.store import Store
from models.judging.calibration import Calibration
from models.levels import LEAVES, levels_of
from models.outcome.target import TargetModel
from training.sample.bank import generate
from training.sample.judge import GRID, Verdict, distance, judge, own_distance, problem_of

SEEDS = range(900, 904)
BRANCHES = 120
DRIVERS = ("LOANS", "P08", "U01", "R01")
MOST = 0.05
"""The distance from uniform that is allowed."""
FEW_BANKS = 0.05
"""What shocks that all branches share add to it by chance with four banks only; `benchmarks/calibration.py`
averages over many."""


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    found = []
    for seed in SEEDS:
        bank = generate(seed=seed, branches=BRANCHES)
        for code in DRIVERS:
            problem = problem_of(bank, code, year=2024)
            predicted = TargetModel.fit(problem, seed=1).predict(problem)
            found.append(judge(bank, predicted, code=code, year=2024))
    return found


def test_outcomes_are_spread_as_was_said(verdicts: list[Verdict]) -> None:
    assert distance(verdicts) <= MOST + FEW_BANKS
    for verdict in verdicts:
        assert (np.diff(verdict.true_share) > 0).all()


def test_given_the_year_outcomes_are_uniform_across_branches(verdicts: list[Verdict]) -> None:
    assert own_distance(verdicts) <= MOST


def test_a_distribution_that_is_right_has_no_distance() -> None:
    right = Verdict("LOANS", 2024, GRID, (np.arange(1000) + 0.5) / 1000)
    assert distance([right, right]) == pytest.approx(0, abs=1e-12)
    assert own_distance([right]) == pytest.approx(0.0005)


def test_a_width_that_is_off_would_be_noticed() -> None:
    bank = generate(seed=908, branches=BRANCHES)
    problem = problem_of(bank, "R01", year=2024)
    narrow = TargetModel.fit(problem, seed=1).predict(problem).recalibrated(Calibration(whole=0.6, own=0.6))
    assert own_distance([judge(bank, narrow, code="R01", year=2024)]) > 0.09


def test_the_books_and_the_store_ask_the_same(tmp_path) -> None:
    bank = generate(seed=909, branches=120)
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(bank.write(tmp_path / "bank")), now=datetime(2025, 2, 1, tzinfo=UTC))
    panel = store.snapshot().panel(2023 * 12 + 11, known_on=date.max)
    for code in ("LOANS", "P08", "R01"):
        leaves = next(lv for lv in levels_of(panel, code, year=2024, origin=panel.last) if lv.name == LEAVES)
        mine = problem_of(bank, code, year=2024)
        truth = bank.attainable
        clean = truth[(truth["indicator"] == code) & (truth["status"] == "clean")]
        settled = clean.groupby("unit")["year"].nunique() == clean["year"].nunique()
        place = leaves.problem.units.get_indexer(settled.index[settled])
        assert (place >= 0).mean() > 0.95
        same = mine.units.get_indexer(leaves.problem.units[place[place >= 0]])
        for year in (2021, 2022, 2023, 2024):
            row, other = (int(np.flatnonzero(each.years == year)[0]) for each in (leaves.problem, mine))
            np.testing.assert_allclose(
                leaves.trailing[row, place[place >= 0]], mine.base[other, same], rtol=1e-6, err_msg=code
            )
