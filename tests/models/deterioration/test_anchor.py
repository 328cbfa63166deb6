"""The best single indicator keeps a share of the blend where that costs next to nothing."""

import numpy as np

from models.deterioration.anchor import ANCHORS, LEAST_POSITIVES, Pair, anchor_share
from models.deterioration.problem import DeteriorationProblem


def foretold(*, positives: int = LEAST_POSITIVES, single: float = 2.0, seed: int = 0) -> Pair:
    """Make rows whose blend tells, and whose single indicator tells as much as asked for."""
    rng = np.random.default_rng(seed)
    rows = 10 * positives
    y = (np.arange(rows) < positives).astype(int)
    problem = DeteriorationProblem.of(
        np.zeros((rows, 1)), ("A.level",), y=y, period=np.arange(rows) % 20, unit=np.arange(rows)
    )
    return Pair(problem, 2.0 * y + rng.normal(0, 1, rows), single * y + rng.normal(0, 1, rows))


def test_an_indicator_that_tells_as_much_gets_the_largest_share():
    assert anchor_share(foretold(), None) == ANCHORS[0]


def test_an_indicator_that_tells_nothing_gets_none():
    assert anchor_share(foretold(single=0.0), None) == 0.0


def test_few_positives_choose_no_anchor():
    assert anchor_share(foretold(positives=LEAST_POSITIVES - 1), None) == 0.0


def test_an_indicator_that_fails_on_later_rows_gets_none():
    assert anchor_share(foretold(), foretold(single=-1.0, seed=1)) == 0.0
