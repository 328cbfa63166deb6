"""Signatures by which a receiver knows that a message is from here, is whole, and is not an old one sent again.

The form is that of Standard Webhooks 1.0 (standardwebhooks.com), for which receivers have libraries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Make a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, message: str, body: bytes, *, at: datetime) -> Mapping[str, str]:
    """Give the headers that prove where a message comes from.

    Parameters
    ----------
    secret : str
        As `new_secret` made it.
    message : str
        Its id: the same each time it is sent, so that a receiver can leave out what it has.
    body : bytes
    at : datetime
        When it is sent.

    >>> from datetime import datetime, UTC
    >>> secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    >>> at = datetime.fromtimestamp(1614265330, UTC)
    >>> signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at=at)["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    seconds = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = hmac.new(key, f"{message}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
