"""What the commands about target plans share: how a plan is named, in whose name it is done, how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import Format, advisor_of

if TYPE_CHECKING:
    from serving.plans.plan import Plan
    from serving.plans.plans import Plans

PlanAsked = Annotated[str, typer.Argument(help="The plan: its id, 2025 for the newest of a year, or 2025v2.")]
By = Annotated[str, typer.Option("--by", help="In whose name, for the record.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
UnitAsked = Annotated[str, typer.Option("--unit", help="Code of the unit.")]
IndicatorAsked = Annotated[str, typer.Option("--indicator", help="Code of the indicator.")]
Revision = Annotated[
    int | None, typer.Option("--revision", help="Refuse where it was changed since; by default it is as it stands now.")
]


@contextmanager
def acting_as(home: Path | None, by: str) -> Iterator[Plans]:
    """Open the plans of a home, and do what follows in somebody's name."""
    from dataclasses import replace

    from features.errors import LoadlineError
    from serving.access.principal import LOCAL, acting

    if not by.strip():
        raise LoadlineError("it is not said in whose name this is done", where="--by", hint="Add --by NAME.")
    with acting(replace(LOCAL, name=by.strip())):
        yield advisor_of(home).plans


def tell_plan(plan: Plan, form: Format) -> None:
    if form is Format.json:
        import json

        names = ("id", "dataset", "year", "version", "state", "revision", "digest")
        typer.echo(json.dumps({name: getattr(plan, name) for name in names}, ensure_ascii=False))
        return
    typer.echo(
        f"Plan for {plan.year}, version {plan.version}: {plan.state.value}, revision {plan.revision}. Id {plan.id}."
    )
