"""A database, an Excel book and a lake lead into the same checks as a folder, and into the same figures."""

from __future__ import annotations

import logging
import sqlite3
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.connectors import open_source, stage, stage_excel, stage_parquet, stage_sql
from features.dataset import Dataset, open_dataset
from features.errors import DatasetError, LoadlineError
from features.periods import Calendar
from features.source_spec import SourceSpec, read_spec
from features.source_sql import READ_ONLY, SqlSource, check_query
from features.spelling import column_of, scaled, spell, spell_period, translated
from features.store import Store

NOW = datetime(2025, 3, 1, tzinfo=UTC)
DESCRIPTION = {
    "contract": 1,
    "name": "bank",
    "title": {"en": "Bank", "zh": "银行"},
    "frequency": "M",
    "source": "warehouse",
    "licence": "internal",
}
INDICATORS: list[dict[str, Any] | str] = [
    "LOANS",
    "NPL",
    "不良率",
    {
        "code": "SCORE",
        "name": {"en": "Score", "zh": "评分"},
        "unit": "points",
        "direction": "higher",
        "kind": "level",
        "perspective": "customer",
        "bounds": [0, 100],
    },
]
UNITS = [("0001", "", "Bank", "hq"), ("0002", "0001", "North", "branch"), ("0003", "0001", "South, old", "branch")]
OBSERVATIONS = [
    ("0002", "2024-01", "LOANS", 100.0),
    ("0002", "2024-01", "NPL", 2.0),
    ("0002", "2024-01", "R01", 2.0),
    ("0003", "2024-01", "LOANS", 300.0),
    ("0003", "2024-01", "NPL", 3.0),
    ("0003", "2024-01", "R01", 1.0),
    ("0002", "2024-02", "LOANS", 110.0),
    ("0003", "2024-02", "SCORE", 71.5),
]


def spec_of(**tables: Any) -> SourceSpec:
    return SourceSpec.model_validate({"description": DESCRIPTION, "indicators": INDICATORS, **tables})


SQL = {
    "units": {
        "sql": "SELECT * FROM org",
        "columns": {"机构号": "unit", "上级": "parent", "机构名称": "name", "级别": "level"},
    },
    "observations": {
        "sql": "SELECT 机构号, 期间, 指标, 数值 FROM fact",
        "columns": {"机构号": "unit"},
    },
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE org (机构号 TEXT, 上级 TEXT, 机构名称 TEXT, 级别 TEXT)")
        connection.executemany("INSERT INTO org VALUES (?, ?, ?, ?)", [(u, p or None, n, v) for u, p, n, v in UNITS])
        connection.execute("CREATE TABLE fact (机构号 TEXT, 期间 TEXT, 指标 TEXT, 数值 NUMERIC)")
        rows = [(u, p.replace("-", ""), i.replace("R01", "不良贷款率"), v) for u, p, i, v in OBSERVATIONS]
        connection.executemany("INSERT INTO fact VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return path


def change(database: Path, *statements: str) -> None:
    with sqlite3.connect(database) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def figures(dataset: Dataset) -> list[tuple[str, str, str, float]]:
    """List what a dataset holds, sorted."""
    found = []
    codes = list(dataset.observations.indicators)
    for chunk in dataset.observations.chunks():
        for unit, period, indicator, value in zip(chunk.unit, chunk.period, chunk.indicator, chunk.value, strict=True):
            name = str(dataset.tree.codes[unit])
            found.append((name, dataset.description.calendar.format(period), codes[indicator], float(value)))
    return sorted(found)


def book_of(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)  # pyright: ignore[reportArgumentType]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def refused(call, *arguments: Any, **named: Any) -> list[tuple[str, int, str, str]]:
    """Give the places of the breaches for which something is refused."""
    with pytest.raises(DatasetError) as caught:
        call(*arguments, **named)
    return [(b.file, b.line, b.column, b.value) for b in caught.value.breaches]


DATASET_SHEET = [
    *[["contract", 1], ["name", "bank"], ["title_en", "Bank"], ["title_zh", "银行"]],
    *[["frequency", "M"], ["fiscal_year_end_month", 12.0], ["source", "book"], ["licence", "internal"]],
]
INDICATOR_SHEET = [
    ["code", "name_en", "name_zh", "aliases", "unit", "direction", "kind", "perspective", "bounds", "core"],
    ["LOANS"],
    ["NPL"],
    ["不良率"],
    ["SCORE", "Score", "评分", "得分|总分", "points", "higher", "level", "customer", "0, 100", False],
]


class TestSql:
    def test_leads_to_the_same_figures_as_a_folder(self, database, tmp_path):
        dataset = open_source(f"sqlite:///{database}", spec_of(**SQL), tmp_path / "staged")
        assert figures(dataset) == sorted(OBSERVATIONS)
        assert dataset.units["level"].tolist() == ["hq", "branch", "branch"]
        assert dataset.tree.attributes.loc["0003", "name"] == "South, old"
        version = Store(tmp_path / "store").ingest(dataset, now=NOW)
        assert (version.added, version.units) == (len(OBSERVATIONS), 3)
        assert Store(tmp_path / "store").snapshot().panel().values["SCORE"][1, 2] == 71.5

    def test_a_breach_names_the_row_of_the_query_and_its_column(self, database, tmp_path):
        change(
            database,
            "UPDATE fact SET 数值 = 'n/a' WHERE rowid = 2",
            "UPDATE fact SET 机构号 = '0009' WHERE rowid = 5",
            "UPDATE org SET 上级 = '0007' WHERE rowid = 3",
        )
        broken_tree = refused(open_source, f"sqlite:///{database}", spec_of(**SQL), tmp_path / "a")
        assert broken_tree == [("query of units", 3, "上级", "0007")]
        change(database, "UPDATE org SET 上级 = '0001' WHERE rowid = 3")
        found = refused(open_source, f"sqlite:///{database}", spec_of(**SQL), tmp_path / "b")
        assert found == [
            ("query of observations", 2, "数值", "n/a"),
            ("query of observations", 5, "机构号", "0009"),
        ]

    def test_null_is_an_empty_value_in_a_long_table(self, database, tmp_path):
        change(database, "UPDATE fact SET 数值 = NULL WHERE rowid = 4")
        found = refused(open_source, f"sqlite:///{database}", spec_of(**SQL), tmp_path / "staged")
        assert [place[:3] for place in found] == [("query of observations", 4, "数值")]

    def test_a_wide_table_with_nulls_and_a_description_folder(self, database, tmp_path):
        folder = tmp_path / "about"
        folder.mkdir()
        (folder / "dataset.yaml").write_text(
            "contract: 1\nname: bank\ntitle: {en: B, zh: 行}\nfrequency: Q\nsource: s\nlicence: l\n", encoding="utf-8"
        )
        (folder / "indicators.yaml").write_text("indicators:\n- code: LOANS\n- code: R01\n", encoding="utf-8")
        (folder / "units.csv").write_text("unit,parent,name\nA,,A\nB,A,B\n", encoding="utf-8")
        change(
            database,
            "CREATE TABLE wide (机构 TEXT, 报告日 TEXT, 各项贷款余额 REAL, 不良率 REAL, 备注 TEXT)",
            "INSERT INTO wide VALUES ('B', '2024-03-31', 10.5, NULL, 'x'), ('B', '2024-06-30', 11, 1.25, NULL)",
        )
        table = {"sql": "SELECT * FROM wide", "wide": True, "columns": {"报告日": "period", "各项贷款余额": "LOANS"}}
        spec = SourceSpec.model_validate({"description": folder, "observations": table})
        dataset = open_source(f"sqlite:///{database}", spec, tmp_path / "staged")
        assert figures(dataset) == [
            ("B", "2024-Q1", "LOANS", 10.5),
            ("B", "2024-Q2", "LOANS", 11.0),
            ("B", "2024-Q2", "R01", 1.25),
        ]
        assert "query of observations: column '备注' is no indicator and was passed over" in dataset.notes

    def test_a_breach_in_a_wide_table_names_its_column(self, database, tmp_path):
        change(database, "CREATE TABLE wide (unit, period, 得分)", "INSERT INTO wide VALUES ('0002', 202401, 'many')")
        change(database, "INSERT INTO wide VALUES ('0003', 202401, 120)")
        table = {"sql": "SELECT * FROM wide", "wide": True, "columns": {"得分": "SCORE"}}
        spec = spec_of(units=SQL["units"], observations=table)
        found = refused(open_source, f"sqlite:///{database}", spec, tmp_path / "staged")
        assert found == [("query of observations", 1, "得分", "many"), ("query of observations", 2, "得分", "120")]

    def test_an_unknown_indicator_of_a_wide_table_is_refused_once(self, database, tmp_path):
        table = {"sql": SQL["observations"]["sql"], "wide": True, "columns": {"机构号": "unit", "数值": "SCOER"}}
        with pytest.raises(DatasetError) as caught:
            stage_sql(f"sqlite:///{database}", spec_of(units=SQL["units"], observations=table), tmp_path / "staged")
        (breach,) = caught.value.breaches
        assert (breach.column, breach.value, breach.hint) == ("数值", "SCOER", "Known: SCORE.")

    def test_without_a_list_the_indicators_are_those_of_the_library_in_the_data(self, database, tmp_path):
        change(database, "DELETE FROM fact WHERE 指标 = 'SCORE'")
        spec = spec_of(**SQL).model_copy(update={"indicators": None})
        dataset = open_source(f"sqlite:///{database}", spec, tmp_path / "staged")
        assert set(dataset.indicators) == {"LOANS", "NPL", "R01"}

    def test_decimals_days_and_numbers_as_codes(self, tmp_path):
        source, spec = tmp_path / "lake", spec_of(units={"parquet": "units"}, observations={"parquet": "facts"})
        for name in ("units", "facts"):
            (source / name).mkdir(parents=True)
        pq.write_table(pa.table({"unit": [1, 2], "parent": [None, 1], "name": ["a", "b"]}), source / "units/u.parquet")
        facts = {
            "unit": pa.array([2, 2], pa.int32()),
            "period": pa.array([date(2024, 1, 31), date(2024, 2, 29)]),
            "indicator": pa.array(["LOANS", "LOANS"]).dictionary_encode(),
            "value": pa.array([Decimal("10.25"), Decimal("11.50")], pa.decimal128(18, 2)),
            "known_on": pa.array([datetime(2024, m, 10, 8, tzinfo=UTC) for m in (2, 3)], pa.timestamp("us")),
        }
        pq.write_table(pa.table(facts), source / "facts/f.parquet")
        dataset = stage_parquet(source, spec, tmp_path / "staged").open()
        assert figures(dataset) == [("2", "2024-01", "LOANS", 10.25), ("2", "2024-02", "LOANS", 11.5)]
        (chunk,) = [chunk for chunk in dataset.observations.chunks() if len(chunk)]
        assert [date(1970, 1, 1).toordinal() + int(day) for day in chunk.known_on] == [
            date(2024, 2, 10).toordinal(),
            date(2024, 3, 10).toordinal(),
        ]

    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM fact",
            "SELECT 1; DROP TABLE fact",
            "WITH gone AS (DELETE FROM fact RETURNING *) SELECT * FROM gone",
            "SELECT * INTO copy_of FROM fact",
            "/* SELECT */ UPDATE fact SET 数值 = 0",
            "-- SELECT\nDROP TABLE fact",
            "SELECT 1 /*! ; DROP TABLE fact */",
            "PRAGMA writable_schema = 1",
            "ATTACH DATABASE 'other.db' AS other",
            "SELECT * FROM fact FOR UPDATE",
            "",
            "-- nothing",
        ],
    )
    def test_only_a_query_is_run(self, database, tmp_path, sql):
        before = database.read_bytes()
        table = {"sql": sql or " "}
        with pytest.raises(LoadlineError, match="quer") as caught:
            stage_sql(f"sqlite:///{database}", spec_of(units=table, observations=table), tmp_path / "staged")
        assert caught.value.where == "sql of units"
        assert database.read_bytes() == before

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 'DROP TABLE; it''s -- text' AS a, \"update\" FROM fact -- don't; delete",
            "  with x as (select 1 as a) select a, replace('a', 'b', 'c') from x ; ",
            "/* all; */ VALUES (1)",
            "select $$; drop$$ as a",
        ],
    )
    def test_words_in_quotes_and_comments_do_no_harm(self, sql):
        assert check_query(sql, where="") == sql.strip().rstrip(";").strip()

    def test_the_connection_itself_cannot_write(self, database):
        source = SqlSource(f"sqlite:///{database}")
        with source._connected() as connection, pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("DELETE FROM fact")
        assert {"mysql", "oracle"} <= set(READ_ONLY)

    def test_a_missing_file_is_not_made(self, tmp_path):
        with pytest.raises(LoadlineError, match="no such SQLite file"):
            stage_sql(f"sqlite:///{tmp_path}/none.db", spec_of(**SQL), tmp_path / "staged")
        assert not (tmp_path / "none.db").exists()

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql+psycopg2://reader:s3cr%40t@127.0.0.1:1/dw",
            "mysql+pymysql://reader:s3cr%40t@127.0.0.1:1/dw?ssl_key=s3cr%40t",
            "nonsense://reader:s3cr%40t@host/dw",
            "postgresql://reader:s3cr%40t@host:s3cr@t/dw",
            "mssql+pyodbc://?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cr%40t",
        ],
    )
    def test_a_password_is_never_shown(self, url, tmp_path, caplog):
        caplog.set_level(logging.DEBUG)
        with pytest.raises(LoadlineError) as caught:
            stage_sql(url, spec_of(**SQL), tmp_path / "staged")
        shown = f"{caught.value} {caught.value!r} {caplog.text}"
        assert "s3cr" not in shown
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_a_password_in_the_drivers_own_words_is_hidden(self, database):
        source = SqlSource(f"sqlite:///{database}")
        source._secrets = ["s3cr@t", "s3cr%40t"]
        error = source._failed("failed", RuntimeError("no login with s3cr@t or s3cr%40t"))
        assert error.what == "failed: no login with *** or ***"

    def test_a_missing_driver_is_named_with_its_package(self, tmp_path):
        pytest.importorskip("sqlalchemy")
        try:
            import psycopg2  # noqa: F401  # pyright: ignore[reportMissingModuleSource]
        except ImportError:
            with pytest.raises(LoadlineError, match="driver psycopg2 is not installed") as caught:
                stage_sql("postgresql+psycopg2://u:p@h/d", spec_of(**SQL), tmp_path / "staged")
            assert "psycopg2-binary" in caught.value.hint
        else:
            pytest.skip("the driver is installed here")

    def test_a_failing_query_says_which_and_why(self, database, tmp_path):
        spec = spec_of(units={"sql": "SELECT missing FROM org"}, observations=SQL["observations"])
        with pytest.raises(LoadlineError, match="query of units failed: no such column: missing"):
            stage_sql(f"sqlite:///{database}", spec, tmp_path / "staged")

    def test_a_missing_column_lists_those_there_are(self, database, tmp_path):
        spec = spec_of(units=SQL["units"], observations={"sql": "SELECT 机构号 AS unit, 指标, 数值 FROM fact"})
        with pytest.raises(DatasetError) as caught:
            stage_sql(f"sqlite:///{database}", spec, tmp_path / "staged")
        (breach,) = caught.value.breaches
        assert (breach.file, breach.column) == ("query of observations", "period")
        assert breach.hint == "Its columns are: unit, 指标, 数值."

    def test_per_cent_signs_and_colons_reach_the_database_as_they_are(self, database, tmp_path):
        sql = "SELECT 机构号 AS unit, 期间, 指标, 数值 FROM fact WHERE 指标 LIKE '%S' AND ':x' <> '12:30'"
        spec = spec_of(units=SQL["units"], observations={"sql": sql})
        dataset = open_source(f"sqlite:///{database}", spec, tmp_path / "staged")
        assert {row[2] for row in figures(dataset)} == {"LOANS"}

    def test_memory_does_not_grow_with_the_result(self, database, tmp_path, monkeypatch):
        monkeypatch.setattr("features.source_sql.ROWS_AT_ONCE", 5_000)
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
            "SELECT '0002' AS unit, '2024-01' AS period, 'LOANS' AS indicator, i * 1.0 AS value FROM n"
        )
        peaks = []
        for last in (15_000, 60_000):
            spec = spec_of(units=SQL["units"], observations={"sql": endless.format(last=last)})
            tracemalloc.start()
            stage_sql(f"sqlite:///{database}", spec, tmp_path / str(last))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.3 * peaks[0]


class TestExcel:
    def test_a_book_with_the_contracts_sheets_just_works(self, tmp_path):
        book = book_of(
            tmp_path / "book.xlsx",
            dataset=DATASET_SHEET,
            indicators=INDICATOR_SHEET,
            units=[["unit", "parent", "name", "level"], *map(list, UNITS)],
            observations=[["unit", "period", "indicator", "value"], *map(list, OBSERVATIONS)],
        )
        dataset = open_source(book, None, tmp_path / "staged")
        assert figures(dataset) == sorted(OBSERVATIONS)
        assert dataset.indicators["SCORE"].aliases == ("得分", "总分")
        assert dataset.indicators["SCORE"].bounds == (0, 100)
        assert dataset.description.fiscal_year_end_month == 12

    def test_a_book_in_chinese_just_works(self, tmp_path):
        titles = {"数据集": DATASET_SHEET, "指标": INDICATOR_SHEET}
        titles["机构"] = [["机构", "上级机构", "名称", "级别"], *map(list, UNITS)]
        titles["数据"] = [["机构", "期间", "指标", "数值"], *map(list, OBSERVATIONS)]
        dataset = stage(str(book_of(tmp_path / "book.xlsx", **titles)), None, tmp_path / "staged").open()
        assert figures(dataset) == sorted(OBSERVATIONS)

    def test_values_as_excel_stores_them(self, tmp_path):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "数据"
        rows = [
            ["机构", "期间", "指标", "数值"],
            [2, date(2024, 1, 31), "R01", 0.0153],
            [2.0, date(2024, 2, 1), "R01", 1.53],
            [2, 202403, "LOANS", 0.5],
            [None, None, None, None],
            [2, 202404.0, "LOANS", "12.5"],
        ]
        for row in rows:
            sheet.append(row)
        for row in range(2, 7):
            sheet.cell(row, 1).number_format = "0000"
        sheet["D2"].number_format = "0.00%"
        sheet["D4"].number_format = "0%"
        for unit in (["unit", "parent", "name"], ["0001", None, "Bank"], ["0002", "0001", "North\nbranch"]):
            book["units" if "units" in book.sheetnames else book.create_sheet("units").title].append(unit)
        book.save(tmp_path / "book.xlsx")
        spec = spec_of(units={"sheet": "units"}, observations={"sheet": "数据"})
        dataset = stage_excel(tmp_path / "book.xlsx", spec, tmp_path / "staged").open()
        assert figures(dataset) == [
            ("0002", "2024-01", "R01", 1.53),
            ("0002", "2024-02", "R01", 1.53),
            ("0002", "2024-03", "LOANS", 0.5),
            ("0002", "2024-04", "LOANS", 12.5),
        ]
        assert dataset.tree.attributes.loc["0002", "name"] == "North branch"
        taken = [note for note in dataset.notes if "percentage" in note]
        assert taken == [
            "book.xlsx, sheet 数据, 数值: shown as a percentage, so taken as shown: 1.53% as 1.53 (1 cells)",
            "book.xlsx, sheet 数据, 数值: shown as a percentage, but the indicator is not in %: "
            "1.53% taken as 0.0153 (1 cells)",
        ]

    def test_error_cells_uncalculated_formulas_and_other_breaches_come_together(self, tmp_path):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "数据"
        rows = [
            ["月报"],
            ["机构", "期间", "指标", "数值"],
            ["0002", "2024-01", "LOANS", "#DIV/0!"],
            ["0002", "2024-02", "LOANS", "=SUM(A1:A2)"],
            [],
            ["0002", "2024-03", "LOANS", "twelve"],
            ["0009", "2024-03", "LOANS", 1],
        ]
        for row in rows[1:]:
            sheet.append(row)
        sheet.insert_rows(1, 2)
        units = book.create_sheet("units")
        for row in (["unit", "parent", "name"], ["0001", None, "#REF!"], ["0002", "0001", "North"]):
            units.append(row)
        book.save(tmp_path / "book.xlsx")
        spec = spec_of(units={"sheet": "Units "}, observations={"sheet": "数据"})
        found = refused(open_source, tmp_path / "book.xlsx", spec, tmp_path / "staged")
        assert found == [
            ("book.xlsx, sheet units", 2, "name", "#REF!"),
            ("book.xlsx, sheet 数据", 4, "数值", "#DIV/0!"),
            ("book.xlsx, sheet 数据", 5, "数值", "=SUM(A1:A2)"),
            ("book.xlsx, sheet 数据", 7, "数值", "twelve"),
            ("book.xlsx, sheet 数据", 8, "机构", "0009"),
        ]

    def test_breaches_of_the_describing_sheets_name_their_rows(self, tmp_path):
        sheets = {
            "units": [["unit", "parent", "name"], ["A", None, "A"]],
            "observations": [["unit", "period", "indicator", "value"], ["A", "2024-01", "LOANS", 1]],
        }
        wrong = [*DATASET_SHEET[:4], ["frequency", "weekly"], *DATASET_SHEET[5:]]
        book = book_of(tmp_path / "a.xlsx", dataset=wrong, **sheets)
        assert refused(stage, book, None, tmp_path / "a") == [("a.xlsx, sheet dataset", 5, "frequency", "weekly")]
        book = book_of(
            tmp_path / "b.xlsx", dataset=DATASET_SHEET, indicators=[["code"], ["LOANS"], ["LOAMS"]], **sheets
        )
        found = refused(open_source, book, None, tmp_path / "b")
        assert found == [("b.xlsx, sheet indicators", 3, "code", "LOAMS")]

    def test_a_wide_sheet(self, tmp_path):
        rows = [["机构", "年", "月", "贷款余额", "得分"], ["0002", 2024, 1, 10, None], ["0003", 2024, "2", "", 70]]
        book = book_of(tmp_path / "b.xlsx", units=[["unit", "parent", "name", "level"], *map(list, UNITS)], 宽表=rows)
        table = {"sheet": "宽表", "wide": True, "columns": {"贷款余额": "LOANS", "得分": "评分"}}
        dataset = open_source(book, spec_of(units={"sheet": "units"}, observations=table), tmp_path / "staged")
        assert figures(dataset) == [("0002", "2024-01", "LOANS", 10.0), ("0003", "2024-02", "SCORE", 70.0)]

    def test_a_missing_sheet_lists_those_there_are(self, tmp_path):
        book = book_of(tmp_path / "book.xlsx", dataset=DATASET_SHEET, units=[["unit", "parent", "name"]])
        with pytest.raises(LoadlineError, match="no sheet called 'observations'"):
            stage_excel(book, None, tmp_path / "a")
        with pytest.raises(LoadlineError, match="no sheet 'facts'") as caught:
            stage_excel(book, spec_of(observations={"sheet": "facts"}), tmp_path / "b")
        assert caught.value.hint == "Its sheets are: dataset, units."

    def test_what_is_no_book_is_said_to_be_none(self, tmp_path):
        for name, content in {
            "text": b"unit,parent\n",
            "old": b"\xd0\xcf\x11\xe0" + bytes(600),
            "cut": book_of(tmp_path / "whole.xlsx", a=[[1]]).read_bytes()[:-200],
            "empty": b"",
        }.items():
            book = tmp_path / f"{name}.xlsx"
            book.write_bytes(content)
            with pytest.raises(LoadlineError, match=r"Excel book|xls book"):
                stage_excel(book, None, tmp_path / "staged")

    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
    def test_entities_in_the_xml_are_refused(self, tmp_path, part):
        book = tmp_path / "good.xlsx"
        with xlsxwriter.Workbook(book) as written:  # as Excel does, it keeps texts in a part of their own
            written.add_worksheet("units").write(0, 0, "unit")
            written.add_worksheet("observations").write(0, 0, "unit")
        attack = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"> ]>'
        with zipfile.ZipFile(book) as old, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as new:
            for name in old.namelist():
                content = old.read(name)
                declared = content.find(b"?>") + 2
                new.writestr(name, content[:declared] + attack + content[declared:] if name == part else content)
        with pytest.raises(LoadlineError, match=r"cannot be read as an Excel book.*entit"):
            stage_excel(tmp_path / "bad.xlsx", None, tmp_path / "staged")

    def test_a_zip_bomb_is_refused_before_it_is_unpacked(self, tmp_path):
        book = tmp_path / "bomb.xlsx"
        with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", bytes(100 * 2**20))
        with pytest.raises(LoadlineError, match="unpacks to 104,857,600 bytes"):
            stage_excel(book, None, tmp_path / "staged")

    def test_a_row_far_below_the_last_is_refused_rather_than_counted_to(self, tmp_path):
        book = book_of(tmp_path / "good.xlsx", dataset=DATASET_SHEET, units=[["unit"]], observations=[["unit"], ["A"]])
        with zipfile.ZipFile(book) as old, zipfile.ZipFile(tmp_path / "far.xlsx", "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, content.replace(b'r="2"', b'r="2000000000"') if "sheet3" in name else content)
        spec = spec_of(units={"sheet": "observations", "columns": {}}, observations={"sheet": "observations"})
        with pytest.raises(DatasetError):
            stage_excel(tmp_path / "far.xlsx", spec, tmp_path / "staged")

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        part=st.none() | st.sampled_from(["xl/worksheets/sheet4.xml", "xl/workbook.xml", "xl/styles.xml"]),
        damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    )
    def test_a_damaged_book_raises_nothing_else(self, part, damage, tmp_path_factory):
        folder = tmp_path_factory.mktemp("damaged")
        book = book_of(
            folder / "a.xlsx",
            dataset=DATASET_SHEET,
            indicators=INDICATOR_SHEET,
            units=[["unit", "parent", "name", "level"], *map(list, UNITS)],
            observations=[["unit", "period", "indicator", "value"], *map(list, OBSERVATIONS)],
        )
        if part is None:
            (folder / "b.xlsx").write_bytes(damaged(book.read_bytes(), damage))
        else:
            with zipfile.ZipFile(book) as old, zipfile.ZipFile(folder / "b.xlsx", "w") as new:
                for name in old.namelist():
                    content = old.read(name)
                    new.writestr(name, damaged(content, damage) if name == part else content)
        with suppress(LoadlineError):
            assert len(open_source(folder / "b.xlsx", None, folder / "staged").indicators) == 4


def damaged(content: bytes, damage: list[tuple[float, int]]) -> bytes:
    changed = bytearray(content)
    for place, byte in damage:
        changed[int(place * len(changed))] = byte
    return bytes(changed)


class TestParquet:
    def test_a_partitioned_lake(self, tmp_path):
        lake = tmp_path / "lake"
        for (unit, period, indicator, value), number in zip(OBSERVATIONS, range(100), strict=False):
            year, month = period.split("-")
            folder = lake / "facts" / f"year={year}" / f"month={int(month)}" / f"ind={indicator}"
            folder.mkdir(parents=True, exist_ok=True)
            table = pa.table({"branch": [unit], "v": pa.array([value], pa.float32() if number % 2 else pa.float64())})
            pq.write_table(table, folder / f"part-{number}.parquet")
        (lake / "facts" / "_temporary").mkdir()
        (lake / "facts" / "_temporary" / "part.parquet").write_bytes(b"half written")
        pq.write_table(pa.table(dict(zip("upnl", zip(*UNITS, strict=True), strict=True))), lake / "units.parquet")
        columns = {"u": "unit", "p": "parent", "n": "name", "l": "level"}
        spec = spec_of(
            units={"parquet": "units.parquet", "columns": columns},
            observations={"parquet": "facts", "columns": {"branch": "unit", "ind": "indicator", "v": "value"}},
        )
        dataset = stage(lake, spec, tmp_path / "staged").open()
        assert figures(dataset) == sorted(OBSERVATIONS)

    def test_a_wide_lake_names_file_row_and_column_of_a_breach(self, tmp_path):
        lake = tmp_path / "lake"
        (lake / "wide" / "period=2024-01").mkdir(parents=True)
        (lake / "wide" / "period=2024-02").mkdir()
        first = {"unit": ["0002", "0003"], "各项贷款": [1.0, None], "得分": [None, 50]}
        second = {"unit": ["0002", "0003"], "各项贷款": [2.0, 3.0], "得分": [None, 101]}
        pq.write_table(pa.table(first), lake / "wide" / "period=2024-01" / "a.parquet")
        pq.write_table(pa.table(second), lake / "wide" / "period=2024-02" / "b.parquet")
        (lake / "units").mkdir()
        pq.write_table(
            pa.table({"unit": ["0001", "0002", "0003"], "parent": ["", "0001", "0001"], "name": list("abc")}),
            lake / "units" / "u.parquet",
        )
        table = {"parquet": "wide", "wide": True, "columns": {"得分": "SCORE", "各项贷款": "LOANS"}}
        spec = spec_of(units={"parquet": "units"}, observations=table)
        found = refused(open_source, lake, spec, tmp_path / "staged")
        assert found == [("wide/period=2024-02/b.parquet", 2, "得分", "101")]

    def test_a_damaged_file_a_missing_folder_a_link_and_a_delta_table(self, tmp_path):
        lake = tmp_path / "lake"
        (lake / "units").mkdir(parents=True)
        pq.write_table(pa.table({"unit": ["A"], "parent": [""], "name": ["A"]}), lake / "units" / "u.parquet")
        whole = (lake / "units" / "u.parquet").read_bytes()
        (lake / "facts").mkdir()
        spec = spec_of(units={"parquet": "units"}, observations={"parquet": "facts"})
        with pytest.raises(LoadlineError, match=r"no \.parquet files"):
            stage_parquet(lake, spec, tmp_path / "a")
        (lake / "facts" / "f.parquet").write_bytes(whole[:-20])
        assert refused(stage_parquet, lake, spec, tmp_path / "b") == [("facts/f.parquet", 0, "", "")]
        (lake / "facts" / "f.parquet").unlink()
        (tmp_path / "outside.parquet").write_bytes(whole)
        (lake / "facts" / "f.parquet").symlink_to(tmp_path / "outside.parquet")
        assert refused(stage_parquet, lake, spec, tmp_path / "c") == [("f.parquet", 0, "", "")]
        outside = spec_of(units={"parquet": "units"}, observations={"parquet": "../other"})
        with pytest.raises(LoadlineError, match="leads out of the lake"):
            stage_parquet(lake, outside, tmp_path / "d")
        (lake / "facts" / "_delta_log").mkdir()
        with pytest.raises(LoadlineError, match="Delta table"):
            stage_parquet(lake, spec, tmp_path / "e")

    def test_numbers_and_texts_may_alternate(self, tmp_path):
        lake = tmp_path / "lake"
        (lake / "facts").mkdir(parents=True)
        for name, value in {"a": [1.5], "b": ["2.5"], "c": [3]}.items():
            table = {
                "unit": ["A"],
                "period": [f"2024-0{'abc'.index(name) + 1}"],
                "indicator": ["LOANS"],
                "value": value,
            }
            pq.write_table(pa.table(table), lake / "facts" / f"{name}.parquet")
        pq.write_table(pa.table({"unit": ["A"], "parent": pa.nulls(1), "name": ["A"]}), lake / "units.parquet")
        spec = spec_of(units={"parquet": "units.parquet"}, observations={"parquet": "facts"})
        dataset = open_source(lake, spec, tmp_path / "staged")
        assert [row[3] for row in figures(dataset)] == [1.5, 2.5, 3.0]


class TestSpec:
    def test_reads_yaml_with_a_folder_relative_to_it(self, tmp_path):
        (tmp_path / "spec.yaml").write_text(
            "description: about\nobservations: {sql: SELECT 1, columns: {机构: unit}}\n", encoding="utf-8"
        )
        spec = read_spec(tmp_path / "spec.yaml")
        assert spec.description == tmp_path / "about"
        assert spec.observations[0].columns == {"机构": "unit"}

    def test_a_wrong_specification_says_on_which_line(self, tmp_path):
        (tmp_path / "spec.yaml").write_text("description: about\nobservations:\n  query: SELECT 1\n", encoding="utf-8")
        with pytest.raises(DatasetError) as caught:
            read_spec(tmp_path / "spec.yaml")
        assert {breach.line for breach in caught.value.breaches} <= {2, 3}
        with pytest.raises(LoadlineError, match="no such file"):
            read_spec(tmp_path / "none.yaml")

    @pytest.mark.parametrize(
        "table",
        [
            {},
            {"sql": "SELECT 1", "sheet": "a"},
            {"sql": "SELECT 1", "columns": {"a": "unit", "b": "unit"}},
        ],
    )
    def test_a_table_comes_from_one_place(self, table):
        with pytest.raises(ValidationError):
            spec_of(observations=table)
        with pytest.raises(ValidationError, match="only observations"):
            spec_of(observations={"sql": "SELECT 1"}, units={"sql": "SELECT 1", "wide": True})

    def test_the_staging_folder_must_be_empty(self, database, tmp_path):
        (tmp_path / "staged").mkdir()
        (tmp_path / "staged" / "observations.csv").write_text("unit,period,indicator,value\n", encoding="utf-8")
        with pytest.raises(LoadlineError, match="not empty"):
            stage_sql(f"sqlite:///{database}", spec_of(**SQL), tmp_path / "staged")

    def test_what_is_staged_is_an_ordinary_dataset_folder(self, database, tmp_path):
        staged = stage_sql(f"sqlite:///{database}", spec_of(**SQL), tmp_path / "staged")
        assert figures(open_dataset(staged.folder)) == sorted(OBSERVATIONS)
        assert staged.source == f"sqlite:///{database}"

    @pytest.mark.parametrize("source", ["nowhere", "table.csv", "sqlite:///x.db"])
    def test_what_is_no_source(self, source, tmp_path):
        with pytest.raises(LoadlineError, match=r"no source of data|needs a specification"):
            stage(source, None, tmp_path / "staged")


@given(
    ordinal=st.integers(1950 * 12, 2090 * 12),
    frequency=st.sampled_from(["A", "Q", "M"]),
    fiscal_end=st.integers(1, 12),
    form=st.sampled_from(["text", "last day", "first day", "noon of the last day", "ISO text"]),
)
def test_a_period_is_known_by_its_days(ordinal, frequency, fiscal_end, form):
    calendar = Calendar(frequency, fiscal_end)
    ordinal //= 12 // calendar.per_year
    text = calendar.format(ordinal)
    end = calendar.end(ordinal)
    forms = {
        "text": text,
        "last day": end,
        "first day": calendar.start(ordinal),
        "noon of the last day": datetime(end.year, end.month, end.day, 12, tzinfo=UTC),
        "ISO text": end.isoformat(),
    }
    assert spell_period(forms[form], calendar) == text


@given(st.decimals(-1000, 1000, places=6))
def test_a_percentage_is_scaled_without_dust(share):
    assert scaled(float(share), 100) == float(share * 100)
    assert np.isclose(scaled(float(share), 1), float(share))


@given(
    st.lists(
        st.none()
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.text()
        | st.datetimes()
        | st.decimals(allow_nan=False)
    )
)
def test_a_column_keeps_each_value_whatever_stands_beside_it(values):
    shown = translated(column_of(values), spell).to_pylist()
    kinds = {type(value) for value in values} - {type(None)}
    if kinds in ({int, float}, {Decimal}):
        numbers = [None if value is None else float(value) for value in values]
        assert [None if not text else float(text) for text in shown] == pytest.approx(numbers, nan_ok=True)
    else:
        assert shown == [spell(value) for value in values]


@pytest.mark.parametrize("kind", ["sql", "excel", "parquet"])
def test_a_real_dataset_is_the_same_by_whichever_way_it_comes(kind, tmp_path):
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "br-states-npl"
    if not folder.is_dir():
        pytest.skip("the public dataset br-states-npl is not beside the project")
    direct = open_dataset(folder)
    (file,) = direct.observations.files
    frame = pd.read_csv(file, dtype={"unit": str, "period": str}, keep_default_na=False)
    wide = frame.pivot_table(index=["unit", "period"], columns="indicator", values="value").reset_index()
    source: str | Path = tmp_path / "lake"
    if kind == "sql":
        with sqlite3.connect(tmp_path / "a.db") as connection:
            frame.to_sql("facts", connection, index=False)
        connection.close()
        source, table = f"sqlite:///{tmp_path}/a.db", {"sql": "SELECT * FROM facts ORDER BY rowid DESC"}
    elif kind == "excel":
        source, table = tmp_path / "a.xlsx", {"sheet": "Sheet1", "wide": True}
        wide.to_excel(source, index=False, engine="xlsxwriter")
    else:
        table = {"parquet": "facts", "wide": True}
        wide.to_parquet(tmp_path / "lake" / "facts", partition_cols=["period"])
    spec = SourceSpec.model_validate({"description": folder, "observations": table})
    staged = open_source(source, spec, tmp_path / "staged")
    assert figures(staged) == figures(direct)
