"""The small application against the whole one: the same answers, the same refusals, or none of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from failing_banks import NAMES
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from waiting import until
from warning_bundles import awkward_rows, small_model

from serving.access.principal import LOCAL, Grant, Role, acting
from serving.advisor import Advisor
from serving.app import create_app
from serving.draining import Draining
from serving.errors import ErrorAnswers
from serving.hot.front import Front, no_page, parts_of
from serving.hot.notice import place_of, read_notice, write_notice
from serving.hot.served import Watch
from serving.hot.sheet import FOLDER
from serving.release import release
from training.promotion.copies import copy_folder

LEFT = "left to the whole application"
ROWS = {"rows": [[None if np.isnan(v) else float(v) for v in row] for row in awkward_rows()[3:6]]}


@dataclass
class Both:
    """The whole application and a small one over the same home."""

    home: Path
    advisor: Advisor
    whole: TestClient
    small: TestClient
    watch: Watch

    def same(self, method: str, path: str, **asked) -> tuple[int, str]:
        """Ask both, see that they say the same, and give what they say."""
        answers = [client.request(method, path, **asked) for client in (self.whole, self.small)]
        for answer in answers:
            answer.headers.pop("x-request-id", None)
        told = [answer.json() if answer.text else None for answer in answers]
        for one in told:
            if isinstance(one, dict):
                one.pop("request_id", None)
        assert told[0] == told[1]
        assert answers[0].status_code == answers[1].status_code
        assert dict(answers[0].headers) | {"content-length": ""} == dict(answers[1].headers) | {"content-length": ""}
        assert answers[1].text != LEFT
        return answers[1].status_code, answers[1].text


@pytest.fixture(scope="module")
def both(warned_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    home = shutil.copytree(warned_home, tmp_path_factory.mktemp("both") / "home")
    advisor = advisor_at(home)
    app = create_app(advisor, token=TOKEN, publish=True)
    watch = Watch(home, release=release())
    answer = ErrorAnswers(no_page)
    identity, audit = parts_of(advisor.settings, advisor.now, TOKEN)
    front = Front(
        advisor.settings,
        hosts=(),
        token=TOKEN,
        identity=identity,
        audit=audit,
        watch=watch,
        hand_on=PlainTextResponse(LEFT, status_code=299),
        answer=answer,
        draining=Draining(),
    )
    with (
        TestClient(app, base_url=ADDRESS, headers=BEARER) as whole,
        TestClient(front, base_url=ADDRESS, headers=BEARER) as small,
    ):
        until(lambda: (notice := read_notice(home)) is not None and notice.targets and notice.warnings)
        until(lambda: watch.now.sheets and watch.now.models)
        yield Both(home, advisor, whole, small, watch)


def key_for(both: Both, *grants: Grant) -> dict[str, str]:
    """Make a key for a program; give the header."""
    with acting(LOCAL):
        _, secret = both.advisor.identity.keys.create("test", grants=grants)
    return {"Authorization": f"Bearer {secret}"}


def units(both: Both) -> list[str]:
    (sheet,) = both.watch.now.sheets.values()
    return sorted(set(sheet.index.units) - {".."})  # which a client takes for the folder above


def test_targets_are_the_same_documents_of_every_unit(both: Both) -> None:
    assert len(units(both)) > 10
    for unit in units(both):
        path = f"/api/v1/targets/{quote(unit, safe='/')}"
        status, text = both.same("GET", path)
        assert status == 200, text
    (sheet,) = both.watch.now.sheets.values()
    for query in ("?year=2025", f"?dataset=hostile-bank&year={sheet.index.year}"):
        assert both.same("GET", path + query)[0] == 200
    tag = both.small.get(path).headers["ETag"]
    assert both.same("GET", path, headers={"If-None-Match": tag}) == (304, "")
    assert both.same("HEAD", path) == (200, "")


def test_whatever_is_not_at_hand_is_left_to_the_whole_application(both: Both) -> None:
    path = f"/api/v1/targets/{quote(units(both)[0])}"
    for asked in (
        "/api/v1/targets/nobody",
        "/api/v1/units",
        "/healthz",
        "/",
        f"{path}?indicator=LOANS",
        f"{path}?year=1999",
        f"{path}?year=2025&year=2024",
        f"{path}?dataset=other",
        f"{path}?dataset=%ff",
        f"{path}?x",
        "/api/v1/predictions",
    ):
        assert both.small.get(asked).text == LEFT, asked
    assert both.small.post("/api/v1/predictions?dataset=other", json=ROWS).text == LEFT
    assert both.small.post("/api/v1/predictions", json=ROWS, headers={"Idempotency-Key": "1"}).text == LEFT
    assert both.small.delete(path).text == LEFT


def test_predictions_are_the_same_and_those_of_the_model(both: Both) -> None:
    status, text = both.same("POST", "/api/v1/predictions", json=ROWS)
    assert status == 200
    expected = small_model().predict(awkward_rows()[3:6])
    np.testing.assert_allclose(json.loads(text)["probabilities"], expected, rtol=0, atol=2e-9)
    status, text = both.same("POST", "/api/v1/predictions/explanation", json=ROWS)
    assert status == 200
    titles = {d["code"]: d["title"]["en"] for item in json.loads(text)["items"] for d in item["drivers"]}
    assert titles["LOANS.growth"] != "LOANS.growth", "known indicators are named in words"
    assert titles["CAPITAL.level"] == "CAPITAL.level", "others by their code"
    asked = both.whole.get("/api/v1/predictions").json()
    assert asked["features"] == list(NAMES)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b"{}", "headers": {"Host": "evil.example"}}, 400),
        ({"content": b"{}", "headers": {"Authorization": "Bearer nothing-of-the-kind"}}, 401),
        ({"json": {"rows": [[1.0]], "more": 1}}, 422),
        ({"json": {"rows": [[1.0] * 6] * 5001}}, 422),
        ({"content": b" " * (9 << 20), "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
def test_refusals_are_the_same(both: Both, asked: dict, status: int) -> None:
    assert both.same("POST", "/api/v1/predictions", **asked)[0] == status
    assert both.same("POST", "/api/v1/predictions/explanation", **asked)[0] == status


def test_who_may_see_what_is_the_same(both: Both) -> None:
    (sheet,) = both.watch.now.sheets.values()
    head = next(u for u in units(both) if any(p == u for p in sheet.index.parents.values()))
    below = [unit for unit in units(both) if sheet.within(unit, frozenset({head}))]
    beyond = [unit for unit in units(both) if unit not in below]
    assert len(below) > 1
    assert beyond
    manager = key_for(both, Grant(Role.MANAGER, head))
    for unit in (*below[:3], *beyond[:3]):
        answers = [c.get(f"/api/v1/targets/{quote(unit)}", headers=manager) for c in (both.whole, both.small)]
        assert [a.status_code for a in answers] == [200 if unit in below else 404] * 2, unit
        first, second = (a.json() | {"request_id": ""} for a in answers)
        assert first == second
        assert "ETag" not in answers[1].headers or unit in below
    for role, status in ((Role.DATA_SCIENTIST, 200), (Role.RISK, 200), (Role.AUDITOR, 200), (Role.HR, 403)):
        assert both.same("POST", "/api/v1/predictions", json=ROWS, headers=key_for(both, Grant(role)))[0] == status
    assert both.same("POST", "/api/v1/predictions", json=ROWS, headers=manager)[0] == 403
    assert both.same("GET", f"/api/v1/targets/{quote(head)}", headers=key_for(both, Grant(Role.ADMIN)))[0] == 403


def test_what_was_seen_here_is_in_the_audit(both: Both) -> None:
    from serving.audit.reading import Wanted

    unit = units(both)[0]
    seen = both.small.get(f"/api/v1/targets/{quote(unit)}").headers["x-request-id"]
    asked = both.small.post("/api/v1/predictions", json=ROWS).headers["x-request-id"]
    _, audit = parts_of(both.advisor.settings, both.advisor.now, TOKEN)

    def noted() -> dict[str, tuple[str, str]] | None:
        audit.settle()
        found = {entry.request: (entry.action, entry.subject) for entry in audit.every(Wanted())}
        return found if {seen, asked} <= set(found) else None

    found = until(noted)
    assert found[seen] == ("get_targets", unit)
    assert found[asked][0] == "predict"


def test_answers_end_when_what_they_rest_on_changes_and_come_back_with_a_new_notice(both: Both) -> None:
    path = f"/api/v1/targets/{quote(units(both)[0])}"
    policies = both.home / "policies" / "hostile-bank"
    policies.mkdir(parents=True)
    record = policies / "activations.jsonl"
    record.touch()
    both.watch.look()
    assert both.small.get(path).text == LEFT
    assert both.small.post("/api/v1/predictions", json=ROWS).text == LEFT
    until(lambda: both.watch.now.sheets and both.watch.now.models)
    assert both.same("GET", path)[0] == 200


def test_a_notice_that_is_damaged_changes_nothing(both: Both) -> None:
    notice, place, before = read_notice(both.home), place_of(both.home), both.watch.now
    content = place.read_bytes()
    for wrong in (content[:-9], content.replace(b"targets", b"Targets", 1), b"", b"\n"):
        place.write_bytes(wrong)
        both.watch.look()
        assert both.watch.now is before
    assert notice is not None
    write_notice(both.home, notice)
    both.watch.look()
    assert both.watch.now.sheets == before.sheets


def test_a_sheet_and_a_model_that_are_damaged_are_left(both: Both) -> None:
    sheet = next((both.home / FOLDER).glob("*.sheet"))
    content = sheet.read_bytes()
    path = f"/api/v1/targets/{quote(units(both)[0])}"
    fresh = Watch(both.home, release=release())
    sheet.write_bytes(content[:-1])
    fresh.look()
    assert not fresh.now.sheets
    assert fresh.now.models
    sheet.write_bytes(content.replace(b'{"unit"', b'{"UNIT"'))
    assert both.small.get(path).text == LEFT, "it is noticed when it is read"
    assert not both.watch.now.sheets
    notice = read_notice(both.home)
    assert notice is not None
    (about,) = notice.warnings.values()
    text = next(copy_folder(both.home, about.model, about.digest).glob("texts/*"))
    text.write_bytes(text.read_bytes().replace(b"leaf_value=", b"leaf_valve=", 1))
    fresh = Watch(both.home, release=release())
    fresh.look()
    assert not fresh.now.models
    assert both.small.post("/api/v1/predictions", json=ROWS).status_code == 200, "what was loaded answers on"


def test_what_another_release_wrote_is_not_used(both: Both) -> None:
    other = Watch(both.home, release="another")
    other.look()
    assert not other.now.sheets
    assert not other.now.models
