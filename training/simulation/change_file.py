"""Changes from outside as files: a rate cap, a tolerance for bad loans, a definition, a new indicator, a merger."""

from __future__ import annotations

import difflib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from features.breaches import Breaches, TableError
from features.documents import compose, line_of, note_invalid
from features.indicators import Title
from models.policy.document import Item, Selector
from models.policy.rules import Part

Text = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[Decimal, Field(gt=0, le=1000)]
Share = Annotated[float, Field(gt=0, le=1)]


class Whom(Selector):
    """Which units a change is for: those named, or those that a selector finds; all where nothing is said."""

    units: tuple[str, ...] = ()


class ExternalChange(Part):
    """What all changes have: the period from which they hold, and who answers for them.

    `approver` and `rollback` may be missing while a change is being thought about; they are then listed as open.
    """

    change: Literal[1]
    title: Title | None = None
    start: str = Field(alias="from")
    approver: Text | None = None
    rollback: Text | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @field_validator("start", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | date) else value


class RateCap(ExternalChange):
    """A cap on a rate, in percent a year: income from what was charged above it falls away.

    The rate is an indicator (`rate`), or the year's income over a `volume`. `share` of the income is subject to the
    cap. `also` are flows that lose the same amount, such as revenue.
    """

    kind: Literal["rate_cap"]
    cap: Percent
    income: str
    rate: str | None = None
    volume: str | None = None
    share: Share = 1.0
    also: tuple[str, ...] = ()
    applies_to: Whom = Whom()

    @model_validator(mode="after")
    def _one_rate(self) -> RateCap:
        if (self.rate is None) is (self.volume is None):
            raise ValueError("give either rate, an indicator in percent a year, or volume, to divide the income by")
        return self


class NplTolerance(ExternalChange):
    """A tolerance, in percentage points, on the targets and limits of an indicator where lower is better.

    `share` is the part of the loans that the tolerance is for. What is compared with last year stays; what is compared
    with peers moves only with `peers_too`.
    """

    kind: Literal["npl_tolerance"]
    indicator: str
    points: Percent
    share: Share = 1.0
    peers_too: bool = False
    applies_to: Whom = Whom()


class Definition(ExternalChange):
    """An indicator means something else from a period on.

    `restate`: earlier figures are put on the new definition by a `factor` or a `table` (CSV: unit, period, value).
    `break`: they are not, and nothing is compared across. `reported` says whether the stored figures from then on are
    on the new definition already.
    """

    kind: Literal["definition"]
    indicator: str
    version: Text
    treatment: Literal["restate", "break"]
    factor: Annotated[float, Field(gt=0, le=1000)] | None = None
    table: Path | None = None
    reported: Literal["new", "old"] = "new"

    @model_validator(mode="after")
    def _fitting(self) -> Definition:
        given = (self.factor is not None) + (self.table is not None)
        if self.treatment == "restate" and given != 1:
            raise ValueError("restate: give exactly one of factor and table")
        if self.treatment == "break" and (given or self.reported == "old"):
            raise ValueError("break: goes without factor and table, on figures that are reported as new")
        return self


class NewIndicator(ExternalChange):
    """An indicator that is watched before it counts: `item.weight` is the weight that it would have.

    On the `scorecards` named, or on all; the other weights shrink in proportion.
    """

    kind: Literal["new_indicator"]
    item: Item
    scorecards: tuple[str, ...] = ()


class Merger(ExternalChange):
    """Units become one: the first of them that is also `into`, or a new unit of that code."""

    kind: Literal["merger"]
    units: Annotated[tuple[str, ...], Field(min_length=2, max_length=50)]
    into: Annotated[str, Field(min_length=1)]
    name: Title | None = None

    @model_validator(mode="after")
    def _once(self) -> Merger:
        if len(set(self.units)) < len(self.units):
            raise ValueError("name each unit once")
        return self


AnyChange = RateCap | NplTolerance | Definition | NewIndicator | Merger
KINDS: dict[str, type[AnyChange]] = {
    "rate_cap": RateCap,
    "npl_tolerance": NplTolerance,
    "definition": Definition,
    "new_indicator": NewIndicator,
    "merger": Merger,
}


def read_change(path: Path) -> AnyChange:
    """Read a change from a YAML file; a `table` is looked for beside it.

    Raises
    ------
    TableError
        With everything in which the file is no change.
    """
    breaches = Breaches()
    document, node = compose(path, breaches)
    found = None
    kind = str(document.get("kind", "")) if isinstance(document, dict) else ""
    if kind in KINDS:
        try:
            found = KINDS[kind].model_validate(document)
        except ValidationError as error:
            note_invalid(path.name, error, node, breaches)
    elif not breaches:
        near = difflib.get_close_matches(kind, list(KINDS), 1)
        hint = f"Perhaps {near[0]}." if near else "Write `kind: merger`, for instance."
        line = line_of(node, ["kind"]) if node is not None else 1
        breaches.add(path.name, line, "kind", kind, expected=f"one of {', '.join(KINDS)}", hint=hint)
    breaches.raise_if_any(str(path), error=TableError)
    assert found is not None
    if isinstance(found, Definition) and found.table is not None:
        return found.model_copy(update={"table": path.parent / found.table})
    return found
