"""Scores in shadow: a past year scored as it was and as it would be, side by side; no stored score changes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from features.snapshot import Snapshot
from features.spreadsheet import inert
from models.policy.document import Policy
from training.journal import write_copy
from training.progress import Progress, silent
from training.retraining.change_grounds import change_of
from training.scoring.needs import needs_of
from training.simulation.ranks import rank_agreement
from training.simulation.simulation import Simulation, simulate

SUMMARY, REPORT = "summary.json", "report.html"
NOTE = "Both sides are worked out anew in memory; scores on record stay as they are."


def shadow_scores(
    snapshot: Snapshot,
    home: str | Path,
    folder: Path,
    *,
    before: Policy,
    after: Policy,
    origin: int,
    since: int | None = None,
    change: str = "",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Score the last complete year under two policies, and leave tables, a summary and a report in a folder.

    Done again, it leaves the same; each file appears whole or not at all.

    Parameters
    ----------
    snapshot : Snapshot
    home : Path
        Where models are kept that suggest targets, for policies that score against them; only suggestions are added.
    folder : Path
    before, after : Policy
        The same one where only figures were restated or only a change from outside is asked about.
    origin : int
        Last period (ordinal) that may be scored.
    since : int, optional
        Data version on which the side before is scored, where figures have been restated since.
    change : str
        A change from outside as canonical JSON, as a request for training carries it.
    progress : Progress

    Returns
    -------
    dict
        Plain JSON: `text` (`en`, `zh`), `policy_before`, `policy_after`, `from`, `to`, `periods`, `scores`, `units`,
        `gain`, `lose`, `stay`, `mean_change` (points), `tau_b` (None where no group is ranked), `one_sided`, `notes`
        and `files`.
    """
    home = Path(home)
    periods = shadow_periods(snapshot, origin)
    found, notes = _targets(snapshot, home, (before, after), periods, progress)
    done = simulate(
        snapshot,
        before,
        after,
        periods,
        home=home,
        change=change_of(change),
        targets=None if found is None else found[0],
        targets_after=None if found is None else found[1],
        earlier=None if since is None else _version(snapshot, since),
        progress=progress,
    )
    summary = _summary(done, notes)
    return summary | {"files": _write(done, folder, summary)}


def shadow_periods(snapshot: Snapshot, origin: int) -> list[int]:
    """List the periods of the last complete fiscal year up to an origin; of a shorter history all there are."""
    calendar, (begin, end) = snapshot.description.calendar, snapshot.span
    last = min(origin, end)
    year = int(calendar.year(last))
    if calendar.last_of_year(year) != last:
        year -= 1
    if calendar.first_of_year(year) < begin:
        return list(range(max(begin, last - calendar.per_year + 1), last + 1))
    return list(range(calendar.first_of_year(year), calendar.last_of_year(year) + 1))


def _version(snapshot: Snapshot, version: int) -> Snapshot:
    chain = tuple(each for each in snapshot.chain if each.version <= version)
    if not chain or chain[-1].version != version:
        raise LoadlineError(f"data version {version} is not in this history", where="since")
    return Snapshot(snapshot.tables, chain)


def _targets(
    snapshot: Snapshot, home: Path, policies: tuple[Policy, Policy], periods: list[int], progress: Progress
) -> tuple[tuple[pd.DataFrame, pd.DataFrame] | None, tuple[str, ...]]:
    """Suggest targets of the year as they would have been set before it, where a policy scores against targets."""
    from training.scoring.suggested import suggested_targets

    if not any(needs_of(policy, snapshot.indicators).targeted for policy in policies):
        return None, ()
    year = int(snapshot.description.calendar.year(periods[-1]))
    try:
        one, other = (
            suggested_targets(snapshot, year, home=home, policy=policy.target_policy, progress=progress)
            for policy in policies
        )
    except LoadlineError as error:
        return None, (f"Items against a target have no points: {error.what}.",)
    note = f"Items against a target are scored against what would have been suggested for {year} at its beginning."
    return (one, other), (note,)


def _summary(done: Simulation, notes: tuple[str, ...]) -> dict[str, Any]:
    compared, written = done.compared, done.written
    both, change = compared.both, compared.difference
    rows, units = int(both.sum()), int(compared.about.loc[both, "unit"].nunique())
    gain, lose = int((change[both] > 0).sum()), int((change[both] < 0).sum())
    tau = rank_agreement(compared.old.tenths[both], compared.new.tenths[both], compared.groups[both])
    mean = float(change[both].mean()) / 10 if rows else None
    setting = done.setting
    first, last = written(setting.periods[0]), written(setting.periods[-1])
    agree = {"en": "", "zh": ""}
    if not math.isnan(tau):
        agree = {
            "en": f" Ranks within peer groups agree with a tau-b of {tau:.3f}.",
            "zh": f"同组排名一致度 tau-b 为 {tau:.3f}。",
        }
    sides = f"{setting.before.label} → {setting.after.label}"
    text = Title(
        en=f"Scored in shadow, {first} to {last} ({sides}): {rows:,} scores of {units:,} units, {gain:,} gain, "
        f"{lose:,} lose, {rows - gain - lose:,} stay.{agree['en']} Nothing on record has changed.",
        zh=f"并行试算 {first} 至 {last}（{sides}）：{units:,} 家单位 {rows:,} 个得分，{gain:,} 个上升、"
        f"{lose:,} 个下降、{rows - gain - lose:,} 个不变。{agree['zh']}已记录的得分未作改动。",
    )
    return {
        "text": {"en": text.en, "zh": text.zh},
        "policy_before": setting.before.label,
        "policy_after": setting.after.label,
        "from": first,
        "to": last,
        "periods": len(setting.periods),
        "scores": rows,
        "units": units,
        "gain": gain,
        "lose": lose,
        "stay": rows - gain - lose,
        "mean_change": mean,
        "tau_b": None if math.isnan(tau) else tau,
        "one_sided": int((compared.old.scored ^ compared.new.scored).sum()),
        "notes": [*notes, *done.notes],
    }


def _write(done: Simulation, folder: Path, summary: dict[str, Any]) -> list[str]:
    from training.simulation.report import write_report

    folder.mkdir(parents=True, exist_ok=True)
    tables = done.tables()
    for name, table in tables.items():
        write_copy(folder / f"{name}.csv", table.map(inert).to_csv(index=False).encode())
    whole = done.summary() | {"shadow": summary, "present": NOTE}
    write_copy(folder / SUMMARY, json.dumps(whole, ensure_ascii=False, indent=1, default=str).encode())
    write_report(done, folder / REPORT, note=NOTE)
    return [*(f"{name}.csv" for name in tables), SUMMARY, REPORT]
