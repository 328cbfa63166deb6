from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet, library
from models.policy.default import MOST_ITEMS, default_policy
from models.policy.rules import Efficacy, Increment
from models.policy.validator import check
from models.scoring.engine import score
from models.scoring.facts import Facts


def some(*codes: str) -> IndicatorSet:
    return IndicatorSet(library()[code] for code in codes)


def codes(indicators: IndicatorSet) -> list[str]:
    return [item.indicator for item in default_policy(indicators).scorecards[0].items]


def test_every_indicator_that_may_be_a_goal_is_an_item() -> None:
    assert codes(some("P01", "R01", "P20", "R10", "U02", "GDP_GROWTH", "NPL")) == ["P01", "R01", "NPL"]


@pytest.mark.parametrize(("count", "weights"), [(1, ["100"]), (3, ["33.34", "33.33", "33.33"]), (4, ["25"] * 4)])
def test_weights_are_equal_and_sum_to_100(count: int, weights: list[str]) -> None:
    items = default_policy(some(*["P01", "P03", "R01", "C01"][:count])).scorecards[0].items
    assert [item.weight for item in items] == [Decimal(weight) for weight in weights]


def test_sixty_at_most_and_it_says_so() -> None:
    policy = default_policy(library())
    assert len(policy.scorecards[0].items) == MOST_ITEMS
    assert sum(item.weight for item in policy.scorecards[0].items) == 100
    assert "The first 60 of" in policy.source
    assert "The first" not in default_policy(some("P01")).source


def test_peers_are_the_standard_but_not_of_what_has_limits() -> None:
    items = default_policy(some("P01", "P05")).scorecards[0].items
    assert isinstance(items[0].rule, Efficacy)
    assert items[0].rule.standards is None
    assert isinstance(items[1].rule, Increment)


def test_a_balance_of_one_day_is_scored_where_there_is_nothing_else() -> None:
    (item,) = default_policy(some("U02", "P20")).scorecards[0].items
    assert item.indicator == "U02"
    assert item.note is not None
    assert "growth" in item.note.en
    assert codes(some("U02", "R01")) == ["R01"]


def test_where_no_goal_may_be_set_there_is_no_policy() -> None:
    with pytest.raises(LoadlineError, match="none of the indicators"):
        default_policy(some("P20", "GDP_GROWTH", "R10"))


def test_its_label_names_its_content() -> None:
    one, other = default_policy(some("P01", "R01")), default_policy(some("P01", "R02"))
    assert one.id == other.id == "equal-weight"
    assert one.version != other.version
    assert one == default_policy(some("P01", "R01"))


def test_no_errors_are_found() -> None:
    findings = check(default_policy(library()), indicators=library())
    assert [finding.code for finding in findings if finding.severity == "error"] == []


def test_it_scores() -> None:
    known = IndicatorSet([library()["P01"], library()["P05"]])
    policy = default_policy(known)
    standards = {("P01", (0.1, 0.3, 0.5, 0.7, 0.9)): np.array([[1.0, 1], [2, 2], [3, 3], [4, 4], [5, 5]])}
    facts = Facts(2, actual={"P01": np.array([3.5, 9]), "P05": np.array([10, 15.75])}, standards=standards)
    (scores,) = score(policy, facts, np.zeros(2, dtype=int), known)
    # midway between the third standard and the fourth: 60 + 20 x 0.5; 15.75 is 5% beyond the limit of 15
    assert scores.points.tolist() == [[70_00, 100_00], [100_00, 95_00]]
    assert scores.tenths.tolist() == [850, 975]


def test_an_indicator_of_a_data_set_is_taken_as_declared() -> None:
    fields = {"code": "X", "name": {"en": "X", "zh": "项"}, "unit": "n", "direction": "higher", "kind": "flow"}
    assert codes(IndicatorSet([Indicator.model_validate(fields | {"perspective": "customer"})])) == ["X"]
