"""The formulas of the scoring rules: points out of 100 before rounding, by the same code in floats and in fractions."""

from __future__ import annotations

import numpy as np

from models.policy.rules import Efficacy, Increment, Ratio, Tiers, TwoIncrease
from models.scoring.case import Case
from models.scoring.exact import ROUNDING_ERROR, Number, quotient

FULL = 100


def value_of(case: Case, number: Number) -> np.ndarray:
    """Give the points (N,) out of 100, not rounded; meaningless in rows that the rule cannot score."""
    rule = case.rule
    if isinstance(rule, Ratio):
        return _ratio(case, rule, number)
    if isinstance(rule, Increment):
        return _increment(case, rule, number)
    if isinstance(rule, Tiers):
        return _tiers(case, rule, number)
    if isinstance(rule, Efficacy):
        constant = number is float and rule.standards is not None
        return _between_constants(case, rule) if constant else _efficacy(case, rule, number)
    if isinstance(rule, TwoIncrease):
        return _two_increase(case.actual, case.other, case.compared_with(number), number)
    return _levels(case, number)


def silent(case: Case, aim: np.ndarray) -> np.ndarray:
    """Tell in which rows a ratio says nothing: nothing to divide by, or figures of unlike signs."""
    rows = (aim <= 0) | (case.actual < 0)
    return rows if case.band is None else rows & (case.actual != aim)


def attainment(case: Case, number: Number) -> np.ndarray:
    """Give the figure in percent of its reference; turned over where lower is better."""
    T = case.compared_with(number)
    return _turned(case, T, number) if case.higher is False else quotient(FULL * case.actual, T, number)


def _turned(case: Case, aim: np.ndarray, number: Number) -> np.ndarray:
    """Give the reference in percent of the figure: beyond any limit for a figure of 0, also of a negative zero."""
    return quotient(FULL * aim, case.actual + 0, number)


def _ratio(case: Case, rule: Ratio, number: Number) -> np.ndarray:
    A, T = case.actual, case.aim(number)
    if case.higher is None:
        value = np.minimum(quotient(FULL * A, T, number), _turned(case, T, number))
        if case.band is not None:
            value = np.where(A == T, FULL, value)
    else:
        value = quotient(FULL * A, T, number) if case.higher else _turned(case, T, number)
    value = np.maximum(np.minimum(value, number(rule.cap)), number(rule.least))
    if rule.otherwise is not None:
        value = np.where(silent(case, T), _increment(case, rule.otherwise, number), value)
    return value


def _increment(case: Case, rule: Increment, number: Number) -> np.ndarray:
    A, T = case.actual, case.aim(number)
    gain = A - T if case.higher else T - A if case.higher is False else -abs(A - T)
    if rule.steps_in == "percent":
        gain = quotient(gain * 100, abs(T), number)
        gain = np.where(A == T, number(0), gain)
    better, worse = rule.better, rule.worse
    up = np.minimum(gain * (number(better.points) / number(better.step)), number(better.most))
    down = np.maximum(gain * (number(worse.points) / number(worse.step)), -number(worse.most))
    return number(rule.base) + np.where(gain >= 0, up, down)


def _tiers(case: Case, rule: Tiers, number: Number) -> np.ndarray:
    measured = case.actual if rule.of == "figure" else attainment(case, number)
    value = np.where(measured == measured, number(rule.tiers[0].points), 0)
    for tier in rule.tiers[1:]:
        edge = number(tier.start)
        near = rule.of == "attainment" and number is float
        least = edge - edge_error(edge) if near else edge  # next to an edge is on it, or computed in fractions
        value = np.where(measured >= least, number(tier.points), value)
    return value


def edge_error(edge: float) -> float:
    """Bound the error of an attainment near an edge."""
    return (abs(edge) + 1) * ROUNDING_ERROR


def _between_constants(case: Case, rule: Efficacy) -> np.ndarray:
    standards = case.signed(np.array([float(standard) for standard in rule.standards or ()]))
    points = FULL * np.array([float(q) for q in rule.coefficients])
    return np.interp(case.signed(case.actual), standards, points, left=0)


def _efficacy(case: Case, rule: Efficacy, number: Number) -> np.ndarray:
    figure, standards = case.signed(case.actual), case.signed(case.standards)
    q = [number(c) for c in rule.coefficients]
    value = np.where(figure >= standards[-1], FULL * q[-1], number(0))
    for k in range(len(q) - 1):
        low, high = standards[k], standards[k + 1]
        width = np.where(high > low, high - low, 1)
        between = FULL * (q[k] + (q[k + 1] - q[k]) * (figure - low) / width)
        value = np.where((figure >= low) & (figure < high), between, value)
    return value


def _two_increase(A: np.ndarray, G: np.ndarray, plan: np.ndarray, number: Number) -> np.ndarray:
    in_proportion = np.where((G > 0) & (A >= 0), quotient(FULL * A, G, number), 0)
    return np.where(A >= G, FULL, np.where(plan <= A, in_proportion, 0))


def _levels(case: Case, number: Number) -> np.ndarray:
    a, low, middle, high = (case.signed(x) for x in (case.actual, case.floor, case.reference, case.stretch))
    levels = case.levels
    p1, p2, p3 = (number(level.points) for level in (levels.floor, levels.target, levels.stretch))
    lower = np.where(middle > low, middle - low, 1)
    upper = np.where(high > middle, high - middle, 1)
    line = p1 + (p2 - p1) * (a - low) / lower
    line = np.where((a < low) & (middle <= low), 0, line)
    value = np.where(a >= middle, p2 + (p3 - p2) * (a - middle) / upper, line)
    value = np.where(a >= high, p3, value)
    return np.maximum(value, number(0))
