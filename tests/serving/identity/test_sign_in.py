"""Signing in by name and password: the same answer for every failure, throttled, and never a default."""

import re
import threading
from datetime import timedelta

import pytest
from identity_home import PASSWORD, add_person
from serving_home import TOKEN
from sqlalchemy import func, select, update

from serving.access.principal import LOCAL, acting
from serving.auth import COOKIE
from serving.database.tables.audit import audit_events
from serving.database.tables.identity import attempts, sessions
from serving.identity.cookies import cookie_name
from serving.identity.entrance import network_of
from serving.identity.sessions import LENGTH
from serving.identity.throttle import FIRST_WAIT, FREE, KNOWN, LONGEST_WAIT


def enter(caller, login="li", password=PASSWORD):
    return caller.post("/sign-in", data={"login": login, "password": password})


def test_login_nobody_gets_in_by_default(service):
    caller = service.caller()
    for login in ("admin", "root", "loadline", "local", ""):
        for password in ("", "admin", "password", "loadline", "changeme"):
            assert enter(caller, login, password).status_code in (401, 429)
    assert service.identity.people.count() == 0


def test_login_by_name_opens_a_session_of_that_person(service):
    add_person(service.identity, "li", "hr", "manager:CN-BJ")
    caller = service.caller()
    answer = enter(caller, " LI ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    me = caller.get("/api/v1/me").json()
    assert (me["name"], me["kind"], me["roles"]) == ("li", "person", ["hr", "manager"])
    assert me["session_ends_at"] == (service.clock.now + LENGTH).isoformat().replace("+00:00", "Z")
    assert caller.post("/sign-out", headers={"X-CSRF-Token": me["csrf"]}).status_code == 303
    caller.cookies.set(COOKIE, answer.cookies.get(COOKIE) or "", domain="127.0.0.1")
    assert caller.get("/api/v1/me").status_code == 401
    with service.identity.database.read() as connection:
        query = select(audit_events.c.action, audit_events.c.principal).order_by(audit_events.c.number)
        assert [tuple(row) for row in connection.execute(query)][1:] == [("sign-in", "li"), ("sign-out", "li")]


def test_login_every_failure_is_answered_alike(service):
    add_person(service.identity, "li")
    add_person(service.identity, "zhao", password=None)
    add_person(service.identity, "wang")
    with acting(LOCAL):
        service.identity.people.edit("wang", disabled=True)
    answers = []
    for number, (login, password) in enumerate(
        [("li", "wrong"), ("nobody", PASSWORD), ("zhao", ""), ("zhao", PASSWORD), ("wang", PASSWORD), ("li", "")]
    ):
        answers.append(enter(service.caller(client=f"10.0.1.{number}"), login, password))
    bodies = [{k: v for k, v in a.json().items() if k != "request_id"} for a in answers]
    assert [answer.status_code for answer in answers] == [401] * 6
    assert bodies == bodies[:1] * 6
    assert not [answer for answer in answers if "set-cookie" in answer.headers]
    with service.identity.database.read() as connection:
        query = select(audit_events.c.subject, audit_events.c.principal).where(
            audit_events.c.action == "sign-in.refused"
        )
        noted = [tuple(row) for row in connection.execute(query)]
    assert noted == [("li", ""), ("", ""), ("zhao", ""), ("zhao", ""), ("wang", ""), ("li", "")]


def test_login_is_checked_once_whoever_is_named(small, monkeypatch):
    add_person(small, "li")
    checks = []
    holds = small.passwords.holds
    monkeypatch.setattr(small.passwords, "holds", lambda *given: checks.append(given[0]) or holds(*given))
    for login in ("li", "nobody", "x" * 500, "\x00"):
        small.sign_in(login, "wrong", address="a")
    assert len(checks) == 4


def test_login_attempts_are_throttled_and_say_for_how_long(service):
    add_person(service.identity, "li")
    caller = service.caller()
    for _ in range(FREE["pair"]):
        assert enter(caller, password="wrong").status_code == 401
    answer = enter(caller)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == str(int(FIRST_WAIT.total_seconds()))
    assert answer.json()["type"] == "urn:loadline:problem:too-many"
    waits = []
    for _ in range(12):
        service.clock.on(seconds=int(answer.headers["retry-after"]))
        assert enter(caller, password="wrong").status_code == 401
        answer = enter(caller)
        waits.append(int(answer.headers["retry-after"]))
    assert waits[:4] == [10, 20, 40, 80]
    assert waits[-1] == LONGEST_WAIT.total_seconds()
    service.clock.on(seconds=waits[-1])
    assert enter(caller).status_code == 303
    assert enter(caller, password="wrong").status_code == 401


def test_login_nobody_is_locked_out_by_others(small, clock):
    add_person(small, "li")
    assert small.sign_in("li", PASSWORD, address="home").session
    waits = [small.sign_in("li", "wrong", address=f"a-{n}").wait for n in range(FREE["login"] + 2)]
    assert [bool(wait) for wait in waits] == [False] * FREE["login"] + [True] * 2
    assert small.sign_in("li", PASSWORD, address="elsewhere").wait
    assert small.sign_in("li", PASSWORD, address="home").session
    clock.on(days=KNOWN.days + 1)
    for number in range(FREE["login"]):
        small.sign_in("li", "wrong", address=f"a-{number}")
    assert small.sign_in("li", PASSWORD, address="home").wait


def test_login_one_address_cannot_try_many_names(small):
    waits = [small.sign_in(f"name-{number}", "wrong", address="a").wait for number in range(FREE["address"] + 1)]
    assert waits == [timedelta(0)] * FREE["address"] + [FIRST_WAIT]
    assert not small.sign_in("another", "wrong", address="b").wait


def test_login_whoever_has_to_wait_cannot_fill_the_table_with_names(small, clock):
    for number in range(FREE["address"]):
        small.sign_in(f"name-{number}", "wrong", address="a")

    def kept() -> int:
        with small.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(attempts)) or 0

    before = kept()
    assert all(small.sign_in(f"more-{number}", "wrong", address="a").wait for number in range(5))
    assert kept() == before
    clock.on(days=2)
    small.sign_in("li", "wrong", address="b")
    assert kept() == 3


def test_login_tries_side_by_side_are_counted_one_by_one(identity):
    add_person(identity, "li")
    entries, start = [], threading.Barrier(8)

    def attempt() -> None:
        start.wait()
        entries.append(identity.sign_in("li", "wrong", address="a"))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([entry for entry in entries if not entry.wait]) == FREE["pair"]
    with identity.database.read() as connection:
        counted = connection.scalars(select(attempts.c.failures)).all()
    assert sorted(counted) == [FREE["pair"]] * 3


def test_the_record_of_failures_is_forgotten(small, clock):
    for number in range(30):
        small.sign_in(f"name-{number}", "wrong", address=f"a-{number}")
    clock.on(days=1, seconds=1)
    small.sign_in("li", "wrong", address="a")
    with small.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(attempts)) == 3


def test_sessions_end_after_a_working_day_or_when_their_person_is_disabled(identity, clock):
    add_person(identity, "li", "hr")
    first = identity.sign_in("li", PASSWORD, address="a").session
    clock.on(hours=11, minutes=59)
    assert identity.of_session(first) is not None
    second = identity.sign_in("li", PASSWORD, address="a").session
    clock.on(minutes=1)
    assert identity.remembered(session=first) is None
    assert identity.of_session(first) is None
    assert identity.of_session(second) is not None
    with acting(LOCAL):
        identity.people.edit("li", disabled=True)
    assert identity.of_session(second) is None
    with identity.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(sessions)) == 0


def test_what_is_granted_holds_for_sessions_that_are_open(small):
    add_person(small, "li", "hr")
    session = small.sign_in("li", PASSWORD, address="a").session
    assert small.of_session(session).roles == {"hr"}
    with acting(LOCAL):
        small.people.edit("li", grants=[])
    assert small.of_session(session).roles == set()


def test_the_machines_own_sessions_end_with_its_key(small, tmp_path):
    mine, others = small.with_local_key("one-key-of-the-machine"), small.with_local_key("another-key-of-it")
    session = mine.sign_in_local()
    assert mine.of_session(session).kind == "local"
    assert others.of_session(session) is None
    add_person(small, "li")
    theirs = mine.sign_in("li", PASSWORD, address="a").session
    assert others.of_session(theirs).kind == "person"
    with small.database.write() as connection:  # whoever can write to the table still makes nobody the machine
        connection.execute(update(sessions).values(person=None))
    mine.forget()
    assert mine.of_session(theirs) is None


def test_sign_in_by_invitation_over_the_pages(service):
    add_person(service.identity, "li", password=None)
    with acting(LOCAL):
        secret, _ = service.identity.people.invite("li")
    caller = service.caller(page=True)
    page = caller.get("/new-password", params={"secret": secret, "lang": "zh"})
    assert page.status_code == 200
    assert "设置密码" in page.text
    assert f'value="{secret}"' in page.text
    form = {"secret": secret, "password": PASSWORD}
    assert caller.post("/new-password", data={**form, "again": "else"}).status_code == 422
    assert caller.post("/new-password", data={**form, "password": "short", "again": "short"}).status_code == 422
    assert caller.post("/new-password", data={**form, "again": PASSWORD}).headers["location"] == "/sign-in"
    assert caller.post("/new-password", data={**form, "again": PASSWORD}).status_code == 422
    assert enter(caller).status_code == 303
    over = caller.get("/new-password", params={"secret": '"><script>'})
    assert "<script>" not in over.text
    assert "已失效" in caller.get("/new-password", params={"secret": "x", "lang": "zh"}).text


def test_a_database_that_is_away_is_a_503_and_the_machines_key_still_opens(service, monkeypatch):
    from serving.database.connection import Database
    from serving.database.trouble import AwayError

    def away(self):
        raise AwayError("the database cannot be used: no connection")

    monkeypatch.setattr(Database, "read", away)
    monkeypatch.setattr(Database, "write", away)
    caller = service.caller()
    caller.cookies.set(COOKIE, "some-session", domain="127.0.0.1")
    for answer in (
        caller.get("/api/v1/units"),
        service.caller("ll_some-key").get("/api/v1/units"),
        enter(service.caller()),
        service.caller().post("/sign-in", data={"token": TOKEN}),
    ):
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert service.caller(TOKEN).get("/openapi.json").status_code == 200


def test_only_keys_of_the_service_are_looked_up(service, monkeypatch):
    looked = []
    monkeypatch.setattr(service.identity.keys, "find", lambda connection, secret: looked.append(secret))
    for key in ("x" * 40, "eyJhbGciOiJub25lIn0.e30.", "ll_" + "x" * 600):
        assert service.caller(key).get("/api/v1/units").status_code == 401
    assert looked == []


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("testclient", ""),
    ],
)
def test_an_address_counts_as_far_as_one_person_has_it(address, network):
    assert network_of({"client": (address, 1)}) == network
    assert network_of({"client": None}) == ""


def test_under_tls_cookies_belong_to_this_host_alone():
    assert cookie_name(COOKIE, {"scheme": "https"}) == f"__Host-{COOKIE}"
    assert cookie_name(COOKIE, {"scheme": "http"}) == COOKIE


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-User": "admin", "Remote-User": "admin"},
        {"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"},
        {"X-HTTP-Method-Override": "GET"},
        {"Cookie": f"{COOKIE}=; {COOKIE}=\x00"},
        {"Cookie": f"{COOKIE}=" + "x" * 60_000},
        {"Authorization": "Bearer " + "x" * 60_000},
        {"Authorization": "Bearer ll_x\tll_y"},
        {"Authorization": "Bearer ll_\xff"},
    ],
)
def test_headers_that_say_who_asks_are_not_believed(service, headers):
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    for answer in (service.caller().get("/api/v1/me", headers=sent), service.caller().post("/people", headers=sent)):
        assert answer.status_code == 401


def test_forwarded_addresses_do_not_escape_the_throttle(service):
    add_person(service.identity, "li")
    caller = service.caller()
    seen = []
    for number in range(FREE["pair"] + 1):
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
        answer = caller.post("/sign-in", data={"login": "li", "password": "wrong"}, headers=headers)
        seen.append(answer.status_code)
    assert seen == [401] * FREE["pair"] + [429]


def test_the_page_of_those_who_are_not_signed_in(service):
    page = service.caller(page=True).get("/units", headers={"Accept-Language": "zh"})
    assert page.status_code == 401
    assert {"用户名", "密码"} <= set(re.findall(r">([^<>]+)</label>", page.text))
    assert "/sign-in/provider" not in page.text
    assert "script" not in page.text
