"""The command that tells how a score comes about."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import (
    As,
    DatasetName,
    Format,
    Home,
    PeriodAsked,
    PolicyFile,
    SuggestedTargets,
    TargetsSet,
    advisor_of,
    one_kind_of_targets,
    shown_progress,
)

if TYPE_CHECKING:
    from serving.score_schemas import ScoreExplanation


WORDS = {"target": "the targets / 较目标", "last_year": "last year / 较去年同口径", "peers": "the peers / 较同组"}


class Against(StrEnum):
    """What a score is compared with."""

    target = "target"
    last_year = "last_year"
    peers = "peers"


def add_score_explanation(explain: typer.Typer) -> None:
    """Add the command to the group of explanations."""
    explain.command("score")(explain_score)


def explain_score(
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    period: PeriodAsked,
    against: Annotated[
        Against | None,
        typer.Option(help="What to compare with; by default the targets where they are at hand, else the peers."),
    ] = None,
    policy: PolicyFile = None,
    targets: TargetsSet = None,
    suggested_targets: SuggestedTargets = False,
    change: Annotated[
        bool, typer.Option("--change", help="Split the change on the year into figures, policy and targets instead.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Tell how a score comes about, and what tells it from its targets, last year on the same basis, or its peers."""
    from features.errors import LoadlineError
    from serving.scoring import ScoreRequest

    one_kind_of_targets(targets, suggested_targets)
    if change and against is not None:
        hint = "The change is always on the year; leave one of them out."
        raise LoadlineError("--change and --against exclude each other", where="--change", hint=hint)
    asked = ScoreRequest(period, policy, targets, suggested_targets)
    explaining = advisor_of(home).explaining
    with shown_progress() as progress:
        if change:
            found = explaining.change(unit, asked, dataset=dataset, progress=progress)
            lines = [found.text.en, found.text.zh]
        else:
            chosen = None if against is None else against.value
            found = explaining.explain(unit, asked, against=chosen, dataset=dataset, progress=progress)
            lines = told(found)
    if form is Format.json:
        typer.echo(found.model_dump_json(indent=2))
        return
    for line in lines:
        typer.echo(line)


def told(found: ScoreExplanation) -> list[str]:
    """Lay an explanation out for a terminal: what it adds up from, the difference, what it rests on, both languages."""
    lines = [found.text.en, found.text.zh, ""]
    if found.score is not None:
        lines += ["How it adds up / 得分构成:"]
        lines += [f"  {line.amount:>8.2f}  {line.text.en} / {line.text.zh}" for line in found.lines]
        lines += [f"  {found.score:>8.1f}  {found.grade or ''}".rstrip(), ""]
    if found.base_value is not None and found.prediction is not None:
        lines += [f"Against {WORDS[found.against]}:", f"  {found.base_value:>8.1f}"]
        items = {line.code for line in found.lines if line.kind == "item"}
        shown = [driver for driver in found.drivers if driver.amount or driver.code in items]
        lines += [f"  {driver.amount:>+8.2f}  {driver.text.en} / {driver.text.zh}" for driver in shown]
        lines += [f"  {found.prediction:>8.1f}", ""]
    lines += [f"Rule / 规则: {gate.text.en} / {gate.text.zh}" for gate in found.gates]
    lines += [f"{chain.text.en} / {chain.text.zh}" for chain in found.factors]
    versions = found.versions
    lines += [versions.policy_note, *(f"Note: {note}" for note in found.notes)]
    lines.append(
        f"Policy {versions.policy_version}, targets {versions.model_version}, data version {versions.data_version}, "
        f"known on {versions.known_on}."
    )
    return lines
