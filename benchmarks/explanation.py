"""Time and exactness of contrastive explanations, against LightGBM's own contributions and against `shap`.

    python benchmarks/explanation.py [--trees 300] [--leaves 31] [--features 60] [--pairs 10000]

Two models are trained: one on figures alone, one with missing figures and categories. Pairs are of a row and another
row drawn by chance ("peer"), and of a row and one close to it ("own last year"). Times are those of one thread; "CPU"
is the process's own, of batches the median of five runs; on a busy machine it alone says what a pair takes.
`pred_contrib` and `shap`, which is rebuilt for every reference, are measured on a part and scaled up.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # this script has the name of a package that it measures

import lightgbm as lgb
import numpy as np

from models.explanation.trees import TreeEnsemble

SEED = 5
ROWS = 20_000
CATEGORIES = 60
GROUPS = 8
SINGLE_PAIRS, CONTRIBUTION_ROWS, SHAP_PAIRS, RUNS = 2_000, 500, 10, 5


def rows_of(rng: np.random.Generator, rows: int, features: int, *, odd: bool) -> np.ndarray:
    """Draw correlated features; where odd, a tenth of them missing and the last three categories."""
    common = np.repeat(rng.normal(size=(rows, -(-features // 5))), 5, axis=1)[:, :features]
    X = 0.7 * common + 0.7 * rng.normal(size=(rows, features))
    if odd:
        X[rng.random(X.shape) < 0.1] = np.nan
        X[:, -3:] = rng.integers(0, CATEGORIES, (rows, 3))
    return X


def train(rng: np.random.Generator, *, trees: int, leaves: int, features: int, odd: bool) -> lgb.Booster:
    """Train a binary model with interactions."""
    X = rows_of(rng, ROWS, features, odd=odd)
    Z = np.nan_to_num(X, nan=0.5)
    score = Z[:, 0] * Z[:, 7] + np.sin(Z[:, 20 % features]) + 0.2 * Z[:, 3 : features // 2].sum(axis=1)
    score = score + (0.1 * (Z[:, -1] % 7) if odd else 0.0)
    y = (score + rng.normal(size=ROWS) > np.median(score)).astype(float)
    options = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbose": -1, "num_threads": 1}
    categories = list(range(features - 3, features)) if odd else []
    return lgb.train(options, lgb.Dataset(X, y, categorical_feature=categories), trees)


def cpu(work: Callable[[], object]) -> float:
    """Give the median CPU seconds of some runs."""
    taken = []
    for _ in range(RUNS):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return float(np.median(taken))


def each_ms(work: Callable[[int], object], count: int, *, clock: Callable[[], float] = time.perf_counter) -> np.ndarray:
    """Give the milliseconds of single calls (count,)."""
    taken = np.empty(count)
    for number in range(count):
        begun = clock()
        work(number)
        taken[number] = 1e3 * (clock() - begun)
    return taken


def measure(name: str, *, trees: int, leaves: int, features: int, pairs: int, odd: bool) -> None:
    """Print what one model takes."""
    rng = np.random.default_rng(SEED)
    model = train(rng, trees=trees, leaves=leaves, features=features, odd=odd)
    text = model.model_to_string()
    load = np.median(each_ms(lambda _: TreeEnsemble.of(text), RUNS))
    ensemble = TreeEnsemble.of(text)
    X, peers = rows_of(rng, pairs, features, odd=odd), rows_of(rng, pairs, features, odd=odd)
    last_year = np.where(rng.random(X.shape) < 0.2, X, 0.8 * X + 0.2 * peers)
    if odd:
        last_year[:, -3:] = X[:, -3:]
    each, groups = np.arange(features), np.arange(features) % GROUPS
    begun = time.perf_counter()
    ensemble.contrast(X[:1], peers[:1], player=each, count=features)
    first = time.perf_counter() - begun
    found = ensemble.contrast(X, peers, player=each, count=features)
    raw = [np.asarray(model.predict(rows, raw_score=True)) for rows in (X, peers)]
    print(
        f"{name}: {trees} trees of {leaves} leaves, {features} features; "
        f"read in {load:.0f} ms, first call {first:.1f} s"
    )
    print(f"  sums differ from the gap by at most {np.abs(found.sum(axis=1) - (raw[0] - raw[1])).max():.1e}")
    part = X[:CONTRIBUTION_ROWS]
    contributions = cpu(lambda: model.predict(part, pred_contrib=True, num_threads=1)) * pairs / len(part)
    for kind, other in (("peer", peers), ("own last year", last_year)):
        taken = cpu(lambda other=other: ensemble.contrast(X, other, player=each, count=features))
        grouped = cpu(lambda other=other: ensemble.contrast(X, other, player=groups, count=GROUPS))

        def one(i: int, other: np.ndarray = other) -> object:
            return ensemble.contrast(X[i], other[i], player=each, count=features)

        single, busy = (each_ms(one, min(SINGLE_PAIRS, pairs), clock=c) for c in (time.perf_counter, time.process_time))
        print(
            f"  {kind:14s} {pairs:,} pairs {taken:.2f} s CPU ({taken / contributions:.1%} of pred_contrib), "
            f"in {GROUPS} groups {grouped:.2f} s"
        )
        print(
            f"  {'':14s} one pair p50 {np.median(single):.3f} ms, p99 {np.quantile(single, 0.99):.3f} ms; "
            f"CPU {np.median(busy):.3f} and {np.quantile(busy, 0.99):.3f} ms"
        )
    print(f"  pred_contrib   {pairs:,} rows {contributions:.1f} s CPU")
    if not odd:  # shap reads no categories of LightGBM against a background
        against_shap(model, ensemble, X[:SHAP_PAIRS], peers[:SHAP_PAIRS])


def against_shap(model: lgb.Booster, ensemble: TreeEnsemble, X: np.ndarray, R: np.ndarray) -> None:
    """Print the time of `shap` for a pair, and how far apart the values are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        found = []

        def explain(i: int) -> None:
            other = shap.TreeExplainer(model, R[i : i + 1], feature_perturbation="interventional")
            found.append(other.shap_values(X[i : i + 1], check_additivity=False)[0])

        taken = np.median(each_ms(explain, len(X)))
    ours = ensemble.contrast(X, R, player=range(X.shape[1]), count=X.shape[1])
    mine = np.median(
        each_ms(lambda i: ensemble.contrast(X[i], R[i], player=range(X.shape[1]), count=X.shape[1]), len(X))
    )
    print(
        f"  shap, rebuilt for each reference: {taken:.0f} ms a pair, {taken / mine:,.0f} times as long; "
        f"values differ by at most {np.abs(np.array(found) - ours).max():.1e}"
    )


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--features", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=10_000)
    asked = vars(parser.parse_args())
    measure("figures", **asked, odd=False)
    measure("missing and categories", **asked, odd=True)


if __name__ == "__main__":
    main()
