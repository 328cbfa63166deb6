"""The use cases of simulation: what another policy, or a change from outside, would have done to past scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError
from features.snapshot import Snapshot
from serving.request_schemas import LARGEST_POINT_VALUE
from serving.tables import write_table
from training.progress import Progress, silent

if TYPE_CHECKING:
    from models.policy.document import Policy
    from serving.advisor import Advisor
    from training.simulation.simulation import Simulation

REPORT = "report.html"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class SimulationRequest:
    """What is to be replayed.

    Attributes
    ----------
    policy : str, optional
        The policy to put beside the present one: a file, or a name that `serving.policies.Policies.named` knows.
    against : str, optional
        What stands for the present; by default the policy in force on the last day replayed.
    change : Path, optional
        A change from outside, as YAML.
    period : str, optional
        The only period replayed; a bare year stands for its last one. By default the last of the last complete fiscal
        year.
    first, last : str, optional
        The first and the last period replayed instead; a bare year stands for its first and its last.
    year_ends : bool
        True to replay only the last period of each fiscal year.
    targets : Path, optional
        A table of the targets that were set.
    suggested_targets : bool
        True to compare with what each policy's levels would have asked for at the end of the year before.
    point_value : float, optional
        What a point is worth in the bonus pool.
    known_on : date, optional
        Leave out what became known after this day.
    """

    policy: str | None = None
    against: str | None = None
    change: Path | None = None
    period: str | None = None
    first: str | None = None
    last: str | None = None
    year_ends: bool = False
    targets: Path | None = None
    suggested_targets: bool = False
    point_value: float | None = None
    known_on: date | None = None


class Simulating:
    """What those ask who are about to change rules.

    Parameters
    ----------
    advisor : Advisor
        Whose data, policies and models answer; nothing of them is changed.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def simulate(
        self, asked: SimulationRequest, *, dataset: str | None = None, progress: Progress = silent
    ) -> tuple[Simulation, str]:
        """Replay history before and after a change.

        Returns
        -------
        simulation : Simulation
        note : str
            Which policy stands for the present, and why.

        Raises
        ------
        LoadlineError
            Where neither a policy nor a change is named, a policy has errors, or a file or period is wrong.
        """
        from training.policies import policy_for
        from training.simulation.change_file import read_change
        from training.simulation.simulation import simulate
        from training.target_file import read_target_file

        if asked.policy is None and asked.change is None:
            hint = "Name a policy with --policy, or a change from outside with --change."
            raise LoadlineError("there is nothing to simulate", where="--policy", hint=hint)
        if asked.point_value is not None and not 0 < asked.point_value <= LARGEST_POINT_VALUE:
            what = f"a point is worth more than nothing, and at most {LARGEST_POINT_VALUE:,.0f}"
            raise LoadlineError(what, where="--point-value", hint="Write 1200.")
        snapshot = self._advisor.snapshot(dataset)
        home, calendar = self._advisor.settings.home, snapshot.description.calendar
        periods = self.periods(snapshot, asked)
        change = None if asked.change is None else read_change(asked.change)
        if asked.against is None:
            before, note = policy_for(snapshot, home, day=calendar.end(periods[-1]))
        else:
            before = self._named(asked.against, snapshot, where="--against")
            note = f"Policy {before.label} stands for the present, as asked."
        after = before if asked.policy is None else self._named(asked.policy, snapshot, where="--policy")
        targets = None if asked.targets is None else read_target_file(asked.targets, snapshot)
        targets_after = None
        if asked.suggested_targets:
            targets, targets_after = (
                self._suggested(snapshot, policy, periods, known_on=asked.known_on, progress=progress)
                for policy in (before, after)
            )
        found = simulate(
            snapshot,
            before,
            after,
            periods,
            home=home,
            change=change,
            targets=targets,
            targets_after=targets_after,
            point_value=asked.point_value,
            known_on=asked.known_on,
            progress=progress,
        )
        return found, note

    def write(self, simulation: Simulation, folder: Path, *, note: str = "") -> list[str]:
        """Write the tables, the summary and the report into a folder, and list the files.

        Raises
        ------
        LoadlineError
            Where it is no folder.
        """
        from training.simulation.report import write_report

        if folder.exists() and not folder.is_dir():
            raise LoadlineError("this is no folder", where=str(folder), hint="Name a folder, or a new one, with --out.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LoadlineError(
                f"the folder cannot be made: {error.strerror}", where=str(folder), hint="Name another one with --out."
            ) from error
        tables = simulation.tables()
        for name, table in tables.items():
            write_table(table, folder / f"{name}.csv")
        plain = json.dumps(simulation.summary() | {"present": note}, ensure_ascii=False, indent=2, default=str)
        (folder / SUMMARY).write_text(plain, encoding="utf-8")
        write_report(simulation, folder / REPORT, note=note)
        return [*(f"{name}.csv" for name in tables), SUMMARY, REPORT]

    def _suggested(
        self,
        snapshot: Snapshot,
        policy: Policy,
        periods: Sequence[int],
        *,
        known_on: date | None,
        progress: Progress,
    ) -> pd.DataFrame:
        """Suggest targets for each fiscal year replayed, from what was known before it."""
        from training.scoring.suggested import suggested_targets

        years = sorted({int(snapshot.description.calendar.year(period)) for period in periods})
        home, levels = self._advisor.settings.home, policy.target_policy
        found = [
            suggested_targets(snapshot, year, home=home, policy=levels, known_on=known_on, progress=progress)
            for year in years
        ]
        return pd.concat(found, ignore_index=True)

    def _named(self, name: str, snapshot: Snapshot, *, where: str) -> Policy:
        """Find a policy and refuse one with errors; warnings are for its activation."""
        from models.policy.validator import check, raise_if_errors
        from training.policies import current_units

        try:
            policy = self._advisor.policies.named(name, dataset=snapshot.about.dataset)
        except LoadlineError as error:
            if type(error) is not LoadlineError:
                raise
            raise LoadlineError(error.what, where=where, hint=error.hint) from error
        raise_if_errors(check(policy, indicators=snapshot.indicators, units=current_units(snapshot)))
        return policy

    def periods(self, snapshot: Snapshot, asked: SimulationRequest) -> list[int]:
        """Give the periods that would be replayed, as ordinals.

        Raises
        ------
        LoadlineError
            Where one is no period of the data, or none is left.
        """
        calendar, (begin, end) = snapshot.description.calendar, snapshot.span
        year = int(calendar.year(end))
        complete = end if calendar.last_of_year(year) == end else calendar.last_of_year(year - 1)
        where = "--to" if asked.period is None else "--period"
        ends = asked.last if asked.period is None else asked.period
        last = max(complete, begin) if ends is None else self._period(snapshot, ends, where=where)
        first = last if asked.first is None else self._period(snapshot, asked.first, where="--from", opening=True)
        found = [p for p in range(first, last + 1) if not asked.year_ends or _ends_a_year(snapshot, p)]
        if not found:
            hint = "Let --from lie before --to" + (", a year's end between them." if asked.year_ends else ".")
            raise LoadlineError("no period is left to replay", where="--from", hint=hint)
        return found

    def _period(self, snapshot: Snapshot, text: str, *, where: str, opening: bool = False) -> int:
        """Read a period; a bare year stands for its last one, or for its first with figures."""
        calendar, asked = snapshot.description.calendar, text.strip()
        try:
            if opening and len(asked) == 4 and asked.isdigit():
                found = max(calendar.first_of_year(int(asked)), snapshot.span[0])
                if int(calendar.year(found)) == int(asked):
                    return self._advisor.origin(snapshot, calendar.format(found))
            return self._advisor.origin(snapshot, asked)
        except LoadlineError as error:
            raise LoadlineError(error.what, where=where, hint=error.hint) from error


def _ends_a_year(snapshot: Snapshot, period: int) -> bool:
    calendar = snapshot.description.calendar
    return calendar.last_of_year(int(calendar.year(period))) == period
