"""How fast, and in how much memory, a large Parquet file becomes a data version and is read back as a panel.

    python benchmarks/ingest.py [--units 50000] [--months 72] [--indicators 10]

Every step runs in a process of its own. Memory is the highest resident set beyond that after the imports, as a ratio
to the panel (8 bytes a figure) and to the file.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # a script beside this one has the name of a package

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_YEAR = 2018


def months_from(first_year: int, count: int) -> list[str]:
    """Write consecutive months as the contract has them."""
    return [f"{first_year + i // 12}-{i % 12 + 1:02d}" for i in range(count)]


def write_folder(folder: Path, *, units: int, months: list[str], indicators: int, restate: bool = False) -> None:
    """Write a dataset folder, a month and indicator at a time; `restate` changes one figure in a hundred."""
    folder.mkdir(parents=True)
    about = "contract: 1\nname: large\ntitle: {en: Large, zh: 大}\nfrequency: M\nsource: generated\nlicence: CC0\n"
    (folder / "dataset.yaml").write_text(about, encoding="utf-8")
    entry = "- {{code: X{0}, name: {{en: X{0}, zh: X{0}}}, unit: n, direction: higher, kind: stock, perspective: risk}}"
    entries = "\n".join(entry.format(i) for i in range(indicators))
    (folder / "indicators.yaml").write_text(f"indicators:\n{entries}\n", encoding="utf-8")
    lines = [f"B{i:06d},T,Branch {i}" for i in range(units)]
    (folder / "units.csv").write_text("\n".join(["unit,parent,name", "T,,Total", *lines]) + "\n", encoding="utf-8")
    schema = pa.schema([("unit", pa.string()), ("period", pa.string()), ("indicator", pa.string()), ("value", "f8")])
    codes, rng = pa.array([f"B{i:06d}" for i in range(units)]), np.random.default_rng(7)
    with pq.ParquetWriter(folder / "observations.parquet", schema) as writer:
        for month in months:
            for indicator in range(indicators):
                values = np.round(rng.lognormal(8, 1, units), 2)
                values[:: 100 if restate else units + 1] += 1.0 if restate else 0.0
                columns = [codes, pa.repeat(month, units), pa.repeat(f"X{indicator}", units), pa.array(values)]
                writer.write_table(pa.table(columns, schema=schema))


def step(name: str, folder: str, store: str) -> None:
    """Do one step in this process and print its seconds and the bytes that it took on top."""
    from features.dataset import open_dataset
    from features.store import Store

    now = datetime(2030, 1, 1, tzinfo=UTC)
    base, peak, done = _resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.perf_counter()
    if name == "open":
        open_dataset(folder)
    elif name == "ingest":
        Store(store).ingest(open_dataset(folder), now=now)
    elif name == "panel":
        Store(store).snapshot().panel()
    elif name == "indicator":
        Store(store).snapshot().panel(indicators=["X0"])
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    print(seconds, max(peak[0], _resident()) - base)


def _resident() -> int:
    """Give the bytes that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Generate, run every step, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=50_000)
    parser.add_argument("--months", type=int, default=72)
    parser.add_argument("--indicators", type=int, default=10)
    parser.add_argument("--step", nargs=3, metavar=("NAME", "FOLDER", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step(*options.step)
        return
    months = months_from(FIRST_YEAR, options.months)
    rows = options.units * options.months * options.indicators
    with tempfile.TemporaryDirectory() as place:
        whole, again, store = Path(place, "whole"), Path(place, "again"), Path(place, "store")
        write_folder(whole, units=options.units, months=months, indicators=options.indicators)
        write_folder(again, units=options.units, months=months, indicators=options.indicators, restate=True)
        size = (whole / "observations.parquet").stat().st_size
        dense = 8 * rows
        print(f"{rows:,} rows; panel {dense / 2**20:,.0f} MiB; file {size / 2**20:,.0f} MiB")
        print(f"{'step':34}{'seconds':>9}{'rows/s':>12}{'peak MiB':>10}{'x panel':>9}{'x file':>8}")
        steps = [
            *[("open", whole, "check the folder"), ("ingest", whole, "check and store it")],
            *[("panel", whole, "read the whole panel"), ("indicator", whole, "read one indicator")],
            *[("ingest", again, "store it again, 1 in 100 restated"), ("panel", again, "read the whole panel of both")],
        ]
        for name, folder, title in steps:
            # -P: the folder of this script also has a features.py, which is not the package
            command = [sys.executable, "-P", __file__, "--step", name, str(folder), str(store)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, taken = (float(part) for part in answer.split())
            print(
                f"{title:34}{seconds:9.1f}{rows / seconds:12,.0f}{taken / 2**20:10,.0f}"
                f"{taken / dense:9.2f}{taken / size:8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
