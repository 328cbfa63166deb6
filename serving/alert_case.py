"""Everything that is told of one unit in one period, gathered from a watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.indicators import Title
from models.alert_story.certainty import Certainty, certainty
from models.alert_story.doubts import Doubt, doubts_of, next_looks
from models.alert_story.figures import CHARTED, Figure, figure_of, is_business, peers_of, standing_out
from models.alert_story.patterns import PastRecord, Pattern, patterns_of
from models.alert_story.phrases import Text, say, text_of
from models.alert_story.story import Basis, Performance, Standing, alert_story, group_story
from models.detectors.measures import Measure
from models.scoring.phrases import sentences
from models.triage.severity import SEVERITIES, Severity
from serving.alert_measures import measures_told
from serving.alert_probability import Against, Apart, restated, taken_apart
from training.warning.watch import PERFORMANCE_MONTHS, Watch
from training.warning.watch_tables import DISTURBANCES, alert_keys, title_of


@dataclass(frozen=True)
class Moment:
    """How a unit stood in a period."""

    period: str
    score: float | None
    probability: float | None
    severity: Severity
    detectors: tuple[str, ...]
    listed: bool


@dataclass(frozen=True, eq=False)
class AlertCase:
    """One unit in one period.

    Attributes
    ----------
    watch : Watch
    unit : int
        Number of a unit that exists in the period.
    period : int
        Ordinal, among those watched.
    against : {"peers", "last_year"}
        What the probability is compared with.
    """

    watch: Watch
    unit: int
    period: int
    against: Against = "peers"

    @property
    def row(self) -> int:
        """Give the row of the period in the watch's arrays."""
        return self.watch.row(self.period)

    @property
    def code(self) -> str:
        """Give the unit's code."""
        return str(self.watch.snapshot.tree.codes[self.unit])

    @property
    def label(self) -> str:
        """Write the period."""
        return self.watch.snapshot.description.calendar.format(self.period)

    @property
    def name(self) -> Text:
        """Give the unit's name."""
        return self.name_of(self.unit)

    def name_of(self, unit: int) -> Text:
        """Give the name of a unit, its code where it has none."""
        about = self.watch.snapshot.tree.attributes.iloc[unit]
        english = str(about["name"]) or str(self.watch.snapshot.tree.codes[unit])
        return {"en": english, "zh": str(about["name_zh"]) or english}

    @property
    def is_leaf(self) -> bool:
        """Tell whether the unit has none below it; alerts are raised for such units alone."""
        return bool(self.watch.leaves[self.row, self.unit])

    @cached_property
    def below(self) -> tuple[int, ...]:
        """List the units without others below them that belong to the unit, those on the list first, by score."""
        inside = self.watch.snapshot.tree.subtree(self.code, self.period) & self.watch.leaves[self.row]
        listed, score = self.watch.episodes.listed[self.row], self.watch.ranking.score[self.row]
        units = np.flatnonzero(inside)
        return tuple(int(unit) for unit in units[np.lexsort((-score[units], ~listed[units]))])

    @property
    def listed_below(self) -> tuple[int, ...]:
        """List those of them that are on the list."""
        return tuple(unit for unit in self.below if self.watch.episodes.listed[self.row, unit])

    def known(self, array: np.ndarray, unit: int | None = None) -> float | None:
        """Give a figure of the unit in the period; of a unit with others below it the mean of theirs."""
        if unit is None and not self.is_leaf:
            values = array[self.row, list(self.below)]
            values = values[np.isfinite(values)]
            return float(values.mean()) if len(values) else None
        value = array[self.row, self.unit if unit is None else unit]
        return float(value) if np.isfinite(value) else None

    @property
    def key(self) -> str | None:
        """Give the key of the alert that the period belongs to."""
        number = int(self.watch.episodes.number[self.row, self.unit])
        return str(alert_keys(self.watch)[number]) if number >= 0 else None

    @property
    def severity(self) -> Severity:
        """Give the severity in the period."""
        return SEVERITIES[int(self.watch.severity[self.row, self.unit])]

    @cached_property
    def standing(self) -> Standing:
        """Tell whether the unit is on the list, and since when."""
        listed = bool(self.watch.episodes.listed[self.row, self.unit])
        title = title_of(self.watch, self.codes(self.row), listed=listed)
        number = int(self.watch.episodes.number[self.row, self.unit])
        since = None
        if number >= 0 and int(self.watch.episodes.first[number]) != self.row:
            since = self._written(int(self.watch.episodes.first[number]))
        given = self.watch.about["labels"] == "given" and self.known(self.watch.answer.probability) is not None
        return Standing(self.name, self.label, listed, self.severity, text_of(title), since, by_probability=given)

    def codes(self, row: int) -> tuple[str, ...]:
        """Name the patterns behind the unit in a row, the strongest first; none for units with others below."""
        if not self.watch.leaves[row, self.unit]:
            return ()
        return self.watch.patterns(np.array([row]), np.array([self.unit]))[0]

    @cached_property
    def performance(self) -> Performance:
        """Tell how well the unit performs."""
        high, situation = self.watch.looked.high, self.watch.looked.situation
        attainment, rank = self.known(high.attainment), self.known(high.rank)
        held = high.held(situation.periods(PERFORMANCE_MONTHS))
        at = (self.row, self.unit)
        known = attainment is not None and rank is not None
        return Performance(known and bool(high.met[at]), known and bool(held[at]), attainment, rank)

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """List the patterns met lately; where there is none, the nearest one."""
        records = {str(row["detector"]): PastRecord.of(row) for row in self.watch.track_record.to_dict("records")}
        found = patterns_of(
            self.watch.looked.findings, self.watch.recent, row=self.row, unit=self.unit, records=records
        )
        return tuple(pattern for pattern in found if pattern.met) or found[:1]

    @cached_property
    def measures(self) -> Mapping[Measure, tuple[str, ...]]:
        """Give the measures that are told, each with the patterns that rest on it."""
        return measures_told(self.watch.looked, self.patterns, self.apart.drivers, row=self.row, unit=self.unit)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Tell the figures behind the patterns, those of the strongest first."""
        situation = self.watch.looked.situation
        peers = peers_of(situation.panel.tree, self.unit)
        return tuple(figure_of(situation, measure, self.row, self.unit, peers=peers) for measure in self.measures)

    @cached_property
    def telling(self) -> tuple[Figure, ...]:
        """Choose the two figures that the text tells: of results and of risks what stands out.

        Those of the strongest pattern that was met go first; where none was, those that drive the probability.
        """
        lead = {pattern.detector.code for pattern in self.patterns[:1] if pattern.met}

        def rank(figure: Figure) -> tuple[bool, float]:
            codes = set(self.measures[figure.measure])
            return not (lead <= codes if lead else not codes), -standing_out(figure)

        order = sorted(self.figures, key=rank)
        sides = [is_business(figure.indicator) for figure in order]
        best = [sides.index(side) for side in (True, False) if side in sides]
        return tuple(order[place] for place in list(dict.fromkeys([*best, *range(len(order))]))[:2])

    @cached_property
    def apart(self) -> Apart:
        """Take the probability apart."""
        if not self.is_leaf:
            return Apart(None, None)
        return taken_apart(self.watch, self.unit, self.period, self.against)

    @cached_property
    def disturbed(self) -> tuple[tuple[str, Title], ...]:
        """List what happened in the unit that moves figures though it is not its doing."""
        found = self.watch.looked.disturbed
        return tuple((code, DISTURBANCES[code]) for code, where in found.items() if where[self.row, self.unit])

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """List what would make it a false alarm, and what is wanting."""
        codes = [figure.indicator.code for figure in self.figures]
        again = restated(self.watch.material, codes, self.unit, self.period)
        patterns = [pattern for pattern in self.patterns if pattern.met or self.standing.listed]
        return doubts_of(patterns, self.figures, disturbed=self.disturbed, restated=again)

    @cached_property
    def next_looks(self) -> tuple[Text, ...]:
        """Say what a reviewer could look at next."""
        return next_looks(self.patterns)

    @cached_property
    def certainty(self) -> Certainty:
        """Tell how sure it is."""
        watch, row = self.watch, self.row
        units = np.flatnonzero(watch.leaves[row])
        return certainty(
            int(np.searchsorted(units, self.unit)),
            score=np.nan_to_num(watch.ranking.score[row, units]),
            listed=watch.episodes.listed[row, units],
            p_value=watch.ranking.p_value[row, units],
            q_value=watch.ranking.q_value[row, units],
            level=float(watch.about["level"]),
            budget=float(watch.about["budget"]),
        )

    @cached_property
    def history(self) -> tuple[Moment, ...]:
        """Tell how the unit stood in the last periods, the latest last."""
        watch, unit = self.watch, self.unit
        first = max(0, self.row + 1 - CHARTED[watch.looked.situation.per_year])
        score, probability = watch.ranking.score[:, unit], watch.answer.probability[:, unit]
        return tuple(
            Moment(
                self._written(row),
                float(score[row]) if np.isfinite(score[row]) else None,
                float(probability[row]) if np.isfinite(probability[row]) else None,
                SEVERITIES[int(watch.severity[row, unit])],
                tuple(code for code in self.codes(row) if watch.recent[code][row, unit]),
                bool(watch.episodes.listed[row, unit]),
            )
            for row in range(first, self.row + 1)
            if watch.leaves[row, unit]
        )

    @cached_property
    def notes(self) -> tuple[Text, ...]:
        """Say what a careful reader should know."""
        said = list(self.apart.notes)
        if self.watch.looked.high.note is not None:
            said.append(text_of(self.watch.looked.high.note))
        if self.period != self.watch.asked.last:
            said.append(sentences([say("note.later", period=str(self.watch.about["as_of"]))]))
        if self.watch.about["labels"] == "derived" and self.apart.drivers is not None:
            said.append(sentences([say("note.labels.derived")]))
        return tuple(said)

    @property
    def basis(self) -> Basis:
        """Give what the answer rests on."""
        return Basis(int(self.watch.about["data_version"]), str(self.watch.about["known_on"]))

    @cached_property
    def text(self) -> Text:
        """Tell it as a whole."""
        if not self.is_leaf:
            names = [self.name_of(unit) for unit in self.listed_below]
            return group_story(self.name, self.label, units=len(self.below), listed=names, basis=self.basis)
        return alert_story(
            self.standing,
            performance=self.performance,
            patterns=self.patterns,
            figures=self.telling,
            probability=self.known(self.watch.answer.probability),
            drivers=self.apart.drivers,
            reference=self.apart.reference or {"en": "", "zh": ""},
            certainty=self.certainty,
            doubts=self.doubts,
            basis=self.basis,
        )

    def _written(self, row: int) -> str:
        return self.watch.snapshot.description.calendar.format(row + self.watch.looked.first)
