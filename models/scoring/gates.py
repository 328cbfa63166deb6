"""The gates after the total, in the policy's order: cap, protection floor, grade ceiling, veto."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.policy.document import Grade, GradeCeiling, Policy, ProtectionFloor, TotalCap, Veto
from models.scoring.conditions import NO, YES, holds
from models.scoring.facts import Facts

STATED_STEP = 10
"""Cents of the smallest step in which a score is stated: one decimal."""
NO_LIMIT = 10**9
"""Cents that no total reaches."""


@dataclass(frozen=True)
class Step:
    """What a gate does to a total in cents where it acts: hold it between `low` and `high`; for a veto both are 0."""

    low: int
    high: int

    def __call__(self, total: np.ndarray) -> np.ndarray:
        """Apply it to totals (N,) where it acts."""
        return np.clip(total, self.low, self.high)


def steps_of(policy: Policy) -> tuple[Step, ...]:
    """Give what each gate of a policy does."""
    return tuple(_step(gate, policy.grades) for gate in policy.gates)


def _step(gate: TotalCap | ProtectionFloor | GradeCeiling | Veto, grades: tuple[Grade, ...]) -> Step:
    if isinstance(gate, Veto):
        return Step(0, 0)
    if isinstance(gate, GradeCeiling):
        return Step(-NO_LIMIT, ceiling_of(gate.grade, grades))
    at = int(gate.at * 100)
    return Step(at, NO_LIMIT) if isinstance(gate, ProtectionFloor) else Step(-NO_LIMIT, at)


def ceiling_of(name: str, grades: tuple[Grade, ...]) -> int:
    """Give the highest score in cents of a grade: a stated step below where the next better one begins."""
    place = next(number for number, grade in enumerate(grades) if grade.name == name)
    better = grades[place - 1].start if place else None
    return NO_LIMIT if better is None else int(better * 100) - STATED_STEP


def acting(policy: Policy, facts: Facts) -> np.ndarray:
    """Tell where each gate acts: (G, N) `NO`, `YES`, or `UNKNOWN` where its figure is missing and it does not act."""
    found = np.empty((len(policy.gates), facts.rows), dtype=np.int8)
    for number, gate in enumerate(policy.gates):
        if isinstance(gate, ProtectionFloor):
            months = facts.opened if gate.of == "new_units" else facts.moved
            found[number] = NO if months is None else np.where(months < gate.months, YES, NO)
        else:
            found[number] = YES if gate.when is None else holds(gate.when, facts)
    return found


def pass_gates(raw: np.ndarray, steps: tuple[Step, ...], acts: np.ndarray) -> np.ndarray:
    """Pass totals through the gates: (G + 1, N) cents, before the first and after each."""
    running = np.empty((len(steps) + 1, len(raw)), dtype=np.int64)
    running[0] = raw
    for number, step in enumerate(steps):
        running[number + 1] = np.where(acts[number] == YES, step(running[number]), running[number])
    return running


def stated(gated: np.ndarray) -> np.ndarray:
    """Round totals in cents to the score that is stated: whole tenths, half away from zero."""
    tenths = (np.abs(gated) * 2 + STATED_STEP) // (2 * STATED_STEP)
    return np.where(gated < 0, -tenths, tenths)


def grades_of(tenths: np.ndarray, grades: tuple[Grade, ...]) -> np.ndarray:
    """Give the number of each stated score's grade: (N,), -1 where the policy has none."""
    found = np.full(tenths.shape, -1, dtype=np.int8)
    for number in range(len(grades) - 1, -1, -1):
        start = grades[number].start
        reached = tenths == tenths if start is None else tenths * STATED_STEP >= int(start * 100)
        found[reached] = number
    return found
