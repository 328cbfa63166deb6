"""Indicators: what is measured, in which unit and direction, and how it rolls up; the built-in library of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.errors import LoadlineError
from features.yaml_loader import parse_yaml

Direction = Literal["higher", "lower", "band"]
Kind = Literal["flow", "stock", "ratio", "level"]
Perspective = Literal["performance", "risk", "compliance", "customer", "people", "social", "context"]
Averaging = Literal["point", "ten_day", "daily"]

COUNT_UNITS = frozenset({"n", "persons"})
"""Units of things that are counted: no fraction of one exists."""


class Title(BaseModel):
    """A short text in English and Chinese."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Indicator(BaseModel):
    """One indicator, as declared in a dataset's `indicators.yaml` or in the built-in library.

    `kind` decides how it adds up: a flow is summed over units and over the year; a stock is summed over units and taken
    at the year's end, or averaged over the year where `averaging` is not `point`; a ratio is rolled up through its
    numerator and denominator; a level (any real number, such as a score) is averaged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=64)]
    name: Title
    aliases: tuple[str, ...] = ()
    unit: Annotated[str, Field(min_length=1)]
    direction: Direction
    band: tuple[float, float] | None = None
    kind: Kind
    numerator: str | None = None
    denominator: str | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    perspective: Perspective
    role: str | None = None
    bounds: tuple[float | None, float | None] | None = None
    averaging: Averaging = "point"
    core: bool = False
    target_allowed: bool = True
    entity_only: bool = False
    controllable: bool = True
    publication_lag: Annotated[int, Field(ge=0, le=24)] = 0
    definition_version: str = "1"
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    formula: str | None = None
    exclusions: str | None = None
    owner: str | None = None
    lines: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if (self.band is None) is (self.direction == "band"):
            raise ValueError("band: [low, high] goes with direction: band, and only with it")
        if self.band is not None and self.band[0] >= self.band[1]:
            raise ValueError("band: the first limit must be below the second")
        low, high = self.limits
        if not low < high:
            raise ValueError("bounds: the first must be below the second")
        if (self.numerator or self.denominator) and self.kind not in ("ratio", "level"):
            raise ValueError("numerator and denominator go with kind: ratio (a level may name a denominator as weight)")
        if self.numerator and not self.denominator:
            raise ValueError("a numerator needs its denominator")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Give the bounds with infinities where none is set."""
        low, high = self.bounds if self.bounds is not None else (None, None)
        return (float("-inf") if low is None else low, float("inf") if high is None else high)

    @property
    def ratio_scale(self) -> float:
        """Give the factor in value = factor x numerator / denominator: 100 for %, 10,000 for ‱, else as declared."""
        return self.scale if self.scale is not None else {"%": 100.0, "‱": 10_000.0}.get(self.unit, 1.0)

    @property
    def smallest_unit(self) -> float:
        """Give the smallest step in which a target is stated."""
        decimals = (
            (0 if self.unit in COUNT_UNITS and self.kind != "ratio" else 2) if self.decimals is None else self.decimals
        )
        return 10.0**-decimals

    @property
    def is_target(self) -> bool:
        """Tell whether targets may be set on it: not on context, nor on what is only monitored."""
        return self.target_allowed and self.perspective != "context"


class IndicatorSet(Mapping[str, Indicator]):
    """Indicators by code, in their order; `find` also knows aliases and names in either language."""

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self._by_code = {indicator.code: indicator for indicator in indicators}
        self._by_alias = {_plain(code): code for code in self._by_code}
        for indicator in self._by_code.values():
            for alias in (indicator.name.en, indicator.name.zh, *indicator.aliases):
                self._by_alias.setdefault(_plain(alias), indicator.code)

    def __getitem__(self, code: str) -> Indicator:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def find(self, name: str) -> Indicator:
        """Look an indicator up by code, name or alias, whatever the case, outer blanks and full- or half-width signs.

        Raises
        ------
        LoadlineError
            Where nothing has that name.
        """
        code = name if name in self._by_code else self._by_alias.get(_plain(name))
        if code is None:
            raise LoadlineError(f"no indicator is called {name!r}", hint=f"Known: {', '.join(list(self)[:12])} ...")
        return self._by_code[code]

    def with_role(self, role: str) -> list[Indicator]:
        """List the indicators that play a role, such as `npl`."""
        return [indicator for indicator in self.values() if indicator.role == role]


def _plain(name: str) -> str:
    """Reduce a name to what tells it apart: bank spreadsheets write （%） as often as (%)."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


@cache
def library() -> IndicatorSet:
    """Load the built-in indicator library."""
    document = parse_yaml(files("features").joinpath("indicators.yaml").read_text(encoding="utf-8"))
    return IndicatorSet(Indicator.model_validate(entry) for entry in document["indicators"])
