"""The champion of the target model against a challenger: as procedures at past origins, and on what came since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from features.indicators import Title
from features.units import UnitTree
from models.bundle import ModelBundle
from models.judging.fairness import unit_groups
from models.levels import Level
from models.outcome.baselines import pooled_growth
from models.outcome.distribution import TargetLevels
from models.outcome.global_growth import GlobalGrowth, rolling_growth
from models.outcome.problem import TargetProblem
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.target import TargetModel
from models.outcome.trial import TRIAL_ORIGINS
from training.gating.comparison import Comparison, How, of_groups, of_origins, of_parts
from training.gating.losses import Losses
from training.gating.own_record import by_year, own_record, promises_of
from training.gating.paired import same
from training.gating.replay import REPLAYED_ORIGINS, judged_units, judging_scale, losses_of, replay
from training.progress import Progress, silent
from training.target_model import level_seed

DIMENSIONS = ("peer_group", "region_type", "size")
"""What no group of units may be left worse off by; thirds by size, the others as described."""

Shared = Mapping[str, Mapping[int, GlobalGrowth]]


@dataclass(frozen=True)
class _Side:
    """What makes a model answer as it does, beside the data."""

    settings: TargetSettings
    seed: int
    code: str


def compare_target(
    levels: Sequence[Level],
    models: Mapping[str, TargetModel],
    before: Mapping[str, Callable[[], TargetModel]],
    *,
    seed: int,
    champion_bundle: ModelBundle | None,
    tree: UnitTree | None = None,
    progress: Progress = silent,
    promised: TargetLevels | None = None,
) -> Comparison:
    """Compare a challenger with the champion, indicator by indicator and level by level.

    Parameters
    ----------
    levels : sequence of Level
        As the challenger learned from them, with all outcomes known by now.
    models : Mapping
        The challenger, by key of the level.
    before : Mapping
        The champion, by key of the level, each put together when asked for; see `training.target_model.models_in`.
    seed : int
        That the challenger was trained with.
    champion_bundle : ModelBundle or None
        None where there is no champion.
    tree : UnitTree, optional
        Groups units and dates the champion; without it there are no groups, and nothing is said of the years after it.
    progress : Progress
    promised : TargetLevels, optional

    Notes
    -----
    Both are procedures: at each past origin they learn from what was known then. Where nothing makes them differ, they
    would answer alike, and nothing is fitted. What came after the champion had learned is judged as well: the champion
    as it stands, and the challenger's procedure having learned at the champion's origin, so that neither knew it. The
    challenger itself has learned from those years and is never judged by them.
    """
    record = own_record(levels, models)
    promises = promises_of(record, promised or TargetLevels())
    own = by_year(record, promised or TargetLevels())
    asked = [level for level in levels if level.key in models]
    common = [level for level in asked if level.key in before]
    if champion_bundle is None:
        return Comparison("target", None, "first", origins=of_origins(own, _empty(), _empty()), promises=promises)
    mine = _Side(next(iter(models.values())).settings if models else DEFAULT, seed, installed("loadline"))
    kept = {level.key: before[level.key]() for level in common}
    one = next(iter(kept.values()), None) or next((build() for build in before.values()), None)
    settings = DEFAULT if one is None else one.settings
    meta = champion_bundle.meta
    theirs = _Side(settings, int(meta.get("seed", seed)), str(meta.get("code_version", mine.code)))
    how: How = "same" if mine == theirs else "replayed" if mine.code == theirs.code else "not_replayable"
    groups = {level.key: _groups(level, tree) for level in asked}
    replayed = _empty()
    if how == "replayed":
        replayed = _replayed(asked, groups, mine, theirs, progress)
    since = None if tree is None else int(tree.calendar.year(tree.calendar.parse(meta["as_of"]) + 1))
    after = _empty() if since is None else _after(common, groups, kept, mine, alike=how == "same", since=since)
    found = Comparison(
        "target",
        champion_bundle.version,
        how,
        origins=of_origins(own, replayed, after),
        promises=promises,
        notes=_notes(levels, common, before),
    )
    if how == "same":
        units = {int(number) for level in common for number in level.numbers}
        return replace(
            found,
            replayed=same(origins=len({row["year"] for row in record}), units=len(units)),
            after=same(origins=len(np.unique(after.year)), units=len(np.unique(after.unit))),
        )
    return replace(
        found,
        replayed=replayed.difference(),
        after=after.difference(),
        groups=of_groups(replayed, over="replayed") + of_groups(after, over="after"),
        parts=of_parts(replayed, [level.key for level in asked], over="replayed")
        + of_parts(after, [level.key for level in common], over="after"),
    )


def _replayed(
    levels: Sequence[Level],
    groups: Mapping[str, Mapping[str, np.ndarray]],
    mine: _Side,
    theirs: _Side,
    progress: Progress,
) -> Losses:
    """Replay both procedures at past origins."""
    shared = [_shared(levels, side, origins=REPLAYED_ORIGINS) for side in (mine, theirs)]
    found = []
    progress("comparing", 0, len(levels))
    for number, level in enumerate(levels):
        answers = [
            replay(
                level.problem,
                seed=level_seed(level.key, side.seed),
                shared=together[level.name],
                settings=side.settings,
            )
            for side, together in zip((mine, theirs), shared, strict=True)
        ]
        for year in answers[0].keys() & answers[1].keys():
            (challenger, base), (champion, _) = answers[0][year], answers[1][year]
            found.append(_laid_out(level, groups[level.key], number, year, challenger, champion, base))
        progress("comparing", number + 1, len(levels))
    return Losses.joined(found)


def _after(
    levels: Sequence[Level],
    groups: Mapping[str, Mapping[str, np.ndarray]],
    kept: Mapping[str, TargetModel],
    mine: _Side,
    *,
    alike: bool,
    since: int,
) -> Losses:
    """Judge the champion as it stands by the years after it, beside the challenger's procedure of the same origin."""
    later = {
        level.key: [
            int(row) for row in np.flatnonzero(level.problem.known.any(axis=1)) if level.problem.years[row] >= since
        ]
        for level in levels
    }
    asked = [level for level in levels if later[level.key] and since in level.problem.years]
    if not asked:
        return _empty()
    shared: Shared = {}
    if not alike:
        shared = _shared(asked, mine, origins=max(level.problem.asked for level in asked) - since + TRIAL_ORIGINS)
    found = []
    for number, level in enumerate(levels):
        if level not in asked:
            continue
        problem, champion = level.problem, kept[level.key]
        then = problem.at(int(np.flatnonzero(problem.years == since)[0]))
        if not then.known.any():
            continue
        challenger = champion
        if not alike:
            seed = level_seed(level.key, mine.seed)
            challenger = TargetModel.fit(then, seed=seed, shared=shared[level.name], settings=mine.settings)
        base, some, scale = pooled_growth(then), judged_units(problem), judging_scale(problem)
        for row in later[level.key]:
            past = problem.at(row)
            actual = np.where(np.isfinite(past.base[-1]), problem.outcome[row], np.nan)[some]
            losses = [losses_of(one.predict(past).take(some), actual, scale) for one in (challenger, champion, base)]
            found.append(_laid_out(level, groups[level.key], number, past.asked, *losses))
    return Losses.joined(found)


def _laid_out(
    level: Level,
    groups: Mapping[str, np.ndarray],
    part: int,
    year: int,
    challenger: np.ndarray,
    champion: np.ndarray,
    baseline: np.ndarray,
) -> Losses:
    some = judged_units(level.problem)
    count = len(some)
    labels = {name: values[some] for name, values in groups.items()}
    numbers = level.numbers[some]
    return Losses(np.full(count, year), numbers, np.full(count, part), challenger, champion, baseline, labels)


def _shared(levels: Sequence[Level], side: _Side, *, origins: int) -> Shared:
    """Fit what the indicators of a level have in common, at every origin that is asked for."""
    together: dict[str, list[TargetProblem]] = {}
    for level in levels:
        together.setdefault(level.name, []).append(level.problem)
    return {
        name: rolling_growth(problems, origins=origins, seed=level_seed(name, side.seed), settings=side.settings)
        for name, problems in together.items()
    }


def _groups(level: Level, tree: UnitTree | None) -> dict[str, np.ndarray]:
    """Give the group (U,) of each unit of a level by dimension."""
    if tree is None:
        return {}
    found = unit_groups(level, tree)
    return {name: found[name].astype(str).to_numpy(dtype=object) for name in DIMENSIONS}


def _notes(levels: Sequence[Level], common: Sequence[Level], before: Mapping[str, Any]) -> tuple[Title, ...]:
    new, gone = len(levels) - len(common), len(set(before) - {level.key for level in levels})
    if not new and not gone:
        return ()
    return (
        Title(
            en=f"Compared on {len(common)} indicators and levels; {new} are new, {gone} are no longer there.",
            zh=f"对比 {len(common)} 个指标层级；新增 {new} 个，减少 {gone} 个。",
        ),
    )


def _empty() -> Losses:
    return Losses.joined(())
