"""Time and peak memory of training with its backtest, and of all suggestions, against the bare LightGBM calls inside.

    python benchmarks/targets.py [--units 10000] [--indicators 15] [--years 8]

A random monthly bank is stored: branches in regions of fifty, in one group; a third each of flows, stocks and ratios.
Training (backtest, fit, register, gate, promote) and suggesting with explanations each run in a process of their own,
which notes how long it is inside LightGBM. A third process does some of the bare fits and predictions again, on arrays
put aside, for their memory. "Peak" is the growth of a process above what it took with the libraries loaded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_YEAR = 2016
REGION = 50
SEED = 11
KINDS = ("flow", "stock", "ratio")
PUT_ASIDE = 40
"""Calls whose arrays are kept for the bare run: a few origins of one indicator."""


def write_bank(folder: Path, *, units: int, indicators: int, years: int) -> None:
    """Write monthly figures that drift and swing with the season, 1% of them missing or nothing."""
    folder.mkdir(parents=True)
    about = "contract: 1\nname: large\ntitle: {en: Large, zh: 大}\nfrequency: M\nsource: generated\nlicence: CC0\n"
    (folder / "dataset.yaml").write_text(about, encoding="utf-8")
    entries = []
    for number in range(indicators):
        code, kind = f"X{number:02d}", KINDS[number % len(KINDS)]
        fields = f"code: {code}, name: {{en: {code}, zh: {code}}}, kind: {kind}, perspective: performance"
        rest = "unit: CNY m, direction: higher, averaging: point, target_allowed: true"
        if kind == "ratio":
            rest = f"unit: '%', direction: lower, bounds: [0, 100], denominator: X{number - 1:02d}"
        entries.append(f"- {{{fields}, {rest}}}")
    (folder / "indicators.yaml").write_text("indicators:\n" + "\n".join(entries) + "\n", encoding="utf-8")
    regions = max(1, units // REGION)
    lines = ["unit,parent,name", "G,,Group", *(f"R{r:04d},G,Region {r}" for r in range(regions))]
    lines += [f"B{b:06d},R{b % regions:04d},Branch {b}" for b in range(units)]
    (folder / "units.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rng = np.random.default_rng(SEED)
    months = [f"{FIRST_YEAR + m // 12}-{m % 12 + 1:02d}" for m in range(12 * years)]
    season = 0.1 * np.sin(np.arange(len(months)) * np.pi / 6)[:, None]
    codes = pa.array([f"B{b:06d}" for b in range(units)])
    schema = pa.schema([("unit", pa.string()), ("period", pa.string()), ("indicator", pa.string()), ("value", "f8")])
    with pq.ParquetWriter(folder / "observations.parquet", schema) as writer:
        for number in range(indicators):
            kind = KINDS[number % len(KINDS)]
            common = np.cumsum(rng.normal(0.004, 0.01, (len(months), 1)), axis=0)
            own = np.cumsum(rng.normal(0, 0.02, (len(months), units)), axis=0)
            latent = common + own + season + rng.normal(0, 0.05, own.shape) + rng.normal(3, 1, units)
            values = np.round(100 / (1 + np.exp(5 - latent / 2)) if kind == "ratio" else np.exp(latent), 4)
            for month, row in zip(months, values, strict=True):
                seen = np.flatnonzero(rng.random(units) > 0.01)
                columns = [codes.take(pa.array(seen)), pa.repeat(month, len(seen))]
                columns += [pa.repeat(f"X{number:02d}", len(seen)), pa.array(row[seen])]
                writer.write_table(pa.table(columns, schema=schema))


class InsideLightGBM:
    """Notes the time inside LightGBM, and puts the arrays of some calls aside.

    Parameters
    ----------
    aside : Path, optional
        Where to put them.
    """

    def __init__(self, aside: Path | None = None) -> None:
        self.seconds, self.calls = 0.0, 0
        self._aside, self._deep = aside, 0
        train, predict = lgb.train, lgb.Booster.predict

        def noted_train(params: dict[str, Any], data: lgb.Dataset, *rest: Any, **named: Any) -> lgb.Booster:
            self._keep(data.data, data.label)
            return self._noted(train, params, data, *rest, **named)

        def noted_predict(booster: lgb.Booster, data: Any, *rest: Any, **named: Any) -> Any:
            return self._noted(predict, booster, data, *rest, **named)

        lgb.train, lgb.Booster.predict = noted_train, noted_predict  # type: ignore[assignment]

    def _noted(self, call: Callable[..., Any], *rest: Any, **named: Any) -> Any:
        began, self._deep = time.perf_counter(), self._deep + 1
        try:
            return call(*rest, **named)
        finally:
            self._deep -= 1
            if not self._deep:
                self.seconds += time.perf_counter() - began
                self.calls += 1

    def _keep(self, X: object, y: object) -> None:
        if self._aside is not None and self.calls < PUT_ASIDE and isinstance(X, np.ndarray):
            np.savez(self._aside / f"{self.calls:04d}.npz", X=X, y=np.asarray(y))


def peak() -> int:
    """Give the largest memory this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def step(name: str, home: Path, aside: Path) -> dict[str, float]:
    """Do one step in this process; give its seconds, those inside LightGBM, and its peak."""
    from serving.advisor import Advisor
    from serving.explanation import explained
    from serving.settings import Settings

    advisor = Advisor(Settings(home=home), clock=lambda: datetime.now(UTC))
    before, began = peak(), time.perf_counter()
    if name == "store":
        advisor.ingest(home.parent / "bank")
        return {"seconds": time.perf_counter() - began, "peak": peak() - before}
    if name == "bare":
        boosters = []
        for file in sorted(aside.glob("*.npz")):
            arrays = np.load(file)
            data = lgb.Dataset(arrays["X"], arrays["y"])
            boosters = [lgb.train({"num_leaves": 4, "num_threads": 1, "verbose": -1}, data, 80)]
            boosters[0].predict(arrays["X"], num_threads=1)
        return {"seconds": time.perf_counter() - began, "peak": peak() - before}
    inside = InsideLightGBM(aside if name == "put aside" else None)
    if name in ("train", "put aside"):
        advisor.train()
        found: dict[str, float] = {}
    else:
        table = advisor.suggesting.table(advisor.default_year())
        indicators = advisor.snapshot().indicators
        given = table[table["target"].notna()]
        told = [explained(row, indicators[str(row["indicator"])])["text"] for row in given.to_dict("records")]
        found = {"rows": float(len(table)), "explained": float(len(told))}
    seconds = time.perf_counter() - began
    return found | {
        "seconds": seconds,
        "inside": inside.seconds,
        "calls": float(inside.calls),
        "peak": float(peak() - before),
    }


def run(name: str, place: Path) -> dict[str, float]:
    """Do one step in a process of its own."""
    command = [sys.executable, __file__, "--step", name, "--place", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--indicators", type=int, default=15)
    parser.add_argument("--years", type=int, default=8)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        aside = asked.place / "aside"
        aside.mkdir(exist_ok=True)
        print(json.dumps(step(asked.step, asked.place / "home", aside)))
        return
    with tempfile.TemporaryDirectory(prefix="loadline-benchmark-") as folder:
        place = Path(folder)
        write_bank(place / "bank", units=asked.units, indicators=asked.indicators, years=asked.years)
        stored = run("store", place)
        train, suggest = run("train", place), run("suggest", place)
        run("put aside", place)
        bare = run("bare", place)
    print(f"{asked.units:,} units x {asked.indicators} indicators x {asked.years} years monthly")
    print(f"stored in {stored['seconds']:.0f} s (not part of the comparison)")
    for name, found in (("train with backtest", train), ("suggest and explain", suggest)):
        ratio = found["seconds"] / found["inside"] if found["inside"] else float("nan")
        print(
            f"{name}: {found['seconds']:.0f} s, {found['inside']:.1f} s of it in {found['calls']:.0f} LightGBM calls"
            f": {ratio:.2f} times the bare calls; peak {found['peak'] / 1e9:.2f} GB"
            f", {found['peak'] / max(bare['peak'], 1):.1f} times the bare fits'"
        )
    print(f"{suggest['rows']:,.0f} suggestions, {suggest['explained']:,.0f} explained")


if __name__ == "__main__":
    main()
