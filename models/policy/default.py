"""The policy that stands in where none is given: equal weights, peers as the standard."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet, Title
from models.policy.checks.items import is_point_volume
from models.policy.document import Grade, Item, Missing, Period, Policy, Scorecard
from models.policy.reading import policy_digest
from models.policy.rules import Efficacy, Increment, Rule, Side

DEFAULT_ID = "equal-weight"
MOST_ITEMS = 60
"""As many as a scorecard holds."""
HUNDREDTHS = 100_00
ALWAYS = date(1900, 1, 1)
LEAST_WEIGHT = Decimal(50)
"""Of an equal-weight scorecard at least half is to be there: the items were chosen by nobody."""
GRADES = (("A", 80), ("B", 65), ("C", 50), ("D", 40), ("E", None))
"""Of the Ministry of Finance's evaluation of financial firms, 2016."""
SOURCE = "Equal weights, for want of a policy; grades A to E as in the Ministry of Finance's method of 2016."
BY_PEERS = Efficacy(kind="efficacy")
WITHIN_LIMITS = Increment(
    kind="increment",
    base=Decimal(100),
    better=Side(step=Decimal(1), points=Decimal(0), most=Decimal(0)),
    worse=Side(step=Decimal(1), points=Decimal(1), most=Decimal(100)),
    steps_in="percent",
)
"""Full marks within the limits, a point less for every percent beyond: peers are no standard for what has limits."""
POINT_VOLUME = Title(
    en="A balance on a single day, for want of anything better: scored by its growth beside that of the peers.",
    zh="因无其他可用指标而采用的时点余额，按其增速与同组比较计分。",
)


def default_policy(indicators: IndicatorSet) -> Policy:
    """Make the policy of equal weights: every indicator on which goals may be set, judged by its peers' quantiles.

    Balances of a single day are left out unless there is nothing else. The version names the content, so that two
    datasets with other indicators do not share a label.

    Parameters
    ----------
    indicators : IndicatorSet

    Raises
    ------
    LoadlineError
        Where no goal may be set on any of them.
    """
    allowed = [indicator for indicator in indicators.values() if indicator.is_target and not indicator.entity_only]
    chosen = [indicator for indicator in allowed if not is_point_volume(indicator)] or allowed
    if not chosen:
        hint = "Declare an indicator with target_allowed: true, or give a policy."
        raise LoadlineError("goals may be set on none of the indicators, so there is nothing to score", hint=hint)
    source = SOURCE
    if len(chosen) > MOST_ITEMS:
        source += f" The first {MOST_ITEMS} of {len(chosen)} indicators."
        chosen = chosen[:MOST_ITEMS]
    share, left = divmod(HUNDREDTHS, len(chosen))
    items = tuple(
        Item(
            indicator=indicator.code,
            weight=Decimal(share + (place < left)).scaleb(-2),
            against="peers",
            rule=_rule(indicator),
            note=POINT_VOLUME if is_point_volume(indicator) else None,
        )
        for place, indicator in enumerate(chosen)
    )
    title = Title(en="Equal weights", zh="等权重默认方案")
    policy = Policy(
        policy=1,
        id=DEFAULT_ID,
        version="1",
        title=title,
        source=source,
        effective=Period(start=ALWAYS),
        level="internal",
        scorecards=(Scorecard(id="all", title=title, items=items),),
        grades=tuple(Grade(name=name, start=None if start is None else Decimal(start)) for name, start in GRADES),
        missing=Missing(then="rescale", least_weight=LEAST_WEIGHT),
    )
    return policy.model_copy(update={"version": f"1-{policy_digest(policy)[:8]}"})


def _rule(indicator: Indicator) -> Rule:
    return WITHIN_LIMITS if indicator.direction == "band" else BY_PEERS
