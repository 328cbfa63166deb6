"""People on both databases: what is added, changed, refused, and noted in the audit with it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from identity_home import OTHER_PASSWORD, PASSWORD, add_person, identity_on
from sqlalchemy import select

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.database.tables.audit import audit_events
from serving.database.tables.identity import people
from serving.errors import InvalidError, NotFoundError, StaleError
from serving.identity.people import INVITED

ADMIN = Principal("a" * 32, "admin", "person", (Grant(Role.ADMIN),))


def noted(identity) -> list[tuple[str, str, str]]:
    with identity.database.read() as connection:
        query = select(audit_events).order_by(audit_events.c.number)
        return [(row.action, row.subject, row.principal) for row in connection.execute(query)]


def test_a_person_is_found_whatever_the_case_and_only_once(identity):
    assert not identity.people.anybody()
    person = add_person(identity, " Li.Wei@Bank.example ", "hr", "manager:CN-BJ")
    assert person.login == "li.wei@bank.example"
    assert person == identity.people.get("LI.WEI@bank.example")
    assert person.grants == (Grant(Role.HR), Grant(Role.MANAGER, "CN-BJ"))
    assert identity.people.anybody()
    with pytest.raises(LoadlineError, match="somebody has this login"):
        add_person(identity, "LI.WEI@bank.EXAMPLE")
    assert noted(identity) == [("person.add", "li.wei@bank.example", "local")]


@pytest.mark.parametrize("login", ["", " ", "a b", "a\x00b", "<b>", "x" * 201, "a/b", "a\nb"])
def test_what_is_no_login_is_refused(small, login):
    with pytest.raises(InvalidError):
        add_person(small, login)


@pytest.mark.parametrize("grant", ["manager", "king", "admin:CN-BJ", "hr:" + "x" * 201, "hr:a\x00b"])
def test_grants_that_mean_nothing_are_refused(small, grant):
    with pytest.raises(InvalidError):
        add_person(small, "li", grant)


def test_changes_are_noted_and_a_stale_one_changes_nothing(small):
    person = add_person(small, "li", "hr")
    with acting(LOCAL):
        changed = small.people.edit("li", name="Li Ming", grants=[Grant(Role.RISK)], revision=person.revision)
        with pytest.raises(StaleError):
            small.people.edit("li", name="Li Hua", revision=person.revision)
        assert small.people.edit("li", name="Li Ming") == changed
        assert small.people.grant("li", Grant(Role.HR)).grants == (Grant(Role.HR), Grant(Role.RISK))
        with pytest.raises(NotFoundError):
            small.people.revoke("li", Grant(Role.ADMIN))
        small.people.revoke("li", Grant(Role.RISK))
    assert small.people.get("li") == replace(changed, grants=(Grant(Role.HR),), revision=changed.revision + 2)
    actions = [action for action, *_ in noted(small)]
    assert actions == ["person.add", "person.rename", *["person.grants"] * 3]


def test_what_fails_to_be_noted_does_not_happen(small):
    with pytest.raises(LoadlineError, match="nobody is signed in"):
        small.people.add("li", name="Li")
    assert small.people.count() == 0


def test_what_can_be_nobodys_login_is_nobodys_on_either_database(identity):
    add_person(identity, "li")
    for login in ("\x00", "li\x00", "l" * 300, "\ud800", "' or 1=1 --", "%"):
        with pytest.raises(NotFoundError):
            identity.people.get(login)
        with pytest.raises(NotFoundError):
            identity.keys.get(login)
        entry = identity.sign_in(login.encode("utf-8", "replace").decode(), PASSWORD, address=login[:5] * 3)
        assert not entry.session
        assert not entry.wait
        assert len(identity.people.list(after=login)) == 1


def test_the_last_administrator_stays_but_for_the_machine_itself(identity):
    add_person(identity, "one", "admin")
    add_person(identity, "two", "admin")
    with acting(ADMIN):
        identity.people.edit("one", disabled=True)
        for change in ({"disabled": True}, {"grants": []}):
            with pytest.raises(LoadlineError, match="nobody would be left"):
                identity.people.edit("two", **change)
        identity.people.edit("one", disabled=False)
        identity.people.edit("two", grants=[])
    with acting(LOCAL):
        identity.people.edit("one", disabled=True)
    assert not identity.people.get("two").grants


def test_an_invitation_works_once_and_ends(identity, clock):
    add_person(identity, "li", password=None)
    with acting(LOCAL):
        first, _ = identity.people.invite("li")
        second, ends = identity.people.invite("li")
    assert ends == clock.now + INVITED
    assert identity.people.invited(first) is None
    person = identity.people.invited(second)
    assert person is not None
    with pytest.raises(InvalidError, match="fewer than 12"):
        identity.people.accept(second, "short")
    identity.people.accept(second, PASSWORD)
    with pytest.raises(InvalidError, match="over, or was used"):
        identity.people.accept(second, OTHER_PASSWORD)
    assert noted(identity)[-1] == ("person.password-choose", "li", "li")
    with acting(LOCAL):
        late, _ = identity.people.invite("li")
    clock.on(hours=24)
    assert identity.people.invited(late) is None
    assert identity.sign_in("li", PASSWORD, address="x").session
    with acting(LOCAL):
        identity.people.edit("li", disabled=True)
        with pytest.raises(LoadlineError, match="disabled"):
            identity.people.invite("li")


def test_a_changed_password_ends_every_session(identity):
    person = add_person(identity, "li", "hr")
    session = identity.sign_in("li", PASSWORD, address="x").session
    found = identity.of_session(session)
    assert found is not None
    with acting(found):
        with pytest.raises(InvalidError, match="old password"):
            identity.people.change_password(person.id, old=OTHER_PASSWORD, new=OTHER_PASSWORD)
        assert identity.of_session(session) is not None
        identity.people.change_password(person.id, old=PASSWORD, new=OTHER_PASSWORD)
    assert identity.remembered(session=session) is None
    assert identity.of_session(session) is None
    assert not identity.sign_in("li", PASSWORD, address="x").session
    assert identity.sign_in("li", OTHER_PASSWORD, address="x").session


def test_no_secret_is_kept_as_it_is(small):
    add_person(small, "li", "hr")
    entry = small.sign_in("li", PASSWORD, address="x")
    with acting(LOCAL):
        secret, _ = small.people.invite("li")
        _, key = small.keys.create("k", grants=[Grant(Role.HR)])
    with small.database.read() as connection:
        from serving.database.tables import metadata

        kept = "".join(str(row) for table in metadata.sorted_tables for row in connection.execute(select(table)))
        hashed = connection.scalar(select(people.c.password_hash))
    assert hashed is not None
    assert hashed.startswith("$argon2id$")
    assert not [text for text in (PASSWORD, entry.session, secret, key) if text in kept]


def test_a_password_is_hashed_anew_where_the_cost_has_changed(small, tmp_path, clock):
    add_person(small, "li")
    dearer = identity_on(small.database, tmp_path, clock, password_memory_kib=16, password_passes=2)
    assert dearer.sign_in("li", PASSWORD, address="x").session
    with small.database.read() as connection:
        hashed = connection.scalar(select(people.c.password_hash))
    assert "m=16,t=2,p=1" in str(hashed)
    assert small.sign_in("li", PASSWORD, address="x").session


def test_people_come_in_pages_by_login(small):
    for login in ("zhao", "li", "wang"):
        add_person(small, login, password=None)
    assert [person.login for person in small.people.list(limit=2)] == ["li", "wang"]
    assert [person.login for person in small.people.list(after="wang")] == ["zhao"]
    assert small.people.count() == 3


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1)])
def test_clock_a_jump_of_a_day_breaks_nothing(small, clock, step):
    add_person(small, "li", "hr")
    session = small.sign_in("li", PASSWORD, address="x").session
    for _ in range(7):
        small.sign_in("li", "wrong", address="x")
    clock.now += step
    small.forget()
    assert small.of_session(session) is None  # it seems to end in more than its length, or has ended
    assert small.sign_in("li", PASSWORD, address="x").session
    clock.now -= step
    small.forget()
    assert small.sign_in("li", PASSWORD, address="x").session
