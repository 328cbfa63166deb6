"""What an identity provider publishes: its addresses and its public keys, fetched and kept for a while."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from features.errors import LoadlineError
from serving.errors import DeniedError, NotReadyError

log = logging.getLogger("loadline.serving")

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT_SECONDS = 600
"""Addresses and keys are asked for again after this; a key that was withdrawn opens nothing from then on."""
LOOK_AGAIN_SECONDS = 30
"""A token with an unknown key makes us look for new ones, at most so often: anybody can name an unknown key."""
TIMEOUT_SECONDS = 5
LARGEST = 1 << 20
"""Bytes of an answer."""
SMALLEST_RSA_BITS = 2_048
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Published:
    """The published part of a provider.

    Parameters
    ----------
    issuer : str
        As its tokens name it, character by character.
    ticks : callable
        Seconds, never going back.
    """

    def __init__(self, issuer: str, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self.issuer = checked_address(issuer)
        self.ticks = ticks
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._addresses_at = float("-inf")
        self._keys: dict[str, RSAKey | ECKey] = {}
        self._keys_at = float("-inf")

    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def ask(
        self, address: str, *, form: Mapping[str, str] | None = None, secret: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """Get or post, and read a JSON object; no redirect is followed.

        Raises
        ------
        NotReadyError
            Where there is no such answer. What the provider answered is logged by its status alone.
        """
        method, headers = "GET" if form is None else "POST", {"Accept": "application/json"}
        try:
            with self._client.stream(method, address, data=form, auth=secret, headers=headers) as answer:
                parts, size = [], 0
                for part in answer.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > LARGEST:
                        raise _not_ready("its answer is too large")
                if answer.status_code != 200:
                    log.warning("the identity provider answered with %d", answer.status_code)
                    raise _not_ready(f"it answered with {answer.status_code}")
            said = json.loads(b"".join(parts))
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise _not_ready(f"it cannot be asked ({type(error).__name__})") from None
        if not isinstance(said, dict):
            raise _not_ready("its answer is no object")
        return said

    def address(self, name: str) -> str:
        """Give one of its addresses, such as `token_endpoint`.

        Raises
        ------
        NotReadyError
            Where the provider cannot be reached or does not say.
        """
        with self._lock:
            if self.ticks() - self._addresses_at > KEPT_SECONDS:
                said = self.ask(self.issuer.rstrip("/") + WELL_KNOWN)
                if said.get("issuer") != self.issuer:
                    raise _not_ready("it calls itself by another name than LOADLINE_OIDC_ISSUER")
                names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                self._addresses = {name: checked_address(str(said.get(name, ""))) for name in names}
                self._addresses_at = self.ticks()
            return self._addresses[name]

    def key(self, kid: str) -> RSAKey | ECKey:
        """Give a public key; a token that names none is signed by the only one.

        Raises
        ------
        DeniedError
            Where the provider has no such key.
        """
        where = self.address("jwks_uri")
        with self._lock:
            age = self.ticks() - self._keys_at
            if age > KEPT_SECONDS or (self._choose(kid) is None and age > LOOK_AGAIN_SECONDS):
                self._keys = _read_keys(self.ask(where))
                self._keys_at = self.ticks()
            found = self._choose(kid)
        if found is None:
            raise DeniedError("the identity provider's token is signed by a key that the provider does not publish")
        return found

    def _choose(self, kid: str) -> RSAKey | ECKey | None:
        if kid:
            return self._keys.get(kid)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None


def checked_address(text: str) -> str:
    """Refuse an address that others could listen to or that is none.

    Raises
    ------
    LoadlineError
        Where it is neither https nor on this machine.
    """
    try:
        parts = urlsplit(text)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        safe, parts = False, None
    if parts is None or not safe or not parts.hostname or parts.username or parts.fragment:
        raise LoadlineError(
            "the identity provider is to be reached by https",
            where="LOADLINE_OIDC_ISSUER",
            hint="Write its address as it stands in its tokens: https://login.bank.example",
        )
    return text


def _read_keys(said: Mapping[str, Any]) -> dict[str, RSAKey | ECKey]:
    """Give the public keys for signatures; others, secret ones above all, are left out."""
    entries = said.get("keys")
    found: dict[str, RSAKey | ECKey] = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        public = {name: entry[name] for name in ("kty", "kid", "n", "e", "crv", "x", "y") if name in entry}
        try:
            key = (
                RSAKey.import_key(public)
                if entry.get("kty") == "RSA"
                else ECKey.import_key(public)
                if (entry.get("kty"), entry.get("crv")) == ("EC", "P-256")
                else None
            )
        except (JoseError, ValueError, TypeError):
            continue
        if key is None or (isinstance(key, RSAKey) and key.raw_value.key_size < SMALLEST_RSA_BITS):
            continue
        found[str(entry.get("kid", ""))] = key
    return found


def _not_ready(why: str) -> NotReadyError:
    return NotReadyError(
        f"the identity provider does not help: {why}", hint="Try again; sign in with a password meanwhile."
    )
