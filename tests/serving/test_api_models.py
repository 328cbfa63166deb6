"""Models over the API: what is on record, promoted, taken back and refused."""

import json
import sys
import time

import pytest
from console_reader import person_at
from model_home import FORBIDDEN, LI, NAME, TO_SIGN, WANG, bundle, offered, promoted, run_of, write_card
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at, write_dataset
from starlette.testclient import TestClient

from serving.app import create_app
from serving.jobs import Jobs
from training.gating.comparison import Comparison
from training.gating.paired import Paired
from training.promote import champion_digest
from training.promotion.copies import model_folder

MODELS = "/api/v1/models"
MINE = f"{MODELS}/{NAME}"
WAIT = 60
"""Seconds: generous, since other tests share the machine."""


@pytest.fixture
def advisor(tmp_path):
    found = advisor_at(tmp_path / "home")
    found.ingest(write_dataset(tmp_path / "dataset"))
    return found


@pytest.fixture
def home(advisor):
    return advisor.settings.home


@pytest.fixture
def client(advisor, tmp_path):
    """Leaves a note each time that a worker is started."""
    command = (sys.executable, "-c", f"open({str(tmp_path / 'starts')!r}, 'a').write('x')")
    app = create_app(advisor, token=TOKEN, jobs=Jobs(advisor, command=command, poll=0.05))
    return TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def decided(**more) -> dict:
    return {"by": WANG, "reason": "looked at on 15 January"} | more


def test_models_are_listed_with_what_each_version_waits_for(client, home):
    assert client.get(MODELS).json() == {"items": [], "total": 0, "next_cursor": None}
    first = promoted(home, 1, expected=None)
    second = offered(home, 2, TO_SIGN)
    page = client.get(MODELS)
    (model,) = page.json()["items"]
    assert (model["name"], model["kind"], model["champion"], model["challenger"]) == (NAME, "target", first, second)
    newest, oldest = sorted(model["versions"], key=lambda one: one["version"] == first)
    assert (newest["state"], newest["promotable"], newest["gates_passed"], newest["gates"]) == (
        "challenger",
        False,
        1,
        2,
    )
    assert [obstacle["code"] for obstacle in newest["obstacles"]] == ["signature"]
    assert "0.8" in newest["obstacles"][0]["text"]["zh"]
    assert (oldest["state"], oldest["promoted_by"], oldest["data_version"]) == ("champion", WANG, 1)
    assert client.get(MODELS, headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    offered(home, 3)
    assert client.get(MODELS, headers={"If-None-Match": page.headers["etag"]}).status_code == 200
    assert client.get(MODELS, params={"dataset": "hostile-bank"}).json()["total"] == 1
    problem_of(client.get(MODELS, params={"dataset": "no-bank"}), 404)


def test_a_model_is_looked_up_with_its_record(client, home):
    first = promoted(home, 1, expected=None)
    second = promoted(home, 2, expected=first)
    found = client.get(MINE).json()
    assert [(line["action"], line["version"], line["previous"]) for line in found["record"]] == [
        ("promote", first, None),
        ("promote", second, first),
    ]
    assert found["record"][0]["asked_by"] == LI
    for name in ("nobody", "..%2fstore", "%2e%2e", "x" * 101):
        assert client.get(f"{MODELS}/{name}").status_code in (404, 422)


def test_a_version_tells_its_gates_and_how_it_did(client, home):
    promoted(home, 1, expected=None)
    years = tuple({"year": year, "replayed_challenger": 0.9, "replayed_champion": 0.95} for year in (2022, 2023))
    compared = Comparison("target", "abc", "replayed", replayed=Paired(-0.05, 0.01, 2, 20, "origins"), origins=years)
    rows = [{"indicator": "LOANS", "loss_to_pooled_growth": 0.9, "coverage_80": 0.81, "served_by": "blend"}]
    run = run_of(home, 2)
    about = {"comparison": compared.as_dict() | {"text": compared.text.model_dump()}, "evidence": {"rows": rows}}
    version = offered(home, 2, TO_SIGN, run=run, about=about)
    found = client.get(f"{MINE}/versions/{version}").json()
    assert [check["passed"] for check in found["checks"]] == [True, False]
    assert (found["checks"][1]["effect"], found["checks"][1]["measured"], found["checks"][1]["threshold"]) == (
        "sign_off",
        0.8,
        [1.0],
    )
    assert found["run"] == run
    assert [(row["year"], row["challenger"], row["champion"]) for row in found["comparison"]["years"]] == [
        (2022, 0.9, 0.95),
        (2023, 0.9, 0.95),
    ]
    assert found["evidence"] == rows
    assert found["described"]["seed"] == 2
    other = offered(home, 3, run=run)
    assert client.get(f"{MINE}/versions/{other}").json()["comparison"] is None
    problem_of(client.get(f"{MINE}/versions/0000"), 404)
    problem_of(client.get(f"{MINE}/versions/xyz!"), 422)


def test_a_card_is_given_in_its_language_and_runs_nothing(client, home):
    version = promoted(home, 1, expected=None)
    address = f"{MINE}/versions/{version}/card"
    problem_of(client.get(address), 404)
    write_card(home, version)
    page = client.get(address, params={"lang": "zh"})
    assert page.status_code == 200
    assert "模型卡" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-language"] == "zh-CN"
    policy = page.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script" not in policy
    assert "default-src 'none'" in policy
    text = client.get(address, params={"form": "md"})
    assert text.text == "# Model card\n"
    assert text.headers["content-type"].startswith("text/markdown")
    assert client.get(address, headers={"If-None-Match": client.get(address).headers["etag"]}).status_code == 304
    problem_of(client.get(address, params={"form": "exe"}), 422)
    problem_of(client.get(address, params={"lang": "fr"}), 422)
    cards = client.get(f"{MINE}/versions/{version}").json()["cards"]
    assert len(cards) == 4
    assert {client.get(card).status_code for card in cards} == {200}


def test_a_card_is_no_way_out_of_the_home(client, home, tmp_path):
    version = promoted(home, 1, expected=None)
    folder = model_folder(home, NAME) / "cards" / version
    folder.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text("key")
    (folder / "model-card.en.html").symlink_to(secret)
    assert "key" not in client.get(f"{MINE}/versions/{version}/card").text


def test_promoting_moves_the_record_and_has_the_registry_follow(client, home, tmp_path):
    first = promoted(home, 1, expected=None)
    second = offered(home, 2)
    answer = client.post(f"{MINE}/promote", json=decided(version=second, expected_champion=first))
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["version"], made["previous"], made["by"], made["forced"]) == (second, first, WANG, False)
    assert champion_digest(home, NAME) == bundle(2).digest
    again = client.post(f"{MINE}/promote", json=decided(version=second, expected_champion=first))
    assert again.json() == made
    assert len(client.get(MINE).json()["record"]) == 2
    back = client.post(f"{MINE}/rollback", json=decided(expected_champion=second))
    assert (back.json()["action"], back.json()["version"]) == ("rollback", first)
    assert champion_digest(home, NAME) == bundle(1).digest
    problem_of(client.post(f"{MINE}/rollback", json=decided(expected_champion=first)), 409)
    deadline = time.monotonic() + WAIT
    while not (tmp_path / "starts").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_champion_that_has_changed_is_a_conflict(client, home):
    first = promoted(home, 1, expected=None)
    second = offered(home, 2)
    for expected in (None, bundle(9).version):
        problem = problem_of(
            client.post(f"{MINE}/promote", json=decided(version=second, expected_champion=expected)), 409
        )
        assert first in problem["detail"]
    problem_of(client.post(f"{MINE}/rollback", json=decided(expected_champion=second)), 409)
    assert champion_digest(home, NAME) == bundle(1).digest


def test_gates_hold_unless_a_person_signs_or_forces_on_record(client, home):
    first = promoted(home, 1, expected=None)
    to_sign, forbidden = offered(home, 2, TO_SIGN), offered(home, 3, FORBIDDEN)

    def post(version: str, **more):
        return client.post(f"{MINE}/promote", json=decided(version=version, expected_champion=first, **more))

    assert "stable_explanations" in problem_of(post(to_sign), 409)["detail"]
    assert "1.2" in problem_of(post(forbidden, sign=True), 409)["detail"]
    signed = post(to_sign, sign=True).json()
    assert (signed["signed"], signed["forced"]) == (True, False)
    first = to_sign
    forced = post(forbidden, force=True).json()
    assert (forced["forced"], "beats_baseline" in forced["overridden"]) == (True, True)
    assert client.get(MINE).json()["record"][-1]["forced"] is True


def test_two_people_are_two_people_over_the_api_too(client, home):
    (home / "gates.yaml").write_text("two_people: true\n", encoding="utf-8")
    first = offered(home, 1, by=LI)
    assert client.get(MODELS).json()["items"][0]["two_people"] is True

    def post(by: str, **more):
        return client.post(f"{MINE}/promote", json=decided(by=by, version=first, expected_champion=None, **more))

    for name in (LI, " LI  MING "):
        problem_of(post(name), 409)
        problem_of(post(name, force=True), 409)
    assert post("Wang Fang").status_code == 200


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"by": "  "}, "body.by"),
        ({"reason": ""}, "body.reason"),
        ({"version": "../../x"}, "body.version"),
        ({"version": 1}, "body.version"),
        ({"expected_champion": "short"}, "body.expected_champion"),
        ({"sign": "yes"}, "body.sign"),
        ({"force": 1}, "body.force"),
        ({"tracking": "x"}, "body.tracking"),
    ],
)
def test_decisions_are_read_strictly(client, home, changed, where):
    version = offered(home, 1)
    body = decided(version=version, expected_champion=None) | changed
    problem = problem_of(client.post(f"{MINE}/promote", json=body), 422)
    assert where in [entry["where"] for entry in problem["errors"]]
    missing = decided(version=version)
    assert (
        "body.expected_champion" in problem_of(client.post(f"{MINE}/promote", json=missing), 422)["errors"][0]["where"]
    )
    assert champion_digest(home, NAME) is None


def test_what_is_not_there_is_not_promoted(client, home):
    promoted(home, 1, expected=None)
    body = decided(version="0" * 12, expected_champion=None)
    problem_of(client.post(f"{MINE}/promote", json=body), 404)
    problem_of(client.post(f"{MODELS}/nobody/promote", json=body), 404)
    problem_of(client.post(f"{MODELS}/nobody/rollback", json=decided(expected_champion="0" * 12)), 404)


def test_a_damaged_record_is_said_and_serves_nothing_new(client, home):
    first = promoted(home, 1, expected=None)
    second = offered(home, 2)
    record = model_folder(home, NAME) / "promotions.jsonl"
    content = bytearray(record.read_bytes())
    content[len(content) // 2] ^= 1
    record.write_bytes(bytes(content))
    (model,) = client.get(MODELS).json()["items"]
    assert model["damage"]
    assert model["versions"] == []
    problem_of(client.get(MINE), 409)
    answer = client.post(f"{MINE}/promote", json=decided(version=second, expected_champion=first))
    assert str(home) not in json.dumps(problem_of(answer, 409))


def test_a_session_may_read_and_not_decide(advisor, home):
    version = offered(home, 1)
    person = person_at(advisor)
    assert person.get(MODELS).status_code == 200
    body = decided(version=version, expected_champion=None)
    assert person.post(f"{MINE}/promote", json=body).status_code == 403
    assert person.post(f"{MINE}/rollback", json=decided(expected_champion=version)).status_code == 403


def test_answers_keep_to_their_description(client, home):
    version = promoted(home, 1, expected=None)
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(client.get(MODELS).json()["items"][0]) == set(schemas["ModelSummary"]["properties"])
    assert set(client.get(MINE).json()) == set(schemas["ModelDetail"]["properties"])
    assert set(client.get(f"{MINE}/versions/{version}").json()) == set(schemas["ModelVersionDetail"]["properties"])
