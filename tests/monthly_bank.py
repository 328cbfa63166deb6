"""A small monthly bank whose quarter-ends look unlike other months, though trouble follows all months alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store

NOW = datetime(2025, 7, 31, tzinfo=UTC)
AFTER = date(2025, 7, 31)
"""By this day the outcome of every month is known."""
FIRST, YEARS, BRANCHES = 2018, 7, 120
HURRY = 0.12
"""Share of branches that lend in a hurry in a half-year."""
FOLLOWED = 0.9
"""Part of the hurries that trouble follows."""
UNFORESEEN = 0.02
"""Trouble in a half-year without a hurry."""
BOOKED = 2.0
"""Fees of a quarter's last month, as a multiple of other months'."""
CLEARED = 0.6
"""Overdue ratio at a quarter's end, as a multiple of other months': what can be is cleared for the report."""
AHEAD = 6
"""Months within which trouble follows, and after which it is known."""
OUTCOME = f"trouble_within_{AHEAD}m"

_DATASET = """contract: 1
name: monthly
title: {en: Monthly, zh: 月度}
frequency: M
source: tests
licence: none
"""
_INDICATORS = """indicators:
- {code: LOANS, name: {en: Loans, zh: 贷款}, unit: CNY m, direction: higher, kind: stock, perspective: performance,
   role: loans}
- {code: OVERDUE, name: {en: Overdue ratio, zh: 逾期率}, unit: "%", direction: lower, kind: ratio, perspective: risk,
   denominator: LOANS}
- {code: FEES, name: {en: Fees, zh: 手续费}, unit: CNY m, direction: higher, kind: flow, perspective: performance}
"""


def write_bank(folder: Path, *, seed: int = 5) -> Path:
    """Write the dataset; outcomes are dated, those of the last half-year after its end."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(_DATASET, encoding="utf-8")
    (folder / "indicators.yaml").write_text(_INDICATORS, encoding="utf-8")
    branches = [f"B{number:03d}" for number in range(BRANCHES)]
    regions = [f"R{number}" for number in range(4)]
    parents = ["", *["G"] * 4, *[regions[number % 4] for number in range(BRANCHES)]]
    units = pd.DataFrame({"unit": ["G", *regions, *branches], "parent": parents})
    units.assign(name=units["unit"]).to_csv(folder / "units.csv", index=False)
    months = [f"{FIRST + row // 12}-{row % 12 + 1:02d}" for row in range(12 * YEARS)]
    values, trouble = _drawn(np.random.default_rng(seed))
    rows = [
        (branch, month, code, round(float(array[row, number]), 5))
        for code, array in values.items()
        for row, month in enumerate(months)
        for number, branch in enumerate(branches)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    told = [
        (branch, month, OUTCOME, int(trouble[row, number]), str((pd.Period(month) + AHEAD).end_time.date()))
        for row, month in enumerate(months)
        for number, branch in enumerate(branches)
    ]
    table = pd.DataFrame(told, columns=["unit", "period", "outcome", "value", "known_on"])
    table.to_csv(folder / "outcomes.csv", index=False)
    return folder


def _drawn(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw the figures, and what trouble follows which month: (months, branches)."""
    halves, shape = 2 * YEARS, (12 * YEARS, BRANCHES)
    hurry = rng.random((halves, BRANCHES)) < HURRY
    trouble = np.where(hurry, rng.random(hurry.shape) < FOLLOWED, rng.random(hurry.shape) < UNFORESEEN)
    hurry, trouble = hurry.repeat(6, axis=0), trouble.repeat(6, axis=0)
    size = 100 * np.exp(rng.normal(0, 0.3, BRANCHES))
    loans = size * np.exp(np.cumsum(rng.normal(0.003, 0.003, shape) + 0.03 * hurry, axis=0))
    quarter_end = (np.arange(len(loans)) % 3 == 2)[:, None]
    overdue = 2 * np.exp(rng.normal(0, 0.1, shape) + 0.4 * hurry) * np.where(quarter_end, CLEARED, 1.0)
    fees = 0.01 * size * np.exp(rng.normal(0, 0.1, shape)) * np.where(quarter_end, BOOKED, 1.0)
    return {"LOANS": loans, "OVERDUE": overdue, "FEES": fees}, trouble


def stored(place: Path, *, seed: int = 5) -> Snapshot:
    """Store the bank in a place of its own; see `write_bank`."""
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank", seed=seed)), now=NOW)
    return store.snapshot()
