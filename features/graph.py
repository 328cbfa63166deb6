"""The graph of features: checks them, orders them, and computes them for a panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.compute import Work
from features.errors import LoadlineError
from features.feature import Feature, Step
from features.indicators import Indicator, Title
from features.inputs import INPUTS, PanelInputs
from features.matrix import SEPARATOR, FeatureMatrix, column_name
from features.panel import Panel
from features.periods import Calendar


@dataclass(frozen=True)
class Column:
    """One column to compute: a feature, for an indicator or (None) for the panel as a whole."""

    feature: Feature
    indicator: Indicator | None

    @property
    def name(self) -> str:
        """Give the column's name."""
        return column_name(self.feature.name, self.indicator.code if self.indicator else None)

    @property
    def title(self) -> Title:
        """Give the column's title, with the indicator's."""
        own = self.feature.title
        if self.indicator is None:
            return own
        return Title(en=f"{self.indicator.name.en}: {own.en}", zh=f"{self.indicator.name.zh}:{own.zh}")


class FeatureGraph:
    """Features and steps in the order in which they can be computed.

    Parameters
    ----------
    steps : iterable of Step
        Every step and feature, in any order.

    Raises
    ------
    LoadlineError
        Where a name occurs twice or is not allowed, an input is unknown, steps depend on each other in a circle, or a
        step of scope `unit` depends on one of scope `all`.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps: dict[str, Step] = {}
        for each in steps:
            if not each.name.isidentifier() or SEPARATOR in each.name or each.name in INPUTS:
                raise LoadlineError(f"{each.name!r} cannot name a feature", hint="Use letters, digits and _.")
            if each.name in self._steps:
                raise LoadlineError(f"two features are called {each.name!r}", hint="Rename one of them.")
            self._steps[each.name] = each
        for each in self._steps.values():
            for name in each.inputs:
                self._check_input(each, name)
        self._order = self._sorted()

    def _check_input(self, each: Step, name: str) -> None:
        if name not in self._steps and name not in INPUTS:
            raise LoadlineError(
                f"{each.name!r} needs {name!r}, which nothing gives",
                where=each.function.__module__,
                hint=f"Its parameters name other features, or one of: {', '.join(INPUTS)}.",
            )
        scope = self._steps[name].scope if name in self._steps else INPUTS[name].scope
        if each.scope == "unit" and scope == "all":
            raise LoadlineError(
                f"{each.name!r} has scope 'unit' but needs {name!r} of scope 'all'", hint="Declare it scope='all'."
            )

    def _sorted(self) -> dict[str, Step]:
        ordered: dict[str, Step] = {}
        for start in self._steps:
            path: list[str] = []
            stack = [(start, False)]
            while stack:
                name, leaving = stack.pop()
                if leaving:
                    path.pop()
                    ordered[name] = self._steps[name]
                elif name in path:
                    circle = " -> ".join([*path[path.index(name) :], name])
                    raise LoadlineError(f"features depend on each other in a circle: {circle}")
                elif name not in ordered:
                    path.append(name)
                    stack.append((name, True))
                    stack.extend((below, False) for below in self._steps[name].inputs if below in self._steps)
        return ordered

    @cached_property
    def features(self) -> dict[str, Feature]:
        """Give the features by name, in the order given."""
        return {each.name: each for each in self._steps.values() if isinstance(each, Feature)}

    def needs(self, names: Iterable[str]) -> list[Step]:
        """List the steps that some steps rest on, themselves included, in an order in which they can be computed."""
        wanted = set(names)
        for name in reversed(self._order):
            if name in wanted:
                wanted.update(below for below in self._order[name].inputs if below in self._order)
        return [each for name, each in self._order.items() if name in wanted]

    def of_panel(self, name: str) -> bool:
        """Tell whether a feature is the same for every indicator."""
        given = {below for each in self.needs([name]) for below in each.inputs if below in INPUTS}
        return all(INPUTS[below].of_panel for below in given)

    def not_for(self, name: str, calendar: Calendar) -> str | None:
        """Say why a feature cannot be had at a frequency, by itself or by what it rests on; None where it can."""
        return next((why for each in self.needs([name]) if (why := each.not_for(calendar)) is not None), None)

    def columns(
        self, panel: Panel, indicators: Sequence[str] | None = None, features: Sequence[str] | None = None
    ) -> tuple[list[Column], dict[str, str]]:
        """List the columns that a panel gives, and those that it cannot give, with the reason.

        Raises
        ------
        LoadlineError
            Where an indicator or a feature is not known.
        """
        chosen = self._chosen(features)
        codes = panel.codes if indicators is None else list(indicators)
        for code in codes:
            panel.array(code)
        inputs = PanelInputs(panel)
        columns, omitted = [], {}
        for each in chosen:
            whole = self.of_panel(each.name)
            why = self.not_for(each.name, panel.calendar)
            given = {below for below_step in self.needs([each.name]) for below in below_step.inputs if below in INPUTS}
            for code in [None] if whole else codes:
                spec = None if code is None else panel.indicator(code)
                if spec is not None and not each.applies.to(spec):
                    continue
                absent = [] if code is None else [name for name in sorted(given) if not inputs.has(name, code)]
                column = Column(each, spec)
                if why is not None:
                    omitted[column.name] = why
                elif absent:
                    omitted[column.name] = f"the panel has no {absent[0]} for it: {INPUTS[absent[0]].meaning}"
                else:
                    columns.append(column)
        order = {code: place for place, code in enumerate(codes)}
        columns.sort(key=lambda column: order[column.indicator.code] if column.indicator else -1)
        return columns, omitted

    def _chosen(self, features: Sequence[str] | None) -> list[Feature]:
        if features is None:
            return list(self.features.values())
        unknown = [name for name in features if name not in self.features]
        if unknown:
            raise LoadlineError(f"there is no feature {unknown[0]!r}", hint=f"Features: {', '.join(self.features)}.")
        return [self.features[name] for name in dict.fromkeys(features)]

    def compute(
        self,
        panel: Panel,
        indicators: Sequence[str] | None = None,
        *,
        features: Sequence[str] | None = None,
        threads: int = 1,
    ) -> FeatureMatrix:
        """Compute features of every unit and period.

        Parameters
        ----------
        panel : Panel
        indicators : sequence of str, optional
            Codes; all of the panel's by default.
        features : sequence of str, optional
            Names; all by default. What an indicator is not meant for, or the panel cannot give, is left out.
        threads : int
            Indicators computed at a time.

        Returns
        -------
        FeatureMatrix
            Columns by indicator in the order asked for, those of the panel as a whole first.
        """
        return self._compute(panel, slice(0, len(panel.tree)), indicators, features, threads=threads)

    def compute_columns(
        self,
        panel: Panel,
        columns: slice,
        *,
        indicators: Sequence[str] | None = None,
        features: Sequence[str] | None = None,
    ) -> FeatureMatrix:
        """Compute the features of scope `unit` for a stretch of units only, exactly as `compute` would.

        Raises
        ------
        LoadlineError
            Where a feature of scope `all` is asked for by name.
        """
        chosen = self._chosen(features)
        if features is not None and (wide := [each.name for each in chosen if each.scope == "all"]):
            raise LoadlineError(
                f"{wide[0]!r} needs the peers and cannot be computed for some of the units", hint="Use compute."
            )
        names = [each.name for each in chosen if each.scope == "unit"]
        return self._compute(panel, columns, indicators, names, threads=1)

    def _compute(
        self,
        panel: Panel,
        units: slice,
        indicators: Sequence[str] | None,
        features: Sequence[str] | None,
        *,
        threads: int,
    ) -> FeatureMatrix:
        columns, omitted = self.columns(panel, indicators, features)
        start, stop, _ = units.indices(len(panel.tree))
        cube = np.empty((len(columns), len(panel.ordinals), max(0, stop - start)), dtype=np.float32)
        inputs = PanelInputs(panel)
        jobs: dict[str | None, dict[str, np.ndarray]] = {}
        for place, column in enumerate(columns):
            jobs.setdefault(column.indicator.code if column.indicator else None, {})[column.feature.name] = cube[place]
        for name in ("groups", "siblings"):
            if any(name in each.inputs for each in self.needs([column.feature.name for column in columns])):
                inputs.get(name, "")
        work = [
            Work(self.needs(outputs), outputs, inputs, code or "", slice(start, stop)) for code, outputs in jobs.items()
        ]
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(Work.run, work))
        else:
            for each in work:
                each.run()
        return FeatureMatrix(
            cube,
            tuple(column.name for column in columns),
            {column.name: column.title for column in columns},
            {column.name: column.feature.measure(column.indicator) for column in columns},
            panel.calendar,
            panel.first,
            pd.Index(panel.units[start:stop]),
            omitted,
        )
