"""Ten quarterly branches with one volume: a target model of them is trained in seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import open_dataset
from features.store import Snapshot, Store

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def write_bank(folder: Path, *, restated: bool = False) -> Path:
    """Write ten quarterly branches with one volume over eight years; perhaps a last year restated later."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: quarters\ntitle: {en: Quarters, zh: 季度}\nfrequency: Q\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n- {code: SALES, name: {en: Sales, zh: 销售}, unit: CNY m, direction: higher, kind: flow, "
        "perspective: performance, core: true}\n"
    )
    branches = [f"B{i}" for i in range(10)]
    units = pd.DataFrame({"unit": ["HQ", *branches], "parent": ["", *["HQ"] * 10], "name": ["HQ", *branches]})
    units.to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(3)
    rows = []
    for i, branch in enumerate(branches):
        level = 50.0 + 10 * i
        for year in range(2016, 2024):
            level *= float(np.exp(rng.normal(0.04, 0.06)))
            for quarter, share in enumerate((0.3, 0.25, 0.25, 0.2), start=1):
                rows.append((branch, f"{year}-Q{quarter}", "SALES", round(level * share, 4), ""))
    if restated:
        rows += [(b, "2023-Q4", "SALES", 99.0, "2024-02-15") for b in branches]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value", "known_on"])
    frame.to_csv(folder / "observations.csv", index=False)
    return folder


def stored(place: Path, *, restated: bool = False) -> Snapshot:
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank", restated=restated)), now=NOW)
    return store.snapshot()
