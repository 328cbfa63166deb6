"""A feature is a pure function: its name is the column, its parameters are its inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from features.indicators import Indicator, Title
from features.inputs import Scope
from features.periods import Calendar

MEASURES: dict[str, Title] = {
    "share": Title(en="share", zh="比例"),
    "z": Title(en="robust standard deviations", zh="稳健标准差"),
    "percentile": Title(en="percentile, 0 to 1", zh="分位(0至1)"),
    "years": Title(en="years", zh="年"),
    "days": Title(en="days", zh="天"),
    "score": Title(en="score", zh="分"),
    "multiple": Title(en="multiple", zh="倍"),
}
"""Units of features that are not those of the indicator."""


@dataclass(frozen=True)
class Applies:
    """Which indicators a feature is for; None stands for any.

    Attributes
    ----------
    kinds, perspectives, roles, directions : tuple of str or None
    """

    kinds: tuple[str, ...] | None = None
    perspectives: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    directions: tuple[str, ...] | None = None

    def to(self, indicator: Indicator) -> bool:
        """Tell whether the feature is for an indicator."""
        return all(
            wanted is None or has in wanted
            for wanted, has in (
                (self.kinds, indicator.kind),
                (self.perspectives, indicator.perspective),
                (self.roles, indicator.role),
                (self.directions, indicator.direction),
            )
        )


EVERYWHERE = Applies()


@dataclass(frozen=True, kw_only=True)
class Step:
    """A pure function whose parameters name its inputs: something computed on the way to features.

    Attributes
    ----------
    name : str
    function : callable
        Takes its inputs by position; gives an array of periods x units (or periods x 1), or anything for other steps.
    inputs : tuple of str
        Names of what the panel offers (`features.inputs.INPUTS`) and of other steps and features.
    scope : {"unit", "all"}
    lags : tuple of Fraction
        Lags and windows in years; where one is no whole number of periods, the step cannot be had.
    least_per_year : int
        Fewest periods in a year for which the step says something of its own.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    scope: Scope = "unit"
    lags: tuple[Fraction, ...] = ()
    least_per_year: int = 1

    def not_for(self, calendar: Calendar) -> str | None:
        """Say why the step cannot be had at a frequency; None where it can."""
        for lag in self.lags:
            if (lag * calendar.per_year).denominator != 1:
                return f"{lag} years is no whole number of periods at frequency {calendar.frequency}"
        if calendar.per_year < self.least_per_year:
            return f"needs {self.least_per_year} periods a year; frequency {calendar.frequency} has {calendar.per_year}"
        return None


@dataclass(frozen=True, kw_only=True)
class Feature(Step):
    """A step that is a column for the models.

    Attributes
    ----------
    title : Title
    unit : str
        A key of `MEASURES`, `own` for the indicator's unit, or `growth`: points for ratios, else shares.
    reason : Title
        Why it is there.
    applies : Applies
        Which indicators it is for.
    """

    title: Title
    unit: str
    reason: Title
    applies: Applies = EVERYWHERE

    def measure(self, spec: Indicator | None) -> str:
        """Give the unit in which the column is stated for an indicator."""
        if spec is not None and (self.unit == "own" or (self.unit == "growth" and spec.kind == "ratio")):
            return spec.unit
        return "share" if self.unit == "growth" else self.unit


def step(
    *, name: str | None = None, scope: Scope = "unit", lags: Sequence[Fraction | int] = (), least_per_year: int = 1
) -> Callable[[Callable[..., Any]], Step]:
    """Make a step of a function; its parameters are its inputs and its name is the step's name."""

    def make(function: Callable[..., Any]) -> Step:
        return Step(
            name=name or function.__name__,
            function=function,
            inputs=tuple(inspect.signature(function).parameters),
            scope=scope,
            lags=tuple(Fraction(lag) for lag in lags),
            least_per_year=least_per_year,
        )

    return make


def feature(
    *,
    title: tuple[str, str],
    unit: str,
    reason: tuple[str, str],
    name: str | None = None,
    scope: Scope = "unit",
    applies: Applies = EVERYWHERE,
    lags: Sequence[Fraction | int] = (),
    least_per_year: int = 1,
) -> Callable[[Callable[..., Any]], Feature]:
    """Make a feature of a function; `title` and `reason` are in English and Chinese."""

    def make(function: Callable[..., Any]) -> Feature:
        return Feature(
            name=name or function.__name__,
            function=function,
            inputs=tuple(inspect.signature(function).parameters),
            scope=scope,
            lags=tuple(Fraction(lag) for lag in lags),
            least_per_year=least_per_year,
            title=Title(en=title[0], zh=title[1]),
            unit=unit,
            reason=Title(en=reason[0], zh=reason[1]),
            applies=applies,
        )

    return make
