"""The audit over the API, in the console and at the command line."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from audited import AUDITOR, change
from command_line import CommandLine
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at
from sqlalchemy import delete, update
from starlette.testclient import TestClient
from waiting import until

from serving.access.rules import RULES
from serving.advisor import Advisor
from serving.app import create_app
from serving.audit.reading import Wanted
from serving.console.formats import LANGUAGES, read_wording
from serving.database.tables.audit import audit_events, audit_head
from serving.database.tables.base import canonical
from serving.plans.plan import Action
from training.review.entry import ACTIONS

FORMULA = "=1+1"


def filled(home: Path, migrated_file: Path) -> Advisor:
    """Give a home with nothing but an audit: ten that saw `=1+1` and N01 in turn, and one change."""
    home.mkdir()
    shutil.copy(migrated_file, home)
    made = advisor_at(home)
    for number in range(10):
        made.audit.note(AUDITOR, "get_score", status=200, subject=FORMULA if number % 2 else "N01", dataset="bank")
    made.audit.settle()
    change(made.audit, "plan-1", version=2)
    return made


@pytest.fixture(scope="module")
def looked_at(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    """An audit to which the tests add their looks."""
    return filled(tmp_path_factory.mktemp("looked") / "home", migrated_file)


@pytest.fixture(scope="module")
def client(looked_at: Advisor) -> TestClient:
    app = create_app(looked_at, token=TOKEN)
    return TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


@pytest.fixture
def advisor(migrated_file: Path, tmp_path: Path) -> Advisor:
    return filled(tmp_path / "home", migrated_file)


@pytest.fixture
def loadline(advisor: Advisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(advisor.settings.home, monkeypatch, capsys)


def test_pages_of_the_list_go_back_in_time_and_leave_nothing_out(client: TestClient):
    seen, cursor = [], None
    for _ in range(9):
        asked = {"limit": 3, "principal": "person:a1", **({"cursor": cursor} if cursor else {})}
        answer = client.get("/api/v1/audit-events", params=asked)
        assert answer.status_code == 200
        seen += [item["number"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(11, 0, -1))


def test_filters_narrow_the_list_down(client: TestClient):
    def numbers(**asked: str) -> list[int]:
        return [item["number"] for item in client.get("/api/v1/audit-events", params=asked).json()["items"]]

    assert numbers(subject=FORMULA) == [10, 8, 6, 4, 2]
    assert numbers(action="plan.publish", principal="审计员 Wu") == [11]
    assert numbers(principal="person:a1", subject="N01") == [9, 7, 5, 3, 1]
    assert numbers(principal="nobody") == []
    assert numbers(action="get_score", dataset="bank", until="2020-01-01T00:00:00Z") == []
    assert numbers(action="get_score", dataset="bank", since="2020-01-01T00:00:00+08:00", limit="2") == [10, 9]


def test_a_change_is_told_with_its_detail_and_looking_is_noted(client: TestClient):
    first = client.get("/api/v1/audit-events", params={"action": "plan.publish"})
    (found,) = first.json()["items"]
    assert (found["subject"], found["status"], found["detail"]) == ("plan-1", None, {"version": 2})
    asked = {"request": first.headers["x-request-id"]}
    (looked,) = client.get("/api/v1/audit-events", params=asked).json()["items"]
    assert (looked["action"], looked["principal"], looked["status"]) == ("list_audit_events", "local", 200)


@pytest.mark.parametrize(
    "asked",
    [
        {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"},
        {"cursor": "%"},
        {"since": "2026-03-01"},
        {"since": "9999-12-31T23:59:59-12:00"},
        {"until": "0001-01-01T00:00:00+12:00"},
        {"limit": "0"},
        {"subject": "x" * 501},
    ],
)
def test_what_cannot_be_read_is_refused(client: TestClient, asked: dict[str, str]):
    assert client.get("/api/v1/audit-events", params=asked).status_code == 422


def test_odd_texts_find_nothing_and_break_nothing(client: TestClient):
    for odd in ("\x00", "%", "' OR 1=1 --", "{{7*7}}"):
        answer = client.get("/api/v1/audit-events", params={"subject": odd, "principal": odd})
        assert answer.json()["items"] == []


def test_verification_tells_where_the_chain_does_not_hold(client: TestClient, looked_at: Advisor):
    def subject(text: str) -> None:
        with looked_at.database.write() as connection:
            connection.execute(update(audit_events).where(audit_events.c.number == 4).values(subject=text))

    assert client.get("/api/v1/audit-events/verification").json()["holds"] is True
    subject("another")
    answer = client.get("/api/v1/audit-events/verification").json()
    assert (answer["holds"], answer["found"]) == (False, 1)
    assert (answer["findings"][0]["number"], answer["findings"][0]["kind"]) == (4, "changed")
    page = client.get("/audit", params={"verify": 1, "lang": "zh"}, headers={"Accept": "text/html"}).text
    assert "校验不通过" in page
    assert "第 4 条：" in page
    subject(FORMULA)
    assert client.get("/api/v1/audit-events/verification").json()["holds"] is True


def test_the_export_runs_nothing_in_a_spreadsheet(client: TestClient):
    for address in ("/api/v1/audit-events/export", "/export/audit.csv"):
        answer = client.get(address, params={"subject": FORMULA})
        rows = list(csv.DictReader(answer.text.splitlines()))
        assert [row["number"] for row in rows] == ["2", "4", "6", "8", "10"]
        assert {row["subject"] for row in rows} == {f"'{FORMULA}"}
        assert "attachment" in answer.headers["content-disposition"]


def test_the_page_lists_and_narrows_down(client: TestClient):
    page = client.get("/audit", params={"subject": "plan-1", "lang": "en"}, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "plan.publish" in page.text
    assert "1 entries" in page.text
    assert "complete and unchanged" in client.get("/audit", params={"verify": 1}).text
    assert client.get("/audit", params={"since": "yesterday"}).status_code == 422
    assert "No entry" in client.get("/audit", params={"until": "2000-01-01"}).text


def test_the_command_line_verifies(loadline: CommandLine, advisor: Advisor, tmp_path: Path):
    anchors = tmp_path / "anchors.jsonl"
    loadline("audit", "anchor", "--out", anchors)
    assert "The audit holds: 11 entries, 1 anchors" in loadline("audit", "verify").out
    assert "2 anchors" in loadline("audit", "verify", "--anchor", anchors).out
    (advisor.audit.folder / "anchors.jsonl").unlink()
    with advisor.database.write() as connection:  # cut off so that nothing in the database tells
        connection.execute(delete(audit_events).where(audit_events.c.number > 10))
        last = connection.execute(audit_events.select().where(audit_events.c.number == 10)).one()
        connection.execute(update(audit_head).values(number=10, hash=last.hash))
    loadline("audit", "verify")
    told = loadline("audit", "verify", "--anchor", anchors, "--out", tmp_path / "found.csv", code=1)
    assert "does not hold" in told.err
    assert "11,anchor," in (tmp_path / "found.csv").read_text()
    told = loadline("audit", "verify", "--anchor", tmp_path / "found.csv", code=1)
    assert "no file of anchors" in told.err


def test_the_command_line_exports_and_lists(loadline: CommandLine, tmp_path: Path):
    loadline("audit", "export", "--out", tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 12))
    for line in lines:  # anybody can verify it
        digest = line.pop("hash")
        assert hashlib.sha256(canonical(line).encode()).hexdigest() == digest
    loadline("audit", "export", "--out", tmp_path / "some.xlsx", "--subject", FORMULA)
    sheet = openpyxl.load_workbook(tmp_path / "some.xlsx").active
    cells = list(sheet.iter_rows(values_only=True))
    assert len(cells) == 6
    assert FORMULA in cells[1]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    loadline("audit", "export", "--out", tmp_path / "none.csv", "--to", "2000-01-01")
    assert len((tmp_path / "none.csv").read_text().splitlines()) == 1
    assert "no export" in loadline("audit", "export", "--out", tmp_path / "all.pdf", code=1).err
    assert "plan.publish" in loadline("audit", "list", "--limit", 1).out
    assert "is no day" in loadline("audit", "list", "--from", "soon", code=1).err


def test_a_home_without_an_entry_holds_and_has_nothing_to_anchor(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(migrated_file, tmp_path)
    loadline = CommandLine(tmp_path, monkeypatch, capsys)
    assert "holds: 0 entries" in loadline("audit", "verify").out
    assert "no entry yet" in loadline("audit", "anchor", "--out", tmp_path / "a.jsonl", code=1).err


def test_who_sees_a_result_over_the_real_service_is_noted(trained: Advisor, app):
    """With the application's own gate, rules and answers."""
    real = TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)
    until(lambda: real.get("/api/v1/targets/N01").status_code == 200)  # not before the model was tried
    trained.audit.settle()
    before = trained.audit.head().number
    asked = [
        real.get("/api/v1/targets/N01"),
        real.get("/api/v1/targets/nowhere"),
        real.get("/api/v1/units"),
        real.get("/export/targets.csv", params={"code": "N01"}),
        real.get("/unit", params={"code": "N02"}),
    ]
    assert [answer.status_code for answer in asked] == [200, 404, 200, 200, 200]
    entries, _ = trained.audit.page(Wanted(), limit=10)
    found = [(e.action, e.subject, e.dataset, e.principal) for e in entries[::-1] if e.number > before]
    assert found == [
        ("get_targets", "N01", "hostile-bank", "local"),
        ("export", "N01", "hostile-bank", "local"),
        ("unit_page", "N02", "hostile-bank", "local"),
    ]


def test_what_is_changed_at_the_command_line_is_noted(untrained: Advisor):
    (entry,), total = untrained.audit.page(Wanted(action="ingest"), limit=2)
    assert total == 1
    assert (entry.principal_id, entry.subject, entry.dataset) == ("local", "data version 1", "hostile-bank")


def test_every_audited_operation_has_words_in_both_languages():
    wording = read_wording()
    named = [name for name, rule in RULES.items() if rule.audit]
    named += [f"plan.{action.value}" for action in Action] + [f"alert.{action}" for action in ACTIONS[1:]]
    for name in named:
        assert all(wording[f"action.{name}"][language].strip() for language in LANGUAGES), name
