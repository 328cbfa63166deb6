"""Commands about models on record: listing, showing, promoting, going back, their cards, and checking them all."""

from __future__ import annotations

import json
import shutil
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, Out, advisor_of, show_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving.advisor import Advisor
    from training.promotion.candidates import Present
    from training.promotion.history import Promotion
    from training.promotion.versions import ModelVersion

SHOWN = ["version", "state", "waits_for", "as_of", "data_version", "asked_by", "gates", "promoted_at", "promoted_by"]
"""Columns for a person at a terminal, model by model; files have all."""
SEAL_DIGITS = 12
"""Of a seal, shown at a terminal: enough to compare; files have all."""

Name = Annotated[
    str, typer.Argument(help="Name of a model; `target` or `warning` where there is one dataset, or with --dataset.")
]
Version = Annotated[str | None, typer.Option("--version", help="The version, or the beginning of it.")]
By = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
Expected = Annotated[
    str | None,
    typer.Option("--expected", help="The champion that you have looked at; refused where it has changed since."),
]


class Language(StrEnum):
    """Languages of a card."""

    zh = "zh"
    en = "en"


class CardForm(StrEnum):
    """Forms of a card."""

    md = "md"
    html = "html"


def add_model_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    models = typer.Typer(
        help="Models on record: compare, promote, go back.\n\n模型台账：比对、上线、回退。",
        no_args_is_help=True,
    )
    for name, command in {
        "list": listed,
        "show": show,
        "promote": promote,
        "rollback": rollback,
        "card": card,
        "verify": verify,
    }.items():
        models.command(name)(command)
    app.add_typer(models, name="models")


def listed(
    sync: Annotated[
        bool, typer.Option("--sync", help="Let the registry's aliases follow the record first, if it can be reached.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List the models: who serves, who might and what they wait for, who promoted them and when."""
    import sys

    advisor = advisor_of(home)
    if sync:
        _note(advisor.modelling.sync())
    table = advisor.modelling.table(dataset=dataset)
    if out is not None or form is Format.json or table.empty or not sys.stdout.isatty():
        show_table(table, out=out, form=form)
        return
    for name, versions in table.groupby("model"):
        shown = {"state": versions["state"].str.replace("_", " "), "promoted_at": versions["promoted_at"].str[:10]}
        show_table(versions.assign(**shown)[SHOWN], title=str(name))


def show(
    name: Name,
    version: Annotated[
        str | None, typer.Argument(help="A version; by default the challenger, or else the champion.")
    ] = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Show a version: what its gates found, what it waits for, how it compares; and every promotion on record."""
    model = advisor_of(home).modelling.model(name, dataset=dataset)
    found = model.find(version)
    if form is Format.json:
        _echo_json(found.as_dict() | {"history": [promotion.as_dict() for promotion in model.history]})
        return
    _tell(found)
    typer.echo("\nVersions:" if len(model.versions) > 1 else "\nThe only version.")
    if len(model.versions) > 1:
        for other in model.versions:
            typer.echo(f"  {other.version}  {_state(other)}, as of {other.meta.get('as_of', '–')}")
    typer.echo("\nPromotions, oldest first:" if model.history else "\nNever promoted.")
    for promotion in model.history:
        typer.echo(f"  {_told(promotion)}")


def promote(
    name: Name,
    by: By,
    reason: Reason,
    version: Version = None,
    sign: Annotated[
        bool, typer.Option("--sign", help="Sign for the gates that leave it to a person; goes on the record.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Override failed gates; what was overridden stays on the record.")
    ] = False,
    expected: Expected = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Let a candidate serve, the newest or a version; refused where gates forbid it or the champion has changed."""
    advisor = advisor_of(home)
    done = advisor.modelling.promote(
        name,
        by=by,
        reason=reason,
        version=version,
        signed=sign,
        force=force,
        expected_champion=_or_present(expected),
        dataset=dataset,
    )
    _decided(advisor, advisor.modelling.name(name, dataset=dataset), done, form)


def rollback(
    name: Name,
    by: By,
    reason: Reason,
    expected: Expected = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Go back to the champion before this one; one person may always do so."""
    advisor = advisor_of(home)
    done = advisor.modelling.rollback(
        name, by=by, reason=reason, expected_champion=_or_present(expected), dataset=dataset
    )
    _decided(advisor, advisor.modelling.name(name, dataset=dataset), done, form)


def card(
    name: Name,
    version: Version = None,
    lang: Annotated[Language, typer.Option("--lang", help="Language of the card.")] = Language.zh,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the card here: .md or .html; else it is shown as Markdown.")
    ] = None,
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Show or write the model card of the champion, or of a version."""
    from features.errors import LoadlineError

    form = CardForm.md
    if out is not None:
        suffix = out.suffix.lower().removeprefix(".")
        if suffix not in CardForm.__members__:
            hint = "Use one of .md, .html."
            raise LoadlineError(f"no card has the suffix {out.suffix!r}", where=str(out), hint=hint)
        form = CardForm(suffix)
    path = advisor_of(home).modelling.card(name, version=version, language=lang.value, form=form.value, dataset=dataset)
    if out is None:
        typer.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    try:
        shutil.copyfile(path, out)
    except OSError as error:
        hint = "Check that the folder exists and may be written."
        raise LoadlineError(f"the card could not be written: {error.strerror}", where=str(out), hint=hint) from error
    typer.echo(f"Card of {name} written to {out}", err=True)


def verify(
    name: Annotated[str | None, typer.Argument(help="A model; without it, all of them.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Check every record and every copy byte for byte; ends with 1 where any is damaged."""
    import sys

    import pandas as pd

    found = advisor_of(home).modelling.verify(name, dataset=dataset)
    columns = ["model", "part", "state", "lines", "seal", "text"]
    table = pd.DataFrame([checked.as_dict() for checked in found], columns=columns)
    for_person = form is Format.text and out is None and sys.stdout.isatty()
    show_table(table.assign(seal=table["seal"].str[:SEAL_DIGITS]) if for_person else table, out=out, form=form)
    damaged = sum(checked.state == "damaged" for checked in found)
    if damaged:
        typer.echo(f"{damaged} of {len(found)} records and copies are damaged; nothing is served from them.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(found)} records and copies checked, none is damaged.", err=True)


def _or_present(expected: str | None) -> str | Present:
    from training.promotion.candidates import PRESENT

    return PRESENT if expected is None else expected


def _tell(found: ModelVersion) -> None:
    from training.promotion.standing import by_how_much

    typer.echo(f"{found.model} {found.version}: {_state(found)}")
    meta = found.meta
    typer.echo(
        f"As of {meta.get('as_of', '–')}, known on {meta.get('known_on', '–')}; data version "
        f"{meta.get('data_version', '–')}, policy {meta.get('policy_version', '–')}, seed {meta.get('seed', '–')}."
    )
    if found.candidate is not None:
        offered = found.candidate
        against = offered.against[:12] if offered.against else "no champion"
        typer.echo(f"Trained by run {offered.run}, asked for by {offered.by}; compared with {against}.")
    typer.echo("\nGates:")
    for gate in found.gates:
        verdict = "passed" if gate.passed else "failed" if gate.effect == "block" else "needs a signature"
        said = by_how_much(gate)
        typer.echo(f"  {gate.name}: {verdict}. {said.en}")
        typer.echo(f"    {said.zh}")
    if not found.gates:
        typer.echo("  none on record")
    for obstacle in found.obstacles:
        typer.echo(f"\nIn the way: {obstacle.text.en}")
        typer.echo(f"  {obstacle.text.zh}")
    if found.promotable:
        typer.echo(f"\nFree to be promoted: loadline models promote {found.model} --version {found.version}")
    for key in ("comparison", "overlap"):
        said = _sentence(found, key)
        if said:
            typer.echo(f"\n{said['en']}\n{said['zh']}")


def _sentence(found: ModelVersion, key: str) -> Mapping[str, str] | None:
    """Give what is said in words of a comparison that came with the offer."""
    told = None if found.candidate is None else found.candidate.about.get(key)
    said = told.get("text") if isinstance(told, dict) else None
    return said if isinstance(said, dict) and {"en", "zh"} <= set(said) else None


def _state(found: ModelVersion) -> str:
    from training.promotion.standing import STATE

    title = STATE[found.state]
    return f"{title.en} ({title.zh})"


def _told(promotion: Promotion) -> str:
    did = "promoted" if promotion.action == "promote" else "went back to"
    marks = [
        f"against {', '.join(promotion.overridden)} by force" if promotion.forced else "",
        "signed" if promotion.signed else "",
        f"asked for by {promotion.asked_by}" if promotion.asked_by else "",
    ]
    more = "; ".join(mark for mark in marks if mark)
    at = promotion.at.isoformat(sep=" ", timespec="minutes")
    return f"{at}  {promotion.by} {did} {promotion.version}" + (f" ({more})" if more else "") + f": {promotion.reason}"


def _decided(advisor: Advisor, name: str, done: Promotion, form: Format) -> None:
    if form is Format.json:
        _echo_json(done.as_dict())
    else:
        before = f", in place of {done.previous[:12]}" if done.previous else ""
        typer.echo(f"Model {done.version} serves{before}. {_told(done)}")
    _note(advisor.modelling.sync(name))


def _note(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(f"Note: {line}", err=True)


def _echo_json(plain: object) -> None:
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
