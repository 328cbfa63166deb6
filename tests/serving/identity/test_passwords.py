"""Passwords: what is refused, and that nobody's takes as long as somebody's."""

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import InvalidError
from serving.identity.passwords import LANES, LONGEST, MEMORY_KIB, PASSES, SHORTEST, Passwords, checked_password
from serving.settings import Settings

CHEAP = Passwords(memory_kib=8, passes=1)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "eleven char",
        "aaaaaaaaaaaaaaaa",
        "ababababababab",
        "password1234",
        "Password-2026!",
        "!!!PASSWORD!!!",
        "123456789012",
        "abcdefghijklm",
        "qwertyuiopas",
        "li.wei@bank.example",
        "li.wei-12345678",
        "administrator1",
        "x" * (LONGEST + 1),
    ],
)
def test_login_what_is_found_by_trying_is_refused(password):
    with pytest.raises(InvalidError) as caught:
        checked_password(password, login="li.wei@bank.example")
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["seven green kettles", "mein-passwort-ist-lang", "我的密码是一只会飞的小猫咪", "x7#Kq!2mPz9$"]
)
def test_long_ones_pass(password):
    assert checked_password(password, login="li.wei@bank.example") == password


@given(st.text(max_size=40))
def test_a_checked_password_is_long_enough_and_unchanged(password):
    try:
        assert checked_password(password, login="li") == password
    except InvalidError:
        return
    assert len(password) >= SHORTEST


def test_login_only_the_password_itself_is_right():
    kept = CHEAP.hash("seven green kettles")
    assert kept.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert CHEAP.hash("seven green kettles") != kept
    assert CHEAP.holds("seven green kettles", kept)
    for wrong in ("", "seven green kettle", "Seven green kettles", "seven green kettles "):
        assert not CHEAP.holds(wrong, kept)
    for none in (None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$broken"):
        assert not CHEAP.holds("the password of nobody", none)


def test_login_nobodys_password_costs_the_same_verification(monkeypatch):
    asked = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, *given: asked.append(given[0]) or verify(self, *given))
    kept = CHEAP.hash("seven green kettles")
    for hashed in (kept, None):
        CHEAP.holds("wrong", hashed)
    assert len(asked) == 2
    assert {text.rsplit("$", 2)[0] for text in asked} == {"$argon2id$v=19$m=8,t=1,p=1"}


def test_the_settings_have_the_cost_that_is_recommended():
    fields = Settings.model_fields
    found = tuple(fields[f"password_{name}"].default for name in ("memory_kib", "passes", "lanes"))
    assert found == (MEMORY_KIB, PASSES, LANES)
