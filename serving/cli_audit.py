"""The audit at the command line: verifying, anchoring, exporting and listing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, Out, advisor_of, show_table

if TYPE_CHECKING:
    from serving.audit.reading import Wanted

Subject = Annotated[str, typer.Option("--subject", help="Only what is about this unit, plan, login, ...")]
By = Annotated[str, typer.Option("--principal", help="Only what was done by this name or id.")]
Action = Annotated[str, typer.Option("--action", help="Only this operation, such as get_score.")]
Since = Annotated[str, typer.Option("--from", help="First day, in UTC, such as 2026-03-01.")]
Until = Annotated[str, typer.Option("--to", help="Last day, in UTC.")]


def add_audit_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    audit = typer.Typer(
        help="Who saw or changed what, and whether the record still holds.\n\n审计记录的查询、导出与校验。",
        no_args_is_help=True,
    )
    for name, command in {"verify": verify, "anchor": anchor, "export": export, "list": listed}.items():
        audit.command(name)(command)
    app.add_typer(audit, name="audit")


def verify(
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", help="A file of anchors that was kept elsewhere; may be given several times."),
    ] = None,
    home: Home = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Go through the whole chain; ends with 1 where it does not hold."""
    import pandas as pd

    verdict = advisor_of(home).audit.verify(anchor or ())
    rows = [(finding.number, finding.kind, finding.what) for finding in verdict.findings]
    table = pd.DataFrame(rows, columns=["number", "kind", "what"])
    if out is not None or form is Format.json:
        show_table(table, out=out, form=form)
    elif rows:
        show_table(table, title="Where the audit does not hold")
    compared = f"{verdict.entries:,} entries, {verdict.anchors:,} anchors"
    if verdict.holds:
        typer.echo(f"The audit holds: {compared}; the last hash is {verdict.last.hash}.", err=form is Format.json)
        return
    typer.echo(f"The audit does not hold: {verdict.found:,} findings in {compared}. 审计记录校验不通过。", err=True)
    raise typer.Exit(1)


def anchor(
    out: Annotated[Path, typer.Option("--out", help="File to append the anchor to; keep it on another machine.")],
    home: Home = None,
) -> None:
    """Write down what the end of the chain is now: cutting it off or building it anew then shows."""
    made = advisor_of(home).audit.anchor(out)
    typer.echo(f"Entry {made.number} has the hash {made.hash}; written to {out}. Keep it where nobody can change it.")


def export(
    out: Annotated[Path, typer.Option("--out", help="Write the entries here: .csv, .xlsx or .jsonl.")],
    subject: Subject = "",
    principal: By = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Write entries to a file, the oldest first; .jsonl has them as they were sealed."""
    from serving.audit.export import export as write

    wanted = _wanted(subject, principal, action=action, since=since, until=until, dataset=dataset)
    number = write(advisor_of(home).audit, wanted, out)
    typer.echo(f"{number:,} entries written to {out}", err=True)


def listed(
    subject: Subject = "",
    principal: By = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, the newest first.")] = 40,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List the last entries, the newest first."""
    import pandas as pd

    wanted = _wanted(subject, principal, action=action, since=since, until=until, dataset=dataset)
    entries, _ = advisor_of(home).audit.page(wanted, limit=limit)
    columns = ["number", "at", "principal", "action", "subject", "dataset", "status", "request", "detail"]
    rows = [[getattr(entry, name) for name in columns] for entry in entries]
    show_table(pd.DataFrame(rows, columns=columns), out=out, form=form, title="Audit")


def _wanted(subject: str, principal: str, *, action: str, since: str, until: str, dataset: str | None) -> Wanted:
    from serving.audit.reading import Wanted, day_begins

    return Wanted(
        subject=subject,
        principal=principal,
        action=action,
        dataset=dataset or "",
        since=day_begins(since),
        until=day_begins(until, end=True),
    )
