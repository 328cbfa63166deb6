"""Commands that watch the models that serve, and that decide about proposals to train again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, AsOf, DatasetName, Format, Home, Out, advisor_of, show_table, shown_progress

if TYPE_CHECKING:
    from training.monitoring.looking import Look
    from training.monitoring.proposal import Proposal

BREACHED = 4
"""Exit code of `monitor --strict` where a check is beyond its threshold; 1 to 3 are errors."""
SHOWN = ["model", "check", "measured", "threshold", "sample", "state", "finding"]
SHOWN_PROPOSALS = ["proposal", "state", "check", "measured", "threshold", "opened_at", "by", "run", "finding"]
"""Columns for a person at a terminal; files have all."""

Name = Annotated[str, typer.Argument(help="Such as P-0001; `loadline proposals list` has them.")]
By = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


def add_monitor_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(monitor)
    proposals = typer.Typer(help="Decide about proposals to train again.\n\n处理重新训练的建议。", no_args_is_help=True)
    for name, command in {"list": listed, "show": show, "accept": accept, "dismiss": dismiss}.items():
        proposals.command(name)(command)
    app.add_typer(proposals, name="proposals")


def monitor(
    as_of: AsOf = None,
    strict: Annotated[
        bool, typer.Option("--strict", help=f"Exit with {BREACHED} where a check is beyond its threshold.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Watch the models that serve: drift, coverage, attainment, alert precision. Proposes, and never trains.

    With --as-of it looks back, from what was known then, and writes nothing.
    """
    with shown_progress() as progress:
        seen = advisor_of(home).monitoring.look(as_of=as_of, dataset=dataset, progress=progress)
    typer.echo(seen.summary.en, err=True)
    if form is Format.json:
        _echo_json(seen.as_dict())
    else:
        table = seen.table()
        for_person = out is None and sys.stdout.isatty()
        title = f"Models as of {seen.about['as_of']}"
        show_table(table[SHOWN] if for_person else table, out=out, form=form, title=title)
    _tell_proposals(seen)
    if strict and seen.breaches:
        raise typer.Exit(BREACHED)


def listed(
    every: Annotated[bool, typer.Option("--all", help="Also what is decided or settled.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List the proposals that wait for a decision, the newest first."""
    table = advisor_of(home).monitoring.table(dataset=dataset, open_only=not every)
    for_person = form is Format.text and out is None and sys.stdout.isatty()
    show_table(table[SHOWN_PROPOSALS] if for_person else table, out=out, form=form, title="Proposals to train again")


def show(name: Name, home: Home = None, form: As = Format.text) -> None:
    """Show a proposal: what was found, and everything that was decided."""
    found = advisor_of(home).monitoring.proposal(name)
    if form is Format.json:
        _echo_json(found.as_dict())
        return
    finding = found.finding
    typer.echo(f"{found.name}: {found.state}. {finding.title.en} / {finding.title.zh} ({finding.model})")
    typer.echo(finding.text.en)
    typer.echo(finding.text.zh)
    for line in found.lines:
        told = [line.at.isoformat(timespec="minutes"), line.action, line.by, line.reason, line.run]
        typer.echo("  ".join(part for part in told if part))


def accept(name: Name, by: By, reason: Reason, home: Home = None, form: As = Format.text) -> None:
    """Accept a proposal: asks for a training run, which has gates of its own."""
    _show(advisor_of(home).monitoring.accept(name, by=by, reason=reason), form)


def dismiss(name: Name, by: By, reason: Reason, home: Home = None, form: As = Format.text) -> None:
    """Dismiss a proposal; the same figures do not open it again."""
    _show(advisor_of(home).monitoring.dismiss(name, by=by, reason=reason), form)


def _show(found: Proposal, form: Format) -> None:
    if form is Format.json:
        _echo_json(found.as_dict())
        return
    run = f" Run {found.run}: `loadline worker` does it, `loadline runs show` follows it." if found.run else ""
    typer.echo(f"{found.name} is {found.state} by {found.last.by}.{run}")


def _tell_proposals(seen: Look) -> None:
    for proposal in seen.opened:
        typer.echo(f"Proposed to train again, {proposal.name}: {proposal.finding.title.en}.", err=True)
    if seen.standing:
        names = ", ".join(proposal.name for proposal in seen.standing)
        typer.echo(f"Open proposals: {names}. `loadline proposals show NAME`, then accept or dismiss.", err=True)


def _echo_json(plain: object) -> None:
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False))
