"""The command that replays history under other rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from serving.terminal import (
    As,
    DatasetName,
    Format,
    Home,
    KnownOn,
    TargetsSet,
    advisor_of,
    one_kind_of_targets,
    shown_progress,
)

LISTED = 12
"""Differences of two policies listed on a terminal; the folder has all."""


def add_simulate_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(simulate)


def simulate(
    policy: Annotated[
        str | None,
        typer.Option(help="The policy to try: a file, an activated one such as branch@2, or a ready-made one."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="What stands for the present; by default the policy in force.")
    ] = None,
    change: Annotated[
        Path | None,
        typer.Option(help="YAML: a rate cap, NPL tolerance, new definition, new indicator or merger to try."),
    ] = None,
    period: Annotated[str | None, typer.Option(help="Replay one period; a bare year stands for its last one.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Replay from this period on.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Replay up to this period.")] = None,
    year_ends: Annotated[bool, typer.Option("--year-ends", help="Replay only the end of each fiscal year.")] = False,
    targets: TargetsSet = None,
    suggested_targets: Annotated[
        bool,
        typer.Option(
            "--suggested-targets",
            help="Compare with what each policy's levels would have asked for at the end of the year before.",
        ),
    ] = False,
    point_value: Annotated[float | None, typer.Option(help="What a point is worth: shows the bonus pool.")] = None,
    known_on: KnownOn = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the report.")] = None,
    form: As = Format.text,
) -> None:
    """Replay history under another policy, or with a change from outside: who gains, who loses, and why.

    No score is stored, and no closed period changes.
    """
    from features.errors import LoadlineError
    from serving.cli_scores import day_of
    from serving.simulating import SimulationRequest

    if period is not None and (first is not None or last is not None):
        hint = "Use --period for one period, --from and --to for several."
        raise LoadlineError("--period excludes --from and --to", where="--period", hint=hint)
    one_kind_of_targets(targets, suggested_targets)
    asked = SimulationRequest(
        policy=policy,
        against=against,
        change=change,
        period=period,
        first=first,
        last=last,
        year_ends=year_ends,
        targets=targets,
        suggested_targets=suggested_targets,
        point_value=point_value,
        known_on=day_of(known_on),
    )
    simulating = advisor_of(home).simulating
    with shown_progress() as progress:
        found, note = simulating.simulate(asked, dataset=dataset, progress=progress)
    if out is not None:
        files = simulating.write(found, out, note=note)
        typer.echo(f"Written to {out}: {', '.join(files)}", err=True)
    summary = found.summary()
    if form is Format.json:
        typer.echo(json.dumps(summary | {"present": note}, ensure_ascii=False, indent=2, default=str))
        return
    _show(summary, note)


def _show(summary: dict, note: str) -> None:
    versions = summary["versions"]
    stretch = versions["from"] if versions["from"] == versions["to"] else f"{versions['from']} to {versions['to']}"
    beside = "" if versions["change"] is None else f" with {versions['change'].replace('_', ' ')}"
    typer.echo(f"{versions['policy_before']} -> {versions['policy_after']}{beside}, {stretch}. {note}")
    for language in ("en", "zh"):
        typer.echo("")
        for said in summary["statements"]:
            typer.echo(said[language])
    if summary["policy"]:
        typer.echo("")
    for found in summary["policy"][:LISTED]:
        typer.echo(f"- {found['text']['en']} {found['text']['zh']}")
    if len(summary["policy"]) > LISTED:
        typer.echo(f"... and {len(summary['policy']) - LISTED} more differences; --out writes all.")
    typer.echo("\nBefore it counts 生效前须完成:")
    for asked in summary["obligations"]:
        mark = "x" if asked["state"] == "met" else " "
        typer.echo(f"[{mark}] {asked['text']['en']} {asked['text']['zh']}")
    retrain = summary["retrain"]
    answer = ("yes", "是") if retrain["models"] else ("no", "否")
    typer.echo(f"Must models be retrained: {answer[0]}. {retrain['why']['en']}")
    typer.echo(f"模型须重训：{answer[1]}。{retrain['why']['zh']}")
    for text in summary["notes"]:
        typer.echo(f"Note: {text}", err=True)
