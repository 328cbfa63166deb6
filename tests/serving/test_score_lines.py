"""The lines of a score as answers have them, beside the waterfall that they tell."""

from decimal import Decimal

import numpy as np
import pytest
from scoring_cases import indicators, random_facts, random_policy

from models.scoring.engine import score_card
from models.scoring.waterfall import waterfall
from serving.score_lines import score_gates, score_lines

KNOWN = indicators()
KINDS = {"limit": "limits"}


@pytest.mark.parametrize("seed", range(40))
def test_lines_add_up_to_the_score_and_agree_with_the_waterfall(seed):
    rng = np.random.default_rng(seed)
    policy = random_policy(rng, KNOWN)
    facts = random_facts(rng, policy, KNOWN, 10)
    scores = score_card(policy, policy.scorecards[0], facts, KNOWN)
    for row in np.flatnonzero(scores.scored):
        lines = score_lines(scores, int(row))
        assert sum(Decimal(str(line.amount)) for line in lines) == Decimal(int(scores.tenths[row])) / 10
        sums: dict[str, Decimal] = {}
        for line in lines:
            kind = KINDS.get(line.kind, line.kind)
            sums[kind] = sums.get(kind, Decimal(0)) + Decimal(str(line.amount))
        expected: dict[str, Decimal] = {}
        for part in waterfall(scores):
            if part.there[row]:
                expected[part.kind] = expected.get(part.kind, Decimal(0)) + Decimal(int(part.cents[row])) / 100
        assert {kind: amount for kind, amount in sums.items() if amount} == {k: a for k, a in expected.items() if a}
        gates = score_gates(scores, int(row))
        assert [gate.id for gate in gates] == [gate.id for gate in policy.gates]
        assert sum(Decimal(str(g.amount)) for g in gates) == Decimal(int(scores.gated[row] - scores.raw[row])) / 100
