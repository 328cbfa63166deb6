"""What docs/api.md shows does what it says."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from api_guide import GUIDE, RECEIVER

from serving.access.principal import Role
from serving.errors import KINDS
from serving.webhooks.happenings import EVENTS
from serving.webhooks.signing import new_secret, signed_headers


def test_the_receiver_knows_what_is_genuine():
    told: dict[str, Any] = {}
    exec(RECEIVER, told)
    is_genuine, secret, body = told["is_genuine"], new_secret(), b'{"event": "plan.published"}'
    now = datetime.fromtimestamp(time.time(), UTC)
    headers = dict(signed_headers(secret, "m-1", body, at=now))
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(new_secret(), headers, body)
    assert not is_genuine(secret, headers | {"webhook-id": "m-2"}, body)
    old = dict(signed_headers(secret, "m-1", body, at=now - timedelta(minutes=10)))
    assert not is_genuine(secret, old, body)


def test_it_names_every_role_status_and_event():
    assert all(f"| `{role.value}` |" in GUIDE for role in Role)
    table = GUIDE.partition("| Status |")[2].partition("\n\n")[0]
    told = {int(number) for number in re.findall(r"\b\d{3}\b", table)}
    assert {kind.status for kind in KINDS} - told <= {405, 408, 500}, "what only a broken program or service sees"
    assert all(f"`{event}`" in GUIDE for event in EVENTS)
