"""What the API takes and gives about people, keys, and whoever asks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.access.principal import Grant, Role
from serving.identity.keys import DAYS, LONGEST_DAYS
from serving.identity.records import LOGIN_LENGTH, MAX_GRANTS, NAME_LENGTH, UNIT_LENGTH, Key, Person
from serving.schemas import Answer, Page

NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LOGIN_LENGTH, pattern=r"^[\w.+@-]+$"),
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH, pattern=NO_CONTROLS)
]
Unit = Annotated[str, StringConstraints(strip_whitespace=True, max_length=UNIT_LENGTH, pattern=NO_CONTROLS)]
RoleName = Literal["hr", "risk", "manager", "data_scientist", "auditor", "admin"]


class Asked(BaseModel):
    """Base of what is asked: strict, and nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RoleGrant(Asked):
    """A role, for all units or for one and those below it."""

    role: RoleName = Field(description="What somebody may do.", examples=["manager"])
    unit: Unit = Field(
        default="",
        description="Head of the subtree; blank for all units. A manager has one, an administrator has none.",
        examples=["CN-BJ"],
    )


Grants = Annotated[list[RoleGrant], Field(max_length=MAX_GRANTS)]


class PersonRequest(Asked):
    """A person to be added."""

    login: Login = Field(description="What is typed at sign-in, whatever its case.", examples=["li.wei@bank.example"])
    name: Name = Field(description="As others know the person.", examples=["Li Wei"])
    grants: Grants = Field(default=[], description="What the person may do.", examples=[[{"role": "hr"}]])


class PersonChange(Asked):
    """What is to be changed of a person; what is left out stays."""

    name: Name | None = Field(default=None, description="Another name.", examples=["Li Wei"])
    grants: Grants | None = Field(
        default=None, description="All that the person may do from now on.", examples=[[{"role": "risk"}]]
    )
    disabled: bool | None = Field(default=None, description="Keep the person out, or let in again.", examples=[True])


class KeyRequest(Asked):
    """A key to be made."""

    name: Name = Field(description="What it is for.", examples=["Nightly export"])
    grants: Annotated[list[RoleGrant], Field(min_length=1, max_length=MAX_GRANTS)] = Field(
        description="What it may do.", examples=[[{"role": "auditor"}]]
    )
    days: int = Field(default=DAYS, ge=1, le=LONGEST_DAYS, description="Days until it expires.", examples=[DAYS])


class PersonAnswer(Answer):
    """Somebody who may sign in."""

    login: str = Field(description="What is typed at sign-in.", examples=["li.wei@bank.example"])
    name: str = Field(description="As others know the person.", examples=["Li Wei"])
    grants: list[RoleGrant] = Field(description="What the person may do.", examples=[[{"role": "hr", "unit": ""}]])
    has_password: bool = Field(description="Whether a password was chosen.", examples=[True])
    by_provider: bool = Field(
        description="Whether the person has signed in by the identity provider.", examples=[False]
    )
    disabled: bool = Field(description="Whether the person is kept out.", examples=[False])
    created_at: datetime = Field(description="When the person was added, in UTC.", examples=["2026-03-01T08:00:00Z"])
    created_by: str = Field(description="Who added the person.", examples=["admin"])

    @classmethod
    def of(cls, person: Person) -> PersonAnswer:
        """Tell what may be known of a person."""
        return cls(
            login=person.login,
            name=person.name,
            grants=told(person.grants),
            has_password=person.has_password,
            by_provider=bool(person.subject),
            disabled=person.disabled_at is not None,
            created_at=person.created_at,
            created_by=person.created_by,
        )


class PersonPage(Page[PersonAnswer]):
    """People by their logins."""


class InvitationAnswer(Answer):
    """An invitation to choose a password, shown once."""

    login: str = Field(description="Whom it is for.", examples=["li.wei@bank.example"])
    address: str = Field(
        description="Where the password is chosen; add it to the address of the service.",
        examples=["/new-password?secret=Zk3..."],
    )
    ends_at: datetime = Field(description="Until when it holds, in UTC.", examples=["2026-03-02T08:00:00Z"])


class KeyAnswer(Answer):
    """A program's key, without its secret."""

    id: str = Field(description="Identifies the key.", examples=["6f1c1f0c5a1b4e0c9a3f5d2e7b8c9d01"])
    name: str = Field(description="What it is for.", examples=["Nightly export"])
    shown: str = Field(description="Its first characters.", examples=["ll_Zk3Qa"])
    grants: list[RoleGrant] = Field(description="What it may do.", examples=[[{"role": "auditor", "unit": ""}]])
    created_at: datetime = Field(description="When it was made, in UTC.", examples=["2026-03-01T08:00:00Z"])
    created_by: str = Field(description="Who made it.", examples=["admin"])
    expires_at: datetime = Field(description="When it ends by itself, in UTC.", examples=["2026-05-30T08:00:00Z"])
    revoked_at: datetime | None = Field(
        description="When it was revoked, in UTC; null where it was not.", examples=["2026-04-01T08:00:00Z"]
    )
    last_used_at: datetime | None = Field(
        description="When it was last used, to about a minute; null where it never was.",
        examples=["2026-03-31T23:00:00Z"],
    )

    @classmethod
    def of(cls, key: Key) -> KeyAnswer:
        """Tell what may be known of a key."""
        return cls(**_facts(key))


class NewKeyAnswer(KeyAnswer):
    """A key that was just made. Its secret is shown here and never again."""

    key: str = Field(description="Send it as `Authorization: Bearer ...`.", examples=["ll_Zk3Qa..."])

    @classmethod
    def made(cls, key: Key, secret: str) -> NewKeyAnswer:
        """Tell it with its secret."""
        return cls(**_facts(key), key=secret)


class KeyPage(Page[KeyAnswer]):
    """Keys by their ids."""


class MeAnswer(Answer):
    """Who asks, and what may be asked."""

    name: str = Field(description="As the audit names whoever asks.", examples=["li.wei@bank.example"])
    kind: Literal["person", "key", "local"] = Field(
        description="A person in a session, a program's key, or the machine's own key.", examples=["person"]
    )
    roles: list[RoleName] = Field(description="The roles held, wherever.", examples=[["hr"]])
    grants: list[RoleGrant] = Field(description="Each role with its units.", examples=[[{"role": "hr", "unit": ""}]])
    session_ends_at: datetime | None = Field(
        description="Until when the session holds, in UTC; null where a key was sent.",
        examples=["2026-03-01T20:00:00Z"],
    )
    csrf: str = Field(
        description="What a change in this session must carry as X-CSRF-Token; blank where a key was sent.",
        examples=["dQw4w9WgXcQ..."],
    )


def told(grants: tuple[Grant, ...]) -> list[RoleGrant]:
    """Tell grants."""
    return [RoleGrant(role=grant.role.value, unit=grant.unit) for grant in grants]


def asked(grants: list[RoleGrant]) -> list[Grant]:
    """Read grants."""
    return [Grant(Role(grant.role), grant.unit) for grant in grants]


def _facts(key: Key) -> dict[str, Any]:
    names = ("id", "name", "shown", "created_at", "created_by", "expires_at", "revoked_at", "last_used_at")
    return {name: getattr(key, name) for name in names} | {"grants": told(key.grants)}
