"""A change of policy or from outside, replayed over history: scores before and after, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from features.indicators import Title
from features.snapshot import Snapshot
from models.policy.difference import Change, differences
from models.policy.document import Policy
from training.progress import Progress, silent
from training.scoring.needs import needs_of
from training.simulation.change_file import AnyChange, Definition, Merger, NewIndicator, NplTolerance, RateCap
from training.simulation.compared import Compared, compare
from training.simulation.definition import simulate_definition
from training.simulation.difficulty import difficulty, difficulty_sentences, difficulty_summary
from training.simulation.groups import group_table
from training.simulation.merger import simulate_merger
from training.simulation.new_indicator import simulate_new_indicator
from training.simulation.obligations import Obligation, Retraining, obligations_of, retraining_of
from training.simulation.pool import Pool, pool_of
from training.simulation.rate_cap import simulate_rate_cap
from training.simulation.setting import Effect, Setting
from training.simulation.tables import distribution_table, grade_table, line_table, reason_table, score_table
from training.simulation.tolerance import simulate_npl_tolerance
from training.simulation.verdict import verdict

EFFECTS: dict[type[AnyChange], Callable[[Setting, Any], Effect]] = {
    RateCap: simulate_rate_cap,
    NplTolerance: simulate_npl_tolerance,
    Definition: simulate_definition,
    NewIndicator: simulate_new_indicator,
    Merger: simulate_merger,
}
"""How each kind of change from outside is replayed."""
NO_TARGETS = (
    "No targets are given, so items against a target have no points: add --targets FILE or --suggested-targets."
)


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a change would have done; nothing of it is stored.

    Attributes
    ----------
    setting : Setting
    change : AnyChange or None
        From outside.
    effect : Effect
    compared : Compared
    pool : Pool or None
        Where a point value was given.
    levels : pd.DataFrame or None
        What targets would ask for, where the probabilities of their levels change; see
        `training.simulation.difficulty`.
    differences : tuple of Change
        Of the two policies.
    obligations : tuple of Obligation
    retraining : Retraining
    notes : tuple of str
    """

    setting: Setting
    change: AnyChange | None
    effect: Effect
    compared: Compared
    pool: Pool | None
    levels: pd.DataFrame | None
    differences: tuple[Change, ...]
    obligations: tuple[Obligation, ...]
    retraining: Retraining
    notes: tuple[str, ...]

    @property
    def written(self) -> Callable[[int], str]:
        """Give what writes a period's ordinal."""
        return self.setting.snapshot.description.calendar.format

    @cached_property
    def statements(self) -> tuple[Title, ...]:
        """Say what comes of it, what matters most first."""
        found = [*self.effect.statements, *verdict(self.compared, self.written, pool=self.pool)]
        if self.levels is not None:
            found += difficulty_sentences(self.levels, self.setting.snapshot.indicators)
        return tuple(found)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Give the scores, unit by unit; see `training.simulation.tables.score_table`."""
        return score_table(self.compared, self.written, pool=self.pool)

    @cached_property
    def versions(self) -> dict[str, Any]:
        """Tell what it rests on."""
        setting = self.setting
        about = setting.snapshot.about
        return {
            "dataset": about.dataset,
            "data_version": about.version,
            "fingerprint": about.fingerprint[:12],
            "known_on": str(setting.known_on or setting.snapshot.last_known),
            "policy_before": setting.before.label,
            "policy_after": setting.after.label,
            "change": None if self.change is None else self.change.kind,
            "from": self.written(setting.periods[0]),
            "to": self.written(setting.periods[-1]),
            "periods": len(setting.periods),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the tables, by file name without suffix."""
        compared = self.compared
        found = {
            "scores": self.scores,
            "reasons": reason_table(compared, self.written),
            "groups": group_table(compared),
            "distribution": distribution_table(compared),
            "grades": grade_table(compared),
            "lines": line_table(compared).drop(columns="size"),
            "policy": _policy_table(self.differences),
            "obligations": _obligation_table(self.obligations),
        }
        if self.levels is not None:
            found["levels"] = self.levels
        return found | dict(self.effect.tables)

    def summary(self) -> dict[str, Any]:
        """Give the whole as plain data, for JSON."""
        return {
            "versions": self.versions,
            "statements": [said.model_dump() for said in self.statements],
            "groups": _records(group_table(self.compared)),
            "grades": _records(grade_table(self.compared)),
            "lines": _records(line_table(self.compared)),
            "levels": [] if self.levels is None else _records(difficulty_summary(self.levels)),
            "policy": [found.as_dict() for found in self.differences],
            "obligations": [{"code": o.code, "state": o.state, "text": o.text.model_dump()} for o in self.obligations],
            "retrain": {
                "models": self.retraining.models,
                "score_models": self.retraining.score_models,
                "why": self.retraining.why.model_dump(),
            },
            "notes": list(self.notes),
        }


def simulate(
    snapshot: Snapshot,
    before: Policy,
    after: Policy,
    periods: Sequence[int],
    *,
    home: Path,
    change: AnyChange | None = None,
    targets: pd.DataFrame | None = None,
    targets_after: pd.DataFrame | None = None,
    point_value: float | None = None,
    known_on: date | None = None,
    earlier: Snapshot | None = None,
    progress: Progress = silent,
) -> Simulation:
    """Replay history under the present policy and beside it under another, or with a change from outside, or both.

    Parameters
    ----------
    snapshot : Snapshot
    before, after : Policy
        Checked by their validator; the same one where only a change from outside is asked about.
    periods : sequence of int
        Ordinals, ascending.
    home : Path
        Where promoted models are kept; only read.
    change : AnyChange, optional
    targets : pd.DataFrame, optional
        `unit, indicator, year, target`, and perhaps `floor` and `stretch`.
    targets_after : pd.DataFrame, optional
        The same under the other policy, where it would have set others.
    point_value : float, optional
        What a point is worth in the bonus pool.
    known_on : date, optional
        Leave out what became known after this day.
    earlier : Snapshot, optional
        An earlier data version on which the present side is scored, to see what restated figures do.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where a policy names an unknown indicator, the change does not fit the data, or no unit is on a scorecard.
    """
    setting = Setting(snapshot, before, after, tuple(periods), targets, known_on, targets_after)
    progress("replaying", 0, 1)
    if change is None:
        effect = Effect(setting.present(), setting.replayed(after, setting.periods))
    else:
        effect = EFFECTS[type(change)](setting, change)
    if earlier is not None and (known := tuple(period for period in periods if period <= earlier.span[1])):
        effect = replace(effect, before=replace(setting, snapshot=earlier, periods=known).present())
    progress("replaying", 1, 1)
    compared = compare(effect.before, effect.after)
    found = differences(before, after)
    return Simulation(
        setting=setting,
        change=change,
        effect=effect,
        compared=compared,
        pool=None if point_value is None else pool_of(compared, point_value),
        levels=difficulty(snapshot, before, after, home=home, known_on=known_on, progress=progress),
        differences=found,
        obligations=obligations_of(change, after if found else None),
        retraining=retraining_of(change, found),
        notes=_notes(setting, effect),
    )


def _notes(setting: Setting, effect: Effect) -> tuple[str, ...]:
    old, new = effect.before.notes, effect.after.notes
    notes = [note for note in old if note in new]
    notes += [f"Before: {note}" for note in old if note not in new]
    notes += [f"After: {note}" for note in new if note not in old]
    policies = (setting.before, setting.after)
    if setting.targets is None and any(needs_of(p, setting.snapshot.indicators).targeted for p in policies):
        notes.insert(0, NO_TARGETS)
    return tuple(notes)


def _policy_table(found: Sequence[Change]) -> pd.DataFrame:
    columns = ["kind", "where", "before", "after", "text_en", "text_zh", "asks_en", "asks_zh", "retrain"]
    rows = [(c.kind, c.where, c.before, c.after, c.text.en, c.text.zh, *_asked(c), c.retrain) for c in found]
    return pd.DataFrame(rows, columns=columns)


def _asked(found: Change) -> tuple[str, str]:
    text = found.consequence.text
    return text.en, text.zh


def _obligation_table(obligations: Sequence[Obligation]) -> pd.DataFrame:
    rows = [(o.code, o.state, o.text.en, o.text.zh) for o in obligations]
    return pd.DataFrame(rows, columns=["code", "state", "text_en", "text_zh"])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in rows]
