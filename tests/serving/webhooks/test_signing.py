"""Signatures: as the standard has them, and of nothing but what was sent."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from serving.webhooks.signing import new_secret, signed_headers

AT = datetime(2025, 1, 15, 8, 30, tzinfo=UTC)


def test_a_signature_is_the_hmac_of_id_time_and_body():
    secret = new_secret()
    headers = signed_headers(secret, "m1", b'{"a":1}', at=AT)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"m1.{int(AT.timestamp())}.".encode() + b'{"a":1}'
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert len(key) == 32


def test_another_body_time_id_or_secret_has_another_signature():
    secret = new_secret()
    made = [
        signed_headers(secret, "m1", b"{}", at=AT),
        signed_headers(secret, "m2", b"{}", at=AT),
        signed_headers(secret, "m1", b"[]", at=AT),
        signed_headers(secret, "m1", b"{}", at=AT.replace(minute=31)),
        signed_headers(new_secret(), "m1", b"{}", at=AT),
    ]
    assert len({headers["webhook-signature"] for headers in made}) == len(made)
