"""What a policy looks at: the indicators whose figures it needs, and in which terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.errors import LoadlineError
from features.indicators import Indicator
from models.policy.document import Item, Policy
from models.policy.rules import Efficacy, Ratio, Tiers, TwoIncrease


@dataclass(frozen=True)
class Needs:
    """The figures that a policy needs.

    Attributes
    ----------
    codes : tuple of str
        Indicators of items, conditions and chains of factors, each once, as the policy first names them.
    targeted : tuple of str
        Those of them that are compared with a target.
    standards : tuple of (str, tuple of float)
        Indicators whose standards are quantiles of the peers, with the quantiles.
    fixed : tuple of str
        Those of `codes` that are measured against values which the policy itself states, meant for a whole year.
    """

    codes: tuple[str, ...]
    targeted: tuple[str, ...]
    standards: tuple[tuple[str, tuple[float, ...]], ...]
    fixed: tuple[str, ...]


def needs_of(policy: Policy, indicators: Mapping[str, Indicator]) -> Needs:
    """List what a policy looks at.

    Raises
    ------
    LoadlineError
        Where it names indicators that the data does not define.
    """
    items = [item for card in policy.scorecards for item in card.items]
    conditions = [a.when for card in policy.scorecards for a in card.adjustments]
    conditions += policy.gate_conditions
    codes = [code for item in items for code in _codes(item)]
    codes += [condition.indicator for condition in conditions]
    codes += [code for chain in policy.factors for code in chain]
    unknown = sorted({code for code in codes if code not in indicators})
    if unknown:
        raise LoadlineError(
            f"the data has no indicator {', '.join(map(repr, unknown[:8]))}",
            where=policy.label,
            hint="`loadline policy check` lists what a policy needs; use another policy, or bring these figures.",
        )
    targeted = [item.indicator for item in items if item.against == "target" and item.compares]
    targeted += [condition.indicator for condition in conditions if condition.of == "attainment"]
    standards = [
        (item.indicator, tuple(float(q) for q in item.rule.quantiles))
        for item in items
        if isinstance(item.rule, Efficacy) and item.rule.standards is None
    ]
    fixed = [item.indicator for item in items if item.against == "fixed" or _states_values(item)]
    fixed += [condition.indicator for condition in conditions if condition.of != "attainment"]
    return Needs(
        codes=tuple(dict.fromkeys(codes)),
        targeted=tuple(dict.fromkeys(targeted)),
        standards=tuple(dict.fromkeys(standards)),
        fixed=tuple(dict.fromkeys(fixed)),
    )


def _states_values(item: Item) -> bool:
    rule = item.rule
    if isinstance(rule, Tiers):
        return rule.of == "figure"
    if isinstance(rule, Ratio):
        return rule.band is not None
    return isinstance(rule, Efficacy) and rule.standards is not None


def _codes(item: Item) -> Iterator[str]:
    yield item.indicator
    if isinstance(item.rule, TwoIncrease):
        yield item.rule.all_loans
