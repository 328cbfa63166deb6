"""The use cases of reviewing alerts: the queue, decisions, the evidence pack, and what the reviews teach."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.watching import Watching
    from training.review.acts import Desk
    from training.review.case import Case
    from training.review.entry import Entry
    from training.review.facts import AlertFacts
    from training.review.recall import RecallEstimate
    from training.review.record import Record
    from training.review.sampling import Draw
    from training.warning.watch import Watch

SEED = 20240101
"""Of the draws from below the line; the period is part of it, so that no period repeats another."""
HISTORY = ("entry", "at", "by", "action", "alert", "words", "undone")
FROM_TABLE = ("p_value", "q_value")
"""What alerts are shown with, and the table of units has."""


class Reviewing:
    """What reviewers ask for.

    Parameters
    ----------
    advisor : Advisor
        Whose home keeps the record.
    watching : Watching, optional
        The advisor's by default.
    """

    def __init__(self, advisor: Advisor, watching: Watching | None = None) -> None:
        self._advisor = advisor
        self._given = watching

    def queue(self, *, every: bool = False, dataset: str | None = None, progress: Progress = silent) -> pd.DataFrame:
        """List what is to be reviewed, the most pressing first, and put on record what is shown.

        Parameters
        ----------
        every : bool
            Also what is decided or superseded.

        Returns
        -------
        pd.DataFrame
            See `training.review.queue.queue`.
        """
        from training.review.queue import queue
        from training.review.record import read_record

        desk = self._desk(dataset)
        watched = self._watching.watch(dataset=desk.dataset, progress=progress)
        self._refresh(desk, watched)
        return queue(_on_the_list(watched), read_record(desk.home, desk.dataset), self._today(), every=every)

    def case(self, alert: str, *, dataset: str | None = None) -> Case:
        """Give all that is on record about an alert.

        Raises
        ------
        LoadlineError
            Where no alert has that key.
        """
        desk = self._known(alert, dataset)
        return self.record(dataset=desk.dataset).cases[alert]

    def record(self, *, dataset: str | None = None) -> Record:
        """Give the whole record."""
        from training.review.record import read_record

        desk = self._desk(dataset)
        return read_record(desk.home, desk.dataset)

    def decide(
        self,
        alert: str,
        decision: str,
        *,
        by: str,
        reason: str = "",
        expected: int | None = None,
        dataset: str | None = None,
    ) -> Entry:
        """Confirm, dismiss or keep watching an alert; see `training.review.acts.decide`."""
        from training.review.acts import decide

        desk = self._known(alert, dataset)
        return self._noted(decide(desk, alert, decision, by=by, reason=reason, expected=expected), desk)

    def assign(
        self,
        alert: str,
        *,
        to: str,
        by: str,
        due: date | None = None,
        text: str = "",
        expected: int | None = None,
        dataset: str | None = None,
    ) -> Entry:
        """Give an alert to a person; see `training.review.acts.assign`."""
        from training.review.acts import assign

        desk = self._known(alert, dataset)
        return self._noted(assign(desk, alert, to=to, by=by, due=due, text=text, expected=expected), desk)

    def note(self, alert: str, *, text: str, by: str, expected: int | None = None, dataset: str | None = None) -> Entry:
        """Write a note on an alert."""
        from training.review.acts import note

        desk = self._known(alert, dataset)
        return self._noted(note(desk, alert, text=text, by=by, expected=expected), desk)

    def link(self, alert: str, *, case: str, by: str, expected: int | None = None, dataset: str | None = None) -> Entry:
        """Link an alert to a case elsewhere; see `training.review.acts.link`."""
        from training.review.acts import link

        desk = self._known(alert, dataset)
        return self._noted(link(desk, alert, case=case, by=by, expected=expected), desk)

    def release(
        self, alert: str, *, by: str, reason: str = "", expected: int | None = None, dataset: str | None = None
    ) -> Entry:
        """Let the unit's managers see a confirmed alert; see `training.review.acts.release`."""
        from training.review.acts import release

        desk = self._known(alert, dataset)
        return self._noted(release(desk, alert, by=by, reason=reason, expected=expected), desk)

    def undo(
        self,
        alert: str,
        *,
        by: str,
        reason: str,
        entry: int | None = None,
        expected: int | None = None,
        dataset: str | None = None,
    ) -> Entry:
        """Take an entry back; see `training.review.acts.undo`."""
        from training.review.acts import undo

        desk = self._known(alert, dataset)
        return self._noted(undo(desk, alert, by=by, reason=reason, entry=entry, expected=expected), desk)

    def _noted(self, entry: Entry, desk: Desk) -> Entry:
        """Have an entry known to the audit as well; its words stay in the record."""
        self._advisor.audit.kept(f"alert.{entry.action}", by=entry.by, subject=entry.alert, dataset=desk.dataset)
        return entry

    def pack(self, alert: str, out: Path, *, dataset: str | None = None) -> AlertFacts:
        """Write the evidence pack of an alert as `.xlsx` or `.html`; give what it tells."""
        from training.review.pack import write_pack

        desk = self._known(alert, dataset)
        facts = self._watching.facts(alert, dataset=desk.dataset)
        case = self.record(dataset=desk.dataset).cases[alert]
        write_pack(facts, case, out, at=self._advisor.now().astimezone(UTC))
        return facts

    def recall(self, *, dataset: str | None = None) -> RecallEstimate:
        """Estimate how much of what a reviewer would confirm was on the list."""
        from training.review.recall import estimated_recall

        return estimated_recall(self.record(dataset=dataset))

    def reviewers(self, *, dataset: str | None = None) -> pd.DataFrame:
        """Tell how each reviewer has done; see `training.review.labels.reviewers`."""
        from training.review.labels import reviewers

        outcomes = self._advisor.snapshot(dataset).outcomes
        return reviewers(self.record(dataset=dataset), outcomes if len(outcomes) else None)

    def history(self, alert: str | None = None, *, dataset: str | None = None) -> pd.DataFrame:
        """List every entry on record, or those on one alert, oldest first.

        Returns
        -------
        pd.DataFrame
            `entry, at, by, action, alert, words, undone`.
        """
        from training.review.acts import case_of
        from training.review.pack_words import told, told_shown

        record = self.record(dataset=dataset)
        cases = record.cases.values() if alert is None else [case_of(record, alert)]
        rows = []
        for case in cases:
            for showing in case.showings:
                words = told_shown(showing.number, showing.at, showing.shown)[-1]
                rows.append((showing.number, showing.at.isoformat(), "", "raised", case.alert, words, False))
            for entry in case.entries:
                undone = entry.number in case.undone
                words = told(entry)[-1]
                rows.append((entry.number, entry.at.isoformat(), entry.by, entry.action, case.alert, words, undone))
        return pd.DataFrame(sorted(rows, key=lambda row: row[0]), columns=list(HISTORY))

    @property
    def _watching(self) -> Watching:
        return self._given or self._advisor.watching

    def _today(self) -> date:
        return self._advisor.now().astimezone(UTC).date()

    def _desk(self, dataset: str | None) -> Desk:
        from training.review.acts import Desk

        name = self._advisor.snapshot(dataset).about.dataset
        return Desk(self._advisor.settings.home, name, self._advisor.now)

    def _known(self, alert: str, dataset: str | None) -> Desk:
        """Make sure that an alert is on record; one that was over before it was ever shown is put there now."""
        from training.review.acts import unknown_alert
        from training.review.raising import record_raised
        from training.review.record import read_record

        desk = self._desk(dataset)
        cases = read_record(desk.home, desk.dataset).cases
        if alert in cases:
            return desk
        known = list(cases)
        for period in self._periods_to_search(alert, desk.dataset):
            watched = self._watching.watch(last=period, dataset=desk.dataset)
            every = _on_the_list(watched)
            found = every[every["alert"] == alert]
            if len(found):
                record_raised(desk.home, desk.dataset, found, watched.about, desk.clock)
                return desk
            known += every["alert"].tolist()
        raise unknown_alert(alert, dict.fromkeys(known))

    def _periods_to_search(self, alert: str, dataset: str) -> tuple[str | None, ...]:
        """Give the newest period (None), and the one that a key names where it could be an alert's: to look costs."""
        snapshot = self._advisor.snapshot(dataset)
        calendar, (first, last) = snapshot.description.calendar, snapshot.span
        unit, _, raised = alert.rpartition("@")
        try:
            period = calendar.parse(raised)
        except LoadlineError:
            return (None,)
        known = unit in snapshot.tree.codes and first <= period < last
        return (None, calendar.format(period)) if known else (None,)

    def _refresh(self, desk: Desk, watched: Watch) -> None:
        """Put on record what is shown: what is open, and how that stands which was shown before."""
        from training.review.raising import record_raised
        from training.review.record import read_record

        record = read_record(desk.home, desk.dataset)
        every = _on_the_list(watched)
        shown = every[every["open"].astype(bool) | every["alert"].isin(list(record.cases))]
        draw = self._draw(desk.dataset, watched, every, record)
        record_raised(desk.home, desk.dataset, shown, watched.about, desk.clock, draw=draw)

    def _draw(self, dataset: str, watched: Watch, alerts: pd.DataFrame, record: Record) -> Draw | None:
        from training.review.sampling import draw_below

        period = str(watched.about["as_of"])
        if any(past.period == period for past in record.draws):
            return None
        snapshot = self._advisor.snapshot(dataset)
        leaves = snapshot.tree.leaves(snapshot.description.calendar.parse(period))
        units = [str(code) for code in snapshot.tree.codes[leaves]]
        draw = draw_below(watched.table, alerts, period=period, seed=SEED, units=units)
        return draw if len(draw.rows) else None


def _on_the_list(watched: Watch) -> pd.DataFrame:
    """Give the alerts that were on the list; the open ones with the p-values of the last period."""
    alerts = watched.alerts
    alerts = alerts[~alerts["sampled"].astype(bool)]
    newest = watched.table[watched.table["period"] == watched.about["as_of"]].drop_duplicates("unit").set_index("unit")
    figures = {name: alerts["unit"].map(newest[name]).where(alerts["open"].astype(bool)) for name in FROM_TABLE}
    return alerts.assign(**figures)
