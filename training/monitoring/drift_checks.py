"""Checks of drift: whether the newest year of what a model reads, or says, is like the years it learned from.

Common to both kinds of model; the sentences say which columns moved and by how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from features.indicators import Title
from training.monitoring.drift import Column, drifts
from training.monitoring.finding import Finding, some, too_little
from training.monitoring.rules import Rule
from training.monitoring.watched import TargetWatch, WatchedLevel

SHOWN = 60
"""Columns in the table of a finding, the most unusual first."""
PREDICTED_YEARS = 10
"""Past years that the model is asked about again: enough to know what is usual, few enough to be quick."""


def target_inputs(watch: TargetWatch, rule: Rule) -> Finding:
    """Hold the growth of the newest year against that of the years learned from, and the share of figures that came."""
    standing = watch.standing
    if not watch.newer:
        return nothing_newer(rule, standing.name, standing.version)
    columns = [Column(level.code, level.growth, level.learned[1:]) for level in watch.levels if not level.learned[-1]]
    return drift_finding(rule, columns, model=standing.name, version=standing.version, period=watch.period)


def target_predictions(watch: TargetWatch, rule: Rule) -> Finding:
    """Hold what the model expects now against what it expects of past years: growth within the group, and its width."""
    standing = watch.standing
    if not watch.newer:
        return nothing_newer(rule, standing.name, standing.version)
    columns: list[Column] = []
    for level in watch.levels:
        if not level.learned[-1]:
            columns += predicted_columns(level)
    return drift_finding(rule, columns, model=standing.name, version=standing.version, period=watch.period)


def predicted_columns(level: WatchedLevel) -> list[Column]:
    """Ask the model about each of the last years as if it were the next: (T, U) growth expected, and width."""
    rows = np.arange(len(level.problem.years))[-PREDICTED_YEARS:]
    growth = np.full((len(rows), len(level.problem.units)), np.nan)
    width = growth.copy()
    for place, row in enumerate(rows):
        past = level.problem.at(int(row))
        found = level.model.predict(past)
        base = found.transform.latent(past.base[-1])
        growth[place] = found.location - base
        width[place] = np.where(np.isfinite(base), found.spread.scale, np.nan)
    learned = level.learned[rows]
    widths = np.log(np.where(width > 0, width, np.nan))
    columns = [Column(f"{level.code} expected", growth, learned), Column(f"{level.code} width", widths, learned)]
    # A column that never differs between units, such as the growth that pooled growth expects, shows no drift.
    return [column for column in columns if np.nanmax(np.abs(column.values), initial=0.0) > 0]


def drift_finding(rule: Rule, columns: Iterable[Column], *, model: str, version: str, period: str) -> Finding:
    """Judge the drift of some columns, corrected for their number."""
    rows = drifts(columns, least_years=rule.least)
    judged = [row for row in rows if np.isfinite(row["p"])]
    limit = rule.threshold[0]
    if not judged:
        most = max((row["years"] for row in rows), default=0)
        text = Title(
            en=f"The model has learned from {most} comparable years; {rule.least} show what is usual.",
            zh=f"可比的学习年份仅{most}年，至少需{rule.least}年方可判断惯常差异。",
        )
        return too_little(rule, model, version, text=text, sample=most)
    flagged = tuple(row["name"] for row in judged if row["adjusted_p"] <= limit and row["material"])
    smallest = min((float(row["adjusted_p"]) for row in judged if row["material"]), default=1.0)
    years = min(row["years"] for row in judged)
    return Finding(
        check=rule.key,
        title=rule.title,
        model=model,
        version=version,
        measured=round(smallest, 4),
        threshold=rule.threshold,
        interval=None,
        sample=years,
        state="breach" if flagged else "ok",
        text=_said(flagged, judged, period),
        table=tuple(row | {"flagged": row["name"] in flagged} for row in rows[: max(SHOWN, len(flagged))]),
        flagged=flagged,
    )


def nothing_newer(rule: Rule, model: str, version: str) -> Finding:
    """Say that the model has learned from everything there is."""
    text = Title(
        en="The model has learned from the newest figures; there is nothing newer to hold against them.",
        zh="模型已包含最新数据，暂无更新的数据可供比较。",
    )
    return too_little(rule, model, version, text=text)


def _said(flagged: tuple[str, ...], judged: list[dict[str, Any]], period: str) -> Title:
    if not flagged:
        return Title(
            en=f"As of {period}, none of {len(judged)} columns differs more from the years learned from than those "
            "differ from one another.",
            zh=f"截至{period}，{len(judged)}列数据与学习年份的差异均未超过各年之间的惯常差异。",
        )
    first = next(row for row in judged if row["name"] == flagged[0])
    return Title(
        en=f"As of {period}, {len(flagged)} of {len(judged)} columns differ more from the years learned from than "
        f"those differ from one another: {some(flagged)}. {first['name']}: stability index {first['psi']:.2f} "
        f"(usually {first['usual_psi']:.2f}), middle {first['middle']:.3g} against {first['usual_middle']:.3g} "
        f"± {first['spread_of_middles']:.2g}.",
        zh=f"截至{period}，{len(judged)}列数据中有{len(flagged)}列与学习年份的差异超过各年之间的惯常差异："
        f"{some(flagged)}。其中{first['name']}：稳定性指数{first['psi']:.2f}（往年{first['usual_psi']:.2f}），"
        f"中位数{first['middle']:.3g}，往年{first['usual_middle']:.3g}±{first['spread_of_middles']:.2g}。",
    )
