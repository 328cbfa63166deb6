"""Role x unit x object: what is beyond somebody's reach is answered like what does not exist, wherever it is asked for.

Lists, totals, files, explanations, paths, cursors, other datasets and odd codes included.
"""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import quote

import openpyxl
import pytest
from acting_as import People
from alert_home import REASON, RISKY, RISKY_KEY, write_risky_dataset
from fastapi.routing import iter_route_contexts
from score_home import write_policy_file
from serving_home import ADDRESS, BEARER, LAST_YEAR, ODD_BRANCHES, REGIONS, advisor_at, promote_model, write_dataset
from starlette.testclient import TestClient

from serving.access.principal import Grant, Role
from serving.access.rules import RULES

YEAR = str(LAST_YEAR)
OWN, OTHER = REGIONS
MINE, THEIRS = "N02", "N01"
UNKNOWN = "N99"
NO_ID = "0" * 32
SECRET = "Known to risk alone."


@pytest.fixture(scope="module")
def advisor(tmp_path_factory):
    """Two datasets, a model, a policy, and a branch with an alert that risk has confirmed."""
    folder = tmp_path_factory.mktemp("seen")
    found = advisor_at(folder / "home")
    found.ingest(write_dataset(folder / "second", name="second-bank", scale=2.0))
    found.ingest(write_risky_dataset(folder / "first"))
    promote_model(found)
    policy = write_policy_file(folder / "policy.yaml")
    codes = [finding.code for finding in found.policies.check(policy).findings]
    found.policies.activate(policy, by="Li Wei", reason="for the tests of access", accept=codes)
    found.database.create()
    return found


@pytest.fixture(scope="module")
def people(advisor):
    return People(advisor)


@pytest.fixture(scope="module")
def manager(people):
    """Of the first region, in which the risky branch is."""
    return people.manager(OWN)


@pytest.fixture(scope="module")
def neighbour(people):
    """Of the other region."""
    return people.manager(OTHER)


@pytest.fixture(scope="module")
def hr(people):
    return people.client(Grant(Role.HR))


@pytest.fixture(scope="module")
def risk(people):
    return people.client(Grant(Role.RISK))


@pytest.fixture(scope="module")
def whole(hr):
    """All units by code, as HR sees them."""
    return {unit["code"]: unit for unit in every(hr, "/api/v1/units")}


def every(client, path: str, **asked) -> list[dict]:
    """Read all pages of a list."""
    found, cursor = [], None
    while True:
        answer = client.get(path, params=asked | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            assert page["total"] == len(found)
            return found


def encoded(code: str) -> str:
    return quote(code, safe="").replace(".", "%2E")


def below(whole: dict[str, dict], head: str) -> set[str]:
    """Find a subtree by climbing from every unit."""

    def climbs(code: str | None) -> bool:
        while code is not None and code != head:
            code = whole[code]["parent"]
        return code == head

    return {code for code in whole if climbs(code)}


def told(answer, *codes: str) -> str:
    """Give an answer without what differs of itself: the id of the request, and the codes that were asked for."""
    text = re.sub(r'"request_id":"[^"]*"|(?:Reference|查询编号) \w+', "", answer.text)
    ways = {way for code in codes for way in (code, encoded(code), quote(code), json.dumps(code)[1:-1])}
    for written in sorted(ways, key=len, reverse=True):
        text = text.replace(written, "UNIT")
    return text


def test_lists_hold_the_subtree_and_nothing_else(manager, neighbour, whole):
    for client, head in ((manager, OWN), (neighbour, OTHER)):
        seen = {unit["code"]: unit for unit in every(client, "/api/v1/units", limit=3)}
        assert set(seen) == below(whole, head)
        assert seen[head] == whole[head] | {"parent": None}
    assert not below(whole, OWN) & below(whole, OTHER)
    assert set(ODD_BRANCHES) & below(whole, OWN)
    assert set(ODD_BRANCHES) & below(whole, OTHER)


def test_lists_cannot_be_narrowed_to_what_is_beyond(manager, whole):
    assert [unit["code"] for unit in every(manager, "/api/v1/units", parent="")] == [OWN]
    for parent in ("ROOT", OTHER):
        answer = manager.get("/api/v1/units", params={"parent": parent})
        assert (answer.status_code, told(answer, parent)) == (
            404,
            told(manager.get("/api/v1/units/" + UNKNOWN), UNKNOWN).replace("/units/UNIT", "/units"),
        )
    answer = manager.get("/api/v1/units", params={"level": "group"})
    assert answer.status_code == 404
    assert "group" not in answer.json()["hint"]


def test_a_cursor_made_for_another_opens_nothing(manager, hr, whole):
    cursor = hr.get("/api/v1/units", params={"limit": 1}).json()["next_cursor"]
    items = manager.get("/api/v1/units", params={"cursor": cursor, "limit": 500}).json()["items"]
    assert {unit["code"] for unit in items} <= below(whole, OWN)


def test_who_took_over_is_named_only_within_reach(manager, whole):
    assert whole["GONE"]["successors"] == ["N01"]
    assert manager.get("/api/v1/units/GONE").json()["successors"] == []


def test_nobodys_unit_is_any_unit(people):
    stray = people.manager("NOT-THERE")
    assert every(stray, "/api/v1/units") == []
    assert stray.get(f"/api/v1/units/{MINE}").status_code == 404
    nobody = people.client()
    assert nobody.get("/api/v1/units").status_code == 403


SAMPLES = {
    "period": YEAR,
    "year": str(LAST_YEAR + 1),
    "indicator": "LOANS",
    "form": "csv",
    "plan": "1",
}
UNIT_NAMES = {"unit", "code", "parent"}


def unit_routes(app):
    """Give every address that reads and takes a unit: its path, the parameter, and whether a query has it."""
    for route in iter_route_contexts(app.routes):
        rule = RULES.get(getattr(route, "operation_id", None) or route.name)
        if rule is None or Role.MANAGER not in rule.roles or "GET" not in (route.methods or ()):
            continue
        if route.path.startswith("/api/v1/indicators"):
            continue  # whose code is an indicator's
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            continue
        for field in dependant.path_params:
            if field.alias in UNIT_NAMES:
                yield route, field.alias, False
        for field in dependant.query_params:
            if field.alias in UNIT_NAMES:
                yield route, field.alias, True


def asked_for(route, name: str, unit: str) -> tuple[str, dict[str, str]]:
    """Fill the parameters of an address that have to be given."""
    dependant = route.dependant
    path = re.sub(r"\{(\w+)[^}]*\}", lambda found: encoded(unit) if found[1] == name else SAMPLES[found[1]], route.path)
    query = {
        field.alias: SAMPLES[field.alias]
        for field in dependant.query_params
        if field.field_info.is_required() and field.alias != name
    }
    return path, query


def test_idor(people, manager):
    """Every address that takes a unit answers one beyond reach like one that does not exist, whatever its code."""
    asked = list(unit_routes(people.app))
    paths = {route.path for route, _, _ in asked}
    assert {"/api/v1/units/{unit:path}", "/api/v1/targets/{unit:path}", "/unit", "/path", "/score"} <= paths
    assert {"/export/scores.{form}", "/export/targets.{form}", "/units", "/api/v1/units"} <= paths
    assert {"/api/v1/observations", "/api/v1/appeals", "/api/v1/target-plans/{plan}/line"} <= paths
    wrong = []
    for route, name, queried in asked:
        beyond = [OTHER, "ROOT", THEIRS, "..", "50%", "<script>alert(1)</script>"]
        for unit in beyond:
            answers = []
            for code in (unit, UNKNOWN):
                path, query = asked_for(route, name, code)
                answers.append(manager.get(path, params=query | ({name: code} if queried else {})))
            found, missing = answers
            if found.status_code != missing.status_code or told(found, unit) != told(missing, UNKNOWN):
                wrong.append(f"{route.path} {name}={unit!r}: {found.status_code} {found.text[:300]}")
            if missing.status_code == 200 and queried and len(missing.content) > 0 and not _empty(missing):
                wrong.append(f"{route.path} {name}={UNKNOWN!r} is answered: {missing.text[:300]}")
    assert wrong == []


def _empty(answer) -> bool:
    return answer.headers["content-type"].startswith("application/json") and answer.json().get("items") == []


def test_ones_own_units_are_answered(people, manager):
    """So that the test above can fail."""
    for route, name, queried in unit_routes(people.app):
        if not route.path.startswith(
            ("/api/v1/units", "/api/v1/targets", "/api/v1/scores", "/unit", "/score", "/export")
        ):
            continue
        path, query = asked_for(route, name, MINE)
        answer = manager.get(path, params=query | ({name: MINE} if queried else {}))
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"


@pytest.mark.parametrize("written", ["N01", "N%301", "%4E01", "./N01", "../units/N01", "N02/../N01", "N01%00", "n01"])
def test_no_way_of_writing_a_code_leads_beyond(manager, written):
    for path in (f"/api/v1/units/{written}", f"/api/v1/targets/{written}", f"/api/v1/scores/{written}/{YEAR}"):
        assert manager.get(path).status_code == 404, path


def test_another_dataset_is_seen_as_far_and_no_further(manager, people):
    seen = {unit["code"] for unit in every(manager, "/api/v1/units", dataset="second-bank")}
    assert MINE in seen
    assert THEIRS not in seen
    assert manager.get(f"/api/v1/units/{THEIRS}", params={"dataset": "second-bank"}).status_code == 404
    assert manager.get(f"/api/v1/scores/{THEIRS}/{YEAR}", params={"dataset": "second-bank"}).status_code == 404
    assert manager.get("/api/v1/units", params={"dataset": "no-such"}).status_code == 404


def test_several_subtrees_add_up(people, whole):
    both = people.manager(OTHER, MINE)
    assert {unit["code"] for unit in every(both, "/api/v1/units")} == below(whole, OTHER) | {MINE}


def test_a_role_for_a_part_sees_a_part(people, whole):
    part = people.client(Grant(Role.HR, OWN), Grant(Role.DATA_SCIENTIST))
    assert {unit["code"] for unit in every(part, "/api/v1/units")} == set(whole)  # as a data scientist
    assert part.get(f"/api/v1/targets/{THEIRS}").status_code == 200
    assert part.get(f"/api/v1/scores/{MINE}/{YEAR}").status_code == 200
    assert part.get(f"/api/v1/scores/{THEIRS}/{YEAR}").status_code == 404  # as HR of a part


def test_a_real_key_reaches_as_far_as_its_grants(people, whole):
    """Through the gate, as programs come."""
    local = TestClient(people.app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)
    asked = {"name": "For a test", "grants": [{"role": "manager", "unit": OWN}]}
    made = local.post("/api/v1/keys", json=asked)
    assert made.status_code == 201, made.text
    bearer = {"Authorization": f"Bearer {made.json()['key']}"}
    program = TestClient(people.app, base_url=ADDRESS, headers=bearer, raise_server_exceptions=False)
    assert {unit["code"] for unit in every(program, "/api/v1/units")} == below(whole, OWN)
    assert program.get(f"/api/v1/units/{THEIRS}").status_code == 404
    assert program.get("/api/v1/models").status_code == 403
    assert program.post("/api/v1/keys", json=asked).status_code == 403
    assert program.get("/api/v1/nothing").status_code == 404


def test_score_pages_and_files_hold_own_scores_alone_with_ranks_among_all(people, manager, whole):
    page = people.manager(OWN, html=True).get("/scores", params={"lang": "en", "period": YEAR})
    assert page.status_code == 200
    others = below(whole, OTHER)
    assert "N02" in page.text
    assert not [code for code in others if f"<small>{code}</small>" in page.text]
    rows = list(csv.DictReader(io.StringIO(manager.get("/export/scores.csv").content.decode("utf-8-sig"))))
    assert {row["unit"].lstrip("'") for row in rows} <= below(whole, OWN)
    assert {MINE, RISKY} <= {row["unit"] for row in rows}
    book = openpyxl.load_workbook(io.BytesIO(manager.get("/export/scores.xlsx").content))
    cells = {str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row}
    assert MINE in cells
    assert THEIRS not in cells


def test_one_readers_file_is_not_anothers(manager, neighbour):
    tags = [client.get("/export/scores.csv").headers["etag"] for client in (manager, neighbour)]
    assert tags[0] != tags[1]
    tags = [client.get("/api/v1/units").headers["etag"] for client in (manager, neighbour)]
    assert tags[0] != tags[1]


def test_counts_of_all_units_are_not_told_to_those_who_see_a_part(manager, hr, people, whole):
    text = people.manager(OWN, html=True).get("/", params={"lang": "en"}).text
    assert f"<b>{len(below(whole, OWN))}</b>" in text
    assert f"<b>{len(whole)}</b>" not in text
    asked = {"dataset": "second-bank"}
    notes = hr.get(f"/api/v1/scores/{MINE}/{YEAR}", params=asked).json()["notes"]
    assert any(note[0].isdigit() for note in notes), notes
    seen = manager.get(f"/api/v1/scores/{MINE}/{YEAR}", params=asked).json()["notes"]
    assert not any(note[0].isdigit() for note in seen)


def test_explanations_name_no_other_unit(manager, whole):
    others = below(whole, OTHER) - set("..")
    names = {whole[code]["name"]["en"] for code in others} | {whole[code]["name"]["zh"] for code in others}
    for path in (f"/api/v1/targets/{MINE}", f"/api/v1/scores/{MINE}/{YEAR}/explanation?against=peers"):
        text = manager.get(path).text
        strings = set(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
        assert not strings & (others | names)
        assert THEIRS not in text


def test_alerts_go_to_risk_first_and_to_the_unit_once_released(manager, neighbour, hr, risk, people):
    """One course of an alert, as each role sees it."""
    page = people.manager(OWN, html=True)
    listed = [alert["alert"] for alert in every(risk, "/api/v1/alerts")]
    assert RISKY_KEY in listed
    hidden = [f"/api/v1/alerts/{encoded(RISKY_KEY)}", f"/api/v1/alerts/{encoded(RISKY_KEY)}/explanation"]
    for client in (manager, neighbour, hr):
        for all_of_them in ("false", "true"):
            answer = client.get("/api/v1/alerts", params={"all": all_of_them}).json()
            assert (answer["items"], answer["total"], answer["listed"]) == ([], 0, 0)
            assert answer["expected_false"] is None
            assert RISKY not in json.dumps(answer)
            assert "to review" not in answer["summary"]["en"]
        for path in hidden:
            missing = client.get(path.replace(encoded(RISKY_KEY), "A%2FB@1999"))
            answer = client.get(path)
            assert answer.status_code == missing.status_code == 404
            assert told(answer, RISKY_KEY) == told(missing, "A/B@1999")
        assert client.get("/export/alert.xlsx", params={"key": RISKY_KEY}).status_code == 403
        assert RISKY not in client.get("/export/alerts.csv", params={"all": "true"}).text
    assert page.get("/alert", params={"key": RISKY_KEY}).status_code == 404
    assert risk.get(hidden[0]).status_code == 200

    act = {"decision": "confirmed", "reason": SECRET}
    for client in (manager, hr):
        assert client.post(f"{hidden[0]}/dispositions", json=act).status_code == 403
    assert risk.post(f"{hidden[0]}/dispositions", json=act).status_code == 200
    assert risk.post(f"{hidden[0]}/notes", json={"text": REASON}).status_code == 200
    assert manager.get(hidden[0]).status_code == 404  # confirmed, not released

    assert risk.post(f"{hidden[0]}/release", json={"reason": "talked through"}).status_code == 200
    for client in (manager, hr):
        assert [alert["alert"] for alert in every(client, "/api/v1/alerts")] == [RISKY_KEY]
        answer = client.get(hidden[0])
        assert answer.status_code == 200
        assert answer.json()["released"]
        assert not {SECRET, REASON} & set(re.findall(r'"([^"]*)"', answer.text))
        assert answer.json()["history"] == []
        assert answer.json()["reviewer"] == ""
        explained = client.get(hidden[1]).json()
        assert explained["certainty"] is None
        assert explained["text"]["en"]
        assert explained["text"]["zh"]
        assert [moment["period"] for moment in explained["history"]] == [str(LAST_YEAR - 1), YEAR]
        assert SECRET not in client.get("/export/alerts.csv").text
    assert SECRET in risk.get(hidden[0]).text
    assert every(neighbour, "/api/v1/alerts") == []
    assert neighbour.get(hidden[0]).status_code == 404
    shown = page.get("/alert", params={"key": RISKY_KEY, "lang": "zh"})
    assert shown.status_code == 200
    assert SECRET not in shown.text
    assert REASON not in shown.text
    assert "loadline review" not in shown.text

    part = people.client(Grant(Role.RISK, OTHER))  # reviews the other region alone
    assert part.get(hidden[0]).status_code == 404
    assert part.post(f"{hidden[0]}/notes", json={"text": "x"}).status_code == 404
    assert people.client(Grant(Role.RISK, OWN)).get(hidden[0]).json()["history"]


def taken(client, path: str, step: str, asked: dict | None = None) -> dict:
    """Take a step of a plan as it stands now; give the plan."""
    tag = client.get(path).headers["etag"]
    answer = client.post(f"{path}/{step}", json=asked or {}, headers={"If-Match": tag})
    assert answer.status_code < 300, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def plan(people, hr):
    """The address of a plan that one person of HR drafted and another approved, with a unit flagged for risk."""
    flagged = [{"unit": MINE}]
    answer = hr.post("/api/v1/target-plans", json={"flagged": flagged, "title": "First round"})
    assert answer.status_code == 201, answer.text
    return f"/api/v1/target-plans/{answer.json()['id']}"


def test_plans_are_seen_once_published_and_then_the_own_lines(people, hr, manager, neighbour, plan, whole):
    missing = manager.get(f"/api/v1/target-plans/{NO_ID}")
    assert manager.get(plan).status_code == missing.status_code == 404
    assert manager.get(f"{plan}/lines").status_code == 404
    assert every(manager, "/api/v1/target-plans") == []
    taken(hr, plan, "submit")
    assert manager.get(plan).status_code == 404
    other = people.client(Grant(Role.HR))
    taken(other, plan, "approve")
    taken(other, plan, "publish")
    assert manager.get(plan).status_code == 200
    for client, head in ((manager, OWN), (neighbour, OTHER)):
        lines = every(client, f"{plan}/lines", limit=7)
        assert {line["unit"] for line in lines} <= below(whole, head)
        assert {line["unit"] for line in lines} & {MINE, THEIRS}
        named = every(client, f"{plan}/lines", flagged="true")
        assert {line["unit"] for line in named} == {MINE} & below(whole, head)
        assert client.get(f"{plan}/events").status_code == 403
        assert client.get(f"{plan}/summary").status_code == 403
    assert {line["unit"] for line in every(hr, f"{plan}/lines", flagged="true")} == {MINE}
    asked = {"indicator": "LOANS"}
    assert manager.get(f"{plan}/line", params=asked | {"unit": MINE}).status_code == 200
    beyond = manager.get(f"{plan}/line", params=asked | {"unit": THEIRS})
    unknown = manager.get(f"{plan}/line", params=asked | {"unit": UNKNOWN})
    assert beyond.status_code == 404
    assert told(beyond, THEIRS) == told(unknown, UNKNOWN)


def test_appeals_are_for_the_own_units_and_for_those_who_lead_them(people, manager, neighbour, hr):
    asked = {"period": YEAR, "words": "A loan is missing."}
    beyond = manager.post("/api/v1/appeals", json=asked | {"unit": THEIRS})
    unknown = manager.post("/api/v1/appeals", json=asked | {"unit": UNKNOWN})
    assert beyond.status_code == 404
    assert told(beyond, THEIRS) == told(unknown, UNKNOWN)
    raised = manager.post("/api/v1/appeals", json=asked | {"unit": MINE})
    assert raised.status_code == 201, raised.text
    path = f"/api/v1/appeals/{raised.json()['id']}"
    assert manager.get(path).status_code == hr.get(path).status_code == 200
    assert every(neighbour, "/api/v1/appeals") == []
    for way in ("", "/events"):
        assert neighbour.get(path + way).status_code == 404
    assert told(neighbour.get(path), raised.json()["id"]) == told(neighbour.get(f"/api/v1/appeals/{NO_ID}"), NO_ID)
    revision = {"If-Match": '"r1"'}
    assert neighbour.post(f"{path}/withdraw", json={"words": "In error."}, headers=revision).status_code == 404
    assert neighbour.post(f"{path}/reproduction", json={}).status_code == 404
    for step in ("review", "uphold", "reject"):
        assert manager.post(f"{path}/{step}", json={"words": "Looked at."}, headers=revision).status_code == 403


def test_the_menu_shows_what_is_open(people):
    for grants, expected in (
        ((Grant(Role.MANAGER, OWN),), {"/", "/units", "/scores", "/alerts"}),
        ((Grant(Role.DATA_SCIENTIST),), {"/", "/units", "/models", "/training", "/watch"}),
        ((Grant(Role.ADMIN),), {"/", "/units"}),
    ):
        client = people.client(*grants, html=True)
        page = client.get("/", params={"lang": "en"})
        assert page.status_code == 200
        menu = set(re.findall(r'href="(/[a-z]*)"', re.search(r"(?s)<nav>.*?</nav>", page.text)[0]))
        known = {"/", "/units", "/scores", "/alerts", "/models", "/training", "/watch"}
        assert menu & known == expected
        for path in known:
            assert client.get(path).status_code == (200 if path in expected else 403), path


def test_a_page_that_is_not_open_says_so_kindly(people):
    person = people.manager(OWN, html=True)
    for language, words in (("en", "Your role does not open this page"), ("zh", "您目前的角色不能查看此页面")):
        page = person.get("/models", params={"lang": language})
        assert page.status_code == 403
        assert words in page.text
