"""What a policy looks at: which items wait for a target, and which are measured by values of the policy."""

from __future__ import annotations

from scoring_cases import one_indicator, plain_policy

from features.indicators import IndicatorSet
from training.scoring.needs import needs_of

INDICATORS = IndicatorSet([one_indicator("X", "band", (3, 15))])


def needs(**rule: object):
    policy = plain_policy([{"indicator": "X", "weight": 100, "rule": {"kind": "ratio"} | rule}])
    return needs_of(policy, INDICATORS)


def test_a_band_of_the_rule_needs_no_target() -> None:
    found = needs(band=[4, 9])
    assert (found.targeted, found.fixed) == ((), ("X",))


def test_a_ratio_without_one_is_to_the_target() -> None:
    found = needs()
    assert (found.targeted, found.fixed) == (("X",), ())


def test_chains_of_factors_need_their_volumes() -> None:
    known = IndicatorSet([one_indicator(code, "higher") for code in ("X", "STAFF", "FEES")])
    items = [{"indicator": "X", "weight": 100, "rule": {"kind": "ratio"}}]
    assert needs_of(plain_policy(items, factors=[["STAFF", "FEES"]]), known).codes == ("X", "STAFF", "FEES")
