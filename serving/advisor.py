"""The use cases: what HR, risk, managers and data scientists ask for. Knows no HTTP and no terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.dataset import Dataset, open_dataset
from features.errors import LoadlineError
from features.rollup import parent_notes
from features.store import DataVersion, Snapshot, Store
from serving.appeals.appeals import Appeals
from serving.audit.trail import FOLDER, Audit
from serving.database.connection import Database
from serving.explaining import Explaining
from serving.identity.identity import Identity
from serving.modelling import Modelling
from serving.monitoring import Monitoring
from serving.observing import Observing
from serving.one_version import held, hold
from serving.plan_documents.documents import PlanDocuments
from serving.planning import Planning
from serving.plans.plans import Plans
from serving.policies import Policies
from serving.reviewing import Reviewing
from serving.scoring import Scoring
from serving.settings import Settings
from serving.simulating import Simulating
from serving.simulations import Simulations
from serving.suggesting import Suggesting
from serving.tables import write_table
from serving.training import SEED, TrainingRuns
from serving.watching import Watching
from serving.webhooks.subscriptions import Webhooks
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.training_report import TrainingReport

BOOKS = (".xlsx", ".xlsm")


def utc_now() -> datetime:
    """Give the time, with its zone."""
    return datetime.now(UTC)


class Advisor:
    """Answers from a home: its store of data versions and its models.

    Parameters
    ----------
    settings : Settings
    clock : callable
        Gives the time, with its zone.

    Attributes
    ----------
    database : Database
        Holds people, plans, appeals and the audit; opened when it is first used.
    audit : Audit
        Notes who did or saw what.
    appeals : Appeals
        The use cases of appeals against scores and targets.
    identity : Identity
        The use cases about people, keys and sessions.
    observing : Observing
        The use cases of looking figures up and handing them in.
    planning : Planning
        The use cases of setting targets and of following them through the year.
    plans : Plans
        The use cases of target plans: drafting, changing, approving and publishing them.
    plan_documents : PlanDocuments
        The use cases of books and letters of plans.
    suggesting : Suggesting
        The use cases of looking at suggested targets.
    policies : Policies
        The use cases of rules that change over time.
    scoring : Scoring
        The use cases of scoring periods and of closing them.
    simulating : Simulating
        The use cases of trying other rules on past periods.
    simulations : Simulations
        The use cases of such trials as background work.
    explaining : Explaining
        The use cases of telling how a score comes about.
    watching : Watching
        The use cases of warning of good results that come with rising risk.
    reviewing : Reviewing
        The use cases of reviewing alerts.
    training : TrainingRuns
        The use cases of training as a background job.
    modelling : Modelling
        The use cases of models on record: promoting them and going back.
    monitoring : Monitoring
        The use cases of watching models and of proposals to train again.
    webhooks : Webhooks
        The use cases of telling other systems what happens.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.store = Store(settings.store_location)
        self.database = Database.of(settings)
        self._clock = clock
        self.audit = Audit(self.database, settings.home / FOLDER, clock=clock)
        self.appeals = Appeals(self)
        self.identity = Identity(self.database, settings, clock=self.now, trail=self.audit)
        self.observing = Observing(self)
        self.planning = Planning(self)
        self.plans = Plans(self)
        self.plan_documents = PlanDocuments(self)
        self.suggesting = Suggesting(self)
        self.policies = Policies(self)
        self.scoring = Scoring(self)
        self.simulating = Simulating(self)
        self.simulations = Simulations(self)
        self.explaining = Explaining(self)
        self.watching = Watching(self)
        self.reviewing = Reviewing(self)
        self.training = TrainingRuns(self)
        self.modelling = Modelling(self)
        self.monitoring = Monitoring(self)
        self.webhooks = Webhooks(self)

    def now(self) -> datetime:
        """Give the time, with its zone."""
        return self._clock()

    def snapshot(self, dataset: str | None = None) -> Snapshot:
        """Open the last data version, or the last one of a dataset; within a request always the same."""
        found = held((id(self), "snapshot", dataset), lambda: self.store.snapshot(dataset=dataset))
        hold((id(self), "snapshot", found.about.dataset), found)
        return found

    def snapshots(self) -> pd.DataFrame:
        """List the data versions, the oldest first."""
        columns = [name for name in DataVersion.__annotations__ if name != "batch"]
        return pd.DataFrame([version.__dict__ for version in self.store.versions()], columns=columns)

    def ingest(self, source: Path | str, *, layout: Path | None = None) -> tuple[DataVersion, tuple[str, ...]]:
        """Check a dataset and store it as a new data version.

        Parameters
        ----------
        source : Path or str
            A dataset folder; or an Excel book, a folder of Parquet files or a database URL, described by `layout`.
        layout : Path, optional
            A YAML file that says which table or sheet holds what.

        Returns
        -------
        version : DataVersion
        notes : tuple of str
            What a careful reader should know.
        """
        if layout is not None or "://" in str(source) or Path(source).suffix.lower() in BOOKS:
            return self._ingest_staged(source, layout)
        return self._ingest_folder(Path(source))

    def _ingest_folder(self, folder: Path) -> tuple[DataVersion, tuple[str, ...]]:
        dataset = open_dataset(folder, stored=self.store.stored_indicators)
        return self._stored(dataset)

    def _stored(self, dataset: Dataset) -> tuple[DataVersion, tuple[str, ...]]:
        cautions = self._checked_policy(dataset)
        version = self.store.ingest(dataset, now=self._clock())
        self.audit.kept("ingest", by="", subject=f"data version {version.version}", dataset=version.dataset)
        return version, (*dataset.notes, *cautions, *parent_notes(self.store.snapshot(version.version)))

    @staticmethod
    def _checked_policy(dataset: Dataset) -> tuple[str, ...]:
        if dataset.policy is None:
            return ()
        from training.policies import check_own_policy

        return check_own_policy(dataset)

    def _ingest_staged(self, source: Path | str, layout: Path | None) -> tuple[DataVersion, tuple[str, ...]]:
        import tempfile

        from features.connectors import open_source
        from features.source_spec import read_spec

        spec = None if layout is None else read_spec(layout)
        with tempfile.TemporaryDirectory(prefix="loadline-") as folder:
            return self._stored(
                open_source(source, spec, Path(folder) / "dataset", stored=self.store.stored_indicators)
            )

    def origin(self, snapshot: Snapshot, as_of: str | None) -> int:
        """Read a period, or take the last one with figures; a bare year stands for its last period.

        Raises
        ------
        LoadlineError
            Where it is no period, or lies outside the data.
        """
        first, last = snapshot.span
        calendar = snapshot.description.calendar
        if as_of is None:
            return last
        text = as_of.strip()
        year_alone = len(text) == 4 and text.isdigit()
        ordinal = calendar.last_of_year(int(text)) if year_alone else calendar.parse(text)
        if not first <= ordinal <= last:
            raise LoadlineError(
                f"there are no figures as of {as_of}",
                where="--as-of",
                hint=f"The data runs from {calendar.format(first)} to {calendar.format(last)}.",
            )
        return ordinal

    def default_year(self, dataset: str | None = None) -> int:
        """Give the year that targets are due for: the one after the last that is complete."""
        snapshot = self.snapshot(dataset)
        return int(snapshot.description.calendar.year(snapshot.span[1] + 1))

    def periods_to_year_end(self, dataset: str | None = None) -> int:
        """Count the periods from the last with figures to the end of the year that targets are due for."""
        snapshot = self.snapshot(dataset)
        calendar, last = snapshot.description.calendar, snapshot.span[1]
        return calendar.last_of_year(int(calendar.year(last + 1))) - last

    def train(
        self,
        *,
        as_of: str | None = None,
        dataset: str | None = None,
        cluster: str = "",
        seed: int = SEED,
        trials: int | None = None,
        by: str = "loadline train",
        progress: Progress = silent,
    ) -> TrainingReport:
        """Ask for training, do it here, and tell what came of it; see `serving.training`."""
        from serving.training_report import TrainingReport

        run, _ = self.training.request(by=by, dataset=dataset, as_of=as_of, cluster=cluster, seed=seed, trials=trials)
        self.training.work(run, progress=progress)
        return TrainingReport.of(run)

    def backtest(
        self,
        out: Path,
        *,
        origins: int = 4,
        as_of: str | None = None,
        dataset: str | None = None,
        seed: int = 20240101,
        workers: int = 1,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Replay past years and write metrics and an HTML report; give the summary by indicator and model.

        `workers` is the number of processes; they start afresh, so a script that asks for several needs a main guard.
        """
        from training.backtest import run_backtest
        from training.report import write_report

        snapshot = self.snapshot(dataset)
        result = run_backtest(
            snapshot,
            origin=self.origin(snapshot, as_of),
            origins=origins,
            seed=seed,
            workers=workers,
            progress=progress,
        )
        out.mkdir(parents=True, exist_ok=True)
        for name, table in result.tables().items():
            write_table(table, out / name)
        write_report(result, snapshot, out / "report.html")
        return result.summary()

    @staticmethod
    def write(frame: pd.DataFrame, path: Path) -> None:
        """Write a table in the format that its suffix names."""
        write_table(frame, path)
