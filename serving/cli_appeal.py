"""Commands about appeals: raising one, listing and showing them, proving the figure, and deciding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, Out, advisor_of, show_table

if TYPE_CHECKING:
    from serving.appeals.appeals import Reproduction

Name = Annotated[str, typer.Argument(help="Id of the appeal.")]
By = Annotated[str, typer.Option("--by", help="Name of the person in whose name it is done.")]
MOST_LISTED = 10_000
"""Appeals listed at once."""


class Kind(StrEnum):
    """What is appealed."""

    score = "score"
    target = "target"


class Decision(StrEnum):
    """The next step of an appeal."""

    review = "review"
    uphold = "uphold"
    reject = "reject"
    withdraw = "withdraw"


def add_appeal_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    appeal = typer.Typer(
        help="Appeals: freeze a figure as it was told, reproduce it bit for bit, decide.\n\n"
        "申诉：冻结当时告知的数值，逐位重现，并作出处理。",
        no_args_is_help=True,
    )
    commands = {"raise": raise_, "list": listed, "show": show, "reproduce": reproduce, "decide": decide}
    for name, command in commands.items():
        appeal.command(name)(command)
    app.add_typer(appeal, name="appeal")


def raise_(
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    period: Annotated[str, typer.Option(help="The period of a score; of a target its year.")],
    words: Annotated[str, typer.Option(help="What is wrong with the figure.")],
    by: By,
    kind: Annotated[Kind, typer.Option(help="What is appealed.")] = Kind.score,
    indicator: Annotated[str, typer.Option(help="The indicator of a target.")] = "",
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Raise an appeal: the figure is frozen with data, policy and model, and reproduced at once."""
    advisor = advisor_of(home)
    with _in_the_name_of(by):
        appeal, proof = advisor.appeals.raise_(
            unit, period, kind=kind.value, indicator=indicator, words=words, dataset=dataset
        )
    typer.echo(appeal.id)
    if proof is not None:
        _say(proof)


def listed(
    state: Annotated[str | None, typer.Option(help="Only those that stand so, such as open.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only of this unit.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List the appeals, the newest first."""
    import pandas as pd

    columns = ["id", "state", "kind", "unit", "period", "indicator", "raised_at", "raised_by", "words", "dataset"]
    found, _ = advisor_of(home).appeals.listed(unit=unit, dataset=dataset, state=state, limit=MOST_LISTED)
    rows = [{name: getattr(appeal, name) for name in columns} for appeal in found]
    frame = pd.DataFrame(rows, columns=columns).assign(raised_at=[row["raised_at"].isoformat() for row in rows])
    show_table(frame, out=out, form=form, title="Appeals")


def show(name: Name, home: Home = None, form: As = Format.text) -> None:
    """Show an appeal: the frozen figure, what it rests on, and every step."""
    appeals = advisor_of(home).appeals
    found, frozen, events = appeals.find(name), appeals.frozen(name).content, appeals.events(name)
    if form is Format.json:
        steps = [{field: getattr(event, field) for field in event.__slots__} for event in events]
        plain = {field: getattr(found, field) for field in found.__slots__} | {"frozen": frozen, "events": steps}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
        return
    about = f"{found.kind} of {found.unit} in {found.period}" + (f" on {found.indicator}" if found.indicator else "")
    typer.echo(f"{found.id}: {about}, {found.state.replace('_', ' ')}")
    typer.echo(f"Figure: {frozen['figure']}, from data version {frozen['data_version']}, known on {frozen['known_on']}")
    policy = frozen["policy"]
    typer.echo(f"Policy: {policy['label'] if policy else 'the default'}. Program {frozen['release']}.")
    typer.echo(f"Frozen record: {found.frozen_digest}")
    for event in events:
        typer.echo(f"  {event.at:%Y-%m-%d %H:%M}  {event.action:<9}  {event.by}  {event.reason}".rstrip())


def reproduce(
    name: Name,
    by: By,
    home: Home = None,
    form: As = Format.text,
) -> None:
    """Tell the figure once more from the frozen versions alone; ends with 1 where anything differs."""
    advisor = advisor_of(home)
    with _in_the_name_of(by):
        made = advisor.appeals.reproduce(name)
    if form is Format.json:
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(made), ensure_ascii=False, indent=2))
    else:
        _say(made)
    if not made.same:
        raise typer.Exit(1)


def decide(
    name: Name,
    decision: Annotated[Decision, typer.Argument(help="The next step.")],
    by: By,
    words: Annotated[str, typer.Option(help="The answer, or why it is withdrawn.")] = "",
    home: Home = None,
) -> None:
    """Take the next step of an appeal. Who raised it may only withdraw it."""
    advisor = advisor_of(home)
    with _in_the_name_of(by):
        revision = advisor.appeals.find(name).revision
        found = advisor.appeals.decide(name, decision.value, revision=revision, words=words)
    typer.echo(f"{found.id} is {found.state.replace('_', ' ')}.")


@contextmanager
def _in_the_name_of(by: str) -> Iterator[None]:
    from dataclasses import replace

    from features.errors import LoadlineError
    from serving.access.principal import LOCAL, acting

    if not by.strip():
        raise LoadlineError("an act needs a name", where="--by", hint="State who does it.")
    with acting(replace(LOCAL, name=by.strip())):
        yield


def _say(made: Reproduction) -> None:
    if made.same:
        typer.echo("The figure comes out the same, bit for bit.", err=True)
        typer.echo("数值逐位重现，完全一致。", err=True)
        return
    typer.echo(f"The figure does not come out the same. {made.trouble}".rstrip(), err=True)
    for difference in made.differences:
        typer.echo(f"  {difference.where}: {difference.frozen} -> {difference.now}", err=True)
