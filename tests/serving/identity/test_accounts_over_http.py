"""People, keys and one's own account over the API and on the console's pages."""

import re

import pytest
from identity_home import OTHER_PASSWORD, PASSWORD, add_key, add_person
from serving_home import TOKEN
from starlette.testclient import TestClient

API = "/api/v1"


def test_people_over_the_api(service):
    admin = service.caller(add_key(service.identity, "admin")[1])
    made = admin.post(f"{API}/people", json={"login": "Li.Wei", "name": "Li Wei", "grants": [{"role": "hr"}]})
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, f"{API}/people/li.wei", '"r1"')
    assert made.json()["grants"] == [{"role": "hr", "unit": ""}]
    assert not made.json()["has_password"]
    assert admin.post(f"{API}/people", json={"login": "LI.WEI", "name": "Other"}).status_code == 409
    assert admin.get(f"{API}/people/LI.Wei").headers["etag"] == '"r1"'
    assert admin.get(f"{API}/people/nobody").status_code == 404
    change = {"grants": [{"role": "manager", "unit": "CN-BJ"}]}
    assert admin.patch(f"{API}/people/li.wei", json=change).status_code == 428
    assert admin.patch(f"{API}/people/li.wei", json=change, headers={"If-Match": '"r9"'}).status_code == 412
    done = admin.patch(f"{API}/people/li.wei", json=change, headers={"If-Match": '"r1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"r2"')
    invited = admin.post(f"{API}/people/li.wei/password-reset")
    assert invited.status_code == 201
    assert invited.headers["cache-control"] == "no-store"
    assert service.caller().get(invited.json()["address"]).status_code == 200
    assert [person["login"] for person in admin.get(f"{API}/people").json()["items"]] == ["li.wei"]


def test_lists_come_in_pages(service):
    admin = service.caller(add_key(service.identity, "admin")[1])
    for login in ("a1", "b1", "c1"):
        add_person(service.identity, login, password=None)
        add_key(service.identity, "hr")
    for name, field in (("people", "login"), ("keys", "id")):
        seen, cursor = [], None
        while True:
            page = admin.get(f"{API}/{name}", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [entry[field] for entry in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == sorted(seen)
        assert len(seen) == len(set(seen)) == page["total"]


def test_keys_over_the_api(service):
    admin = service.caller(add_key(service.identity, "admin")[1])
    made = admin.post(f"{API}/keys", json={"name": "export", "grants": [{"role": "auditor"}], "days": 1})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["key"]
    program = service.caller(secret)
    me = program.get(f"{API}/me").json()
    assert (me["name"], me["kind"], me["roles"], me["session_ends_at"], me["csrf"]) == (
        "export",
        "key",
        ["auditor"],
        None,
        "",
    )
    assert secret not in admin.get(f"{API}/keys").text
    assert "key" not in admin.get(f"{API}/keys").json()["items"][0]
    service.clock.on(days=1)
    expired = program.get(f"{API}/me")
    assert (expired.status_code, expired.json()["detail"]) == (401, "the key has expired")
    service.clock.on(days=-1)
    assert admin.delete(f"{API}/keys/{made.json()['id']}").json()["revoked_at"] is not None
    revoked = program.get(f"{API}/me")
    assert (revoked.status_code, revoked.json()["detail"]) == (401, "the key was revoked")
    assert admin.delete(f"{API}/keys/none").status_code == 404


def test_the_same_request_sent_again_makes_no_second_key_and_keeps_no_secret(service):
    from sqlalchemy import select

    from serving.database.tables import metadata

    admin = service.caller(add_key(service.identity, "admin")[1])
    asked = {"name": "export", "grants": [{"role": "hr"}]}
    first = admin.post(f"{API}/keys", json=asked, headers={"Idempotency-Key": "once"})
    second = admin.post(f"{API}/keys", json=asked, headers={"Idempotency-Key": "once"})
    assert first.status_code == 201
    assert first.json()["key"] not in second.text
    assert admin.get(f"{API}/keys").json()["total"] == 2
    with service.identity.database.read() as connection:
        kept = "".join(str(row) for table in metadata.sorted_tables for row in connection.execute(select(table)))
    assert first.json()["key"] not in kept


@pytest.mark.parametrize(
    "given",
    [
        {"login": "li"},
        {"login": "li", "name": "x", "password": "let me choose it"},
        {"login": "li", "name": "x", "grants": [{"role": "king"}]},
        {"login": "li", "name": "x", "grants": [{"role": "manager"}]},
        {"login": "li", "name": "x", "grants": [{"role": "hr"}] * 51},
        {"login": "a b", "name": "x"},
        {"login": "li", "name": "\x00"},
        {"login": 7, "name": "x"},
        {"login": "li", "name": "x" * 201},
        [],
        None,
    ],
)
def test_what_is_no_person_is_refused(service, given):
    assert service.caller(TOKEN).post(f"{API}/people", json=given).status_code == 422
    assert service.identity.people.count() == 0


def test_only_administrators_look_after_people(service):
    for role, read in (("hr", 403), ("auditor", 200), ("data_scientist", 403), ("admin", 200)):
        caller = service.caller(add_key(service.identity, role)[1])
        assert caller.get(f"{API}/people").status_code == read
        wrote = caller.post(f"{API}/people", json={"login": role, "name": role})
        assert wrote.status_code == (201 if role == "admin" else 403)
        assert caller.get(f"{API}/me").status_code == 200


def entered(service, login: str) -> tuple[TestClient, str]:
    """Sign somebody in, and give what the forms carry."""
    caller = service.caller(page=True)
    assert caller.post("/sign-in", data={"login": login, "password": PASSWORD}).status_code == 303
    return caller, caller.get(f"{API}/me").json()["csrf"]


def test_the_people_page_does_what_administrators_need(service):
    add_person(service.identity, "boss", "admin")
    caller, csrf = entered(service, "boss")
    page = caller.get("/people", params={"lang": "zh"})
    assert page.status_code == 200
    assert set(re.findall(r'name="csrf" value="([^"]+)"', page.text)) == {csrf}
    assert page.text.count("<form") - page.text.count('method="get"') == page.text.count('name="csrf"')
    added = caller.post(
        "/people/add", data={"csrf": csrf, "login": "li", "name": "<b>Li", "grants": "hr\nmanager:CN-BJ"}
    )
    assert added.status_code == 200
    assert "<b>" not in added.text
    secret = re.search(r"/new-password\?secret=([\w-]+)", added.text)
    assert secret is not None
    assert service.identity.people.invited(secret[1]).login == "li"
    change = {"csrf": csrf, "login": "li", "revision": "1"}
    assert caller.post("/people/change", data={**change, "grants": "risk"}).status_code == 303
    assert caller.post("/people/change", data={**change, "disabled": "true"}).status_code == 422  # changed since
    assert [grant.role for grant in service.identity.people.get("li").grants] == ["risk"]
    made = caller.post("/people/key", data={"csrf": csrf, "name": "export", "grants": "auditor", "days": "30"})
    assert len(re.findall(r"<pre>(ll_[\w-]{43})</pre>", made.text)) == 1
    key = service.identity.keys.list()[0]
    assert caller.post("/people/key/revoke", data={"csrf": csrf, "key": key.id}).status_code == 303
    assert service.identity.keys.get(key.id).revoked_at is not None
    assert caller.post("/people/add", data={"csrf": csrf, "login": "x y", "name": "x"}).status_code == 422


def test_csrf_headers_every_form_of_the_accounts_needs_its_token(service):
    add_person(service.identity, "boss", "admin")
    caller, csrf = entered(service, "boss")
    posts = ("add", "change", "invite", "key", "key/revoke")
    for path in ("/account/password", "/sign-out", *(f"/people/{name}" for name in posts)):
        assert caller.post(path, data={"login": "boss"}).status_code == 403
        assert caller.post(path, data={"login": "boss", "csrf": csrf[::-1]}).status_code == 403
        assert caller.post(path, data={"csrf": csrf}, headers={"Origin": "https://evil.example"}).status_code == 403
    half = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=unicode_escape"}
    assert caller.post("/people/add", headers=kind, content=half).status_code == 403
    assert caller.get("/account").status_code == 200


def test_the_account_page_tells_who_one_is_and_changes_the_password(service):
    add_person(service.identity, "li", "manager:CN-BJ")
    caller, csrf = entered(service, "li")
    page = caller.get("/account", params={"lang": "zh"}).text
    assert "机构负责人" in page
    assert "CN-BJ" in page
    assert ">li</a>" in page  # who is signed in, on every page
    form = {"csrf": csrf, "old": PASSWORD, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert caller.post("/account/password", data={**form, "again": "else"}).status_code == 422
    assert caller.post("/account/password", data={**form, "old": "wrong"}).status_code == 422
    assert caller.get("/account").status_code == 200
    assert caller.post("/account/password", data=form).status_code == 303
    assert caller.get("/account").status_code == 401
    assert caller.post("/sign-in", data={"login": "li", "password": OTHER_PASSWORD}).status_code == 303


def test_people_are_not_shown_to_others(service):
    add_person(service.identity, "li", "hr")
    caller, _ = entered(service, "li")
    assert caller.get("/people").status_code == 403
    assert 'href="/people"' not in caller.get("/account").text
    auditor = service.caller(add_key(service.identity, "auditor")[1], page=True).get("/people")
    assert auditor.status_code == 200
    assert 'action="/people' not in auditor.text
