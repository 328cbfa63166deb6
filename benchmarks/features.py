"""Time and peak memory of the feature matrix, against pandas' groupby idiom and against Polars.

    python benchmarks/features.py [--units 10000] [--months 84] [--indicators 40] [--threads 2]

The three contenders compute the same features (`COMMON`); a small panel is computed first by all three, and must agree.
Each then runs in a process of its own, on the same random panel; pandas gets a part of the units and is scaled up.
"Peak" is the growth of the process above what it took with the panel and the libraries loaded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # this script has the name of the package that it measures

import numpy as np
import pandas as pd

from features.groups import KNOWN_SHARE
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.sets import SETS, catalogue
from features.units import MIN_PEERS, UnitTree
from features.windows import IQR_PER_SD

COMMON = (
    *("growth_1p", "growth_1y", "growth_3y", "momentum_1q", "acceleration", "short_against_long"),
    *(
        "volatility_1y",
        "volatility_3y",
        "year_average",
        "year_total",
        "trend",
        "gap_to_year",
        "drawdown",
        "known_share",
    ),
    *("year_to_date", "pace_attainment"),
    *("peer_q25", "peer_median", "peer_q75", "peer_gap", "peer_z", "peer_rank", "headroom", "relative_size"),
    *("peer_growth", "peer_growth_gap", "peer_growth_z", "parent_share", "parent_share_change"),
)
"""Features that all contenders compute, of every indicator: growth, windows, pace, peers, shares."""
CONTENDERS = ("loadline", "loadline, one thread", "full catalogue", "polars", "pandas")
FIRST = 2016 * 12
UNITS_A_REGION, UNITS_A_GROUP = 50, 100


def make_tree(units: int) -> UnitTree:
    """Make a group, regions of 50 units, and peer groups of 100."""
    regions = max(1, units // UNITS_A_REGION)
    groups = max(1, units // UNITS_A_GROUP)
    frame = pd.DataFrame(
        {
            "unit": [f"B{number}" for number in range(units)] + [f"R{number}" for number in range(regions)] + ["G"],
            "parent": [f"R{number % regions}" for number in range(units)] + ["G"] * regions + [""],
            "level": ["branch"] * units + ["region"] * regions + ["group"],
            "peer_group": [f"P{number % groups}" for number in range(units)] + [""] * (regions + 1),
            "region_type": "",
        }
    )
    return UnitTree.from_frame(frame.assign(name=frame["unit"]), Calendar("M"))


def make_panel(units: int, months: int, indicators: int) -> Panel:
    """Make flows that drift, with 1% of the figures missing."""
    tree = make_tree(units)
    rng = np.random.default_rng(7)
    specs, values = [], {}
    for number in range(indicators):
        code = f"I{number:02d}"
        specs.append(
            Indicator.model_validate(
                {"code": code, "name": {"en": code, "zh": code}, "unit": "CNY m", "direction": "higher"}
                | {"kind": "flow", "perspective": "performance"}
            )
        )
        figures = rng.normal(0.003, 0.04, (months, len(tree)))
        np.exp(np.cumsum(figures, axis=0, out=figures), out=figures)
        figures[rng.random(figures.shape) < 0.01] = np.nan
        figures[:, units:] = np.nan
        values[code] = figures
    return Panel(Calendar("M"), tree, IndicatorSet(specs), FIRST, values, date(2030, 1, 1))


def keys(panel: Panel) -> dict[str, np.ndarray]:
    """Give the key columns of the long tables, sorted by unit and month, leaves only."""
    months, leaves = len(panel.ordinals), int((~panel.tree.ever_parent).sum())
    return {
        "unit": np.repeat(np.arange(leaves, dtype=np.int32), months),
        "month": np.tile(np.arange(months, dtype=np.int32), leaves),
        "year": np.tile((panel.ordinals // 12).astype(np.int32), leaves),
        "group": np.repeat(panel.tree.peer_groups()[:leaves].astype(np.int32), months),
        "parent": np.repeat(panel.tree.parents(FIRST)[:leaves].astype(np.int32), months),
    }


def by_polars(panel: Panel, code: str, long: dict[str, np.ndarray], siblings: np.ndarray):
    """Compute the common features of one indicator with Polars: eager contexts of expressions, windows with `over`."""
    import polars as pl

    leaves = len(long["unit"]) // len(panel.ordinals)
    value = np.ascontiguousarray(panel.array(code)[:, :leaves].T).ravel()
    table = pl.DataFrame({**long, "siblings": siblings, "x": value}).with_columns(pl.col("x").fill_nan(None))
    x = pl.col("x")

    def lag(expression, months):
        return expression.shift(months).over("unit")

    def midpoint(now, before):
        size = (now.abs() + before.abs()) / 2
        return pl.when(size == 0).then(0.0).otherwise((now - before) / size)

    def positive(expression):
        return pl.when(expression > 0).then(expression)

    table = table.with_columns(
        growth_1p=midpoint(x, lag(x, 1)),
        growth_1y=midpoint(x, lag(x, 12)),
        growth_3y=midpoint(x, lag(x, 36)) / 3,
        growth_1q=midpoint(x, lag(x, 3)),
        year_average=x.rolling_mean(12, min_samples=9).over("unit"),
        year_total=x.rolling_sum(12, min_samples=12).over("unit"),
        known_share=x.is_not_null().cast(pl.Float64).rolling_sum(36, min_samples=1).over("unit") / 36,
        peak=x.cum_max().forward_fill().over("unit"),
        year_to_date=pl.when(x.is_null().cum_sum().over("unit", "year") == 0).then(x.cum_sum().over("unit", "year")),
        n=x.count().over("group", "month"),
        peer_q25=x.quantile(0.25, "linear").over("group", "month"),
        peer_median=x.median().over("group", "month"),
        peer_q75=x.quantile(0.75, "linear").over("group", "month"),
        rank=x.rank("average").over("group", "month"),
        total=x.sum().over("parent", "month"),
        known=x.count().over("parent", "month"),
    )
    g, average, enough = pl.col("growth_1y"), pl.col("year_average"), pl.col("n") >= MIN_PEERS
    low, middle, high = (pl.when(enough).then(pl.col(f"peer_{name}")) for name in ("q25", "median", "q75"))
    share = pl.when(pl.col("known") >= KNOWN_SHARE * pl.col("siblings")).then(x / positive(pl.col("total")))
    spread = pl.col("peer_q75") - pl.col("peer_q25")
    table = table.with_columns(
        momentum_1q=g - lag(g, 3),
        acceleration=g - lag(g, 12),
        short_against_long=4 * pl.col("growth_1q") - g,
        volatility_1y=pl.col("growth_1p").rolling_std(12, min_samples=3).over("unit"),
        volatility_3y=pl.col("growth_1p").rolling_std(36, min_samples=3).over("unit"),
        trend=midpoint(average, lag(average, 12)),
        gap_to_year=midpoint(x, average),
        drawdown=(pl.col("peak") - x) / positive(pl.col("peak")),
        pace_attainment=pl.col("year_to_date") / positive(lag(pl.col("year_to_date"), 12)),
        peer_q25=low,
        peer_median=middle,
        peer_q75=high,
        peer_gap=midpoint(x, middle),
        peer_z=pl.when(enough & (spread != 0)).then((x - pl.col("peer_median")) * IQR_PER_SD / spread),
        peer_rank=pl.when(enough).then((pl.col("rank") - 0.5) / pl.col("n")),
        headroom=midpoint(high, x),
        relative_size=x / positive(middle),
        parent_share=share,
        growth_n=g.count().over("group", "month"),
        growth_q25=g.quantile(0.25, "linear").over("group", "month"),
        growth_q50=g.median().over("group", "month"),
        growth_q75=g.quantile(0.75, "linear").over("group", "month"),
    )
    grown, spread = pl.col("growth_n") >= MIN_PEERS, pl.col("growth_q75") - pl.col("growth_q25")
    common = pl.col("growth_q50")
    late = {
        "peer_growth": pl.when(grown).then(common),
        "peer_growth_gap": pl.when(grown).then(g - common),
        "peer_growth_z": pl.when(grown & (spread != 0)).then((g - common) * IQR_PER_SD / spread),
        "parent_share_change": pl.col("parent_share") - lag(pl.col("parent_share"), 12),
    }
    return table.select(late.get(name, pl.col(name)).cast(pl.Float32).alias(name) for name in COMMON)


def by_pandas(panel: Panel, code: str, long: dict[str, np.ndarray], siblings: np.ndarray) -> pd.DataFrame:
    """Compute the common features of one indicator in the usual way: groupby, shift, rolling and transform."""
    leaves = len(long["unit"]) // len(panel.ordinals)
    table = pd.DataFrame({**long, "x": np.ascontiguousarray(panel.array(code)[:, :leaves].T).ravel()})
    unit, group = table["unit"], [table["group"], table["month"]]
    x = table["x"]

    def lag(column, months):
        return column.groupby(unit).shift(months)

    def rolling(column, window, least):
        return column.groupby(unit).rolling(window, min_periods=least)

    def flat(column):
        return column.reset_index(level=0, drop=True)

    def midpoint(now, before):
        size = (now.abs() + before.abs()) / 2
        return ((now - before) / size.where(size != 0)).mask(size == 0, 0.0)

    def quartiles(column):
        grouped = column.groupby(group)
        enough = grouped.transform("count") >= MIN_PEERS
        return [grouped.transform("quantile", q=share).where(enough) for share in (0.25, 0.5, 0.75)]

    out: dict[str, pd.Series] = {}
    out["growth_1p"] = midpoint(x, lag(x, 1))
    out["growth_1y"] = g = midpoint(x, lag(x, 12))
    out["growth_3y"] = midpoint(x, lag(x, 36)) / 3
    out["momentum_1q"] = g - lag(g, 3)
    out["acceleration"] = g - lag(g, 12)
    out["short_against_long"] = 4 * midpoint(x, lag(x, 3)) - g
    out["volatility_1y"] = flat(rolling(out["growth_1p"], 12, 3).std())
    out["volatility_3y"] = flat(rolling(out["growth_1p"], 36, 3).std())
    out["year_average"] = average = flat(rolling(x, 12, 9).mean())
    out["year_total"] = flat(rolling(x, 12, 12).sum())
    out["trend"] = midpoint(average, lag(average, 12))
    out["gap_to_year"] = midpoint(x, average)
    peak = x.groupby(unit).cummax().groupby(unit).ffill()
    out["drawdown"] = (peak - x) / peak.where(peak > 0)
    out["known_share"] = flat(rolling(x.notna().astype(float), 36, 1).sum()) / 36
    year = [unit, table["year"]]
    gaps = x.isna().groupby(year).cumsum()
    out["year_to_date"] = x.groupby(year).cumsum().where(gaps == 0)
    before = lag(out["year_to_date"], 12)
    out["pace_attainment"] = out["year_to_date"] / before.where(before > 0)
    low, middle, high = quartiles(x)
    out["peer_q25"], out["peer_median"], out["peer_q75"] = low, middle, high
    out["peer_gap"] = midpoint(x, middle)
    out["peer_z"] = (x - middle) * IQR_PER_SD / (high - low).where(high != low)
    count = x.groupby(group).transform("count")
    out["peer_rank"] = ((x.groupby(group).rank() - 0.5) / count).where(count >= MIN_PEERS)
    out["headroom"] = midpoint(high, x)
    out["relative_size"] = x / middle.where(middle > 0)
    low, middle, high = quartiles(g)
    out["peer_growth"] = middle
    out["peer_growth_gap"] = g - middle
    out["peer_growth_z"] = (g - middle) * IQR_PER_SD / (high - low).where(high != low)
    parent = x.groupby([table["parent"], table["month"]])
    total = parent.transform("sum")
    known = parent.transform("count") >= KNOWN_SHARE * siblings
    out["parent_share"] = (x / total.where(total > 0)).where(known)
    out["parent_share_change"] = out["parent_share"] - lag(out["parent_share"], 12)
    return pd.DataFrame({name: out[name] for name in COMMON}).astype(np.float32)


def sibling_counts(long: dict[str, np.ndarray], months: int) -> np.ndarray:
    """Count the children of each row's parent."""
    return (np.bincount(long["parent"]) // months)[long["parent"]]


def run(contender: str, panel: Panel, threads: int):
    """Compute with one contender; gives the result and its bytes."""
    if contender in ("loadline", "loadline, one thread", "full catalogue"):
        chosen = SETS["all"] if contender == "full catalogue" else COMMON
        matrix = catalogue().compute(panel, features=chosen, threads=1 if "one thread" in contender else threads)
        return matrix, matrix.cube.nbytes
    long = keys(panel)
    siblings = sibling_counts(long, len(panel.ordinals))
    compute = by_polars if contender == "polars" else by_pandas
    tables = [compute(panel, code, long, siblings) for code in panel.codes]
    size = sum(t.estimated_size() if contender == "polars" else int(t.memory_usage(index=False).sum()) for t in tables)
    return tables, size


def check() -> float:
    """Compare all contenders on a small panel; gives the largest relative difference."""
    panel = make_panel(300, 60, 2)
    matrix = run("loadline", panel, 2)[0]
    leaves, worst = 300, 0.0
    for contender in ("polars", "pandas"):
        for code, table in zip(panel.codes, run(contender, panel, 2)[0], strict=True):
            for name in COMMON:
                ours = matrix.array(f"{code}.{name}")[:, :leaves]
                theirs = np.asarray(table[name].to_numpy(), dtype=float).reshape(leaves, -1).T
                if not np.allclose(ours, theirs, rtol=1e-4, atol=1e-5, equal_nan=True):
                    raise SystemExit(f"{contender} disagrees on {name}")
                worst = max(worst, float(np.nanmax(np.abs(ours - theirs) / (1 + np.abs(theirs)))))
    return worst


def measure(contender: str, units: int, months: int, indicators: int, threads: int) -> None:
    """Run one contender in this process and print what it took, as JSON."""
    if contender == "polars":
        import polars  # noqa: F401
    panel = make_panel(units, months, indicators)
    before = resource.getrusage(resource.RUSAGE_SELF)
    wall, process = time.perf_counter(), time.process_time()
    size = run(contender, panel, threads)[1]
    wall, process = time.perf_counter() - wall, time.process_time() - process
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "wall": wall,
                "processor": process,
                "user": after.ru_utime - before.ru_utime,
                "peak": (after.ru_maxrss - before.ru_maxrss) * 1024,
                "bytes": size,
                "columns": size // (4 * months * units * indicators),
            }
        )
    )


def main() -> None:
    """Check, measure each contender in a fresh process, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=84)
    parser.add_argument("--indicators", type=int, default=40)
    parser.add_argument("--pandas-units", type=int, default=0, help="a tenth of the units by default")
    parser.add_argument("--pandas-indicators", type=int, default=0, help="as many as the others by default")
    parser.add_argument("--threads", type=int, default=2, help="for Loadline and for Polars")
    parser.add_argument("--contenders", default=",".join(CONTENDERS[:1] + CONTENDERS[2:]), help=", ".join(CONTENDERS))
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        measure(given.only, given.units, given.months, given.indicators, given.threads)
        return
    print(f"{len(COMMON)} features computed by all; largest relative difference on a small panel: {check():.1e}")
    found = {}
    for contender in given.contenders.split(","):
        units, indicators, scale = given.units, given.indicators, 1.0
        if contender == "pandas":
            units = given.pandas_units or max(100, given.units // 10)
            indicators = given.pandas_indicators or given.indicators
            scale = given.units * given.indicators / (units * indicators)
        command = [sys.executable, __file__, "--only", contender, "--units", str(units), "--months", str(given.months)]
        command += ["--indicators", str(indicators), "--threads", str(given.threads)]
        environment = {"POLARS_MAX_THREADS": str(given.threads), "PATH": ""}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        result = json.loads(done.stdout)
        for key in ("wall", "processor", "user"):
            result[key] *= scale
        found[contender] = result
        print(
            f"{contender:20} {result['columns']:3} features, wall {result['wall']:.2f} s,"
            f" processor {result['processor']:.2f} s (user {result['user']:.2f} s),"
            f" peak {result['peak'] / 1e9:.2f} GB = {result['peak'] / result['bytes']:.2f} x the result"
            + (f" (measured on {units} units x {indicators} indicators, time scaled)" if scale != 1 else "")
        )
    ours = found.get("loadline")
    for contender in ("polars", "pandas"):
        if ours and contender in found:
            ratios = ", ".join(
                f"{key} {found[contender][key] / ours[key]:.1f}" for key in ("wall", "processor", "user")
            )
            print(f"{contender} takes times Loadline's: {ratios}")


if __name__ == "__main__":
    main()
