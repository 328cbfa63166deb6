"""Checks of a target model by what came: the growth of the whole, and what its bands held once that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from features.indicators import Title
from models.judging.metrics import INTERVAL, covered, mean_known
from models.judging.origin_score import realised_common
from models.outcome.shock import FEWEST_DEGREES
from training.monitoring.finding import Finding, some, too_little
from training.monitoring.noise import Average, adjusted, average
from training.monitoring.rules import Rule
from training.monitoring.watched import JudgedYear, TargetWatch

BAND = INTERVAL[1] - INTERVAL[0]
MEDIAN_NOISE = np.pi / 2
"""Variance of a median of normal figures over that of their mean."""
DIGITS = 4


def common_growth(watch: TargetWatch, rule: Rule) -> Finding:
    """Hold the growth of all units together, in each year that is over, against what the model had thought possible."""
    name, version = watch.standing.name, watch.standing.version
    rows = [row for row in (_common(judged, rule.least) for judged in watch.judged) if row is not None]
    if not rows:
        return _no_year(rule, watch)
    raised = adjusted(np.array([row["p"] for row in rows]))
    limit = rule.threshold[0]
    rows = [row | {"adjusted_p": float(p), "flagged": bool(p <= limit)} for row, p in zip(rows, raised, strict=True)]
    rows.sort(key=lambda row: (row["p"], row["name"], row["year"]))
    flagged = tuple(dict.fromkeys(row["name"] for row in rows if row["flagged"]))
    first = rows[0]
    asked = sorted({row["year"] for row in rows})
    years = f"{asked[0]}" if len(asked) == 1 else f"{asked[0]} to {asked[-1]}"
    years_zh = f"{asked[0]}年" if len(asked) == 1 else f"{asked[0]}至{asked[-1]}年"
    if flagged:
        text = Title(
            en=f"In {years} the units of {some(flagged)} grew together as the model had hardly thought possible. "
            f"{first['name']} in {first['year']}: {first['score']:+.1f} of what was taken for a standard deviation "
            f"from the middle of what was expected; {first['covered']:.0%} of units ended inside the 80% band.",
            zh=f"{years_zh}，{some(flagged)}的整体增长几乎超出模型预计的可能范围。{first['name']}在{first['year']}年偏离预期"
            f"中值{first['score']:+.1f}个标准差，仅{first['covered']:.0%}的单位落入80%区间。",
        )
    else:
        text = Title(
            en=f"In {years} the units of each of {len(rows)} indicators and years grew together as far as the model "
            "had thought possible.",
            zh=f"{years_zh}，{len(rows)}个指标年度的整体增长均在模型预计的可能范围内。",
        )
    return Finding(
        check=rule.key,
        title=rule.title,
        model=name,
        version=version,
        measured=round(float(np.nanmin(raised)), DIGITS),
        threshold=rule.threshold,
        interval=None,
        sample=sum(row["units"] for row in rows),
        state="breach" if flagged else "ok",
        text=text,
        table=tuple(rows),
        flagged=flagged,
    )


def coverage(watch: TargetWatch, rule: Rule) -> Finding:
    """Hold the share of outcomes inside the 80% band, given the year's common growth, against what it promised."""
    name, version = watch.standing.name, watch.standing.version
    by_code: dict[str, list[JudgedYear]] = {}
    for judged in watch.judged:
        by_code.setdefault(judged.code, []).append(judged)
    rows = [row for code, years in by_code.items() if (row := _covered(code, years, rule)) is not None]
    if not rows:
        return _no_year(rule, watch)
    low, high = rule.threshold
    raised = adjusted(np.array([row["p"] for row in rows]))
    rows = [
        row | {"adjusted_p": float(p), "flagged": bool(p <= rule.level)} for row, p in zip(rows, raised, strict=True)
    ]
    rows.sort(key=lambda row: (row["p"], row["name"]))
    flagged = tuple(row["name"] for row in rows if row["flagged"])
    first = rows[0]
    plain = float(np.mean([row["covered"] for row in rows]))
    given = float(np.mean([row["given_group"] for row in rows]))
    usual = Title(
        en=f"Over {len(rows)} indicators the 80% band held {plain:.0%} of outcomes, {given:.0%} once the growth of the "
        "whole is taken as known.",
        zh=f"{len(rows)}项指标的80%区间平均覆盖{plain:.0%}的结果，剔除整体增长后为{given:.0%}。",
    )
    if flagged:
        text = Title(
            en=f"{usual.en} Outside {low:.0%} to {high:.0%} beyond noise: {some(flagged)}; {first['name']} held "
            f"{first['given_group']:.0%} ({first['low']:.0%} to {first['high']:.0%}).",
            zh=f"{usual.zh}显著超出{low:.0%}至{high:.0%}的有：{some(flagged)}；其中{first['name']}为"
            f"{first['given_group']:.0%}（{first['low']:.0%}至{first['high']:.0%}）。",
        )
    else:
        text = usual
    return Finding(
        check=rule.key,
        title=rule.title,
        model=name,
        version=version,
        measured=round(first["given_group"], DIGITS),
        threshold=rule.threshold,
        interval=(round(first["low"], DIGITS), round(first["high"], DIGITS)),
        sample=sum(row["outcomes"] for row in rows),
        state="breach" if flagged else "ok",
        text=text,
        table=tuple(rows),
        flagged=flagged,
    )


def common_departure(judged: JudgedYear) -> tuple[float, float]:
    """Give how far the year's common growth lay from its middle, in deviations of what the model thought possible.

    Returns
    -------
    score, p : float
        The deviations, and the chance of so many or more by the model's own account: Student's t as its shock is, or
        flatter. That the middle of few units is noisy itself is added to the deviation.
    """
    spread = judged.distribution.spread
    degrees = max(judged.years - 1, FEWEST_DEGREES)
    low, middle, high = np.quantile(spread.shock, (0.1, 0.5, 0.9))
    scale = (high - low) / (2 * stdtrit(degrees, 0.9))
    seen = np.isfinite(judged.actual) & judged.distribution.known
    own = float(np.median(spread.scale[seen])) * float(np.std(spread.residual)) if seen.any() else float("nan")
    noise = np.sqrt(scale**2 + MEDIAN_NOISE * own**2 / max(int(seen.sum()), 1))
    score = (realised_common(judged.distribution, judged.actual) - middle) / noise
    return float(score), float(2 * stdtr(degrees, -abs(score)))


def _common(judged: JudgedYear, least: int) -> dict[str, Any] | None:
    held = covered(judged.distribution, judged.actual)
    units = int(np.isfinite(held).sum())
    if units < least or len(np.unique(judged.distribution.spread.shock)) < 2:
        return None
    score, p = common_departure(judged)
    if not np.isfinite(p):
        return None
    return {
        "name": judged.code,
        "year": judged.year,
        "units": units,
        "score": score,
        "p": p,
        "covered": mean_known(held),
        "restated": judged.restated,
    }


def given_group(judged: JudgedYear) -> np.ndarray:
    """Tell (U,) whether the outcome lay in the 80% band once the year's common growth is taken as known."""
    common = realised_common(judged.distribution, judged.actual)
    if not np.isfinite(common):
        return np.full(len(judged.actual), np.nan)
    return covered(judged.distribution.given_common(common), judged.actual)


def by_region_and_year(years: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
    """Number the regions (n,) of several years, each region anew in each year."""
    most = max(int(groups.max(initial=0)) for _, groups in years) + 2
    return np.concatenate([place * most + groups + 1 for place, (_, groups) in enumerate(years)])


def _covered(code: str, years: list[JudgedYear], rule: Rule) -> dict[str, Any] | None:
    held = np.concatenate([covered(judged.distribution, judged.actual) for judged in years])
    given = np.concatenate([given_group(judged) for judged in years])
    if int(np.isfinite(given).sum()) < rule.least:
        return None
    groups = by_region_and_year([(judged.year, judged.groups) for judged in years])
    found: Average = average(given, groups, least_variance=BAND * (1 - BAND))
    low, high = found.interval(rule.level)
    return {
        "name": code,
        "years": len(years),
        "outcomes": found.count,
        "covered": mean_known(held),
        "given_group": found.mean,
        "low": max(low, 0.0),
        "high": min(high, 1.0),
        "p": found.beyond(*rule.threshold),
    }


def _no_year(rule: Rule, watch: TargetWatch) -> Finding:
    text = Title(
        en="No year that the model foretold has ended with enough outcomes yet.",
        zh="模型所预测的年度尚无足够的实际结果。",
    )
    return too_little(rule, watch.standing.name, watch.standing.version, text=text)
