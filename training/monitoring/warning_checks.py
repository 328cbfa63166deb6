"""Checks of a warning model: its columns and probabilities, what reviewers made of its alerts, and what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import bdtr, logit, stdtr

from features.indicators import Title
from training.monitoring.drift import Column
from training.monitoring.drift_checks import drift_finding, nothing_newer
from training.monitoring.finding import Finding, too_little
from training.monitoring.noise import departure
from training.monitoring.rules import Rule
from training.monitoring.watched_warning import WarningWatch
from training.warning.track_record import wilson

RECENT_MONTHS = 12
"""Decisions of a year are recent: a whole season of alerts, and enough of them to count."""
PRIOR_CASES = 0.5
"""Added to both sides of a count, so that the ratio of none to some is a number (Jeffreys)."""
SMALLEST = 1e-6
"""Of a probability, so that its log-odds are a number."""
DIGITS = 4


def inputs(watch: WarningWatch, rule: Rule) -> Finding:
    """Hold the model's columns in the newest period against the same place of the years that it learned from."""
    if watch.model is None:
        return _no_model(watch, rule)
    if not watch.newer:
        return nothing_newer(rule, watch.name, watch.version)
    columns = [Column(name, watch.yearly(name), watch.learned) for name in watch.model.names]
    return drift_finding(rule, columns, model=watch.name, version=watch.version, period=watch.period)


def predictions(watch: WarningWatch, rule: Rule) -> Finding:
    """Hold the probabilities of the newest period against those of the same place of earlier years."""
    if watch.model is None:
        return _no_model(watch, rule)
    if not watch.model.answers:
        text = Title(en="No probability is shown, so none can drift.", zh="当前不显示概率，无从漂移。")
        return too_little(rule, watch.name, watch.version, text=text)
    if not watch.newer:
        return nothing_newer(rule, watch.name, watch.version)
    odds = logit(np.clip(watch.probabilities(), SMALLEST, 1 - SMALLEST))
    column = Column("probability", odds, watch.learned)
    return drift_finding(rule, [column], model=watch.name, version=watch.version, period=watch.period)


def alert_precision(watch: WarningWatch, rule: Rule) -> Finding:
    """Hold the share of listed alerts that reviewers confirmed within a year against what came before, or was promised.

    Units drawn from below the line and alerts that are being watched do not count.
    """
    decided = watch.decided
    counted = decided[decided["decision"].isin(["confirmed", "dismissed"]) & decided["listed"].astype(bool)]
    end = pd.Timestamp(watch.material.snapshot.description.calendar.end(watch.material.last), tz="UTC")
    newest = max([end, *counted["at"]]) if len(counted) else end
    late = counted["at"] > newest - pd.DateOffset(months=RECENT_MONTHS)
    recent, earlier = counted[late.to_numpy(dtype=bool)], counted[~late.to_numpy(dtype=bool)]
    hits, count = int((recent["decision"] == "confirmed").sum()), len(recent)
    before, of = int((earlier["decision"] == "confirmed").sum()), len(earlier)
    if count < rule.least:
        text = Title(
            en=f"{count} listed alerts were decided in the last {RECENT_MONTHS} months; {rule.least} show a share.",
            zh=f"近{RECENT_MONTHS}个月名单内预警仅有{count}项处置结论，至少需{rule.least}项。",
        )
        return too_little(rule, watch.name, watch.version, text=text, sample=count)
    promised = recent["probability"].to_numpy(dtype=float)
    on_record = of >= rule.least
    if not on_record and not np.isfinite(promised).any():
        text = Title(
            en=f"Of {count} listed alerts decided lately {hits} were confirmed; there is neither an earlier record nor "
            "a promised probability to hold that against.",
            zh=f"近期{count}项处置中{hits}项确认；尚无以往记录或承诺概率可供对照。",
        )
        return too_little(rule, watch.name, watch.version, text=text, sample=count)
    share = hits / count
    usual = before / of if on_record else float(np.nanmean(promised))
    p = _short_by_chance(hits, count, before if on_record else None, of, usual=usual, margin=rule.threshold[0])
    low, high = wilson(hits, count)
    held = Title(
        en=f"earlier {before} of {of}" if on_record else f"the probability shown, {usual:.0%} on average",
        zh=f"此前{of}项中{before}项" if on_record else f"所示概率平均{usual:.0%}",
    )
    text = Title(
        en=f"Of {count} listed alerts decided in the last {RECENT_MONTHS} months reviewers confirmed {hits} "
        f"({share:.0%}, {low:.0%} to {high:.0%}), against {held.en}.",
        zh=f"近{RECENT_MONTHS}个月名单内预警处置{count}项，确认{hits}项（{share:.0%}，区间{low:.0%}至{high:.0%}），"
        f"对照：{held.zh}。",
    )
    row = {"name": "confirmed", "decided": count, "confirmed": hits, "earlier": of, "earlier_confirmed": before}
    row |= {"share": share, "low": low, "high": high, "usual": usual, "p": p, "flagged": p <= rule.level}
    return Finding(
        check=rule.key,
        title=rule.title,
        model=watch.name,
        version=watch.version,
        measured=round(usual - share, DIGITS),
        threshold=rule.threshold,
        interval=(round(usual - high, DIGITS), round(usual - low, DIGITS)),
        sample=count,
        state="breach" if p <= rule.level else "ok",
        text=text,
        table=(row,),
        flagged=("confirmed",) if p <= rule.level else (),
    )


def outcomes(watch: WarningWatch, rule: Rule) -> Finding:
    """Hold the deteriorations that came since the model learned against how many it had promised."""
    if watch.model is None:
        return _no_model(watch, rule)
    if not watch.model.answers:
        text = Title(en="No probability is shown, so none can be held.", zh="当前不显示概率，无从对照。")
        return too_little(rule, watch.name, watch.version, text=text)
    rows = _by_year(watch)
    expected = sum(row["expected"] for row in rows)
    if expected < rule.least:
        text = Title(
            en=f"Of what the model answered since it learned, {expected:.1f} deteriorations were to be expected in "
            f"what is known by now; {rule.least} are needed.",
            zh=f"模型上线后结果已知的样本中，预期恶化数仅{expected:.1f}，至少需{rule.least}。",
        )
        return too_little(rule, watch.name, watch.version, text=text, sample=sum(row["units"] for row in rows))
    came = sum(row["came"] for row in rows)
    ratio = (came + PRIOR_CASES) / (expected + PRIOR_CASES)
    usual = _usual(watch)
    luck = departure(float(np.log(ratio)), usual).spread
    chance = 1 / np.sqrt(max(expected, 1.0))
    spread = float(np.hypot(chance, luck if np.isfinite(luck) else 0.0))
    degrees = max(len(usual) - 1, 2)
    p = 2 * float(stdtr(degrees, -abs(np.log(ratio)) / spread))
    limit = rule.threshold[0]
    breach = bool(p <= rule.level and (ratio >= limit or ratio <= 1 / limit))
    reach = 2 * spread
    text = Title(
        en=f"Since the model learned, {came:,.1f} units deteriorated where {expected:,.1f} were promised: {ratio:.2f} "
        f"times. By chance and the luck of the year, {np.exp(-reach):.2f} to {np.exp(reach):.2f} times is usual.",
        zh=f"模型学习之后实际恶化{came:,.1f}家，承诺数为{expected:,.1f}，即{ratio:.2f}倍；"
        f"仅由偶然与年景造成的惯常范围为{np.exp(-reach):.2f}至{np.exp(reach):.2f}倍。",
    )
    return Finding(
        check=rule.key,
        title=rule.title,
        model=watch.name,
        version=watch.version,
        measured=round(float(ratio), DIGITS),
        threshold=rule.threshold,
        interval=(round(float(ratio * np.exp(-reach)), DIGITS), round(float(ratio * np.exp(reach)), DIGITS)),
        sample=sum(row["units"] for row in rows),
        state="breach" if breach else "ok",
        text=text,
        table=tuple(row | {"flagged": breach} for row in rows),
        flagged=("deteriorations",) if breach else (),
    )


def _no_model(watch: WarningWatch, rule: Rule) -> Finding:
    text = Title(en="No warning model has been promoted.", zh="尚无在用的预警模型。")
    return too_little(rule, watch.name, watch.version, text=text)


def _short_by_chance(hits: int, count: int, before: int | None, of: int, *, usual: float, margin: float) -> float:
    """Give the chance of so few confirmed were the share only `margin` below the usual one, counted or stated."""
    floor = max(usual - margin, SMALLEST)
    if before is None:
        return float(bdtr(hits, count, floor))
    pooled = (hits + before + 2 * PRIOR_CASES) / (count + of + 4 * PRIOR_CASES)
    error = np.sqrt(pooled * (1 - pooled) * (1 / count + 1 / of))
    return float(stdtr(count + of - 2, (hits / count - floor) / max(error, SMALLEST)))


def _by_year(watch: WarningWatch) -> list[dict]:
    """Count units, by the year in which they were answered about: one row a unit and year, its last period known."""
    calendar, material = watch.material.snapshot.description.calendar, watch.material
    promised = watch.promised()
    known = np.isfinite(promised)
    years = np.asarray(calendar.year(np.arange(material.first, material.last + 1)))
    rows = []
    for year in np.unique(years[known.any(axis=1)]):
        mine = np.flatnonzero(years == year)
        seen = known[mine]
        # Periods of a year overlap in what they foretell: the mean over the year counts, so that units count once.
        count = np.maximum(seen.sum(axis=0), 1)
        units = seen.any(axis=0)
        expected = (np.where(seen, promised[mine], 0.0).sum(axis=0) / count)[units]
        came = (np.where(seen, watch.labels.y[mine] == 1, False).sum(axis=0) / count)[units]
        rows.append(
            {
                "name": str(year),
                "units": int(units.sum()),
                "expected": float(expected.sum()),
                "came": round(float(came.sum()), 1),
            }
        )
    return rows


def _usual(watch: WarningWatch) -> np.ndarray:
    """Give the log of how many times as many as on average deteriorated in each year learned from: (k,)."""
    calendar, material = watch.material.snapshot.description.calendar, watch.material
    known = material.labels_at(watch.fitted.origin)
    usable = known.known & material.leaves
    years = np.asarray(calendar.year(np.arange(material.first, material.last + 1)))
    rates = []
    for year in np.unique(years[usable.any(axis=1)]):
        mine = usable[years == year]
        came = float((known.y[years == year] == 1)[mine].sum())
        rates.append((came + PRIOR_CASES) / (float(mine.sum()) + 2 * PRIOR_CASES))
    rates = np.array(rates)
    return np.log(rates / rates.mean()) if len(rates) else np.zeros(0)
