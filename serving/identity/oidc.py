"""Sign-in by an identity provider: the authorization code flow with PKCE, state and nonce.

OpenID Connect Core 1.0; RFC 7636 (PKCE, S256); RFC 9700 (best current practice of OAuth 2.0 security).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import delete, insert, select

from features.errors import LoadlineError
from serving.database.connection import Database
from serving.database.tables.identity import oidc_states
from serving.errors import DeniedError
from serving.identity.discovery import Published
from serving.identity.id_token import read_id_token
from serving.identity.records import digest_of, new_secret, read_grant
from serving.settings import Settings

STARTED = timedelta(minutes=10)
"""So long somebody may take to sign in at the provider."""
LONGEST_STATE = 200


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the provider."""

    id: str
    secret: str
    scope: str


class Provider:
    """An identity provider.

    Parameters
    ----------
    published : Published
    client : Client
    database : Database
        Keeps what was asked for until the answer comes, so that any process may take it.
    clock : callable
        Gives the time, with its zone.
    """

    def __init__(
        self, published: Published, *, client: Client, database: Database, clock: Callable[[], datetime]
    ) -> None:
        self.published = published
        self.client = client
        self.database = database
        self.clock = clock

    @classmethod
    def of(cls, settings: Settings, database: Database, *, clock: Callable[[], datetime]) -> Provider | None:
        """Give the provider that the settings name; None where they name none.

        Raises
        ------
        LoadlineError
            Where they cannot be right.
        """
        if settings.oidc_issuer is None:
            return None
        if not settings.oidc_client_id:
            hint = "The identity provider gave it when Loadline was registered there."
            raise LoadlineError("the client id is missing", where="LOADLINE_OIDC_CLIENT_ID", hint=hint)
        for text in settings.oidc_groups.values():
            read_grant(text)
        secret = settings.oidc_client_secret
        client = Client(settings.oidc_client_id, secret.get_secret_value() if secret else "", settings.oidc_scope)
        return cls(Published(settings.oidc_issuer), client=client, database=database, clock=clock)

    @property
    def issuer(self) -> str:
        """Give its name in tokens."""
        return self.published.issuer

    def start(self, *, back: str) -> tuple[str, str]:
        """Begin a sign-in; give the address to send the browser to, and the state that the browser must keep.

        Parameters
        ----------
        back : str
            Our address that the provider sends the browser back to.
        """
        where = self.published.address("authorization_endpoint")
        state, nonce, verifier, now = new_secret(), new_secret(), new_secret(), self.clock()
        with self.database.write() as connection:
            old = (oidc_states.c.created_at < now - STARTED) | (oidc_states.c.created_at > now + STARTED)
            connection.execute(delete(oidc_states).where(old))
            connection.execute(
                insert(oidc_states).values(digest=digest_of(state), nonce=nonce, verifier=verifier, created_at=now)
            )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": back,
            "scope": self.client.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", state

    def finish(self, *, state: str, kept: str, code: str, issuer: str | None, back: str) -> dict[str, Any]:
        """Take the provider's answer; give the claims of its ID token.

        Parameters
        ----------
        state, code : str
            What came back in the address.
        kept : str
            The state that this browser was given: another browser's answer is not taken.
        issuer : str or None
            Who says to answer (RFC 9207), where it is said.
        back : str
            As at the start.

        Raises
        ------
        DeniedError
            Where the answer is not to what was asked, was taken before, or comes too late.
        """
        nonce, verifier = self._taken(state, kept)
        if issuer is not None and issuer != self.issuer:
            raise DeniedError("somebody else than the identity provider answered")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.client.id,
            "code_verifier": verifier,
        }
        secret = (self.client.id, self.client.secret) if self.client.secret else None
        said = self.published.ask(self.published.address("token_endpoint"), form=form, secret=secret)
        return read_id_token(
            said.get("id_token"),
            find=self.published.key,
            issuer=self.issuer,
            client=self.client.id,
            nonce=nonce,
            now=self.clock(),
            access_token=str(said.get("access_token", "")),
        )

    def _taken(self, state: str, kept: str) -> tuple[str, str]:
        """Take the record of a sign-in that was begun, so that nobody can take it again."""
        trouble = DeniedError("this sign-in was not begun here, is over, or was used", hint="Begin again.")
        if not state or len(state) > LONGEST_STATE or digest_of(state) != digest_of(kept):
            raise trouble
        now = self.clock()
        with self.database.write() as connection:
            row = connection.execute(
                select(oidc_states).where(oidc_states.c.digest == digest_of(state)).with_for_update()
            ).one_or_none()
            connection.execute(delete(oidc_states).where(oidc_states.c.digest == digest_of(state)))
        if row is None or abs(now - row.created_at) > STARTED:
            raise trouble
        return row.nonce, row.verifier
