"""Commands about people and keys; whoever types them runs the machine, and may do what no administrator may."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, Format, Home, advisor_of, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from serving.access.principal import Grant
    from serving.identity.identity import Identity
    from serving.identity.records import Key, Person

Login = Annotated[str, typer.Argument(help="What is typed at sign-in, whatever its case.")]
RoleAsked = Annotated[str, typer.Option("--role", help="hr, risk, manager, data_scientist, auditor or admin.")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A role, or role:UNIT for a subtree; may be given several times.")
]
UnitAsked = Annotated[str, typer.Option("--unit", help="Head of the subtree; all units by default.")]
By = Annotated[str, typer.Option("--by", help="Name of the person who does it, for the record.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from stdin instead of asking for it.")
]


def add_people_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    user = typer.Typer(help="People who may sign in, and what they may do.\n\n用户与授权。", no_args_is_help=True)
    for name, command in {
        "add": add,
        "list": list_people,
        "grant": grant,
        "revoke": revoke,
        "disable": disable,
        "enable": enable,
        "password": password,
        "invite": invite,
    }.items():
        user.command(name)(command)
    key = typer.Typer(help="Keys of programs: made, listed, revoked.\n\n程序密钥。", no_args_is_help=True)
    for name, command in {"create": create_key, "list": list_keys, "revoke": revoke_key}.items():
        key.command(name)(command)
    app.add_typer(user, name="user")
    app.add_typer(key, name="key")


def add(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="As others know the person; the login by default.")] = "",
    role: Roles = None,
    unit: UnitAsked = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The person signs in by the identity provider, or is invited.")
    ] = False,
    password_stdin: FromStdin = False,
    by: By = "",
    home: Home = None,
) -> None:
    """Add a person. The password is asked for here, or chosen by the person: see `loadline user invite`."""
    grants = [_grant(text, unit) for text in role or ()]
    with _acting(home, by) as identity:
        given = None if no_password else _asked_password(password_stdin)
        person = identity.people.add(login, name=name or login, grants=grants, password=given)
    typer.echo(_told(person))


def list_people(home: Home = None, form: As = Format.text) -> None:
    """List the people."""
    import pandas as pd

    from serving.identity.records import grants_told

    rows = [
        {
            "login": person.login,
            "name": person.name,
            "roles": " ".join(grants_told(person.grants)),
            "state": "disabled" if person.disabled_at else "active",
            "password": person.has_password,
            "provider": bool(person.subject),
            "created_at": person.created_at.isoformat(timespec="seconds"),
            "created_by": person.created_by,
        }
        for person in advisor_of(home).identity.people.list()
    ]
    columns = ["login", "name", "roles", "state", "password", "provider", "created_at", "created_by"]
    show_table(pd.DataFrame(rows, columns=columns), form=form, title="People")


def grant(login: Login, role: RoleAsked, unit: UnitAsked = "", by: By = "", home: Home = None) -> None:
    """Grant a person a role."""
    with _acting(home, by) as identity:
        typer.echo(_told(identity.people.grant(login, _grant(role, unit))))


def revoke(login: Login, role: RoleAsked, unit: UnitAsked = "", by: By = "", home: Home = None) -> None:
    """Take a role from a person."""
    with _acting(home, by) as identity:
        typer.echo(_told(identity.people.revoke(login, _grant(role, unit))))


def disable(login: Login, by: By = "", home: Home = None) -> None:
    """Keep a person out; ends the person's sessions."""
    with _acting(home, by) as identity:
        typer.echo(_told(identity.people.edit(login, disabled=True)))


def enable(login: Login, by: By = "", home: Home = None) -> None:
    """Let a person in again."""
    with _acting(home, by) as identity:
        typer.echo(_told(identity.people.edit(login, disabled=False)))


def password(login: Login, password_stdin: FromStdin = False, by: By = "", home: Home = None) -> None:
    """Give a person another password; ends the person's sessions."""
    with _acting(home, by) as identity:
        typer.echo(_told(identity.people.set_password(login, _asked_password(password_stdin))))


def invite(login: Login, by: By = "", home: Home = None) -> None:
    """Print an address where the person chooses a password, once, within a day."""
    from serving.identity.entrance import INVITATION

    with _acting(home, by) as identity:
        secret, ends = identity.people.invite(login)
        base = identity.settings.public_url or ""
    typer.echo(f"{base.rstrip('/')}{INVITATION}?secret={secret}")
    typer.echo(f"Add it to the address of the service. It works once, until {ends:%Y-%m-%d %H:%M} UTC.", err=True)


def create_key(
    role: Annotated[list[str], typer.Option("--role", help="A role, or role:UNIT; may be given several times.")],
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    unit: UnitAsked = "",
    expires: Annotated[int, typer.Option("--expires", help="Days until it expires, at most 366.")] = 90,
    by: By = "",
    home: Home = None,
    form: As = Format.text,
) -> None:
    """Make a key for a program. It is printed once, and nobody can read it again."""
    with _acting(home, by) as identity:
        grants = [_grant(text, unit) for text in role]
        key, secret = identity.keys.create(name or " ".join(role), grants=grants, days=expires)
    if form is Format.json:
        typer.echo(json.dumps({"id": key.id, "key": secret, "expires_at": key.expires_at.isoformat()}))
        return
    typer.echo(secret)
    typer.echo(f"Key {key.id}, {_key_told(key)}, until {key.expires_at:%Y-%m-%d %H:%M} UTC.", err=True)


def list_keys(home: Home = None, form: As = Format.text) -> None:
    """List the keys, those that are over included."""
    import pandas as pd

    identity = advisor_of(home).identity
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "begins": key.shown,
            "roles": _key_told(key),
            "state": identity.trouble_with(key).removeprefix("the key ") or "in use",
            "expires_at": key.expires_at.isoformat(timespec="seconds"),
            "last_used_at": key.last_used_at.isoformat(timespec="seconds") if key.last_used_at else None,
            "created_by": key.created_by,
        }
        for key in identity.keys.list()
    ]
    columns = ["id", "name", "begins", "roles", "state", "expires_at", "last_used_at", "created_by"]
    show_table(pd.DataFrame(rows, columns=columns), form=form, title="Keys")


def revoke_key(
    key: Annotated[str, typer.Argument(help="Its id, as `loadline key list` has it.")], by: By = "", home: Home = None
) -> None:
    """End a key."""
    with _acting(home, by) as identity:
        found = identity.keys.revoke(key)
    typer.echo(f"Key {found.id} ({found.name}) is revoked.")


@contextmanager
def _acting(home: Path | None, by: str) -> Iterator[Identity]:
    """Act for whoever runs the machine, under the name that is given or the one of the account."""
    from serving.access.principal import acting
    from serving.identity.identity import named_local

    with acting(named_local(by or _account())):
        yield advisor_of(home).identity


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return ""


def _asked_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True)


def _grant(role: str, unit: str) -> Grant:
    from serving.identity.records import read_grant

    return read_grant(f"{role}:{unit}" if unit and ":" not in role else role)


def _told(person: Person) -> str:
    from serving.identity.records import grants_told

    state = "disabled" if person.disabled_at else "active"
    return f"{person.login} ({person.name}): {' '.join(grants_told(person.grants)) or 'no role'}, {state}"


def _key_told(key: Key) -> str:
    from serving.identity.records import grants_told

    return " ".join(grants_told(key.grants))
