"""Units to score: single figures for examples worked by hand, and random policies and figures.

The random ones are full of ties, zeros, sign changes, gaps and extreme sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from features.indicators import Indicator, IndicatorSet
from models.policy.document import Policy
from models.policy.rules import Efficacy
from models.scoring.engine import CardScores, score
from models.scoring.facts import Facts
from models.scoring.points import SCORED

GRID = (0, 1, 40, 50, 79.95, 80, 92.345, 100, 100.001, 130, 200)
"""Figures that meet each other, targets, limits of conditions and starts of tiers exactly, or miss by little."""
EXTREMES = (1e12, 1e12 - 0.5, 123_456_789.012345, 1e-6, 2e-6, -1e-6, -1e12)
KINDS = ("actual", "last_year", "floor", "target", "stretch", "peers")
TITLE = {"en": "x", "zh": "项"}
Generator = np.random.Generator


def indicators() -> IndicatorSet:
    """Make indicators of every direction, with and without a band that includes 0."""
    return IndicatorSet(
        Indicator.model_validate(
            {"code": code, "name": {"en": code, "zh": code}, "unit": unit, "kind": kind, "direction": direction}
            | {"perspective": perspective, "controllable": controllable}
            | ({"band": band} if band else {})
        )
        for code, direction, unit, kind, perspective, controllable, band in (
            ("UP1", "higher", "CNY m", "flow", "performance", True, None),
            ("UP2", "higher", "%", "ratio", "customer", True, None),
            ("UP3", "higher", "n", "flow", "customer", False, None),
            ("DOWN1", "lower", "%", "ratio", "risk", True, None),
            ("DOWN2", "lower", "n", "flow", "compliance", True, None),
            ("BAND1", "band", "%", "ratio", "risk", True, [80, 100]),
            ("BAND2", "band", "%", "ratio", "risk", True, [-40, 50.5]),
            ("SME", "higher", "%", "level", "social", True, None),
            ("ALL", "higher", "%", "level", "context", False, None),
        )
    )


def pick(rng: Generator, options: Any) -> Any:
    """Take one of some options."""
    return options[int(rng.integers(len(options)))]


def number(rng: Generator, low: float, high: float, decimals: int) -> Decimal:
    """Draw a decimal of so many places."""
    return Decimal(int(rng.integers(round(low * 10**decimals), round(high * 10**decimals) + 1))).scaleb(-decimals)


def _increment(rng: Generator) -> dict[str, Any]:
    def side() -> dict[str, Any]:
        return {
            "step": pick(rng, [Decimal(1), Decimal("0.1"), Decimal(3), Decimal("0.000007")]),
            "points": number(rng, 0, 10, 3),
            "most": number(rng, 0, 60, 2),
        }

    base = pick(rng, [Decimal(100), Decimal(80), Decimal(0), number(rng, -50, 100, 2)])
    steps_in = pick(rng, ["figure", "percent"])
    return {"kind": "increment", "base": base, "better": side(), "worse": side(), "steps_in": steps_in}


def _rule(rng: Generator, direction: str) -> dict[str, Any]:
    kinds = ["ratio", "ratio", "increment", "tiers", "efficacy", "levels"]
    if direction == "band":
        kinds = ["ratio", "increment", "tiers"]
    kind = pick(rng, kinds)
    if kind == "ratio":
        rule = {"kind": "ratio", "cap": pick(rng, [Decimal(130), Decimal(100), Decimal("110.05")])}
        rule["least"] = pick(rng, [Decimal(0), Decimal(0), Decimal(-10), Decimal("55.5")])
        if rng.random() < 0.5:
            rule["otherwise"] = _increment(rng)
        if direction == "band" and rng.random() < 0.5:
            rule["band"] = [Decimal("79.95"), Decimal(100)]
        return rule
    if kind == "increment":
        return _increment(rng)
    if kind == "tiers":
        starts = sorted({Decimal(str(x)) for x in rng.choice(GRID, 4)})
        tiers = [{"points": number(rng, 0, 120, 2)}]
        tiers += [{"from": start, "points": number(rng, 0, 120, 2)} for start in starts]
        return {"kind": "tiers", "of": pick(rng, ["figure", "attainment"]), "tiers": tiers}
    if kind == "efficacy":
        if rng.random() < 0.5:
            return {"kind": "efficacy"}
        standards = sorted({Decimal(str(x)) for x in (*rng.choice(GRID, 3), -7, 300)}, reverse=direction == "lower")
        coefficients = [Decimal(k + 1) / len(standards) for k in range(len(standards))]
        coefficients = [round(q, 5) for q in coefficients]
        return {"kind": "efficacy", "standards": standards, "coefficients": coefficients}
    return {"kind": "levels"}


def _condition(rng: Generator, codes: list[str]) -> dict[str, Any]:
    of = pick(rng, ["figure", "attainment", "change"])
    limit = Decimal(str(pick(rng, GRID))) if of != "change" else pick(rng, [Decimal(0), Decimal(-20), Decimal("0.5")])
    return {"indicator": pick(rng, codes), "of": of, pick(rng, ["above", "below", "at_least", "at_most"]): limit}


def _weights(rng: Generator, count: int) -> list[Decimal]:
    cuts = np.sort(rng.choice(np.arange(1, 10_000), count - 1, replace=False))
    return [Decimal(int(x)).scaleb(-2) for x in np.diff([0, *cuts, 10_000])]


def _item(rng: Generator, indicator: Indicator, weight: Decimal) -> dict[str, Any]:
    item: dict[str, Any] = {"indicator": indicator.code, "weight": weight}
    if indicator.code == "SME":
        return item | {
            "rule": {"kind": "two_increase", "all_loans": "ALL", "miss": pick(rng, [Decimal(3), Decimal(5)])}
        }
    item["rule"] = _rule(rng, indicator.direction)
    if item["rule"]["kind"] == "levels":
        return item
    item["against"] = pick(rng, ["target", "target", "last_year", "peers", "fixed"])
    if item["against"] == "fixed":
        item["value"] = pick(rng, [Decimal(100), Decimal(0), Decimal(-3), Decimal("79.95")])
    elif item["against"] != "target":
        item["growth"] = pick(rng, [Decimal(0), Decimal(5), Decimal("-12.345"), Decimal("7.00003")])
    return item


def random_policy(rng: Generator, known: IndicatorSet) -> Policy:
    """Draw a policy of one scorecard: any rules, up to four adjustments and five gates in any order."""
    codes = [code for code in known if code != "ALL"]
    count = int(rng.integers(1, len(codes) + 1))
    chosen = [str(code) for code in rng.permutation(codes)[:count]]
    items = [_item(rng, known[code], weight) for code, weight in zip(chosen, _weights(rng, count), strict=True)]
    adjustments = []
    for place in range(int(rng.integers(0, 5))):
        adjustment = {"id": f"a{place}", "title": TITLE, "kind": pick(rng, ["bonus", "malus"])}
        adjustment |= {"when": _condition(rng, codes), "points": number(rng, 0.01, 6, 2)}
        if rng.random() < 0.5:
            adjustment |= {"per": pick(rng, [Decimal(1), Decimal("0.7"), Decimal(1000)]), "most": number(rng, 1, 9, 2)}
        adjustments.append(adjustment)
    gates = []
    for place in range(int(rng.integers(0, 6))):
        kind = pick(rng, ["total_cap", "total_cap", "protection_floor", "grade_ceiling", "veto"])
        gate: dict[str, Any] = {"kind": kind, "id": f"g{place}", "title": TITLE}
        if kind in ("total_cap", "protection_floor"):
            gate["at"] = pick(rng, [Decimal(100), Decimal(80), number(rng, 20, 120, 2)])
        if kind == "protection_floor":
            gate |= {"of": pick(rng, ["new_units", "moved_units"]), "months": pick(rng, [3, 6])}
        elif kind != "total_cap" or rng.random() < 0.5:
            gate["when"] = _condition(rng, codes)
        if kind == "grade_ceiling":
            gate["grade"] = pick(rng, ["A", "B", "C", "D"])
        gates.append(gate)
    starts = (Decimal("79.95"), Decimal(65), Decimal("50.05"))
    grades = [{"name": name, "from": start} for name, start in zip("ABC", starts, strict=True)]
    limit = [None, Decimal(0), Decimal("2.5"), Decimal(4)]
    missing = {"then": pick(rng, ["withhold", "rescale"]), "least_weight": pick(rng, [Decimal("60.04"), Decimal(20)])}
    return plain_policy(
        items,
        adjustments=adjustments,
        limits={"bonus": pick(rng, limit), "malus": pick(rng, limit)},
        gates=gates,
        grades=[*grades, {"name": "D"}],
        missing=missing,
    )


def figures(rng: Generator, rows: int) -> np.ndarray:
    """Draw figures: most from the grid or near it, some of any size, some extreme, zero, negative or missing."""
    kind = rng.random(rows)
    drawn = rng.choice(np.array(GRID, dtype=float), rows)
    near = rng.integers(60_000, 140_000, rows) / 1000
    drawn = np.where(kind < 0.5, near, drawn)
    drawn = np.where(kind < 0.15, rng.integers(-(10**9), 10**9, rows) / 10 ** rng.integers(0, 7, rows), drawn)
    drawn = np.where(kind > 0.9, -drawn, drawn)
    drawn = np.where(kind > 0.94, rng.choice(np.array(EXTREMES), rows), drawn)
    return np.where(kind > 0.97, np.nan, drawn)


def random_facts(rng: Generator, policy: Policy, known: IndicatorSet, rows: int) -> Facts:
    """Draw figures of every kind for every indicator; levels mostly in order, references often met exactly."""
    kinds: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    for code, indicator in known.items():
        for kind, arrays in kinds.items():
            arrays[code] = figures(rng, rows)
            if kind != "actual":
                same = rng.random(rows) < 0.15
                arrays[code] = np.where(same, kinds["actual"][code], arrays[code])
        levels = np.sort(np.stack([kinds[kind][code] for kind in ("floor", "target", "stretch")]), axis=0)
        levels = levels[::-1] if indicator.direction == "lower" else levels
        ordered = rng.random(rows) < 0.9
        for kind, level in zip(("floor", "target", "stretch"), levels, strict=True):
            kinds[kind][code] = np.where(ordered, level, kinds[kind][code])
    standards = {}
    for item in policy.scorecards[0].items:
        if isinstance(item.rule, Efficacy) and item.rule.standards is None:
            drawn = np.sort(np.stack([figures(rng, rows) for _ in item.rule.quantiles]), axis=0)
            if known[item.indicator].direction == "lower":
                drawn = drawn[::-1]
            standards[item.indicator, tuple(float(q) for q in item.rule.quantiles)] = drawn
    months = np.array([0, 2, 3, 5, 6, 40, np.inf])
    return Facts(rows, **kinds, standards=standards, opened=rng.choice(months, rows), moved=rng.choice(months, rows))


def constants(part: Any) -> set[float]:
    """List all numbers of a policy, or of a part of one."""
    if isinstance(part, Mapping):
        return set().union(*(constants(value) for value in part.values()))
    if isinstance(part, list | tuple):
        return set().union(*(constants(value) for value in part))
    return {float(part)} if isinstance(part, Decimal) else set()


@st.composite
def facts_around(draw: st.DrawFn, policy: Policy, known: IndicatorSet, *, rows: int) -> Facts:
    """Draw figures of which many are numbers of the policy itself, or differ from one by the smallest step."""
    numbers = sorted(constants(policy.model_dump()) | {0.0, 1.0, 100.0} | set(EXTREMES))
    figure = st.one_of(
        st.sampled_from(numbers),
        st.builds(lambda x, step: round(x + step, 6), st.sampled_from(numbers), st.sampled_from([-1e-6, 1e-6])),
        st.integers(-(10**9), 10**9).map(lambda x: x / 1000),
        st.just(float("nan")),
    )
    row = st.lists(figure, min_size=rows, max_size=rows).map(np.array)
    codes = list(known)
    kinds: Any = {kind: {code: draw(row) for code in codes} for kind in ("actual", "last_year", "target")}
    for code in codes:
        if draw(st.booleans()):
            kinds["target"][code] = kinds["actual"][code]
        levels = np.sort(np.stack([draw(row), kinds["target"][code], draw(row)]), axis=0)
        levels = levels[::-1] if known[code].direction == "lower" else levels
        for kind, level in zip(("floor", "target", "stretch"), levels, strict=True):
            kinds.setdefault(kind, {})[code] = level
    kinds["peers"] = {code: draw(row) for code in codes}
    standards = {}
    for item in (item for card in policy.scorecards for item in card.items):
        if isinstance(item.rule, Efficacy) and item.rule.standards is None:
            drawn = np.sort(np.stack([draw(row) for _ in item.rule.quantiles]), axis=0)
            drawn = drawn[::-1] if known[item.indicator].direction == "lower" else drawn
            standards[item.indicator, tuple(float(q) for q in item.rule.quantiles)] = drawn
    months = st.lists(st.sampled_from([0.0, 1.0, 5.0, 12.0, np.inf]), min_size=rows, max_size=rows).map(np.array)
    return Facts(rows, **kinds, standards=standards, opened=draw(months), moved=draw(months))


def plain_policy(items: list[dict[str, Any]], **rest: Any) -> Policy:
    """Make a policy of one scorecard; `adjustments` go to the scorecard, everything else to the policy."""
    card = {"id": "all", "title": TITLE, "items": items, "adjustments": rest.pop("adjustments", [])}
    document = {"policy": 1, "id": "made", "version": "1", "title": TITLE, "source": "made for a test"}
    document |= {"effective": {"from": "2024-01-01"}, "level": "internal", "scorecards": [card]}
    return Policy.model_validate(document | rest)


def one_indicator(code: str, direction: str, band: tuple[float, float] | None = None) -> Indicator:
    """Make an indicator of a direction."""
    fields = {"code": code, "name": {"en": code, "zh": code}, "unit": "CNY m", "kind": "level", "direction": direction}
    fields |= {"perspective": "performance"} | ({"band": band} if direction == "band" else {})
    return Indicator.model_validate(fields)


def score_one(
    policy: Policy,
    known: IndicatorSet,
    figures: Mapping[str, Mapping[str, float]],
    *,
    opened: float = np.inf,
    moved: float = np.inf,
) -> CardScores:
    """Score a single row: figures by kind and indicator."""
    found: dict[str, Any] = {"actual": {}, "opened": np.array([opened]), "moved": np.array([moved])}
    for kind, of in figures.items():
        found[kind] = {code: np.array([float(x)]) for code, x in of.items()}
    facts = Facts(1, **found)
    (scores,) = score(policy, facts, np.zeros(1, dtype=int), known)
    return scores


def points_of(rule: dict[str, Any], actual: float, *, direction: str = "higher", **given: Any) -> float | None:
    """Give the points out of 100 of a single figure under a rule; nothing where the item is not scored.

    `target`, `last_year`, `peers`, `floor`, `stretch` are figures; `band` is the indicator's; what else is given
    belongs to the item, such as `against` and `growth`.
    """
    figures = {kind: {"X": given.pop(kind)} for kind in KINDS if kind in given}
    known = IndicatorSet([one_indicator("X", direction, given.pop("band", (0.0, 1.0)))])
    policy = plain_policy([{"indicator": "X", "weight": 100, "rule": rule} | given])
    scores = score_one(policy, known, {"actual": {"X": actual}} | figures)
    return int(scores.points[0, 0]) / 100 if scores.state[0, 0] == SCORED else None
