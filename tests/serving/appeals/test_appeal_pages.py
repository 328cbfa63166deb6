"""The pages of appeals, as a manager and HR see them, and a form that somebody else sends."""

import re

from acting_as import People
from appealing_bank import UNIT
from console_reader import Page, person_at
from serving_home import LAST_YEAR, TOKEN

from serving.access.principal import Grant, Role
from serving.console.formats import read_wording
from serving.errors import KINDS

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}"
FORM = {"unit": UNIT, "period": str(LAST_YEAR), "words": HOSTILE}


def test_a_manager_raises_at_the_score_and_hr_answers(advisor):
    people = People(advisor)
    manager, hr = people.manager(UNIT, html=True), people.client(Grant(Role.HR), html=True)
    score = manager.get("/score", params={"code": UNIT, "period": LAST_YEAR})
    assert "/appeals/raise" in [form.get("action") for form in Page(score.text).named("form")]
    raised = manager.post("/appeals/raise", data=FORM)
    assert raised.status_code == 303, raised.text
    address = raised.headers["location"]
    page = manager.get(address)
    seen = Page(page.text)
    assert HOSTILE in seen.text
    assert not seen.named("script")
    assert [form.get("action") for form in seen.named("form")][-1] == "/appeal/withdraw"
    name = address.partition("=")[2]
    step = {"name": name, "action": "review", "revision": 1}
    assert manager.post("/appeal/answer", data=step).status_code == 403
    assert hr.post("/appeal/answer", data=step).status_code == 303
    assert hr.post("/appeal/answer", data=step).status_code == 412
    assert hr.post("/appeal/reproduce", data={"name": name}).status_code == 303
    answer = {"name": name, "action": "reject", "revision": 2, "words": "经核对无误。"}
    assert hr.post("/appeal/answer", data=answer).status_code == 303
    shown = manager.get(f"{address}&lang=zh")
    assert "经核对无误。" in shown.text
    assert "维持原结果" in shown.text
    assert "逐位重现一致" in shown.text
    assert UNIT in Page(manager.get("/appeals").text).text
    other = people.manager("N01", html=True)
    assert other.get(address).status_code == 404
    assert name not in other.get("/appeals").text
    assert other.post("/appeal/withdraw", data={"name": name, "revision": 3, "words": "撤回"}).status_code == 404


def test_a_form_without_its_token_or_from_elsewhere_does_nothing(advisor):
    person = person_at(advisor)
    page = person.get("/score", params={"code": UNIT, "period": LAST_YEAR}).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    body = FORM | {"by": "Li Na"}
    assert person.post("/appeals/raise", data=body).status_code == 403
    assert person.post("/appeals/raise", data=body | {"csrf": "x" * 43}).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    right = body | {"csrf": found[1]}
    assert person.post("/appeals/raise", data=right, headers=foreign).status_code == 403
    assert advisor.appeals.listed() == ([], 0)
    assert TOKEN not in page
    assert person.post("/appeals/raise", data=right).status_code == 200
    assert advisor.appeals.listed()[1] == 1


def test_every_kind_of_error_has_a_title_for_people():
    wording = read_wording()
    assert [kind.name for kind in KINDS if f"error.{kind.name}" not in wording] == []
