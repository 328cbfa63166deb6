"""Watching a network: what was found period by period, ranked into one list and gathered into alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from features.indicators import Title
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from models.detectors.catalogue import DETECTORS
from models.detectors.detector import Family
from models.triage.discovery import FALSE_DISCOVERY_LEVEL, REVIEW_BUDGET
from models.triage.episodes import Episodes, gather_episodes, rulings_of
from models.triage.evidence import weigh_evidence
from models.triage.ranking import Ranking, rank
from models.triage.severity import patterns_at, recently_met, severities
from training.progress import Progress, silent
from training.review.labels import reviewed_labels
from training.warning.answering import Answer, hindsight_probability, replayed_probability
from training.warning.champion import answering, sound_champion
from training.warning.fitting import Fitted
from training.warning.gathering import gathered
from training.warning.labels import Labels
from training.warning.looking import Looked
from training.warning.material import Material
from training.warning.track_record import track_record
from training.warning.watch_tables import alert_table, unit_table

BY_CODE = {detector.code: detector for detector in DETECTORS}
FAMILIES: dict[str, Family] = {code: detector.family for code, detector in BY_CODE.items()}
PERFORMANCE_MONTHS = 6
"""High performance counts for as long after it was seen: the risk that it bought shows later."""
HARM_MONTHS = (0, 18)
"""Months from a listing to visible harm: the longest lag of the patterns that are not about staff or sales."""
FITTED = "fitted-on-request"
SEED = 20240101
PROMISED = ("unit", "period", "probability", "score", "severity", "detectors", "title")
"""Columns of the table that others read."""


@dataclass(frozen=True)
class Asked:
    """What is to be watched.

    Attributes
    ----------
    first, last : int
        Periods (ordinals), both inclusive.
    hindsight : bool
        False to answer each period by what was known at its end; True to use every outcome known by now, each row
        without those of its own event. Figures are as known at the time either way.
    known_by : date, optional
        With hindsight: no outcome is used that became known after this day.
    budget : float
        Part of the units that can be reviewed in a period.
    policy_version : str
        Of the policy that the budget is from.
    seed : int
    """

    first: int
    last: int
    hindsight: bool = False
    known_by: date = date.max
    budget: float = REVIEW_BUDGET
    policy_version: str = ""
    seed: int = SEED


@dataclass(frozen=True, eq=False)
class Watch:
    """What watching came to.

    Attributes
    ----------
    asked : Asked
    looked : Looked
        What was found, from the first period with figures on: arrays of P periods x U units.
    material : Material
        What the models learned and answered from.
    answer : Answer
        The probabilities, and the models that gave them.
    ranking : Ranking
    episodes : Episodes
    severity : np.ndarray
        (P, U) positions in `models.triage.severity.SEVERITIES`.
    recent : Mapping[str, np.ndarray]
        By detector: where its pattern was met lately.
    about : Mapping[str, Any]
        `dataset, data_version, fingerprint, model_version, policy_version, as_of, known_on, level, budget, labels`.
    """

    asked: Asked
    looked: Looked
    material: Material
    answer: Answer
    ranking: Ranking
    episodes: Episodes
    severity: np.ndarray
    recent: Mapping[str, np.ndarray]
    about: Mapping[str, Any]

    @property
    def snapshot(self) -> Snapshot:
        """Give the data version."""
        return self.material.snapshot

    @property
    def leaves(self) -> np.ndarray:
        """Tell which units exist and have none below them: (P, U) booleans."""
        return self.material.leaves

    def row(self, period: int) -> int:
        """Give the row of a period (ordinal)."""
        return period - self.looked.first

    def patterns(self, rows: np.ndarray, units: np.ndarray) -> list[tuple[str, ...]]:
        """Name the patterns met lately in some unit-periods, the strongest first."""
        return patterns_at(self.looked.findings, self.recent, rows, units, families=FAMILIES)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Give a row for every unit and period asked about: `unit, period, probability, score, ...`."""
        return unit_table(self)

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """Give a row an alert that was on the list in the periods asked about, the newest first."""
        return alert_table(self)

    @cached_property
    def labels(self) -> Labels:
        """Give the outcomes as known at the end of the last period."""
        return self.material.labels_at(self.asked.last)

    @cached_property
    def track_record(self) -> pd.DataFrame:
        """Tell how each detector, and the list as a whole, has done on this data, by outcomes known by the last day."""
        fired = {code: finding.met for code, finding in self.looked.findings.items()}
        lags = {code: BY_CODE[code].lag for code in fired}
        return track_record(fired, self.labels, leaves=self.leaves, lags=lags)

    @cached_property
    def list_record(self) -> Title | None:
        """Say what earlier listings were followed by, as far as outcomes are known; None where none are."""
        found = track_record(
            {"list": self.episodes.listed}, self.labels, leaves=self.leaves, lags={"list": HARM_MONTHS}
        )
        row = found.iloc[0]
        if not row["matured"]:
            return None
        return Title(
            en=(
                f"Of {row['matured']:,} earlier listings whose outcome is known, {row['hits']:,} "
                f"{'was' if row['hits'] == 1 else 'were'} followed by deterioration: "
                f"{row['precision']:.0%} ({row['low']:.0%} to {row['high']:.0%}), against "
                f"{row['base_rate']:.0%} of all units."
            ),
            zh=(
                f"以往列入名单且结果已知的 {row['matured']:,} 例中，{row['hits']:,} 例随后恶化，"
                f"占 {row['precision']:.0%}（{row['low']:.0%} 至 {row['high']:.0%}），"
                f"全部单位为 {row['base_rate']:.0%}。"
            ),
        )

    @cached_property
    def notes(self) -> tuple[Title, ...]:
        """Say what a careful reader should know."""
        said = [self.answer.note]
        if self.list_record is not None:
            said.append(self.list_record)
        if self.looked.high.note is not None:
            said.append(self.looked.high.note)
        if self.asked.hindsight:
            said.append(HINDSIGHT)
        return tuple(said)

    @cached_property
    def summary(self) -> Title:
        """Say in a sentence how many are to be reviewed in the last period."""
        row = self.row(self.asked.last)
        count, looked_at = int(self.episodes.listed[row].sum()), int(self.leaves[row].sum())
        red = int((self.severity[row] == 2).sum())
        period = self.about["as_of"]
        if not count:
            return Title(
                en=f"{period}: nothing to review among {looked_at:,} units.",
                zh=f"{period}：{looked_at:,} 家单位中没有需要复核的情形。",
            )
        return Title(
            en=f"{period}: {count:,} of {looked_at:,} units to review, {red:,} of them red.",
            zh=f"{period}：{looked_at:,} 家单位中有 {count:,} 家需要复核，其中红色 {red:,} 家。",
        )

    def promised(self) -> pd.DataFrame:
        """Give the table in the columns that the command line promises."""
        return self.table[list(PROMISED)]

    def listed(self) -> pd.DataFrame:
        """Give the rows of the table that are on the list, the newest and most concerning first."""
        rows = self.table[self.table["listed"]]
        return rows.sort_values(["period", "severity", "score"], ascending=[False, False, False], ignore_index=True)


HINDSIGHT = Title(
    en=(
        "The outcomes do not say when each became known, so past periods are judged by all of them, each row without "
        "those of its own event. Ask for one period with --as-of for what would have been said at the time."
    ),
    zh=(
        "结果数据未注明知悉日期，历史各期使用全部结果判断，且每一期不使用其所属事件的结果。"
        "如需还原当时的判断，请用 --as-of 指定单一期间。"
    ),
)


def watch(
    snapshot: Snapshot,
    asked: Asked,
    *,
    home: Path,
    dispositions: pd.DataFrame | None = None,
    progress: Progress = silent,
) -> Watch:
    """Watch a network.

    Parameters
    ----------
    snapshot : Snapshot
    asked : Asked
    home : Path
        Where fitted models, the model in service and the record of reviews are kept.
    dispositions : pd.DataFrame, optional
        What reviewers decided: `alert, unit, period, decision`.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the periods are not those of the data.
    """
    looked, known = gathered(
        snapshot, asked.last, reviewed=reviewed_labels(home, snapshot.about.dataset), progress=progress
    )
    return ranked(looked, known, asked, home=home, dispositions=dispositions, progress=progress)


def ranked(
    looked: Looked,
    known: Material,
    asked: Asked,
    *,
    home: Path | None = None,
    dispositions: pd.DataFrame | None = None,
    model: ModelBundle | Literal["recorded"] | None = "recorded",
    progress: Progress = silent,
) -> Watch:
    """Answer, rank and gather into alerts what was found; see `watch`.

    `model` is the champion to ask: one at hand, none, or the one that the record of promotions names at this moment.
    """
    snapshot, begin = known.snapshot, known.first
    calendar = snapshot.description.calendar
    per_year = calendar.per_year
    labels = known.labels_at(asked.last)
    served: dict[int, str] = {}
    if isinstance(model, str):
        model = None if home is None else sound_champion(home, snapshot.about.dataset)
    answer = _answered(known, asked, home=home, model=model, served=served, progress=progress)
    evidence = weigh_evidence(
        looked.findings,
        candidates=known.leaves,
        per_year=per_year,
        performance=looked.high.best_p(looked.situation.periods(PERFORMANCE_MONTHS)),
        families=FAMILIES,
        novelty=None if looked.novelty is None else looked.novelty.p,
    )
    ranking = rank(
        evidence,
        candidates=known.leaves,
        per_year=per_year,
        prior=looked.prior,
        probability=answer.probability,
        labels=labels.source,
        budget=asked.budget,
    )
    periods = pd.Index([calendar.format(ordinal) for ordinal in range(begin, asked.last + 1)])
    rulings = (
        None if dispositions is None or dispositions.empty else rulings_of(dispositions, snapshot.tree.codes, periods)
    )
    episodes = gather_episodes(ranking.listed, ranking.score, per_year=per_year, rulings=rulings)
    recent = recently_met(looked.findings, per_year=per_year)
    severity = severities(
        recent,
        episodes.listed,
        families=FAMILIES,
        probability=answer.probability,
    )
    about = {
        "dataset": snapshot.about.dataset,
        "data_version": snapshot.about.version,
        "fingerprint": snapshot.about.fingerprint,
        "model_version": _model_version(answer, served),
        "policy_version": asked.policy_version,
        "as_of": calendar.format(asked.last),
        "known_on": calendar.end(asked.last).isoformat(),
        "level": FALSE_DISCOVERY_LEVEL,
        "budget": asked.budget,
        "labels": labels.source,
    }
    return Watch(asked, looked, known, answer, ranking, episodes, severity, recent, about)


def _served(known: Material, model: ModelBundle | None, served: dict[int, str]) -> Callable[[int], Fitted | None]:
    """Note by origin which model in service answered."""
    champion = answering(known, model)

    def give(origin: int) -> Fitted | None:
        found = champion(origin)
        if found is not None and model is not None:
            served[origin] = model.version
        return found

    return give


def _model_version(answer: Answer, served: Mapping[int, str]) -> str:
    """Name the model that answered the last period; "" where none did."""
    last = answer.last
    return served.get(last.origin, FITTED) if last is not None and last.answers else ""


def _answered(
    known: Material,
    asked: Asked,
    *,
    home: Path | None,
    model: ModelBundle | None,
    served: dict[int, str],
    progress: Progress,
) -> Answer:
    """Answer every period from the first: what is usual, and when an alert was raised, must not depend on `asked`."""
    progress("learning", 0, 1)
    first = known.first
    if asked.hindsight:
        answer = hindsight_probability(known, first, asked.last, day=asked.known_by, seed=asked.seed, home=home)
    else:
        serving = _served(known, model, served)
        answer = replayed_probability(known, first, asked.last, seed=asked.seed, home=home, serving=serving)
    progress("learning", 1, 1)
    return answer
