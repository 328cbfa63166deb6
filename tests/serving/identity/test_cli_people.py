"""People and keys from the command line: passwords are never arguments, keys are printed once."""

import io
import json
import socket

import pytest
from command_line import CommandLine
from identity_home import PASSWORD, add_person
from serving_home import TOKEN

from serving.access.principal import LOCAL, acting
from serving.server import announced
from serving.settings import Settings


@pytest.fixture
def run(home, monkeypatch, capsys):
    monkeypatch.setenv("LOADLINE_PASSWORD_MEMORY_KIB", "8")
    monkeypatch.setenv("LOADLINE_PASSWORD_PASSES", "1")
    line = CommandLine(home, monkeypatch, capsys)

    def ran(*arguments, typed=None, **more):
        if typed is not None:
            monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return line(*arguments, **more)

    return ran


def test_people_from_the_command_line(run, small):
    told = run("user", "add", "Li", "--role", "hr", "--password-stdin", "--by", "Wang", typed=f"{PASSWORD}\n")
    assert told.out == "li (Li): hr, active\n"
    assert PASSWORD not in told.out + told.err
    assert small.people.get("li").created_by == "Wang"
    assert small.sign_in("li", PASSWORD, address="x").session
    assert "fewer than 12" in run("user", "add", "zhao", "--password-stdin", typed="short\n", code=1).err
    run("user", "grant", "li", "--role", "manager", "--unit", "CN-BJ")
    assert run("user", "revoke", "li", "--role", "hr").out == "li (Li): manager:CN-BJ, active\n"
    assert "there is no role 'king'" in run("user", "grant", "li", "--role", "king", code=1).err
    assert run("user", "disable", "li").out.endswith("disabled\n")
    run("user", "enable", "li")
    run("user", "password", "li", "--password-stdin", typed=f"{PASSWORD} too\n")
    assert small.sign_in("li", f"{PASSWORD} too", address="x").session
    run("user", "add", "zhao", "--no-password")
    secret = run("user", "invite", "zhao").out.strip().partition("secret=")[2]
    assert small.people.invited(secret).login == "zhao"
    listed = json.loads(run("user", "list", "--format", "json").out)
    assert [(row["login"], row["roles"], row["password"]) for row in listed] == [
        ("li", "manager:CN-BJ", True),
        ("zhao", "", False),
    ]


def test_keys_from_the_command_line(run, small):
    secret = run("key", "create", "--role", "auditor", "--expires", "7").out.strip()
    assert small.of_key(secret).roles == {"auditor"}
    [row] = json.loads(run("key", "list", "--format", "json").out)
    assert (row["state"], row["roles"]) == ("in use", "auditor")
    assert secret not in str(row)
    run("key", "revoke", row["id"])
    assert small.of_key(secret) == "the key was revoked"
    made = json.loads(run("key", "create", "--role", "manager", "--unit", "CN-BJ", "--format", "json").out)
    assert small.of_key(made["key"]).heads({"manager"}) == {"CN-BJ"}
    assert "from 1 to 366" in run("key", "create", "--role", "hr", "--expires", "367", code=1).err


def said_at_the_start(home, **more) -> str:
    said: list[str] = []
    settings = Settings(home=home, token=None, store_url=None, **more)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        announced(settings, host="127.0.0.1", listening=listening, token=TOKEN, say=said.append)
    return "\n".join(said)


def test_where_people_sign_in_no_link_with_a_key_is_printed(home, small):
    assert f"?token={TOKEN}" in said_at_the_start(home)
    person = add_person(small, "li")
    assert "sign in with your name" in said_at_the_start(home)
    assert TOKEN not in said_at_the_start(home)
    with acting(LOCAL):
        small.people.edit(person.login, disabled=True)
    assert TOKEN in said_at_the_start(home)
    away = "postgresql://nobody@127.0.0.1:1/none"  # then nobody knows, and nothing is printed that might be a way in
    assert TOKEN not in said_at_the_start(home, database_url=away)
