"""Random policies that the validator does not refuse, of every rule, adjustment and gate, for property tests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from features.indicators import Indicator, IndicatorSet
from models.policy.checks.items import is_point_volume
from models.policy.document import Policy

WHOLE = 100_00
TITLE = {"en": "Random", "zh": "随机"}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=3, max_size=12)
GRADES = "ABCDE"


def decimals(low: float, high: float, places: int = 2) -> SearchStrategy[Decimal]:
    """Draw decimals of up to so many places, both limits included."""
    scale = 10**places
    return st.integers(round(low * scale), round(high * scale)).map(lambda x: Decimal(x).scaleb(-places))


FIGURES = st.one_of(
    decimals(-200, 200, 3), decimals(-(10**6), 10**6, 6), st.sampled_from([Decimal(10**12), Decimal(0)])
)


def usable(indicators: IndicatorSet) -> list[Indicator]:
    """List the indicators that may be items of any scorecard."""
    return [i for i in indicators.values() if i.is_target and not i.entity_only and not is_point_volume(i)]


@st.composite
def policies(draw: DrawFn, indicators: IndicatorSet, *, most_items: int = 8, most_cards: int = 3) -> Policy:
    """Draw a policy over some of the indicators that the validator finds no error in.

    With several scorecards each is for one peer group, `g1`, `g2`, ...; a single one is for all units.
    """
    count = draw(st.integers(1, most_cards))
    grades = draw(st.integers(0, len(GRADES)))
    starts = sorted(draw(st.sets(decimals(10, 99), min_size=max(grades - 1, 0), max_size=max(grades - 1, 0))))[::-1]
    return Policy.model_validate(
        {
            "policy": 1,
            "id": draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)),
            "version": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True)),
            "title": {"en": draw(TEXTS), "zh": draw(TEXTS)},
            "source": draw(TEXTS),
            "effective": {"from": draw(st.dates(date(2000, 1, 1), date(2050, 1, 1)))},
            "level": draw(st.sampled_from(["internal", "owner"])),
            "scorecards": [
                _card(draw, indicators, f"card-{place}", [f"g{place}"] if count > 1 else [], most_items)
                for place in range(1, count + 1)
            ],
            "not_scored": draw(st.lists(st.just({"level": ["group"]}), max_size=1)),
            "limits": {name: draw(st.none() | decimals(0, 20)) for name in ("bonus", "malus")},
            "gates": [_gate(draw, indicators, f"gate-{place}", grades) for place in range(draw(st.integers(0, 4)))],
            "grades": [
                {"name": name} | ({"from": start} if start is not None else {})
                for name, start in zip(GRADES[:grades], [*starts, None], strict=False)
            ],
            "missing": {"then": draw(st.sampled_from(["withhold", "rescale"])), "least_weight": draw(decimals(1, 100))},
            "ratchet_cap": draw(decimals(0, 1, 3)),
        }
    )


def _card(draw: DrawFn, indicators: IndicatorSet, name: str, groups: list[str], most: int) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(usable(indicators)), min_size=1, max_size=most, unique_by=lambda i: i.code))
    cuts = sorted(draw(st.sets(st.integers(1, WHOLE - 1), min_size=len(chosen) - 1, max_size=len(chosen) - 1)))
    weights = [Decimal(b - a).scaleb(-2) for a, b in zip([0, *cuts], [*cuts, WHOLE], strict=True)]
    return {
        "id": name,
        "title": TITLE,
        "applies_to": {"peer_group": groups},
        "items": [_item(draw, indicators, i, weight) for i, weight in zip(chosen, weights, strict=True)],
        "adjustments": [_adjustment(draw, indicators, f"extra-{place}") for place in range(draw(st.integers(0, 3)))],
    }


def _item(draw: DrawFn, indicators: IndicatorSet, indicator: Indicator, weight: Decimal) -> dict[str, Any]:
    rule = _rule(draw, indicators, indicator)
    item = {"indicator": indicator.code, "weight": weight, "rule": rule, "shared": draw(st.booleans())}
    compares = rule["kind"] in ("ratio", "increment", "two_increase") or rule.get("of") == "attainment"
    compares = compares and "band" not in rule
    against = draw(st.sampled_from(["target", "last_year", "peers", "fixed"])) if compares else "target"
    item["against"] = against
    if against == "fixed":
        item["value"] = draw(FIGURES)
    elif against != "target":
        item["growth"] = draw(decimals(-50, 50, 3))
    return item


def _rule(draw: DrawFn, indicators: IndicatorSet, indicator: Indicator) -> dict[str, Any]:
    kinds = ["ratio", "increment", "tiers"]
    others = [i.code for i in indicators.values() if i.unit == indicator.unit and i.code != indicator.code]
    if indicator.direction != "band":
        kinds += ["efficacy", "levels"]
    if indicator.direction == "higher" and others:
        kinds.append("two_increase")
    kind = draw(st.sampled_from(kinds))
    if kind == "ratio":
        rule = {"kind": kind, "cap": draw(decimals(100, 200)), "least": draw(decimals(-50, 90))}
        if indicator.direction == "band" and draw(st.booleans()):
            rule["band"] = sorted(draw(st.sets(FIGURES, min_size=2, max_size=2)))
        if indicator.limits[0] < 0 or draw(st.booleans()):
            rule["otherwise"] = _increment(draw)
        return rule
    if kind == "increment":
        return _increment(draw)
    if kind == "tiers":
        starts = sorted(draw(st.sets(FIGURES, min_size=1, max_size=4)))
        points = [Decimal(100), *(draw(decimals(0, 120)) for _ in starts)]
        tiers = [{"points": points[0]}, *({"from": x, "points": p} for x, p in zip(starts, points[1:], strict=True))]
        of = draw(st.sampled_from(["figure", "attainment"])) if indicator.direction != "band" else "figure"
        return {"kind": kind, "of": of, "tiers": tiers}
    if kind == "efficacy":
        if draw(st.booleans()):
            return {"kind": kind}
        standards = sorted(draw(st.sets(FIGURES, min_size=2, max_size=5)), reverse=indicator.direction == "lower")
        below = draw(st.sets(decimals(0, 0.99, 3), min_size=len(standards) - 1, max_size=len(standards) - 1))
        return {"kind": kind, "standards": standards, "coefficients": [*sorted(below), Decimal(1)]}
    if kind == "two_increase":
        return {"kind": kind, "all_loans": draw(st.sampled_from(others)), "miss": draw(decimals(0, 5))}
    return {"kind": kind}


def _increment(draw: DrawFn) -> dict[str, Any]:
    base = draw(decimals(50, 120))
    better = {"step": draw(decimals(0.001, 10, 3)), "points": draw(decimals(0, 10, 3)), "most": draw(decimals(50, 80))}
    worse = {"step": draw(decimals(0.001, 10, 3)), "points": draw(decimals(0, 10, 3)), "most": draw(decimals(0, 80))}
    steps_in = draw(st.sampled_from(["figure", "percent"]))
    return {"kind": "increment", "base": base, "better": better, "worse": worse, "steps_in": steps_in}


def _condition(draw: DrawFn, indicators: IndicatorSet) -> dict[str, Any]:
    return {
        "indicator": draw(st.sampled_from(list(indicators))),
        "of": draw(st.sampled_from(["figure", "attainment", "change"])),
        draw(st.sampled_from(["above", "below", "at_least", "at_most"])): draw(FIGURES),
    }


def _adjustment(draw: DrawFn, indicators: IndicatorSet, name: str) -> dict[str, Any]:
    found = {"id": name, "title": TITLE, "kind": draw(st.sampled_from(["bonus", "malus"]))}
    found |= {"when": _condition(draw, indicators), "points": draw(decimals(0.01, 6))}
    if draw(st.booleans()):
        found |= {"per": draw(decimals(0.001, 100, 3)), "most": draw(decimals(0.01, 9))}
    return found


def _gate(draw: DrawFn, indicators: IndicatorSet, name: str, grades: int) -> dict[str, Any]:
    kinds = ["total_cap", "protection_floor", "veto"] + (["grade_ceiling"] if grades > 1 else [])
    kind = draw(st.sampled_from(kinds))
    gate: dict[str, Any] = {"kind": kind, "id": name, "title": TITLE}
    if kind == "protection_floor":
        of = draw(st.sampled_from(["new_units", "moved_units"]))
        return gate | {"of": of, "months": draw(st.integers(1, 24)), "at": draw(decimals(20, 90))}
    if kind == "total_cap":
        conditional = draw(st.booleans())
        gate["at"] = draw(decimals(20, 120) if conditional else decimals(100, 120))
        return gate | ({"when": _condition(draw, indicators)} if conditional else {})
    if kind == "grade_ceiling":
        gate["grade"] = draw(st.sampled_from(GRADES[1:grades]))
    return gate | {"when": _condition(draw, indicators)}
