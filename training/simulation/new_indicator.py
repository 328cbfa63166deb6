"""A new indicator, watched at weight 0: what it would score and change, and what its targets could rest on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, Title
from models.policy.document import Item, Policy
from models.scoring.comparison import Line
from models.scoring.points import NO_FIGURE, NO_RATIO, NO_REFERENCE, SCORED
from training.scoring.facts import NetworkFacts
from training.scoring.peers import group_quantiles
from training.simulation.change_file import NewIndicator
from training.simulation.replay import Replay
from training.simulation.setting import Effect, Setting
from training.simulation.tables import periods_of

ENOUGH_YEARS = 3
"""Years of figures without which a target rests on little: fewer show no unit's own course."""
BAND = (0.1, 0.5, 0.9)
"""Quantiles of the peers that stand in for a forecast: a wide band, and its middle."""
STATES = {SCORED: "", NO_FIGURE: "no figure", NO_REFERENCE: "nothing to compare with", NO_RATIO: "no ratio"}
WHOLE = 10_000
"""100 in hundredths."""


def simulate_new_indicator(setting: Setting, change: NewIndicator) -> Effect:
    """Replay with the indicator at the weight that it would have; at weight 0 no score changes.

    Returns
    -------
    Effect
        With the tables `observed` (unit, period, figure, reference, points out of 100, what it would add) and `prior`
        (for each unit, the peers' middle and band in place of a forecast, with the evidence).

    Raises
    ------
    LoadlineError
        Where the data has no such indicator, a scorecard has it already, or the change begins after all periods.
    """
    start = setting.starting(change.start)
    since = setting.since(start)
    item = change.item
    indicator = setting.indicator(item.indicator, field_name="item.indicator")
    policy = with_item(setting.after, item, change.scorecards)
    later = setting.replayed(policy, since)
    after = setting.with_earlier(later, start)
    prior = _prior(setting, later.networks[0].figures, indicator, since[-1])
    few = int((prior["evidence"].str.startswith("low")).sum())
    said = (
        Title(
            en=f"{indicator.name.en} is watched at weight 0 from {change.start}: no score changes by it. The scores "
            f"after the change are what they would have been at weight {item.weight:g}, the other weights shrunk in "
            "proportion.",
            zh=f"自{change.start}起以零权重观察{indicator.name.zh}，不影响得分。“变更后”为假设权重{item.weight:g}、"
            "其余权重同比例缩减时的得分。",
        ),
        Title(
            en=f"For its targets, {few} of {len(prior)} units have fewer than {ENOUGH_YEARS} years of figures: their "
            "evidence is low, and the peers' middle with a wide band stands in for a forecast.",
            zh=f"{len(prior)}家单位中{few}家的历史不足{ENOUGH_YEARS}年：目标依据不足，暂以同组中位数及较宽区间代替预测。",
        ),
    )
    return Effect(setting.present(), after, {"observed": _observed(later, item), "prior": prior}, said)


def with_item(policy: Policy, item: Item, scorecards: tuple[str, ...] = ()) -> Policy:
    """Put an item on scorecards; the other weights shrink in proportion, by largest remainders of hundredths.

    Raises
    ------
    LoadlineError
        Where there is no such scorecard, or one has the indicator already.
    """
    known = [card.id for card in policy.scorecards]
    unknown = [name for name in scorecards if name not in known]
    if unknown:
        raise LoadlineError(
            f"the policy has no scorecard {unknown[0]!r}", where="scorecards", hint=f"It has: {', '.join(known)}."
        )
    cards = []
    for card in policy.scorecards:
        if scorecards and card.id not in scorecards:
            cards.append(card)
            continue
        if any(other.indicator == item.indicator for other in card.items):
            hint = "It is not new there: compare two policies with --policy."
            raise LoadlineError(
                f"{item.indicator} is on the scorecard {card.id} already", where="item.indicator", hint=hint
            )
        shrunk = _shrunk([other.weight for other in card.items], item.weight)
        items = [other.model_copy(update={"weight": w}) for other, w in zip(card.items, shrunk, strict=True)]
        cards.append(card.model_copy(update={"items": (*items, item)}))
    return policy.model_copy(update={"scorecards": tuple(cards)})


def _shrunk(weights: list[Decimal], taken: Decimal) -> list[Decimal]:
    own = np.array([int(weight * 100) for weight in weights], dtype=np.int64)
    left = WHOLE - int(taken * 100)
    whole, rest = np.divmod(own * left, own.sum())
    first = np.argsort(-rest, kind="stable")[: left - whole.sum()]
    whole[first] += 1
    return [Decimal(int(w)) / 100 for w in whole]


def _observed(later: Replay, item: Item) -> pd.DataFrame:
    network = later.networks[0]
    rows = len(later.about)
    points, state = np.full(rows, np.nan), np.full(rows, -1)
    for scores in network.scores:
        at = [n for n, other in enumerate(scores.card.items) if other.indicator == item.indicator]
        if at:
            known = scores.state[at[0]] == SCORED
            points[scores.rows] = np.where(known, scores.points[at[0]] / 100, np.nan)
            state[scores.rows] = scores.state[at[0]]
    kept = np.flatnonzero(state >= 0)
    facts = network.figures.facts
    reference = np.full(rows, float(item.value)) if item.value is not None else facts.of(item.against, item.indicator)
    place = later.lines.lines.index(Line("item", item.indicator))
    return pd.DataFrame(
        {
            "unit": later.about["unit"].to_numpy()[kept],
            "period": periods_of(later.about["period"].iloc[kept], network.calendar.format),
            "indicator": item.indicator,
            "figure": facts.of("actual", item.indicator)[kept],
            "reference": reference[kept],
            "points": points[kept],
            "would_add": later.lines.cents[place, kept] / 100,
            "note": [STATES[int(code)] for code in state[kept]],
        }
    )


def _prior(setting: Setting, figures: NetworkFacts, indicator: Indicator, last: int) -> pd.DataFrame:
    code, tree = indicator.code, figures.tree
    here = figures.period == last
    units = figures.unit[here]
    groups = np.full(len(tree), -1)
    groups[units] = tree.peer_groups()[units]
    now, before = np.full(len(tree), np.nan), np.full(len(tree), np.nan)
    now[units] = figures.facts.of("actual", code)[here]
    before[units] = figures.facts.of("last_year", code)[here]
    if indicator.kind in ("flow", "stock"):  # a volume is its own, moved as the peers' were
        growth = np.divide(now, before, out=np.full(len(tree), np.nan), where=before > 0)
        band = now * group_quantiles(growth, groups, BAND)
    else:
        band = group_quantiles(now, groups, BAND)
    panel = setting.snapshot.panel(last, known_on=setting.known_on or date.max, indicators=[code])
    years = np.isfinite(panel.array(code)).sum(axis=0) / panel.calendar.per_year
    return pd.DataFrame(
        {
            "unit": tree.codes[units].to_numpy(),
            "indicator": code,
            "figure": now[units],
            "low": band[0, units],
            "middle": band[1, units],
            "high": band[2, units],
            "years": np.round(years[units], 1),
            "evidence": [
                f"low: {y:.1f} years of figures" if y < ENOUGH_YEARS else f"{y:.1f} years of figures"
                for y in years[units]
            ],
        }
    )
