"""Features of many periods, each row as it could be computed at the end of its own period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.graph import Column, FeatureGraph
from features.inputs import INPUTS
from features.matrix import FeatureMatrix
from features.panel import Panel
from features.sets import catalogue
from features.vintages import Vintage


@dataclass
class _Watched(Mapping[str, np.ndarray]):
    """Frames without rows that note which of them were asked for."""

    codes: Sequence[str]
    units: int
    asked: set[str] = field(default_factory=set)

    def __getitem__(self, code: str) -> np.ndarray:
        self.asked.add(code)
        return np.empty((0, self.units))

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)


def column_sources(graph: FeatureGraph, panel: Panel, columns: Sequence[Column]) -> list[frozenset[str]]:
    """List, column by column, the indicators that it rests on, those that define a ratio included.

    Parameters
    ----------
    graph : FeatureGraph
    panel : Panel
    columns : sequence of Column
        As `graph.columns` gives them; a column of the panel as a whole rests on none.
    """
    watched = _Watched(panel.codes, len(panel.tree))
    bare = replace(panel, values=watched)
    found: dict[tuple[str, str], frozenset[str]] = {}

    def behind(name: str, code: str) -> frozenset[str]:
        if (name, code) not in found:
            watched.asked.clear()
            INPUTS[name].give(bare, code)
            found[name, code] = frozenset(watched.asked)
        return found[name, code]

    frames = {
        name: [
            each for each in INPUTS if INPUTS[each].frame and any(each in step.inputs for step in graph.needs([name]))
        ]
        for name in {column.feature.name for column in columns}
    }
    sources = []
    for column in columns:
        spec = column.indicator
        if spec is None:
            sources.append(frozenset())
            continue
        defining = {part for part in (spec.numerator, spec.denominator) if part is not None}
        sources.append(
            frozenset({spec.code} | defining).union(*(behind(n, spec.code) for n in frames[column.feature.name]))
        )
    return sources


@dataclass(frozen=True)
class _Portion:
    """The columns of one indicator (None: of the panel as a whole) and the rows of them that one vintage gives."""

    code: str | None
    places: np.ndarray
    features: tuple[str, ...]
    first: int


def known_matrix(
    vintages: Sequence[Vintage],
    *,
    indicators: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    threads: int = 2,
) -> FeatureMatrix:
    """Compute features of every unit and period as they were known at the end of the period.

    A column is moved down by the longest delay of the indicators that it rests on, and its rows are taken from the
    vintages that they fall in.

    Parameters
    ----------
    vintages : sequence of Vintage
        In order, without gaps.
    indicators, features : sequence of str, optional
        All by default; what an indicator is not meant for, or the panel cannot give, is left out.
    threads : int
        Indicators computed at a time. Memory is that of the result and of as many indicators.

    Returns
    -------
    FeatureMatrix
        Its rows are the first to the last period of the vintages.

    Raises
    ------
    LoadlineError
        Where there is no vintage, or a name is not known.
    """
    if not vintages:
        raise LoadlineError("there is no period to compute features of", hint="Give at least one vintage.")
    graph = catalogue()
    begin, length = vintages[0].first, vintages[-1].last - vintages[0].first + 1
    panel = vintages[-1].panel
    columns, omitted = graph.columns(panel, indicators, features)
    sources = column_sources(graph, panel, columns)
    cube = np.full((len(columns), length, len(panel.tree)), np.nan, dtype=np.float32)
    work = _portions(vintages, columns, sources)
    for number in reversed(range(len(vintages))):
        vintage, portions = vintages[number], work[number]
        if not portions:
            continue
        panel = vintage.panel if number < len(vintages) - 1 else panel
        delays = np.array([max((vintage.delays.get(code, 0) for code in some), default=0) for some in sources])

        def fill(portion: _Portion, panel: Panel = panel, vintage: Vintage = vintage, delays=delays) -> None:
            codes = [] if portion.code is None else [portion.code]
            computed = graph.compute(panel, codes, features=portion.features).cube
            start, stop = portion.first - panel.first, vintage.last - panel.first + 1
            for place, column, delay in zip(portion.places, computed, delays[portion.places], strict=True):
                source = column[max(0, start - delay) : max(0, stop - delay)]
                cube[place, vintage.last - begin + 1 - len(source) : vintage.last - begin + 1] = source

        with ThreadPoolExecutor(max(1, threads)) as pool:
            list(pool.map(fill, portions))
    return FeatureMatrix(
        cube,
        tuple(column.name for column in columns),
        {column.name: column.title for column in columns},
        {column.name: column.feature.measure(column.indicator) for column in columns},
        panel.calendar,
        begin,
        pd.Index(panel.units),
        omitted,
    )


def _portions(
    vintages: Sequence[Vintage], columns: Sequence[Column], sources: Sequence[frozenset[str]]
) -> list[list[_Portion]]:
    """Say what to compute on which vintage: an indicator's rows wait for the last vintage in which nothing changed."""
    places: dict[str | None, list[int]] = {}
    for place, column in enumerate(columns):
        places.setdefault(column.indicator.code if column.indicator else None, []).append(place)
    work: list[list[_Portion]] = [[] for _ in vintages]
    for code, mine in places.items():
        rests_on = frozenset().union(*(sources[place] for place in mine))
        names = tuple(columns[place].feature.name for place in mine)
        first = vintages[0].first
        for number, (vintage, after) in enumerate(zip(vintages, [*vintages[1:], None], strict=True)):
            if after is None or (rests_on and (after.changed is None or rests_on & after.changed)):
                work[number].append(_Portion(code, np.array(mine), names, first))
                first = vintage.last + 1
    return work
