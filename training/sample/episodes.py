"""What is planted in the sample bank: growth bought with risk, the look-alikes that are harmless, and the breaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.sample.units import MONTHS, PERIODS, Layout, month

SHIFTED = ("LOANS", "P01", "P08", "PROFIT", "U01", "R01", "R03", "R04", "R12", "R11", "P03", "U04", "H01")
"""What an event can move, by log factors on the level; R11 by the part of its gap to 100% that closes."""
DILUTION = 0.75
"""Part of a loan surge that lowers the NPL ratio at first: new loans have had no time to go bad."""
SEASONING = 18
"""Months in which honestly grown loans take on the usual share of bad ones."""
DECAY = 12.0
"""Months in which what an episode raised falls back to 1/e, once it has come to light."""
HARM = (0.85, 1.3)
"""Range of the log factor by which the NPL ratio ends up higher: roughly 2.3 to 3.7 times."""


@dataclass(frozen=True)
class Pattern:
    """One way of buying growth with risk: log factors at full strength, each reached four months after the first sign.

    `growth` is the range of the loan surge; `extension`, `complaints` and `turnover` raise R12, U04 and H01;
    `collection` is the part of R11's gap to 100% that vanishes.
    """

    code: str
    growth: tuple[float, float]
    overdue: float
    special_mention: float
    extension: float
    complaints: float
    turnover: float
    collection: float
    fees: float
    description: str


PATTERNS = (
    Pattern("W01", (0.17, 0.27), 0.50, 0.20, 0.20, 0.15, 0.1, 0.0, 0.15, "loans surge, arrears follow before NPL do"),
    Pattern("W02", (0.24, 0.32), 0.25, 0.25, 0.15, 0.10, 0.1, 0.0, 0.15, "new loans dilute the NPL ratio as NPL rise"),
    Pattern("W03", (0.15, 0.24), 0.30, 0.60, 0.15, 0.10, 0.1, 0.0, 0.12, "special-mention loans swell, NPL ratio flat"),
    Pattern("W05", (0.14, 0.22), -0.1, 0.15, 0.70, 0.10, 0.1, 0.7, 0.12, "maturing loans are renewed, not repaid"),
    Pattern("W11", (0.14, 0.22), 0.30, 0.20, 0.20, 1.10, 0.3, 0.0, 0.25, "targets are met while complaints multiply"),
    Pattern("W14", (0.14, 0.22), 0.30, 0.25, 0.20, 0.25, 1.2, 0.0, 0.20, "targets are met while frontline staff leave"),
)
MATURED_EPISODES, RECENT_EPISODES = 21, 3
FIRST_START, LAST_START = month(2018, 2), month(2022, 9)
"""Starts of matured episodes: one year of quiet before, and time for the harm to show within the data after."""
RECENT_START = month(2023, 12)
"""Recent episodes show their signs by the end of the data; most of their harm lies beyond it."""

LOOKALIKES = {
    "honest_growth": (12, "loans grow as fast as in an episode; quality stays as it was"),
    "npl_jump": (8, "one large borrower fails; no growth came before"),
    "npl_transfer": (6, "a block of bad loans is sold in one month"),
    "complaint_burst": (5, "complaints rise for some months over a product change"),
}


@dataclass(frozen=True)
class Events:
    """What was planted, and what it does to the figures.

    Attributes
    ----------
    shifts : dict[str, np.ndarray]
        By code of `SHIFTED`: (MONTHS, B) log factors, zero where nothing happens.
    episodes, lookalikes : pd.DataFrame
        `unit, pattern, start, signal_from, harm_from, harm_to, description` (periods; a look-alike has only a start).
    in_episode : np.ndarray
        (B,) booleans.
    """

    shifts: dict[str, np.ndarray]
    episodes: pd.DataFrame
    lookalikes: pd.DataFrame
    in_episode: np.ndarray


def plant(layout: Layout, rng: np.random.Generator, *, calm: bool) -> Events:
    """Choose branches and dates and build the log factors; a calm bank draws the same and plants no episode."""
    shifts = {code: np.zeros((MONTHS, len(layout))) for code in SHIFTED}
    episodes, lookalikes = [], []
    chosen = iter(rng.permutation(layout.plain))
    total = MATURED_EPISODES + RECENT_EPISODES
    spread = np.linspace(FIRST_START, LAST_START, MATURED_EPISODES).astype(int)
    starts = np.concatenate([rng.permutation(spread), RECENT_START + rng.integers(0, 4, RECENT_EPISODES)])
    in_episode = np.zeros(len(layout), dtype=bool)
    for number in range(total):
        unit, pattern = int(next(chosen)), PATTERNS[number % len(PATTERNS)]
        dates, columns = _episode(pattern, int(starts[number]), rng)
        if calm:
            continue
        in_episode[unit] = True
        for code, column in columns.items():
            shifts[code][:, unit] += column
        episodes.append(_entry(layout, unit, pattern.code, dates, pattern.description))
    for kind, (count, description) in LOOKALIKES.items():
        for _ in range(count):
            unit = int(next(chosen))
            start, columns = _lookalike(kind, rng)
            for code, column in columns.items():
                shifts[code][:, unit] += column
            lookalikes.append(_entry(layout, unit, kind, (start,), description))
    return Events(shifts, _table(episodes), _table(lookalikes), in_episode)


def _table(entries: list[dict[str, str]]) -> pd.DataFrame:
    columns = ["unit", "pattern", "start", "signal_from", "harm_from", "harm_to", "description"]
    return pd.DataFrame(entries, columns=columns, dtype=object).sort_values(["start", "unit"], ignore_index=True)


def _episode(
    pattern: Pattern, start: int, rng: np.random.Generator
) -> tuple[tuple[int, int, int, int], dict[str, np.ndarray]]:
    """Draw one episode: (start, first sign, harm from, harm to) and the log factors, each (MONTHS,)."""
    length = int(rng.integers(6, 13))
    signal = start + int(rng.integers(3, 6))
    harm_from = signal + int(rng.integers(6, 9))
    harm_to = harm_from + int(rng.integers(8, 11))
    growth = rng.uniform(*pattern.growth)
    harm = rng.uniform(*HARM)
    strength = rng.uniform(0.85, 1.15)
    surge = _ramp(start, start + length)
    signs = strength * _ramp(signal, signal + 4) * _decay(harm_to + 3)
    harmed = _ramp(harm_from, harm_to) * _decay(harm_to + 6)
    performing = _ramp(start, start + 4) * _decay(harm_to)
    diluted = -DILUTION * growth * surge * _decay(harm_from)
    columns = {
        "LOANS": growth * surge,
        "P01": 0.35 * growth * surge,
        "P03": -0.12 * signs,
        "P08": pattern.fees * performing,
        "U01": 0.25 * performing,
        "PROFIT": 0.10 * performing - 0.45 * harmed,
        "R01": diluted + harm * harmed,
        "R03": 0.6 * diluted + pattern.special_mention * signs + 0.45 * harm * harmed,
        "R04": 0.6 * diluted + pattern.overdue * signs + 0.55 * harm * harmed,
        "R12": pattern.extension * signs,
        "R11": pattern.collection * signs,
        "U04": pattern.complaints * signs,
        "H01": pattern.turnover * signs,
    }
    return (start, signal, harm_from, harm_to), columns


def _lookalike(kind: str, rng: np.random.Generator) -> tuple[int, dict[str, np.ndarray]]:
    """Draw one look-alike: its start and the log factors, each (MONTHS,)."""
    start = int(rng.integers(month(2018, 2), month(2023, 6)))
    if kind == "honest_growth":
        growth = rng.uniform(0.15, 0.28)
        surge = _ramp(start, start + int(rng.integers(6, 13)))
        quality = -DILUTION * growth * surge * (1 - _ramp(start + 6, start + 6 + SEASONING))
        return start, {
            "LOANS": growth * surge,
            "P01": 0.6 * growth * surge,
            "P08": 0.5 * growth * surge,
            "U01": 0.5 * growth * surge,
            "PROFIT": 0.5 * growth * surge,
            "R01": quality,
            "R03": quality,
            "R04": quality,
        }
    if kind == "npl_jump":
        jump = rng.uniform(0.45, 0.75) * _ramp(start, start + 1) * _decay(start + 6)
        return start, {"R01": jump, "R04": 0.7 * jump, "PROFIT": -0.15 * jump}
    if kind == "npl_transfer":
        sale = -rng.uniform(0.35, 0.6) * _ramp(start, start + 1)
        return start, {"R01": sale, "R04": sale, "R03": 0.2 * sale}
    burst = rng.uniform(0.8, 1.1) * _ramp(start, start + 2) * (1 - _ramp(start + 5, start + 8))
    return start, {"U04": burst}


def _ramp(start: int, end: int) -> np.ndarray:
    """Rise from 0 before `start` to 1 from `end` on: (MONTHS,)."""
    return np.clip((np.arange(MONTHS) - start + 1) / max(end - start, 1), 0.0, 1.0)


def _decay(start: int) -> np.ndarray:
    """Stay at 1 up to `start`, then fall exponentially: (MONTHS,)."""
    return np.exp(-np.maximum(np.arange(MONTHS) - start, 0) / DECAY)


def _entry(layout: Layout, unit: int, pattern: str, rows: Iterable[int], description: str) -> dict[str, str]:
    names = ("start", "signal_from", "harm_from", "harm_to")
    dates = dict.fromkeys(names, "") | {name: _period(row) for name, row in zip(names, rows, strict=False)}
    return {"unit": str(layout.codes[unit]), "pattern": pattern, "description": description} | dates


def _period(row: int) -> str:
    """Write a month, which may lie beyond the data."""
    if row < MONTHS:
        return PERIODS[row]
    year, number = divmod(row, 12)
    return f"{int(PERIODS[0][:4]) + year}-{number + 1:02d}"
