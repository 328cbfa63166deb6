"""The alert pages as people see them: words beside colours, sums that add up, both languages, empty states, files."""

from __future__ import annotations

import csv
import gc
import io
import re
import weakref
from decimal import Decimal
from itertools import pairwise
from threading import Event

import openpyxl
import pytest
from alert_home import RISKY, RISKY_KEY, risky_advisor
from console_reader import Page, person_at, tables
from hypothesis import given
from hypothesis import strategies as st
from serving_home import HOSTILE_NAME, LAST_YEAR

from features.errors import LoadlineError
from serving.console.alert_chart import HEIGHT, WIDTH, draw_course
from serving.console.background import FRESH_SECONDS, Background
from serving.console.formats import LANGUAGES

YEAR = str(LAST_YEAR)
QUIET = str(LAST_YEAR - 4)
LI = "Li Ming"


def patient_person(advisor):
    """Sign a person in who waits until a page is computed."""
    person = person_at(advisor)
    person.app.state.background.patience = 300.0  # pyright: ignore[reportAttributeAccessIssue]
    return person


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return risky_advisor(tmp_path_factory.mktemp("risky"))


@pytest.fixture(scope="module")
def person(bank):
    return patient_person(bank)


def page_of(person, path: str, **asked) -> Page:
    answer = person.get(path, params={"lang": "en", **asked})
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "/alerts",
        "/alerts?severity=sampled",
        "/alerts?all=true&q=branch",
        f"/alerts?period={QUIET}",
        f"/alert?key={RISKY_KEY}",
        f"/alert?key={RISKY_KEY}&period={LAST_YEAR - 1}",
    ],
)
def test_pages_are_whole_and_load_nothing_from_elsewhere(person, path, language):
    answer = person.get(path + ("&" if "?" in path else "?") + f"lang={language}")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert not page.named("script")
    assert not page.named("img")
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    for jargon in ("SHAP", "Shapley", "because", "caused", "导致", "因为"):
        assert jargon not in page.text
    assert not re.search(r"\bnan\b|\bNone\b(?! of)|fitted-on-request", page.text)


def test_every_page_leads_to_the_alerts(person):
    assert "/alerts" in [entry["href"] for entry in page_of(person, "/units").named("a")]


def test_the_queue_says_in_words_what_is_to_be_done(person, bank):
    answer = person.get("/alerts", params={"lang": "en"})
    queue = bank.reviewing.queue()
    head, *rows = tables(answer.text)[0]
    assert head == ["Severity", "Unit", "Pattern", "Since", "Probability", "Status", "Assigned, due"]
    assert len(rows) == len(queue)
    assert rows[0][0].split()[-1] == queue["severity"].iloc[0]  # the word, and not the colour alone
    assert rows[-1][0].endswith("drawn from below the line")
    assert HOSTILE_NAME in rows[0][1]
    assert queue["title"].iloc[0] in rows[0][2]
    assert rows[0][3] == str(LAST_YEAR - 1)
    assert rows[0][5] == "new"
    page = Page(answer.text)
    assert "changes no score and no target" in page.text
    assert "expected to be mere chance, the aim is 20% at most" in page.text
    mine = [entry["href"] or "" for entry in page.named("a") if (entry["href"] or "").startswith("/alert?")]
    assert len(mine) == len(rows)
    for link in mine:
        assert person.get(link).status_code == 200


def test_every_detector_has_its_verdict(person, bank):
    answer = person.get("/alerts", params={"lang": "zh"})
    shown = {row[0].split(" · ")[0].split()[-1]: row[1] for row in tables(answer.text)[1][1:]}
    table = bank.watching.watch().track_record
    told = dict(zip(table["detector"], table["verdict_zh"], strict=True))
    assert len(shown) == len(told)
    assert sorted(shown.values()) == sorted(told.values())


def test_the_list_is_narrowed(person):
    def shown(**asked) -> int:
        found = tables(person.get("/alerts", params={"lang": "en", **asked}).text)
        return len(found[0]) - 1 if len(found) == 2 else 0

    assert shown() == 2
    assert shown(severity="sampled") == 1
    assert shown(q="a/b") == 1
    assert shown(status="new") == 2
    assert shown(status="dismissed") == 0
    assert "No alert fits" in page_of(person, "/alerts", q="nobody").text
    assert person.get("/alerts", params={"severity": "green"}).status_code == 422
    assert person.get("/alerts", params={"page": 0}).status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alert_is_told_with_figures_patterns_and_a_sum_that_adds_up(person, language):
    answer = person.get("/alert", params={"key": RISKY_KEY, "lang": language})
    found = tables(answer.text)
    amounts = [Decimal(row[1].replace(",", "")) for row in found[1][1:]]
    assert len(amounts) > 2
    assert sum(amounts[:-1]) == amounts[-1]
    assert len(found[0]) > 1  # patterns
    page = Page(answer.text)
    assert HOSTILE_NAME in page.text or language == "zh"
    charts = [entry for entry in page.named("svg") if entry["class"] == "course-chart"]
    assert charts
    assert [entry for entry in page.named("polyline") if entry["class"] == "own"]
    shaded = [entry for entry in page.named("rect") if entry["class"] == "listed"]
    assert len(shaded) == len(charts)
    assert all(float(entry["x"] or 0) > WIDTH / 2 for entry in shaded)  # the last two years of many
    assert ("false alarm" if language == "en" else "误报") in page.text
    moments = {row[0]: row[1] for row in found[2][1:]}
    assert moments[YEAR].split()[-1] in ("red", "amber", "红色", "橙色")
    assert moments[QUIET] in ("no", "否")


def test_a_unit_drawn_from_below_the_line_is_told_too(person, bank):
    queue = bank.reviewing.queue()
    drawn = str(queue.loc[queue["sampled"], "alert"].iloc[0])
    text = page_of(person, "/alert", key=drawn).text
    assert "drawn from below the line" in text
    assert "is not on the list for review" in text


def test_nothing_to_review_says_how_much_was_looked_at(person, empty):
    text = page_of(person, "/alerts", period=QUIET).text
    assert "Nothing to review" in text
    assert f"21 units were looked at in {QUIET}" in text
    assert f"As it stood at the end of {QUIET}" in text
    assert "loadline demo" in person_at(empty).get("/alerts").text
    assert "loadline demo" in person_at(empty).get("/alert?key=x@1").text
    assert person.get("/alerts?period=1999").status_code == 404
    assert person.get("/alert", params={"key": f"{RISKY}@1999"}).status_code == 404
    assert person.get("/alert").status_code == 422


def test_every_page_says_what_it_rests_on(person):
    for path in ("/alerts", f"/alert?key={RISKY_KEY}"):
        joint = "&" if "?" in path else "?"
        english = Page(person.get(f"{path}{joint}lang=en").text).text
        assert f"data version 1, known up to 31 Dec {LAST_YEAR}" in english
        assert "Outcomes are derived from later figures" in english
        assert f"数据截至{LAST_YEAR}年12月31日" in Page(person.get(f"{path}{joint}lang=zh").text).text


def test_files_hold_what_the_page_shows(person, bank):
    answer = person.get("/export/alerts.csv", params={"lang": "zh"})
    assert "synthetic" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"))))
    queue = bank.reviewing.queue()
    assert [row["alert"] for row in rows] == list(queue["alert"])
    assert rows[0]["title"] == queue["title_zh"].iloc[0]
    assert rows[0]["unit_name"] == "网点0"
    assert {row["dataset"] for row in rows} == {"hostile-bank (合成数据)"}
    assert {row["known_on"] for row in rows} == {f"{YEAR}-12-31"}
    book = person.get("/export/alerts.xlsx", params={"severity": "sampled"})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    assert sheet.max_row == 2
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert person.get("/export/alerts.exe").status_code == 422
    tag = answer.headers["etag"]
    assert person.get("/export/alerts.csv?lang=zh", headers={"If-None-Match": tag}).status_code == 304


def test_the_evidence_pack_is_handed_out_as_a_file(person):
    person.get("/alerts")
    page = person.get("/export/alert.html", params={"key": RISKY_KEY})
    assert page.status_code == 200
    assert page.headers["content-disposition"].startswith("attachment")
    assert "alert-A%2FB%402023-synthetic.html" in page.headers["content-disposition"]
    assert "<script" not in page.text.casefold()
    book = openpyxl.load_workbook(io.BytesIO(person.get("/export/alert.xlsx", params={"key": RISKY_KEY}).content))
    assert any(cell.value == RISKY_KEY for sheet in book for row in sheet.iter_rows() for cell in row)
    assert person.get("/export/alert.xlsx", params={"key": "nobody@2023"}).status_code == 404


def test_a_page_that_takes_long_says_so_and_asks_again(bank):
    person, held = person_at(bank), Event()
    background = Background(patience=0.0)
    background.soon("something else", held.wait)
    person.app.state.background = background  # pyright: ignore[reportAttributeAccessIssue]
    for path in ("/alerts", f"/alert?key={RISKY_KEY}"):
        answer = person.get(path, params={"lang": "en"} if "?" not in path else None)
        assert answer.status_code == 200
        assert answer.headers["refresh"] == "4"
        assert not tables(answer.text)
    held.set()
    background.patience = 300.0
    answer = person.get("/alerts", params={"lang": "en"})
    assert "refresh" not in answer.headers
    assert tables(answer.text)


def test_work_is_done_once_and_raises_where_it_is_collected():
    now, done, held = [0.0], [], Event()
    background = Background(patience=0.0, clock=lambda: now[0])

    def work() -> int:
        held.wait()
        done.append(1)
        return len(done)

    assert background.soon("sum", work) is None
    assert background.soon("sum", work) is None
    held.set()
    background.patience = 60.0
    assert background.soon("sum", work) == 1
    assert background.soon("sum", work) == 2  # collected, so the next asks anew

    def fail() -> int:
        raise LoadlineError("no figures")

    for _ in range(2):
        with pytest.raises(LoadlineError):
            background.soon("fail", fail)


def test_what_nobody_collected_in_time_is_made_again():
    now, done = [0.0], []
    background = Background(patience=0.0, clock=lambda: now[0])

    def work() -> int:
        done.append(1)
        return len(done)

    def left_alone(seconds: float) -> int | None:
        held = Event()
        background.patience = 0.0
        background.soon("before", held.wait)
        assert background.soon("sum", work) is None
        held.set()
        background.patience = 60.0
        assert background.soon("after", lambda: True)
        now[0] += seconds
        return background.soon("sum", work)

    assert left_alone(FRESH_SECONDS - 1) == 1
    assert left_alone(FRESH_SECONDS + 1) == 3


def test_what_nobody_collected_is_not_held_for_ever():
    class Result:
        pass

    now, held = [0.0], Event()
    background = Background(patience=0.0, clock=lambda: now[0])
    background.soon("before", held.wait)
    left = Result()
    gone = weakref.ref(left)
    assert background.soon("left", [left].pop) is None
    held.set()
    background.patience = 60.0
    assert background.soon("after", lambda: True)
    del left
    now[0] += FRESH_SECONDS + 1
    assert background.soon("another", lambda: True)
    gc.collect()
    assert gone() is None


FIGURES = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(FIGURES, st.data())
def test_charts_stay_within_their_box_and_break_where_there_is_no_figure(values, data):
    periods = [f"{2000 + place}" for place in range(len(values))]
    peers = data.draw(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=len(values), max_size=len(values)))
    listed = data.draw(st.sets(st.sampled_from(periods)))
    chart = draw_course(periods, values, peers, listed=listed)
    if all(value is None for value in values):
        assert chart is None
        return
    assert chart is not None
    pairs = sum(a is not None and b is not None for a, b in pairwise(values))
    assert sum(line.count(" ") for line in chart.own) == pairs
    known = sum(value is not None for value in values)
    assert sum(line.count(" ") + 1 for line in chart.own) + len(chart.dots) == known
    assert (chart.last is None) is (values[-1] is None)
    for line in (*chart.own, *chart.peers):
        for point in line.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    runs = sum(now in listed and (place == 0 or periods[place - 1] not in listed) for place, now in enumerate(periods))
    assert len(chart.listed) == runs
    for x, width in chart.listed:
        assert x >= 0
        assert 0 < width <= WIDTH - x + 0.1
    assert [text for _, _, text in chart.labels][-1] == periods[-1]
    assert all(0 <= x <= WIDTH for x, _, _ in chart.labels)
    assert [x for x, _, _ in chart.labels] == sorted({x for x, _, _ in chart.labels})
