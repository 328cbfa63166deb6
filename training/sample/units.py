"""The units of the sample bank: a head office, 31 province-level regions, and branches with what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.errors import LoadlineError

FIRST_YEAR, LAST_YEAR = 2017, 2024
YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)
MONTHS = 12 * len(YEARS)
PERIODS = [f"{year}-{month:02d}" for year in YEARS for month in range(1, 13)]

ROOT = "SAMPLE"
ROOT_NAME, ROOT_NAME_ZH = "Sample Bank (synthetic data)", "样本银行（合成数据）"

MIN_BRANCHES = 120
"""Fewest branches: below, some provinces would have too few for the planted events and the peer comparisons."""
REGION_TYPES = ("coastal", "central", "western")
PEER_GROUPS = ("county", "city-2", "city-1")
PEER_SHARES = (0.45, 0.35, 0.20)
BUSINESS_LINES = ("universal", "retail", "corporate")
LINE_SHARES = (0.45, 0.30, 0.25)
MEDIAN_LOANS = {"county": 900.0, "city-2": 2_600.0, "city-1": 6_500.0}
"""Median loans of a branch at the start, CNY m; with the spread below nearly all lie between 300 and 20,000."""
SIZE_SPREAD = 0.42
GAPPY_BRANCHES = 12
"""Branches that failed to report some months."""


class Province(NamedTuple):
    """A province-level region: ISO 3166-2 code, names, type, and its weight in the number of branches."""

    code: str
    name: str
    name_zh: str
    region_type: str
    weight: int


PROVINCES = (
    Province("BJ", "Beijing", "北京", "coastal", 14),
    Province("TJ", "Tianjin", "天津", "coastal", 10),
    Province("HE", "Hebei", "河北", "coastal", 16),
    Province("SX", "Shanxi", "山西", "central", 12),
    Province("NM", "Inner Mongolia", "内蒙古", "western", 11),
    Province("LN", "Liaoning", "辽宁", "coastal", 15),
    Province("JL", "Jilin", "吉林", "central", 10),
    Province("HL", "Heilongjiang", "黑龙江", "central", 12),
    Province("SH", "Shanghai", "上海", "coastal", 14),
    Province("JS", "Jiangsu", "江苏", "coastal", 20),
    Province("ZJ", "Zhejiang", "浙江", "coastal", 20),
    Province("AH", "Anhui", "安徽", "central", 15),
    Province("FJ", "Fujian", "福建", "coastal", 14),
    Province("JX", "Jiangxi", "江西", "central", 13),
    Province("SD", "Shandong", "山东", "coastal", 21),
    Province("HA", "Henan", "河南", "central", 19),
    Province("HB", "Hubei", "湖北", "central", 16),
    Province("HN", "Hunan", "湖南", "central", 16),
    Province("GD", "Guangdong", "广东", "coastal", 24),
    Province("GX", "Guangxi", "广西", "western", 12),
    Province("HI", "Hainan", "海南", "coastal", 6),
    Province("CQ", "Chongqing", "重庆", "western", 12),
    Province("SC", "Sichuan", "四川", "western", 19),
    Province("GZ", "Guizhou", "贵州", "western", 11),
    Province("YN", "Yunnan", "云南", "western", 12),
    Province("XZ", "Tibet", "西藏", "western", 4),
    Province("SN", "Shaanxi", "陕西", "western", 13),
    Province("GS", "Gansu", "甘肃", "western", 9),
    Province("QH", "Qinghai", "青海", "western", 5),
    Province("NX", "Ningxia", "宁夏", "western", 6),
    Province("XJ", "Xinjiang", "新疆", "western", 10),
)
REGIONS = [f"CN-{province.code}" for province in PROVINCES]


def month(year: int, number: int) -> int:
    """Give a calendar month's row, 0 for January 2017.

    >>> month(2018, 3)
    14
    """
    return 12 * (year - FIRST_YEAR) + number - 1


MERGER_MONTH = month(2021, 7)
SPLIT_MONTH = month(2022, 7)
OPENING_MONTH = month(2023, 4)
MOVE_MONTH = month(2022, 1)
SPLIT_SHARES = (0.6, 0.4)
NEW_BRANCH_RAMP = 24
"""Months that the new branch takes to reach its size."""


@dataclass(frozen=True)
class Layout:
    """The branches, as arrays over the B branches, and what happens to them.

    Attributes
    ----------
    codes : np.ndarray
        (B,) unit codes.
    region, peer, line : np.ndarray
        (B,) positions in `REGIONS`, `PEER_GROUPS` and `BUSINESS_LINES`.
    size : np.ndarray
        (B,) log of the loans at the start, CNY m.
    opened : np.ndarray
        (B,) year of opening.
    first, last : np.ndarray
        (B,) first and last month (rows from 0, inclusive) in which the branch exists.
    gaps : np.ndarray
        (MONTHS, B) booleans: months that were not reported.
    merged, acquirer : int
        The first is taken over by the second in `MERGER_MONTH`.
    split : int
    heirs : tuple[int, int]
        The branch that ends before `SPLIT_MONTH` and the two that follow it.
    new, moved : int
        The branch opened in `OPENING_MONTH`, and the one that changes its region in `MOVE_MONTH`.
    moved_from : int
        The region that the moved branch belonged to before.
    """

    codes: np.ndarray
    region: np.ndarray
    peer: np.ndarray
    line: np.ndarray
    size: np.ndarray
    opened: np.ndarray
    first: np.ndarray
    last: np.ndarray
    gaps: np.ndarray
    merged: int
    acquirer: int
    split: int
    heirs: tuple[int, int]
    new: int
    moved: int
    moved_from: int

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def region_type(self) -> np.ndarray:
        """Give each branch's position in `REGION_TYPES`: (B,)."""
        return np.array([REGION_TYPES.index(province.region_type) for province in PROVINCES])[self.region]

    @cached_property
    def alive(self) -> np.ndarray:
        """Tell in which months each branch exists: (MONTHS, B) booleans."""
        rows = np.arange(MONTHS)[:, None]
        return (rows >= self.first) & (rows <= self.last)

    @property
    def plain(self) -> np.ndarray:
        """List the branches to which no event happens, in order: those that episodes may be planted in."""
        eventful = [self.merged, self.acquirer, self.split, *self.heirs, self.new, self.moved]
        free = np.ones(len(self), dtype=bool)
        free[eventful] = False
        return np.flatnonzero(free & ~self.gaps.any(axis=0))


def lay_out(rng: np.random.Generator, branches: int) -> Layout:
    """Draw the branches and choose those that merge, split, move, open late or report with gaps.

    Raises
    ------
    LoadlineError
        For fewer than `MIN_BRANCHES` branches.
    """
    if branches < MIN_BRANCHES:
        raise LoadlineError(
            f"a sample bank of {branches} branches is too small", hint=f"Ask for {MIN_BRANCHES} or more."
        )
    counts = _counts(branches)
    region = np.repeat(np.arange(len(PROVINCES)), counts)
    peer = rng.choice(len(PEER_GROUPS), size=branches, p=PEER_SHARES)
    line = rng.choice(len(BUSINESS_LINES), size=branches, p=LINE_SHARES)
    median = np.log([MEDIAN_LOANS[group] for group in PEER_GROUPS])
    size = np.clip(median[peer] + SIZE_SPREAD * rng.standard_normal(branches), np.log(300.0), np.log(18_000.0))
    opened = rng.integers(1985, 2013, size=branches)
    within = np.arange(branches) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = np.array([f"{REGIONS[r]}-{n + 1:02d}" for r, n in zip(region, within, strict=True)], dtype=object)

    # The largest regions have branches to spare for what happens once.
    largest = np.argsort(-counts, kind="stable")
    in_region = [np.flatnonzero(region == r) for r in largest[:5]]
    acquirer, merged = in_region[0][-2:]
    split, heir_one, heir_two = in_region[1][-3:]
    new, moved = in_region[2][-1], in_region[3][-1]
    peer[[split, heir_one, heir_two]] = PEER_GROUPS.index("city-2")
    size[split] = np.log(2 * MEDIAN_LOANS["city-2"])
    opened[[heir_one, heir_two]] = YEARS[SPLIT_MONTH // 12]
    opened[new] = YEARS[OPENING_MONTH // 12]

    first, last = np.zeros(branches, dtype=np.int64), np.full(branches, MONTHS - 1)
    last[merged] = MERGER_MONTH - 1
    last[split], first[[heir_one, heir_two]] = SPLIT_MONTH - 1, SPLIT_MONTH
    first[new] = OPENING_MONTH
    gaps = np.zeros((MONTHS, branches), dtype=bool)
    eventful = {int(u) for u in (acquirer, merged, split, heir_one, heir_two, new, moved)}
    quiet = np.array([u for u in range(branches) if u not in eventful])
    for unit in rng.choice(quiet, size=GAPPY_BRANCHES, replace=False):
        start = int(rng.integers(6, MONTHS - 6))
        gaps[start : start + int(rng.integers(1, 4)), unit] = True
    return Layout(
        codes=codes,
        region=region,
        peer=peer,
        line=line,
        size=size,
        opened=opened,
        first=first,
        last=last,
        gaps=gaps,
        merged=int(merged),
        acquirer=int(acquirer),
        split=int(split),
        heirs=(int(heir_one), int(heir_two)),
        new=int(new),
        moved=int(moved),
        moved_from=int(largest[4]),
    )


def _counts(branches: int) -> np.ndarray:
    """Share the branches out over the provinces by weight, with largest remainders."""
    weights = np.array([float(province.weight) for province in PROVINCES])
    exact = weights / weights.sum() * branches
    counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: branches - counts.sum()]] += 1
    return counts


def units_frame(layout: Layout) -> pd.DataFrame:
    """Write the tree as the rows of `units.csv`: the head office, the regions, the branches in order of code."""
    rows = [{"unit": ROOT, "parent": "", "name": ROOT_NAME, "name_zh": ROOT_NAME_ZH, "level": "group"}]
    for code, province in zip(REGIONS, PROVINCES, strict=True):
        about = {"name": province.name, "name_zh": province.name_zh, "region_type": province.region_type}
        rows.append({"unit": code, "parent": ROOT, "level": "region"} | about)
    bands = np.digitize(layout.size, np.log([1_000.0, 4_000.0]))
    for unit, code in enumerate(layout.codes):
        row = _branch_row(layout, unit, str(code))
        row["staff_band"] = ("small", "medium", "large")[bands[unit]]
        if unit == layout.moved:
            before = REGIONS[layout.moved_from]
            rows.append(row | {"parent": before, "valid_to": _day_before(MOVE_MONTH)})
            row["valid_from"] = _first_day(MOVE_MONTH)
        rows.append(row)
    columns = ["unit", "parent", "name", "name_zh", "level", "region_type", "peer_group", "business_line"]
    columns += ["valid_from", "valid_to", "successor", "opened_year", "staff_band"]
    return pd.DataFrame(rows, columns=columns).fillna("")


def _branch_row(layout: Layout, unit: int, code: str) -> dict[str, str]:
    province = PROVINCES[layout.region[unit]]
    number = code.rsplit("-", 1)[1]
    heirs = {
        layout.merged: str(layout.codes[layout.acquirer]),
        layout.split: "|".join(str(layout.codes[heir]) for heir in layout.heirs),
    }
    return {
        "unit": code,
        "parent": REGIONS[layout.region[unit]],
        "name": f"{province.name} Branch {number}",
        "name_zh": f"{province.name_zh}第{number}支行",
        "level": "branch",
        "region_type": province.region_type,
        "peer_group": PEER_GROUPS[layout.peer[unit]],
        "business_line": BUSINESS_LINES[layout.line[unit]],
        "valid_from": _first_day(int(layout.first[unit])) if layout.first[unit] > 0 else "",
        "valid_to": _day_before(int(layout.last[unit]) + 1) if layout.last[unit] < MONTHS - 1 else "",
        "successor": heirs.get(unit, ""),
        "opened_year": str(layout.opened[unit]),
    }


def _first_day(row: int) -> str:
    return f"{PERIODS[row]}-01"


def _day_before(row: int) -> str:
    return str(pd.Period(PERIODS[row - 1], freq="M").end_time.date())
