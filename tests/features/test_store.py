"""The store: one data version an ingest, nothing overwritten, the panel as it was known on any day."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.periods import Calendar
from features.store import DataVersion, Store

UNITS, CODES = ["A", "B"], ["X", "LATE"]
LAG = {"X": 0, "LATE": 1}
MONTHLY = Calendar("M")
PERIODS = ["2024-01", "2024-02", "2024-03"]
Row = tuple[str, str, str, float, str]
"""Unit, period, indicator, value, day known or blank."""


def folder(
    place: Path, rows: list[Row], *, name: str = "bank", frequency: str = "M", units=UNITS, codes=CODES, **more: str
) -> Path:
    """Write a dataset folder; `more` holds the texts of further files, by name with `_` for the dot."""
    place.mkdir(parents=True, exist_ok=True)
    about = f"contract: 1\nname: {name}\ntitle: {{en: Bank, zh: 银行}}\nfrequency: {frequency}\n"
    (place / "dataset.yaml").write_text(about + "source: made up\nlicence: CC0\n", encoding="utf-8")
    entry = (
        "- {{code: {0}, name: {{en: {0}, zh: {0}}}, unit: n, direction: higher, kind: stock, perspective: risk, {1}}}"
    )
    entries = [entry.format(code, f"publication_lag: {LAG.get(code, 0)}") for code in codes]
    (place / "indicators.yaml").write_text("\n".join(["indicators:", *entries]) + "\n", encoding="utf-8")
    lines = ["unit,parent,name", "T,,Total", *[f"{unit},T,{unit}" for unit in units]]
    (place / "units.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = ["unit,period,indicator,value,known_on", *[",".join(map(str, row)) for row in rows]]
    (place / "observations.csv").write_text("\n".join(figures) + "\n", encoding="utf-8")
    for file, text in more.items():
        (place / file.replace("_", ".")).write_text(text, encoding="utf-8")
    return place


class Desk:
    """Ingests made-up folders into one store."""

    def __init__(self, place: Path) -> None:
        self.place, self.store, self.count = place, Store(place / "store"), 0

    def ingest(self, rows: list[Row], *, day: date = date(2024, 6, 1), **more) -> DataVersion:
        self.count += 1
        made = folder(self.place / f"folder-{self.count}", rows, **more)
        return self.store.ingest(open_dataset(made), now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))

    def cell(self, code="X", unit="A", period="2024-01", *, known_on: date | None = None, version: int | None = None):
        """Read one figure; None where there is none."""
        panel = self.store.snapshot(version).panel(known_on=known_on)
        value = panel[code].loc[pd.Period(period, "M"), unit]
        return None if math.isnan(value) else value


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


BASE: list[Row] = [
    *[("A", "2024-01", "X", 1.5, ""), ("A", "2024-02", "X", 2.5, ""), ("B", "2024-01", "X", 10, "")],
    *[("B", "2024-03", "LATE", 30, ""), ("A", "2024-01", "LATE", 4, "")],
]


def changed(rows: list[Row], place: int, value: float, known_on: str = "") -> list[Row]:
    unit, period, code, _, _ = rows[place]
    return [*rows[:place], (unit, period, code, value, known_on), *rows[place + 1 :]]


def counts(version: DataVersion) -> tuple[int, int, int]:
    return version.added, version.restated, version.unchanged


def test_what_is_stored_is_read_back(desk):
    version = desk.ingest(BASE)
    assert desk.store.versions() == [version]
    assert counts(version) == (5, 0, 0)
    assert (version.version, version.parent, version.dataset) == (1, -1, "bank")
    assert (version.first_period, version.last_period, version.units, version.indicators) == (
        "2024-01",
        "2024-03",
        3,
        2,
    )
    panel = desk.store.snapshot().panel()
    expected = {"X": [[np.nan, 1.5, 10], [np.nan, 2.5, np.nan], [np.nan] * 3]}
    expected["LATE"] = [[np.nan, 4, np.nan], [np.nan] * 3, [np.nan, np.nan, 30]]
    for code in CODES:
        np.testing.assert_array_equal(panel.array(code), expected[code])
    assert (panel.data_version, panel.fingerprint) == (1, version.fingerprint)
    with pytest.raises(ValueError, match="read-only"):
        panel.array("X")[0, 0] = 1.0


def test_the_same_folder_has_the_same_fingerprint(tmp_path):
    versions = [Desk(tmp_path / name).ingest(BASE) for name in "ab"]
    assert versions[0].fingerprint == versions[1].fingerprint
    assert len(versions[0].fingerprint) == 64


@pytest.mark.parametrize("place", range(len(BASE)))
def test_any_changed_figure_changes_the_fingerprint(tmp_path, place):
    fingerprints = {Desk(tmp_path / "base").ingest(BASE).fingerprint}
    for number, value in enumerate((99.0, BASE[place][3] + 1e-9)):
        fingerprints.add(Desk(tmp_path / f"value{number}").ingest(changed(BASE, place, value)).fingerprint)
    dated = changed(BASE, place, BASE[place][3], "2024-05-05")
    fingerprints.add(Desk(tmp_path / "day").ingest(dated).fingerprint)
    fingerprints.add(Desk(tmp_path / "less").ingest([*BASE[:place], *BASE[place + 1 :]]).fingerprint)
    assert len(fingerprints) == 5


def test_definitions_are_part_of_the_fingerprint(tmp_path):
    more = [{}, {"codes": [*CODES, "MORE"]}, {"units": [*UNITS, "C"]}, {"policy_yaml": "name: p\n"}]
    more += [{"goals_csv": "unit,indicator,year,value\nT,X,2025,7\n"}]
    more += [{"outcomes_csv": "unit,period,outcome,value\nA,2024-01,failed,1\n"}]
    made = {Desk(tmp_path / str(i)).ingest(BASE, **m).fingerprint for i, m in enumerate(more)}
    assert len(made) == len(more)


def test_a_continuing_version_counts_new_changed_and_known_figures(desk):
    first = desk.ingest(BASE)
    second = desk.ingest([*changed(BASE, 0, 1.75), ("B", "2024-04", "X", 7, "")])
    assert counts(second) == (1, 1, 4)
    assert (second.version, second.parent, second.last_period) == (2, 1, "2024-04")
    assert first.fingerprint != second.fingerprint
    assert desk.cell() == 1.75
    assert desk.cell(version=1) == 1.5
    assert len(desk.store.snapshot(1).panel().ordinals) == 3
    assert len(desk.store.snapshot(2).panel().ordinals) == 4


def test_an_increment_keeps_what_was_there(desk):
    desk.ingest(BASE)
    assert counts(desk.ingest([("A", "2024-03", "X", 3.5, "")])) == (1, 0, 0)
    assert desk.store.snapshot().panel()["X"]["A"].tolist() == [1.5, 2.5, 3.5]


def test_the_same_folder_again_adds_nothing(desk):
    history = [*BASE, ("A", "2024-01", "X", 1.6, "2024-03-05"), ("A", "2024-01", "X", 1.5, "2024-04-05")]
    history += [("A", "2024-02", "X", 2.4, "2024-02-20")]
    desk.ingest(history)
    before = desk.store.snapshot().panel()
    for _ in range(2):
        assert counts(desk.ingest(history)) == (0, 0, len(history))
        for code in CODES:
            np.testing.assert_array_equal(desk.store.snapshot().panel().array(code), before.array(code))


def test_a_restated_figure_in_the_same_folder_again_is_not_turned_back(desk):
    """The row without `known_on` is the first word on the figure, not the last."""
    history = [("A", "2024-01", "X", 1, ""), ("A", "2024-01", "X", 2, "2024-03-05")]
    desk.ingest(history)
    assert counts(desk.ingest(history)) == (0, 0, 2)
    assert desk.cell() == 2


def test_a_figure_that_is_turned_back_is_a_restatement(desk):
    for day, value in ((1, 1.0), (2, 2.0), (3, 1.0)):
        desk.ingest([("A", "2024-01", "X", value, "")], day=date(2024, 6, day))
    assert desk.store.versions()[-1].restated == 1
    assert [desk.cell(known_on=date(2024, 6, day)) for day in (1, 2, 3)] == [1, 2, 1]


def test_two_corrections_on_one_day_the_later_one_holds(desk):
    for value in (1.0, 2.0, 3.0, 3.0):
        desk.ingest([("A", "2024-01", "X", value, "")])
    assert counts(desk.store.versions()[-1]) == (0, 0, 1)
    assert [desk.cell(version=version) for version in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert desk.cell(known_on=date(2024, 5, 31)) == 1


def test_a_restatement_keeps_the_old_figure(desk):
    desk.ingest([("A", "2024-01", "X", 1, ""), ("A", "2024-01", "X", 2, "2024-03-05")])
    assert desk.cell(known_on=date(2024, 1, 30)) is None
    assert desk.cell(known_on=date(2024, 1, 31)) == 1
    assert desk.cell(known_on=date(2024, 3, 4)) == 1
    assert desk.cell(known_on=date(2024, 3, 5)) == 2
    assert desk.cell() == 2


def test_a_changed_figure_without_a_day_is_known_from_the_ingest(desk):
    desk.ingest([("A", "2024-01", "X", 1, "")], day=date(2024, 2, 10))
    desk.ingest([("A", "2024-01", "X", 2, "")], day=date(2024, 5, 20))
    assert desk.cell(known_on=date(2024, 5, 19)) == 1
    assert desk.cell(known_on=date(2024, 5, 20)) == 2
    assert desk.cell(version=1) == 1


def test_a_change_before_the_figure_was_due_replaces_it(desk):
    desk.ingest([("A", "2024-03", "LATE", 1, "")], day=date(2024, 4, 10))
    desk.ingest([("A", "2024-03", "LATE", 2, "")], day=date(2024, 4, 12))
    assert desk.cell("LATE", period="2024-03", known_on=date(2024, 4, 29)) is None
    assert desk.cell("LATE", period="2024-03", known_on=date(2024, 4, 30)) == 2
    assert desk.cell("LATE", period="2024-03", version=1) == 1


def test_a_correction_of_a_figure_dated_ahead_holds_at_once_in_order(desk):
    desk.ingest([("A", "2024-01", "X", 1, "2030-01-01")])
    for _ in range(2):
        version = desk.ingest([("A", "2024-01", "X", 2, "")])
    assert counts(version) == (0, 0, 1)
    assert desk.cell() == 2


def test_a_lagged_indicator_is_known_later(desk):
    desk.ingest([("A", "2024-01", "X", 1, ""), ("A", "2024-01", "LATE", 2, "")])
    assert desk.cell("X", known_on=date(2024, 1, 31)) == 1
    assert desk.cell("LATE", known_on=date(2024, 2, 28)) is None
    assert desk.cell("LATE", known_on=date(2024, 2, 29)) == 2


def test_an_early_figure_holds_until_the_regular_one(desk):
    desk.ingest([("A", "2024-01", "X", 9, "2024-01-20"), ("A", "2024-01", "X", 10, "")])
    desk.ingest([("A", "2024-02", "X", 5, "2024-02-10"), ("A", "2024-02", "X", 6, "2024-02-15")])
    assert desk.cell(known_on=date(2024, 1, 19)) is None
    assert desk.cell(known_on=date(2024, 1, 20)) == 9
    assert desk.cell(known_on=date(2024, 1, 31)) == 10
    assert desk.cell(period="2024-02", known_on=date(2024, 2, 14)) == 5
    assert desk.cell(period="2024-02") == 6


def test_as_of_a_period_is_as_known_at_its_end(desk):
    desk.ingest([*BASE, ("A", "2024-01", "X", 7, "2024-03-01")])
    panel = desk.store.snapshot().panel(MONTHLY.parse("2024-02"))
    assert panel["X"]["A"].tolist() == [1.5, 2.5]
    assert panel.known_on == date(2024, 2, 29)
    early = desk.store.snapshot().panel(MONTHLY.parse("2023-06"))
    assert len(early.ordinals) == 0
    late = desk.store.snapshot().panel(MONTHLY.parse("2024-05"))
    np.testing.assert_array_equal(late["X"]["A"], [7, 2.5, np.nan, np.nan, np.nan])


def test_some_indicators_only(desk):
    desk.ingest(BASE)
    assert desk.store.snapshot().panel(indicators=["LATE"]).codes == ["LATE"]
    assert desk.store.snapshot().panel(indicators=[]).codes == []
    with pytest.raises(LoadlineError, match="no indicator 'NO'") as caught:
        desk.store.snapshot().panel(indicators=["X", "NO"])
    assert "X, LATE" in caught.value.hint


def test_two_datasets_share_a_store(desk):
    desk.ingest(BASE)
    other = desk.ingest([("A", "2024-01", "X", 100, "")], name="other")
    third = desk.ingest([("A", "2024-02", "X", 200, "")])
    assert (other.version, other.parent, third.version, third.parent) == (2, -1, 3, 1)
    assert desk.store.snapshot(dataset="other").panel()["X"]["A"].tolist() == [100]
    np.testing.assert_array_equal(desk.store.snapshot(dataset="bank").panel()["X"]["A"], [1.5, 200, np.nan])
    assert desk.store.snapshot().about == third
    assert desk.store.stored_indicators("bank") == {"X", "LATE"}
    assert desk.store.stored_indicators("unknown") == frozenset()


def test_units_and_indicators_may_be_added_in_any_order(desk):
    desk.ingest(BASE)
    desk.ingest([("C", "2024-01", "NEW", 5, "")], units=["C", "B", "A"], codes=["NEW", "LATE", "X"])
    panel = desk.store.snapshot().panel()
    assert panel["X"].loc[pd.Period("2024-01", "M")].to_dict() == pytest.approx(
        {"T": math.nan, "C": math.nan, "B": 10, "A": 1.5}, nan_ok=True
    )
    assert panel["NEW"]["C"].tolist()[0] == 5
    assert list(desk.store.snapshot(1).panel().units) == ["T", "A", "B"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"frequency": "Q"}, "another frequency"),
        ({"frequency": "M\nfiscal_year_end_month: 6"}, "fiscal year"),
        ({"units": ["A"]}, "lacks 1 units that the store knows: B"),
        ({"codes": ["X"]}, "lacks indicators that the store knows: LATE"),
    ],
)
def test_a_folder_that_contradicts_the_history_is_refused(desk, more, message):
    desk.ingest(BASE)
    period = "2024-Q1" if more.get("frequency") == "Q" else "2024-01"
    with pytest.raises(LoadlineError, match=message) as caught:
        desk.ingest([("A", period, "X", 3, "")], **more)
    assert caught.value.hint
    assert len(desk.store.versions()) == 1
    assert desk.cell() == 1.5


def test_outcomes_goals_and_policy_are_carried_forward(desk):
    outcomes = "unit,period,outcome,value,known_on\nA,2024-01,failed,0,\nB,2024-01,failed,1,2024-05-01\n"
    goals = "unit,indicator,year,value\nT,X,2025,7\nT,X,2026,8\n"
    desk.ingest(BASE, outcomes_csv=outcomes, goals_csv=goals, policy_yaml="name: first\n")
    desk.ingest(BASE)
    later = "unit,period,outcome,value,known_on\nA,2024-01,failed,1,\nA,2024-02,failed,1,\n"
    desk.ingest(BASE, outcomes_csv=later, goals_csv="unit,indicator,year,value\nT,X,2026,9.25\n")
    first, second, third = (desk.store.snapshot(v) for v in (1, 2, 3))
    assert first.outcomes.equals(second.outcomes)
    assert first.goals.equals(second.goals)
    told = {(r.unit, r.period): (r.value, r.known_on) for r in third.outcomes.itertuples()}
    assert told == {("A", "2024-01"): (1, ""), ("B", "2024-01"): (1, "2024-05-01"), ("A", "2024-02"): (1, "")}
    assert {(r.year, r.value) for r in third.goals.itertuples()} == {(2025, 7), (2026, 9.25)}
    assert [s.policy for s in (first, second, third)] == [{"name": "first"}] * 3
    desk.ingest(BASE, policy_yaml="name: second\n")
    assert desk.store.snapshot().policy == {"name": "second"}
    assert desk.store.snapshot(3).policy == {"name": "first"}


def test_what_is_not_there_is_said(desk):
    with pytest.raises(LoadlineError, match="holds no data yet") as caught:
        desk.store.snapshot()
    assert "ingest" in caught.value.hint
    assert desk.store.versions() == []
    desk.ingest(BASE)
    with pytest.raises(LoadlineError, match="no data version 0"):
        desk.store.snapshot(0)
    with pytest.raises(LoadlineError, match="no data version of dataset 'x'"):
        desk.store.snapshot(dataset="x")


def test_a_folder_that_changes_while_it_is_stored_is_refused_whole(desk):
    desk.ingest(BASE)
    before = desk.store.snapshot().panel()
    dataset = open_dataset(folder(desk.place / "late", [("A", "2024-03", "X", 3, "")]))
    folder(desk.place / "late", [("A", "2024-03", "X", 3, ""), ("A", "2024-03", "X", "much", "")])
    with pytest.raises(LoadlineError, match="breaks the contract"):
        desk.store.ingest(dataset, now=datetime(2024, 6, 1, tzinfo=UTC))
    assert len(desk.store.versions()) == 1
    for code in CODES:
        np.testing.assert_array_equal(desk.store.snapshot().panel().array(code), before.array(code))
    desk.ingest([("A", "2024-03", "X", 3, "")])
    assert desk.cell(period="2024-03") == 3


def test_a_store_that_cannot_be_written_is_reported_without_a_traceback(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(LoadlineError, match=r"cannot be (read|written)") as caught:
        Desk(tmp_path).ingest(BASE)
    assert caught.value.hint


def test_a_damaged_store_is_reported(desk):
    desk.ingest(BASE)
    for log in Path(desk.store.location, "versions", "_delta_log").glob("*.json"):
        log.write_text("{ not json")
    with pytest.raises(LoadlineError, match="cannot be read") as caught:
        desk.store.versions()
    assert "backup" in caught.value.hint


def test_an_ingest_that_comes_in_between_wins(desk, monkeypatch):
    """Another ingest finishes after this one has read the history: this one must not build on what it read."""
    desk.ingest(BASE)
    publish = Store._publish

    def late(self, entry, seen):
        monkeypatch.setattr(Store, "_publish", publish)
        desk.ingest([("B", "2024-02", "X", 77, "")])
        publish(self, entry, seen)

    monkeypatch.setattr(Store, "_publish", late)
    with pytest.raises(LoadlineError, match="another ingest finished in the meantime") as caught:
        desk.ingest([("A", "2024-03", "X", 3, "")])
    assert caught.value.hint == "Run it again."
    assert [v.version for v in desk.store.versions()] == [1, 2]
    assert desk.cell(unit="B", period="2024-02") == 77
    assert desk.cell(period="2024-03") is None


INGEST = """
import sys
from datetime import UTC, datetime
from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Store
datasets = [open_dataset(folder) for folder in sys.argv[2:]]
print("ready", flush=True)
sys.stdin.readline()
for dataset in datasets:
    for attempt in range(20):  # the other process can get in between no more often than it ingests
        try:
            version = Store(sys.argv[1]).ingest(dataset, now=datetime(2024, 6, 1, tzinfo=UTC)).version
        except LoadlineError as error:
            print("refused", error.what, error.hint, flush=True)
        else:
            print("stored", version, flush=True)
            break
"""


def test_two_processes_may_ingest_at_once(tmp_path):
    """Into one store that is not there yet, then into one that grows: an ingest is stored, or refused and run again."""
    names = {"one": "bank", "two": "other"}
    folders = {
        who: [
            str(folder(tmp_path / f"{who}-{i}", [("A", f"2024-{i + 1:02d}", "X", i, "")], name=name)) for i in range(6)
        ]
        for who, name in names.items()
    }
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", INGEST, str(tmp_path / "store")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    running = {who: subprocess.Popen([*command, *places], **pipes) for who, places in folders.items()}
    for process in running.values():
        assert process.stdout.readline() == "ready\n"
    for process in running.values():
        process.stdin.write("go\n")
        process.stdin.flush()
    told = {who: process.communicate(timeout=60)[0].splitlines() for who, process in running.items()}
    assert all(process.returncode == 0 for process in running.values())
    store, stored = Store(tmp_path / "store"), {}
    for who, lines in told.items():
        refused = [line for line in lines if not line.startswith("stored")]
        assert all("in the meantime" in line and "Run it again." in line for line in refused), refused
        stored[who] = [int(line.split()[1]) for line in lines if line.startswith("stored")]
        assert len(stored[who]) == 6
    versions = store.versions()
    assert [v.version for v in versions] == list(range(1, len(versions) + 1))
    assert {v.version: v.dataset for v in versions} == {n: names[who] for who in stored for n in stored[who]}
    assert len(versions) == 12
    for who in stored:
        panel = store.snapshot(dataset=names[who]).panel()
        figures = {int(p.month) - 1: v for p, v in panel["X"]["A"].dropna().items()}
        assert figures == {i: float(i) for i in range(6)}


def default_day(period: str, code: str) -> date:
    return MONTHLY.end(MONTHLY.parse(period) + LAG[code])


class Ledger:
    """The store in plain Python: a list of all that was ever told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, tuple[str, str, str], float, date]] = []
        self.versions = 0

    def ingest(self, rows: list[Row], day: date) -> tuple[int, int, int]:
        self.versions += 1
        before = list(self.told)
        added = restated = unchanged = 0
        for unit, period, code, value, known in rows:
            key, default = (unit, period, code), default_day(period, code)
            known_on = date.fromisoformat(known) if known else default
            history = sorted(((t[3], t[0], t[2]) for t in before if t[1] == key), key=lambda t: t[:2])
            that_day = [t for t in history if t[0] == known_on]
            recorded = bool(that_day) and that_day[-1][2] == value
            if not known and history and history[-1][2] == value:
                recorded = True
            elif not known and history and not any(r[:3] == key and r[4] for r in rows):
                recorded, known_on = False, max(default, day, history[-1][0])
            if recorded:
                unchanged += 1
                continue
            added, restated = added + (not history), restated + bool(history)
            self.told.append((self.versions, key, value, known_on))
        return added, restated, unchanged

    def known(self, version: int, day: date) -> dict[tuple[str, str, str], float]:
        ordered = sorted((t for t in self.told if t[0] <= version and t[3] <= day), key=lambda t: (t[3], t[0]))
        return {key: value for _, key, value, _ in ordered}


DAYS = st.dates(date(2023, 12, 1), date(2024, 12, 31))


@st.composite
def row_lists(draw) -> list[Row]:
    rows: dict[tuple, Row] = {}
    for _ in range(draw(st.integers(1, 12))):
        unit, period, code = (draw(st.sampled_from(options)) for options in (UNITS[:1], PERIODS[:2], CODES))
        known = draw(st.none() | DAYS)
        if known == default_day(period, code):
            continue
        value = draw(st.sampled_from([1.0, 2.0, 3.0]))
        rows[unit, period, code, known] = (unit, period, code, value, known.isoformat() if known else "")
    return list(rows.values()) or [("A", "2024-01", "X", 1.0, "")]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(row_lists(), DAYS), min_size=1, max_size=4), st.lists(DAYS, min_size=2, max_size=5))
def test_it_agrees_with_a_plain_ledger(tmp_path_factory, ingests, days):
    desk, ledger = Desk(tmp_path_factory.mktemp("ledger")), Ledger()
    for rows, day in ingests:
        assert counts(desk.ingest(rows, day=day)) == ledger.ingest(rows, day)
    for version in range(1, len(ingests) + 1):
        for day in [*days, date(2030, 1, 1)]:
            panel = desk.store.snapshot(version).panel(known_on=day)
            known = {
                (unit, str(period), code): value
                for code in panel.codes
                for (period, unit), value in panel[code].stack().dropna().items()
            }
            assert known == ledger.known(version, day)


def test_the_tables_are_plain_delta(desk):
    """The store can be read without this program."""
    desk.ingest(BASE)
    from deltalake import DeltaTable

    rows = DeltaTable(f"{desk.store.location}/observations").to_pyarrow_table()
    assert rows.schema.field("value").type == pa.float64()
    assert sorted(rows["value"].to_pylist()) == [1.5, 2.5, 4, 10, 30]
    assert json.loads(json.dumps(desk.store.versions()[0].dataset)) == "bank"
