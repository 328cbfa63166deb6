"""What a backtest says, in sentences for people who are not statisticians, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from models.judging.fairness import GAP, INTERVAL
from models.levels import LEAVES
from models.policy.targets import DEFAULT_POLICY
from training.backtest import EVERY_INDICATOR, Backtest
from training.question import LOADLINE, REFERENCE

SAME = 0.01
"""Losses within one percent of each other are called the same: the choice of years makes more difference."""

HONEST_COVERAGE = (0.77, 0.85)
"""An 80% band that held 77% to 85% of outcomes is called honest: what a few dozen units over a few years can show."""

NEARLY_HONEST = 0.04
"""Points outside that range that are worth a remark and no alarm."""

KEPT = 0.04
"""A promise kept to within four points is called kept."""

RATCHET_LIMIT = 0.05
"""A gap of five points between units of slow and of fast past growth is what equal difficulty reached where targets by
own trend left 25."""

FEW_YEARS = 6
"""With fewer years a reader is told that they prove little: units of a year share its luck."""

NAMES = {
    LOADLINE: ("Loadline", "Loadline"),
    REFERENCE: ("pooled growth", "历史平均增速"),
    "last_year_plus": ("last year + x%", "上年加固定增幅"),
    "uniform_uplift": ("uniform uplift", "统一增幅"),
    "market_share": ("market share", "市场份额法"),
    "own_drift": ("own drift", "自身趋势"),
    "auto_ets": ("AutoETS", "AutoETS"),
    "auto_arima": ("AutoARIMA", "AutoARIMA"),
}
"""What readers call the models."""

Mark = Literal["good", "middling", "bad", "plain"]


@dataclass(frozen=True)
class Statement:
    """One finding: a figure to show large, what it is, and a sentence; `mark` says whether it is good news."""

    figure: str
    label: tuple[str, str]
    en: str
    zh: str
    mark: Mark


def name_of(model: str) -> str:
    """Give a model's name in both languages, once where they agree.

    >>> name_of("own_drift")
    'own drift · 自身趋势'
    """
    english, chinese = NAMES.get(model, (model, model))
    return english if english == chinese else f"{english} · {chinese}"


def base_level(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the leaves; all rows where there are none."""
    leaves = frame[frame["level"] == LEAVES]
    return leaves if len(leaves) else frame


def versus_loadline(summary: pd.DataFrame) -> pd.Series:
    """Give every other model's loss over Loadline's, the geometric mean over the indicators that both answered for.

    Of the leaves; the best first. Above 1, Loadline is better.
    """
    ratios = base_level(summary).pivot_table(index=["indicator", "level"], columns="model", values="loss_ratio")
    if LOADLINE not in ratios:
        return pd.Series(dtype=float)
    logs = ratios.map(np.log)
    return logs.sub(logs[LOADLINE], axis=0).drop(columns=LOADLINE).mean().map(np.exp).sort_values()


def verdict(backtest: Backtest) -> list[Statement]:
    """Say what the backtest shows, the most important first."""
    summary = backtest.summary()
    own = base_level(summary[summary["model"] == LOADLINE])
    if own.empty:
        return []
    said = [_loss(own, backtest), _coverage(own), _promises(own)]
    ratchet = _ratchet(backtest.fairness)
    return said + ([ratchet] if ratchet is not None else [])


def cautions(backtest: Backtest) -> list[tuple[str, str]]:
    """Say what the figures cannot show, in both languages."""
    summary, years = backtest.summary(), backtest.metrics["year"].nunique()
    out = []
    others = versus_loadline(summary).drop(REFERENCE, errors="ignore")
    better = [NAMES.get(str(name), (str(name),) * 2) for name in others.index[others < 1 - SAME]]
    if better:
        out.append(
            (
                f"Of the other rules, {_list([n[0] for n in better])} did better than Loadline here.",
                f"本次回测中，{'、'.join(n[1] for n in better)}优于 Loadline。",
            )
        )
    elif len(others):
        best = NAMES.get(str(others.index[0]), (str(others.index[0]),) * 2)
        change = float(others.iloc[0]) - 1
        out.append(
            (
                f"None of the other rules did better than Loadline; the error of the best of them, {best[0]}, is "
                f"{_more_or_less(change)}.",
                f"其余做法均未优于 Loadline；其中最好的{best[1]}，误差与 Loadline 相比{_zh_more_or_less(change)}。",
            )
        )
    swing = swings(backtest.calibration)
    if swing is not None:
        plain, given = (100 * s for s in swing)
        out.append(
            (
                "Years differ because units share their luck: the share that attained a target promised at 70% moved "
                f"by {plain:.0f} points from year to year, and by {given:.0f} once the group's own outcome is known.",
                f"各机构共享当年环境：承诺 70% 的目标，其实际达成比例在年度之间波动约 {plain:.0f} 个百分点；"
                f"已知全行结果后，波动降至 {given:.0f} 个百分点。",
            )
        )
    if years < FEW_YEARS:
        out.append(
            (
                f"Past years replayed: {years}. From so few, differences of some percent prove little.",
                f"仅回放了 {years} 个历史年度：几个百分点的差异不足以下结论。",
            )
        )
    return out


def swings(calibration: pd.DataFrame, *, promise: float = 0.7) -> tuple[float, float] | None:
    """Give the deviation over years of the share that attained a promise, and the same given the group's outcome.

    Both are averages over the indicators of the leaves that have three years or more; None where none has.
    """
    if calibration.empty:
        return None
    rows = base_level(calibration[np.isclose(calibration["point"], promise)])
    wide = rows[rows["kind"] != "pit"].pivot_table(index=["indicator", "level", "year"], columns="kind", values="share")
    if "attained_given_group" not in wide or "attained" not in wide:
        return None
    years = wide.dropna().groupby(level=["indicator", "level"])
    spread = years.std()[years.size() >= 3]
    if spread.empty:
        return None
    return float(spread["attained"].mean()), float(spread["attained_given_group"].mean())


def _loss(own: pd.DataFrame, backtest: Backtest) -> Statement:
    ratios = own.set_index("indicator")["loss_ratio"]
    change = float(np.exp(np.log(ratios).mean())) - 1
    worse = ratios[ratios > 1 + SAME].sort_values(ascending=False)
    better, same = int((ratios < 1 - SAME).sum()), int(ratios.between(1 - SAME, 1 + SAME).sum())
    named = [f"{code} (+{value - 1:.0%})" for code, value in worse.head(5).items()]
    more = len(worse) - len(named)
    where_en = f" ({_list(named)}{f' and {more} more' if more else ''})" if named else ""
    where_zh = f"（{'、'.join(named)}{'等' if more else ''}）" if named else ""
    years = backtest.metrics["year"].nunique()
    return Statement(
        f"{change:+.0%}",
        ("forecast error against the usual rule", "预测误差（与常用做法相比）"),
        f"Loadline's forecast error is {_more_or_less(change)} than that of the usual rule (last year times the "
        f"group's growth in past years), over {len(ratios)} indicator{'s' if len(ratios) != 1 else ''} and {years} "
        f"year{'s' if years != 1 else ''}: smaller for {better}, the same for {same}, larger for "
        f"{len(worse)}{where_en}.",
        f"与常用做法（上年数 × 群体历史增速）相比，Loadline 的预测误差{_zh_more_or_less(change)}"
        f"（{len(ratios)} 项指标、{years} 个年度）：{better} 项更优，{same} 项相当，{len(worse)} 项较差{where_zh}。",
        "good" if change < -SAME else "bad" if change > SAME else "middling",
    )


def _coverage(own: pd.DataFrame) -> Statement:
    held = float(own["coverage"].mean())
    low, high = HONEST_COVERAGE
    word = ("as promised", "符合承诺") if low <= held <= high else None
    word = word or (("too narrow", "区间偏窄") if held < low else ("wider than need be", "区间偏宽"))
    return Statement(
        f"{held:.0%}",
        ("of outcomes in the 80% band", "实际值落入 80% 区间"),
        f"Of outcomes, {held:.0%} lay in the band that was to hold 80%: {word[0]}.",
        f"名义 80% 的区间实际覆盖了 {held:.0%} 的结果：{word[1]}。",
        "good" if low <= held <= high else "middling" if held > low - NEARLY_HONEST else "bad",
    )


def _promises(own: pd.DataFrame) -> Statement:
    promised = DEFAULT_POLICY.levels.as_dict()
    came = {name: float(own[f"attained_{name}"].mean()) for name in promised}
    worst = max(abs(came[name] - promised[name]) for name in promised)
    want, got = (" / ".join(f"{values[name]:.0%}" for name in promised) for values in (promised, came))
    word = ("within four points", "误差不超过四个百分点") if worst <= KEPT else None
    word = word or (f"off by up to {100 * worst:.0f} points", f"最大偏差 {100 * worst:.0f} 个百分点")
    return Statement(
        f"{came['target']:.0%}",
        ("attained the target promised at 60%", "达成承诺概率 60% 的目标"),
        f"Floor, target and stretch were to be attained by {want} of units, and were attained by {got}: {word[0]}.",
        f"基础、目标、挑战三档承诺的达成比例为 {want}，实际为 {got}：{word[1]}。",
        "good" if worst <= KEPT else "middling" if worst <= 2 * KEPT else "bad",
    )


def _ratchet(fairness: pd.DataFrame) -> Statement | None:
    rows = fairness[(fairness["indicator"] == EVERY_INDICATOR) & (fairness["target_level"] == "target")]
    rows = rows[(rows["dimension"] == "past_growth") & (rows["group"] == GAP)].set_index("model")
    if LOADLINE not in rows.index:
        return None
    gap, low, high = (100 * float(rows.loc[LOADLINE, name]) for name in ("versus_others", "low", "high"))  # type: ignore[arg-type]
    limit = 100 * RATCHET_LIMIT
    inside = abs(gap) <= limit
    known = bool(np.isfinite(low) and np.isfinite(high))
    chance = not inside and (not known or (low <= limit and high >= -limit))
    doubt = (", though so few years can show that by chance", "，但年度较少，可能出于偶然") if chance else ("", "")
    share = INTERVAL[1] - INTERVAL[0]
    span_en = f" ({share:.0%} interval {low:+.0f} to {high:+.0f})" if known else ""
    span_zh = f"（{share:.0%} 区间 {low:+.0f} 至 {high:+.0f}）" if known else ""
    who = ("less", "低") if gap > 0 else ("more", "高")
    return Statement(
        f"{abs(gap):.0f} pt",
        ("gap between fast and slow growers", "快慢增长机构的达成差距"),
        f"Units that had grown fast attained their target {abs(gap):.0f} points {who[0]} often than units that had "
        f"grown slowly{span_en}: {'within' if inside else 'beyond'} the five points that count as fair"
        f"{doubt[0]}.",
        f"过去增长快的机构，目标达成率比增长慢的机构{who[1]} {abs(gap):.0f} 个百分点{span_zh}："
        f"{'在' if inside else '超出'}五个百分点的公平界限{'之内' if inside else ''}"
        f"{doubt[1]}。",
        "good" if inside else "middling" if chance or abs(gap) <= 2 * limit else "bad",
    )


def _more_or_less(change: float) -> str:
    if abs(change) < 0.005:
        return "no different"
    return f"{abs(change):.0%} {'smaller' if change < 0 else 'larger'}"


def _zh_more_or_less(change: float) -> str:
    if abs(change) < 0.005:
        return "基本相同"
    return f"{'低' if change < 0 else '高'} {abs(change):.0%}"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
