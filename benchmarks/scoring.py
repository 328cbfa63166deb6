"""Time and peak memory of scoring and explaining a whole network over years, against sums in floating point.

    python benchmarks/scoring.py [--units 10000] [--months 84] [--indicators 40] [--threads 2]

Every unit-month is scored under one policy of ratios, increments, tiers, efficacy coefficients and three levels, with
adjustments and gates (a total cap, a grade ceiling that holds about 3% of the rows, a veto that about 0.5% meet). Every
row then gets its waterfall, and the exact contribution of every indicator to the difference from last year, gates
included. The contenders run in processes of their own on the same random figures:

- `sums`: numpy's bare sum of w x min(A/T, 1.3) in floating point, no gates, no explanation: the lower bound;
- `pandas`: the same with frames, a groupby and a pivot, on a part of the units, scaled up.

"Peak" is the growth of the process above what it took with the figures and the libraries loaded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import numpy as np
import pandas as pd

from features.indicators import Indicator, IndicatorSet
from models.policy.document import Policy
from models.scoring.conditions import YES
from models.scoring.engine import CardScores, score_card
from models.scoring.facts import Facts
from models.scoring.points import SCORED

CONTENDERS = ("loadline", "score only", "sums", "pandas")
KINDS = ("actual", "last_year", "floor", "target", "stretch")
SEED = 17
ROWS = 65_536
"""Scored and explained at a time by each thread, which bounds the memory that is needed beside the result."""
TITLE = {"en": "x", "zh": "项"}
RATIO = {"kind": "ratio"}
RULES: tuple[dict[str, Any], ...] = (
    RATIO,
    RATIO,
    RATIO,
    {"kind": "increment", "steps_in": "percent"}
    | {"better": {"step": 1, "points": 2, "most": 20}, "worse": {"step": 1, "points": 2, "most": 40}},
    {
        "kind": "tiers",
        "of": "attainment",
        "tiers": [{"points": 60}, {"from": 80, "points": 80}, {"from": 95, "points": 100}],
    },
    {"kind": "efficacy", "standards": [20, 50, 90, 140, 220]},
    {"kind": "levels"},
    RATIO,
)
"""Given to the indicators in turn; half of them are ratios, as in practice."""


@dataclass(frozen=True)
class Bank:
    """What is scored."""

    policy: Policy
    indicators: IndicatorSet
    facts: Facts
    weights: np.ndarray


def make_policy(indicators: IndicatorSet, weights: np.ndarray) -> Policy:
    """Make a policy that scores all indicators."""
    codes = list(indicators)
    items = []
    for number, code in enumerate(codes):
        rule = RULES[number % len(RULES)]
        if rule["kind"] == "efficacy" and indicators[code].direction == "lower":
            rule = rule | {"standards": rule["standards"][::-1]}
        items.append({"indicator": code, "weight": int(weights[number]) / 100, "rule": rule})
    rise = {"indicator": codes[0], "of": "change", "above": 0}
    fall = {"indicator": codes[1], "of": "change", "below": -30}
    adjustments = [
        {"id": "rise", "title": TITLE, "kind": "bonus", "points": "0.5", "per": 10, "most": "2.5", "when": rise},
        {"id": "fall", "title": TITLE, "kind": "malus", "points": 1, "when": fall},
    ]
    low = {"indicator": codes[2], "of": "attainment", "below": 60}
    lower = {"indicator": codes[3], "of": "attainment", "below": 52}
    gates = [
        {"kind": "total_cap", "id": "cap", "title": TITLE, "at": 110},
        {"kind": "protection_floor", "id": "new", "title": TITLE, "at": 80, "of": "new_units", "months": 6},
        {"kind": "grade_ceiling", "id": "ceiling", "title": TITLE, "grade": "B", "when": low},
        {"kind": "veto", "id": "veto", "title": TITLE, "when": lower},
    ]
    grades = [{"name": "A", "from": 80}, {"name": "B", "from": 65}, {"name": "C", "from": 50}, {"name": "D"}]
    return Policy.model_validate(
        {
            "policy": 1,
            "id": "large",
            "version": "1",
            "title": TITLE,
            "source": "made for a measurement",
            "effective": {"from": "2020-01-01"},
            "level": "internal",
            "scorecards": [{"id": "all", "title": TITLE, "items": items, "adjustments": adjustments}],
            "limits": {"bonus": 3, "malus": 3},
            "gates": gates,
            "grades": grades,
            "missing": {"then": "rescale", "least_weight": 60},
        }
    )


def make_bank(units: int, months: int, count: int) -> Bank:
    """Make figures of two decimals with their targets, 0.2% of them missing; a quarter are better when lower."""
    rng = np.random.default_rng(SEED)
    rows = units * months
    indicators = IndicatorSet(
        Indicator.model_validate(
            {"code": f"I{number:02d}", "name": {"en": f"I{number:02d}", "zh": f"项{number:02d}"}, "unit": "CNY m"}
            | {"kind": "flow", "perspective": "performance", "controllable": number % 5 != 4}
            | {"direction": "lower" if number % 4 == 3 else "higher"}
        )
        for number in range(count)
    )
    able = np.repeat(rng.normal(-0.05, 0.1, units), months)
    kinds: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    for code, indicator in indicators.items():
        sign = -1 if indicator.direction == "lower" else 1
        last = np.exp(rng.normal(4.5, 0.3, rows))
        target = np.round(last * np.exp(rng.normal(0.05, 0.1, rows) - sign * able), 2)
        actual = np.round(target * np.exp(sign * able + rng.normal(0, 0.25, rows)), 2)
        actual[rng.random(rows) < 0.002] = np.nan
        kinds["actual"][code], kinds["last_year"][code], kinds["target"][code] = actual, np.round(last, 2), target
        kinds["floor"][code] = np.round(target * (1 - 0.1 * sign), 2)
        kinds["stretch"][code] = np.round(target * (1 + 0.1 * sign), 2)
    opened = np.where(rng.random(rows) < 0.01, 3.0, np.inf)
    weights = np.full(count, 10_000 // count)
    weights[: 10_000 - weights.sum()] += 1
    facts: Any = {**kinds, "opened": opened}
    return Bank(make_policy(indicators, weights), indicators, Facts(rows, **facts), weights)


def explain(bank: Bank, facts: Facts) -> tuple[np.ndarray, ...]:
    """Score some rows, lay out every waterfall and every difference from last year."""
    from models.scoring.attribution import attribute
    from models.scoring.references import against_last_year

    scores = score_only(bank, facts)
    steps = waterfalls(scores)
    found = attribute(scores, against_last_year(facts))
    if np.any(scores.items.sum(axis=0) + scores.adjustments.sum(axis=0) + steps.sum(axis=0) != 10 * scores.tenths):
        raise SystemExit("a waterfall does not add up to its score")
    if np.any(found.cents.sum(axis=0) != found.gated):
        raise SystemExit("contributions do not add up to their difference")
    return scores.points, scores.items, scores.adjustments, scores.running, steps, found.cents


def score_only(bank: Bank, facts: Facts) -> CardScores:
    """Score some rows."""
    return score_card(bank.policy, bank.policy.scorecards[0], facts, bank.indicators)


def waterfalls(scores: CardScores) -> np.ndarray:
    """Give what follows items and adjustments in every waterfall: limits, each gate's step, rounding, in cents."""
    limits = scores.bonus - scores.malus - scores.adjustments.sum(axis=0)
    steps = np.diff(scores.running, axis=0)
    return np.concatenate([limits[None], steps, 10 * scores.tenths[None] - scores.gated])


def sums(bank: Bank) -> np.ndarray:
    """Give the bare sum of w x min(A/T, 1.3), as floating point has it."""
    total = np.zeros(bank.facts.rows)
    for code, weight in zip(bank.indicators, bank.weights, strict=True):
        ratio = bank.facts.actual[code] / bank.facts.target[code]
        if bank.indicators[code].direction == "lower":
            ratio = 1 / ratio
        total += weight / 100 * np.minimum(ratio, 1.3)
    return total


def by_pandas(bank: Bank) -> pd.Series:
    """Give the same from a long table of figures, in the usual way: a merge of the weights, then groupby and sum."""
    codes, rows = list(bank.indicators), bank.facts.rows
    figures = pd.DataFrame(
        {
            "row": np.tile(np.arange(rows), len(codes)),
            "indicator": np.repeat(codes, rows),
            "actual": np.concatenate([bank.facts.actual[code] for code in codes]),
            "target": np.concatenate([bank.facts.target[code] for code in codes]),
        }
    )
    lower = [bank.indicators[code].direction == "lower" for code in codes]
    figures = figures.merge(pd.DataFrame({"indicator": codes, "weight": bank.weights / 100, "lower": lower}))
    ratio = (figures["actual"] / figures["target"]).where(~figures["lower"], figures["target"] / figures["actual"])
    return (figures["weight"] * ratio.clip(upper=1.3)).groupby(figures["row"]).sum()


def shares(bank: Bank) -> str:
    """Tell on how many rows the gates act and how many they move, and how many lack a figure."""
    scores = score_only(bank, bank.facts)
    held = ", ".join(
        f"{gate.id} {np.mean(acts == YES):.2%} ({np.mean(before != after):.2%} moved)"
        for gate, acts, before, after in zip(
            bank.policy.gates, scores.acts, scores.running[:-1], scores.running[1:], strict=True
        )
    )
    lacking = np.mean((scores.state != SCORED).any(axis=0))
    return f"gates act on: {held}; an item missing: {lacking:.1%}; mean score {scores.gated.mean() / 100:.1f}"


def run(contender: str, bank: Bank, threads: int) -> int:
    """Compute with one contender; gives the bytes of the result."""
    if contender == "sums":
        return sums(bank).nbytes
    if contender == "pandas":
        return int(by_pandas(bank).memory_usage(index=False))
    rows = range(0, bank.facts.rows, ROWS)
    parts = [bank.facts.take(slice(start, start + ROWS)) for start in rows]
    if contender == "score only":
        return sum(score_only(bank, part).points.nbytes for part in parts)
    with ThreadPoolExecutor(threads) as pool:
        kept = list(pool.map(lambda part: explain(bank, part), parts))
    return sum(array.nbytes for arrays in kept for array in arrays)


def measure(contender: str, units: int, months: int, indicators: int, threads: int) -> None:
    """Run one contender in this process and print what it took, as JSON."""
    if contender == "loadline":
        run(contender, make_bank(20, months, indicators), 1)  # loads the compiled kernel
    bank = make_bank(units, months, indicators)
    before = resource.getrusage(resource.RUSAGE_SELF)
    wall, process = time.perf_counter(), time.process_time()
    size = run(contender, bank, threads)
    wall, process = time.perf_counter() - wall, time.process_time() - process
    after = resource.getrusage(resource.RUSAGE_SELF)
    found = {"wall": wall, "processor": process, "bytes": size}
    print(json.dumps(found | {"peak": (after.ru_maxrss - before.ru_maxrss) * 1024}))


def main() -> None:
    """Measure each contender in a fresh process, and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=84)
    parser.add_argument("--indicators", type=int, default=40)
    parser.add_argument("--pandas-units", type=int, default=0, help="a tenth of the units by default")
    parser.add_argument("--threads", type=int, default=2, help="for scoring with explanations")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help=", ".join(CONTENDERS))
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        measure(given.only, given.units, given.months, given.indicators, given.threads)
        return
    print(shares(make_bank(min(given.units, 1000), given.months, given.indicators)))
    found = {}
    for contender in given.contenders.split(","):
        units = given.units
        if contender == "pandas":
            units = given.pandas_units or max(20, given.units // 10)
        command = [sys.executable, __file__, "--only", contender, "--units", str(units), "--months", str(given.months)]
        command += ["--indicators", str(given.indicators), "--threads", str(given.threads)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout)
        scale = given.units / units
        found[contender] = {"wall": result["wall"] * scale, "processor": result["processor"] * scale}
        print(
            f"{contender:10} wall {found[contender]['wall']:.2f} s, processor {found[contender]['processor']:.2f} s,"
            f" peak {result['peak'] / 1e9:.2f} GB for a result of {result['bytes'] / 1e9:.2f} GB"
            + (f" (measured on {units} units, time scaled)" if scale != 1 else "")
        )
    for contender in ("sums", "pandas"):
        if {"loadline", contender} <= set(found):
            ratios = ", ".join(
                f"{key} {found['loadline'][key] / found[contender][key]:.1f}" for key in ("wall", "processor")
            )
            print(f"scored and explained takes, times {contender}: {ratios}")


if __name__ == "__main__":
    main()
