"""Scores line by line: items, adjustments, their limits, gates and rounding, which add up to each score exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.scoring.case import case_of
from models.scoring.comparison import LineKind
from models.scoring.conditions import YES
from models.scoring.engine import CardScores
from models.scoring.gates import STATED_STEP
from models.scoring.points import SCORED
from training.scoring.network import Network
from training.scoring.tables import hundredths


@dataclass(frozen=True)
class _Line:
    """One line of all rows (N,) of a scorecard; `there` tells in which rows it stands."""

    kind: LineKind
    name: str
    indicator: str
    cents: np.ndarray
    there: np.ndarray
    weight: np.ndarray | None = None
    figure: np.ndarray | None = None
    reference: np.ndarray | None = None
    points: np.ndarray | None = None


def lines(network: Network) -> pd.DataFrame:
    """Give one row a unit, period and line, for rows that have a score.

    Returns
    -------
    pd.DataFrame
        `unit, period, scorecard, kind, line, indicator, weight, figure, reference, points, amount`. The amounts of a
        unit in a period add up to its score, cent by cent. An item that was not scored stands with no points and
        brings nothing; what does not act has no line.
    """
    tree, figures = network.figures.tree, network.figures
    parts = [_of_card(scores) for scores in network.scores]
    found = pd.concat(parts, ignore_index=True)
    found = found.sort_values(["row", "place"], kind="stable", ignore_index=True)
    row = found["row"].to_numpy()
    distinct, of = np.unique(figures.period, return_inverse=True)
    written = np.array([network.calendar.format(int(p)) for p in distinct], dtype=object)[of]
    about = pd.DataFrame({"unit": tree.codes[figures.unit[row]].astype(str), "period": written[row]})
    return pd.concat([about, found.drop(columns=["row", "place"])], axis=1)


def _of_card(scores: CardScores) -> pd.DataFrame:
    every = list(_lines(scores))
    there = np.stack([line.there & scores.scored for line in every])
    place, row = np.nonzero(there)

    def taken(arrays: list[np.ndarray | None]) -> np.ndarray:
        missing = np.full(scores.facts.rows, np.nan)
        return np.stack([missing if array is None else array for array in arrays])[place, row]

    def named(names: list[str]) -> np.ndarray:
        return np.array(names, dtype=object)[place]

    return pd.DataFrame(
        {
            "row": scores.rows[row],
            "place": place,
            "scorecard": scores.card.id,
            "kind": named([line.kind for line in every]),
            "line": named([line.name for line in every]),
            "indicator": named([line.indicator for line in every]),
            "weight": taken([line.weight for line in every]),
            "figure": taken([line.figure for line in every]),
            "reference": taken([line.reference for line in every]),
            "points": taken([line.points for line in every]),
            "amount": hundredths(taken([line.cents.astype(float) for line in every])),
        }
    )


def _lines(scores: CardScores) -> Iterator[_Line]:
    facts, everywhere = scores.facts, np.ones(scores.facts.rows, dtype=bool)
    for number, item in enumerate(scores.card.items):
        case = case_of(item, facts, scores.indicators[item.indicator], scores.policy.targets)
        known = scores.state[number] == SCORED
        yield _Line(
            "item",
            item.indicator,
            item.indicator,
            scores.items[number],
            everywhere,
            hundredths(scores.weights[number]),
            facts.of("actual", item.indicator),
            case.compared_with(float) if item.compares else None,
            hundredths(scores.points[number], known),
        )
    for number, adjustment in enumerate(scores.card.adjustments):
        figure = facts.of("actual", adjustment.when.indicator)
        acts = scores.adjustment_state[number] == YES
        code = adjustment.when.indicator
        yield _Line("adjustment", adjustment.id, code, scores.adjustments[number], acts, figure=figure)
    cents = scores.raw - scores.items.sum(axis=0, dtype=np.int64) - scores.adjustments.sum(axis=0)
    yield _Line("limits", "limits", "", cents, cents != 0)
    for number, gate in enumerate(scores.policy.gates):
        cents = scores.running[number + 1] - scores.running[number]
        condition = None if gate.kind == "protection_floor" else gate.when
        code = "" if condition is None else condition.indicator
        yield _Line("gate", gate.id, code, cents, cents != 0, figure=facts.of("actual", code) if code else None)
    cents = scores.tenths * STATED_STEP - scores.gated
    yield _Line("rounding", "rounding", "", cents, cents != 0)
