"""The files of a card: both languages, both forms, nothing mixed, nothing invented, no markup from facts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from card_cases import BARE, EVERY, TARGET, WARNING, both, table

from features.errors import LoadlineError
from training.card.facts import CardFacts, Signature
from training.card.words import words
from training.card.writing import FACTS, card_facts, card_name, plots, sign_cards, write_cards

HAN = re.compile(r"[\u4e00-\u9fff]")
WORD = re.compile(r"[A-Za-z]{3,}")
VOID = {"meta", "br", "circle", "path", "polyline", "polygon", "link", "img"}
NAMES = {"SR", "JR", "EU", "AI", "AUC", "Python", "Brier"}
"""Latin words that a Chinese sentence may hold."""


class Reader(HTMLParser):
    """Reads a page strictly: every element closed, and what it fetches noted."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [
            v or "" for name, v in attrs if name in ("src", "href", "data") and not (v or "").startswith("#")
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] not in ("style",):
            self.text.append(data.strip())


def written(facts: CardFacts, folder, language: str, form: str) -> str:
    write_cards(facts, folder)
    return (folder / card_name(language, form)).read_text(encoding="utf-8")  # type: ignore[arg-type]


def sections(card: str) -> dict[str, str]:
    parts = re.split(r"^## (.*)$", card, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("name", EVERY)
def test_every_heading_of_its_kind_is_there(name, tmp_path):
    facts = EVERY[name]
    wanted = [entry["title"] for entry in words()["sections"] if entry.get("only") in (None, facts.kind)]
    for language in ("en", "zh"):
        assert list(sections(written(facts, tmp_path, language, "md"))) == [title[language] for title in wanted]
    detectors = "The patterns' own record" in sections(written(facts, tmp_path, "en", "md"))
    assert detectors == (facts.kind == "warning")


def test_the_facts_are_shown_where_they_belong(tmp_path):
    shown = sections(written(TARGET, tmp_path, "en", "md"))
    assert "- Known on: 2024-01-15" in shown["Training data"]
    assert "- Figures: 12,345" in shown["Training data"]
    assert "- Operator: li.ming" in shown["Method and training"]
    assert "A definition has changed." in shown["Method and training"]
    performance = shown["Performance against the named baseline"]
    assert row(performance, "Deposits") == ["Deposits", "branches", "6", "0.938", "81.5%", "no"]
    assert row(performance, "NPL ratio") == ["NPL ratio", "branches", "2", "not stated", "50.0%", "yes"]
    assert row(shown["Calibration"], "80.0%") == ["80.0%", "70.0%", "50.0%", "90.0%", "5"]
    assert "- Only six years." in shown["Limits"]
    review = shown["Review before launch"]
    assert row(review, "Beats pooled growth") == ["Beats pooled growth", "passed", "0.94", "limit 1", "Better for 9."]
    assert row(review, "Bands hold")[1:4] == ["failed", "0.5", "limits 0.65, 0.95"]
    assert row(review, "Explanations are stable")[1] == "to be signed for"
    assert row(review, "Independent validator")[1:] == ["Wang Fang", "2024-03-04", "signed for: see minutes"]
    assert row(review, "Approver")[1:] == ["........"] * 3
    assert "auditor" in review
    assert "1 of 3 gates passed" in written(TARGET, tmp_path, "en", "md")


def test_gaps_are_seen_and_nothing_is_invented(tmp_path):
    for title, body in sections(written(BARE, tmp_path, "en", "md")).items():
        if title not in ("Not to be used for", "Limits", "References", "Deployment", "Exit and rollback"):
            assert "not stated" in body, title
    assert not re.search(r"\d", sections(written(BARE, tmp_path, "en", "md"))["Training data"])
    assert plots(BARE) == {}


@pytest.mark.parametrize("form", ["md", "html"])
@pytest.mark.parametrize("name", EVERY)
def test_a_card_is_in_one_language(name, form, tmp_path):
    english, chinese = (written(EVERY[name], tmp_path, language, form) for language in ("en", "zh"))
    assert not HAN.search(re.sub(r"<style>.*?</style>", "", english, flags=re.DOTALL)), "Chinese on the English card"
    lines = Reader(chinese).text if form == "html" else chinese.splitlines()
    given = json.dumps(EVERY[name].as_dict())
    for line in lines:
        for word in WORD.findall(line):
            assert word in given or word in NAMES, f"{word!r} in {line!r}"


def test_what_it_must_not_be_used_for_always_stands(tmp_path):
    more = replace(TARGET, texts={"not_for": (both("Credit decisions.", "信贷审批。"),)})
    for facts in (BARE, TARGET, more):
        shown = sections(written(facts, tmp_path, "en", "md"))["Not to be used for"]
        assert "never applied to individual employees" in shown
        assert "pay, rank, appointment or dismissal" in shown
    assert "- Credit decisions." in shown


def test_citations_can_be_replaced(tmp_path):
    assert "SR 26-2" in written(TARGET, tmp_path, "en", "md")
    own = replace(TARGET, texts={"references": (both("Our rule 7", "本行制度第七条"),)})
    assert sections(written(own, tmp_path, "zh", "md"))["依据"].strip() == "本行制度第七条"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_fetches_nothing(name, language, tmp_path):
    page = written(EVERY[name], tmp_path, language, "html")
    read = Reader(page)
    assert read.fetched == []
    assert not read.tags & {"script", "iframe", "object", "embed", "img", "link", "form"}
    assert "url(" not in page
    assert "default-src 'none'" in page


HOSTILE = [
    "a | b",
    "<script>x</script>",
    "line\n## Heading",
    "[x](javascript:y)",
    "`c` *b* _i_",
    '"><img src=x onerror=y>',
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_fact_can_add_markup(hostile, tmp_path):
    told = both(hostile, hostile)
    facts = replace(
        TARGET,
        model=hostile,
        texts={"limits": (told,), "synthetic": (told,)},
        pairs={"data": {"source": hostile, hostile: hostile}},
        tables={
            **TARGET.tables,
            "by_indicator": table(indicator=[told], coverage=[0.8]),
            "by_group": table(**{hostile: [hostile]}),
        },
        signatures={hostile: Signature(hostile, hostile, hostile)},
        gates=(replace(TARGET.gates[0], name=hostile, text={"en": hostile, "zh": hostile}),),
    )
    card = written(facts, tmp_path, "en", "md")
    assert list(sections(card)) == list(sections(written(TARGET, tmp_path, "en", "md")))
    assert "<" not in written(facts, tmp_path, "en", "md")
    assert not re.search(r"(?<!\\)[`]|(?<!\\)\]\(", card)
    assert Reader(written(facts, tmp_path, "en", "html")).tags == Reader(written(TARGET, tmp_path, "en", "html")).tags
    for picture in plots(facts).values():
        assert "img" not in {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}


def test_equal_facts_give_equal_bytes_and_writing_again_completes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write_cards(TARGET, first)
    again = CardFacts.from_dict(json.loads(json.dumps(TARGET.as_dict())))
    assert again == TARGET
    write_cards(again, second)
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (second / path.name).read_bytes()
    (first / "model-card.zh.html").unlink()
    (first / FACTS).write_bytes(b"{")
    write_cards(TARGET, first)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_signatures_are_added_and_others_stay(tmp_path):
    write_cards(TARGET, tmp_path)
    sign_cards(tmp_path, {"approver": Signature("Zhao", "2024-04-01", "approved", "forced")})
    review = sections((tmp_path / card_name("zh", "md")).read_text())["上线前审核"]
    assert row(review, "审批")[1:] == ["Zhao", "2024-04-01", "越过关口强制上线：approved"]
    assert row(review, "独立验证")[1] == "Wang Fang"
    assert card_facts(tmp_path).signatures["validator"].name == "Wang Fang"


def test_a_missing_or_damaged_card_says_so(tmp_path):
    with pytest.raises(LoadlineError, match="no model card"):
        card_facts(tmp_path)
    for damage in (b"{", b"[]", b'{"format": 99}', b"\xff"):
        (tmp_path / FACTS).write_bytes(damage)
        with pytest.raises(LoadlineError, match=r"damaged|cannot be read"):
            card_facts(tmp_path)


def test_pictures_show_what_the_tables_say():
    drawn = plots(TARGET)
    assert set(drawn) == {
        f"{name}.{language}.svg" for name in ("promises", "loss_by_origin", "coverage") for language in ("en", "zh")
    }
    assert {name.split(".")[0] for name in plots(WARNING)} == {"reliability", "rankings"}
    coverage = ElementTree.fromstring(drawn["coverage.en.svg"])
    dots = [element for element in coverage.iter() if element.tag.endswith("circle")]
    assert len(dots) == 2
    assert dots[0].get("fill") != dots[1].get("fill"), "50% lies outside what is allowed"
    assert float(dots[0].get("cx", "")) > float(dots[1].get("cx", ""))
    line = next(
        e for e in ElementTree.fromstring(drawn["loss_by_origin.en.svg"]).iter() if e.get("stroke-width") == "2.5"
    )
    heights = [float(point.split(",")[1]) for point in line.get("points", "").split()]
    assert heights[0] > heights[1], "a higher loss is drawn higher"
    assert heights[1] >= 14, "a loss beyond the axis stays at its edge"
