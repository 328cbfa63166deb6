"""Commands about policies: checking, comparing, activating, listing, showing and withdrawing them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, Out, advisor_of, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.policy.difference import Change
    from models.policy.validator import Finding
    from training.policy_record import Activation

By = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
Which = Annotated[
    str,
    typer.Argument(
        help="A file, `active`, an activated policy such as branch@2, or a ready-made one such as retail-line."
    ),
]


def add_policy_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    policy = typer.Typer(
        help="Check, compare and activate policies: the rules of scoring.\n\n考核制度的校验、比对与启用。",
        no_args_is_help=True,
    )
    for name, command in {
        "check": check,
        "diff": diff,
        "activate": activate,
        "list": listed,
        "show": show,
        "schema": schema,
        "withdraw": withdraw,
    }.items():
        policy.command(name)(command)
    app.add_typer(policy, name="policy")


def check(
    file: Annotated[Path, typer.Argument(help="A policy as YAML.")],
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Check a policy against the stored dataset, or the built-in indicators; ends with 1 where it has errors."""
    found = advisor_of(home).policies.check(file, dataset=dataset)
    if form is Format.json:
        plain = {
            "policy": found.policy.label,
            "against": found.against,
            "errors": found.errors,
            "findings": [_finding(finding) for finding in found.findings],
        }
        _echo_json(plain)
    else:
        for finding in found.findings:
            _show_finding(finding)
        warnings = len(found.findings) - found.errors
        verdict = (
            f"{_counted(found.errors, 'error')}, {_counted(warnings, 'warning')}" if found.findings else "no finding"
        )
        typer.echo(f"{found.policy.label}: {verdict}, checked against {found.against}.")
    if found.errors:
        raise typer.Exit(1)


def diff(
    old: Which,
    new: Which,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Tell what is different between two policies, and what each change asks for."""
    changes = advisor_of(home).policies.diff(old, new, dataset=dataset)
    if form is Format.json:
        _echo_json([change.as_dict() for change in changes])
        return
    if not changes:
        typer.echo("Nothing is different.")
        typer.echo("两者没有差异。")
        return
    for change in changes:
        typer.echo(f"- {change.text.en}")
        typer.echo(f"  {change.text.zh}")
    typer.echo("")
    for lines in _asked(changes):
        typer.echo(lines)


def activate(
    file: Annotated[Path, typer.Argument(help="A policy as YAML.")],
    by: By,
    reason: Reason,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="Code of a warning that is accepted; may be given several times."),
    ] = None,
    cut_short: Annotated[
        bool, typer.Option("--cut-short", help="End the version before it earlier than that one states.")
    ] = False,
    impact: Annotated[Path | None, typer.Option(help="Report of its impact, to name in the record.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Put a policy in force from its first day on; refused where it has errors or reaches into a closed period."""
    done = advisor_of(home).policies.activate(
        file, by=by, reason=reason, accept=accept or (), cut_short=cut_short, impact=impact, dataset=dataset
    )
    _show_decision(done, form)


def withdraw(
    by: By,
    reason: Reason,
    label: Annotated[
        str | None, typer.Argument(help="The version to withdraw, such as branch@2; by default the last activated.")
    ] = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Take the last activated policy back, as long as no period was closed under it; the one before then goes on."""
    done = advisor_of(home).policies.withdraw(by=by, reason=reason, label=label, dataset=dataset)
    _show_decision(done, form)


def listed(
    every: Annotated[bool, typer.Option("--history", help="Every decision on record, withdrawals included.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List the activated policies and the days on which they are in force."""
    policies = advisor_of(home).policies
    table = policies.history(dataset=dataset) if every else policies.terms(dataset=dataset)
    show_table(table, out=out, form=form, title="Decisions on policies" if every else "Activated policies")


def show(
    name: Which,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Write a policy as YAML, to read or to start one's own from."""
    policies = advisor_of(home).policies
    if form is Format.json:
        _echo_json(policies.named(name, dataset=dataset).model_dump(mode="json", by_alias=True))
        return
    typer.echo(policies.text(name, dataset=dataset), nl=False)


def schema() -> None:
    """Write the JSON Schema of policies, for editors and for programs."""
    from models.policy.schema import policy_schema

    _echo_json(policy_schema())


def _echo_json(plain: object) -> None:
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "where": finding.where,
        "what": dict(finding.what),
        "hint": {"en": finding.hint, "zh": finding.hint_zh},
        "source": finding.source,
    }


def _show_finding(finding: Finding) -> None:
    typer.echo(f"{finding.severity.capitalize()} [{finding.code}] {finding.where}: {finding.what['en']}")
    typer.echo(f"  {finding.what['zh']}")
    if finding.hint:
        typer.echo(f"  Hint: {finding.hint}")
    if finding.hint_zh:
        typer.echo(f"  建议：{finding.hint_zh}")
    if finding.source:
        typer.echo(f"  Source / 依据: {finding.source}")


def _asked(changes: Sequence[Change]) -> list[str]:
    """Say what the changes ask for, each consequence once."""
    once = {change.consequence.code: change.consequence for change in changes}
    lines = ["What this asks for / 须采取的措施："]
    for consequence in once.values():
        kinds = ", ".join(dict.fromkeys(c.kind.replace("_", " ") for c in changes if c.consequence is consequence))
        lines += [f"- {kinds}: {consequence.text.en}", f"  {consequence.text.zh}"]
    return lines


def _show_decision(done: Activation, form: Format) -> None:
    if form is Format.json:
        _echo_json(done.as_dict())
        return
    days = f"from {done.start}" + ("" if done.until is None else f" to {done.until}")
    if done.action == "withdraw":
        typer.echo(f"{done.label}, in force {days}, is withdrawn by {done.by}: {done.reason}")
        return
    typer.echo(f"{done.label} is in force {days}, activated by {done.by}: {done.reason}")
    if done.shortened is not None:
        typer.echo(f"{done.shortened.label} ends on {done.shortened.until}.")
    for finding in done.accepted:
        typer.echo(f"Accepted [{finding['finding']}] {finding['where']}: {finding['what']}")
