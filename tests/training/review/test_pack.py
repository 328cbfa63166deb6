"""The evidence pack: everything that is known, in both languages, and nothing in it that comes to life."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook
from review_record import BANK, REASON, alert, alerts, open_desk

from features.errors import LoadlineError
from features.indicators import Title
from training.review.acts import assign, decide, link, note, undo
from training.review.drawing import HEIGHT, WIDTH, draw
from training.review.facts import AlertFacts, Driver, Moment, Pattern, Series, TrackRecord
from training.review.pack import write_pack
from training.review.pack_page import page
from training.review.pack_words import SHEETS
from training.review.record import read_record

AT = datetime(2025, 1, 20, 9, tzinfo=UTC)
HOSTILE = "=cmd|'/c calc'!A1 <script>alert(\"1\")</script>"
KEY = "B01@2024-10"
MONTHS = ("2024-09", "2024-10", "2024-11", "2024-12")


def facts(**changes) -> AlertFacts:
    title = Title(en="Growth then delinquency", zh="高增后逾期")
    given = {
        "alert": KEY,
        "unit": "B01",
        "name": Title(en="East Street", zh="东街支行"),
        "period": "2024-12",
        "score": 0.93,
        "probability": 0.314,
        "severity": "red",
        "patterns": (
            Pattern(
                "W01",
                title,
                Title(en="Underwriting may have been loosened.", zh="授信标准可能放宽。"),
                Title(en="A portfolio was bought.", zh="受让存量资产组合。"),
                TrackRecord(
                    120,
                    80,
                    30,
                    0.375,
                    0.28,
                    0.48,
                    0.09,
                    7.0,
                    Title(en="better than chance here", zh="在本数据中优于随机"),
                ),
            ),
            Pattern("W03", Title(en="SM migration", zh="关注迁徙"), title, title),
        ),
        "series": (
            Series(title, "%", MONTHS, (1.0, 1.4, None, 2.1), (1.0, 1.1, 1.1, 1.2), 3.24, -1.0),
            Series(Title(en="Nothing known", zh="无数据"), "n", MONTHS, (None,) * 4, (None,) * 4),
        ),
        "drivers": (Driver(Title(en="Growth of loans", zh="贷款增速"), 12.34), Driver(title, -3.0)),
        "disturbances": (Title(en="merger", zh="机构合并"),),
        "history": (
            Moment("2024-11", 0.5, None, "amber", ("W01",), False),
            Moment("2024-12", 0.93, 0.3, "red", ("W01",), True),
        ),
        "about": {"dataset": BANK, "data_version": 3, "model_version": "warning-1", "known_on": "2025-01-10"},
    }
    return AlertFacts(**given | changes)


def reviewed_case(home: Path):
    desk = open_desk(home, table=alerts(alert("B01", severity="red"), alert("B02")))
    assign(desk, KEY, to="王芳", by="Ann", due=date(2025, 2, 1))
    note(desk, KEY, text=HOSTILE, by="Ann")
    link(desk, KEY, case="https://cases.example.com/?a=1&b=2", by="Ann")
    decide(desk, KEY, "dismissed", by="Bo", reason=REASON)
    undo(desk, KEY, by="Bo", reason="meant another branch")
    decide(desk, KEY, "confirmed", by="Bo")
    return read_record(home, BANK).cases[KEY]


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_page_tells_all_in_both_languages(tmp_path):
    shown = read(page(facts(), reviewed_case(tmp_path), at=AT)).text
    for words in (
        "East Street", "东街支行", KEY, "red", "红色", "31.4%", "0.930", "+12.3", "-3.0",
        "Growth then delinquency", "高增后逾期",
        "Underwriting may have been loosened.", "授信标准可能放宽。", "A portfolio was bought.", "受让存量资产组合。",
        "of 80 with a known outcome, 30", "37.5% (28.0% – 48.0%)", "against 9.0% of all",
        "Median lead time 7 months. Verdict: better than chance here.", "结论：在本数据中优于随机。",
        "no outcome of it is known yet", "尚无可核对的结果", "Against peers +3.2",
        "与自身历史相比-1.0", "merger", "机构合并",
        "王芳", "2025-02-01", HOSTILE, REASON, "undone later", "后已撤销", "warning-1", "2025-01-10", "confirmed 确认",
        "https://cases.example.com/?a=1&b=2",
    ):  # fmt: skip
        assert words in shown, words


def test_the_page_fetches_nothing_and_runs_nothing(tmp_path):
    hostile = Title(en=HOSTILE, zh=HOSTILE)
    series = Series(hostile, HOSTILE, tuple(HOSTILE + m for m in MONTHS), (1.0, 2.0, 3.0, 4.0), (1.0, 1.0, 1.0, 1.0))
    odd = facts(
        unit=HOSTILE, name=hostile, alert=HOSTILE, series=(series,), disturbances=(hostile,), about={"dataset": HOSTILE}
    )
    for text in (page(odd, reviewed_case(tmp_path), at=AT), page(odd, None, at=AT)):
        found = read(text)
        assert not {tag for tag, _ in found.tags} & {"script", "img", "link", "iframe", "object", "form"}
        assert not [name for _, names in found.tags for name in names if name.startswith("on") or name == "src"]
        assert {names["href"] for tag, names in found.tags if tag == "a"} <= {"https://cases.example.com/?a=1&b=2"}
        assert "url(" not in text
        assert "@import" not in text
        assert HOSTILE in found.text


def test_each_series_has_a_chart_where_there_is_something_to_draw(tmp_path):
    found = read(page(facts(), None, at=AT))
    charts = [names for tag, names in found.tags if tag == "svg"]
    assert [names["aria-label"] for names in charts] == ["Growth then delinquency 高增后逾期"]
    lines = [names for tag, names in found.tags if tag == "polyline"]
    assert [names["class"] for names in lines] == ["peers", "own"]


def test_no_word_claims_a_cause(tmp_path):
    text = page(facts(), reviewed_case(tmp_path), at=AT).lower()
    for word in ("because", "caused", "shap", "导致", "造成"):
        assert word not in text


def test_made_up_data_is_called_so():
    assert "Synthetic data." in page(facts(synthetic=True), None, at=AT)
    assert "Synthetic data." not in page(facts(), None, at=AT)


def cells(path: Path, sheet: str) -> list[list[object]]:
    return [[cell.value for cell in row] for row in load_workbook(path)[sheet].iter_rows()]


def test_the_book_has_its_sheets_and_figures(tmp_path):
    path = tmp_path / "pack.xlsx"
    write_pack(facts(), reviewed_case(tmp_path / "home"), path, at=AT)
    book = load_workbook(path)
    assert tuple(book.sheetnames) == SHEETS
    summary = {row[0]: row[2] for row in cells(path, SHEETS[0])}
    assert summary["Alert"] == KEY
    assert summary["Probability of deterioration"] == "31.4%"
    assert summary["Status"] == "confirmed 确认"
    figures = cells(path, SHEETS[1])
    assert [row[:3] for row in figures[4:8]] == [
        ["2024-09", 1, 1], ["2024-10", 1.4, 1.1], ["2024-11", None, 1.1], ["2024-12", 2.1, 1.2],
    ]  # fmt: skip
    assert figures[1][1] == 3.24
    patterns = cells(path, SHEETS[2])
    assert [row[0] for row in patterns[1:]] == ["W01", "W03"]
    assert "37.5%" in str(patterns[1][4])
    assert [row[0] for row in cells(path, SHEETS[3])[1:]] == ["2024-11", "2024-12"]
    review = cells(path, SHEETS[4])[1:]
    assert [row[3].split()[0] for row in review] == [
        "shown",
        "assigned",
        "note",
        "linked",
        "dismissed",
        "undone",
        "confirmed",
    ]
    assert review[2][4] == HOSTILE


def test_nothing_in_the_book_comes_to_life(tmp_path):
    path = tmp_path / "pack.xlsx"
    hostile = Title(en=HOSTILE, zh="@SUM(1)")
    series = Series(hostile, "=1", ("=1", "+1", "-1", "@1"), (1.0, 2.0, float("nan"), float("inf")), (None,) * 4)
    write_pack(
        facts(unit="=1+1", name=hostile, alert="=2", series=(series,)), reviewed_case(tmp_path / "home"), path, at=AT
    )
    with zipfile.ZipFile(path) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == len(SHEETS)
        for name in sheets:
            text = book.read(name).decode()
            assert "<f>" not in text
            assert "<hyperlink" not in text
        assert not [name for name in book.namelist() if "externalLink" in name]


@pytest.mark.parametrize("suffix", [".xlsx", ".html", ".HTML"])
def test_the_same_facts_give_the_same_file(tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        write_pack(facts(), None, path, at=AT)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted(path.name for path in paths)


def test_little_is_told_of_little(tmp_path):
    bare = AlertFacts("B09@2024-12", "B09", Title(en="B09", zh="B09"), "2024-12", 0.1)
    shown = read(page(bare, None, at=AT)).text
    assert "Nobody has written on it yet." in shown
    assert "–" in shown
    assert "Patterns" not in shown
    write_pack(bare, None, tmp_path / "bare.xlsx", at=AT)
    assert cells(tmp_path / "bare.xlsx", SHEETS[3])[1:] == []


@pytest.mark.parametrize(
    ("name", "words"), [("pack.pdf", "no evidence pack"), ("pack", "no evidence pack"), ("no/pack.xlsx", "folder")]
)
def test_an_unusable_place_is_answered_in_words(tmp_path, name, words):
    with pytest.raises(LoadlineError, match=words):
        write_pack(facts(), None, tmp_path / name, at=AT)
    assert list(tmp_path.iterdir()) == []


def test_lines_are_broken_where_figures_are_missing():
    known = Series(Title(en="x", zh="x"), "%", tuple("abcdef"), (1.0, 2.0, None, 5.0, None, 3.0), (None,) * 6)
    chart = draw(known)
    assert chart is not None
    assert len(chart.own) == 1
    assert len(chart.dots) == 2
    assert chart.last == chart.dots[-1]
    assert chart.peers == ()
    assert [level for _, level in chart.figures] == [1.0, 3.0, 5.0]
    points = [tuple(map(float, point.split(","))) for run in chart.own for point in run.split()] + list(chart.dots)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


@pytest.mark.parametrize("values", [(), (None,), (float("nan"),)])
def test_nothing_known_is_not_drawn(values):
    periods = tuple(str(place) for place in range(len(values)))
    assert draw(Series(Title(en="x", zh="x"), "%", periods, values, values)) is None


def test_one_figure_alone_and_level_lines_are_drawn():
    title = Title(en="x", zh="x")
    alone = draw(Series(title, "%", ("2024",), (3.0,), (None,)))
    assert alone is not None
    assert len(alone.dots) == 1
    level = draw(Series(title, "%", ("2023", "2024"), (3.0, 3.0), (3.0, 3.0)))
    assert level is not None
    assert len(level.figures) == 1


def test_a_series_that_does_not_match_is_refused():
    with pytest.raises(ValueError, match="one figure"):
        Series(Title(en="x", zh="x"), "%", ("2023", "2024"), (3.0,), (3.0,))


def test_every_text_has_chinese_and_english():
    import training.review.pack_words as words

    for group in (words.SEVERITY, words.ACTION, words.SUMMARY, words.ABOUT):
        for title in group.values():
            assert re.search(r"[a-zA-Z]", title.en)
            assert re.search(r"[\u4e00-\u9fff]", title.zh)
