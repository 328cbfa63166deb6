"""The pages of target plans: the way of a plan by forms alone, what is refused, who sees what, in both languages."""

import io
import json
import re
import shutil
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from acting_as import People
from console_reader import Page, person_at
from plan_home import GOAL, LOANS, NPL, by
from serving_home import HOSTILE_NAME, REGIONS, advisor_at

from serving.access.principal import Grant, Role
from serving.console.formats import LANGUAGES
from serving.plan_documents.book import COLUMNS, FIRST_ROW
from serving.plans.plan import State

UNIT = "A/B"
"""The branch whose name would be markup."""
SCRIPT = "<script>alert(1)</script>"
PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


@pytest.fixture(scope="module")
def advisor(trained_home, tmp_path_factory):
    found = advisor_at(shutil.copytree(trained_home, tmp_path_factory.mktemp("plan-pages") / "home"))
    found.database.create()
    return found


@pytest.fixture(scope="module")
def people(advisor):
    return People(advisor)


@pytest.fixture(scope="module")
def hr(people):
    return people.client(Grant(Role.HR), html=True)


@pytest.fixture(scope="module")
def second(people):
    return people.client(Grant(Role.HR), html=True)


@pytest.fixture(scope="module")
def made(advisor):
    """A draft with a goal, and names nobody expects. Not to be changed."""
    return _titled(advisor)


def _titled(advisor):
    with by("Li"):
        return advisor.plans.draft(2025, title=SCRIPT)


def line_at(plan: str, unit: str = UNIT, indicator: str = LOANS) -> dict[str, str]:
    return {"plan": plan, "unit": unit, "indicator": indicator}


def revision_on(page: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found is not None, page
    return found[1]


def stepped(client, plan: str, step: str, **typed):
    """Take a step by the form of its page."""
    asked = {"plan": plan, "step": step, "lang": "en"}
    page = client.get("/plan/step", params=asked)
    assert page.status_code == 200, page.text
    return client.post("/plan/step", params=asked, data={"revision": revision_on(page.text), **typed})


def test_a_plan_goes_from_draft_to_publication_by_forms_alone(hr, second, people, advisor):
    typed = {"title": "First <b>round</b>", "goals": f"ROOT, {LOANS}, {GOAL:,.0f}\n"}
    answer = hr.post("/plans/draft", data=typed)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    plan = re.search(r"plan=(\w+)", address)[1]  # type: ignore[index]
    shown = Page(hr.get(address, params={"plan": plan, "lang": "zh"}).text)
    assert "First <b>round</b>" in shown.text
    assert "119,000.00" in shown.text

    form = hr.get("/plan/line", params=line_at(plan) | {"lang": "en"})
    assert HOSTILE_NAME in Page(form.text).text
    target = advisor.plans.line(plan, UNIT, LOANS).target + 12.5
    levels = {"revision": revision_on(form.text), "target": f"{target:,.2f}"}
    tried = hr.post("/plan/line", params=line_at(plan), data=levels | {"action": "try"})
    assert tried.status_code == 200
    assert f"{target:,.2f}" in tried.text
    assert advisor.plans.get(plan).revision == 1, "trying saves nothing"
    kept = hr.post("/plan/line", params=line_at(plan), data=levels | {"action": "override", "reason": SCRIPT})
    assert kept.status_code == 303, kept.text
    line = advisor.plans.line(plan, UNIT, LOANS)
    assert (line.target, line.reason, line.changed_by) == (target, SCRIPT, "Person 0")
    page = Page(hr.get("/plan", params={"plan": plan, "changed": "true", "lang": "en"}).text)
    assert SCRIPT in page.text
    assert not page.named("script")
    assert "12.5" in page.text  # by how much the goal is missed now

    for action, held in (("pin", True), ("unpin", False)):
        form = hr.get("/plan/line", params=line_at(plan))
        answer = hr.post(
            "/plan/line", params=line_at(plan), data={"revision": revision_on(form.text), "action": action}
        )
        assert answer.status_code == 303
        assert advisor.plans.line(plan, UNIT, LOANS).pinned is held
    assert stepped(hr, plan, "undo").status_code == 303
    assert advisor.plans.line(plan, UNIT, LOANS).pinned
    asked = {"revision": advisor.plans.get(plan).revision, "goals": "", "reason": "again"}
    assert hr.post("/plan/reallocate", params={"plan": plan}, data=asked).status_code == 303
    assert advisor.plans.summary(plan).totals[0].adds_up

    assert stepped(hr, plan, "submit").status_code == 303
    barred = hr.get("/plan", params={"plan": plan, "lang": "zh"})
    assert "须由另一人审批" in barred.text
    assert "step=approve" not in barred.text
    assert stepped(hr, plan, "approve").status_code == 403
    refused = stepped(second, plan, "return")
    assert refused.status_code == 422
    assert "A reason is needed" in refused.text
    assert stepped(second, plan, "return", reason="The goal is too low.").status_code == 303
    assert stepped(hr, plan, "submit").status_code == 303
    assert stepped(second, plan, "approve").status_code == 303
    assert stepped(second, plan, "publish").status_code == 303
    assert advisor.plans.get(plan).state is State.PUBLISHED

    manager = people.manager(REGIONS[0], html=True)
    seen = manager.get("/plan", params={"plan": plan, "lang": "en"})
    assert seen.status_code == 200
    page = Page(seen.text)
    assert "published" in page.text
    assert "Who did what" not in page.text
    links = [entry["href"] or "" for entry in page.named("a")]
    units = {parse_qs(urlsplit(href).query)["unit"][0] for href in links if href.startswith("/plan/line")}
    assert "N02" in units
    assert not units & {"N01", "ROOT", REGIONS[1]}
    assert not [href for href in links if href.startswith(("/plan/step", "/plan/reallocate", "/plan/import"))]
    own = manager.get("/plan/line", params=line_at(plan, "N02") | {"lang": "en"})
    other = manager.get("/plan/line", params=line_at(plan, "N01"))
    assert (own.status_code, other.status_code) == (200, 404)
    assert not [form for form in Page(own.text).named("form") if form.get("action", "").startswith("/plan")]
    for method, path in (
        ("GET", "/plan/step"),
        ("POST", "/plan/step"),
        ("POST", "/plan/line"),
        ("GET", "/plan/import"),
    ):
        typed = {"revision": "1", "action": "pin"} if method == "POST" else None
        answer = manager.request(method, path, params=line_at(plan, "N02") | {"step": "revise"}, data=typed)
        assert answer.status_code == 403, path
    assert stepped(hr, plan, "revise", reason="Two branches merged").status_code == 303


def test_a_draft_is_no_managers_to_see(made, people):
    manager = people.manager(REGIONS[0], html=True)
    missing = manager.get("/plan", params={"plan": "0" * 32})
    assert manager.get("/plan", params={"plan": made.id}).status_code == missing.status_code == 404
    assert made.id not in manager.get("/plans").text


def test_nothing_typed_is_lost_where_it_cannot_be_taken(made, hr, advisor):
    goals = f"nobody\t{LOANS}\t5\nROOT, GDP, 5\nROOT,{LOANS},five\nROOT,{LOANS}"
    answer = hr.post("/plans/draft", params={"lang": "zh"}, data={"title": "一上", "goals": goals})
    assert answer.status_code == 422
    assert [f"第{number}行" in answer.text for number in range(1, 6)] == [True] * 4 + [False]
    assert "没有编码为nobody的机构" in answer.text
    assert "nobody\tLOANS\t5" in answer.text
    far = hr.post("/plans/draft", data={"goals": f"ROOT\t{LOANS}\t900000"}, params={"lang": "zh"})
    assert far.status_code == 409
    assert "分解目标由900,000" in far.text
    assert f"ROOT\t{LOANS}\t900000" in far.text

    asked = line_at(made.id) | {"lang": "en"}
    for typed, status, words in (
        ({"target": "lots", "reason": "kept words"}, 422, "This is not a number"),
        ({"target": "1_000", "reason": "kept words"}, 422, "This is not a number"),
        ({"target": "5000", "reason": " "}, 422, "A reason is needed"),
        ({"target": "5000.001", "reason": "kept words"}, 422, "finer than"),
        ({"floor": "9000", "target": "5000", "reason": "kept words"}, 422, "asks more than"),
        ({"target": "", "reason": "kept words"}, 422, "Nothing differs"),
        ({"target": "5000", "reason": "x" * 4_001}, 422, "4,000"),
    ):
        answer = hr.post("/plan/line", params=asked, data={"revision": "1", "action": "override", **typed})
        assert answer.status_code == status, answer.text
        assert words in answer.text, typed
        assert typed["reason"] in answer.text
        assert f'name="target" value="{typed["target"]}"' in answer.text
    assert advisor.plans.get(made.id).revision == 1


def test_who_was_faster_is_told_and_can_be_followed(hr, second, advisor):
    plan = _titled(advisor).id
    first = advisor.plans.line(plan, UNIT, LOANS).target
    typed = {"revision": "1", "action": "override", "target": f"{first + 1:.2f}", "reason": "the first one"}
    assert second.post("/plan/line", params=line_at(plan), data=typed).status_code == 303
    mine = {"target": f"{first + 2:.2f}", "reason": "and mine"}
    answer = hr.post("/plan/line", params=line_at(plan) | {"lang": "zh"}, data=typed | mine)
    assert answer.status_code == 412
    assert all(words in answer.text for words in ("期间的变动", "the first one", "Person 1", "and mine"))
    again = hr.post("/plan/line", params=line_at(plan), data=typed | mine | {"revision": revision_on(answer.text)})
    assert again.status_code == 303
    step = hr.post("/plan/step", params={"plan": plan, "step": "submit", "lang": "en"}, data={"revision": "1"})
    assert step.status_code == 412
    assert "and mine" in step.text
    assert advisor.plans.get(plan).state is State.DRAFT


def edited_book(client, plan: str, changes: dict[tuple[str, str], tuple[object, str]]) -> bytes:
    """Download the book, and change targets in it."""
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/api/v1/target-plans/{plan}/export.xlsx").content))
    sheet = book.worksheets[0]
    for row in range(FIRST_ROW + 1, sheet.max_row + 1):
        key = tuple(sheet.cell(row, 1 + PLACES[name]).value for name in ("unit", "indicator"))
        if key in changes:
            sheet.cell(row, 1 + PLACES["target"]).value, sheet.cell(row, 1 + PLACES["new_reason"]).value = changes[key]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_an_edited_book_is_looked_at_and_then_confirmed(hr, advisor):
    plan = _titled(advisor).id
    before = advisor.plans.line(plan, "N01", LOANS).target
    content = edited_book(hr, plan, {("N01", LOANS): (before + 3, SCRIPT), ("N02", LOANS): ("many", "")})
    asked = {"plan": plan, "lang": "en"}
    page = hr.post("/plan/import", params=asked, files={"sheet": ("plan.xlsx", content)})
    assert page.status_code == 200, page.text
    shown = Page(page.text)
    assert SCRIPT in shown.text
    assert not shown.named("script")
    assert "This is not a number." in shown.text
    assert f"{before + 3:,.2f}" in shown.text
    assert advisor.plans.get(plan).revision == 1
    hidden = {entry["name"]: entry["value"] for entry in shown.named("input") if entry.get("type") == "hidden"}
    fields = {name: hidden[name] for name in ("revision", "edits")}
    without = hr.post("/plan/changes", params=asked, data=fields)
    assert without.status_code == 422
    assert "A reason is needed" in without.text
    assert f"{before + 3:,.2f}" in without.text, "the difference is still there"
    for bad in (
        "",
        "[]",
        "{}",
        '[["N01","LOANS",null,NaN,null,""]]',
        "[" * 50_000,
        '[["N01","LOANS",null,"5",null,""]]',
    ):
        answer = hr.post("/plan/changes", params=asked, data=fields | {"edits": bad, "reason": "all"})
        assert answer.status_code == 422, bad[:40]
    forged = json.dumps([["N01", NPL, None, -5.0, None, ""]])
    assert hr.post("/plan/changes", params=asked, data=fields | {"edits": forged, "reason": "all"}).status_code == 422
    assert advisor.plans.get(plan).revision == 1
    assert hr.post("/plan/changes", params=asked, data=fields | {"reason": "second round"}).status_code == 303
    line = advisor.plans.line(plan, "N01", LOANS)
    assert (line.target, line.reason) == (before + 3, SCRIPT)
    stale = hr.post("/plan/changes", params=asked, data=fields | {"reason": "once more"})
    assert stale.status_code == 412
    assert "What was done meanwhile" in stale.text
    assert "second round" in stale.text
    for content in (b"", b"no sheet"):
        answer = hr.post("/plan/import", params=asked, files={"sheet": ("plan.xlsx", content)})
        assert answer.status_code == 422
    large = hr.post("/plan/import", params=asked, files={"sheet": ("plan.xlsx", b"x" * (9 << 20))})
    assert large.status_code == 413


@pytest.fixture(scope="module")
def person(advisor):
    """Came by the printed link."""
    return person_at(advisor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_whole_and_every_field_has_a_label(person, made, language):
    at = f"plan={made.id}"
    line = f"{at}&unit=A%2FB&indicator={LOANS}"
    for path in (
        *("/plans?", "/plans/draft?", f"/plan?{at}", f"/plan?{at}&q=zzz", f"/plan/line?{line}"),
        *(f"/plan/step?{at}&step={step}" for step in ("submit", "undo", "withdraw", "publish")),
        *(f"/plan/reallocate?{at}", f"/plan/import?{at}"),
    ):
        answer = person.get(f"{path}&lang={language}")
        assert answer.status_code == 200, path
        page = Page(answer.text)
        assert not page.named("script")
        assert not page.named("img")
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert not [attributes for _, attributes in page.tags if "style" in attributes]
        assert not re.search(r"\bnan\b|\bNone\b", page.text), path
        assert "plan." not in page.text.replace("plan.xlsx", "")
        inside = re.sub(r"(?s)<label.*?</label>", "", answer.text)
        assert not re.findall(r'<(?:textarea|select|input(?! type="hidden"))', inside), path
        forms = re.findall(r'(?s)<form[^>]*method="post".*?</form>', answer.text)
        assert all('name="csrf"' in form for form in forms), path


def test_no_form_is_taken_without_its_token_or_from_elsewhere(person, made, advisor):
    page = person.get("/plan/line", params=line_at(made.id)).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    before = len(advisor.plans.list()), advisor.plans.get(made.id).revision
    at = {"plan": made.id}
    body = {"revision": "1", "by": "Li Na", "reason": "because", "title": "x"}
    for path, asked, more in (
        ("/plans/draft", {}, {}),
        ("/plan/line", line_at(made.id), {"action": "pin"}),
        ("/plan/step", at | {"step": "submit"}, {}),
        ("/plan/reallocate", at, {"goals": ""}),
        ("/plan/import", at, {}),
        ("/plan/changes", at, {"edits": f'[["N01","{LOANS}",null,5000,null,""]]'}),
    ):
        for token in ({}, {"csrf": "x" * 43}):
            assert person.post(path, params=asked, data=body | more | token).status_code == 403, path
        foreign = {"Origin": "https://evil.example"}
        answer = person.post(path, params=asked, data=body | more | {"csrf": found[1]}, headers=foreign)
        assert answer.status_code == 403, path
    files = {"sheet": ("plan.csv", b"x")}
    assert person.post("/plan/import", params=at, data={"csrf": "no"}, files=files).status_code == 403
    assert (len(advisor.plans.list()), advisor.plans.get(made.id).revision) == before


def test_whoever_came_by_the_link_says_in_whose_name_and_is_remembered(person, advisor):
    plan = _titled(advisor).id
    at = {"plan": plan, "step": "submit", "lang": "en"}
    page = person.get("/plan/step", params=at).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
    nameless = person.post("/plan/step", params=at, data={"csrf": csrf, "revision": "1"})
    assert nameless.status_code == 422
    assert "Write your name" in nameless.text
    sent = person.post("/plan/step", params=at, data={"csrf": csrf, "revision": "1", "by": "李 敏"})
    assert sent.status_code == 200, sent.text
    assert advisor.plans.events(plan)[-1].by == "李 敏"
    approving = person.get("/plan/step", params=at | {"step": "approve"}).text
    assert 'name="by" value="李 敏"' in approving
    assert "A second person approves" in approving
    same = {"csrf": csrf, "revision": "2", "by": "李敏 "}
    assert person.post("/plan/step", params=at | {"step": "approve"}, data=same | {"by": "李  敏"}).status_code == 403
    assert person.post("/plan/step", params=at | {"step": "approve"}, data=same | {"by": "王芳"}).status_code == 200
    assert advisor.plans.get(plan).state is State.APPROVED
