"""A small annual bank in which some branches keep growing faster than others, so that a model can beat the baseline."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store
from models.bundle import ModelBundle
from models.levels import LEAVES, Level, levels_of, target_codes
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.target import TargetModel
from training.target_model import bundle_of, fit_level, level_tasks

NOW = datetime(2024, 6, 1, tzinfo=UTC)
FIRST, YEARS, BRANCHES, PEERS = 2010, 13, 30, 3
SEED = 7

_INDICATORS = """indicators:
- {code: LOANS, name: {en: Loans, zh: 贷款}, unit: CNY m, direction: higher, kind: stock, perspective: performance}
- {code: FEES, name: {en: Fees, zh: 手续费}, unit: CNY m, direction: higher, kind: flow, perspective: performance}
"""


def stored(place: Path, *, seed: int = 11) -> Snapshot:
    """Write the bank and store it."""
    folder = place / "bank"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: steady\ntitle: {en: Steady, zh: 稳}\nfrequency: A\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(_INDICATORS)
    branches = [f"B{number:02d}" for number in range(BRANCHES)]
    units = pd.DataFrame({"unit": ["G", *branches], "parent": ["", *["G"] * BRANCHES]})
    units["name"] = units["unit"]
    units["peer_group"] = ["", *[f"P{number % PEERS}" for number in range(BRANCHES)]]
    units.to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(seed)
    rows = []
    for code in ("LOANS", "FEES"):
        drift = rng.normal(0, 0.08, BRANCHES)
        growth = 0.05 + rng.normal(0, 0.03, (YEARS, 1)) + drift + rng.normal(0, 0.04, (YEARS, BRANCHES))
        values = 100 * np.exp(np.cumsum(growth, axis=0))
        rows += [
            (unit, FIRST + year, code, round(float(values[year, number]), 4))
            for year in range(YEARS)
            for number, unit in enumerate(branches)
        ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    store = Store(place / "store")
    store.ingest(open_dataset(folder), now=NOW)
    return store.snapshot()


def leaf_levels(snapshot: Snapshot, last: int) -> list[Level]:
    """Give the leaves' level of each indicator, seen from the end of a year."""
    origin = snapshot.description.calendar.parse(str(last))
    panel = snapshot.panel(origin, known_on=date.max)
    return [
        level
        for code in target_codes(panel)
        for level in levels_of(panel, code, year=last + 1, origin=origin)
        if level.name == LEAVES
    ]


def models_of(levels: list[Level], *, settings: TargetSettings = DEFAULT) -> dict[str, TargetModel]:
    """Fit every level."""
    return dict(map(fit_level, level_tasks(levels, seed=SEED, settings=settings)))


def bundled(models: dict[str, TargetModel], last: int, **about: object) -> ModelBundle:
    """Put models into a bundle that says when they learned."""
    from importlib.metadata import version

    return bundle_of(models, {"as_of": str(last), "seed": SEED, "code_version": version("loadline")} | about)
