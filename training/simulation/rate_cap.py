"""A cap on a rate: income from what was charged above it is gone, from a period on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from features.panel import Panel
from models.measures import measure_words
from training.simulation.change_file import RateCap
from training.simulation.reworked import Rework, Reworked
from training.simulation.setting import Effect, Setting
from training.simulation.tables import periods_of
from training.simulation.yardsticks import moved_targets


def simulate_rate_cap(setting: Setting, change: RateCap) -> Effect:
    """Replay with the income that would have been left.

    Returns
    -------
    Effect
        With the tables `effect` (unit, period, `regime`: 1 from the cap on, rate and income before and after) and
        `targets` (what targets of income would have to be moved by to ask for as much as before).

    Raises
    ------
    LoadlineError
        Where an indicator is unknown, the income is no flow, or the change begins after all periods replayed.
    """
    start = setting.starting(change.start)
    since = setting.since(start)
    for name, code in (("income", change.income), *(("also", code) for code in change.also)):
        if setting.indicator(code, field_name=name).kind != "flow":
            raise LoadlineError(f"{code} is no flow", where=name, hint="Name what is summed over the year, as income.")
    below = change.rate or change.volume or ""
    setting.indicator(below, field_name="rate" if change.rate else "volume")
    whom = setting.affected(change.applies_to)
    needed = [change.income, below, *change.also]
    other = Reworked.of(setting.snapshot, capped(change, start, whom), needed=needed)
    after = setting.with_earlier(setting.replayed(setting.after, since, snapshot=other), start)
    table = _effect_table(setting, change, start, whom, last=since[-1])
    lost = table[["income_before", "income_after"]].sum()
    gone = float(lost["income_before"] - lost["income_after"])
    share = gone / float(lost["income_before"]) if lost["income_before"] else 0.0
    hit = int(table.loc[table["income_after"] < table["income_before"], "unit"].nunique())
    units = int(table["unit"].nunique())
    income = setting.snapshot.indicators[change.income]
    unit = measure_words(income, "after")
    said = Title(
        en=f"With rates held at {change.cap}% from {change.start}, {hit} of {units} units lose "
        f"{gone:,.2f}{unit['en']} of {income.name.en.lower()}, {share:.1%} of it.",
        zh=f"自{change.start}起利率上限为{change.cap}%：{units}家单位中{hit}家的{income.name.zh}合计减少"
        f"{gone:,.2f}{unit['zh']}，占{share:.1%}。",
    )
    tables = {"effect": table}
    targets = moved_targets(setting, other, since, [change.income, *change.also])
    if targets is not None:
        tables["targets"] = targets
    return Effect(setting.present(), after, tables, (said,))


def capped(change: RateCap, start: int, whom: np.ndarray) -> Rework:
    """Give what takes away the income above the cap, and the rate with it."""

    def rework(panel: Panel) -> Mapping[str, np.ndarray]:
        keep = _kept_part(panel, change, start, whom)
        income = panel.array(change.income)
        gone = income * (1 - keep)
        changed = {change.income: income - gone}
        changed |= {code: panel.array(code) - gone for code in change.also}
        if change.rate is not None:
            changed[change.rate] = panel.array(change.rate) * keep
        return changed

    return rework


def rate_of(panel: Panel, change: RateCap) -> np.ndarray:
    """Give the rate (P, U) in percent a year."""
    if change.rate is not None:
        return panel.array(change.rate)
    volume = panel.array(change.volume or "")
    yearly = panel.array(change.income) * panel.calendar.per_year
    return 100 * np.divide(yearly, volume, out=np.full(volume.shape, np.nan), where=volume > 0)


def _kept_part(panel: Panel, change: RateCap, start: int, whom: np.ndarray) -> np.ndarray:
    """Give the part (P, U) of the income that is left; 1 where nothing is above the cap or the rate is not known."""
    rate, cap = rate_of(panel, change), float(change.cap)
    over = (rate > cap) & whom & (panel.ordinals >= start)[:, None]
    return np.where(over, 1 - change.share * (1 - cap / np.where(over, rate, cap)), 1.0)


def _effect_table(setting: Setting, change: RateCap, start: int, whom: np.ndarray, *, last: int) -> pd.DataFrame:
    snapshot = setting.snapshot
    codes = [code for code in (change.income, change.rate, change.volume) if code is not None]
    panel = snapshot.panel(last, known_on=setting.known_on or date.max, indicators=codes)
    keep, rate = _kept_part(panel, change, start, whom), rate_of(panel, change)
    income = panel.array(change.income)
    shown = np.isin(panel.ordinals, [*setting.periods])[:, None] & whom & np.isfinite(income) & np.isfinite(rate)
    row, unit = np.nonzero(shown)
    return pd.DataFrame(
        {
            "unit": panel.units.to_numpy()[unit],
            "period": periods_of(pd.Series(panel.ordinals[row]), panel.calendar.format),
            "regime": (panel.ordinals[row] >= start).astype(int),
            "rate_before": rate[row, unit],
            "rate_after": (rate * keep)[row, unit],
            "income_before": income[row, unit],
            "income_after": (income * keep)[row, unit],
        }
    )
