"""Small datasets of figures with the days on which they became known, put into a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from features.dataset import open_dataset
from features.periods import Calendar
from features.snapshot import Snapshot
from features.store import Store

Row = tuple[str, str, str, float, str]
"""Unit, period, indicator, value, day known or blank."""
INDICATORS: Mapping[str, dict[str, Any]] = {
    "LOANS": {"kind": "stock", "role": "loans", "perspective": "performance"},
    "FEES": {"kind": "flow", "perspective": "performance", "publication_lag": 1},
    "NPL": {"kind": "stock", "direction": "lower", "role": "npl_amount", "perspective": "risk", "publication_lag": 2},
    "RATIO": {
        "kind": "ratio",
        "unit": "%",
        "direction": "lower",
        "role": "npl",
        "perspective": "risk",
        "numerator": "NPL",
        "denominator": "LOANS",
    },
}


def write_figures(
    place: Path,
    rows: Iterable[Row],
    *,
    units: Iterable[str],
    frequency: str = "M",
    indicators: Mapping[str, dict[str, Any]] = INDICATORS,
) -> Path:
    """Write a dataset folder."""
    place.mkdir(parents=True, exist_ok=True)
    about = f"contract: 1\nname: dated\ntitle: {{en: Dated, zh: 示例}}\nfrequency: {frequency}\n"
    (place / "dataset.yaml").write_text(about + "source: made up\nlicence: CC0\n", encoding="utf-8")
    plain = {"unit": "CNY m", "direction": "higher"}
    entries = [{"code": code, "name": {"en": code, "zh": code}} | plain | more for code, more in indicators.items()]
    (place / "indicators.yaml").write_text(yaml.safe_dump({"indicators": entries}), encoding="utf-8")
    lines = ["unit,parent,name,level", "T,,Total,bank", *[f"{unit},T,{unit},branch" for unit in units]]
    (place / "units.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = ["unit,period,indicator,value,known_on", *[",".join(map(str, row)) for row in rows]]
    (place / "observations.csv").write_text("\n".join(figures) + "\n", encoding="utf-8")
    return place


def ingest_figures(place: Path, rows: Iterable[Row], *, day: date = date(2030, 1, 15), **more: Any) -> Snapshot:
    """Write a dataset folder, put it into the store beside it, and open what is stored."""
    store = Store(place / "store")
    number = len(store.versions())
    made = write_figures(place / f"folder-{number}", rows, **more)
    store.ingest(open_dataset(made), now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    return store.snapshot()


def days_after(calendar: Calendar, period: str, days: int) -> str:
    """Give the day some days after a period's end."""
    return date.fromordinal(calendar.end(calendar.parse(period)).toordinal() + days).isoformat()


@st.composite
def dated_rows(draw: st.DrawFn, units: list[str], periods: list[str], *, most: int = 60) -> list[Row]:
    """Draw figures, some on time, some early, late or restated; the last unit's first ones are always there."""
    calendar = Calendar("M")
    cell = st.tuples(st.sampled_from(units[:-1]), st.sampled_from(periods), st.sampled_from(sorted(INDICATORS)))
    habit = draw(st.sampled_from([0, 20, 50]))
    late = st.one_of(st.none(), st.just(habit), st.integers(-40, 150))
    drawn = draw(st.lists(st.tuples(cell, late), max_size=most, unique_by=lambda row: (row[0], row[1])))
    given = [((units[-1], periods[0], code), None) for code in sorted(INDICATORS)]
    return [
        (*where, 1.0 + place, "" if days is None else days_after(calendar, where[1], days))
        for place, (where, days) in enumerate([*given, *drawn])
    ]
