"""Scores line by line: items, adjustments, their limits, gates and rounding, which add up to each score exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.scoring.case import case_of
from models.scoring.engine import CardScores
from models.scoring.points import SCORED
from models.scoring.waterfall import WaterfallPart, waterfall
from training.scoring.network import Network
from training.scoring.tables import hundredths


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
    parts = waterfall(scores)
    place, row = np.nonzero(np.stack([part.there for part in parts]))
    columns = [_columns(scores, part) for part in parts]

    def taken(name: str) -> np.ndarray:
        missing = np.full(scores.facts.rows, np.nan)
        return np.stack([column.get(name, missing) for column in columns])[place, row]

    def named(names: list[str]) -> np.ndarray:
        return np.array(names, dtype=object)[place]

    return pd.DataFrame(
        {
            "row": scores.rows[row],
            "place": place,
            "scorecard": scores.card.id,
            "kind": named([part.kind for part in parts]),
            "line": named([part.key for part in parts]),
            "indicator": named([_indicator(scores, part) for part in parts]),
            **{name: taken(name) for name in ("weight", "figure", "reference", "points")},
            "amount": hundredths(np.stack([part.cents for part in parts])[place, row].astype(float)),
        }
    )


def _indicator(scores: CardScores, part: WaterfallPart) -> str:
    """Give the indicator that a part looks at; "" where it looks at none."""
    if part.kind == "item":
        return part.key
    if part.kind == "adjustment":
        return scores.card.adjustments[part.number].when.indicator
    gate = scores.policy.gates[part.number] if part.kind == "gate" else None
    condition = None if gate is None or gate.kind == "protection_floor" else gate.when
    return "" if condition is None else condition.indicator


def _columns(scores: CardScores, part: WaterfallPart) -> dict[str, np.ndarray]:
    """Give what there is to say of a part beside its amount: (N,) arrays."""
    code = _indicator(scores, part)
    found = {"figure": scores.facts.of("actual", code)} if code else {}
    if part.kind == "item":
        item = scores.card.items[part.number]
        found["weight"] = hundredths(scores.weights[part.number])
        found["points"] = hundredths(scores.points[part.number], scores.state[part.number] == SCORED)
        if item.compares:
            case = case_of(item, scores.facts, scores.indicators[code], scores.policy.targets)
            found["reference"] = case.compared_with(float)
    return found
