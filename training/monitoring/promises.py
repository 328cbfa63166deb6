"""Targets on record and what came of them: what was promised, what was attained, and both once the year is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, Title
from models.judging.origin_score import realised_common
from models.levels import LEAVES, levels_of
from models.outcome.distribution import TargetDistribution, TargetLevels
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel
from training.monitoring.finding import Finding, some, too_little
from training.monitoring.noise import adjusted, average
from training.monitoring.outcome_checks import DIGITS, by_region_and_year
from training.monitoring.rules import Rule
from training.monitoring.standing import SEED
from training.monitoring.watched import JudgedYear, TargetWatch, kin, outcomes_of
from training.scoring.archive import TARGETS, read_closed
from training.scoring.closings import closings
from training.target_model import level_seed

MOST_YEARS = 4
"""Years of targets on record that are judged: a model has changed since those before."""
SUGGESTIONS = "suggestions"


@dataclass(frozen=True, eq=False)
class JudgedTargets:
    """Targets of one indicator and year, and whether they were attained.

    Attributes
    ----------
    code : str
    year : int
    promised : np.ndarray
        (n,) probability of attaining, as it was stated.
    given_group : np.ndarray
        (n,) the same once the year's common growth is taken as known.
    attained : np.ndarray
        (n,) 0 or 1.
    groups : np.ndarray
        (n,) whole numbers: the unit right above each.
    on_record : bool
        False for what the model would have promised, where no target is on record.
    """

    code: str
    year: int
    promised: np.ndarray
    given_group: np.ndarray
    attained: np.ndarray
    groups: np.ndarray
    on_record: bool


def attainment(watch: TargetWatch, rule: Rule) -> Finding:
    """Hold the share of targets attained against the probabilities promised, once the year is known."""
    found = [entry for entry in watch.kept if isinstance(entry, JudgedTargets)]
    name, version = watch.standing.name, watch.standing.version
    by_code: dict[str, list[JudgedTargets]] = {}
    for entry in found or [_would_have(judged) for judged in watch.judged]:
        by_code.setdefault(entry.code, []).append(entry)
    rows = [row for code, years in by_code.items() if (row := _row(code, years, rule)) is not None]
    if not rows:
        text = Title(
            en="No year with targets on record, or that the model foretold, has ended with enough outcomes yet.",
            zh="尚无已结束年度的留存目标或模型预测可与足够的实际结果对照。",
        )
        return too_little(rule, name, version, text=text)
    raised = adjusted(np.array([row["p"] for row in rows]))
    rows = [
        row | {"adjusted_p": float(p), "flagged": bool(p <= rule.level)} for row, p in zip(rows, raised, strict=True)
    ]
    rows.sort(key=lambda row: (row["p"], row["name"]))
    flagged = tuple(row["name"] for row in rows if row["flagged"])
    first = rows[0]
    return Finding(
        check=rule.key,
        title=rule.title,
        model=name,
        version=version,
        measured=round(first["gap"], DIGITS),
        threshold=rule.threshold,
        interval=(round(first["low"], DIGITS), round(first["high"], DIGITS)),
        sample=sum(row["outcomes"] for row in rows),
        state="breach" if flagged else "ok",
        text=_said(rows, flagged, rule, on_record=bool(found)),
        table=tuple(rows),
        flagged=flagged,
    )


def kept_targets(watch: TargetWatch, home: Path) -> tuple[JudgedTargets, ...]:
    """Gather the targets on record of years that are over, from closed periods and from suggestions that were kept.

    A target that was closed with counts before one that was only suggested. What a target promised is restated for the
    year's common growth by the distribution that the model of that year's origin gives, fitted on what was known then.
    """
    calendar = watch.panel.calendar
    last = int(calendar.year(watch.origin + 1)) - 1
    tables = _on_record(watch, home, years=range(last - MOST_YEARS + 1, last + 1))
    return tuple(
        entry
        for (year, code), table in tables.items()
        if (entry := _judged(watch, table, code=code, year=year)) is not None
    )


def _on_record(watch: TargetWatch, home: Path, *, years: range) -> dict[tuple[int, str], pd.DataFrame]:
    about, calendar = watch.snapshot.about, watch.panel.calendar
    frames: list[pd.DataFrame] = []
    until = calendar.end(watch.origin)
    for closing in closings(home, about.dataset):
        if TARGETS in closing.files and closing.last_day <= until:
            closed = read_closed(home, about.dataset, closing.period, level=closing.level, version=closing.version)
            if closed.targets is not None and "p_target" in closed.targets:
                frames.append(closed.targets.assign(_rank=1))
    chain = {version.fingerprint[:16] for version in watch.snapshot.chain}
    found = sorted((Path(home) / SUGGESTIONS).glob("*.parquet"))
    frames += [pd.read_parquet(path).assign(_rank=0) for path in found if path.name[:16] in chain]
    if not frames:
        return {}
    every = pd.concat(frames, ignore_index=True)
    every = every[every["year"].isin(list(years)) & every["target"].notna() & every["p_target"].notna()]
    every = every.sort_values("_rank", kind="stable").drop_duplicates(["unit", "indicator", "year"], keep="last")
    return {
        (int(year), str(code)): table  # pyright: ignore[reportArgumentType]
        for (year, code), table in every.groupby(["year", "indicator"], sort=True)  # pyright: ignore
        if str(code) in watch.panel
    }


def _judged(watch: TargetWatch, table: pd.DataFrame, *, code: str, year: int) -> JudgedTargets | None:
    """Judge the targets of one indicator and year; None where nothing can be said."""
    calendar = watch.panel.calendar
    asked_at = calendar.first_of_year(year) - 1
    if asked_at < watch.snapshot.span[0]:
        return None
    then = watch.snapshot.panel(asked_at)
    try:
        level = next((one for one in levels_of(then, code, year=year, origin=asked_at) if one.name == LEAVES), None)
    except LoadlineError:
        return None
    if level is None:
        return None
    found = _distribution(watch, level.key, level.problem)
    units = level.problem.units
    actual, _ = outcomes_of(watch.panel, code, year=year, asked_at=asked_at, units=units)
    set_for = table.set_index("unit").reindex(units)
    target, promised = (set_for[name].to_numpy(dtype=float) for name in ("target", "p_target"))
    common = realised_common(found, actual)
    if not np.isfinite(common):
        return None
    given = found.given_common(common).attain(target)
    hit = attained_of(found.indicator, actual, target)
    seen = np.isfinite(given) & np.isfinite(hit) & np.isfinite(promised)
    groups = kin(then.tree, level.numbers, asked_at)
    return JudgedTargets(code, year, promised[seen], given[seen], hit[seen], groups[seen], True)


def _distribution(watch: TargetWatch, key: str, problem: TargetProblem) -> TargetDistribution:
    """Give the distribution of a year at its origin, by the model watched where it had learned from nothing later."""
    standing = watch.standing
    first = int(watch.panel.calendar.year(standing.as_of + 1))
    if key in standing.models and problem.asked >= first:
        return standing.models[key]().predict(problem)
    return TargetModel.fit(problem, seed=level_seed(key, SEED)).predict(problem)


def attained_of(indicator: Indicator, actual: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Tell (n,) whether outcomes attained their targets, in the indicator's own direction; NaN where unknown."""
    if indicator.direction == "higher":
        good = actual >= target
    elif indicator.direction == "lower":
        good = actual <= target
    else:
        low, high = indicator.band or (-np.inf, np.inf)
        away, allowed = (np.maximum(np.maximum(low - x, x - high), 0.0) for x in (actual, target))
        good = away <= allowed
    return np.where(np.isfinite(actual) & np.isfinite(target), good, np.nan)


def _would_have(judged: JudgedYear) -> JudgedTargets:
    """Give what the model watched would have promised for the target of the usual levels."""
    found = judged.distribution
    target = found.value_at(TargetLevels().target)
    common = realised_common(found, judged.actual)
    given = found.given_common(common).attain(target) if np.isfinite(common) else np.full(len(target), np.nan)
    hit = attained_of(found.indicator, judged.actual, target)
    seen = np.isfinite(given) & np.isfinite(hit)
    return JudgedTargets(
        judged.code, judged.year, found.attain(target)[seen], given[seen], hit[seen], judged.groups[seen], False
    )


def _row(code: str, years: list[JudgedTargets], rule: Rule) -> dict[str, Any] | None:
    hits = np.concatenate([entry.attained for entry in years])
    promised = np.concatenate([entry.promised for entry in years])
    given = np.concatenate([entry.given_group for entry in years])
    if len(hits) < rule.least:
        return None
    groups = by_region_and_year([(entry.year, entry.groups) for entry in years])
    found = average(hits - given, groups, least_variance=float(np.mean(given * (1 - given))))
    margin = rule.threshold[0]
    low, high = found.interval(rule.level)
    return {
        "name": code,
        "years": len(years),
        "outcomes": found.count,
        "promised": float(promised.mean()),
        "attained": float(hits.mean()),
        "promised_given_group": float(given.mean()),
        "gap": found.mean,
        "low": low,
        "high": high,
        "p": found.beyond(-margin, margin),
    }


def _said(rows: list[dict[str, Any]], flagged: tuple[str, ...], rule: Rule, *, on_record: bool) -> Title:
    weight = np.array([row["outcomes"] for row in rows], dtype=float)
    mean = {
        name: float(np.average([row[name] for row in rows], weights=weight))
        for name in ("promised", "attained", "promised_given_group")
    }
    source = (
        Title(en="Of targets on record", zh="留存目标中")
        if on_record
        else Title(
            en="No target is on record; of what the model would have suggested", zh="尚无留存目标；按模型本应给出的目标"
        )
    )
    en = (
        f"{source.en}, {mean['attained']:.0%} were attained where {mean['promised']:.0%} was promised, "
        f"{mean['promised_given_group']:.0%} given how the whole did ({len(rows)} indicators)."
    )
    zh = (
        f"{source.zh}，{mean['attained']:.0%}已达成，承诺概率为{mean['promised']:.0%}，"
        f"剔除整体因素后为{mean['promised_given_group']:.0%}（{len(rows)}项指标）。"
    )
    if flagged:
        first = rows[0]
        en += (
            f" Off by more than {rule.threshold[0] * 100:.0f} points beyond noise: {some(flagged)}; {first['name']} by "
            f"{first['gap'] * 100:+.0f} points."
        )
        zh += (
            f"显著相差超过{rule.threshold[0] * 100:.0f}个百分点的有：{some(flagged)}；"
            f"其中{first['name']}差{first['gap'] * 100:+.0f}个百分点。"
        )
    return Title(en=en, zh=zh)
