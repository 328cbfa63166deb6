"""A real service asked through the client."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor

import pytest
from api_guide import PROGRAM
from breaking_server import relay
from plan_home import GOAL, LOANS
from serving_home import BRANCHES, ODD_BRANCHES, REGIONS, SILENT, TOKEN

from features.errors import LoadlineError
from serving.client import Loadline, ProblemError, Tagged, UnreachableError
from serving.identity_schemas import KeyRequest, PersonChange, PersonRequest, RoleGrant
from serving.plan_schemas import AskedValue, DraftAsked, LineChange, ReturnAsked, StepAsked
from serving.schemas import Unit, UnitSuggestions


def add(service: Loadline, login: str) -> str:
    service.people.add(PersonRequest(login=login, name="0", grants=[RoleGrant(role="hr")]))
    return login


def test_whoever_asks_is_told(service):
    assert service.service.me().kind == "local"
    assert service.service.health().status == "ok"
    assert service.service.readiness().components["store"] == "ok"


def test_a_list_is_gone_through_to_its_end(service):
    units = list(service.units.list.every(limit=7))
    assert {unit.code for unit in units} == {"ROOT", *REGIONS, *BRANCHES, "GONE", SILENT}
    assert len(units) == service.units.list(limit=1).total > 7
    assert [unit.code for unit in service.units.list.every(parent="ROOT")] == sorted(REGIONS)


@pytest.mark.parametrize("unit", [*ODD_BRANCHES, REGIONS[1]])
def test_a_code_may_hold_any_character(service, unit):
    found = service.units.get(unit)
    assert isinstance(found, Unit)
    assert found.code == unit
    targets = service.targets.suggest(unit, indicator=["LOANS"]) if unit in ODD_BRANCHES else None
    assert targets is None or (isinstance(targets, UnitSuggestions) and targets.unit == unit)


def test_a_refusal_says_what_to_do_next(service):
    with pytest.raises(ProblemError) as refused:
        service.units.get("nowhere")
    assert (refused.value.status, refused.value.kind) == (404, "not-found")
    assert "nowhere" in refused.value.what
    assert refused.value.hint
    assert f"Request: {refused.value.request_id}" in str(refused.value)
    with pytest.raises(ProblemError) as refused:
        service.units.list(limit=0)
    assert [error.where for error in refused.value.errors] == ["query.limit"]
    assert "- query.limit: " in str(refused.value)


def test_a_plan_goes_from_draft_to_publication(service, tmp_path):
    goals = [AskedValue(unit="ROOT", indicator=LOANS, value=GOAL)]
    plan = service.plans.draft(DraftAsked(goals=goals, title="first", by="Li")).id
    line = service.plans.line(plan, unit="..", indicator=LOANS)
    assert line.target.value is not None
    change = LineChange(target=line.target.value + 5, reason="agreed", by="Li")
    service.plans.change_line(plan, change, unit="..", indicator=LOANS, if_match=line.etag)
    with pytest.raises(ProblemError) as stale:
        service.plans.change_line(plan, change, unit="..", indicator=LOANS, if_match=line.etag)
    assert stale.value.status == 412
    assert [found.unit for found in service.plans.lines.every(plan, changed=True)] == [".."]

    book = service.plans.export.save(tmp_path / "plan.xlsx", plan, lang="zh")
    found = service.plans.compare_sheet(plan, book.read_bytes())
    assert (found.edits, found.problems) == ([], [])

    plans, get = service.plans, service.plans.get
    get.edit(lambda _, tag: plans.submit(plan, StepAsked(by="Li"), if_match=tag), plan)
    get.edit(lambda _, tag: plans.give_back(plan, ReturnAsked(by="Wang", reason="too low"), if_match=tag), plan)
    get.edit(lambda _, tag: plans.submit(plan, StepAsked(by="Li"), if_match=tag), plan)
    get.edit(lambda _, tag: plans.approve(plan, StepAsked(by="Wang"), if_match=tag), plan)
    published = get.edit(lambda _, tag: plans.publish(plan, StepAsked(by="Wang"), if_match=tag), plan)
    assert published.state == "published"
    actions = [event.action for event in service.plans.events.every(plan, limit=2)]
    assert actions == ["draft", "override", "submit", "return", "submit", "approve", "publish"]


def test_an_edit_is_done_again_where_somebody_else_was_quicker(service):
    login, others = add(service, "edited"), iter(["quicker"])
    seen: list[str] = []

    def rename(person, tag):
        seen.append(person.name)
        for name in others:
            service.people.change(login, PersonChange(name=name), if_match=tag)
        return service.people.change(login, PersonChange(name=f"{person.name}, then me"), if_match=tag)

    assert service.people.get.edit(rename, login).name == "quicker, then me"
    assert seen == ["0", "quicker"]


def test_many_edits_at_once_lose_none(service):
    login = add(service, "counted")

    def count(person, tag):
        return service.people.change(login, PersonChange(name=str(int(person.name) + 1)), if_match=tag)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: service.people.get.edit(count, login), range(12)))
    assert service.people.get(login).name == "12"


def test_an_edit_that_is_refused_otherwise_is_not_done_again(service):
    login, calls = add(service, "refused"), []

    def spoil(person, tag):
        calls.append(tag)
        return service.people.change(login, PersonChange(grants=[RoleGrant(role="manager")]), if_match=tag)

    with pytest.raises(ProblemError) as refused:
        service.people.get.edit(spoil, login)
    assert refused.value.status == 422
    assert len(calls) == 1


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_done_twice(server, service):
    with relay(server.port, lost=2) as broken, Loadline(broken.address, TOKEN, wait=lambda _: None) as client:
        made = client.people.add(PersonRequest(login="once", name="Once"))
    assert made.login == "once"
    keys = [request.headers["idempotency-key"] for request in broken.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert [person.login for person in service.people.list.every()].count("once") == 1


def test_a_change_that_cannot_be_sent_again_is_not(server, service):
    login = add(service, "changed")
    tag = service.people.get.tagged(login).tag
    with (
        relay(server.port, lost=1) as broken,
        Loadline(broken.address, TOKEN, wait=lambda _: None) as client,
        pytest.raises(UnreachableError, match="broke off") as lost,
    ):
        client.people.change(login, PersonChange(name="New"), if_match=tag)
    assert "Look whether it was done" in lost.value.hint
    assert len(broken.asked) == 1
    assert service.people.get(login).name == "New"


def test_a_program_that_is_started_again_does_it_once(service):
    asked = KeyRequest(name="nightly", grants=[RoleGrant(role="auditor")])
    first = service.keys.create.once("nightly-2026-03-01", asked)
    with pytest.raises(ProblemError) as again:
        service.keys.create.once("nightly-2026-03-01", asked)  # a secret is shown once
    assert again.value.status == 409
    with pytest.raises(ProblemError) as other:
        service.keys.create.once("nightly-2026-03-01", KeyRequest(name="other", grants=asked.grants))
    assert other.value.status == 422
    assert [key.id for key in service.keys.list.every() if key.name == "nightly"] == [first.id]
    assert service.keys.revoke(first.id).revoked_at is not None
    with pytest.raises(LoadlineError, match="takes no Idempotency-Key"):
        service.units.get.once("key", "N01")


def test_a_key_sees_what_it_may(server, service):
    made = service.keys.create(KeyRequest(name="south", grants=[RoleGrant(role="manager", unit=REGIONS[0])]))
    with Loadline(f"http://127.0.0.1:{server.port}", made.key) as manager:
        assert REGIONS[1] not in {unit.code for unit in manager.units.list.every()}
        with pytest.raises(ProblemError) as refused:
            manager.people.list()
    assert refused.value.status == 403


def test_a_tag_comes_with_its_answer(service):
    found = service.people.get.tagged(add(service, "tagged"))
    assert isinstance(found, Tagged)
    assert (found.answer.login, found.tag) == ("tagged", '"r1"')


def test_a_file_is_written_whole_or_not_at_all(service, tmp_path):
    kept = tmp_path / "audit.csv"
    kept.write_text("what was there", encoding="utf-8")
    with pytest.raises(ProblemError):
        service.plans.export.save(kept, "0" * 32)
    assert [path.name for path in tmp_path.iterdir()] == ["audit.csv"]
    assert kept.read_text(encoding="utf-8") == "what was there"
    service.units.get("N01")
    assert service.audit.export.save(kept) == kept
    with open(kept, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5
    assert [path.name for path in tmp_path.iterdir()] == ["audit.csv"]
    assert service.audit.verify().holds


def test_the_program_in_the_guide_does_what_it_says(server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADDRESS", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("KEY", TOKEN)
    exec(PROGRAM, {})
    first, refused, last = capsys.readouterr().out.splitlines()
    assert float(first.split()[-1]) > 0
    assert refused.startswith("404 there is no unit 'nowhere'")
    assert last == "submitted plan.xlsx"
    assert (tmp_path / "plan.xlsx").read_bytes().startswith(b"PK")
