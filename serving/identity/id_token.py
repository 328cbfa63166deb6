"""ID tokens of an identity provider: what is checked before one is believed.

OpenID Connect Core 1.0, section 3.1.3.7, and RFC 8725 (best current practice of JSON Web Tokens).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from serving.errors import DeniedError

ALGORITHMS = ("RS256", "ES256")
"""Signatures by a private key alone: `none` signs nothing, and HS256 would take the public key for a secret."""
KINDS = frozenset({"", "jwt"})
"""What the header may call it. Access tokens (`at+jwt`) and logout tokens (`logout+jwt`) are signed by the same key."""
LEEWAY = timedelta(seconds=60)
"""How far apart the clocks may be."""
LONGEST_LIFE = timedelta(days=1)
"""A token that is valid for longer was not made for signing in."""
LONGEST = 16_384
"""Characters."""

FindKey = Callable[[str], RSAKey | ECKey]
"""Gives the provider's public key of that `kid`; raises DeniedError where there is none."""


def read_id_token(
    text: object, *, find: FindKey, issuer: str, client: str, nonce: str, now: datetime, access_token: str = ""
) -> dict[str, Any]:
    """Check a token and give its claims.

    Parameters
    ----------
    text : object
        What the provider sent.
    find : callable
        Gives the keys: they come from the provider's own address alone, whatever the token's header points to.
    issuer, client, nonce : str
        Whom it must be from and for, and what was asked for.
    now : datetime
    access_token : str
        What came with it; checked where the token has its hash.

    Raises
    ------
    DeniedError
        Where anything is wrong with it. It never repeats the token.
    """
    header = _header(text)
    assert isinstance(text, str)
    if header.get("alg") not in ALGORITHMS:
        raise _refused("is not signed as it must be")
    if str(header.get("typ", "")).casefold() not in KINDS or "crit" in header or "b64" in header:
        raise _refused("is no ID token")
    key = find(header["kid"] if isinstance(header.get("kid"), str) else "")
    if (header["alg"] == "RS256") != isinstance(key, RSAKey):
        raise _refused("is signed by a key of another kind")
    try:
        signed = jws.deserialize_compact(text, key, algorithms=[header["alg"]])
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, RecursionError):
        raise _refused("is not signed by the provider") from None
    if not isinstance(claims, dict):
        raise _refused("is no ID token")
    _check(claims, issuer=issuer, client=client, nonce=nonce, now=now)
    half = claims.get("at_hash")
    if half is not None and not _is_half(half, access_token):
        raise _refused("belongs to another answer")
    return claims


def _check(claims: dict[str, Any], *, issuer: str, client: str, nonce: str, now: datetime) -> None:
    if "events" in claims or str(claims.get("typ", "ID")).casefold() != "id":
        raise _refused("is no ID token")
    if claims.get("iss") != issuer:
        raise _refused("is from somebody else")
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or client not in named:
        raise _refused("is for somebody else")
    if claims.get("azp", client if len(named) == 1 else None) != client:
        raise _refused("was made for somebody else")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise _refused("answers another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise _refused("names nobody")
    second, leeway = now.timestamp(), LEEWAY.total_seconds()
    ends, made = _moment(claims, "exp"), _moment(claims, "iat")
    if ends is None or made is None:
        raise _refused("does not say until when it holds")
    if ends <= second - leeway:
        raise _refused("has expired")
    if made > second + leeway or (_moment(claims, "nbf") or 0) > second + leeway:
        raise _refused("is from the future")
    if ends - made > LONGEST_LIFE.total_seconds():
        raise _refused("holds for too long")


def _header(text: object) -> dict[str, Any]:
    if not isinstance(text, str) or not text.isascii() or len(text) > LONGEST or text.count(".") != 2:
        raise _refused("is no ID token")
    part = text.partition(".")[0]
    try:
        header = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _refused("is no ID token") from None
    if not isinstance(header, dict):
        raise _refused("is no ID token")
    return header


def _moment(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _refused("does not say when it holds")
    return float(value)


def _is_half(half: object, access_token: str) -> bool:
    """Compare the left half of the access token's hash."""
    digest = hashlib.sha256(access_token.encode("utf-8", "replace")).digest()[:16]
    return half == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refused(what: str) -> DeniedError:
    return DeniedError(
        f"the identity provider's token {what}", hint="Sign in again; tell an administrator if it lasts."
    )
