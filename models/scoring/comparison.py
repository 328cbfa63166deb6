"""Scores taken apart into lines that add up to them, so that two scorings of the same rows can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.scoring.engine import CardScores
from models.scoring.waterfall import PartKind, WaterfallPart, waterfall


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One part of a score.

    `key` is an item's indicator, an adjustment's id, or a gate's kind; the kind itself for limits and rounding.
    """

    kind: PartKind
    key: str


LIMITS = Line("limits", "limits")
"""What the limits on all bonuses and maluses together give back or take."""
ROUNDING = Line("rounding", "rounding")
"""From the gated total in cents to the score as stated, with one decimal."""


@dataclass(frozen=True, eq=False)
class ScoreLines:
    """Scores of N rows as L lines; lines run down, rows across.

    Attributes
    ----------
    lines : tuple of Line
    cents : np.ndarray
        (L, N) int64; they add up to the stated score: `cents.sum(axis=0) == tenths * 10`.
    present : np.ndarray
        (L, N) bool: whether the line is on the row's scorecard at all.
    weights : np.ndarray
        (L, N) int32 hundredths, of items after scaling up; 0 for other lines.
    tenths : np.ndarray
        (N,) the stated scores; 0 where there is none.
    scored : np.ndarray
        (N,) bool. Rows without a score have no lines.
    grade : np.ndarray
        (N,) names, "" where there is none.
    card : np.ndarray
        (N,) ids of scorecards, "" for rows on none.
    """

    lines: tuple[Line, ...]
    cents: np.ndarray
    present: np.ndarray
    weights: np.ndarray
    tenths: np.ndarray
    scored: np.ndarray
    grade: np.ndarray
    card: np.ndarray

    def take(self, rows: np.ndarray) -> ScoreLines:
        """Give some rows, in the order asked; a row number of -1 gives a row without a score."""
        gone = rows < 0

        def picked(array: np.ndarray, blank: Any) -> np.ndarray:
            if not array.shape[-1]:
                return np.full((*array.shape[:-1], len(rows)), blank, dtype=array.dtype)
            return np.where(gone, blank, array[..., rows])

        return ScoreLines(
            self.lines,
            picked(self.cents, 0),
            picked(self.present, False).astype(bool),
            picked(self.weights, 0),
            picked(self.tenths, 0),
            picked(self.scored, False).astype(bool),
            picked(self.grade, "").astype(object),
            picked(self.card, "").astype(object),
        )

    def on(self, lines: Sequence[Line]) -> ScoreLines:
        """Lay the scores out on other lines, which hold at least its own."""
        place = {line: number for number, line in enumerate(lines)}
        at = [place[line] for line in self.lines]
        shape = (len(lines), len(self.tenths))
        cents, present = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        weights = np.zeros(shape, dtype=np.int32)
        cents[at], present[at], weights[at] = self.cents, self.present, self.weights
        return ScoreLines(tuple(lines), cents, present, weights, self.tenths, self.scored, self.grade, self.card)


def all_lines(*scorings: Iterable[Line]) -> tuple[Line, ...]:
    """List the lines of several scorings, each once: items as they come, then adjustments, limits, gates, rounding."""
    order = ("item", "adjustment", "limits", "gate", "rounding")
    found = dict.fromkeys(line for lines in scorings for line in lines)
    return tuple(sorted(found, key=lambda line: order.index(line.kind)))


def lines_of(cards: Sequence[CardScores], rows: int) -> ScoreLines:
    """Take the scores of a network apart.

    Parameters
    ----------
    cards : sequence of CardScores
        No row in two of them.
    rows : int
        N, the rows of the network.
    """
    lines = all_lines(*((_line(scores, part) for part in waterfall(scores)) for scores in cards), (LIMITS, ROUNDING))
    place = {line: number for number, line in enumerate(lines)}
    cents = np.zeros((len(lines), rows), dtype=np.int64)
    present = np.zeros((len(lines), rows), dtype=bool)
    weights = np.zeros((len(lines), rows), dtype=np.int32)
    tenths, scored = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
    grade, card = np.full(rows, "", dtype=object), np.full(rows, "", dtype=object)
    for scores in cards:
        known = scores.scored
        at = scores.rows[known]
        scored[at] = True
        tenths[at] = scores.tenths[known]
        names = np.array([*(g.name for g in scores.policy.grades), ""], dtype=object)
        grade[at] = names[scores.grade[known]]
        card[scores.rows] = scores.card.id
        for part in waterfall(scores):
            row = place[_line(scores, part)]
            cents[row, scores.rows] += np.where(part.there, part.cents, 0)
            present[row, at] = True
            if part.kind == "item":
                weights[row, at] += scores.weights[part.number, known]
    return ScoreLines(lines, cents, present, weights, tenths, scored, grade, card)


def _line(scores: CardScores, part: WaterfallPart) -> Line:
    """Give the line that a part counts to: gates of a kind are one, whatever they are called."""
    return Line(part.kind, scores.policy.gates[part.number].kind if part.kind == "gate" else part.key)
