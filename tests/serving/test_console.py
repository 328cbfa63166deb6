"""The console as people see it: both languages, empty states, hostile names, charts and exports."""

import csv
import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from console_reader import Page, person_at
from hypothesis import given
from hypothesis import strategies as st
from serving_home import BRANCHES, HOSTILE_NAME, LAST_YEAR, REGIONS, SILENT, advisor_at, write_dataset

import serving.console
from serving.console.chart import HEIGHT, WIDTH, draw
from serving.console.formats import LANGUAGES, Reader, decimals_of, preferred, read_wording

YEAR = LAST_YEAR + 1
HERE = Path(serving.console.__file__).parent


PAGES = ["/", "/units", "/units?q=branch&level=branch", "/unit?code=A/B", "/unit?code=ROOT", f"/unit?code={SILENT}"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_whole_and_load_nothing_from_elsewhere(browser, path, language):
    answer = browser.get(path, params={"lang": language} if "?" not in path else None)
    if "?" in path:
        answer = browser.get(f"{path}&lang={language}")
    assert answer.status_code == 200
    assert answer.headers["content-language"].startswith(language)
    page = Page(answer.text)
    assert page.named("html")[0]["lang"] == {"en": "en", "zh": "zh-CN"}[language]
    assert page.named("meta")[1]["name"] == "viewport"
    assert not page.named("script")
    assert not page.named("img")
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert not re.match(r"(?i)\s*(https?:|//|javascript:|data:)", attributes.get(name) or "")
    for entry in page.named("link"):
        assert browser.get(entry["href"]).status_code == 200
    assert "Synthetic" in answer.text or "合成数据" in answer.text


def test_every_link_of_the_console_leads_somewhere(browser):
    seen, waiting = set(), ["/", "/unit?code=N01"]
    while waiting and len(seen) < 40:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = browser.get(path)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            hrefs = [entry.get("href") or "" for entry in Page(answer.text).named("a")]
            waiting += [href for href in hrefs if href.startswith("/")]
    assert len(seen) > 20
    assert any("export" in path for path in seen)


def test_hostile_names_are_shown_as_text(browser):
    for path in ("/units", "/unit?code=A/B", "/unit?code=%3Cscript%3Ealert(1)%3C/script%3E", "/"):
        answer = browser.get(path)
        page = Page(answer.text)
        assert not page.named("script")
        assert not page.named("img")
        assert not page.named("b") or path == "/"
    assert HOSTILE_NAME in Page(browser.get("/unit?code=A/B&lang=en").text).text
    assert "Hostile <b>bank</b>" in Page(browser.get("/?lang=en").text).text


@pytest.mark.parametrize("value", ["<script>x</script>", '"><img src=x>', "{{ 7*7 }}", "'; drop table units", "%00"])
def test_hostile_searches_are_shown_as_text(browser, value):
    for parameters in ({"q": value}, {"level": value}, {"after": value}):
        answer = browser.get("/units", params=parameters)
        assert answer.status_code == 200
        page = Page(answer.text)
        assert not page.named("script")
        assert not page.named("img")
        assert "49" not in page.text
    missing = browser.get("/unit", params={"code": value})
    assert missing.status_code == 404
    assert not Page(missing.text).named("script")


def test_units_are_searched_by_code_and_by_both_names(browser):
    def found(**parameters: str) -> list[str]:
        links = [entry["href"] or "" for entry in Page(browser.get("/units", params=parameters).text).named("a")]
        return [link for link in links if link.startswith("/unit?")]

    assert len(found(q="n07")) == 1
    assert len(found(q="BRANCH 1")) > 1
    assert len(found(q="网点3")) == 1
    assert len(found(level="region")) == len(REGIONS)
    assert len(found(parent=REGIONS[1])) == len(BRANCHES[1::2])
    assert found(q="nothing like it") == []
    assert browser.get("/units", params={"q": "x" * 500}).status_code == 422


def test_a_units_page_says_everything_a_number_needs(browser, trained):
    row = trained.suggesting.suggestion("N01").set_index("indicator").loc["LOANS"]
    text = Page(browser.get("/unit?code=N01&lang=en").text).text
    for level in ("floor", "target", "stretch"):
        assert f"{row[level]:,.2f}".rstrip("0").rstrip(".") in text
    for word in ("85% likely", "60% likely", "20% likely", "CNY million", "higher is better", "lower is better"):
        assert word in text
    assert f"Model {row['model_version']}, policy {row['policy_version']}, data version 1" in text
    assert f"known up to 31 Dec {LAST_YEAR}" in text
    chinese = Page(browser.get("/unit?code=N01&lang=zh").text).text
    for word in (
        "基础",
        "目标",
        "挑战",
        "达成概率85%",
        "百万元",
        "越低越好",
        f"数据截至{LAST_YEAR}年12月31日",
        "贷款余额",
    ):
        assert word in chinese
    for jargon in ("SHAP", "quantile", "pinball", "recipe"):
        assert jargon not in text + chinese


def test_the_chart_ends_where_the_suggestion_starts(browser, trained):
    page = Page(browser.get("/unit?code=N01&lang=en").text)
    drawings = [entry for entry in page.named("svg") if entry.get("class") == "course"]
    assert len(drawings) == 2
    assert len(page.named("polygon")) == 2
    assert all(entry["role"] == "img" for entry in drawings)
    assert f"past years {LAST_YEAR - 9} to {LAST_YEAR}" in page.text
    from serving.directory import Directory

    history = Directory(trained.snapshot()).history("N01", ["LOANS", "NPL_RATIO", "GDP"])
    table = trained.suggesting.suggestion("N01").set_index("indicator")
    assert set(history) == {"LOANS", "NPL_RATIO"}
    for code, past in history.items():
        assert past[-1] == (LAST_YEAR, pytest.approx(table.loc[code, "last_actual"]))


def test_a_groups_chart_ends_where_its_suggestion_starts(trained):
    from serving.directory import Directory

    for unit in ("ROOT", *REGIONS):
        history = Directory(trained.snapshot()).history(unit, ["LOANS", "NPL_RATIO"])
        table = trained.suggesting.suggestion(unit).set_index("indicator")
        for code, past in history.items():
            assert past[-1] == (LAST_YEAR, pytest.approx(table.loc[code, "last_actual"]))


def test_before_any_data_every_page_says_what_to_run(empty):
    person = person_at(empty)
    for path in ("/", "/units", "/unit?code=x"):
        for language in LANGUAGES:
            answer = person.get(path, params={"lang": language} if "?" not in path else None)
            assert answer.status_code == 200
            assert "loadline demo" in answer.text


def test_without_a_model_the_pages_say_what_to_run(untrained):
    person = person_at(untrained)
    for path in ("/", "/unit?code=N01"):
        answer = person.get(path)
        assert answer.status_code == 200
        assert "loadline train" in answer.text


def test_units_and_years_without_a_suggestion_say_so(browser):
    for path in (f"/unit?code={SILENT}", "/unit?code=GONE", f"/unit?code=N01&year={YEAR + 3}"):
        text = Page(browser.get(path + "&lang=en").text).text
        assert "There is no suggestion for this unit and year" in text
    assert "ended with 2018" in Page(browser.get("/unit?code=GONE&lang=en").text).text


def test_people_get_pages_for_errors_and_programs_get_problems(browser, client):
    page = browser.get("/unit?code=nobody&lang=zh")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "没有该页面或机构" in page.text
    assert "sha256-" in page.headers["content-security-policy"]
    assert client.get("/unit?code=nobody").headers["content-type"] == "application/problem+json"
    assert browser.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"
    assert browser.get("/nothing").status_code == 404
    assert browser.get("/unit").status_code == 422
    assert browser.post("/units").status_code == 403


def test_the_style_of_error_pages_is_the_one_that_is_allowed(browser):
    import base64
    import hashlib

    page = browser.get("/nothing")
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]


def test_the_language_is_asked_for_remembered_or_preferred(trained):
    def title(person, **parameters: str) -> str:
        return person.get("/units", params=parameters).headers["content-language"]

    person = person_at(trained, **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert title(person) == "zh-CN"
    assert title(person, lang="en") == "en"
    assert title(person) == "en"
    assert title(person, lang="xx") == "en"
    assert title(person_at(trained)) == "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("ZH-Hans-CN", "zh"),
        ("fr,de", "en"),
        ("en;q=0.3,zh;q=0.9", "zh"),
        ("zh;q=0", "en"),
        (";;;q=,,\x00", "en"),
        ("*", "en"),
    ],
)
def test_accept_language(header, language):
    assert preferred(header) == language


def exported(browser, form: str, unit: str, **parameters: str):
    answer = browser.get(f"/export/targets.{form}", params={"code": unit, **parameters})
    assert answer.status_code == 200
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert "synthetic" in disposition
    return answer


def test_csv_export_is_the_advisors_table_with_formulas_inert(browser, trained):
    answer = exported(browser, "csv", "=1+1", lang="zh")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    table = trained.suggesting.suggestion("=1+1").set_index("indicator")
    assert [row["indicator"] for row in rows] == list(table.index)
    for row in rows:
        assert row["unit"] == "'=1+1"
        assert float(row["target"]) == table.loc[row["indicator"], "target"]
        assert row["known_on"] == f"{LAST_YEAR}-12-31"
        assert row["dataset"] == "hostile-bank (合成数据)"
    assert {row["indicator_name"] for row in rows} == {"贷款余额", "不良贷款率"}
    assert all("达成概率" in row["reason"] for row in rows)


def test_xlsx_export_holds_text_and_numbers_but_no_formula(browser, trained):
    answer = exported(browser, "xlsx", "=1+1", lang="en")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    names = [cell.value for cell in sheet[1]]
    table = trained.suggesting.suggestion("=1+1")
    assert sheet.max_row == len(table) + 1
    for number, row in enumerate(sheet.iter_rows(min_row=2), start=0):
        assert all(cell.data_type != "f" for cell in row)
        assert row[names.index("target")].value == table["target"].iloc[number]


def test_export_of_odd_names_and_forms(browser):
    name = exported(browser, "csv", "A/B").headers["content-disposition"]
    assert "A%2FB" in name
    assert "/" not in name.replace("A%2FB", "")
    assert browser.get("/export/targets.exe?code=N01").status_code == 422
    assert browser.get("/export/targets.csv?code=nobody").status_code == 404


def test_another_dataset_is_a_link_away(own_home, tmp_path):
    advisor = advisor_at(own_home)
    advisor.ingest(write_dataset(tmp_path / "other", name="other-bank"))
    person = person_at(advisor)
    assert "loadline train" in person.get("/").text
    page = Page(person.get("/?dataset=hostile-bank").text)
    assert "loadline train" not in page.text
    links = [entry["href"] or "" for entry in page.named("a")]
    assert "/units?dataset=hostile-bank" in links
    assert "/?dataset=other-bank" in links
    assert "likely" in person.get("/unit?code=N01&dataset=hostile-bank&lang=en").text


def test_every_text_is_there_in_both_languages_and_is_used():
    wording = read_wording()
    templates = {path.name: path.read_text(encoding="utf-8") for path in (HERE / "templates").iterdir()}
    used = {key for text in templates.values() for key in re.findall(r"""\bt\(["']([\w.]+)["'][,)]""", text)}
    assert used
    assert used <= set(wording)
    prefixes = ("error.", "state.", "component.", "measure.", "level.", "direction.", "evidence.", "version.", "unit.")
    prefixes += ("peer_group.", "targets_version.", "subject.", "decision.", "step.", "event.", "waits.")
    prefixes += ("described.", "proposal.", "who.")
    prefixes += ("appeal.kind.", "appeal.state.", "appeal.step.")
    prefixes += ("account.kind.", "role.")
    prefixes += (
        "action.",
        "plan.",
        "form.trouble.",
        "form.kind.",
        "form.move",
        "goals.",
        "import.trouble.",
        "import.problem.",
    )
    prefixes += ("audit.outcome.", "audit.finding.")
    prefixes += ("alert.to.", "alert.done.", "alert.trouble.")
    for key, text in wording.items():
        assert set(text) == set(LANGUAGES), key
        assert all(text.values()), key
        fields = [set(re.findall(r"\{(\w+)\}", text[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], key
        assert key in used or key.startswith(prefixes) or key in ("synthetic.short", "model.to"), f"nobody says {key}"
    for name, text in templates.items():
        bare = re.sub(r"(?s)\{[{%].*?[}%]\}|<pre>.*?</pre>|<!.*?>|<[^>]*>", "", text)
        assert not re.sub(r"CSV|XLSX|HTML|Markdown|UTC|SHA", "", re.sub(r"[^A-Za-z\u4e00-\u9fff]", "", bare)), (
            f"bare words in {name}"
        )


def test_numbers_and_dates():
    english, chinese = (Reader(language, read_wording()) for language in LANGUAGES)
    assert english.number(1234567.891, 2) == "1,234,567.89"
    assert english.number(None, 2) == "–"
    assert [english.percent(p) for p in (0.85, 0.9999, 1.0, 0.0, 0.004, None)] == [
        "85%",
        ">99%",
        ">99%",
        "<1%",
        "<1%",
        "–",
    ]
    assert english.date(date(2024, 3, 1)) == "1 Mar 2024"
    assert chinese.date(date(2024, 3, 1)) == "2024年3月1日"
    assert chinese.known("measure", "CNY m") == "百万元"
    assert chinese.known("measure", "furlong") == "furlong"
    assert chinese.name("Beijing", "北京") == "北京"
    assert chinese.name("Beijing", None) == "Beijing"


@given(st.lists(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)), min_size=1, max_size=4))
def test_decimals_tell_rounded_figures_in_full(values):
    decimals = decimals_of(values)
    assert decimals <= 9
    for value in values:
        assert float(f"{value:.{decimals}f}") == pytest.approx(value, abs=1e-6)


FIGURES = st.floats(-1e12, 1e12)


@given(
    st.lists(FIGURES, max_size=10),
    st.fixed_dictionaries({level: st.none() | FIGURES for level in ("floor", "target", "stretch")}),
)
def test_charts_stay_within_their_box(values, levels):
    history = [(2015 + place, value) for place, value in enumerate(values)]
    chart = draw(history, levels, year=2025)
    if not values:
        assert chart is None
        return
    assert chart is not None
    for x, y in (*chart.dots, *((mark.x, mark.y) for mark in chart.marks)):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(chart.marks) == sum(value is not None for value in levels.values())
    assert bool(chart.fan) is (levels["floor"] is not None and levels["stretch"] is not None)


def test_higher_figures_are_drawn_higher():
    chart = draw([(2022, 1.0), (2023, 2.0)], {"floor": 2.0, "target": 3.0, "stretch": 4.0}, year=2024)
    assert chart is not None
    heights = [y for _, y in chart.dots] + [mark.y for mark in chart.marks]
    assert heights == sorted(heights, reverse=True)
    assert chart.dots[0][0] < chart.dots[1][0] < chart.marks[0].x
