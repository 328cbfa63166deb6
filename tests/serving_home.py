"""A small dataset with hostile names in it, and a promoted model of it, for the tests of the service."""

import csv
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import yaml

from models.levels import horizon_periods, levels_of, target_codes
from serving.advisor import Advisor
from serving.settings import Settings
from training.gating.gate import Gate
from training.promote import champion_digest, promote
from training.target_model import bundle_of, fit_level, level_tasks, model_name

TOKEN = "correct-horse-battery-staple"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ADDRESS = "http://127.0.0.1:8321"
NOW = datetime(2025, 1, 15, 8, 30, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 2012, 2024

REGIONS = ["Europe & Central Asia", "东部/一区"]
ODD_BRANCHES = ["A/B", "..", "=1+1", "50%", "a?b#c", "<script>alert(1)</script>", "R+D"]
PLAIN_BRANCHES = [f"N{number:02d}" for number in range(1, 14)]
BRANCHES = ODD_BRANCHES + PLAIN_BRANCHES
SILENT = "Quiet"
HOSTILE_NAME = '<img src=x onerror="alert(1)">'

LOANS = {
    "code": "LOANS",
    "name": {"en": "Loans <b>", "zh": "贷款余额"},
    "unit": "CNY m",
    "direction": "higher",
    "kind": "stock",
    "perspective": "performance",
}
NPL = {
    "code": "NPL_RATIO",
    "name": {"en": "NPL ratio", "zh": "不良贷款率"},
    "unit": "%",
    "direction": "lower",
    "kind": "ratio",
    "denominator": "LOANS",
    "perspective": "risk",
    "bounds": [0, 100],
}
GDP = {
    "code": "GDP",
    "name": {"en": "GDP growth", "zh": "经济增速"},
    "unit": "%",
    "direction": "higher",
    "kind": "level",
    "perspective": "context",
}


def write_dataset(folder: Path, *, name: str = "hostile-bank", scale: float = 1.0) -> Path:
    """Write the dataset folder; `scale` multiplies its loans."""
    folder.mkdir(parents=True)
    description = {
        "contract": 1,
        "name": name,
        "title": {"en": "Hostile <b>bank</b>", "zh": "测试银行"},
        "frequency": "A",
        "source": "Synthetic, made by a test",
        "licence": "none",
    }
    (folder / "dataset.yaml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
    indicators = yaml.safe_dump({"indicators": [LOANS, NPL, GDP]}, allow_unicode=True)
    (folder / "indicators.yaml").write_text(indicators, encoding="utf-8")
    with open(folder / "units.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "parent", "name", "name_zh", "level", "region_type", "valid_to", "successor"])
        rows.writerow(["ROOT", "", "Head office", "总行", "group", "", "", ""])
        rows.writerows([[region, "ROOT", region, "", "region", "coastal", "", ""] for region in REGIONS])
        for number, branch in enumerate(BRANCHES):
            shown = HOSTILE_NAME if branch == "A/B" else f"Branch {number}"
            rows.writerow([branch, REGIONS[number % 2], shown, f"网点{number}", "branch", "coastal", "", ""])
        rows.writerow(["GONE", REGIONS[0], "Gone branch", "", "branch", "coastal", "2018", "N01"])
        rows.writerow([SILENT, REGIONS[0], "Quiet branch", "", "branch", "coastal", "", ""])
    rng = np.random.default_rng(7)
    with open(folder / "observations.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "period", "indicator", "value"])
        common = rng.normal(0.06, 0.02, LAST_YEAR - FIRST_YEAR + 1)
        for branch in [*BRANCHES, "GONE"]:
            loans, npl = rng.uniform(500, 5_000), rng.uniform(0.8, 2.5)
            for year in range(FIRST_YEAR, 2019 if branch == "GONE" else LAST_YEAR + 1):
                loans *= np.exp(common[year - FIRST_YEAR] + rng.normal(0, 0.03))
                npl *= np.exp(rng.normal(0, 0.1))
                rows.writerow([branch, year, "LOANS", round(loans * scale, 2)])
                rows.writerow([branch, year, "NPL_RATIO", round(npl, 3)])
        rows.writerows([["ROOT", year, "GDP", 5.0] for year in range(FIRST_YEAR, LAST_YEAR + 1)])
    return folder


def copy_home(home: Path, to: Path) -> Path:
    """Copy a home without what was noted of those who asked it."""
    return Path(shutil.copytree(home, to, ignore=shutil.ignore_patterns("audit", "loadline.db*")))


def advisor_at(home: Path) -> Advisor:
    """Give the real advisor of a home; tests may ask as fast as they can."""
    return Advisor(Settings(home=home, token=None, store_url=None, rate=0), clock=lambda: NOW)


def promote_model(advisor: Advisor, *, seed: int = 1) -> str:
    """Fit and promote a model of the last data version without tracking, which takes longest; give its version."""
    snapshot, home = advisor.snapshot(), advisor.settings.home
    origin = snapshot.span[1]
    panel = snapshot.panel(origin, known_on=date.max)
    year = advisor.default_year()
    levels = [
        level
        for code in target_codes(panel)
        for level in levels_of(panel, code, year=year, origin=origin)
        if level.learned
    ]
    models = dict(fit_level(task) for task in level_tasks(levels, seed=seed))
    about = {
        "horizon": horizon_periods(panel, year, origin),
        "known_on": str(snapshot.last_known),
        "low_evidence": [],
        "seed": seed,
    }
    bundle, name = bundle_of(models, about), model_name(snapshot.about.dataset)
    promote(
        home,
        name,
        bundle,
        by="test",
        reason="for the tests of the service",
        expected_champion=champion_digest(home, name),
        gates=[Gate("test", True, 1.0, (0.0,), {"en": "Made for a test.", "zh": "供测试使用。"})],
        clock=lambda: NOW,
    )
    return bundle.version
