"""The hostile bank of the service's tests, in which one branch lends in a hurry and its bad loans follow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from serving_home import LAST_YEAR, advisor_at, write_dataset

from serving.advisor import Advisor

RISKY = "A/B"
"""Its name is hostile, too."""
RISKY_KEY = f"{RISKY}@{LAST_YEAR - 1}"
REASON = "Loans taken over from another branch in May."
LOANS = {LAST_YEAR - 1: 1.6, LAST_YEAR: 2.2}
NPL = {LAST_YEAR - 1: 1.5, LAST_YEAR: 3.0}


def write_risky_dataset(folder: Path) -> Path:
    """Write the dataset folder."""
    write_dataset(folder)
    path = folder / "observations.csv"
    figures = pd.read_csv(path)
    for code, factors in (("LOANS", LOANS), ("NPL_RATIO", NPL)):
        mine = (figures["unit"] == RISKY) & (figures["indicator"] == code)
        figures.loc[mine, "value"] *= figures.loc[mine, "period"].map(factors).fillna(1.0)
    figures.to_csv(path, index=False)
    return folder


def risky_advisor(folder: Path) -> Advisor:
    """Give the advisor of a home of its own with the dataset in it."""
    advisor = advisor_at(folder / "home")
    advisor.ingest(write_risky_dataset(folder / "dataset"))
    return advisor


def write_next_year(folder: Path) -> Path:
    """Write the dataset with a year more, in which the branch is back to what it was and the others go on."""
    write_risky_dataset(folder)
    path = folder / "observations.csv"
    figures = pd.read_csv(path)
    ahead = figures[figures["period"] == LAST_YEAR].assign(period=LAST_YEAR + 1)
    for code, factors in (("LOANS", LOANS), ("NPL_RATIO", NPL)):
        mine = (ahead["unit"] == RISKY) & (ahead["indicator"] == code)
        ahead.loc[mine, "value"] /= factors[LAST_YEAR]
    pd.concat([figures, ahead]).to_csv(path, index=False)
    return folder
