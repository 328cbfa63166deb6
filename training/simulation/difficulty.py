"""How hard targets are to attain when the probabilities of their levels change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from features.indicators import Indicator, Title
from features.snapshot import Snapshot
from models.levels import target_codes
from models.outcome.distribution import TargetLevels
from models.policy.document import Policy
from models.suggestion import suggest
from training.progress import Progress, silent
from training.suggest import year_distributions

NAMES = ("floor", "target", "stretch")
LEVEL_NAMES = {"floor": "基础目标", "target": "目标", "stretch": "挑战目标"}


def difficulty(
    snapshot: Snapshot,
    before: Policy,
    after: Policy,
    *,
    home: Path,
    known_on: date | None = None,
    progress: Progress = silent,
) -> pd.DataFrame | None:
    """Suggest next year's levels under both policies, from the same distributions.

    Only indicators that are on a scorecard of either policy and may have targets; the champion answers where it may.

    Parameters
    ----------
    snapshot : Snapshot
    before, after : Policy
    home : Path
        Where promoted models are kept.
    known_on : date, optional
        Leave out what became known after this day.
    progress : Progress

    Returns
    -------
    pd.DataFrame or None
        `unit, indicator, year, level, probability_before, probability_after, value_before, value_after, p_before,
        p_after`: the last two are the probabilities of attaining the values as stated. None where the levels are the
        same, or no item may have a target.
    """
    levels = before.target_policy.levels, after.target_policy.levels
    if levels[0] == levels[1]:
        return None
    panel = snapshot.panel(snapshot.span[1], known_on=known_on or date.max)
    items = {item.indicator for policy in (before, after) for card in policy.scorecards for item in card.items}
    codes = [code for code in target_codes(panel) if code in items]
    if not codes:
        return None
    year = int(panel.calendar.year(panel.last + 1))
    parts = year_distributions(snapshot, panel, year, home=home, origin=panel.last, codes=codes, progress=progress)
    found = [_rows([suggest(part.level, part.distribution, asked) for asked in levels], levels) for part in parts]
    if not found:
        return None
    table = pd.concat(found, ignore_index=True)
    table.insert(2, "year", year)
    return table


def difficulty_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up by indicator and level: how many units, and the median change of what is asked, in percent."""
    size = table["value_before"].abs()
    change = 100 * (table["value_after"] - table["value_before"]) / size.where(size > 0)
    keys = ["indicator", "level", "probability_before", "probability_after"]
    grouped = table.assign(change=change).groupby(keys, sort=False)["change"]
    return grouped.agg(units="size", median_change="median").reset_index()


def difficulty_sentences(table: pd.DataFrame, indicators: Mapping[str, Indicator]) -> Iterator[Title]:
    """Say what each indicator's levels would ask for."""
    summary = difficulty_summary(table)
    summary = summary[summary["probability_before"] != summary["probability_after"]]
    for code, rows in summary.groupby("indicator", sort=False):
        units = int(rows["units"].max())
        name = indicators[str(code)].name
        moved = list(rows.itertuples())
        en = ", ".join(
            f"{r.level} {r.probability_before:.0%} -> {r.probability_after:.0%}: {r.median_change:+.2f}%" for r in moved
        )
        zh = "，".join(
            f"{LEVEL_NAMES[str(r.level)]}{r.probability_before:.0%}→{r.probability_after:.0%}：{r.median_change:+.2f}%"
            for r in moved
        )
        yield Title(
            en=f"{name.en}, next year's targets by probability of attaining them ({units:,} units, median change of "
            f"what is asked): {en}.",
            zh=f"{name.zh}下年度目标（{units:,}家单位，目标值中位变动，按达成概率）：{zh}。",
        )


def _rows(frames: Sequence[pd.DataFrame], levels: tuple[TargetLevels, TargetLevels]) -> pd.DataFrame:
    old, new = frames
    made = [
        pd.DataFrame(
            {
                "unit": old["unit"],
                "indicator": old["indicator"],
                "level": name,
                "probability_before": levels[0].as_dict()[name],
                "probability_after": levels[1].as_dict()[name],
                "value_before": old[name],
                "value_after": new[name],
                "p_before": old[f"p_{name}"],
                "p_after": new[f"p_{name}"],
            }
        )
        for name in NAMES
    ]
    return pd.concat(made, ignore_index=True).dropna(subset=["value_before", "value_after"])
