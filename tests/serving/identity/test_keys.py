"""Keys of programs on both databases: shown once, over at their time, and refused once revoked."""

import pytest
from identity_home import add_key, add_person
from sqlalchemy import update

from serving.access.principal import LOCAL, Grant, Principal, Role, acting
from serving.database.tables.identity import keys
from serving.errors import InvalidError, NotFoundError
from serving.identity.identity import EXPIRED, REVOKED, WRONG_KEY, Identity
from serving.identity.keys import LONGEST_DAYS, PREFIX


def test_a_key_opens_what_it_was_granted(identity):
    name, secret = add_key(identity, "hr", "manager:CN-BJ")
    assert secret.startswith(PREFIX)
    assert len(secret) == len(PREFIX) + 43
    found = identity.of_key(secret)
    assert isinstance(found, Principal)
    assert (found.id, found.kind, found.roles) == (name, "key", {Role.HR, Role.MANAGER})
    assert identity.remembered(key=secret) == found
    assert identity.keys.get(name).shown == secret[:8]
    for wrong in (secret[:-1], secret + "x", secret.upper(), PREFIX, ""):
        assert identity.of_key(wrong) == WRONG_KEY


def test_a_key_ends_at_its_time_even_while_it_is_remembered(small, clock):
    _, secret = add_key(small, "hr", days=1)
    assert isinstance(small.of_key(secret), Principal)
    clock.on(days=1)
    assert small.remembered(key=secret) is None
    assert small.of_key(secret) == EXPIRED


def test_a_revoked_key_is_refused_at_once_here_and_soon_elsewhere(small, clock):
    name, secret = add_key(small, "hr")
    elsewhere = Identity(small.database, small.settings, clock=clock, trail=small.trail)
    ticks = [0.0]
    elsewhere._keys_seen.clock = lambda: ticks[0]
    assert isinstance(elsewhere.of_key(secret), Principal)
    with acting(LOCAL):
        first = small.keys.revoke(name)
        assert small.keys.revoke(name) == first
    assert small.of_key(secret) == REVOKED
    assert elsewhere.remembered(key=secret) is not None
    ticks[0] = 2.0
    assert elsewhere.remembered(key=secret) is None
    assert elsewhere.of_key(secret) == REVOKED


def test_what_was_looked_up_before_a_change_is_not_remembered_after_it(small):
    _, secret = add_key(small, "hr")
    find = small.keys.find

    def find_and_then_revoke(connection, text):
        found = find(connection, text)
        small.keys.find = find
        small.forget()  # as a change does that happens meanwhile
        return found

    small.keys.find = find_and_then_revoke
    assert isinstance(small.of_key(secret), Principal)
    assert small.remembered(key=secret) is None


def test_the_last_use_is_noted_once_a_minute(small, clock):
    name, secret = add_key(small, "hr")
    for step, told in ((0, 0), (30, 0), (31, 61)):
        start = clock.now
        clock.on(seconds=step)
        small.forget()
        small.of_key(secret)
        used = small.keys.get(name).last_used_at
        assert used is not None
        assert used == (clock.now if told or step == 0 else start)


def test_a_use_that_cannot_be_noted_still_opens(small, caplog):
    from serving.database.trouble import AwayError

    _, secret = add_key(small, "hr")

    def away(key):
        raise AwayError("the database cannot be used")

    small.keys.note_use = away
    assert isinstance(small.of_key(secret), Principal)
    assert "could not be noted" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize("days", [0, -1, LONGEST_DAYS + 1])
def test_a_key_lives_neither_less_than_a_day_nor_more_than_a_year(small, days):
    with pytest.raises(InvalidError), acting(LOCAL):
        small.keys.create("k", grants=[Grant(Role.HR)], days=days)


def test_a_key_needs_a_name_and_a_role(small):
    for name, grants in (("", [Grant(Role.HR)]), ("k", [])):
        with pytest.raises(InvalidError), acting(LOCAL):
            small.keys.create(name, grants=grants)
    with pytest.raises(NotFoundError):
        small.keys.get("none")


def test_a_role_of_another_release_grants_nothing(small):
    from serving.database.tables.identity import grants

    name, secret = add_key(small, "hr")
    with small.database.write() as connection:
        connection.execute(update(grants).where(grants.c.holder == name).values(role="emperor"))
        connection.execute(update(keys).values(name="old"))
    found = small.of_key(secret)
    assert isinstance(found, Principal)
    assert found.grants == ()


def test_keys_end_with_the_person_who_made_them(small):
    with acting(LOCAL):
        add_person(small, "maker", "admin")
        _, others = add_key(small, "hr")
    maker = Principal("1", "maker", "person", (Grant(Role.ADMIN),))
    with acting(maker):
        _, secret = small.keys.create("Nightly export", grants=[Grant(Role.HR)])
    assert isinstance(small.of_key(secret), Principal)
    with acting(LOCAL):
        small.people.edit("maker", disabled=True)
    assert small.of_key(secret) == REVOKED
    assert isinstance(small.of_key(others), Principal)


def test_a_key_is_not_named_like_a_person(small):
    with acting(LOCAL):
        add_person(small, "li", "hr")
        for name in ("li", "LI"):
            with pytest.raises(InvalidError, match="login"):
                small.keys.create(name, grants=[Grant(Role.HR)])
