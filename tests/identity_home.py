"""Identities with cheap passwords and a clock that is set by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from serving_home import NOW

from serving.access.principal import LOCAL, acting
from serving.audit.trail import Audit
from serving.database.connection import Database
from serving.identity.identity import Identity
from serving.identity.records import Person, read_grant
from serving.settings import Settings

PASSWORD = "seven green kettles"
OTHER_PASSWORD = "eleven blue teapots"
CHEAP = {"password_memory_kib": 8, "password_passes": 1}
"""The cost of a password is a setting: tests make hundreds."""


@dataclass
class Clock:
    """Tells the time that it was set to."""

    now: datetime = NOW
    told: list[datetime] = field(default_factory=list)

    def __call__(self) -> datetime:
        """Tell it."""
        return self.now

    def on(self, **step: float) -> None:
        """Go on, or back."""
        self.now += timedelta(**step)


def settings_at(home: Path, **more: Any) -> Settings:
    """Give settings of a home, with nothing from the environment that matters here."""
    return Settings(home=home, token=None, store_url=None, **{**CHEAP, **more})


def identity_on(database: Database, home: Path, clock: Clock, **more: Any) -> Identity:
    """Give the real identity over a database."""
    trail = Audit(database, home / "audit", clock=clock)
    return Identity(database, settings_at(home, **more), clock=clock, trail=trail)


def add_person(
    identity: Identity, login: str = "li.wei@bank.example", *roles: str, password: str | None = PASSWORD
) -> Person:
    """Add a person as whoever runs the machine."""
    with acting(LOCAL):
        return identity.people.add(login, name="Li Wei", grants=[read_grant(r) for r in roles], password=password)


def add_key(identity: Identity, *roles: str, days: int = 90) -> tuple[str, str]:
    """Make a key; give its id and its secret."""
    with acting(LOCAL):
        key, secret = identity.keys.create("test", grants=[read_grant(r) for r in roles], days=days)
    return key.id, secret
