"""Time and peak memory of watching a whole network over years, against outlier detectors and pandas.

    python benchmarks/alerts.py [--units 10000] [--months 84]

A sample bank of forty indicators is watched: every detector, the novelty and prior scores, the model of deterioration
(columns, labels, fitting with its contest, answers), the ranking, the episodes, and the table of the last period, or of
all of them. Each contender runs in a process of its own, on the same figures:

- `last`, `all`: Loadline, the table of the last period and of all periods;
- `ecod`, `iforest`: PyOD's, on the same unit-months: growth of results and worsening of risks over half a year and a
  year, of every indicator, as standings among the peers. They are fitted to all periods at once, later ones included;
- `pandas`: each indicator's rolling z by unit, the groupby idiom alone, on a part of the units, scaled up.

"Peak" is the growth of the process above what it took with the figures and the libraries loaded, and, in brackets, the
whole process, as Linux counts them. Quality is measured on smaller sample banks with their truth: the share of guilty
branch-months among as many of the highest scores as are guilty, where every contender scores the same unit-months
(`--quality 0` leaves it out).
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import numpy as np
import pandas as pd
import yaml

from features.dataset import open_dataset
from features.panel import Panel
from features.rollup import rolled_up
from features.snapshot import Snapshot
from features.store import Store
from features.vintages import Vintage
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from training.sample.bank import DESCRIPTION, INDICATORS, OVERRIDES, SampleBank, generate
from training.sample.judge_alerts import judge_alerts, precision_at_capacity
from training.sample.units import LAST_YEAR, MIN_BRANCHES, MONTHS, PERIODS
from training.warning.looking import look
from training.warning.material import material
from training.warning.watch import Asked, Watch, ranked

CONTENDERS = ("last", "all", "ecod", "iforest", "pandas")
SEED = 20240101
MORE = ("BILLS", "PLEDGED_DEPOSITS", "NEW_LOAN_YIELD")
"""Reported here besides what the sample bank reports, which makes forty."""
QUALITY_BRANCHES = 400
PERIODS_A_YEAR = 12
HALF_A_YEAR = 6
UTMOST_Z = 4.0
"""Standings are cut here, for all outlier detectors alike: without it a single slip would fill their lists."""


@dataclass(frozen=True)
class Network:
    """What is watched: figures in memory, and a data version of the same units and indicators."""

    snapshot: Snapshot
    panel: Panel
    delays: dict[str, int]
    columns: np.ndarray
    """Where the branches are among the units, in the order of the sample bank."""

    @property
    def last(self) -> int:
        """Give the ordinal of the last period."""
        return self.panel.last

    @property
    def vintage(self) -> Vintage:
        """Give the figures, parents rolled up, as one stretch of periods."""
        return Vintage.of(rolled_up(self.panel), first=self.panel.first, last=self.panel.last, delays=self.delays)


def write_network(place: Path, bank: SampleBank, months: int, *, seed: int = SEED) -> None:
    """Store a sample bank's first month, for the definitions, and write the figures of all months beside it."""
    figures = reported(bank, seed=seed)
    there = (bank.layout.alive & ~bank.layout.gaps)[-months:]
    begin = PERIODS[-months]
    folder = place / "bank"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(yaml.safe_dump(DESCRIPTION, allow_unicode=True), encoding="utf-8")
    entries = [{"code": code} | OVERRIDES.get(code, {}) for code in figures]
    (folder / "indicators.yaml").write_text(yaml.safe_dump({"indicators": entries}), encoding="utf-8")
    bank.units.to_csv(folder / "units.csv", index=False)
    codes = np.array(bank.layout.codes)[there[0]]
    first = [
        pd.DataFrame({"unit": codes, "period": begin, "indicator": code, "value": array[-months][there[0]]})
        for code, array in figures.items()
    ]
    pd.concat(first).to_csv(folder / "observations.csv", index=False)
    store = Store(place / "store")
    store.ingest(open_dataset(folder), now=datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))
    tree = store.snapshot().tree
    columns = [tree.number(code) for code in bank.layout.codes]
    for code, array in figures.items():
        values = np.full((months, len(tree)), np.nan)
        values[:, columns] = np.where(there, array[-months:], np.nan)
        np.save(place / f"{code}.npy", values)
    np.save(place / "columns.npy", columns)


def read_network(place: Path) -> Network:
    """Read what was written."""
    snapshot = Store(place / "store").snapshot()
    values = {code: np.load(place / f"{code}.npy") for code in snapshot.indicators}
    for array in values.values():
        array.flags.writeable = False
    calendar, start = snapshot.description.calendar, snapshot.span[0]
    known = calendar.end(start + len(next(iter(values.values()))) - 1)
    panel = Panel(calendar, snapshot.tree, snapshot.indicators, start, values, known)
    delays = {code: indicator.publication_lag for code, indicator in snapshot.indicators.items()}
    return Network(snapshot, panel, delays, np.load(place / "columns.npy"))


def reported(bank: SampleBank, *, seed: int) -> dict[str, np.ndarray]:
    """Give what the branches report, and a little more, drawn for the purpose: (MONTHS, B) each."""
    values = {code: bank.ledger.values[code] for code in INDICATORS}
    rng = np.random.default_rng(seed)
    noise = [rng.normal(0.0, 0.05, (MONTHS, len(bank.layout))) for _ in MORE]
    values["BILLS"] = np.round(0.02 * values["LOANS"] * np.exp(noise[0]), 2)
    values["PLEDGED_DEPOSITS"] = np.round(0.05 * values["DEPOSITS"] * np.exp(noise[1]), 2)
    values["NEW_LOAN_YIELD"] = np.round(4.2 + noise[2], 4)
    return values


def watched(network: Network, *, whole: bool) -> tuple[Watch, pd.DataFrame, dict[str, float]]:
    """Watch the network from its figures to the table; gives the seconds of each step too."""
    times, clock = {}, time.perf_counter()

    def passed(name: str) -> None:
        nonlocal clock
        times[name], clock = time.perf_counter() - clock, time.perf_counter()

    cut = (network.vintage,)
    passed("roll up")
    looked = look(cut)
    passed("look")
    known = material(network.snapshot, network.last, prior=looked.prior, stretches=cut)
    first = network.panel.first if whole else network.last
    watch = ranked(looked, known, Asked(first, network.last))
    passed("learn, answer, rank")
    table = watch.table
    passed("table")
    return watch, table, times


def inputs(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Give what the outlier detectors are given: (n, F) standings of branch-months, the bad side up, and which (P, U).

    As in `models.novelty`, results count upwards and risks count by their worsening; what is missing is as usual.
    """
    panel = network.panel
    situation = Situation(panel, delays=network.delays)
    where = np.zeros(situation.shape, dtype=bool)
    where[PERIODS_A_YEAR:, network.columns] = np.isfinite(panel.array("LOANS"))[PERIODS_A_YEAR:, network.columns]
    parts = []
    for code in panel.codes:
        good = panel.indicator(code).perspective in ("performance", "customer", "social")
        kind = "growth" if good and panel.indicator(code).direction == "higher" else "rise"
        for months in (HALF_A_YEAR, PERIODS_A_YEAR):
            z = situation.peer_z(Measure(kind, code, months))[where]
            situation.forget()
            parts.append(np.clip(np.nan_to_num(z), -UTMOST_Z, UTMOST_Z).astype(np.float32))
    return np.stack(parts, axis=1), where


def outlying(contender: str, X: np.ndarray) -> np.ndarray:
    """Score rows by how far they lie out."""
    if contender == "ecod":
        from pyod.models.ecod import ECOD

        return np.asarray(ECOD().fit(X).decision_scores_)
    from pyod.models.iforest import IForest

    return np.asarray(IForest(random_state=0).fit(X).decision_scores_)


def by_pandas(network: Network) -> int:
    """Compute rolling z by unit, in the usual way; gives the bytes of the result."""
    panel = network.panel
    size = 0
    units = np.repeat(np.arange(len(panel.tree)), len(panel.ordinals))
    for code in panel.codes:
        growth = pd.Series(panel.array(code).T.ravel()).groupby(units).diff(HALF_A_YEAR)
        rolling = growth.groupby(units).rolling(3 * PERIODS_A_YEAR, min_periods=PERIODS_A_YEAR)
        z = (growth - rolling.mean().to_numpy()) / rolling.std().to_numpy()
        size += z.to_numpy().nbytes
    return size


def measure(contender: str, place: Path) -> None:
    """Run one contender on a network in this process and print what it took, as JSON."""
    if contender in ("last", "all"):
        watched(read_network(place / "small"), whole=False)  # loads what is loaded where it is used
    network = read_network(place / ("part" if contender == "pandas" else "large"))
    X = inputs(network)[0] if contender in ("ecod", "iforest") else np.empty((0, 0))
    if len(X):
        outlying(contender, X[:200])
    before = peak_memory(afresh=True)
    wall, process = time.perf_counter(), time.process_time()
    about: dict[str, object] = {}
    if contender in ("last", "all"):
        watch, table, times = watched(network, whole=contender == "all")
        about = {
            "steps": {name: round(seconds, 1) for name, seconds in times.items()},
            "detectors": len(watch.looked.findings),
            "models": sum(model.model is not None for model in watch.answer.models),
            "labelled rows": max(model.rows for model in watch.answer.models),
            "rows": len(table),
        }
    elif contender == "pandas":
        by_pandas(network)
    else:
        about = {"rows": len(outlying(contender, X)), "columns": X.shape[1]}
    wall, process = time.perf_counter() - wall, time.process_time() - process
    peak = peak_memory()
    print(json.dumps({"wall": wall, "processor": process, "peak": peak - before, "whole": peak, "about": about}))


def peak_memory(*, afresh: bool = False) -> int:
    """Give the most bytes the process held at a time; `afresh` forgets what it held before (Linux)."""
    if afresh:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])  # getrusage would count what a parent held


def quality(seeds: int) -> dict[str, dict[str, float]]:
    """Give each contender's precision at capacity, the mean over some sample banks with their truth.

    Of the months from the surge to just before the harm, in which only a warning helps; and of all months of an
    episode, the harm included, which any outlier score sees.
    """
    found: dict[str, dict[str, list[float]]] = {"before the harm": {}, "harm included": {}}
    for seed in range(SEED + 1, SEED + 1 + seeds):
        with TemporaryDirectory() as place:
            bank = generate(seed=seed, branches=QUALITY_BRANCHES)
            write_network(Path(place), bank, MONTHS, seed=seed)
            network = read_network(Path(place))
            watch, _, _ = watched(network, whole=True)
            X, where = inputs(network)
            truth = judge_alerts(bank, pd.DataFrame(index=pd.Index(PERIODS), dtype=bool))
            scores = {"loadline": watch.ranking.score}
            for contender in ("ecod", "iforest"):
                scores[contender] = np.full(where.shape, np.nan)
                scores[contender][where] = outlying(contender, X)
            for contender, score in scores.items():
                same = np.where(where, score, np.nan)[:, network.columns]
                for when, months in zip(found, (truth.ahead, truth.guilty), strict=True):
                    found[when].setdefault(contender, []).append(precision_at_capacity(same, months))
    return {when: {name: float(np.mean(each)) for name, each in by.items()} for when, by in found.items()}


def main() -> None:
    """Measure each contender in a fresh process, and print the ratios and the quality."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=84)
    parser.add_argument("--pandas-units", type=int, default=0, help="a tenth of the units by default")
    parser.add_argument("--quality", type=int, default=3, help="sample banks on which quality is measured")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help=", ".join(CONTENDERS))
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        measure(given.only, given.place)
        return
    with TemporaryDirectory() as place:
        compare(given, Path(place))
    if given.quality:
        print(f"precision at capacity on {given.quality} sample banks of {QUALITY_BRANCHES} branches:")
        for when, shares in quality(given.quality).items():
            print(f"  {when}: {', '.join(f'{name} {share:.0%}' for name, share in shares.items())}")


def compare(given: argparse.Namespace, place: Path) -> None:
    """Measure the contenders and print what each took, and the ratios."""
    part = given.pandas_units or max(MIN_BRANCHES, given.units // 10)
    sizes = {"small": (MIN_BRANCHES, 48), "part": (part, given.months), "large": (given.units, given.months)}
    for name, (units, months) in sizes.items():
        write_network(place / name, generate(branches=units), months)
    found = {}
    for contender in filter(None, given.contenders.split(",")):
        units = part if contender == "pandas" else given.units
        command = [sys.executable, __file__, "--only", contender, "--place", str(place)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout)
        scale = given.units / units
        found[contender] = {key: result[key] * scale for key in ("wall", "processor")}
        print(
            f"{contender:8} wall {found[contender]['wall']:.1f} s, processor {found[contender]['processor']:.1f} s,"
            f" peak {result['peak'] / 1e9:.2f} GB ({result['whole'] / 1e9:.2f} GB)"
            + (f" (measured on {units} units, time scaled)" if scale != 1 else "")
            + (f" {result['about']}" if result["about"] else ""),
            flush=True,
        )
    for ours in ("last", "all"):
        for contender in ("ecod", "iforest", "pandas"):
            if {ours, contender} <= set(found):
                ratios = ", ".join(
                    f"{key} {found[ours][key] / found[contender][key]:.2f}" for key in ("wall", "processor")
                )
                print(f"watched ({ours}) takes, times {contender}: {ratios}")


if __name__ == "__main__":
    main()
