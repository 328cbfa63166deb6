"""Who gets in: the key, sessions, host names; and that no route was forgotten."""

import re

import pytest
from serving_home import BEARER, TOKEN
from starlette.testclient import TestClient

from features.errors import LoadlineError
from serving.app import create_app
from serving.auth import COOKIE, PUBLIC
from serving.identity.entrance import ENTRANCE, INVITATION, PROVIDER, RETURN
from serving.middleware import MAX_BODY


def paths_of(app) -> dict[str, set[str]]:
    """Every path that the application answers to, with the methods of its routes."""
    found: dict[str, set[str]] = {}
    for route in app.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        for one in contexts() if contexts is not None else [route]:
            assert one.path, f"a route without a path: {one!r}"
            found.setdefault(one.path, set()).update(getattr(one, "methods", None) or {"GET"})
    return found


def concrete(path: str) -> str:
    filled = re.sub(r"\{[^}]*\}", "x", path)
    return filled + "/console.css" if path == "/static" else filled


def test_every_route_is_public_by_the_list_or_refuses_a_stranger(app, stranger):
    paths = paths_of(app)
    assert {"/healthz", "/readyz", "/openapi.json", "/", "/unit", "/static", "/api/v1/units"} <= set(paths)
    assert {f"/api/v1{p}" for p in ("/units/{unit:path}", "/targets/{unit:path}", "/snapshots")} <= set(paths)
    for path, methods in paths.items():
        for method in methods | {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}:
            status = stranger.request(method, concrete(path)).status_code
            if path in PUBLIC:
                assert status != 401
            else:
                assert status == 401, f"{method} {path} answers a stranger with {status}"


def test_the_public_list_is_what_was_agreed():
    assert frozenset({"/healthz", "/readyz"}) == PUBLIC


def test_even_unknown_addresses_tell_a_stranger_nothing(stranger):
    answers = [stranger.get(path) for path in ("/nothing", "/api/v1/units/N01", "/api/v1/units/not-there", "/healthz/")]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[1].json()["detail"] == answers[2].json()["detail"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong-key-wrong-key",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer \xff\xfe",
    ],
)
def test_anything_but_the_key_is_refused(stranger, header):
    answer = stranger.get("/api/v1/units", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_two_keys_are_refused(stranger):
    headers = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
    assert stranger.get("/api/v1/units", headers=headers).status_code == 401


def test_the_key_opens_whatever_the_case_of_its_scheme(stranger):
    assert stranger.get("/api/v1/units", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_the_link_opens_a_session_and_leaves_no_key_in_the_address(stranger):
    answer = stranger.get("/", params={"token": TOKEN, "lang": "zh"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?lang=zh"
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "secure" not in cookie.lower()
    assert stranger.get("/api/v1/units").status_code == 200


def test_over_tls_the_cookie_is_secure(app):
    person = TestClient(app, base_url="https://127.0.0.1", follow_redirects=False)
    cookie = person.get("/", params={"token": TOKEN}).headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"secure", "path=/", "httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    assert person.get("/units").status_code == 200
    session = person.cookies[f"__Host-{COOKIE}"]
    person.cookies.clear()
    person.cookies.set(COOKIE, session, domain="127.0.0.1")  # as a page without TLS could set it
    assert person.get("/units").status_code == 401


def test_each_session_has_an_id_of_its_own(stranger):
    ids = {stranger.get("/", params={"token": TOKEN}).cookies[COOKIE] for _ in range(3)}
    assert len(ids) == 3


def test_a_wrong_link_opens_nothing(stranger):
    answer = stranger.get("/", params={"token": "wrong"}, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "wrong" not in answer.text


def test_the_key_in_an_address_opens_no_other_page(stranger):
    assert stranger.get("/api/v1/units", params={"token": TOKEN}).status_code == 401
    assert stranger.get("/units", params={"token": TOKEN}).status_code == 401


def test_a_made_up_session_is_refused(stranger):
    stranger.cookies.set(COOKIE, "made-up", domain="127.0.0.1")
    assert stranger.get("/api/v1/units").status_code == 401


def test_a_wrong_key_is_refused_even_with_a_session(stranger):
    stranger.get("/", params={"token": TOKEN})
    assert stranger.get("/api/v1/units", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_signing_in_by_form_and_out_again(stranger):
    page = stranger.get("/units", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert 'action="/sign-in"' in page.text
    assert stranger.post("/sign-in", data={"token": "wrong"}).status_code == 401
    assert stranger.post("/sign-in", content=b"\xff&&&=" * 50).status_code == 401
    assert stranger.post("/sign-in", data={"token": TOKEN}).status_code == 303
    session = stranger.cookies[COOKIE]
    assert stranger.get("/units").status_code == 200
    token = token_of(stranger.get("/units").text)
    assert stranger.post("/sign-out").status_code == 403
    assert stranger.post("/sign-out", data={"csrf": token}).status_code == 303
    stranger.cookies.set(COOKIE, session, domain="127.0.0.1")
    assert stranger.get("/units").status_code == 401


def token_of(page: str) -> str:
    """Give what the forms of a page carry."""
    found = set(re.findall(r'name="csrf" value="([^"]+)"', page))
    assert len(found) == 1
    return found.pop()


def test_csrf_headers_a_session_changes_nothing_without_its_token(stranger):
    stranger.get("/", params={"token": TOKEN})
    token = token_of(stranger.get("/account").text)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": token[:-1]}, {"X-CSRF-Token": f"{token}x"}):
            assert stranger.request(method, "/api/v1/units", headers=headers).status_code == 403
        assert stranger.request(method, "/api/v1/units", headers={"X-CSRF-Token": token}).status_code == 405
        assert stranger.request(method, "/api/v1/units", headers=BEARER).status_code == 405


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 405),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 405),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8321"}, 403),
        ({"Origin": "http://127.0.0.1:8321"}, 405),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8321.evil.example"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "null"}, 405),
    ],
)
def test_csrf_headers_even_with_the_token_other_sites_are_refused(stranger, sent, status):
    stranger.get("/", params={"token": TOKEN})
    token = token_of(stranger.get("/account").text)
    assert stranger.post("/api/v1/units", headers={"X-CSRF-Token": token, **sent}).status_code == status


def test_csrf_headers_nobody_is_signed_in_from_another_site(stranger):
    for path in (ENTRANCE, INVITATION):
        for sent in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = stranger.post(path, data={"token": TOKEN}, headers=sent)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


def test_the_token_of_another_session_is_refused(app, stranger):
    other = TestClient(app, base_url="http://127.0.0.1:8321")
    other.get("/", params={"token": TOKEN})
    theirs = token_of(other.get("/account").text)
    stranger.get("/", params={"token": TOKEN})
    assert stranger.post("/sign-out", data={"csrf": theirs}).status_code == 403
    ours = token_of(stranger.get("/account").text)
    assert stranger.post("/sign-out", data={"csrf": [ours, theirs]}).status_code == 403
    assert stranger.get("/account").status_code == 200


@pytest.mark.parametrize("form", ["data", "files"])
def test_forms_carry_the_token_however_they_are_sent(stranger, form):
    stranger.get("/", params={"token": TOKEN})
    token = token_of(stranger.get("/account").text)
    sent = {"data": {"csrf": token}} if form == "data" else {"files": {"csrf": (None, token), "x": ("a.csv", b"1")}}
    assert stranger.post("/units", **sent).status_code == 405
    assert stranger.post("/sign-out", **sent).status_code == 303


def test_the_entrances_take_what_they_take(stranger):
    for path in (ENTRANCE, INVITATION):
        assert stranger.get(path).status_code == 200
        assert stranger.put(path).status_code == 405
    for path in (PROVIDER, RETURN):
        assert stranger.get(path).status_code in (401, 403)
    assert stranger.get("/sign-in/else").status_code == 401


def test_a_key_that_could_be_guessed_is_refused(trained):
    with pytest.raises(LoadlineError, match="fewer than 16"):
        create_app(trained, token="short")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "127.0.0.1:8321@evil.example", "[::1"]
)
def test_other_host_names_are_refused(stranger, host):
    for path in ("/healthz", "/api/v1/units"):
        answer = stranger.get(path, headers={"Host": host, **BEARER})
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:loadline:problem:unknown-host"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9999", "LOCALHOST", "[::1]:8321"])
def test_its_own_host_names_are_accepted(stranger, host):
    assert stranger.get("/healthz", headers={"Host": host}).status_code == 200


def test_the_host_served_on_is_accepted(trained):
    app = create_app(trained, token=TOKEN, hosts=("loadline.bank.example",))
    person = TestClient(app, base_url="http://loadline.bank.example")
    assert person.get("/healthz").status_code == 200


def test_large_requests_are_refused_whether_they_say_so_or_not(client, stranger):
    for caller in (client, stranger):
        said = caller.post("/sign-in", content=b"x" * (MAX_BODY + 1))
        chunked = caller.post("/sign-in", content=(b"x" * 100_000 for _ in range(20)))
        for answer in (said, chunked):
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"


def test_every_answer_carries_the_protecting_headers(client, stranger):
    answers = [client.get("/api/v1/units"), stranger.get("/api/v1/units"), client.get("/"), client.get("/nothing")]
    answers += [client.get("/static/console.css"), stranger.get("/healthz", headers={"Host": "evil.example"})]
    for answer in answers:
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert len(headers["x-request-id"]) >= 8
        assert "access-control-allow-origin" not in headers


def test_other_origins_get_no_permission(client):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    answer = client.options("/api/v1/units", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_request_id_is_kept_only_if_it_is_harmless(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abcd-1234"}).headers["x-request-id"] == "abcd-1234"
    for bad in ("short", "a b c d e f g h", "x" * 65, "<script>alert"):
        assert client.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_websockets_are_refused(stranger):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("/api/v1/units"):
        pass


def test_interactive_documentation_is_off_and_the_document_needs_a_key(client, stranger):
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404
    assert stranger.get("/openapi.json").status_code == 401
    assert client.get("/openapi.json").status_code == 200
