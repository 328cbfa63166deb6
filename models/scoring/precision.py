"""How far floating point can be trusted with a rule: bounds of its error, and of the denominators of its results."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np

from models.policy.rules import Efficacy, Increment, Levels, Ratio, Tiers, TwoIncrease
from models.scoring.case import Case
from models.scoring.exact import ROUNDING_ERROR, quotient_divisor, scale_of
from models.scoring.formulas import FULL, attainment, edge_error


def error_of(case: Case) -> np.ndarray | float:
    """Bound the error of the formulas' values in points, (N,) or one for all; inf where a jump is near."""
    rule = case.rule
    if isinstance(rule, Ratio):
        own = float(rule.cap) * ROUNDING_ERROR
        return own if rule.otherwise is None else np.maximum(own, _increment_error(case, rule.otherwise))
    if isinstance(rule, Increment):
        return _increment_error(case, rule)
    if isinstance(rule, Efficacy):
        given = rule.standards
        standards = case.standards if given is None else np.array([[float(standard)] for standard in given])
        return _slope_error(case.actual, standards, FULL * float(max(rule.coefficients)))
    if isinstance(rule, Levels):
        standards = np.stack([case.floor, case.reference, case.stretch])
        return _slope_error(case.actual, standards, float(case.levels.stretch.points))
    if isinstance(rule, Tiers):
        return _tier_error(case, rule)
    return _two_increase_error(case)


def divisor_of(case: Case) -> np.ndarray:
    """Bound the denominators of the points: (N,) D, 200 times the points being whole over some number up to D."""
    rule = case.rule
    if isinstance(rule, Ratio):
        own = _ratio_divisor(case)
        return own if rule.otherwise is None else np.maximum(own, _increment_divisor(case, rule.otherwise))
    if isinstance(rule, Increment):
        return _increment_divisor(case, rule)
    if isinstance(rule, Efficacy):
        coefficients = lcm(*(Fraction(100 * q).denominator for q in rule.coefficients))
        return _slope_divisor(case.actual, case.standards) * coefficients
    if isinstance(rule, Levels):
        return _slope_divisor(case.actual, np.stack([case.floor, case.reference, case.stretch]))
    if isinstance(rule, TwoIncrease):
        return quotient_divisor(case.actual, case.other)
    return np.ones(case.actual.shape)


def _growth(case: Case) -> Fraction:
    return 1 + Fraction(case.growth) / 100 if case.band is None else Fraction(1)


def _measure(case: Case) -> np.ndarray:
    """Give the reference without its growth, or the nearest limit."""
    return case.reference if case.band is None else case.nearest_limit(float)


def _ratio_divisor(case: Case) -> np.ndarray:
    growth, measure = _growth(case), _measure(case)
    upwards = quotient_divisor(case.actual, measure) * max(abs(growth.numerator), 1)
    if case.higher:
        return upwards
    downwards = quotient_divisor(measure, case.actual) * growth.denominator
    return downwards if case.higher is False else np.maximum(upwards, downwards)


def _increment_error(case: Case, rule: Increment) -> np.ndarray:
    aim = case.aim(float)
    size = np.abs(case.actual) + np.abs(aim)
    steepest = max(float(side.points / side.step) for side in (rule.better, rule.worse))
    if rule.steps_in == "percent":
        size *= 100 / np.abs(aim)
    return (size * steepest + abs(float(rule.base))) * ROUNDING_ERROR


def _increment_divisor(case: Case, rule: Increment) -> np.ndarray:
    growth, measure = _growth(case), _measure(case)
    sides = lcm(*((Fraction(side.points) / Fraction(side.step)).denominator for side in (rule.better, rule.worse)))
    if rule.steps_in == "percent":
        return quotient_divisor(case.actual, measure) * max(abs(growth.numerator), 1) * sides
    return np.maximum(scale_of(case.actual), scale_of(measure)) * growth.denominator * sides


def _widths(standards: np.ndarray) -> np.ndarray:
    return np.abs(np.diff(standards, axis=0))


def _slope_error(figure: np.ndarray, standards: np.ndarray, worth: float) -> np.ndarray:
    """Bound the error of points up to `worth` in proportion between standards (S, N), or (S, 1)."""
    widths = _widths(standards)
    narrowest = np.where(widths > 0, widths, np.inf).min(axis=0)
    return ((np.abs(figure) + np.abs(standards).max(axis=0)) / narrowest + 1) * (worth * ROUNDING_ERROR)


def _slope_divisor(figure: np.ndarray, standards: np.ndarray) -> np.ndarray:
    scale = np.maximum(scale_of(figure), scale_of(standards).max(axis=0))
    return np.maximum(np.rint(_widths(standards).max(axis=0) * scale), 1)


def _tier_error(case: Case, rule: Tiers) -> np.ndarray | float:
    """Tell where an attainment is next to an edge and may yet not be on it."""
    if rule.of == "figure":
        return 0.0
    measured = attainment(case, float)
    error = np.zeros(measured.shape)
    for tier in rule.tiers[1:]:
        edge = float(tier.start or 0)
        rows = np.flatnonzero(np.abs(measured - edge) <= edge_error(edge))
        if len(rows):
            divisor = _ratio_divisor(case.take(rows)) * Fraction(tier.start or 0).denominator
            error[rows] = np.where(4 * edge_error(edge) * divisor < 1, error[rows], np.inf)
    return error


def _two_increase_error(case: Case) -> np.ndarray | float:
    plan = case.compared_with(float)
    near = np.abs(case.actual - plan) <= (np.abs(case.actual) + np.abs(plan)) * ROUNDING_ERROR
    return np.where(near & bool(case.growth), np.inf, FULL * ROUNDING_ERROR)
