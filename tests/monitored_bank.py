"""A bank of forty-eight branches in six regions over fifteen years, into whose last year a test plants a break."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import yaml

from features.dataset import open_dataset
from features.store import Snapshot, Store
from models.levels import horizon_periods, levels_of, target_codes
from training.gating.gate import Gate
from training.promote import champion_digest, promote
from training.target_model import bundle_of, fit_level, level_tasks, model_name

NOW = datetime(2025, 1, 20, 8, tzinfo=UTC)
Break = Literal["none", "growth", "definition", "cap", "spread"]
FIRST_YEAR, LAST_YEAR = 2010, 2024
REGIONS, BRANCHES = 6, 48
PERSISTENCE = 0.5
"""Of the growth that all branches share: a good year is more often followed by a good one."""

INDICATORS = {
    "LOANS": {"kind": "stock", "unit": "CNY m", "direction": "higher", "role": "loans"},
    "DEPOSITS": {"kind": "stock", "unit": "CNY m", "direction": "higher"},
    "SALES": {"kind": "flow", "unit": "CNY m", "direction": "higher"},
    "FEES": {"kind": "flow", "unit": "CNY m", "direction": "higher"},
    "YIELD": {"kind": "ratio", "unit": "%", "direction": "higher", "denominator": "LOANS", "bounds": [0, 100]},
}
VOLUMES = {"LOANS": 0.08, "DEPOSITS": 0.07, "SALES": 0.05, "FEES": 0.06}
"""Usual growth of a year."""


def write_monitored_bank(folder: Path, *, seed: int = 0, planted: Break = "none", name: str = "monitored") -> Path:
    """Write the dataset folder.

    Parameters
    ----------
    folder : Path
    seed : int
    planted : str
        What happens in the last year: nothing; `growth` of loans and sales falls far out of what was seen before;
        the `definition` of fees leaves a third of them out; a `cap` cuts yields at a level that half of the branches
        were above; or branches' sales `spread` apart three times as far as usual around the same middle.
    """
    folder.mkdir(parents=True)
    about = {"contract": 1, "name": name, "title": {"en": "Monitored", "zh": "受监测"}, "frequency": "A"}
    about |= {"source": "synthetic", "licence": "none"}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    described = [
        {"code": code, "name": {"en": code.title(), "zh": code}, "perspective": "performance"} | entry
        for code, entry in INDICATORS.items()
    ]
    (folder / "indicators.yaml").write_text(
        yaml.safe_dump({"indicators": described}, allow_unicode=True), encoding="utf-8"
    )
    regions = [f"R{number}" for number in range(REGIONS)]
    branches = [f"B{number:02d}" for number in range(BRANCHES)]
    parents = ["", *["HQ"] * REGIONS, *[regions[number % REGIONS] for number in range(BRANCHES)]]
    units = ["HQ", *regions, *branches]
    pd.DataFrame({"unit": units, "parent": parents, "name": units}).to_csv(folder / "units.csv", index=False)
    values = yearly_values(seed=seed, planted=planted)
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    rows = [
        (branch, year, code, round(float(values[code][t, b]), 4))
        for code in INDICATORS
        for t, year in enumerate(years)
        for b, branch in enumerate(branches)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    return folder


def yearly_values(*, seed: int, planted: Break) -> dict[str, np.ndarray]:
    """Give each indicator's figures: (years, branches)."""
    rng = np.random.default_rng(seed)
    years = LAST_YEAR - FIRST_YEAR + 1
    region = np.arange(BRANCHES) % REGIONS
    market = shared_growth(rng, years, 0.02)
    values = {}
    for code, usual in VOLUMES.items():
        common = usual + market + shared_growth(rng, years, 0.015)
        local = rng.normal(0, 0.015, (years, REGIONS))[:, region]
        own = rng.normal(0, 0.02, BRANCHES) + rng.normal(0, 0.05, (years, BRANCHES))
        if planted == "spread" and code == "SALES":
            own[-1] *= 3.0
        growth = common[:, None] + local + own
        if planted == "growth" and code in ("LOANS", "SALES"):
            growth[-1] -= 0.30
        values[code] = 200.0 * np.exp(rng.normal(0, 0.6, BRANCHES) + np.cumsum(growth, axis=0))
    if planted == "definition":
        values["FEES"][-1] *= 2 / 3
    level = np.log(0.06) + rng.normal(0, 0.15, BRANCHES)
    drift = shared_growth(rng, years, 0.02)[:, None] + rng.normal(0, 0.04, (years, BRANCHES))
    rates = np.exp(level + np.cumsum(0.6 * drift, axis=0))
    if planted == "cap":
        rates[-1] = np.minimum(rates[-1], np.quantile(rates[-1], 0.4))
    values["YIELD"] = 100 * rates
    return values


def shared_growth(rng: np.random.Generator, years: int, deviation: float) -> np.ndarray:
    """Give what all branches share: (years,), persistent, of a standard deviation in the long run."""
    found = np.zeros(years)
    noise = rng.normal(0, deviation, years)
    found[0] = noise[0]
    for t in range(1, years):
        found[t] = PERSISTENCE * found[t - 1] + np.sqrt(1 - PERSISTENCE**2) * noise[t]
    return found


def stored_bank(place: Path, *, seed: int = 0, planted: Break = "none") -> Snapshot:
    """Write the bank and store it."""
    store = Store(place / "store")
    store.ingest(open_dataset(write_monitored_bank(place / "bank", seed=seed, planted=planted)), now=NOW)
    return store.snapshot()


def promote_as_of(snapshot: Snapshot, home: Path, as_of: str, *, seed: int = 1) -> str:
    """Fit the leaves as of a year and promote them; give the version."""
    calendar = snapshot.description.calendar
    origin = calendar.parse(as_of)
    panel = snapshot.panel(origin)
    year = int(calendar.year(origin + 1))
    levels = [levels_of(panel, code, year=year, origin=origin)[0] for code in target_codes(panel)]
    models = dict(fit_level(task) for task in level_tasks(levels, seed=seed))
    about = {"as_of": as_of, "known_on": str(calendar.end(origin)), "horizon": horizon_periods(panel, year, origin)}
    bundle, name = bundle_of(models, about | {"seed": seed}), model_name(snapshot.about.dataset)
    promote(
        home,
        name,
        bundle,
        by="test",
        reason="for the tests of the watch",
        expected_champion=champion_digest(home, name),
        gates=[Gate("test", True, 1.0, (0.0,), {"en": "Made for a test.", "zh": "供测试使用。"})],
        clock=lambda: NOW,
    )
    return bundle.version
