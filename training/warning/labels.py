"""Labels: which unit deteriorated after which period, from when on that was known, and what belongs to one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from features.indicators import Title
from features.panel import Panel
from features.store import Snapshot
from training.warning.deterioration_ahead import Window, derived, label_codes, yardstick
from training.warning.given_outcomes import stated

Source = Literal["given", "derived", "none"]

NEVER = np.iinfo(np.int64).max
"""Stands for the period from which on something unknown is known."""

_NONE = Title(
    en="No outcomes are given and no indicator of risk is at hand to derive them from: no probability is learned.",
    zh="数据未提供风险结果，也没有可用于推导的风险指标，因此不学习概率。",
)


@dataclass(frozen=True)
class Labels:
    """What is known on a day of who deteriorated.

    Attributes
    ----------
    y : np.ndarray
        (P, U) float32: 1 where the unit deteriorated after the period, 0 where not, NaN where that is unknown (yet).
    known_from : np.ndarray
        (P, U) ordinals of the first period at whose end the label was known; `NEVER` where it is unknown.
    first : int
        Ordinal of the first row.
    horizon : tuple of int
        The first and the last period ahead that the label is about.
    per_year : int
        Periods of a year.
    source : {"given", "derived", "none"}
    dated : bool
        Whether it is on record when the labels became known; derived ones are as old as their figures.
    note : Title
        What the label means, in a sentence.
    """

    y: np.ndarray
    known_from: np.ndarray
    first: int
    horizon: tuple[int, int]
    per_year: int
    source: Source
    dated: bool
    note: Title

    @property
    def positives(self) -> int:
        """Count the unit-periods after which a unit deteriorated."""
        return int((self.y == 1).sum())

    @property
    def known(self) -> np.ndarray:
        """Tell where the label is known: (P, U) booleans."""
        return np.isfinite(self.y)

    @cached_property
    def event(self) -> np.ndarray:
        """Number the events: (P, U), -1 where there is none; the positives of a unit that follow one another are one.

        A gap of unknown labels of up to a year does not end an event: the time of trouble itself is often left out.
        """
        positive = self.y == 1
        event = np.full(self.y.shape, -1, dtype=np.int64)
        current = np.full(self.y.shape[1], -1, dtype=np.int64)
        silent = np.zeros(self.y.shape[1], dtype=np.int64)
        count = 0
        for row, at in enumerate(positive):
            silent = np.where(np.isnan(self.y[row]), silent + 1, 0)
            current[(self.y[row] == 0) | (silent > self.per_year)] = -1
            starts = np.flatnonzero(at & (current < 0))
            current[starts] = count + np.arange(len(starts))
            count += len(starts)
            event[row, at] = current[at]
        return event

    @property
    def events(self) -> int:
        """Count the events."""
        return int(self.event.max(initial=-1)) + 1

    @cached_property
    def wave(self) -> np.ndarray:
        """Number what must stay together when folds are cut: (P, U), -1 where there is no event.

        Events of any units that begin in the same year are one wave: one shock hits many at once, and a fold that
        knows of it from one unit knows of it for the others.
        """
        event, start = self.event, self.starts
        block = (start + self.first) // self.per_year
        return np.where(event >= 0, block[np.maximum(event, 0)] if len(block) else -1, -1)

    @cached_property
    def starts(self) -> np.ndarray:
        """Give the row in which each event begins: (events,)."""
        rows, units = np.nonzero(self.event >= 0)
        starts = np.full(self.events, len(self.y), dtype=np.int64)
        np.minimum.at(starts, self.event[rows, units], rows)
        return starts

    def known_at(self, ordinal: int) -> Labels:
        """Forget what was not yet known at the end of a period."""
        late = self.known_from > ordinal
        return replace(
            self, y=np.where(late, np.nan, self.y).astype(np.float32), known_from=np.where(late, NEVER, self.known_from)
        )


def labels(
    snapshot: Snapshot,
    panel: Panel,
    *,
    known_by: date = date.max,
    delays: Mapping[str, int] | None = None,
    reviewed: pd.DataFrame | None = None,
) -> Labels:
    """Give the labels as they were known on a day: as given in the dataset, else derived from the figures.

    Parameters
    ----------
    snapshot : Snapshot
        Its outcomes are used where it has any.
    panel : Panel
        Its rows and units are those of the labels. Derived labels are computed from its figures, which must be as
        known on the day.
    known_by : date
        Nothing that became known later is used; by default all is.
    delays : Mapping[str, int], optional
        By indicator: after how many periods its figures are usually known; by default as its definition says.
    reviewed : pd.DataFrame, optional
        What reviewers found: `unit`, `period`, `value` (0 or 1), `known_on`; overrules the rest.
    """
    if len(snapshot.outcomes):
        found = _given(snapshot, panel, known_by)
    elif (stick := yardstick(panel)) is not None:
        end = panel.last if known_by == date.max else panel.calendar.last_complete(known_by)
        window = Window.of(panel.calendar.per_year)
        usual = delays or {}
        lag = max(usual.get(code, panel.indicator(code).publication_lag) for code in label_codes(panel, stick))
        y = derived(panel, stick)
        matured = panel.ordinals[:, None] + window.last + lag
        known = np.isfinite(y) & ((matured <= end) | (known_by == date.max))
        found = Labels(
            np.where(known, y, np.nan).astype(np.float32),
            np.where(known, matured, NEVER),
            panel.first,
            (window.first, window.last),
            panel.calendar.per_year,
            "derived",
            True,
            stick.note(panel),
        )
    else:
        found = _nothing(panel)
    return found if reviewed is None or not len(reviewed) else _overruled(found, reviewed, panel, known_by)


def _given(snapshot: Snapshot, panel: Panel, known_by: date) -> Labels:
    outcomes = snapshot.outcomes
    y, known_from, horizon, dated = stated(outcomes, panel, known_by=known_by)
    names = ", ".join(dict.fromkeys(outcomes["outcome"].astype(str)))
    note = Title(
        en=f"Deterioration is what the dataset's outcomes say: {names}.",
        zh=f"风险恶化以数据集给出的结果为准：{names}。",
    )
    if not dated:
        note = Title(
            en=f"{note.en} Where it is not stated when they became known, {horizon} periods are allowed for.",
            zh=f"{note.zh}未注明知悉日期的，按 {horizon} 期后知悉处理。",
        )
    return Labels(
        y,
        np.where(np.isfinite(y), known_from, NEVER),
        panel.first,
        (1, horizon),
        panel.calendar.per_year,
        "given",
        dated,
        note,
    )


def _nothing(panel: Panel) -> Labels:
    shape = (len(panel.ordinals), len(panel.tree))
    window = Window.of(panel.calendar.per_year)
    return Labels(
        np.full(shape, np.nan, dtype=np.float32),
        np.full(shape, NEVER),
        panel.first,
        (window.first, window.last),
        panel.calendar.per_year,
        "none",
        True,
        _NONE,
    )


def _overruled(found: Labels, reviewed: pd.DataFrame, panel: Panel, known_by: date) -> Labels:
    """Let what reviewers found stand above what was given or derived."""
    opinions = reviewed.assign(outcome="reviewed", known_on=reviewed["known_on"].astype(str).str[:10])
    y, known_from, _, _ = stated(opinions, panel, known_by=known_by)
    said = np.isfinite(y)
    if not said.any():
        return found
    note = Title(
        en=f"{found.note.en} Decisions of reviewers stand above it.",
        zh=f"{found.note.zh}复核结论优先。",
    )
    return replace(
        found,
        y=np.where(said, y, found.y).astype(np.float32),
        known_from=np.where(said, known_from, found.known_from),
        note=note,
    )
