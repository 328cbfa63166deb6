"""A tolerance for bad loans: targets and limits of an indicator move, figures stay as they are (不良容忍度)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from models.policy.document import Condition, Item, Policy
from models.policy.rules import Efficacy, Tier, Tiers
from models.scoring.engine import score
from models.scoring.facts import Facts
from training.scoring.network import Network, score_network
from training.simulation.change_file import NplTolerance
from training.simulation.replay import joined, replay_of
from training.simulation.setting import Effect, Setting

TARGETS = ("floor", "target", "stretch")
DECIMALS = 6
"""Of a tolerance that counts for a share only; figures have as many."""


def simulate_npl_tolerance(setting: Setting, change: NplTolerance) -> Effect:
    """Replay with the yardsticks of some units eased.

    Returns
    -------
    Effect
        With the table `yardsticks`: which parts of the policy move, and which stay.

    Raises
    ------
    LoadlineError
        Where lower is not better, the indicator is unknown, or the change begins after all periods replayed.
    """
    start = setting.starting(change.start)
    since = setting.since(start)
    indicator = setting.indicator(change.indicator, field_name="indicator")
    if indicator.direction != "lower":
        hint = "Name the NPL ratio, or another indicator where lower is better."
        raise LoadlineError(f"{change.indicator} is no figure to keep low", where="indicator", hint=hint)
    amount = round(change.points * Decimal(repr(change.share)), DECIMALS)
    network = score_network(setting.snapshot, setting.after, since, targets=setting.asked, known_on=setting.known_on)
    whom = setting.affected(change.applies_to)
    rows = whom[network.figures.unit]
    units = len(np.unique(network.figures.unit[rows]))
    eased = _eased(network, change, amount, rows)
    after = replay_of(eased, setting.snapshot.indicators)
    earlier = [period for period in setting.periods if period < start]
    if earlier:
        after = joined([setting.replayed(setting.after, earlier), after])
    table = pd.DataFrame(_yardsticks(setting.after, change), columns=["where", "compared_with", "moves"])
    moving = int(table["moves"].sum())
    shown = f"{float(amount):g}"
    said = [
        Title(
            en=f"{indicator.name.en}: {shown} points more are tolerated for {units} units from "
            f"{change.start}; {moving} of {len(table)} yardsticks of the policy move.",
            zh=f"{indicator.name.zh}：自{change.start}起对{units}家单位增加{shown}个百分点容忍度；"
            f"制度中{len(table)}处衡量标准有{moving}处随之调整。",
        )
    ]
    if not moving:
        said.append(
            Title(
                en="Nothing in the policy holds the indicator to a target or a limit, so no score changes; with "
                "peers_too the comparison with peers moves as well.",
                zh="制度中该指标未与目标或限额比较，得分不变；如需同时调整同组比较，请设置 peers_too。",
            )
        )
    return Effect(setting.present(), after, {"yardsticks": table}, tuple(said))


def _eased(network: Network, change: NplTolerance, amount: Decimal, rows: np.ndarray) -> Network:
    """Score the rows that the tolerance is for again, with eased yardsticks."""
    figures = network.figures
    eased = eased_policy(network.policy, change.indicator, amount)
    facts = _eased_facts(figures.facts, change, float(amount))
    indicators = network.scores[0].indicators
    scores = score(network.policy, figures.facts, np.where(rows, -1, figures.card), indicators)
    return replace(network, scores=(*scores, *score(eased, facts, np.where(rows, figures.card, -1), indicators)))


def _eased_facts(facts: Facts, change: NplTolerance, amount: float) -> Facts:
    code, kinds = change.indicator, (*TARGETS, *(("peers",) if change.peers_too else ()))

    def moved(array: np.ndarray) -> np.ndarray:
        return np.round(array + amount, DECIMALS)

    eased = {kind: dict(getattr(facts, kind)) | {code: moved(facts.of(kind, code))} for kind in kinds}
    if change.peers_too:
        eased["standards"] = {key: moved(a) if key[0] == code else a for key, a in facts.standards.items()}
    return replace(facts, **eased)


def eased_policy(policy: Policy, code: str, amount: Decimal) -> Policy:
    """Move a policy's own figures for an indicator: fixed references, tiers, standards, upper limits of conditions."""

    def condition(when: Condition | None) -> Condition | None:
        if when is None or not _limits(when, code):
            return when
        name = "above" if when.above is not None else "at_least"
        return when.model_copy(update={name: when.limit + amount})

    def part(entry):
        return entry.model_copy(update={"when": condition(entry.when)}) if hasattr(entry, "when") else entry

    cards = tuple(
        card.model_copy(
            update={
                "items": tuple(_eased_item(item, code, amount) for item in card.items),
                "adjustments": tuple(part(adjustment) for adjustment in card.adjustments),
            }
        )
        for card in policy.scorecards
    )
    return policy.model_copy(update={"scorecards": cards, "gates": tuple(part(gate) for gate in policy.gates)})


def _eased_item(item: Item, code: str, amount: Decimal) -> Item:
    if item.indicator != code:
        return item
    rule, update = item.rule, {}
    if item.value is not None:
        update["value"] = item.value + amount
    if isinstance(rule, Tiers) and rule.of == "figure":
        moved = [
            t if t.start is None else Tier.model_validate({"from": t.start + amount, "points": t.points})
            for t in rule.tiers
        ]
        update["rule"] = rule.model_copy(update={"tiers": tuple(moved)})
    elif isinstance(rule, Efficacy) and rule.standards is not None:
        update["rule"] = rule.model_copy(update={"standards": tuple(v + amount for v in rule.standards)})
    return item.model_copy(update=update) if update else item


def _limits(when: Condition, code: str) -> bool:
    """Tell whether a condition is an upper limit on the figure itself."""
    return when.indicator == code and when.of == "figure" and when.upwards


def _yardsticks(policy: Policy, change: NplTolerance) -> Iterator[tuple[str, str, bool]]:
    """List where a policy looks at the indicator, what it is compared with, and whether that moves."""
    code = change.indicator
    for card in policy.scorecards:
        for item in card.items:
            if item.indicator != code:
                continue
            rule, against = item.rule, str(item.against)
            if isinstance(rule, Tiers) and rule.of == "figure":
                against = "tiers"
            elif isinstance(rule, Efficacy):
                against = "peers" if rule.standards is None else "standards"
            moves = against != "last_year" and (against != "peers" or change.peers_too)
            yield f"scorecards.{card.id}.items.{code}", against, moves
        for adjustment in card.adjustments:
            if adjustment.when.indicator == code:
                name = f"scorecards.{card.id}.adjustments.{adjustment.id}"
                yield name, _compared(adjustment.when), _moves(adjustment.when, code)
    for gate in policy.gates:
        when = getattr(gate, "when", None)
        if when is not None and when.indicator == code:
            yield f"gates.{gate.id}", _compared(when), _moves(when, code)


def _compared(when: Condition) -> str:
    return {"figure": "limit", "attainment": "target", "change": "last_year"}[when.of]


def _moves(when: Condition, code: str) -> bool:
    return _limits(when, code) or when.of == "attainment"
