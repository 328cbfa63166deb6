"""Figures under changing definitions, against the store in plain Python: a list of all that was ever told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from features.dataset import open_dataset
from features.periods import Calendar
from features.store import Store

MONTHLY = Calendar("M")
PERIODS = ["2024-01", "2024-02", "2024-03"]
DAYS = st.dates(date(2023, 12, 1), date(2024, 12, 31))
Row = tuple[str, float, str]
"""Period, value, day known or blank."""


def write(place: Path, rows: list[Row], definition: str) -> Path:
    place.mkdir(parents=True)
    about = "contract: 1\nname: bank\ntitle: {en: Bank, zh: 银行}\nfrequency: M\nsource: made up\nlicence: CC0\n"
    (place / "dataset.yaml").write_text(about, encoding="utf-8")
    entry = "code: X, name: {en: X, zh: X}, unit: n, direction: higher, kind: stock, perspective: risk"
    (place / "indicators.yaml").write_text(f"indicators:\n- {{{entry}, definition_version: '{definition}'}}\n")
    (place / "units.csv").write_text("unit,parent,name\nA,,A\n")
    lines = [f"A,{period},X,{value},{known}" for period, value, known in rows]
    (place / "observations.csv").write_text("\n".join(["unit,period,indicator,value,known_on", *lines]) + "\n")
    return place


@dataclass
class Ledger:
    told: list[tuple[int, str, str, float, date]] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)

    def ingest(self, rows: list[Row], day: date, definition: str) -> tuple[int, int, int]:
        """Add what is new to the definition; give how much was added, restated, and known already."""
        before, counts = list(self.told), [0, 0, 0]
        self.definitions.append(definition)
        for period, value, known in rows:
            default = MONTHLY.end(MONTHLY.parse(period))
            known_on = date.fromisoformat(known) if known else default
            every = [entry for entry in before if entry[2] == period]
            same = sorted((entry[4], entry[0], entry[3]) for entry in every if entry[1] == definition)
            that_day = [entry for entry in same if entry[0] == known_on]
            recorded = bool(that_day) and that_day[-1][2] == value
            if not known and same and same[-1][2] == value:
                recorded = True
            elif not known and every and not any(other[0] == period and other[2] for other in rows):
                recorded, known_on = False, max(default, day, *(entry[0] for entry in same[-1:]))
            counts[2 if recorded else 1 if every else 0] += 1
            if not recorded:
                self.told.append((len(self.definitions), definition, period, value, known_on))
        return counts[0], counts[1], counts[2]

    def known(self, version: int, day: date) -> dict[str, float]:
        definition = self.definitions[version - 1]
        shown = [e for e in self.told if e[0] <= version and e[1] == definition and e[4] <= day]
        return {period: value for _, _, period, value, _ in sorted(shown, key=lambda e: (e[4], e[0]))}


@st.composite
def row_lists(draw) -> list[Row]:
    rows: dict[tuple[str, date | None], Row] = {}
    for _ in range(draw(st.integers(1, 6))):
        period, known = draw(st.sampled_from(PERIODS)), draw(st.none() | DAYS)
        if known != MONTHLY.end(MONTHLY.parse(period)):
            value = draw(st.sampled_from([1.0, 2.0, 3.0]))
            rows[period, known] = (period, value, known.isoformat() if known else "")
    return list(rows.values()) or [("2024-01", 1.0, "")]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(row_lists(), DAYS, st.sampled_from("12")), min_size=2, max_size=5),
    st.lists(DAYS, min_size=2, max_size=4),
)
def test_it_agrees_with_a_plain_ledger(tmp_path_factory, ingests, days):
    place, ledger = tmp_path_factory.mktemp("ledger"), Ledger()
    store = Store(place / "store")
    for number, (rows, day, definition) in enumerate(ingests):
        dataset = open_dataset(write(place / str(number), rows, definition))
        entry = store.ingest(dataset, now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        assert (entry.added, entry.restated, entry.unchanged) == ledger.ingest(rows, day, definition)
    for version in range(1, len(ingests) + 1):
        for day in [*days, date(2030, 1, 1)]:
            panel = store.snapshot(version).panel(known_on=day)
            found = {
                MONTHLY.format(int(ordinal)): float(value)
                for ordinal, value in zip(panel.ordinals, panel.array("X")[:, 0], strict=True)
                if not math.isnan(value)
            }
            assert found == ledger.known(version, day)
