"""The command that tells why a unit is on the list for review, or not."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, DatasetName, Format, Home, advisor_of, shown_progress

if TYPE_CHECKING:
    from serving.alert_schemas import AlertExplanation, AlertPattern
    from serving.schemas import Sentence


class HeldAgainst(StrEnum):
    """What the probability is compared with."""

    peers = "peers"
    last_year = "last_year"


def add_alert_explanation(explain: typer.Typer) -> None:
    """Add the command to the group of explanations."""
    explain.command("alert")(explain_alert)


def explain_alert(
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    period: Annotated[
        str | None,
        typer.Option(help="2024, 2024-Q3 or 2024-07; a bare year stands for its last. By default the newest."),
    ] = None,
    against: Annotated[HeldAgainst, typer.Option(help="What the probability is compared with.")] = HeldAgainst.peers,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Tell why a unit is on the list for review, or not, and what would make it a false alarm."""
    from serving.alert_explanation import explain_alert as explained

    with shown_progress() as progress:
        found = explained(
            advisor_of(home), unit, period=period, against=against.value, dataset=dataset, progress=progress
        )
    if form is Format.json:
        typer.echo(found.model_dump_json(indent=2))
        return
    for line in told(found):
        typer.echo(line)


def told(found: AlertExplanation) -> list[str]:
    """Lay an explanation out for a terminal, in both languages."""
    lines = [found.text.en, found.text.zh]
    lines += _section("Patterns / 预警情形", [line for pattern in found.patterns for line in _pattern_lines(pattern)])
    lines += _section("Figures / 相关指标", [_both(figure.text) for figure in found.figures])
    if found.base_value is not None and found.prediction is not None and found.reference is not None:
        parts = [f"{found.base_value:>7.1%}  {_both(found.reference)}"]
        parts += [f"{100 * driver.amount:>+7.1f}  {_both(driver.name)}" for driver in found.drivers]
        lines += _section("Probability / 恶化概率", [*parts, f"{found.prediction:>7.1%}"])
    lines += _section(
        "What would make it a false alarm / 可能的误报原因", [_both(doubt.text) for doubt in found.doubts]
    )
    lines += _section("What to look at next / 建议核查", [_both(text) for text in found.next_looks])
    lines += _section(
        "On the list / 复核名单",
        [f"{below.unit}  {below.name.en}  {below.severity or ''}  {below.score:.3f}" for below in found.listed_below],
    )
    lines += ["", *(f"Note: {_both(note)}" for note in found.notes)]
    versions = found.versions
    lines.append(
        f"Model {versions.model_version}, policy {versions.policy_version}, data version {versions.data_version}, "
        f"known on {versions.known_on}."
    )
    return lines


def _pattern_lines(pattern: AlertPattern) -> list[str]:
    met = "met / 已出现" if pattern.met else "nearest, not met / 最接近，未触发"
    if pattern.met and pattern.periods_ago:
        met = f"last met {pattern.periods_ago} periods before / {pattern.periods_ago}期前出现"
        met = met.replace("1 periods", "1 period")
    lines = [f"{pattern.code}  {_both(pattern.title)} ({met})"]
    return [*lines, *(f"      {_both(text)}" for text in (pattern.reason, pattern.strength, pattern.record_text))]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _both(text: Sentence) -> str:
    return text.en if text.en == text.zh else f"{text.en} / {text.zh}"
