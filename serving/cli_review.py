"""Commands about the review of alerts: the queue, decisions, notes, the evidence pack, and what the reviews teach."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, Out, advisor_of, show_table, shown_progress

if TYPE_CHECKING:
    from serving.reviewing import Reviewing
    from training.review.case import Case
    from training.review.entry import Entry

SHOWN = ["alert", "severity", "score", "probability", "title", "status", "assigned_to", "due", "sampled", "entry"]
"""Columns for a person at a terminal; files have all."""

Alert = Annotated[str, typer.Argument(help="Key of the alert, such as B07@2024-03; `loadline review list` has them.")]
By = Annotated[str, typer.Option("--by", help="Name of the person who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record; a dismissal needs one.")]
After = Annotated[
    int | None,
    typer.Option("--after", help="Number of the last entry that you have seen, to go on from it; `show` gives it."),
]


class Decision(StrEnum):
    """What a reviewer makes of an alert."""

    confirmed = "confirmed"
    dismissed = "dismissed"
    watching = "watching"


def add_review_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    review = typer.Typer(
        help="Review alerts: decide, assign, note, write the evidence pack.\n\n预警核查：处置、分派、备注、核查材料。",
        no_args_is_help=True,
    )
    for name, command in {
        "list": listed,
        "show": show,
        "decide": decide,
        "assign": assign,
        "note": note,
        "link": link,
        "release": release,
        "undo": undo,
        "pack": pack,
        "recall": recall,
        "reviewers": reviewers,
        "history": history,
    }.items():
        review.command(name)(command)
    app.add_typer(review, name="review")


def reviewing_of(home: Path | None) -> Reviewing:
    """Open a home for reviewing."""
    from serving.reviewing import Reviewing

    return Reviewing(advisor_of(home))


def listed(
    every: Annotated[bool, typer.Option("--all", help="Also what is decided or superseded.")] = False,
    status: Annotated[str | None, typer.Option(help="Only these: new, assigned, watching, confirmed, ...")] = None,
    assigned_to: Annotated[str | None, typer.Option(help="Only what this person has to decide.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is past its day.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List what is to be reviewed, the most pressing first; units drawn from below the line are marked."""
    import sys

    with shown_progress() as progress:
        table = reviewing_of(home).queue(every=every or status is not None, dataset=dataset, progress=progress)
    if status is not None:
        table = table[table["status"] == _known_status(status)]
    if assigned_to is not None:
        table = table[table["assigned_to"] == assigned_to]
    if overdue:
        table = table[table["overdue"].astype(bool)]
    for_person = form is Format.text and out is None and sys.stdout.isatty()
    show_table(table[SHOWN] if for_person else table, out=out, form=form, title="Alerts for review")


def show(alert: Alert, home: Home = None, dataset: DatasetName = None, form: As = Format.text) -> None:
    """Show how an alert stands, and everything that was written on it."""
    found = reviewing_of(home).case(alert, dataset=dataset)
    if form is Format.json:
        _echo_json(plain_case(found))
        return
    _tell(found)


def decide(
    alert: Alert,
    decision: Annotated[Decision, typer.Argument(help="What you make of it.")],
    by: By,
    reason: Reason = "",
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Confirm an alert, dismiss it with a reason, or keep watching it."""
    done = reviewing_of(home).decide(alert, decision.value, by=by, reason=reason, expected=after, dataset=dataset)
    words = {"confirmed": "is confirmed", "dismissed": "is dismissed", "watching": "is being watched"}
    _show_entry(done, f"{words[done.action]} by {done.by}", form)


def assign(
    alert: Alert,
    to: Annotated[str, typer.Option("--to", help="Name of the person who is to decide.")],
    by: By,
    due: Annotated[str | None, typer.Option("--due", help="Day by which to decide, such as 2025-02-28.")] = None,
    text: Annotated[str, typer.Option("--note", help="What that person should know.")] = "",
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Give an alert to a person, with a day by which to decide."""
    day = None if due is None else _day(due)
    done = reviewing_of(home).assign(alert, to=to, by=by, due=day, text=text, expected=after, dataset=dataset)
    until = f", due on {done.given['due']}" if done.given["due"] else ""
    _show_entry(done, f"is assigned to {done.given['to']}{until}", form)


def note(
    alert: Alert,
    text: Annotated[str, typer.Option("--text", help="What the next reader should know.")],
    by: By,
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Write a note on an alert."""
    done = reviewing_of(home).note(alert, text=text, by=by, expected=after, dataset=dataset)
    _show_entry(done, "has a note", form)


def link(
    alert: Alert,
    case: Annotated[str, typer.Option("--case", help="Address or number of a case elsewhere; it is not opened.")],
    by: By,
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Link an alert to a case elsewhere."""
    done = reviewing_of(home).link(alert, case=case, by=by, expected=after, dataset=dataset)
    _show_entry(done, f"is linked to {done.given['case']}", form)


def release(
    alert: Alert,
    by: By,
    reason: Reason = "",
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Let the unit's managers see a confirmed alert; until then they do not."""
    done = reviewing_of(home).release(alert, by=by, reason=reason, expected=after, dataset=dataset)
    _show_entry(done, "is released to the unit's managers", form)


def undo(
    alert: Alert,
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    entry: Annotated[int | None, typer.Option("--entry", help="Its number; by default the last that stands.")] = None,
    after: After = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Take an entry back; it stays on record and no longer counts."""
    done = reviewing_of(home).undo(alert, by=by, reason=reason, entry=entry, expected=after, dataset=dataset)
    _show_entry(done, f"no longer has entry {done.given['entry']}", form)


def pack(
    alert: Alert,
    out: Annotated[Path, typer.Option("--out", help="Write the pack here: .xlsx or .html.")],
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Write the evidence pack for the committee, in Chinese and English."""
    reviewing_of(home).pack(alert, out, dataset=dataset)
    typer.echo(f"Evidence pack of {alert} written to {out}", err=True)


def recall(home: Home = None, dataset: DatasetName = None, form: As = Format.text) -> None:
    """Estimate how much of what reviewers would confirm was on the list, from the units drawn from below it."""
    found = reviewing_of(home).recall(dataset=dataset)
    if form is Format.json:
        _echo_json(found.as_dict())
        return
    if found.recall is not None and found.low is not None and found.high is not None:
        typer.echo(f"Estimated recall {found.recall:.0%} (90% interval {found.low:.0%} to {found.high:.0%}).")
        typer.echo(f"估计召回率{found.recall:.0%}（90%区间{found.low:.0%}至{found.high:.0%}）。")
    typer.echo(
        f"On the list: {found.confirmed_above} of {found.reviewed_above} reviewed were confirmed. "
        f"Below the line: {found.confirmed_below} of {found.reviewed_below}."
    )
    typer.echo(found.note["en"])
    typer.echo(found.note["zh"])


def reviewers(home: Home = None, dataset: DatasetName = None, out: Out = None, form: As = Format.text) -> None:
    """Tell how each reviewer has done: decisions, and how many of them outcomes later proved right."""
    show_table(reviewing_of(home).reviewers(dataset=dataset), out=out, form=form, title="Reviewers")


def history(
    alert: Annotated[str | None, typer.Argument(help="Key of an alert; without it, all of them.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List every entry on record, oldest first; what was undone is still there."""
    show_table(reviewing_of(home).history(alert, dataset=dataset), out=out, form=form, title="Record of reviews")


def plain_case(found: Case) -> dict[str, object]:
    """Give a case as plain data."""
    decided, assigned, released = found.disposition, found.assignment, found.released
    return {
        **found.shown.as_dict(),
        "about": dict(found.about),
        "raised_at": found.raised_at.isoformat(),
        "status": found.status,
        "entry": found.version,
        "disposition": None if decided is None else decided.as_dict(),
        "assignment": None if assigned is None else assigned.as_dict(),
        "released": None if released is None else released.as_dict(),
        "links": list(found.links),
        "chance": found.chance,
        "entries": [entry.as_dict() | {"undone": entry.number in found.undone} for entry in found.entries],
    }


def _tell(found: Case) -> None:
    from training.review.pack_words import ACTION, SEVERITY, percent, review_rows

    shown, status, severity = found.shown, ACTION[found.status], SEVERITY[found.shown.severity]
    typer.echo(f"{found.alert}: {status.en}, {severity.en} ({status.zh}，{severity.zh})")
    if shown.title is not None:
        typer.echo(f"{shown.title.en} / {shown.title.zh} [{', '.join(shown.detectors)}]")
    typer.echo(
        f"Listed {shown.first} to {shown.last}, score {shown.score:.3f}, probability {percent(shown.probability)}; "
        f"data version {found.about.get('data_version', '–')}, model {found.about.get('model_version') or '–'}, "
        f"known on {found.about.get('known_on', '–')}."
    )
    if shown.sampled:
        typer.echo("Drawn from below the line: decide it as if it were listed. / 线下抽样，请按名单内同等标准核查。")
    if found.due is not None and found.verdict is None:
        typer.echo(f"Due on {found.due}. / 期限{found.due}。")
    for case in found.links:
        typer.echo(f"Case: {case}")
    typer.echo("")
    for number, at, by, what, words in review_rows(found):
        typer.echo("  ".join(part for part in (number, at, by, what, words) if part))
    typer.echo("")
    typer.echo(f"To go on from here: --after {found.version}")


def _day(text: str) -> date:
    from features.errors import LoadlineError

    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise LoadlineError(f"{text!r} is not a day", where="--due", hint="Write it like 2025-02-28.") from None


def _known_status(status: str) -> str:
    from features.errors import LoadlineError
    from training.review.queue import STATUSES

    if status not in STATUSES:
        raise LoadlineError(f"{status!r} is no status", where="--status", hint=f"Use one of {', '.join(STATUSES)}.")
    return status


def _show_entry(done: Entry, words: str, form: Format) -> None:
    if form is Format.json:
        _echo_json(done.as_dict())
        return
    typer.echo(f"{done.alert} {words} (entry {done.number}).")


def _echo_json(plain: object) -> None:
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
