"""The tables of a watch: a row a unit and period, and a row an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.indicators import Title
from features.units import UnitTree
from models.detectors.catalogue import DETECTORS
from models.triage.severity import SEVERITIES

if TYPE_CHECKING:
    from training.warning.watch import Watch

TITLES = {detector.code: detector.title for detector in DETECTORS}
BY_PROBABILITY = Title(en="High probability of deterioration", zh="风险恶化概率偏高")
BY_EVIDENCE = Title(en="Unusual results with unusual risks, no named pattern", zh="业绩与风险同时异常，未见典型情形")
"""Titles of what is listed although no pattern is met: by a model of given outcomes, and by the evidence otherwise."""
NO_TITLE = Title.model_construct(en="", zh="")
DISTURBANCES = {
    "merger": Title(en="merger, split or new unit", zh="机构撤并或新设"),
    "transfer": Title(en="bulk disposal of bad loans", zh="批量处置不良"),
    "holiday": Title(en="moved New Year holiday", zh="春节错位"),
}


def unit_table(watch: Watch) -> pd.DataFrame:
    """Give a row for every unit and period asked about, by period and then by unit.

    A unit with others below it carries the means of their scores and probabilities; it is never on the list itself.
    """
    tree, calendar = watch.snapshot.tree, watch.snapshot.description.calendar
    ordinals = np.arange(watch.asked.first, watch.asked.last + 1)
    rows = ordinals - watch.looked.first
    exists = np.stack([tree.valid(int(ordinal)) for ordinal in ordinals])
    leaves = watch.leaves[rows]
    place, unit = np.nonzero(exists)
    row = rows[place]
    score = mean_below(tree, ordinals, watch.ranking.score[rows], leaves)
    probability = mean_below(tree, ordinals, watch.answer.probability[rows], leaves)
    listed = watch.episodes.listed[row, unit]
    named = listed.copy()
    for met in watch.recent.values():
        named |= met[row, unit]
    named &= leaves[place, unit]
    patterns: list[tuple[str, ...]] = [()] * len(row)
    found = np.flatnonzero(named)
    for at, codes in zip(found, watch.patterns(row[found], unit[found]), strict=True):
        patterns[at] = codes
    titles = [title_of(watch, codes, listed=bool(on)) for codes, on in zip(patterns, listed, strict=True)]
    periods = np.array([calendar.format(int(ordinal)) for ordinal in ordinals], dtype=object)
    keys = alert_keys(watch)
    number = watch.episodes.number[row, unit]
    novelty = watch.looked.novelty
    return pd.DataFrame(
        {
            "unit": tree.codes.to_numpy()[unit],
            "period": periods[place],
            "probability": probability[place, unit],
            "score": np.nan_to_num(score[place, unit], nan=0.0),
            "severity": np.array(SEVERITIES, dtype=object)[watch.severity[row, unit]],
            "detectors": [";".join(codes) for codes in patterns],
            "title": [title.en for title in titles],
            "title_zh": [title.zh for title in titles],
            "p_value": watch.ranking.p_value[row, unit],
            "q_value": watch.ranking.q_value[row, unit],
            "high_performance": watch.looked.high.met[row, unit],
            "novelty": np.nan if novelty is None else novelty.p[row, unit],
            "disturbed": disturbed_words(watch, row, unit),
            "listed": listed,
            "alert": np.where(number >= 0, keys[np.maximum(number, 0)] if len(keys) else "", ""),
        }
    )


def alert_table(watch: Watch) -> pd.DataFrame:
    """Give a row an alert that lasted into the periods asked about, open ones first, then the most concerning."""
    episodes, calendar = watch.episodes, watch.snapshot.description.calendar
    chosen = np.flatnonzero(episodes.last >= watch.row(watch.asked.first))
    unit, peak = episodes.unit[chosen], episodes.peak[chosen]
    patterns = watch.patterns(peak, unit)
    titles = [title_of(watch, codes, listed=True) for codes in patterns]

    def written(rows: np.ndarray) -> list[str]:
        return [calendar.format(int(row) + watch.looked.first) for row in rows]

    table = pd.DataFrame(
        {
            "alert": alert_keys(watch)[chosen],
            "unit": watch.snapshot.tree.codes.to_numpy()[unit],
            "first": written(episodes.first[chosen]),
            "last": written(episodes.last[chosen]),
            "period": written(peak),
            "score": watch.ranking.score[peak, unit],
            "probability": watch.answer.probability[peak, unit],
            "severity": np.array(SEVERITIES, dtype=object)[_worst(watch, chosen)],
            "detectors": [";".join(codes) for codes in patterns],
            "title": [title.en for title in titles],
            "title_zh": [title.zh for title in titles],
            "open": episodes.open[chosen],
            "sampled": np.zeros(len(chosen), dtype=bool),
        }
    )
    order = ["open", "severity", "score", "alert"]
    return table.sort_values(order, ascending=[False, False, False, True], ignore_index=True)


def alert_keys(watch: Watch) -> np.ndarray:
    """Name the episodes for good: the unit and the period in which each was raised."""
    codes, calendar = watch.snapshot.tree.codes, watch.snapshot.description.calendar
    pairs = zip(watch.episodes.unit, watch.episodes.first, strict=True)
    keys = [f"{codes[unit]}@{calendar.format(int(row) + watch.looked.first)}" for unit, row in pairs]
    return np.array(keys, dtype=object)


def title_of(watch: Watch, codes: Sequence[str], *, listed: bool) -> Title:
    """Give the title of the strongest pattern that is met; of something listed without one, what put it there."""
    if codes:
        return TITLES[codes[0]]
    if not listed:
        return NO_TITLE
    return BY_PROBABILITY if watch.about["labels"] == "given" else BY_EVIDENCE


def disturbed_words(watch: Watch, row: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Say what disturbed the figures of some unit-periods, in English; empty where nothing did."""
    words = np.full(len(row), "", dtype=object)
    for reason, where in watch.looked.disturbed.items():
        hit = where[row, unit]
        words[hit] = [f"{word}; {DISTURBANCES[reason].en}" if word else DISTURBANCES[reason].en for word in words[hit]]
    return words


def mean_below(tree: UnitTree, ordinals: np.ndarray, values: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """Give parents the mean over the leaves below them that have a value: (periods, U); leaves keep their own."""
    total = np.where(leaves & np.isfinite(values), values, 0.0)
    count = (leaves & np.isfinite(values)).astype(float)
    for first, last in tree.segments(int(ordinals[0]), int(ordinals[-1])):
        rows = slice(first - int(ordinals[0]), last - int(ordinals[0]) + 1)
        parents, depths = tree.parents(first), tree.depths(first)
        for depth in range(int(depths.max(initial=0)), 0, -1):
            below = np.flatnonzero((depths == depth) & (parents >= 0))
            for array in (total, count):
                np.add.at(array[rows].T, parents[below], array[rows][:, below].T)
    return total / np.where(count > 0, count, np.nan)


def _worst(watch: Watch, chosen: np.ndarray) -> np.ndarray:
    """Give the highest severity that each episode had."""
    episodes, worst = watch.episodes, np.zeros(len(chosen), dtype=np.int8)
    for place, number in enumerate(chosen):
        rows = slice(int(episodes.first[number]), int(episodes.last[number]) + 1)
        worst[place] = watch.severity[rows, int(episodes.unit[number])].max()
    return worst
