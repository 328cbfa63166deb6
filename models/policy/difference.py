"""What is different between two policies, change by change, in words and with what each change asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from features.indicators import Title
from models.policy.consequences import CONSEQUENCES, Consequence, Kind
from models.policy.difference_words import changed, said
from models.policy.document import Item, Policy, Scorecard, Selector

FIELDS: dict[str, Kind] = {
    "id": "identity",
    "version": "identity",
    "title": "wording",
    "source": "wording",
    "level": "evaluation_level",
}
"""Fields of a policy that are compared as they stand, before its scorecards."""
LAST_FIELDS: dict[str, Kind] = {
    "ratchet_cap": "ratchet",
    "flagged_attain": "flagged",
    "alert_budget": "alerts",
    "factors": "factors",
    "accepted": "acceptance",
}
"""Those that come after its gates."""
ITEM_FIELDS: dict[str, Kind] = {
    "weight": "weights",
    "against": "reference",
    "value": "reference",
    "growth": "reference",
    "perspective": "class",
    "block": "class",
    "shared": "class",
    "note": "wording",
}
"""Fields of an item beside its rule."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two policies.

    Attributes
    ----------
    kind : str
        See `models.policy.consequences.CONSEQUENCES`.
    where : str
        Path in the document, with ids and indicators in place of numbers: `scorecards.retail.items.P06.weight`.
    before, after : str or None
        In the words of the documents; None where there is nothing.
    text : Title
        The change in a sentence.
    """

    kind: Kind
    where: str
    before: str | None
    after: str | None
    text: Title

    @property
    def consequence(self) -> Consequence:
        """Give what the change asks for."""
        return CONSEQUENCES[self.kind]

    @property
    def retrain(self) -> bool:
        """Tell whether the models of targets and of risk must learn again."""
        return self.consequence.retrain

    def as_dict(self) -> dict[str, Any]:
        """Give the change as plain data, for JSON."""
        asked = self.consequence
        return {
            "kind": self.kind,
            "where": self.where,
            "before": self.before,
            "after": self.after,
            "text": self.text.model_dump(),
            "consequence": {"code": asked.code, "text": asked.text.model_dump()},
            "retrain": asked.retrain,
            "retrain_scores": asked.retrain_scores,
        }


def differences(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Compare two policies: scorecards, adjustments and gates by id, items by indicator, grades by name.

    Parameters
    ----------
    old, new : Policy

    Returns
    -------
    tuple of Change
        In the order of the document; empty where nothing is different, in whatever way numbers and selectors are
        written.
    """
    return tuple(_changes(old, new))


def _changes(old: Policy, new: Policy) -> Iterator[Change]:
    yield from _fields(FIELDS, old, new, at="")
    days: dict[str, Kind] = {"start": "period", "until": "period"}
    yield from _fields(days, old.effective, new.effective, at="effective.", named="effective.")
    yield from _scorecards(old, new)
    yield from _selectors("not_scored", old.not_scored, new.not_scored)
    yield from _fields({"bonus": "limits", "malus": "limits"}, old.limits, new.limits, at="limits.", named="limits.")
    yield from _keyed("gates", "gate", "id", old.gates, new.gates, at="gates")
    yield from _keyed("grades", "grade", "name", old.grades, new.grades, at="grades")
    missing: dict[str, Kind] = {"then": "missing", "least_weight": "missing"}
    yield from _fields(missing, old.missing, new.missing, at="missing.", named="missing.")
    worth: dict[str, Kind] = {"probability": "target_levels", "points": "level_points"}
    for name in ("floor", "target", "stretch"):
        before, after = getattr(old.targets, name), getattr(new.targets, name)
        yield from _fields(worth, before, after, at=f"targets.{name}.", named=f"{name}.")
    calibration: dict[str, Kind] = {"least": "calibration", "most": "calibration", "by": "calibration"}
    yield from _fields(calibration, old.calibration, new.calibration, at="calibration.", named="calibration.")
    yield from _fields(LAST_FIELDS, old, new, at="")


def _change(kind: Kind, where: str, field: str, before: Any, after: Any, place: Title | None = None) -> Change:
    return Change(kind, where, said(before, "raw"), said(after, "raw"), changed(field, before, after, place))


def _fields(
    kinds: Mapping[str, Kind],
    old: BaseModel,
    new: BaseModel,
    *,
    at: str,
    named: str = "",
    place: Title | None = None,
) -> Iterator[Change]:
    """Compare fields of two parts one by one; `named` begins the name by which the words know a field."""
    for name, kind in kinds.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            written = type(new).model_fields[name].serialization_alias or name
            yield _change(kind, f"{at}{written}", f"{named}{written}", before, after, place)


def _keyed(
    kind: Kind,
    what: str,
    key: str,
    old: Sequence[BaseModel],
    new: Sequence[BaseModel],
    *,
    at: str,
    place: Title | None = None,
) -> Iterator[Change]:
    """Compare parts that have a key of their own: those dropped, those added, what changed in the others, the order."""
    before, after = ({str(getattr(part, key)): part for part in parts} for parts in (old, new))
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name), after.get(name)
        called = getattr(other or one, "title", name)
        inside = _inside(place, called)
        if one is None or other is None or getattr(one, "kind", None) != getattr(other, "kind", None):
            yield _change(kind, f"{at}.{name}", what, one, other, inside)
            continue
        kinds: dict[str, Kind] = {
            field: "wording" if field == "title" else kind for field in type(one).model_fields if field != key
        }
        yield from _fields(kinds, one, other, at=f"{at}.{name}.", place=inside)
    yield from _order(kind, at, list(before), list(after), place)


def _order(kind: Kind, at: str, old: Sequence[str], new: Sequence[str], place: Title | None) -> Iterator[Change]:
    before, after = (tuple(x for x in one if x in other) for one, other in ((old, new), (new, old)))
    if before != after:
        yield _change(kind, at, "order", before, after, place)


def _inside(place: Title | None, name: Title | str) -> Title:
    own = Title(en=name, zh=name) if isinstance(name, str) else name
    return own if place is None else Title(en=f"{place.en}, {own.en}", zh=f"{place.zh}，{own.zh}")


def _selectors(
    where: str, old: Sequence[Selector], new: Sequence[Selector], place: Title | None = None
) -> Iterator[Change]:
    """Compare selectors, in which the order of values means nothing."""
    before, after = (sorted((_sorted(one) for one in each), key=repr) for each in (old, new))
    if before != after:
        yield _change("selectors", where, where.rpartition(".")[2], tuple(before), tuple(after), place)


def _sorted(selector: Selector) -> Selector:
    return Selector(**{name: tuple(sorted(set(values))) for name, values in selector})


def _scorecards(old: Policy, new: Policy) -> Iterator[Change]:
    before, after = ({card.id: card for card in policy.scorecards} for policy in (old, new))
    scored = {item.indicator for card in old.scorecards for item in card.items}
    for name, card in before.items():
        if name in after:
            yield from _scorecard(card, after[name], scored)
        else:
            yield _change("scorecards", f"scorecards.{name}", "scorecard", _contents(card), None, card.title)
    for name, card in after.items():
        if name not in before:
            yield _change("scorecards", f"scorecards.{name}", "scorecard", None, _contents(card), card.title)
            unseen = [item for item in card.items if item.indicator not in scored]
            yield from _items((), unseen, scored, at=f"scorecards.{name}.items", place=card.title)
    yield from _order("wording", "scorecards", list(before), list(after), None)


def _contents(card: Scorecard) -> str:
    return ", ".join(f"{item.indicator} {said(item.weight, 'raw')}" for item in card.items)


def _scorecard(old: Scorecard, new: Scorecard, scored: set[str]) -> Iterator[Change]:
    where, place = f"scorecards.{new.id}", new.title
    yield from _fields({"title": "wording"}, old, new, at=f"{where}.", place=place)
    yield from _selectors(f"{where}.applies_to", [old.applies_to], [new.applies_to], place)
    yield from _items(old.items, new.items, scored, at=f"{where}.items", place=place)
    yield from _keyed(
        "adjustments", "adjustment", "id", old.adjustments, new.adjustments, at=f"{where}.adjustments", place=place
    )


def _items(old: Sequence[Item], new: Sequence[Item], scored: set[str], *, at: str, place: Title) -> Iterator[Change]:
    """Compare items; an added one whose indicator no scorecard of the old policy had is new to the policy."""
    before, after = ({item.indicator: item for item in items} for items in (old, new))
    for code in [*before, *(code for code in after if code not in before)]:
        one, other = before.get(code), after.get(code)
        inside, where = _inside(place, code), f"{at}.{code}"
        if one is not None and other is not None:
            yield from _fields(ITEM_FIELDS, one, other, at=f"{where}.", place=inside)
            yield from _rule(one, other, at=f"{where}.rule", place=inside)
        else:
            kind: Kind = "items" if code in scored else "new_indicator"
            yield _change(kind, where, "item", one, other, inside)
    yield from _order("wording", at, list(before), list(after), place)


def _rule(old: Item, new: Item, *, at: str, place: Title) -> Iterator[Change]:
    if old.rule.kind != new.rule.kind:
        yield _change("rule", at, "rule", old.rule, new.rule, place)
        return
    kinds: dict[str, Kind] = dict.fromkeys((name for name in type(old.rule).model_fields if name != "kind"), "rule")
    yield from _fields(kinds, old.rule, new.rule, at=f"{at}.", named="rule.", place=place)
