"""The forms of an alert's page: what reviewers write by them, what is refused, and who may."""

import re

import pytest
from acting_as import People
from alert_home import REASON, RISKY_KEY, risky_advisor
from console_reader import Page, person_at, tables
from serving_home import REGIONS

from serving.access.principal import Grant, Role

LI = "Li Ming"
AT = {"key": RISKY_KEY, "lang": "en"}
HOSTILE = "<script>alert(1)</script>\r\nsecond line"


@pytest.fixture(scope="module")
def advisor(tmp_path_factory):
    found = risky_advisor(tmp_path_factory.mktemp("forms"))
    found.database.create()
    return found


@pytest.fixture(scope="module")
def people(advisor):
    return People(advisor)


@pytest.fixture(scope="module")
def risk(people):
    return people.client(Grant(Role.RISK), html=True)


def standing(client) -> str:
    """Give the number of the last entry, as the forms of the page have it."""
    found = re.search(r'name="expected" value="(\d+)"', client.get("/alert", params=AT).text)
    assert found is not None
    return found[1]


def sent(client, action: str, **typed):
    body = {"action": action, "expected": standing(client)} | typed
    return client.post("/alert/review", params=AT, data=body)


def actions(advisor) -> list[str]:
    return [entry.action for entry in advisor.reviewing.case(RISKY_KEY).entries]


def test_the_page_tells_what_is_on_record_and_how_else_to_record_it(advisor):
    person = person_at(advisor)
    person.app.state.background.patience = 300.0  # pyright: ignore[reportAttributeAccessIssue]
    before = Page(person.get("/alert", params=AT).text).text
    assert f"loadline review decide {RISKY_KEY} confirmed --by NAME --reason TEXT --dataset hostile-bank" in before
    assert "POST /api/v1/alerts/A%2FB%402023/dispositions" in before
    entry = advisor.reviewing.assign(RISKY_KEY, to="<i>王芳</i>", by=LI)
    entry = advisor.reviewing.decide(RISKY_KEY, "dismissed", by=LI, reason=REASON)
    advisor.reviewing.undo(RISKY_KEY, by="Chen", reason="decided too early", entry=entry.number)
    answer = person.get("/alert", params=AT)
    rows = tables(answer.text)[-1][1:]
    assert [row[2] for row in rows] == ["loadline", LI, LI, "Chen"]
    assert rows[1][3] == "to <i>王芳</i>"
    assert REASON in rows[2][4]
    assert "taken back later" in rows[2][3]
    assert f"taken back: entry {entry.number}" in rows[3][3]
    after = Page(answer.text).text
    assert f"--after {entry.number + 1} " in after
    assert "assigned" in after


def test_reviewers_write_by_forms_alone(risk, people, advisor):
    seen, earlier = standing(risk), actions(advisor)
    assert sent(risk, "note", text=HOSTILE).status_code == 303
    page = Page(risk.get("/alert", params=AT | {"done": "note"}).text)
    assert "<script>alert(1)</script>\nsecond line" in page.text
    assert "The note is kept." in page.text
    assert not page.named("script")
    late = risk.post("/alert/review", params=AT, data={"action": "note", "expected": seen, "text": "too late a note"})
    assert late.status_code == 412
    assert "Somebody else has written" in late.text
    assert "too late a note" in late.text
    assert sent(risk, "assign", to="王芳", due="2025-02-28", text="Second time.").status_code == 303
    assert sent(risk, "link", case="AML-2025-118").status_code == 303
    assert sent(risk, "decide", decision="watching").status_code == 303
    assert sent(risk, "undo", reason="Meant for branch 17.").status_code == 303
    released = sent(risk, "release")
    assert released.status_code == 409, "it is not confirmed"
    assert sent(risk, "decide", decision="confirmed", reason=REASON).status_code == 303
    manager = people.manager(REGIONS[0], html=True)
    assert manager.get("/alert", params=AT).status_code == 404
    assert sent(risk, "release", reason="Talked through.").status_code == 303
    written = ["note", "assigned", "linked", "watching", "undone", "confirmed", "released"]
    assert actions(advisor) == earlier + written
    assert {entry.by for entry in advisor.reviewing.case(RISKY_KEY).entries[len(earlier) :]} == {"Person 0"}
    shown = manager.get("/alert", params=AT)
    assert shown.status_code == 200
    assert "/alert/review" not in shown.text


def test_what_cannot_be_taken_is_told_beside_what_was_typed(risk, advisor):
    before = actions(advisor)
    for action, typed, words in (
        ("decide", {}, "Choose a decision."),
        ("decide", {"decision": "dismissed", "reason": "no"}, "at least ten letters"),
        ("decide", {"decision": "superseded", "reason": "kept words"}, "Choose a decision."),
        ("assign", {"to": "Wang Fang", "due": "31.12.2025"}, "This is not a day."),
        ("assign", {"to": "Wang Fang", "due": "2020-01-01"}, "Choose a day that is not over yet."),
        ("assign", {"to": " "}, "Name the person"),
        ("note", {"text": " "}, "Write a text"),
        ("undo", {"reason": "kept words here", "entry": "999"}, "cannot be done"),
    ):
        answer = sent(risk, action, **typed)
        assert answer.status_code in (409, 422), answer.text
        assert words in answer.text, (action, typed)
        assert all(value in answer.text for name, value in typed.items() if name not in ("decision", "entry"))
    assert sent(risk, "burn").status_code == 422
    assert actions(advisor) == before


def test_forms_are_for_risk_and_for_nobody_else(people, advisor):
    before = actions(advisor)
    body = {"action": "note", "expected": "0", "text": "not mine to write"}
    for grants in ((Grant(Role.HR),), (Grant(Role.AUDITOR),), (Grant(Role.MANAGER, REGIONS[0]),)):
        client = people.client(*grants, html=True)
        assert client.post("/alert/review", params=AT, data=body).status_code == 403
        assert "/alert/review" not in client.get("/alert", params=AT).text
    elsewhere = people.client(Grant(Role.RISK, REGIONS[1]), html=True)
    assert elsewhere.post("/alert/review", params=AT, data=body).status_code == 404
    assert actions(advisor) == before


def test_a_form_needs_its_token_and_a_name(advisor):
    person = person_at(advisor)
    person.app.state.background.patience = 300.0  # pyright: ignore[reportAttributeAccessIssue]
    before = actions(advisor)
    page = person.get("/alert", params=AT).text
    forms = re.findall(r'(?s)<form[^>]*action="/alert/review.*?</form>', page)
    assert len(forms) >= 5
    assert all('name="csrf"' in form and 'name="by"' in form for form in forms)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
    body = {"action": "note", "expected": standing(person), "text": "by the link", "by": "Li Na"}
    for token in ({}, {"csrf": "x" * 43}):
        assert person.post("/alert/review", params=AT, data=body | token).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    assert person.post("/alert/review", params=AT, data=body | {"csrf": csrf}, headers=foreign).status_code == 403
    nameless = person.post("/alert/review", params=AT, data=body | {"csrf": csrf, "by": " "})
    assert nameless.status_code == 422
    assert "Write your name" in nameless.text
    assert actions(advisor) == before
    assert person.post("/alert/review", params=AT, data=body | {"csrf": csrf}).status_code == 200
    assert advisor.reviewing.case(RISKY_KEY).entries[-1].by == "Li Na"
