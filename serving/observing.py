"""The use cases of observations: figures as they were known on a day, and figures handed in as a new data version."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import Breach, DatasetError, LoadlineError
from features.store import DataVersion, Snapshot
from serving.errors import InvalidError

if TYPE_CHECKING:
    from serving.advisor import Advisor

FIRST_LINE = 2
"""Line of the first figure below the header of the file that figures are staged in."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A figure and the day on which it became known.

    Attributes
    ----------
    unit, indicator, period : str
        The period as the dataset writes it.
    value : float
    known_on : date or None
        None, in what is handed in, for the usual day: see `features.history.default_days`.
    restated : bool
        Whether it replaced another one; meaningless in what is handed in.
    """

    unit: str
    indicator: str
    period: str
    value: float
    known_on: date | None
    restated: bool = False


class Observing:
    """What those ask who look figures up, or hand them in.

    Parameters
    ----------
    advisor : Advisor
        Whose store is read and continued.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def known(
        self,
        snapshot: Snapshot,
        units: Sequence[str],
        indicators: Sequence[str],
        *,
        first: int,
        last: int,
        known_on: date | None = None,
    ) -> list[Observation]:
        """Give the figures as they were known: of each, the one that became known last until the day.

        Parameters
        ----------
        snapshot : Snapshot
        units, indicators : sequence of str
        first, last : int
            Periods (ordinals), both inclusive.
        known_on : date, optional
            Leave out what became known after this day.

        Returns
        -------
        list of Observation
            By unit, indicator and period.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        order = {version.batch: place for place, version in enumerate(snapshot.chain)}
        names = pa.array(list(units), pa.string())
        found: dict[tuple[str, str, int], tuple[date, int, float, int]] = {}
        for rows in snapshot.figures(indicators=list(indicators), known_by=known_on):
            mine = pc.is_in(rows.column("unit"), value_set=names)  # pyright: ignore[reportAttributeAccessIssue]
            for row in rows.filter(mine).to_pylist():
                if not first <= row["period"] <= last:
                    continue
                key = (row["unit"], row["indicator"], row["period"])
                before = found.get(key)
                rank = (row["known_on"], order[row["batch"]])
                count = 1 if before is None else before[3] + 1
                if before is None or rank >= before[:2]:
                    found[key] = (*rank, row["value"], count)
                else:
                    found[key] = (*before[:3], count)
        write = snapshot.description.calendar.format
        return [
            Observation(unit, indicator, write(period), value, day, restated=count > 1)
            for (unit, indicator, period), (day, _, value, count) in sorted(found.items())
        ]

    def _check_times(self, snapshot: Snapshot, figures: Sequence[Observation]) -> None:
        tomorrow = self._advisor.now().astimezone(UTC).date() + timedelta(days=1)  # it may be tomorrow elsewhere
        calendar, first = snapshot.description.calendar, snapshot.span[0]
        for number, row in enumerate(figures):
            if row.known_on is not None and row.known_on > tomorrow:
                what = f"rows.{number}: known_on {row.known_on.isoformat()} is still to come"
                raise InvalidError(what, hint="Give the day on which the figure became known.")
            try:
                before = calendar.parse(row.period) < first
            except LoadlineError:
                continue  # the contract says where it is wrong
            if before:
                what = f"rows.{number}: {row.period} is before all that is stored, which begins in"
                hint = "Where it is meant, store the whole dataset again: `loadline ingest`."
                raise InvalidError(f"{what} {calendar.format(first)}", hint=hint)

    def hand_in(self, figures: Sequence[Observation], *, dataset: str | None = None) -> tuple[DataVersion, list[str]]:
        """Store figures as a new data version of a dataset, all of them or none; units and indicators stay as they are.

        Returns
        -------
        version : DataVersion
        notes : list of str
            What a careful reader should know.

        Raises
        ------
        DatasetError
            With every figure that breaks the contract, `rows` and its number from 0 in place of a line.
        InvalidError
            Where a figure is said to become known in the future, or is of a time before all that is stored: a slip of
            the pen, which could not be taken back.
        LoadlineError
            Where another ingest finished meanwhile.
        """
        snapshot = self._advisor.snapshot(dataset)
        self._check_times(snapshot, figures)
        with tempfile.TemporaryDirectory(prefix="loadline-") as place:
            folder = Path(place) / "dataset"
            _stage(snapshot, folder, figures)
            try:
                version, notes = self._advisor.ingest(folder)
            except DatasetError as error:
                raise _told_by_row(error) from error
        return version, list(notes)


def _stage(snapshot: Snapshot, folder: Path, figures: Iterable[Observation]) -> None:
    """Write figures as a dataset folder that continues the last version; JSON is YAML."""
    folder.mkdir()
    texts = snapshot.texts
    (folder / "dataset.yaml").write_text(texts["description"], encoding="utf-8")
    indicators = json.dumps({"indicators": json.loads(texts["indicators"])}, ensure_ascii=False)
    (folder / "indicators.yaml").write_text(indicators, encoding="utf-8")
    units = json.loads(texts["units"])
    with open(folder / "units.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(units["columns"])
        writer.writerows([["" if cell is None else cell for cell in row] for row in units["data"]])
    with open(folder / "observations.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["unit", "period", "indicator", "value", "known_on"])
        for row in figures:
            day = "" if row.known_on is None else row.known_on.isoformat()
            writer.writerow([row.unit, row.period, row.indicator, repr(row.value), day])


def _told_by_row(error: DatasetError) -> LoadlineError:
    """Say of each breach which of the figures handed in it is."""
    told = [
        Breach("rows", b.line - FIRST_LINE, b.column, b.value, b.expected, b.hint)
        if b.file == "observations.csv" and b.line >= FIRST_LINE
        else b
        for b in error.breaches
    ]
    found = DatasetError(told, total=error.total)
    found.what = f"the figures break the contract in {error.total:,} places; nothing was stored"
    return found
