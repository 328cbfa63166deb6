"""The API over the real application: what it answers, and how it refuses."""

import json
import subprocess
import sys
from urllib.parse import quote

import pytest
from fastapi.openapi.utils import get_openapi
from serving_home import (
    ADDRESS,
    BEARER,
    BRANCHES,
    FIRST_YEAR,
    LAST_YEAR,
    REGIONS,
    SILENT,
    TOKEN,
    advisor_at,
    promote_model,
    write_dataset,
)
from starlette.testclient import TestClient
from waiting import until

from serving.app import create_app
from serving.errors import KINDS

YEAR = LAST_YEAR + 1
EVERYONE = sorted(["ROOT", *REGIONS, *BRANCHES, "GONE", SILENT])


def client_of(advisor) -> TestClient:
    return TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)


def strict(text: str) -> object:
    """Parse JSON that holds neither NaN nor infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def assert_problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = strict(answer.text)
    assert isinstance(problem, dict)
    assert {"type", "title", "status", "detail", "instance", "hint", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["type"] in {f"urn:loadline:problem:{kind.name}" for kind in KINDS}
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return problem


def test_health_and_readiness_answer_everybody(stranger, client):
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert client.get("/api/v1/targets/N01").status_code == 200
    ready = stranger.get("/readyz")
    assert ready.status_code == 200
    parts = ("store", "model", "registry", "database", "audit", "space")
    assert ready.json() == {"status": "ok", "components": dict.fromkeys(parts, "ok")}


def test_readiness_without_data_or_model_is_503_and_tells_no_paths(empty, untrained):
    others = ("registry", "database", "audit", "space")
    for advisor, components in (
        (empty, {"store": "missing", "model": "missing"}),
        (untrained, {"store": "ok", "model": "missing"}),
    ):
        answer = client_of(advisor).get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "missing", "components": components | dict.fromkeys(others, "ok")}
        assert str(advisor.settings.home) not in answer.text


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_are_complete_stable_and_end(client, limit):
    seen, cursor = [], None
    for _ in range(len(EVERYONE) + 1):
        given = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/units", params=given).json()
        assert page == client.get("/api/v1/units", params=given).json()
        assert len(page["items"]) <= limit
        assert page["total"] == len(EVERYONE)
        seen += [unit["code"] for unit in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == EVERYONE


def test_pages_stay_complete_while_new_data_comes_in(own_home, tmp_path):
    advisor = advisor_at(own_home)
    client = client_of(advisor)
    first = client.get("/api/v1/units", params={"limit": 5}).json()
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
    second = client.get("/api/v1/units", params={"limit": 500, "cursor": first["next_cursor"]}).json()
    assert [unit["code"] for unit in first["items"] + second["items"]] == EVERYONE


def test_units_are_filtered_by_level_and_parent(client):
    def codes(**given: str) -> list[str]:
        return [unit["code"] for unit in client.get("/api/v1/units", params=given).json()["items"]]

    assert codes(level="region") == sorted(REGIONS)
    assert codes(parent="") == ["ROOT"]
    assert codes(parent=REGIONS[1]) == sorted(BRANCHES[1::2])
    assert codes(parent=REGIONS[1], level="group") == []
    assert_problem(client.get("/api/v1/units", params={"parent": "nobody"}), 404)
    assert "region" in assert_problem(client.get("/api/v1/units", params={"level": "planet"}), 404)["hint"]


@pytest.mark.parametrize("code", [code for code in EVERYONE if code != ".."])  # see test_server: clients resolve dots
def test_every_unit_is_found_by_its_code_whatever_is_in_it(client, code):
    unit = client.get(f"/api/v1/units/{quote(code, safe='')}")
    assert unit.status_code == 200
    assert unit.json()["code"] == code


def test_a_slash_in_a_code_may_stay_as_it_is(client):
    assert client.get("/api/v1/units/A/B").json()["code"] == "A/B"


def test_what_is_known_of_a_unit(client):
    unit = client.get("/api/v1/units/GONE").json()
    assert unit["name"] == {"en": "Gone branch", "zh": None}
    assert (unit["parent"], unit["valid_from"], unit["valid_to"]) == (REGIONS[0], None, "2018")
    assert (unit["level"], unit["region_type"], unit["peer_group"]) == ("branch", "coastal", None)
    assert unit["successors"] == ["N01"]
    assert client.get("/api/v1/units/ROOT").json()["children"] == len(REGIONS)


@pytest.mark.parametrize(
    "code", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/dataset.yaml", "", "x\x00y", "%ff", "N01/"]
)
def test_paths_lead_nowhere(client, code):
    for resource in ("units", "targets"):
        path = quote(code, safe="%/.")
        answer = client.get(f"/api/v1/{resource}/{path}")
        assert answer.status_code == 404
        assert "root:" not in answer.text


def test_static_files_lead_nowhere_else(client):
    for path in ("../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "....//pages.py", "/etc/passwd", "missing.css"):
        assert_problem(client.get(f"/static/{path}"), 404)


def test_indicators(client):
    page = client.get("/api/v1/indicators", params={"limit": 2}).json()
    assert [entry["code"] for entry in page["items"]] == ["GDP", "LOANS"]
    rest = client.get("/api/v1/indicators", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [entry["code"] for entry in rest["items"]] == ["NPL_RATIO"]
    assert rest["next_cursor"] is None
    ratio = client.get("/api/v1/indicators/NPL_RATIO").json()
    assert ratio["name"] == {"en": "NPL ratio", "zh": "不良贷款率"}
    assert (ratio["unit"], ratio["direction"], ratio["bounds"]) == ("%", "lower", [0.0, 100.0])
    assert (ratio["kind"], ratio["denominator"], ratio["target_allowed"]) == ("ratio", "LOANS", True)
    assert client.get("/api/v1/indicators/GDP").json()["target_allowed"] is False
    assert_problem(client.get("/api/v1/indicators/XX"), 404)


def test_suggestions_are_the_advisors_own(client, trained):
    answer = client.get("/api/v1/targets/A%2FB", params={"year": YEAR})
    sheet = strict(answer.text)
    assert sheet == strict(client.get("/api/v1/targets/A%2FB").text)
    assert (sheet["unit"], sheet["year"], sheet["synthetic"]) == ("A/B", YEAR, True)
    table = trained.suggesting.suggestion("A/B").set_index("indicator")
    assert [item["indicator"] for item in sheet["items"]] == list(table.index) == ["LOANS", "NPL_RATIO"]
    for item in sheet["items"]:
        row = table.loc[item["indicator"]]
        assert item["last_actual"] == row["last_actual"]
        for level in ("floor", "target", "stretch"):
            assert item[level] == {"value": row[level], "probability": row[f"p_{level}"]}
        assert item["floor"]["probability"] > item["target"]["probability"] > item["stretch"]["probability"] > 0
        assert (item["model_version"], item["policy_version"]) == (row["model_version"], row["policy_version"])
        assert (item["data_version"], item["evidence"]) == (1, row["evidence"])
        assert item["known_on"] == f"{LAST_YEAR}-12-31"
        steps = sum(driver["amount"] for driver in item["drivers"])
        assert round(item["last_actual"] + steps, 2) == round(item["target"]["value"], 2)
        assert "达成概率" in item["text"]["zh"]
    assert [item["unit_of_measure"] for item in sheet["items"]] == ["CNY m", "%"]
    assert sheet["items"][0]["model_version"] != "fitted-on-request"


def test_suggestions_are_for_groups_of_units_too(client):
    region = client.get(f"/api/v1/targets/{quote(REGIONS[1], safe='')}").json()
    assert region["name"]["en"] == REGIONS[1]
    assert {item["indicator"] for item in region["items"]} == {"LOANS", "NPL_RATIO"}


def test_suggestions_on_some_indicators(client):
    one = client.get("/api/v1/targets/N01", params={"indicator": "LOANS"}).json()
    assert [item["indicator"] for item in one["items"]] == ["LOANS"]
    both = client.get("/api/v1/targets/N01", params={"indicator": ["LOANS", "NPL_RATIO"]}).json()
    assert len(both["items"]) == 2
    assert "GDP" in assert_problem(client.get("/api/v1/targets/N01", params={"indicator": "GDP"}), 404)["detail"]


@pytest.mark.parametrize("year", [FIRST_YEAR, LAST_YEAR, YEAR + 1, 2200])
def test_years_that_are_not_served_say_what_to_do(client, year):
    problem = assert_problem(client.get("/api/v1/targets/N01", params={"year": year}), 404)
    assert str(YEAR) in problem["detail"]
    assert f"loadline targets --year {year}" in problem["hint"]


@pytest.mark.parametrize("unit", [SILENT, "GONE", "nobody"])
def test_units_without_a_suggestion_say_so(client, unit):
    problem = assert_problem(client.get(f"/api/v1/targets/{unit}"), 404)
    assert unit in problem["detail"]
    assert problem["hint"]


def test_without_a_model_the_answer_says_what_to_run(untrained):
    problem = assert_problem(client_of(untrained).get("/api/v1/targets/N01"), 404)
    assert "loadline train" in problem["hint"]


def test_without_data_the_answer_says_so_and_tells_no_paths(empty):
    client = client_of(empty)
    for path in ("/api/v1/units", "/api/v1/units/x", "/api/v1/indicators", "/api/v1/targets/x"):
        answer = client.get(path)
        assert "no data" in assert_problem(answer, 409)["detail"]
        assert str(empty.settings.home) not in answer.text
    assert client.get("/api/v1/snapshots").json() == {"items": [], "total": 0, "next_cursor": None}


def test_snapshots_and_datasets(own_home, tmp_path):
    advisor = advisor_at(own_home)
    client = client_of(advisor)
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
    advisor.ingest(write_dataset(tmp_path / "third", name="other-bank"))
    seen = client.get("/api/v1/snapshots").json()["items"]
    assert [(entry["version"], entry["dataset"], entry["continues"]) for entry in seen] == [
        (1, "hostile-bank", None),
        (2, "hostile-bank", 1),
        (3, "other-bank", None),
    ]
    assert seen[1]["restated"] > 0
    first = client.get("/api/v1/snapshots", params={"limit": 2}).json()
    rest = client.get("/api/v1/snapshots", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [entry["version"] for entry in rest["items"]] == [3]
    assert client.get("/api/v1/targets/N01").status_code == 404
    named = client.get("/api/v1/units", params={"dataset": "hostile-bank", "limit": 1})
    assert named.json()["total"] == len(EVERYONE)
    problem = assert_problem(client.get("/api/v1/units", params={"dataset": "no-bank"}), 404)
    assert "no-bank" in problem["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=501",
        "limit=0",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=NaN",
        "limit=1e3",
        "limit=",
        "cursor=!!!",
        "cursor=%ff",
        "cursor=gICA",
        f"cursor={'A' * 3000}",
    ],
)
def test_impossible_parameters_are_refused_and_not_echoed(client, query):
    for resource in ("units", "indicators", "snapshots"):
        answer = client.get(f"/api/v1/{resource}?{query}")
        assert_problem(answer, 422)
        assert "input" not in answer.json().get("errors", [{}])[0]
        assert (query.partition("=")[2][:40] not in ("", "0") and "AAAA" not in answer.text) or len(query) < 12


def test_a_cursor_of_another_list_is_refused(client):
    cursor = client.get("/api/v1/units", params={"limit": 1}).json()["next_cursor"]
    assert_problem(client.get("/api/v1/snapshots", params={"cursor": cursor}), 422)


@pytest.mark.parametrize("year", ["x", "2025.5", "NaN", "1e999", "true", "99999", "-1"])
def test_impossible_years_are_refused(client, year):
    problem = assert_problem(client.get("/api/v1/targets/N01", params={"year": year}), 422)
    assert problem["errors"][0]["where"] == "query.year"
    assert set(problem["errors"][0]) == {"where", "what"}


def test_unknown_addresses_and_methods(client):
    assert_problem(client.get("/api/v1/nothing"), 404)
    assert_problem(client.get("/api/v2/units"), 404)
    answer = client.post("/api/v1/units", json={})
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


def test_what_nobody_expected_is_a_bare_500_and_is_logged(own_home, caplog):
    advisor = advisor_at(own_home)
    app = create_app(advisor, token=TOKEN)

    @app.get("/api/v1/broken", operation_id="list_indicators")  # whose rule lets it be asked
    def broken() -> None:
        raise RuntimeError("secret of the machine")

    client = TestClient(app, base_url=ADDRESS, headers=BEARER, raise_server_exceptions=False)
    answer = client.get("/api/v1/broken")
    problem = assert_problem(answer, 500)
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert problem["request_id"] in caplog.text
    assert "secret of the machine" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/api/v1/units", "/api/v1/units/N01", "/api/v1/indicators", "/api/v1/targets/N01", "/api/v1/snapshots"]
)
def test_what_the_caller_has_is_not_sent_again(client, path):
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, f'"other", W/{tag}', "*"):
        again = client.get(path, headers={"If-None-Match": held})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert "content-length" not in again.headers
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_nothing_is_given_away_by_a_tag(stranger):
    assert stranger.get("/api/v1/units", headers={"If-None-Match": "*"}).status_code == 401


def test_tags_change_with_data_and_with_the_model(own_home, tmp_path):
    advisor = advisor_at(own_home)
    client = client_of(advisor)

    def tags() -> dict[str, str]:
        paths = ("/api/v1/units", "/api/v1/indicators", "/api/v1/snapshots", "/api/v1/targets/N01")
        return {path: client.get(path).headers["etag"] for path in paths}

    before, changing = tags(), "/api/v1/targets/N01"
    assert tags() == before
    promote_model(advisor, seed=2)
    retrained = until(lambda: found if (found := tags())[changing] != before[changing] else None)
    assert {path for path in before if retrained[path] != before[path]} == {changing}
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
    until(lambda: tags()[changing] != retrained[changing])
    assert not set(tags().values()) & {*before.values(), *retrained.values()}


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/units", "/api/v1/targets/N01", "/", "/static/console.css"])
def test_head_is_get_without_the_body(client, path):
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


def operations(document):
    for path, entry in document["paths"].items():
        for method, operation in entry.items():
            yield path, method, operation


def test_the_description_is_complete(client):
    document = client.get("/openapi.json").json()
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        for parameter in operation.get("parameters", []):
            assert parameter["description"]
            assert parameter.get("example") is not None or parameter["schema"].get("examples"), (path, parameter)
        for status, response in operation["responses"].items():
            if int(status) >= 400 and status != "503":
                assert set(response["content"]) == {"application/problem+json"}
        public = path in ("/healthz", "/readyz")
        assert bool(operation.get("security")) is not public
        assert public or {"401", "404", "422", "500"} <= set(operation["responses"])
        assert [status for status in operation["responses"] if status.startswith("2")]
        assert ("304" in operation["responses"]) <= (method == "get")
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, about in schema.get("properties", {}).items():
            assert about.get("description") or "$ref" in about, f"{name}.{field}"  # which is described itself
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_description_names_nothing_that_is_not_there(client, app):
    document = client.get("/openapi.json").json()
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    assert set(get_openapi(title="x", version="1", routes=app.routes)["paths"]) == set(document["paths"])


def test_answers_keep_to_their_description(client):
    document = client.get("/openapi.json").json()

    def properties(name: str) -> set[str]:
        return set(document["components"]["schemas"][name]["properties"])

    sheet = client.get("/api/v1/targets/N01").json()
    assert set(sheet) == properties("UnitSuggestions")
    assert set(sheet["items"][0]) == properties("Suggestion")
    assert set(client.get("/api/v1/units/N01").json()) == properties("Unit")
    assert set(client.get("/api/v1/indicators/GDP").json()) == properties("Indicator")
    assert set(client.get("/api/v1/snapshots").json()["items"][0]) == properties("Snapshot")


def test_the_application_starts_light():
    code = (
        "import sys, serving.app, serving.server\n"
        "heavy = {'mlflow', 'shap', 'dask', 'plotly', 'lightgbm', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
