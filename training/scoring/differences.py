"""What is different between two versions of a period's scores, line by line."""

from __future__ import annotations

import numpy as np
import pandas as pd


def differences(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare the lines of two versions of a period.

    Returns
    -------
    pd.DataFrame
        `unit, line, before, after, difference`, in points: for each unit that differs a row `score`, and a row for
        each line that differs. The differences of a unit's lines add up to that of its score. A unit without a score in
        one of them has a blank there, and no difference.
    """
    key = ["unit", "line"]
    cents = [
        frame[key].assign(cents=np.rint(frame["amount"] * 100).astype("int64")).groupby(key, sort=False)["cents"].sum()
        for frame in (before, after)
    ]
    both = pd.concat(cents, axis=1, keys=["before", "after"]).fillna(0).astype("int64")
    totals = both.groupby(level="unit", sort=False).sum()
    totals.index = pd.MultiIndex.from_product([totals.index, ["score"]], names=key)
    every = pd.concat([totals, both])
    every = every.assign(difference=every["after"] - every["before"])
    every = every[every["difference"] != 0].reset_index()
    place = {unit: number for number, unit in enumerate(dict.fromkeys([*before["unit"], *after["unit"]]))}
    every = every.iloc[every["unit"].map(place).to_numpy().argsort(kind="stable")].reset_index(drop=True)
    scored = {name: every["unit"].isin(frame["unit"]) for name, frame in (("before", before), ("after", after))}
    scored["difference"] = scored["before"] & scored["after"]
    return every.assign(**{name: (every[name] / 100).where(there) for name, there in scored.items()})[[*key, *scored]]
