"""The facts of a model card: no language and no layout, only what is known, so that what is missing can be seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from training.gating.gate import Gate

FORMAT = 1
"""Version of what is kept of a card's facts."""
Kind = Literal["target", "warning"]
Said = str | int | float | bool | Title | None
"""A value of a card; words that differ between languages are a `Title`. None and NaN are shown as not stated."""
ROLES = ("developer", "validator", "owner", "approver")
"""Who signs; further roles may be added."""


@dataclass(frozen=True)
class CardTable:
    """A table of a card.

    Attributes
    ----------
    columns : tuple of str
        Names of `words.yaml`; another is shown as it is.
    rows : tuple of tuple
        A value of `Said` a column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Said, ...], ...]

    @classmethod
    def of(cls, table: pd.DataFrame | None) -> CardTable | None:
        """Take a data frame, without its index; None where there is none or it is empty."""
        if table is None or table.empty:
            return None
        rows = tuple(tuple(map(_said, row)) for row in table.astype(object).to_numpy())
        return cls(tuple(map(str, table.columns)), rows)

    def column(self, name: str) -> list[Said]:
        """Give the values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def stated(self) -> CardTable:
        """Leave away the columns of which nothing is stated."""
        kept = [n for n in range(len(self.columns)) if any(row[n] is not None for row in self.rows)]
        return CardTable(tuple(self.columns[n] for n in kept), tuple(tuple(row[n] for n in kept) for row in self.rows))


@dataclass(frozen=True)
class Signature:
    """Who has signed a card; an empty field is left blank, to be filled in by hand.

    Attributes
    ----------
    name, date, note : str
        The note in the signer's own words.
    mark : str
        `signed` for what a gate left to a person, `forced` against a gate, or "".
    """

    name: str = ""
    date: str = ""
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class CardFacts:
    """What a model card says. All but the first three may be missing, and is then shown as not stated.

    Attributes
    ----------
    model, version : str
        Name in the registry, and the beginning of the bundle's digest.
    kind : str
        `target` or `warning`.
    texts : Mapping
        Sentences by place: `purpose`, `not_for`, `method`, `decision` (why it was trained), `tuning`, `baseline`,
        `compared` (with the champion), `detectors`, `stability`, `limits`, `monitoring`, `deployment`, `exit`,
        `references`, `synthetic` (a warning above everything).
    pairs : Mapping
        Values by place and name: `about`, `data`, `training`, `versions`, with the names of `words.yaml`.
    tables : Mapping
        By place: `definitions`, `breaks`, `settings`, `tried`, `by_indicator`, `by_origin`, `by_group`, `by_year`,
        `rankings`, `champion_by_origin`, `champion_by_group`, `promises`, `reliability`, `detectors`, `drivers`,
        `overlap`, `rules`, `monitoring`; and `origins`, the record of each indicator and year, which charts are drawn
        from.
    gates : tuple of Gate
    signatures : Mapping
        By role, see `ROLES`.
    """

    model: str
    version: str
    kind: Kind
    texts: Mapping[str, tuple[Title, ...]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, Said]] = field(default_factory=dict)
    tables: Mapping[str, CardTable] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    signatures: Mapping[str, Signature] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the facts as plain JSON; titles become mappings of `en` and `zh`."""
        return {
            "format": FORMAT,
            "model": self.model,
            "version": self.version,
            "kind": self.kind,
            "texts": {place: [_plain(text) for text in said] for place, said in self.texts.items()},
            "pairs": {
                place: {name: _plain(value) for name, value in values.items()} for place, values in self.pairs.items()
            },
            "tables": {
                place: {"columns": list(t.columns), "rows": [[_plain(value) for value in row] for row in t.rows]}
                for place, t in self.tables.items()
            },
            "gates": [gate.as_dict() for gate in self.gates],
            "signatures": {role: vars(signature).copy() for role, signature in self.signatures.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CardFacts:
        """Read what `as_dict` gave.

        Raises
        ------
        LoadlineError
            Where it is of another format or not whole.
        """
        try:
            if plain["format"] != FORMAT or plain["kind"] not in ("target", "warning"):
                raise ValueError
            return cls(
                plain["model"],
                plain["version"],
                plain["kind"],
                {place: tuple(Title(**text) for text in said) for place, said in plain["texts"].items()},
                {
                    place: {name: _read(value) for name, value in values.items()}
                    for place, values in plain["pairs"].items()
                },
                {
                    place: CardTable(tuple(t["columns"]), tuple(tuple(map(_read, row)) for row in t["rows"]))
                    for place, t in plain["tables"].items()
                },
                tuple(Gate.from_dict(gate) for gate in plain["gates"]),
                {role: Signature(**signature) for role, signature in plain["signatures"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            hint = "It was made by another version: train again to have a new card."
            raise LoadlineError("these facts of a model card cannot be read", hint=hint) from None


def texts(given: Sequence[Title | Mapping[str, str]] | Title | None) -> tuple[Title, ...]:
    """Take sentences as they come: one or several, as titles or as mappings of `en` and `zh`."""
    if given is None:
        return ()
    every = [given] if isinstance(given, Title | Mapping) else given
    return tuple(one if isinstance(one, Title) else Title(en=one["en"], zh=one["zh"]) for one in every)


def _said(value: Any) -> Said:
    """Make a plain value of what a data frame holds."""
    if isinstance(value, Title) or value is None:
        return value
    if isinstance(value, Mapping) and set(value) == {"en", "zh"}:
        return Title(**value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, bool | int | str) else str(value)


def _plain(value: Said) -> Any:
    if isinstance(value, Title):
        return {"en": value.en, "zh": value.zh}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read(value: Any) -> Said:
    return Title(**value) if isinstance(value, Mapping) else value
