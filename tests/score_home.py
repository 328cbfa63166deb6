"""A policy for the small hostile dataset, with adjustments, gates, grades and a chain of factors."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml


def title(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh": zh}


def policy_document(**changed: Any) -> dict[str, Any]:
    """Make the policy as plain data."""
    card = {
        "id": "branches",
        "title": title("Branches", "网点"),
        "applies_to": {"level": ["branch"]},
        "items": [
            {"indicator": "NPL_RATIO", "weight": 60, "against": "peers", "rule": {"kind": "ratio"}},
            {
                "indicator": "LOANS",
                "weight": 40,
                "against": "last_year",
                "growth": 5,
                "rule": {
                    "kind": "increment",
                    "better": {"step": 1, "points": 1, "most": 10},
                    "worse": {"step": 1, "points": 2, "most": 40},
                    "steps_in": "percent",
                },
            },
        ],
        "adjustments": [
            {
                "id": "npl-rising",
                "title": title("NPL ratio rising", "不良率上升"),
                "kind": "malus",
                "when": {"indicator": "NPL_RATIO", "of": "change", "above": 0},
                "per": "0.1",
                "points": 1,
                "most": 5,
            }
        ],
    }
    return {
        "policy": 1,
        "id": "branches",
        "version": "1",
        "title": title("Branch scheme", "网点考核方案"),
        "source": "made for a test",
        "effective": {"from": "2015-01-01"},
        "level": "owner",  # balances of a single day are for the owner alone
        "scorecards": [card],
        "not_scored": [{"level": ["group", "region"]}],
        "grades": [{"name": "A", "from": 100}, {"name": "B", "from": 90}, {"name": "C"}],
        "gates": [
            {"kind": "total_cap", "id": "cap", "title": title("Cap", "总分封顶"), "at": 115},
            {
                "kind": "grade_ceiling",
                "id": "npl",
                "title": title("NPL <ceiling>", "不良率降级"),
                "grade": "B",
                "when": {"indicator": "NPL_RATIO", "above": 2},
            },
        ],
        "missing": {"then": "withhold"},
    } | changed


def write_policy_file(path: Path, **changed: Any) -> Path:
    """Write the policy as a file."""
    path.write_text(yaml.safe_dump(policy_document(**changed), allow_unicode=True), encoding="utf-8")
    return path


def write_target_file(path: Path, *, years: tuple[int, ...], units: list[str]) -> Path:
    """Write targets for some units: a given NPL ratio and loan balance."""
    rows = [
        {"unit": unit, "indicator": code, "year": year, "target": target}
        for year in years
        for unit in units
        for code, target in (("NPL_RATIO", 1.5), ("LOANS", 3_000.0))
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path
