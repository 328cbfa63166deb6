"""The whole job from start to end, on the sample bank or on any dataset, said as it goes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from models.suggestion import MILESTONES
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor

EXAMPLES = 3
"""Units shown of each step; the files have all."""


def run_demo(
    advisor: Advisor, dataset: Path | None, *, progress: Progress = silent, say: Callable[[str], object] = print
) -> None:
    """Ingest, train, suggest targets, score the last year and warn; with no dataset, on the synthetic sample bank.

    Parameters
    ----------
    advisor : Advisor
    dataset : Path or None
        A dataset folder.
    progress, say
        How to tell how far the work is, and what came of it.
    """
    began = perf_counter()
    if dataset is None:
        from training.sample.bank import write_sample

        with tempfile.TemporaryDirectory() as folder:
            say("Sample bank: synthetic data / 样本银行：合成数据")
            write_sample(Path(folder) / "sample-bank", truth=advisor.settings.home / "sample-truth")
            version, notes = advisor.ingest(Path(folder) / "sample-bank")
    else:
        version, notes = advisor.ingest(dataset)
    say(
        f"1. Stored data version {version.version} of {version.dataset}: {version.units:,} units, "
        f"{version.indicators} indicators, {version.first_period} to {version.last_period}, "
        f"{version.added:,} new figures, {version.unchanged:,} known already."
    )
    for note in notes[:5]:
        say(f"   Note: {note}")

    result = advisor.train(dataset=version.dataset, trials=0, progress=progress)
    for number, line in enumerate(result.lines):
        say(f"{'  ' if number else '2.'} {line['en']}")
    for line in result.summary():
        say(f"   {line}")

    year = advisor.default_year(version.dataset)
    frame = advisor.suggesting.table(year, dataset=version.dataset, progress=progress)
    out = advisor.settings.home / f"targets-{version.dataset}-{year}.csv"
    advisor.write(frame.drop(columns=list(MILESTONES)), out)
    known = frame["target"].notna()
    low = frame["evidence"].str.startswith("low")
    say(
        f"3. Suggested targets for {year}: {int(known.sum()):,} of {len(frame):,} units and indicators "
        f"({int((known & low).sum()):,} on little evidence), in {out}."
    )
    for row in _examples(frame):
        say(f"   {row}")
    for line in _scored(advisor, version.dataset, year - 1):
        say(line)
    for line in _warned(advisor, version.dataset, progress):
        say(line)
    say(f"Done in {perf_counter() - began:.0f} s.")


def _scored(advisor: Advisor, dataset: str, year: int) -> list[str]:
    """Score the last complete year, where the data reaches back to it."""
    from serving.scoring import ScoreRequest, told

    calendar, (first, _) = advisor.snapshot(dataset).description.calendar, advisor.snapshot(dataset).span
    if calendar.first_of_year(year) < first:
        return ["4. No year is complete, so none is scored."]
    scores = advisor.scoring.score(ScoreRequest(calendar.format(calendar.last_of_year(year))), dataset=dataset)
    table = scores.summary()
    out = advisor.settings.home / f"scores-{dataset}-{year}.csv"
    advisor.write(table, out)
    sentences = told(scores, table)
    return [f"4. {sentences[0]}", *(f"   {sentence}" for sentence in sentences[1:]), f"   Scores and points in {out}."]


def _warned(advisor: Advisor, dataset: str, progress: Progress) -> list[str]:
    """List what is to be reviewed as of the newest figures."""
    watched = advisor.watching.watch(dataset=dataset, progress=progress)
    out = advisor.settings.home / f"alerts-{dataset}-{watched.about['as_of']}.csv"
    advisor.write(watched.promised(), out)
    shown = watched.listed().head(EXAMPLES)
    rows = [f"{row['unit']}: {row['title']} ({row['severity']})" for _, row in shown.iterrows()]
    return [f"5. {watched.summary.en}", *(f"   {row}" for row in rows), f"   Every unit in {out}."]


def _examples(frame) -> list[str]:
    """Show a few suggestions: for each of the first indicators, the unit with the largest figure."""
    rows = []
    known = frame[frame["target"].notna()]
    for code in known["indicator"].unique()[:EXAMPLES]:
        row = known[known["indicator"] == code].sort_values("last_actual", ascending=False).iloc[0]
        rows.append(
            f"{row['unit']}, {code}: last {row['last_actual']:,.2f}; "
            + ", ".join(f"{name} {row[name]:,.2f} ({row[f'p_{name}']:.0%})" for name in ("floor", "target", "stretch"))
        )
    return rows
