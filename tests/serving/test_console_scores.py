"""The score pages as people see them: sums that add up, both languages, empty states, hostile names, files."""

import csv
import io
import re
from decimal import Decimal
from itertools import pairwise

import openpyxl
import pytest
from console_reader import Page, person_at
from hypothesis import given
from hypothesis import strategies as st
from score_home import write_policy_file
from serving_home import BRANCHES, HOSTILE_NAME, LAST_YEAR, SILENT, advisor_at, write_dataset

from serving.console.formats import LANGUAGES
from serving.console.waterfall import BAR_WIDTH, TREND_HEIGHT, TREND_WIDTH, draw_trend, draw_waterfall
from serving.scoring import ScoreRequest

YEAR = str(LAST_YEAR)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """Data with a policy that came with it."""
    folder = tmp_path_factory.mktemp("bank")
    write_dataset(folder / "dataset")
    write_policy_file(folder / "dataset" / "policy.yaml")
    advisor = advisor_at(folder / "home")
    advisor.ingest(folder / "dataset")
    return advisor


@pytest.fixture(scope="module")
def person(bank):
    return person_at(bank)


def tables(html: str) -> list[list[list[str]]]:
    """Read the tables of a page: rows of cells as text."""
    found = []
    for table in re.findall(r"(?s)<table.*?</table>", html):
        rows = re.findall(r"(?s)<tr.*?</tr>", table)
        found.append([[Page(cell).text.strip() for cell in re.findall(r"(?s)<t[hd].*?</t[hd]>", row)] for row in rows])
    return found


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("against", ["last_year", "peers"])
@pytest.mark.parametrize("unit", ["A/B", "N01", "N07", "<script>alert(1)</script>"])
def test_both_sums_of_a_page_add_up_as_shown(person, unit, against, language):
    answer = person.get("/score", params={"code": unit, "period": YEAR, "against": against, "lang": language})
    assert answer.status_code == 200
    difference, lines = tables(answer.text)
    amounts = [number(row[3]) for row in difference[2:-1]]
    assert number(difference[1][1]) + sum(amounts) == number(difference[-1][1])
    assert sum(number(row[5]) for row in lines[1:-1]) == number(lines[-1][1])
    assert number(lines[-1][1]) == number(difference[-1][1])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "/scores",
        f"/scores?period={LAST_YEAR - 1}&q=branch",
        "/score?code=A/B",
        "/score?code=ROOT",
        f"/score?code={SILENT}",
        "/score?code=GONE",
        "/score?code=N01&against=target",
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
    for jargon in ("SHAP", "Shapley", "because", "导致", "nan", "None"):
        assert jargon not in page.text


def test_hostile_names_are_shown_as_text(person):
    page = Page(person.get("/score", params={"code": "A/B", "lang": "en"}).text)
    assert HOSTILE_NAME in page.text
    assert "NPL <ceiling>" in page.text
    assert "Loans <b>" in page.text
    assert HOSTILE_NAME in Page(person.get("/scores", params={"q": "A/B", "lang": "en"}).text).text


def test_the_list_has_every_score_and_its_links_lead_to_them(person, bank):
    answer = person.get("/scores", params={"lang": "en"})
    table = bank.scoring.score(ScoreRequest(YEAR)).summary()
    rows = tables(answer.text)[0][1:]
    assert len(rows) == len(table)
    shown = [number(row[2]) for row in rows if row[2] != "–"]
    assert shown == sorted(shown, reverse=True)
    assert sorted(shown) == sorted(Decimal(str(score)) for score in table["score"].dropna())
    assert f"{len(shown)} of {len(table)} units have a score" in Page(answer.text).text
    links = [entry["href"] or "" for entry in Page(answer.text).named("a")]
    mine = [link for link in links if link.startswith("/score?")]
    assert len(mine) == len(table)
    assert person.get(mine[0]).status_code == 200


def test_ranks_are_within_peer_groups_and_not_for_small_ones(tmp_path):
    folder = write_dataset(tmp_path / "dataset")
    lines = (folder / "units.csv").read_text(encoding="utf-8").splitlines()
    groups = dict.fromkeys(BRANCHES[:4], "small") | dict.fromkeys(BRANCHES[4:12], "county")
    head, *rest = lines
    rest = [f"{line},{groups.get(line.split(',')[0], '')}" for line in rest]
    (folder / "units.csv").write_text("\n".join([f"{head},peer_group", *rest]) + "\n", encoding="utf-8")
    write_policy_file(folder / "policy.yaml")
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(folder)
    person = person_at(advisor)
    for group, count in (("small", 4), ("county", 8)):
        rows = tables(person.get("/scores", params={"group": group, "lang": "en"}).text)[0][1:]
        assert len(rows) == count
        if group == "small":
            assert {row[4] for row in rows} == {"–"}
        else:
            scores = [number(row[2]) for row in rows]
            ranks = [1 + sum(other > score for other in scores) for score in scores]
            assert [row[4] for row in rows] == [f"{rank} of 8" for rank in ranks]


def test_the_switch_leads_to_each_reference(person):
    page = Page(person.get("/score", params={"code": "N01", "lang": "en"}).text)
    links = [entry["href"] or "" for entry in page.named("a")]
    found = {link.rpartition("against=")[2] for link in links if "against=" in link and "lang=" not in link}
    assert found == {"target", "last_year"}
    assert "below peers" in page.text or "above peers" in page.text
    other = Page(person.get("/score", params={"code": "N01", "against": "last_year", "lang": "zh"}).text).text
    assert "较去年同口径" in other
    nothing = Page(person.get("/score", params={"code": "N01", "against": "target", "lang": "en"}).text).text
    assert "No targets are at hand" in nothing


def test_empty_states_say_what_is_missing(person, empty, untrained):
    assert "loadline demo" in person_at(empty).get("/scores").text
    assert "loadline demo" in person_at(empty).get("/score?code=x").text
    text = Page(person.get("/score", params={"code": SILENT, "lang": "en"}).text).text
    assert "has no score in 2024" in text
    assert "NPL ratio (there is no figure)" in text
    assert "on no scorecard in this period" in Page(person.get("/score?code=ROOT&lang=en").text).text
    default = Page(person_at(untrained).get("/score?code=N01&lang=en").text).text
    assert "No policy is in force, so the default stands in" in default
    assert "No policy is in force" not in text
    assert person.get("/score?code=nobody").status_code == 404
    assert person.get("/scores?period=1999").status_code == 404
    assert person.get("/scores?page=0").status_code == 422


def test_every_page_says_what_it_rests_on(person):
    for path in ("/scores", "/score?code=N01"):
        joint = "&" if "?" in path else "?"
        english = Page(person.get(f"{path}{joint}lang=en").text).text
        assert f"Policy branches@1, targets none, data version 1, known up to 31 Dec {LAST_YEAR}" in english
        chinese = Page(person.get(f"{path}{joint}lang=zh").text).text
        assert f"考核制度branches@1，目标版本无，数据版本1，数据截至{LAST_YEAR}年12月31日" in chinese


def test_the_units_page_leads_to_its_score(person):
    links = [entry["href"] or "" for entry in Page(person.get("/unit?code=N01").text).named("a")]
    assert "/score?code=N01" in links


def test_files_hold_what_the_pages_show(person, bank):
    answer = person.get("/export/scores.csv", params={"period": YEAR, "lang": "zh"})
    assert "synthetic" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"))))
    table = bank.scoring.score(ScoreRequest(YEAR)).summary()
    assert len(rows) == len(table)
    assert [row["score"] for row in rows if row["score"]] == [str(x) for x in table["score"].dropna()]
    assert {row["dataset"] for row in rows} == {"hostile-bank (合成数据)"}
    book = person.get("/export/scores.xlsx", params={"period": YEAR, "code": "=1+1"})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    names = [cell.value for cell in sheet[1]]
    amounts = [row[names.index("amount")].value for row in sheet.iter_rows(min_row=2)]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    score = table.set_index("unit").at["=1+1", "score"]
    assert sum(Decimal(str(amount)) for amount in amounts) == Decimal(str(score))
    assert person.get("/export/scores.exe").status_code == 422
    assert person.get("/export/scores.csv?code=nobody").status_code == 404
    assert person.get("/export/scores.csv?period=").status_code == 200


AMOUNTS = st.lists(st.integers(-5_000, 5_000).map(lambda cents: cents / 100), max_size=12)


@given(st.integers(0, 13_000).map(lambda cents: cents / 100), AMOUNTS, st.booleans())
def test_bars_follow_the_running_sum_within_their_box(begin, amounts, from_zero):
    bars = draw_waterfall(begin, amounts, from_zero=from_zero)
    assert len(bars) == len(amounts) + 2
    for bar in bars:
        assert -0.2 <= bar.x <= BAR_WIDTH
        assert bar.x + bar.size <= BAR_WIDTH + 0.2
    for bar, amount in zip(bars[1:-1], amounts, strict=True):
        assert bar.kind == ("minus" if amount < 0 else "plus")
        assert (bar.size > 0) is (amount != 0)
        assert (bar.after - bar.before) * amount >= 0
    for before, after in pairwise(bars[:-1]):
        assert before.after == after.before
    assert bars[-1].after == (bars[-2].after if amounts else bars[0].after)


@given(st.lists(st.none() | st.floats(0, 130), max_size=8))
def test_trends_stay_within_their_box_and_break_where_there_is_no_score(scores):
    trend = draw_trend([(str(2015 + place), score) for place, score in enumerate(scores)])
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        assert trend is None
        return
    assert trend is not None
    assert len(trend.dots) == len(known)
    for x, y, text_y, _ in trend.dots:
        assert 0 <= x <= TREND_WIDTH
        assert 0 < text_y < y <= TREND_HEIGHT
    pairs = sum(a is not None and b is not None for a, b in pairwise(scores))
    assert sum(line.count(" ") for line in trend.lines) == pairs


def test_a_sum_that_comes_to_nothing_has_no_bar():
    assert draw_waterfall(74.3, [-74.31, 0.01], from_zero=False)[-1].size <= 1.5
    assert draw_waterfall(90.0, [-4.0, 1.0], from_zero=False)[0].x == 0.0
