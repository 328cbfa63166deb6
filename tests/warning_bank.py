"""A small annual bank in which lending in a hurry is followed by bad loans a year later, to learn warnings from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store

NOW = datetime(2024, 6, 1, tzinfo=UTC)
FIRST, YEARS, BRANCHES = 2008, 14, 60
HURRY = 0.1
"""Share of branches that grow in a hurry in a year."""
OUTCOME = "trouble_within_1y"

_INDICATORS = """indicators:
- {code: LOANS, name: {en: Loans, zh: 贷款}, unit: CNY m, direction: higher, kind: stock, perspective: performance,
   role: loans}
- {code: NPL, name: {en: NPL ratio, zh: 不良率}, unit: "%", direction: lower, kind: ratio, perspective: risk, role: npl,
   denominator: LOANS, publication_lag: LAG}
- {code: FEES, name: {en: Fees, zh: 手续费}, unit: CNY m, direction: higher, kind: flow, perspective: performance}
"""


def write_bank(
    folder: Path,
    *,
    outcomes: Literal["dated", "undated", "none"] = "dated",
    years: int = YEARS,
    seed: int = 5,
    name: str = "small",
    hurry: float = HURRY,
    lag: int = 0,
    chance: bool = False,
) -> Path:
    """Write the dataset as it stands after some years; of outcomes, those that are known by then.

    `lag` periods pass before NPL ratios are published; with `chance` outcomes have nothing to do with the figures.
    """
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        f"contract: 1\nname: {name}\ntitle: {{en: Small, zh: 小}}\nfrequency: A\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(_INDICATORS.replace("LAG", str(lag)))
    branches = [f"B{number:02d}" for number in range(BRANCHES)]
    regions = [f"R{number}" for number in range(4)]
    parents = ["", *["G"] * 4, *[regions[number % 4] for number in range(BRANCHES)]]
    units = pd.DataFrame({"unit": ["G", *regions, *branches], "parent": parents})
    units.assign(name=units["unit"]).to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(seed)
    shape = (YEARS, BRANCHES)
    fast = rng.random(shape) < hurry
    growth = rng.normal(0.05, 0.02, shape) + 0.25 * fast
    loans = 100 * np.exp(np.cumsum(growth, axis=0))
    bad = np.zeros(shape, dtype=bool)
    bad[1:] = fast[:-1] & (rng.random((YEARS - 1, BRANCHES)) < 0.85)
    bad |= rng.random(shape) < 0.02
    npl = 1.0 + rng.normal(0, 0.05, shape) + 1.5 * bad
    fees = 10 * np.exp(rng.normal(0, 0.1, shape))
    values = {"LOANS": loans, "NPL": npl, "FEES": fees}
    rows = [
        (branch, FIRST + year, code, round(float(array[year, number]), 5))
        for code, array in values.items()
        for year in range(years)
        for number, branch in enumerate(branches)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    if chance:
        bad = rng.random(shape) < 0.12
    if outcomes != "none":
        told = [
            (branch, FIRST + year, OUTCOME, int(bad[year + 1, number]), f"{FIRST + year + 1}-12-31")
            for year in range(years - 1)
            for number, branch in enumerate(branches)
        ]
        table = pd.DataFrame(told, columns=["unit", "period", "outcome", "value", "known_on"])
        if outcomes == "undated":
            table = table.drop(columns="known_on")
        table.to_csv(folder / "outcomes.csv", index=False)
    return folder


def stored(place: Path, **about) -> Snapshot:
    """Store the bank in a place of its own; see `write_bank`."""
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank", **about)), now=NOW)
    return store.snapshot()
