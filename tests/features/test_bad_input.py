"""Every way of breaking the contract is told with its file, line, column and value, and leaves the store as it was."""

from __future__ import annotations

import gzip
import os
import textwrap
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.breaches import LISTED_PER_KIND
from features.dataset import open_dataset
from features.errors import Breach, DatasetError, LoadlineError
from features.store import DataVersion, Store

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FILES = {
    "dataset.yaml": """\
        contract: 1
        name: bank
        title: {en: Bank, zh: 银行}
        frequency: M
        fiscal_year_end_month: 12
        source: warehouse
        licence: internal
        """,
    "indicators.yaml": """\
        indicators:
        - code: LOANS
        - code: NPL
        - code: R01
        - code: SCORE
          name: {en: Score, zh: 评分}
          unit: points
          direction: higher
          kind: level
          perspective: customer
          bounds: [0, 100]
        - code: RATE
          name: {en: Rate, zh: 利率}
          unit: "%"
          direction: higher
          kind: ratio
          denominator: LOANS
          perspective: context
        """,
    "units.csv": """\
        unit,parent,name,level,valid_from,valid_to,successor
        HQ,,Bank,hq,,,
        N,HQ,North,branch,,,
        S,HQ,South,branch,,2023-12-31,N
        """,
    "observations.csv": """\
        unit,period,indicator,value,known_on
        N,2024-01,LOANS,100,
        N,2024-01,NPL,2,
        N,2024-01,R01,2,2024-02-15
        N,2024-02,LOANS,110,
        N,2024-02,SCORE,71.5,
        S,2023-12,LOANS,300,
        """,
    "outcomes.csv": """\
        unit,period,outcome,value
        N,2024-01,downgrade,0
        """,
    "goals.csv": """\
        unit,indicator,year,value
        HQ,SCORE,2025,80
        """,
    "policy.yaml": "levels: {threshold: 0.8}\n",
}


def write_valid(folder: Path) -> Path:
    """Write a small dataset that keeps the contract."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_valid(tmp_path / "bank")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that holds the valid dataset."""
    made = Store(tmp_path_factory.mktemp("store"))
    made.ingest(open_dataset(write_valid(tmp_path_factory.mktemp("valid") / "bank")), now=NOW)
    return made


def ingest(folder: Path, store: Store) -> DataVersion:
    return store.ingest(open_dataset(folder, stored=store.stored_indicators), now=NOW)


Refusal = Callable[..., list[Breach]]


@pytest.fixture
def refused(store: Store) -> Refusal:
    """Check that a folder is refused and the store unchanged; give the breaches."""

    def check(folder: Path) -> list[Breach]:
        before = store.versions()
        with pytest.raises(DatasetError) as caught:
            ingest(folder, store)
        assert store.versions() == before
        assert "nothing was stored" in caught.value.what
        assert caught.value.total >= len(caught.value.breaches)
        return list(caught.value.breaches)

    return check


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts that stand in a file exactly once."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8", newline="")


def add(path: Path, *lines: str) -> None:
    with open(path, "a", encoding="utf-8", newline="") as stream:
        stream.write("".join(f"{line}\n" for line in lines))


def parquet(folder: Path, **columns: object) -> Path:
    """Write observations as Parquet: two rows, with columns changed as said."""
    usual = {"unit": ["N", "N"], "period": ["2024-03", "2024-04"], "indicator": ["LOANS", "LOANS"], "value": [1.0, 2.0]}
    path = folder / "observations-more.parquet"
    pq.write_table(
        pa.table({name: column for name, column in {**usual, **columns}.items() if column is not None}), path
    )
    return path


def test_the_valid_folder_is_stored(folder, tmp_path):
    parquet(folder)
    version = ingest(folder, Store(tmp_path / "store"))
    assert (version.added, version.units, version.indicators) == (8, 3, 5)


OBSERVATIONS = [
    ("N,2024-02,LOANS", "M,2024-02,LOANS", 5, "unit", "M", "a unit of units.csv", "Add it to units.csv"),
    ("N,2024-02,LOANS", ",2024-02,LOANS", 5, "unit", "", "a unit of units.csv", "Leave no cell"),
    (
        "2024-02,SCORE",
        "2024-02,SCOR",
        6,
        "indicator",
        "SCOR",
        "an indicator of indicators.yaml",
        "Did you mean 'SCORE'",
    ),
    ("LOANS,110", "LOANS,1 10", 5, "value", "1 10", "a finite number", "digits with a decimal point"),
    ("LOANS,110", "LOANS,many", 5, "value", "many", "a finite number", "digits with a decimal point"),
    ("LOANS,110", 'LOANS,"1,100"', 5, "value", "1,100", "a finite number", "without thousands separators"),
    ("LOANS,110", "LOANS,2.5%", 5, "value", "2.5%", "a finite number", "the indicator has the unit"),
    ("LOANS,110", "LOANS,", 5, "value", "", "a finite number", "a missing row means not observed"),
    ("LOANS,110", "LOANS,NaN", 5, "value", "NaN", "a finite number", "a missing row means not observed"),
    ("LOANS,110", "LOANS,-inf", 5, "value", "-inf", "a finite number", "not observed: leave the row out"),
    ("LOANS,110", "LOANS,1e999", 5, "value", "1e999", "a finite number", ""),
    ("LOANS,110", "LOANS,0x1F", 5, "value", "0x1F", "a finite number", "digits with a decimal point"),
    ("SCORE,71.5", "SCORE,100.5", 6, "value", "100.5", "a value of SCORE within [0, 100]", "or the indicator's bounds"),
    ("LOANS,110", "LOANS,-1", 5, "value", "-1", "a value of LOANS within [0, inf]", "or the indicator's bounds"),
    ("2024-02,LOANS", "2024-Q1,LOANS", 5, "period", "2024-Q1", "a period such as 2024-07", "frequency is M"),
    ("2024-02,LOANS", "2024-13,LOANS", 5, "period", "2024-13", "a period such as 2024-07", "frequency is M"),
    ("2024-02,LOANS", "2024,LOANS", 5, "period", "2024", "a period such as 2024-07", "frequency is M"),
    ("2024-02,LOANS", "0000-01,LOANS", 5, "period", "0000-01", "a period such as 2024-07", "Correct the year"),
    ("2024-02,LOANS", "9999-12,LOANS", 5, "period", "9999-12", "a period such as 2024-07", "Correct the year"),
    ("2024-02-15", "15.02.2024", 4, "known_on", "15.02.2024", "a day such as 2024-02-15", "Leave it blank"),
    ("2024-02-15", "2024-02-30", 4, "known_on", "2024-02-30", "a day such as 2024-02-15", "Leave it blank"),
    ("2024-02-15", "2024-02-15 or so", 4, "known_on", "2024-02-15 or so", "a day such as 2024-02-15", "Leave it blank"),
    (
        *("N,2024-02,LOANS,110", "N,2024-01,LOANS,100"),
        *(5, "unit, period, indicator", "N, 2024-01, LOANS", "each key once", "a later known_on"),
    ),
    ("LOANS,110,", "LOANS,110", 5, "", "N,2024-02,LOANS,110", "5 columns", "It has 4: is a comma missing"),
    ("LOANS,110,", "LOANS,1,100,", 5, "", "N,2024-02,LOANS,1,100,", "5 columns", "It has 6"),
    ("LOANS,110", 'LOANS,"110', 5, "", 'N,2024-02,LOANS,"110,', "quotes in pairs", "opened and not closed"),
    ("LOANS,110", 'LOANS,"110"x', 5, "", 'N,2024-02,LOANS,"110"x,', "quotes in pairs", "stands inside a value"),
    ("LOANS,110,", "LOANS,110\r,", 5, "", "", "line ends as in Unix or Windows", "stands alone"),
]
UNITS = [
    ("N,HQ,North", "N,HO,North", 3, "parent", "HO", "a unit of this file", "leave it blank for a root"),
    ("S,HQ,South", ",HQ,South", 4, "unit", "", "a unit code", "Every line names a unit"),
    ("S,HQ,South", "S ,HQ,South", 4, "unit", "S ", "a code without spaces", "Remove the spaces"),
    ("HQ,,Bank", "HQ,S,Bank", 0, "parent", "", "a root: a unit with a blank parent", "topmost unit blank"),
    ("2023-12-31,N", "2023-12-31,X", 4, "successor", "X", "another unit of this file", "separated by `|`"),
    ("2023-12-31,N", "2023-12-31,S", 4, "successor", "S", "another unit of this file", "separated by `|`"),
    ("2023-12-31,N", ",N", 4, "valid_to", "", "the unit's last day", "has ended"),
    ("2023-12-31", "31/12/23", 4, "valid_to", "31/12/23", "a day such as 2021-07-01", ""),
]
OUTCOMES = [
    ("downgrade,0", "downgrade,2", 2, "value", "2.0", "0 or 1", ""),
    ("downgrade,0", "downgrade,no", 2, "value", "no", "a finite number", ""),
    ("N,2024-01", "M,2024-01", 2, "unit", "M", "a unit of units.csv", "Add it to units.csv"),
    ("N,2024-01", "N,2024", 2, "period", "2024", "a period such as 2024-07", "frequency is M"),
]
GOALS = [
    ("HQ,SCORE", "N,SCORE", 2, "unit", "N", "a unit that has units below it", "this one has none"),
    ("HQ,SCORE", "HQ,RATE", 2, "indicator", "RATE", "an indicator that may have targets", "only monitored"),
    ("HQ,SCORE", "HQ,LOANS", 2, "indicator", "LOANS", "an indicator that may have targets", "only monitored"),
    ("HQ,SCORE", "HQ,SCOER", 2, "indicator", "SCOER", "an indicator of indicators.yaml", "Did you mean 'SCORE'"),
    ("2025", "25", 2, "year", "25", "a year such as 2025", ""),
    ("2025,80", "2025,lots", 2, "value", "lots", "a finite number", ""),
]
INDICATORS = [
    ("- code: R01", "- code: R01\n- code: LOANS", 5, "code", "LOANS", "each code once", "Remove the second entry"),
    ("- code: R01", "- code: R01\n- code: LOAMS", 5, "code", "LOAMS", "a known indicator", "near: LOANS"),
    ("- code: R01", "- code: R01\n- code: [NPL]", 5, "code", "['NPL']", "a known indicator", "built-in library"),
    ("- code: R01", "- code: R01\n- NPL", 5, "", "NPL", "an entry with at least `code:`", "Write `- code: R01`"),
    (
        "denominator: LOANS",
        "denominator: ASSETS",
        12,
        "denominator",
        "ASSETS",
        "observations in the data",
        "unweighted",
    ),
    ("direction: higher\n  kind: level", "direction: up\n  kind: level", 8, "direction", "up", "'higher'", ""),
    ("bounds: [0, 100]", "bounds: [100, 0]", 5, "", "", "the first must be below the second", ""),
]
DATASET = [
    ("frequency: M", "frequency: W", 4, "frequency", "W", "'A', 'Q' or 'M'", ""),
    ("contract: 1", "contract: 2", 1, "contract", "2", "1", ""),
    ("licence: internal\n", "", 1, "licence", "", "Field required", "Add it"),
    ("month: 12", "month: 13", 5, "fiscal_year_end_month", "13", "less than or equal to 12", ""),
    ("name: bank", "name: ../bank", 2, "name", "../bank", "match pattern", ""),
    ("zh: 银行", "zh: [", 3, "", "", "YAML", ""),
]
EVERY = [
    (file, *case)
    for file, cases in {
        "observations.csv": OBSERVATIONS,
        "units.csv": UNITS,
        "outcomes.csv": OUTCOMES,
        "goals.csv": GOALS,
        "indicators.yaml": INDICATORS,
        "dataset.yaml": DATASET,
    }.items()
    for case in cases
]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "column", "value", "expected", "hint"),
    EVERY,
    ids=[f"{case[0]}: {case[2][:30]!r}" for case in EVERY],
)
def test_one_thing_wrong(folder, refused, file, old, new, line, column, value, expected, hint):
    edit(folder / file, (old, new))
    breaches = refused(folder)
    assert [(b.file, b.line, b.column, b.value) for b in breaches] == [(file, line, column, value)]
    assert expected in breaches[0].expected
    assert hint in breaches[0].hint
    shown = str(breaches[0])
    assert shown.startswith(f"{file}, line {line}" if line else file)
    assert repr(value) in shown if value else "found" not in shown


@pytest.mark.parametrize("file", ["dataset.yaml", "indicators.yaml", "units.csv", "observations.csv"])
def test_a_missing_file(folder, refused, file):
    (folder / file).unlink()
    (breach,) = refused(folder)
    assert (breach.file, breach.line) == (file, 0)
    assert breach.expected in ("the file to be there", "at least one file of observations")
    assert breach.hint


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("observations.csv", "period"),
        ("observations.csv", "value"),
        ("units.csv", "parent"),
        ("outcomes.csv", "outcome"),
        ("goals.csv", "year"),
    ],
)
def test_a_missing_column(folder, refused, file, column):
    edit(folder / file, (f",{column}", f",{column}s"))
    (breach,) = refused(folder)
    assert (breach.file, breach.line, breach.column) == (file, 1, column)
    assert breach.expected == f"a column called {column!r}"
    assert f"{column}s" in breach.hint


def test_a_column_twice(folder, refused):
    edit(folder / "observations.csv", ("value,known_on", "value,value"))
    (breach,) = refused(folder)
    assert (breach.line, breach.column, breach.expected) == (1, "value", "each column once")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_separator(folder, refused, mark):
    path = folder / "observations.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", mark), encoding="utf-8")
    breaches = refused(folder)
    assert {breach.column for breach in breaches} == {"unit", "period", "indicator", "value"}
    assert {breach.hint for breach in breaches} == {"Columns are to be separated by commas."}


def test_no_header_and_no_rows(folder, refused):
    path = folder / "observations.csv"
    path.write_text("unit,period,indicator,value\n", encoding="utf-8")
    (breach,) = refused(folder)
    assert (breach.file, breach.expected) == ("observations.csv", "at least one row")
    path.write_text("", encoding="utf-8")
    (breach,) = refused(folder)
    assert (breach.line, breach.expected) == (1, "a header line")
    for name in ("units.csv", "outcomes.csv", "goals.csv"):
        write_valid(folder)
        (folder / name).write_text("", encoding="utf-8")
        assert {(b.file, b.line) for b in refused(folder)} == {(name, 1)}


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_no_folder_or_an_empty_one(tmp_path, store, make):
    make(tmp_path / "bank")
    before = store.versions()
    with pytest.raises(LoadlineError, match=r"the folder is empty|there is no such folder") as caught:
        ingest(tmp_path / "bank", store)
    assert "dataset.yaml" in caught.value.hint
    assert caught.value.where.endswith("bank")
    assert store.versions() == before


class TestTree:
    def test_a_cycle(self, folder, refused):
        add(folder / "units.csv", "A,C,a,x,,,", "B,A,b,x,,,", "C,B,c,x,,,")
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.column) == ("units.csv", 5, "parent")
        assert breach.value == "A -> C -> B -> A"
        assert breach.expected == "a tree: no unit above itself"
        assert breach.hint == "Break the circle."

    def test_a_unit_that_is_its_own_parent(self, folder, refused):
        add(folder / "units.csv", "A,A,a,x,,,")
        assert [(b.line, b.value) for b in refused(folder)] == [(5, "A -> A")]

    def test_a_cycle_in_one_period_only(self, folder, refused):
        add(folder / "units.csv", "A,HQ,a,x,,2023-12-31,", "A,B,a,x,2024-01-01,,", "B,A,b,x,,,")
        (breach,) = refused(folder)
        assert (breach.column, breach.value) == ("parent", "A -> B -> A")

    def test_two_roots_with_one_name(self, folder, refused):
        add(folder / "units.csv", "HQ2,,Bank,hq,,,")
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.column, breach.value) == ("units.csv", 5, "name", "Bank")
        assert breach.expected == "roots with different names"

    def test_overlapping_places(self, folder, refused):
        add(folder / "units.csv", "S,N,South,branch,2023-12-01,,")
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.column, breach.value) == ("units.csv", 5, "unit", "S")
        assert breach.expected == "each unit once at a time"
        assert "do not overlap" in breach.hint

    def test_a_unit_twice(self, folder, refused):
        add(folder / "units.csv", "N,HQ,North,branch,,,")
        assert [(b.line, b.column, b.value) for b in refused(folder)] == [(5, "unit", "N")]

    def test_a_place_that_ends_before_it_begins(self, folder, refused):
        edit(folder / "units.csv", ("N,HQ,North,branch,,", "N,HQ,North,branch,2024-05-01,2024-04-30"))
        (breach,) = refused(folder)
        assert (breach.line, breach.column, breach.value) == (3, "valid_to", "2024-04-30")

    def test_a_unit_may_not_outlive_its_parent(self, folder, refused):
        edit(folder / "units.csv", ("N,HQ,North,branch,,", "N,HQ,North,branch,,2023-12-31"))
        add(folder / "units.csv", "N1,N,North one,branch,,,")
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.column, breach.value) == ("units.csv", 5, "parent", "N")
        assert breach.expected == "a parent that lasts as long as the unit"

    def test_places_one_after_the_other_are_allowed(self, folder, tmp_path):
        add(folder / "units.csv", "S,N,South,branch,2024-01-01,,")
        assert len(open_dataset(folder).tree.spells) == 4


class TestParquet:
    @pytest.mark.parametrize(
        ("changed", "column", "value", "hint"),
        [
            ({"value": [1.0, float("nan")]}, "value", "nan", "Leave the row out"),
            ({"value": [1.0, float("inf")]}, "value", "inf", "not observed"),
            ({"value": [1.0, None]}, "value", "nan", "Leave the row out"),
            ({"value": ["1.0", "two"]}, "value", "two", "digits"),
            ({"unit": ["N", None]}, "unit", "", "Leave no cell of this column blank"),
            ({"unit": ["N", "X"]}, "unit", "X", "Add it to units.csv"),
            ({"unit": [7, 8]}, "unit", "7", "Add it to units.csv"),
            ({"period": ["2024-03", "2024"]}, "period", "2024", "frequency is M"),
            ({"known_on": ["2024-03-01", "soon"]}, "known_on", "soon", "Leave it blank"),
            ({"period": [date(2024, 3, 1), date(2024, 4, 1)]}, "period", "2024-03-01", "frequency is M"),
        ],
        ids=str,
    )
    def test_a_value_that_does_not_fit(self, folder, refused, changed, column, value, hint):
        parquet(folder, **changed)
        breaches = refused(folder)
        breach = breaches[-1] if value not in ("7", "2024-03-01") else breaches[0]
        assert (breach.file, breach.column) == ("observations-more.parquet", column)
        assert breach.line == (1 if value in ("7", "2024-03-01") else 2)
        assert breach.value.startswith(value)
        assert hint in breach.hint

    @pytest.mark.parametrize(
        "changed",
        [
            {"value": pa.array([[1.0], [2.0]])},
            {"value": pa.array([True, False])},
            {"unit": pa.array([["N"], ["N"]])},
            {"unit": pa.array([{"a": 1}, {"a": 2}])},
            {"unit": pa.array([b"\xff", b"N"])},
            {"known_on": pa.array([["2024-01-01"], None])},
            {"period": pa.array([b"\xff\xfe", b"N"])},
            {"value": pa.array([b"1", b"2"])},
        ],
        ids=lambda changed: " ".join(f"{name} {column.type}" for name, column in changed.items()),
    )
    def test_a_column_of_a_kind_that_no_table_has(self, folder, refused, changed):
        parquet(folder, **changed)
        breach = refused(folder)[0]
        assert (breach.file, breach.column) == ("observations-more.parquet", next(iter(changed)))
        assert breach.expected

    def test_text_that_is_not_utf_8(self, folder, refused):
        bad = pa.Array.from_buffers(
            pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 3], np.int32)), pa.py_buffer(b"N\xff\xfe")]
        )
        parquet(folder, unit=bad)
        breach = refused(folder)[0]
        assert breach.file == "observations-more.parquet"

    @pytest.mark.parametrize(
        "value",
        [
            pa.array([2**60 + 1, 2]),
            pa.array([2**63 + 1, 2], pa.uint64()),
            pa.array([1.5, 2], pa.float32()),
            pa.array(["1.50", "2"]).cast(pa.decimal128(20, 2)),
            pa.array(["+1.5", " 2. "], pa.large_string()),
            pa.array(["1e3", ".5"]).dictionary_encode(),
        ],
        ids=lambda value: str(value.type),
    )
    def test_numbers_of_several_kinds_are_allowed(self, folder, value):
        parquet(folder, value=value)
        assert len(open_dataset(folder).observations.files) == 2

    def test_a_missing_column(self, folder, refused):
        parquet(folder, value=None)
        (breach,) = refused(folder)
        assert (breach.file, breach.column) == ("observations-more.parquet", "value")

    def test_a_truncated_file(self, folder, refused):
        path = parquet(folder)
        path.write_bytes(path.read_bytes()[:-10])
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.expected) == ("observations-more.parquet", 0, "a whole Parquet file")
        assert "cut short or damaged" in breach.hint

    def test_a_column_name_that_is_no_text(self, folder, refused):
        path = parquet(folder)
        path.write_bytes(path.read_bytes().replace(b"indicator", b"indic\x80tor"))
        (breach,) = refused(folder)
        assert (breach.file, breach.expected) == ("observations-more.parquet", "a whole Parquet file")

    def test_a_key_that_is_in_a_csv_file_as_well(self, folder, refused):
        parquet(folder, period=["2024-03", "2024-02"])
        (breach,) = refused(folder)
        assert (breach.file, breach.line, breach.value) == ("observations.csv", 5, "N, 2024-02, LOANS")


class TestText:
    @pytest.mark.parametrize("file", ["observations.csv", "units.csv", "dataset.yaml"])
    @pytest.mark.parametrize(("encoding", "hint"), [("gbk", "GBK"), ("utf-16", "UTF-16")])
    def test_another_encoding(self, folder, refused, file, encoding, hint):
        path = folder / file
        text = path.read_text(encoding="utf-8").replace("North", "北方").replace("N,2024-02,SC", "北,2024-02,SC")
        path.write_bytes(text.encode(encoding))
        (breach,) = refused(folder)
        assert (breach.file, breach.expected) == (file, "UTF-8 text")
        assert breach.line == 1 if encoding == "utf-16" else breach.line == {"o": 6, "u": 3, "d": 3}[file[0]]
        assert hint in breach.hint

    @pytest.mark.parametrize("file", sorted(FILES))
    def test_a_byte_order_mark_is_allowed(self, folder, file):
        path = folder / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert open_dataset(folder).description.name == "bank"

    def test_windows_line_ends_are_allowed_and_counted(self, folder, refused):
        for name in FILES:
            path = folder / name
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert open_dataset(folder).tree.attributes.loc["N", "level"] == "branch"
        text = (folder / "observations.csv").read_bytes().replace(b"LOANS,110", b"LOANS,x")
        (folder / "observations.csv").write_bytes(text)
        assert [(b.line, b.value) for b in refused(folder)] == [(5, "x")]

    @pytest.mark.parametrize("blank", ["\n", "\r\n", "  \n", "\n\n\n"])
    def test_blank_lines_are_allowed_and_counted(self, folder, refused, blank):
        edit(
            folder / "observations.csv",
            ("N,2024-01,NPL", f"{blank}N,2024-01,NPL"),
            ("N,2024-02,SC", f"{blank}N,2024-02,SC"),
        )
        assert open_dataset(folder)
        edit(folder / "observations.csv", ("SCORE,71.5", "SCORE,x"))
        assert [(b.line, b.value) for b in refused(folder)] == [(6 + 2 * blank.count("\n"), "x")]

    def test_no_line_end_at_the_end_is_allowed(self, folder, refused):
        path = folder / "observations.csv"
        path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
        assert open_dataset(folder)
        edit(path, ("LOANS,300", "LOANS,x"))
        assert [(b.line, b.value) for b in refused(folder)] == [(7, "x")]

    def test_quotes_around_values_are_allowed(self, folder):
        edit(folder / "units.csv", ("North", '"North, ""old"" part"'))
        edit(folder / "observations.csv", ("N,2024-02,LOANS", '"N","2024-02",LOANS'))
        assert open_dataset(folder).tree.attributes.loc["N", "name"] == 'North, "old" part'

    def test_old_macintosh_line_ends(self, folder, refused):
        path = folder / "observations.csv"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
        breaches = refused(folder)
        assert {breach.file for breach in breaches} == {"observations.csv"}
        assert "line" in breaches[0].expected

    def test_an_endless_line(self, folder, refused):
        with open(folder / "observations.csv", "ab") as stream:
            stream.write(b"N" * (17 * 2**20))
        (breach,) = refused(folder)
        assert breach.file == "observations.csv"
        assert "lines of at most" in breach.expected


class TestGzip:
    @pytest.fixture
    def path(self, folder) -> Path:
        content = (folder / "observations.csv").read_bytes()
        (folder / "observations.csv").unlink()
        path = folder / "observations.csv.gz"
        path.write_bytes(gzip.compress(content))
        return path

    def test_is_read_like_the_plain_file(self, folder, path, tmp_path):
        assert ingest(folder, Store(tmp_path / "store")).added == 6

    @pytest.mark.parametrize("spoil", [lambda b: b[:-12], lambda b: b[:30] + b"xxxx" + b[34:], lambda b: b"not gzip"])
    def test_damaged(self, folder, path, refused, spoil):
        path.write_bytes(spoil(path.read_bytes()))
        breach = refused(folder)[-1]
        assert (breach.file, breach.line, breach.expected) == ("observations.csv.gz", 0, "a whole gzip file")
        assert breach.hint == "It is cut short or damaged: export it again."

    def test_a_bomb(self, folder, path, refused, monkeypatch):
        monkeypatch.setattr("features.reading.BOMB_FLOOR", 2**16)
        with gzip.open(path, "wb", compresslevel=9) as stream:
            stream.write(b"unit,period,indicator,value\n")
            for _ in range(10):
                stream.write(b"N,2024-01,LOANS," + b" " * 2**19 + b"1\n")
        breach = refused(folder)[0]
        assert (breach.file, breach.line) == ("observations.csv.gz", 0)
        assert breach.expected == "a file that unpacks to at most 200 times its size"
        assert breach.hint == "Store it as plain CSV or as Parquet."


class TestFolder:
    @pytest.mark.parametrize("file", ["units.csv", "observations.csv", "dataset.yaml", "policy.yaml"])
    def test_a_link_that_leads_out(self, folder, refused, tmp_path, file):
        (folder / file).rename(tmp_path / file)
        (folder / file).symlink_to(tmp_path / file)
        (breach,) = refused(folder)
        assert (breach.file, breach.expected) == (file, "a file inside the dataset's folder")
        assert breach.hint == "It is a link that leads out."

    def test_a_link_inside_is_allowed(self, folder):
        (folder / "observations.csv").rename(folder / "real.csv")
        (folder / "observations.csv").symlink_to("real.csv")
        assert open_dataset(folder)

    def test_a_link_to_itself(self, folder, refused):
        (folder / "units.csv").unlink()
        (folder / "units.csv").symlink_to("units.csv")
        assert {breach.file for breach in refused(folder)} == {"units.csv"}

    @pytest.mark.parametrize("file", sorted(FILES))
    def test_a_folder_where_a_file_belongs(self, folder, refused, file):
        (folder / file).unlink()
        (folder / file).mkdir()
        assert {breach.file for breach in refused(folder)} == {file}

    @pytest.mark.parametrize("file", sorted(FILES))
    def test_a_pipe_where_a_file_belongs_is_not_waited_for(self, folder, refused, file):
        (folder / file).unlink()
        os.mkfifo(folder / file)
        assert {breach.file for breach in refused(folder)} == {file}


class TestYaml:
    def test_a_bomb(self, folder, refused):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
        (folder / "policy.yaml").write_text("\n".join(lines), encoding="utf-8")
        (breach,) = refused(folder)
        assert (breach.file, breach.expected) == ("policy.yaml", "at most 200,000 entries")
        assert breach.hint == "Aliases multiply: write it out."

    @pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 50_000, "- " * 50_000, "a: &a [*a]", "? " * 20_000])
    def test_endless_nesting(self, folder, refused, text):
        (folder / "policy.yaml").write_text(text, encoding="utf-8")
        (breach,) = refused(folder)
        assert breach.file == "policy.yaml"

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("a: [1, 2\nb: 3\n", 2),
            ("a: 1\n\tb: 2\n", 2),
            ("a: !!python/object/apply:os.system ['true']\n", 1),
            ("a: 2024-13-45\n", 0),
            ("a: *nobody\n", 1),
            ("- 1\n- 2\n", 1),
            ("just words\n", 1),
            ("a: 1\n---\nb: 2\n", 2),
            ("? [a, b]\n: 1\n", 1),
        ],
    )
    def test_broken(self, folder, refused, text, line):
        (folder / "policy.yaml").write_text(text, encoding="utf-8")
        (breach,) = refused(folder)
        assert (breach.file, breach.line) == ("policy.yaml", line)
        assert breach.hint

    @pytest.mark.parametrize("text", ["2024-01-01: x\n", "a: !!binary gIGC\n", "a: !!set {b, c}\n", "null: 1\n"])
    def test_odd_keys_and_values_do_not_fail_later(self, folder, tmp_path, text):
        for name in ("policy.yaml", "dataset.yaml"):
            write_valid(folder)
            add(folder / name, text)
            with suppress(DatasetError):
                ingest(folder, Store(tmp_path / name))

    def test_too_large(self, folder, refused):
        (folder / "policy.yaml").write_text("# " + "x" * 5 * 2**20, encoding="utf-8")
        (breach,) = refused(folder)
        assert (breach.file, breach.expected) == ("policy.yaml", "at most 4,194,304 bytes")

    def test_no_indicators(self, folder, refused):
        for text in ("", "indicators: []\n", "indicators: {code: R01}\n", "indikators:\n- code: R01\n"):
            (folder / "indicators.yaml").write_text(text, encoding="utf-8")
            (breach,) = refused(folder)
            assert (breach.file, breach.line, breach.column) == ("indicators.yaml", 1, "indicators")
            assert breach.expected == "a list called `indicators`"


def test_a_denominator_without_figures(folder, refused):
    edit(folder / "indicators.yaml", ("denominator: LOANS", "denominator: SALES"))
    add(folder / "indicators.yaml", "- code: SALES")
    (breach,) = refused(folder)
    assert (breach.file, breach.line, breach.column, breach.value) == ("indicators.yaml", 12, "denominator", "SALES")
    assert "Add its observations" in breach.hint


def test_a_repeated_outcome_and_goal(folder, refused):
    add(folder / "outcomes.csv", "N,2024-01,downgrade,1")
    add(folder / "goals.csv", "HQ,SCORE,2025,81")
    assert [(b.file, b.line, b.column, b.value) for b in refused(folder)] == [
        ("goals.csv", 3, "unit, indicator, year", "HQ, SCORE, 2025"),
        ("outcomes.csv", 3, "unit, period, outcome, known_on", "N, 2024-01, downgrade, "),
    ]


def test_several_breaches_come_together_in_order(folder, refused):
    edit(
        folder / "observations.csv",
        ("N,2024-01,NPL,2", "N,2024-01,NPL,two"),
        ("N,2024-02,LOANS,110", "X,2024-00,LOANZ,"),
        ("SCORE,71.5,", "SCORE,171.5"),
        ("S,2023-12", "S,2023-12-31"),
    )
    edit(folder / "goals.csv", ("HQ,SCORE", "S,SCORE"))
    edit(folder / "outcomes.csv", ("downgrade,0", "downgrade,0.5"))
    assert [(b.file, b.line, b.column) for b in refused(folder)] == [
        ("goals.csv", 2, "unit"),
        ("observations.csv", 3, "value"),
        *[("observations.csv", 5, column) for column in ("unit", "period", "indicator", "value")],
        ("observations.csv", 6, ""),
        ("observations.csv", 7, "period"),
        ("outcomes.csv", 2, "value"),
    ]


def test_endless_repetitions_are_counted_not_listed(folder, refused, store):
    add(folder / "observations.csv", *[f"N,2024-03,SCORE,{i + 101}," for i in range(5000)])
    with pytest.raises(DatasetError) as caught:
        open_dataset(folder)
    assert caught.value.total == 5000
    assert len(caught.value.breaches) == LISTED_PER_KIND
    assert "5,000 places" in caught.value.what


def test_as_many_unknown_names_as_rows_are_not_waited_for(folder, refused):
    parquet(
        folder,
        unit=[f"account {i}" for i in range(200_000)],
        period=["2024-03"] * 200_000,
        indicator=[f"I{i}" for i in range(200_000)],
        value=["?"] * 200_000,
    )
    with pytest.raises(DatasetError) as caught:
        open_dataset(folder)
    assert caught.value.total == 600_000


def test_a_file_given_twice_is_not_waited_for(folder, refused):
    path = parquet(
        folder,
        unit=["N"] * 300_000,
        period=[f"{1900 + i // 12 % 250}-{i % 12 + 1:02d}" for i in range(300_000)],
        indicator=["LOANS"] * 300_000,
        value=np.ones(300_000),
    )
    with pytest.raises(DatasetError) as caught:
        open_dataset(folder)
    assert caught.value.total == 300_000 - 3000 + 2
    first = next(breach for breach in caught.value.breaches if breach.file == path.name)
    assert first.expected == "each key once"


def test_a_long_or_unprintable_value_is_shown_short(folder, refused):
    edit(folder / "observations.csv", ("N,2024-02,LOANS", "\x1b[31m" + "N" * 500 + ",2024-02,LOANS"))
    (breach,) = refused(folder)
    assert len(breach.value) == 60
    assert breach.value.isprintable()


def test_a_history_that_is_contradicted_stores_nothing(folder, store):
    before = store.versions()
    edit(folder / "units.csv", ("S,HQ,South,branch,,2023-12-31,N\n", ""))
    edit(folder / "observations.csv", ("S,2023-12,LOANS,300,\n", ""))
    with pytest.raises(LoadlineError, match="lacks 1 units that the store knows: S"):
        ingest(folder, store)
    assert store.versions() == before


FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.sampled_from(
    [*"\r\n\t,;\"'[]{}:&*!|>%@`#-?\0\x1a\u2028\ufeff", '""', "\r\n", ",,", "nan", "1e400", "0000-00", "~", "<<", "- "]
)


def opens_or_refuses(folder: Path) -> None:
    """Check that a folder is taken or refused, and that what is taken can be stored."""
    with suppress(LoadlineError):
        dataset = open_dataset(folder)
        assert dataset.definitions
        assert sum(len(chunk) for chunk in dataset.observations.chunks()) > 0


@FUZZ
@given(file=st.sampled_from(sorted(FILES)), content=st.binary(max_size=300))
def test_any_bytes_for_a_file(file, content, tmp_path_factory):
    folder = write_valid(tmp_path_factory.mktemp("fuzz"))
    (folder / file).write_bytes(content)
    opens_or_refuses(folder)


@FUZZ
@given(
    file=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=4) | TEXTS.map(str.encode)), max_size=4
    ),
)
def test_any_change_to_a_file(file, changes, tmp_path_factory):
    folder = write_valid(tmp_path_factory.mktemp("fuzz"))
    content = (folder / file).read_bytes()
    for place, gone, new in changes:
        at = int(place * len(content))
        content = content[:at] + new + content[at + gone :]
    (folder / file).write_bytes(content)
    opens_or_refuses(folder)


@FUZZ
@given(
    name=st.sampled_from(["observations-x.parquet", "observations-x.csv.gz"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 40),
)
def test_any_damage_to_a_binary_file(name, changes, cut, tmp_path_factory):
    folder = write_valid(tmp_path_factory.mktemp("fuzz"))
    if name.endswith("gz"):
        content = gzip.compress((folder / "observations.csv").read_bytes(), mtime=0)
        (folder / "observations.csv").unlink()
    else:
        content = parquet(folder).read_bytes()
        (folder / "observations-more.parquet").unlink()
    spoiled = bytearray(content)
    for place, byte in changes:
        spoiled[int(place * len(spoiled))] = byte
    (folder / name).write_bytes(spoiled[: len(spoiled) - cut])
    opens_or_refuses(folder)


@FUZZ
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=6) | st.integers() | st.dates(), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    where=st.sampled_from(
        [
            ("dataset.yaml", "title"),
            ("dataset.yaml", "more"),
            ("indicators.yaml", "indicators"),
            ("indicators.yaml", 3),
            ("indicators.yaml", "bounds"),
            ("indicators.yaml", "code"),
            ("policy.yaml", "levels"),
        ]
    ),
)
def test_any_document_in_place_of_a_part(document, where, tmp_path_factory):
    folder = write_valid(tmp_path_factory.mktemp("fuzz"))
    file, part = where
    whole = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    if part == 3:
        whole["indicators"][3] = document
    elif part in ("bounds", "code"):
        whole["indicators"][3][part] = document
    else:
        whole[part] = document
    (folder / file).write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    opens_or_refuses(folder)
