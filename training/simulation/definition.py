"""A definition changes: history is restated on the new one, or a break is marked and nothing is compared across it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches, TableError
from features.errors import LoadlineError
from features.indicators import Title
from features.panel import Panel
from features.reading import frame_of, read_table, require_table
from features.snapshot import Snapshot
from training.simulation.change_file import Definition
from training.simulation.replay import Replay
from training.simulation.reworked import Rework, Reworked
from training.simulation.setting import Effect, Setting

COLUMNS = ["unit", "period", "value"]


def simulate_definition(setting: Setting, change: Definition) -> Effect:
    """Replay with history restated, or with a break.

    Periods before the change keep their figures and scores: what was compared then was on one definition.

    Returns
    -------
    Effect
        With the table `definition`: by period, figures in all, figures restated or withheld, and how many figures of
        last year are still there to be compared with.

    Raises
    ------
    LoadlineError
        Where the indicator or the table is wrong, or the change begins after all periods replayed.
    """
    start = setting.starting(change.start)
    since = setting.since(start)
    indicator = setting.indicator(change.indicator, field_name="indicator")
    if indicator.definition_version == change.version:
        hint = "Name the version that the definition will have."
        raise LoadlineError(
            f"{change.indicator} has definition version {change.version} already", where="version", hint=hint
        )
    table = None if change.table is None else read_restated(change.table, setting.snapshot)
    other = Reworked.of(
        setting.snapshot,
        withheld_before(change.indicator, start)
        if change.treatment == "break"
        else restated(change, start, table, setting.snapshot),
        needed=[change.indicator],
        indicators={change.indicator: indicator.model_copy(update={"definition_version": change.version})},
    )
    later = setting.replayed(setting.after, since, snapshot=other)
    before = setting.present()
    counted = _counted(setting, before, later, change)
    kept = int((counted["last_year_before"] - counted["last_year_after"]).sum())
    if change.treatment == "break":
        said = Title(
            en=f"{indicator.name.en} has definition {change.version} from {change.start}, and a break: {kept:,} "
            "comparisons with last year are withheld, growth is never computed across two definitions.",
            zh=f"{indicator.name.zh}自{change.start}起采用口径{change.version}并标记断点：{kept:,}项同比不再计算，"
            "不跨口径计算增速。",
        )
    else:
        how = f"by the factor {change.factor:g}" if change.factor is not None else "from the table"
        told = f"按系数{change.factor:g}" if change.factor is not None else "按所附数据表"
        said = Title(
            en=f"{indicator.name.en} has definition {change.version} from {change.start}; earlier figures are "
            f"restated {how}, so that years are compared on one definition.",
            zh=f"{indicator.name.zh}自{change.start}起采用口径{change.version}；此前数据{told}重述，同比口径一致。",
        )
    return Effect(before, setting.with_earlier(later, start), {"definition": counted}, (said,))


def restated(change: Definition, start: int, table: pd.DataFrame | None, snapshot: Snapshot) -> Rework:
    """Give what puts figures on the new definition: those before it, and all where the stored ones are on the old."""
    code = change.indicator

    def rework(panel: Panel) -> Mapping[str, np.ndarray]:
        old = panel.ordinals < start if change.reported == "new" else np.ones(len(panel.ordinals), dtype=bool)
        array = panel.array(code).copy()
        if table is None:
            array[old] *= change.factor or 1.0
            return {code: array}
        row = table["ordinal"].to_numpy() - panel.first
        inside = (row >= 0) & (row < len(array))
        unit = panel.tree.codes.get_indexer(pd.Index(table["unit"], dtype=object))[inside]
        given = np.full(array.shape, np.nan)
        given[row[inside], unit] = table["value"].to_numpy()[inside]
        array[old] = given[old]  # what the table does not have is on the old definition, so it is withheld
        return {code: array}

    return rework


def withheld_before(code: str, start: int) -> Rework:
    """Give what withholds figures before a break, and the ratios that rest on them."""

    def rework(panel: Panel) -> Mapping[str, np.ndarray]:
        return {code: np.where((panel.ordinals < start)[:, None], np.nan, panel.array(code))}

    return rework


def read_restated(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read restated figures: `unit, period, value`; the period as an ordinal is added.

    Raises
    ------
    LoadlineError
        With everything that is wrong.
    """
    require_table(path, ", ".join(COLUMNS))
    breaches = Breaches()
    rows = frame_of(read_table(path, required=COLUMNS, optional=[], breaches=breaches))
    breaches.raise_if_any(str(path), error=TableError)
    calendar, known = snapshot.description.calendar, set(snapshot.tree.codes)
    ordinals = np.zeros(len(rows), dtype=np.int64)
    values = pd.to_numeric(rows["value"], errors="coerce").to_numpy(dtype=float)
    seen: set[tuple[str, int]] = set()
    for place, (unit, period) in enumerate(zip(rows["unit"], rows["period"], strict=True)):
        line = int(rows.index[place])
        if unit not in known:
            breaches.add(path.name, line, "unit", unit, expected="a unit of the data")
        try:
            ordinals[place] = calendar.parse(str(period))
        except (LoadlineError, ValueError):
            breaches.add(path.name, line, "period", period, expected="a period such as 2024-07")
            continue
        if (unit, ordinals[place]) in seen:
            breaches.add(path.name, line, "period", period, expected="each unit once in a period")
        seen.add((unit, ordinals[place]))
        if not np.isfinite(values[place]):
            breaches.add(path.name, line, "value", rows["value"].iloc[place], expected="a finite number")
    breaches.raise_if_any(str(path), error=TableError)
    return pd.DataFrame({"unit": rows["unit"].to_numpy(), "ordinal": ordinals, "value": values})


def _counted(setting: Setting, before: Replay, later: Replay, change: Definition) -> pd.DataFrame:
    calendar, code = setting.snapshot.description.calendar, change.indicator
    sides = {}
    for name, side in (("before", before), ("after", later)):
        parts = [
            pd.DataFrame(
                {
                    "period": network.figures.period,
                    f"figures_{name}": np.isfinite(network.figures.facts.of("actual", code)),
                    f"last_year_{name}": np.isfinite(network.figures.facts.of("last_year", code)),
                }
            )
            for network in side.networks
        ]
        sides[name] = pd.concat(parts).groupby("period").sum()
    table = sides["before"].join(sides["after"], how="inner").reset_index()
    return table.assign(period=[calendar.format(int(p)) for p in table["period"]])
