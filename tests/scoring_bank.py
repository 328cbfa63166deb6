"""A small monthly bank that tests of scores share: every kind of figure, a merger, a move and a new branch."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree
from models.policy.document import Policy

CALENDAR = Calendar("M")
FIRST, LAST = "2020-01", "2024-12"
MONTHS = 60
TITLE = {"en": "x", "zh": "项"}
BIG, SMALL = [f"B{n:02d}" for n in range(6)], [f"S{n:02d}" for n in range(6)]
MERGED, MOVER, NEW = "MERGED", "MOVER", "NEW"
SEASON = np.array([0.14, 0.04, 0.08, 0.06, 0.05, 0.03, 0.05, 0.05, 0.1, 0.1, 0.1, 0.2])
"""Share of each month in a year's lending: 0.4 by June."""

UNITS = [
    ("unit", "parent", "name", "level", "peer_group", "valid_from", "valid_to", "successor"),
    ("G", "", "Group", "group", "", "", "", ""),
    ("R1", "G", "North", "region", "", "", "", ""),
    ("R2", "G", "South", "region", "", "", "", ""),
    *((unit, "R1", f"Branch {unit}", "branch", "big", "", "", "") for unit in BIG),
    *((unit, "R2", f"Branch {unit}", "branch", "small", "", "", "") for unit in SMALL),
    (MERGED, "R1", "Merged branch", "branch", "big", "", "2023-06", "B00"),
    (MOVER, "R1", "Branch that moved", "branch", "small", "", "2024-06", ""),
    (MOVER, "R2", "Branch that moved", "branch", "small", "2024-07", "", ""),
    (NEW, "R2", "New branch", "branch", "small", "2024-03", "", ""),
]


def _indicator(code: str, **about: Any) -> dict[str, Any]:
    plain = {"unit": "CNY m", "direction": "higher", "kind": "flow", "perspective": "performance"}
    return {"code": code, "name": {"en": code.title(), "zh": f"指标{code}"}} | plain | about


INDICATORS = [
    _indicator("LENDING"),
    _indicator("DEPOSITS", kind="stock", averaging="daily"),
    _indicator("LOANS", kind="stock"),
    _indicator("INTEREST"),
    _indicator("LATE", kind="ratio", unit="%", direction="lower", denominator="LOANS", perspective="risk"),
    _indicator("YIELD", kind="ratio", unit="%", numerator="INTEREST", denominator="LOANS"),
    _indicator("NPS", kind="level", unit="pt", perspective="customer", decimals=1),
]


def make_tree() -> UnitTree:
    """Make the tree."""
    return UnitTree.from_frame(pd.DataFrame(UNITS[1:], columns=list(UNITS[0])).assign(region_type=""), CALENDAR)


def make_panel(*, seed: int = 0, months: int = MONTHS) -> Panel:
    """Make figures of all leaves; lending follows the same season every year, exactly."""
    rng, tree = np.random.default_rng(seed), make_tree()
    first = CALENDAR.parse(FIRST)
    year = np.repeat(np.arange(MONTHS // 12 + 1), 12)[:MONTHS]
    size = rng.uniform(100, 900, len(tree))
    growth = np.exp(np.cumsum(rng.normal(0.05, 0.04, (MONTHS // 12 + 1, len(tree))), axis=0))
    drift = np.exp(np.cumsum(rng.normal(0.004, 0.01, (MONTHS, len(tree))), axis=0))
    loans = size * 10 * drift
    values = {
        "LENDING": size * growth[year] * np.tile(SEASON, MONTHS // 12)[:, None],
        "DEPOSITS": size * 8 * drift,
        "LOANS": loans,
        "INTEREST": loans * rng.uniform(0.002, 0.005, loans.shape),
        "LATE": np.clip(2 + np.cumsum(rng.normal(0, 0.1, loans.shape), axis=0), 0.1, 9),
        "NPS": 40 + np.cumsum(rng.normal(0, 1, loans.shape), axis=0),
    }
    values["YIELD"] = 100 * values["INTEREST"] / loans
    alive = np.stack([tree.leaves(first + month) for month in range(MONTHS)])
    values = {code: np.where(alive, np.round(array, 2), np.nan)[:months] for code, array in values.items()}
    indicators = IndicatorSet(Indicator.model_validate(entry) for entry in INDICATORS)
    return Panel(CALENDAR, tree, indicators, first, values, date(2025, 3, 1))


def make_policy(items: list[dict[str, Any]] | None = None, **changes: Any) -> Policy:
    """Make a policy; by default with items of several kinds, an adjustment and gates."""
    if items is None:
        efficacy = {"kind": "efficacy"}
        items = [
            {"indicator": "LENDING", "weight": "30", "rule": {"kind": "ratio", "cap": "120"}},
            {"indicator": "DEPOSITS", "weight": "20", "against": "last_year", "rule": {"kind": "ratio"}},
            {"indicator": "LATE", "weight": "30.5", "rule": efficacy},
            {"indicator": "NPS", "weight": "19.5", "against": "peers", "rule": {"kind": "ratio"}},
        ]
    card = {"id": "all", "title": TITLE, "applies_to": {"level": ["branch"]}, "items": items}
    document = {
        "policy": 1,
        "id": "trial",
        "version": "1",
        "title": TITLE,
        "source": "made for the tests",
        "effective": {"from": "2020-01-01"},
        "level": "internal",
        "scorecards": [card],
        "not_scored": [{"level": ["group", "region"]}],
        "missing": {"then": "rescale", "least_weight": "50"},
        "gates": [
            {"kind": "grade_ceiling", "id": "late", "title": TITLE, "grade": "C",
             "when": {"indicator": "LATE", "above": "3"}},
            {"kind": "protection_floor", "id": "new", "title": TITLE, "at": "60", "of": "new_units", "months": 12},
        ],
        "grades": [{"name": "A", "from": "90"}, {"name": "B", "from": "75"}, {"name": "C"}],
    }  # fmt: skip
    return Policy.model_validate(document | changes)


def make_targets(year: int = 2024, *, panel: Panel | None = None) -> pd.DataFrame:
    """Set a lending target of every branch: about a tenth above the year before."""
    panel = panel or make_panel()
    rows = [CALENDAR.parse(f"{year - 1}-{month:02d}") - panel.first for month in range(1, 13)]
    before = panel.array("LENDING")[rows].sum(axis=0)
    known = np.isfinite(before)
    target = np.round(before[known] * 1.1, 1)
    units = panel.units[known].astype(str)
    frame = pd.DataFrame({"unit": units, "indicator": "LENDING", "year": year, "target": target})
    return frame.assign(floor=np.round(target * 0.9, 1), stretch=np.round(target * 1.15, 1))


def write_bank(folder: Path, panel: Panel, *, known_on: str | None = None) -> Path:
    """Write a dataset folder of a panel's figures."""
    folder.mkdir(parents=True)
    about = {"contract": 1, "name": "small-bank", "title": {"en": "Small bank", "zh": "小银行"}, "frequency": "M"}
    about |= {"source": "made for the tests", "licence": "none"}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    written = yaml.safe_dump({"indicators": INDICATORS}, allow_unicode=True)
    (folder / "indicators.yaml").write_text(written, encoding="utf-8")
    pd.DataFrame(UNITS[1:], columns=list(UNITS[0])).to_csv(folder / "units.csv", index=False)
    parts = []
    for code, array in panel.values.items():
        row, column = np.nonzero(np.isfinite(array))
        periods = [CALENDAR.format(panel.first + at) for at in row]
        part = {"unit": panel.units[column], "period": periods, "indicator": code, "value": array[row, column]}
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts)
    if known_on is not None:
        frame["known_on"] = known_on
    frame.to_csv(folder / "observations.csv", index=False)
    return folder
