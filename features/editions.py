"""Under which definition each figure was delivered: what stands under another one than now is not compared with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.errors import LoadlineError
from features.indicators import Indicator

MEANING = ("unit", "kind", "averaging", "ratio_scale", "numerator", "denominator")
"""Fields that change what figures mean, so that another of them asks for another `definition_version`.

Direction, bounds, band, role and the like change how figures are judged, not what they are. `formula` and `exclusions`
are words, and only the bank knows whether a reworded one means something else.
"""


@dataclass(frozen=True, slots=True)
class Edition:
    """The definition of an indicator at one time: its version, and what a ratio is made of."""

    version: str
    parts: tuple[str, ...] = ()


def editions_of(indicators: Iterable[Indicator]) -> dict[str, Edition]:
    """Give the editions of indicators, by code. A level rests on nothing: its denominator only weighs it."""
    return {
        each.code: Edition(
            each.definition_version,
            tuple(part for part in (each.numerator, each.denominator) if part is not None and each.kind == "ratio"),
        )
        for each in indicators
    }


def read_editions(text: str) -> dict[str, Edition]:
    """Read the editions of a stored batch."""
    return editions_of(Indicator.model_validate(entry) for entry in json.loads(text))


def resting_on(code: str, *stated: Mapping[str, Edition]) -> Iterator[str]:
    """List an indicator and what it is made of, at any of some times."""
    seen, waiting = {code}, [code]
    while waiting:
        yield (found := waiting.pop(0))
        for edition in (each[found] for each in stated if found in each):
            waiting += [part for part in edition.parts if part not in seen]
            seen.update(edition.parts)


def changed_part(code: str, then: Mapping[str, Edition], now: Mapping[str, Edition]) -> str | None:
    """Give what puts figures of an indicator under another definition than now: itself, or a part of the ratio.

    None where they stand under the same; what was not defined then cannot have changed.
    """
    for part in resting_on(code, now, then):
        if part in then and part in now and then[part].version != now[part].version:
            return part
    return None


@dataclass(frozen=True)
class Editions:
    """The definitions of a chain of batches, the oldest first.

    Attributes
    ----------
    batches : tuple of str
    stated : tuple of Mapping[str, Edition]
        One a batch.
    """

    batches: tuple[str, ...]
    stated: tuple[Mapping[str, Edition], ...]

    @classmethod
    def read(cls, texts: Mapping[str, str], batches: Sequence[str]) -> Editions:
        """Read the indicators that were stored with each batch."""
        parsed = {text: read_editions(text) for text in set(texts.values())}
        return cls(tuple(batches), tuple(parsed[texts[batch]] for batch in batches))

    def withheld(self, now: Mapping[str, Edition]) -> dict[str, tuple[str, ...]]:
        """List the batches whose figures stand under another definition than now, by indicator; mostly none."""
        different = {id(then): then for then in self.stated if then != now}
        codes = {key: {code for code in now if changed_part(code, then, now)} for key, then in different.items()}
        found: dict[str, list[str]] = {}
        for batch, then in zip(self.batches, self.stated, strict=True):
            for code in codes.get(id(then), ()):
                found.setdefault(code, []).append(batch)
        return {code: tuple(found[code]) for code in now if code in found}


def check_meaning(before: Mapping[str, Indicator], after: Mapping[str, Indicator], *, where: str) -> None:
    """Refuse indicators that mean something else under a definition version that figures are stored under.

    A part that was not named before, or is no longer, changes how a ratio rolls up, not what it is.

    Raises
    ------
    LoadlineError
    """
    wrong = [f"{code} ({', '.join(fields)})" for code in before if (fields := _others(before[code], after.get(code)))]
    if wrong:
        raise LoadlineError(
            f"{len(wrong):,} indicators mean something else than their stored figures: {', '.join(wrong[:5])}",
            where=where,
            hint="Raise their definition_version, which keeps earlier figures apart, or leave the fields as they were.",
        )


def _others(before: Indicator, after: Indicator | None) -> list[str]:
    if after is None or before == after or before.definition_version != after.definition_version:
        return []
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in MEANING}
    if after.kind != "ratio" or before.kind != "ratio":
        pairs.pop("ratio_scale")
        pairs.pop("denominator")  # of a level, the weight
    return [name for name, (old, new) in pairs.items() if old != new and None not in (old, new)]
