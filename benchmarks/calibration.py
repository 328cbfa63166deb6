"""How far the distributions of targets can be trusted: against the sample bank's truth, and on held-out years.

    python benchmarks/calibration.py truth [--banks 12]
    python benchmarks/calibration.py years DATASET_FOLDER [--indicators A,B] [--units 300]
    python benchmarks/calibration.py totals [--units 80000]

`truth` fits the target model on banks drawn from seeds that nothing was tuned on, and gives the distance from uniform
of what was said: marginal, over years and banks, and of the units given the year's common growth. `years` replays the
past of a dataset and gives coverage and pinball loss with and without calibration by year, learned from earlier years
only. `totals` measures time and peak memory of joint draws for many leaves.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # this script has the name of a module that it measures

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from features.dataset import open_dataset
from features.indicators import library
from features.store import Store
from models.joint.draws import JointDraws, near
from models.joint.kinship import Kinship
from models.judging.calibration import NEUTRAL, Calibration
from models.judging.metrics import SCORED_QUANTILES, covered, latent_loss, mean_known
from models.judging.origin_score import score_origin
from models.levels import LEAVES, levels_of, target_codes
from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform
from models.outcome.problem import TargetProblem
from models.outcome.spread import RESIDUAL_POINTS, SHOCK_POINTS, Spread, even_probabilities
from models.outcome.target import TargetModel
from training.sample.bank import generate
from training.sample.dynamics import CODES
from training.sample.judge import distance, judge, own_distance, problem_of

FIRST_SEED = 5000
"""Seeds from here on were not used to tune anything."""
TRUTH_YEARS = (2022, 2023, 2024)
FIRST_ORIGIN = 3
"""Years of history before the first origin that is replayed."""
REGIONS = 50


def truth(banks: int) -> None:
    """Print the distances by driver and over all."""
    verdicts = []
    for number in range(banks):
        bank = generate(seed=FIRST_SEED + number)
        for code in CODES:
            for year in TRUTH_YEARS:
                problem = problem_of(bank, code, year=year)
                found = TargetModel.fit(problem, seed=1).predict(problem)
                verdicts.append(judge(bank, found, code=code, year=year))
    print(f"{banks} banks x {len(TRUTH_YEARS)} years: distance from uniform")
    for name in ("all", *CODES):
        chosen = [verdict for verdict in verdicts if name in ("all", verdict.code)]
        print(f"  {name:8s} marginal {distance(chosen):.3f}   given the year {own_distance(chosen):.3f}")


def years(folder: Path, codes: list[str], most: int) -> None:
    """Print coverage and loss with and without calibration, indicator by indicator."""
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place) / "store")
        store.ingest(open_dataset(folder), now=datetime(2026, 1, 1, tzinfo=UTC))
        panel = store.snapshot().panel()
    last = panel.calendar.last_of_year(int(panel.calendar.year(panel.last + 1)) - 1)
    for code in codes or target_codes(panel):
        level = levels_of(panel, code, year=int(panel.calendar.year(last)) + 1, origin=last)[0]
        if level.name == LEAVES:
            _replay(level.problem, most)


def _replay(problem: TargetProblem, most: int) -> None:
    count = len(problem.units)
    chosen = np.sort(np.random.default_rng(0).choice(count, min(count, most), replace=False))
    problem = problem.take(chosen)
    quantiles, scores, rows = np.array(SCORED_QUANTILES), [], []
    for row in np.flatnonzero(problem.known.any(axis=1))[FIRST_ORIGIN:]:
        past, actual = problem.at(int(row)), problem.outcome[row]
        plain = replace(TargetModel.fit(past, seed=1), calibration=NEUTRAL).predict(past)
        calibration = Calibration.fit(scores)
        if calibration.whole != 1:
            both = (plain, plain.recalibrated(calibration))
            losses = [mean_known(latent_loss(each, actual, plain.transform, quantiles)) for each in both]
            rows.append([*losses, *(mean_known(covered(each, actual)) for each in both)])
        scores.append(score_origin(plain, actual, year=int(problem.years[row])))
    if rows:
        loss, calibrated, coverage, mended = np.mean(rows, axis=0)
        print(
            f"  {problem.indicator.code:16s} {len(rows):3d} years, {len(chosen):4d} units: coverage {coverage:.3f} -> "
            f"{mended:.3f}, loss x{calibrated / loss:.3f}"
        )


def totals(units: int) -> None:
    """Print seconds and peak memory of totals by region, and of chances given the group's outcome."""
    rng = np.random.default_rng(0)
    region = rng.integers(0, REGIONS, units)
    found = TargetDistribution(
        library().find("LOANS"),
        pd.Index([f"u{number:06d}" for number in range(units)]),
        Transform("log", low=0.0),
        rng.normal(6, 1, units),
        Spread(
            np.linspace(-0.1, 0.1, SHOCK_POINTS),
            np.quantile(rng.standard_t(4, 10_000), even_probabilities(RESIDUAL_POINTS)),
            rng.uniform(0.02, 0.2, units),
        ),
        np.zeros(units),
        np.full(units, "", dtype=object),
        np.zeros(units, dtype=bool),
        Kinship(region.astype(str), 0.1),
    )
    joint = JointDraws(found, np.arange(units), np.ones(units), False, 1)
    members = csr_array((np.ones(units), (region, np.arange(units))), shape=(REGIONS, units))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    sums = joint.totals(members)
    middle = time.perf_counter()
    joint.attained(found.quantile(0.5), near(sums.sum(axis=1), float(np.median(sums.sum(axis=1)))))
    end = time.perf_counter()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{units:,} units, {joint.draws} draws: {REGIONS} totals {middle - start:.1f} s, chances given the group's "
        f"outcome {end - middle:.1f} s, {grown:.0f} MB on top"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("truth", "years", "totals"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--banks", type=int, default=12)
    parser.add_argument("--indicators", default="")
    parser.add_argument("--units", type=int)
    asked = parser.parse_args()
    if asked.part == "truth":
        truth(asked.banks)
    elif asked.part == "totals":
        totals(asked.units or 80_000)
    elif asked.folder is None:
        parser.error("years needs the folder of a dataset")
    else:
        years(asked.folder, [code for code in asked.indicators.split(",") if code], asked.units or 300)
