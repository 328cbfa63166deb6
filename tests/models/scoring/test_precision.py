"""The bounds that decide how a figure is computed hold for whatever is computed."""

from fractions import Fraction

import numpy as np
from scoring_cases import indicators, random_facts, random_policy

from models.scoring.case import Case, case_of
from models.scoring.formulas import value_of
from models.scoring.points import SCORED, item_points
from models.scoring.precision import divisor_of, error_of

KNOWN = indicators()
ROWS = 30


def scored_cases(seed: int, policies: int) -> list[Case]:
    """Draw cases of every rule, with the rows that can be scored."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(policies):
        policy = random_policy(rng, KNOWN)
        facts = random_facts(rng, policy, KNOWN, ROWS)
        for item in policy.scorecards[0].items:
            case = case_of(item, facts, KNOWN[item.indicator], policy.targets)
            rows = np.flatnonzero(item_points(case).state == SCORED)
            if len(rows):
                found.append(case.take(rows))
    return found


def exact_values(case: Case) -> list[Fraction]:
    """Give the points in fractions."""
    return [Fraction(value) for value in value_of(case.exactly(np.arange(len(case.actual))), Fraction)]


def test_floating_point_is_as_near_as_it_is_said_to_be():
    checked = unsure = 0
    for case in scored_cases(1, 60):
        with np.errstate(all="ignore"):
            values = value_of(case, float)
            errors = np.broadcast_to(error_of(case), values.shape)
        for value, error, exact in zip(values.tolist(), errors.tolist(), exact_values(case), strict=True):
            if not np.isfinite(error):
                unsure += 1
                continue
            # The last rounding of the value itself is not an error of the formula.
            assert abs(Fraction(value) - exact) <= Fraction(error) + Fraction(float(np.spacing(abs(value))))
            checked += 1
    assert checked > 4000
    assert unsure < checked / 50


def test_denominators_are_as_small_as_they_are_said_to_be():
    known = {}
    for case in scored_cases(2, 60):
        with np.errstate(all="ignore"):
            divisors = divisor_of(case)
        exact = exact_values(case)
        for divisor, value in zip(divisors.tolist(), exact, strict=True):
            if np.isfinite(divisor):
                assert (200 * value).denominator <= divisor
                known[case.rule.kind] = known.get(case.rule.kind, 0) + 1
    assert all(count > 100 for count in known.values())
    assert len(known) == 6
