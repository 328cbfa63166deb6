"""What would lift a score to the next grade with the smallest change, solved from the rules and proved by scoring.

Figures move in the indicator's good direction (towards either side of a band). First come the gates that hold the
score down, then the smallest change of each figure alone, then, where none is enough, several together. Nothing is told
that was not scored again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.policy.document import GradeCeiling, ProtectionFloor, TotalCap, Veto
from models.scoring.conditions import NO, YES, holds
from models.scoring.engine import CardScores
from models.scoring.gates import NO_LIMIT, STATED_STEP, pass_gates, stated, steps_of
from models.scoring.trials import Figures, Trials

Obstacle = Literal["no_score", "no_grades", "best_grade", "capped", "not_controllable", "out_of_reach"]
"""Why nothing leads on: no score; no grades; no better one; a cap that always holds; a gate that looks at what the unit
cannot move; all that the unit can move is not enough."""

NOTHING = 1e-9
"""Stands for the size of a figure of 0, so that changes of it rank behind all others."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure that is to move, in the indicator's unit."""

    indicator: str
    figure: float
    to: float

    @property
    def change(self) -> float:
        """Give the difference."""
        return float(np.round(self.to - self.figure, 9))

    @property
    def share(self) -> float:
        """Give the size of the change as a share of the figure; infinite where the figure is 0."""
        return abs(self.to - self.figure) / abs(self.figure) if self.figure else float("inf")


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate that keeps the score below the next grade.

    Attributes
    ----------
    gate : str
        Its id.
    indicator : str or None
        What its condition looks at; None where it has none.
    figure, to : float or None
        The figure, and the nearest at which the gate no longer acts; None where there is none within the bounds.
    controllable : bool
        Whether the unit can move it.
    """

    gate: str
    indicator: str | None
    figure: float | None
    to: float | None
    controllable: bool


@dataclass(frozen=True, slots=True)
class Way:
    """Changes that together reach the next grade, and the stated score they give in tenths, scored again."""

    changes: tuple[FigureChange, ...]
    tenths: int

    @property
    def share(self) -> float:
        """Add up the relative changes: what ways are ranked by."""
        return sum(change.share for change in self.changes)


@dataclass(frozen=True, slots=True)
class NextGrade:
    """How far the next grade is, and what leads there.

    Attributes
    ----------
    grade, better : str or None
        The present grade and the next better one.
    needed, gap : int
        The stated score, in tenths, from which that one is given, and how many tenths are lacking.
    holds : tuple of Hold
        Gates that must be cleared. What clears them is part of every way.
    ways : tuple of Way
        From the smallest relative change: one figure each (and what clears the gates), or, where no single one is
        enough, one way of several figures, of which none can be left out or move less.
    obstacle : str or None
        Why there is no way.
    """

    grade: str | None
    better: str | None
    needed: int
    gap: int
    holds: tuple[Hold, ...]
    ways: tuple[Way, ...]
    obstacle: Obstacle | None


def next_grade(scores: CardScores, row: int) -> NextGrade:
    """Find the smallest changes that lift a row's score to the next grade.

    Parameters
    ----------
    scores : CardScores
    row : int
        Its place in these scores.
    """
    grades, place = scores.policy.grades, int(scores.grade[row])
    name = grades[place].name if place >= 0 else None
    if place <= 0:
        why: Obstacle = "no_score" if not scores.scored[row] else "best_grade" if place == 0 else "no_grades"
        return NextGrade(name, None, 0, 0, (), (), why)
    better = grades[place - 1]
    assert better.start is not None
    needed = -(-int(better.start * 100) // STATED_STEP)
    trials = Trials(scores, scores.facts.take(np.array([row])), needed)
    held = _holds(trials, scores.acts[:, row])
    found = NextGrade(name, better.name, needed, needed - int(scores.tenths[row]), held, (), None)
    if any(hold.indicator is None for hold in held):
        return replace(found, obstacle="capped")
    if any(not hold.controllable for hold in held):
        return replace(found, obstacle="not_controllable")
    if any(hold.to is None for hold in held):
        return replace(found, obstacle="out_of_reach")
    first = {hold.indicator: hold.to for hold in held if hold.indicator is not None and hold.to is not None}
    ways = _ways(trials, first)
    return replace(found, ways=ways, obstacle=None if ways else "out_of_reach")


def _holds(trials: Trials, acts: np.ndarray) -> tuple[Hold, ...]:
    """Find the gates as long as which act no total could reach the score."""
    policy, indicators = trials.scores.policy, trials.scores.indicators
    steps = steps_of(policy)
    if stated(pass_gates(np.array([NO_LIMIT]), steps, acts[:, None])[-1])[0] >= trials.needed:
        return ()
    tops = stated(np.array([step.high for step in steps]))
    low = (acts == YES) & (tops < trials.needed)
    held = [policy.gates[number] for number in np.flatnonzero(low)]
    found = []
    for gate in held:
        assert isinstance(gate, TotalCap | GradeCeiling | Veto)
        if gate.when is None:
            found.append(Hold(gate.id, None, None, None, controllable=False))
            continue
        code = gate.when.indicator
        own = trials.figure(code)
        near = np.concatenate([trials.steps(code, own, up=up) for up in (True, False)]) / trials.scale(code)
        facts = trials.facts.take(np.zeros(len(near), dtype=np.int64)).with_actual({code: near})
        same = [g.when for g in held if not isinstance(g, ProtectionFloor) and g.when and g.when.indicator == code]
        clear = near[np.all([holds(condition, facts) == NO for condition in same], axis=0)]
        to = float(clear[np.argmin(np.abs(clear - own))]) if len(clear) else None
        found.append(Hold(gate.id, code, own, to, indicators[code].controllable))
    return tuple(found)


def _ways(trials: Trials, first: Figures) -> tuple[Way, ...]:
    """Give the ways; each begins with what clears the gates."""
    if first and trials.reaches([first])[0]:
        return (_way(trials, first),)
    curves = {code: _sides(trials, code, first) for code in _movable(trials)}
    singles = [trials.smallest(code, first, sides) for code, sides in curves.items()]
    found = [single for single in singles if single is not None]
    if not found:
        several = _several(trials, first, curves)
        found = [] if several is None else [several]
    return tuple(sorted((_way(trials, figures) for figures in found), key=lambda way: way.share))


def _way(trials: Trials, figures: Figures) -> Way:
    changes = [FigureChange(code, trials.figure(code), to) for code, to in figures.items()]
    return Way(tuple(change for change in changes if change.change), int(trials.scored([figures]).tenths[0]))


def _movable(trials: Trials) -> list[str]:
    """List what the unit can move of that which brings points."""
    card = trials.scores.card
    codes = dict.fromkeys(item.indicator for item in card.items)
    codes |= dict.fromkeys(adjustment.when.indicator for adjustment in card.adjustments)
    known = trials.scores.indicators
    return [code for code in codes if known[code].controllable and np.isfinite(trials.figure(code))]


def _sides(trials: Trials, code: str, first: Figures) -> list[np.ndarray]:
    """List the steps to try in an indicator's good direction, or on both sides for a band."""
    ups = {"higher": (True,), "lower": (False,), "band": (True, False)}
    start = first.get(code, trials.figure(code))
    return [trials.steps(code, start, up=up) for up in ups[trials.scores.indicators[code].direction]]


def _several(trials: Trials, first: Figures, curves: Mapping[str, Sequence[np.ndarray]]) -> dict[str, float] | None:
    """Combine figures: stretch after stretch that brings most for its relative size, until the score is reached.

    Then, from the largest change on, each is taken back as far as the others allow.
    """
    stretches: list[tuple[float, str, float]] = []
    for code, sides in curves.items():
        for side in sides:
            stretches += _hull(trials, code, first, side / trials.scale(code))
    states, state = [], dict(first)
    for _, code, figure in sorted(stretches, key=lambda stretch: -stretch[0]):
        state = {**state, code: figure}
        states.append(state)
    good = trials.reaches(states) if states else np.zeros(1, dtype=bool)
    if not good.any():
        return None
    state = states[int(np.argmax(good))]
    shares = {code: FigureChange(code, trials.figure(code), to).share for code, to in state.items()}
    for code in sorted(shares, key=lambda c: -shares[c]):
        rest = {c: to for c, to in state.items() if c != code} | {c: to for c, to in first.items() if c == code}
        idle = trials.reaches([rest])[0]
        state = (rest if idle else trials.smallest(code, rest, _sides(trials, code, first))) or state
    return state


def _hull(trials: Trials, code: str, first: Figures, figures: np.ndarray) -> list[tuple[float, str, float]]:
    """Give the stretches of the upper hull of points over relative change: gain for the change, indicator, figure."""
    start = first.get(code, trials.figure(code))
    path = np.array([start, *figures])
    raw = trials.scored([{**first, code: float(figure)} for figure in path]).raw.astype(float)
    share = np.abs(path - start) / max(abs(trials.figure(code)), NOTHING)
    at, found = 0, []
    while at + 1 < len(path):
        slopes = (raw[at + 1 :] - raw[at]) / (share[at + 1 :] - share[at])
        best = int(np.argmax(slopes))
        if slopes[best] <= 0:
            break
        at += best + 1
        found.append((float(slopes[best]), code, float(path[at])))
    return found
