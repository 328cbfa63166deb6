"""The use cases of planning: suggesting targets, breaking goals down, the path through the year, how targets stand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import LoadlineError
from features.periods import EARLIEST_YEAR, LATEST_YEAR
from features.store import DataVersion, Snapshot
from models.suggestion import COLUMNS
from serving.explanation import VERSIONS
from serving.tables import write_table
from training.progress import Progress, silent

if TYPE_CHECKING:
    from models.in_year.quarterly import CalibrationProposal
    from models.policy.targets import TargetPolicy
    from serving.advisor import Advisor
    from training.plan import Plan
    from training.suggest import Champion


@dataclass(frozen=True)
class PlanFiles:
    """What people ask of a plan, as files.

    Attributes
    ----------
    goals : Path, optional
        `unit, indicator, year, value`.
    pins, floors, caps : Path, optional
        `unit, indicator, value`.
    flagged : Path, optional
        `unit, indicator, growth`: units flagged for risk, whose targets have a ceiling.
    stored_goals : bool
        True to break down the goals that came with the dataset as well; those of the file come before them.
    cap_ratchet : bool
        True to hold units to the policy's cap on passing on last year's out-performance.
    """

    goals: Path | None = None
    pins: Path | None = None
    floors: Path | None = None
    caps: Path | None = None
    flagged: Path | None = None
    stored_goals: bool = False
    cap_ratchet: bool = False


def stored_goals_of(snapshot: Snapshot, year: int) -> pd.DataFrame:
    """Give the goals of a year that came with the dataset.

    Raises
    ------
    LoadlineError
        Where there is none.
    """
    goals = snapshot.goals
    ours = None if goals is None else goals[goals["year"] == year]
    if ours is None or ours.empty:
        raise LoadlineError(
            f"the dataset came without goals for {year}",
            where=snapshot.about.dataset,
            hint="Add them to its goals.csv, or name a file with --goals.",
        )
    return ours


def _targets(given: Path | pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Read targets from a file; a table is taken as it is."""
    from training.target_file import read_target_file

    return read_target_file(given, snapshot) if isinstance(given, Path) else given


class Planning:
    """What HR asks for.

    Parameters
    ----------
    advisor : Advisor
        Whose data and models answer.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._policies: dict[tuple[Any, ...], TargetPolicy] = {}

    def target_policy(self, snapshot: Snapshot, year: int) -> TargetPolicy:
        """Give what the policy in force on the first day of a year says about targets; the default where none is."""
        from training.policies import target_policy_on
        from training.policy_record import record_mark

        home, about, calendar = self._advisor.settings.home, snapshot.about, snapshot.description.calendar
        year = min(max(year, EARLIEST_YEAR), LATEST_YEAR)
        key = (about.fingerprint, about.version, year, record_mark(home, about.dataset))
        found = self._policies.get(key)
        if found is None:
            found = target_policy_on(snapshot, home, calendar.start(calendar.first_of_year(year)))
            self._policies = {key: found}  # the one last asked for
        return found

    def plan(
        self,
        year: int,
        *,
        as_of: str | None = None,
        dataset: str | None = None,
        asked: PlanFiles | None = None,
        quantiles: Sequence[float] = (),
        snapshot: Snapshot | None = None,
        policy: TargetPolicy | None = None,
        model: Champion = "recorded",
        progress: Progress = silent,
    ) -> Plan:
        """Suggest targets for every unit and indicator, and break goals down.

        The champion answers where it was trained on nothing later than `as_of` and for the same distance to the year's
        end; what it does not cover is fitted on the spot, from what was known as of then.

        Parameters
        ----------
        year : int
        as_of : str, optional
            Use only what was known at the end of this period.
        dataset : str, optional
        asked : PlanFiles, optional
            Goals to break down, and what people have fixed.
        quantiles : sequence of float
        snapshot, policy, model : optional
            The data version, rules and champion that answer; those of this moment where they are left out.

        Returns
        -------
        Plan
            Its frame has `unit, indicator, year, last_actual, floor, target, stretch, p_floor, p_target, p_stretch,
            evidence, model_version, policy_version, data_version`, the milestones that explain them, the quantiles.

        Raises
        ------
        LoadlineError
            Where a file is wrong, or a goal cannot be met within what is fixed; then with the smallest change that
            would let it be.
        """
        from training.goals import read_flagged_file, read_goal_file, read_limit_file, read_pin_file
        from training.plan import make_plan
        from training.suggest import suggest_targets

        asked = asked or PlanFiles()
        snapshot = snapshot or self._advisor.snapshot(dataset)
        origin = self._advisor.origin(snapshot, as_of)
        policy = policy or self.target_policy(snapshot, year)
        goals = None if asked.goals is None else read_goal_file(asked.goals, snapshot, year)
        if asked.stored_goals:
            goals = pd.concat([frame for frame in (stored_goals_of(snapshot, year), goals) if frame is not None])
            goals = goals.drop_duplicates(["unit", "indicator"], keep="last").reset_index(drop=True)
        pins = None if asked.pins is None else read_pin_file(asked.pins, snapshot)
        floors = None if asked.floors is None else read_limit_file(asked.floors, snapshot)
        caps = None if asked.caps is None else read_limit_file(asked.caps, snapshot)
        flagged = None if asked.flagged is None else read_flagged_file(asked.flagged, snapshot)
        suggested = suggest_targets(
            snapshot,
            year,
            home=self._advisor.settings.home,
            origin=origin,
            latest=as_of is None,
            quantiles=quantiles,
            policy=policy,
            model=model,
            progress=progress,
        )
        plan = make_plan(
            suggested,
            tree=snapshot.tree,
            origin=origin,
            goals=goals,
            pins=pins,
            floors=floors,
            caps=caps,
            flagged=flagged,
            policy=policy,
            cap_ratchet=asked.cap_ratchet,
        )
        order = (*COLUMNS, *VERSIONS)
        extra = [name for name in plan.frame.columns if name not in order]
        return replace(plan, frame=plan.frame[[*order, *extra]])

    def outlook(
        self,
        targets: Path | pd.DataFrame,
        *,
        as_of: str | None = None,
        dataset: str | None = None,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Say how likely each target is attained, given what is in of the year; see `training.outlook`."""
        from training.outlook import outlook

        snapshot = self._advisor.snapshot(dataset)
        asked = _targets(targets, snapshot)
        return outlook(
            snapshot,
            asked,
            policy=self.target_policy(snapshot, int(asked["year"].min())),
            home=self._advisor.settings.home,
            origin=self._advisor.origin(snapshot, as_of),
            latest=as_of is None,
            progress=progress,
        )

    def calibration(
        self,
        targets: Path | pd.DataFrame,
        *,
        relief: Path | pd.DataFrame | None = None,
        relief_only: bool = False,
        keep_total: bool = False,
        as_of: str | None = None,
        dataset: str | None = None,
        progress: Progress = silent,
    ) -> CalibrationProposal:
        """Propose which targets to move within the policy's limits; see `training.calibrate`."""
        from training.calibrate import calibrate, read_relief_file

        snapshot = self._advisor.snapshot(dataset)
        asked = _targets(targets, snapshot)
        return calibrate(
            snapshot,
            asked,
            policy=self.target_policy(snapshot, int(asked["year"].min())),
            home=self._advisor.settings.home,
            origin=self._advisor.origin(snapshot, as_of),
            latest=as_of is None,
            relief=read_relief_file(relief, snapshot) if isinstance(relief, Path) else relief,
            relief_only=relief_only,
            keep_total=keep_total,
            progress=progress,
        )

    def path(self, indicator: str, *, dataset: str | None = None, progress: Progress = silent) -> pd.DataFrame:
        """Give the path of every unit on an indicator to the end of the year that targets are due for.

        Computed once for each data version and kept in the home; see `has_path`.
        """
        about = self._advisor.snapshot(dataset).about
        kept = self._kept_path(indicator, about)
        if kept.is_file():
            return pd.read_parquet(kept)
        ahead = self._advisor.periods_to_year_end(about.dataset)
        frame = self.forecast(ahead, indicators=[indicator], dataset=about.dataset, progress=progress)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_table(frame, kept)
        return frame

    def has_path(self, indicator: str, *, dataset: str | None = None) -> bool:
        """Tell whether `path` has its answer at hand."""
        return self._kept_path(indicator, self._advisor.snapshot(dataset).about).is_file()

    def _kept_path(self, indicator: str, about: DataVersion) -> Path:
        name = hashlib.sha256(f"{about.fingerprint}/{about.version}/{indicator}".encode()).hexdigest()[:32]
        return self._advisor.settings.home / "paths" / f"{name}.parquet"

    def forecast(
        self,
        horizon: int,
        *,
        as_of: str | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        indicators: Sequence[str] | None = None,
        dataset: str | None = None,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Forecast period by period, for every unit and every total; see `training.forecast`.

        Returns
        -------
        pd.DataFrame
            `unit, indicator, period`, then the quantiles.
        """
        from training.forecast import forecast_path

        snapshot = self._advisor.snapshot(dataset)
        origin = self._advisor.origin(snapshot, as_of)
        return forecast_path(
            snapshot,
            horizon=horizon,
            origin=origin,
            latest=as_of is None,
            quantiles=quantiles,
            indicators=indicators,
            progress=progress,
        )
