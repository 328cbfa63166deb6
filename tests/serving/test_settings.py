"""Settings from the environment, as people write them."""

import pytest
from pydantic import ValidationError

from serving.settings import Settings


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ()),
        ("risk.bank.example", ("risk.bank.example",)),
        (" a.example , [::1],", ("a.example", "[::1]")),
        ('["a.example", "[::1]"]', ("a.example", "[::1]")),
        ("[::1]", ("[::1]",)),
        ("[]", ()),
    ],
)
def test_host_names_are_read_with_commas_or_as_json(monkeypatch, text, hosts):
    monkeypatch.setenv("LOADLINE_WEBHOOK_HOSTS", text)
    monkeypatch.setenv("LOADLINE_ALLOWED_HOSTS", text)
    settings = Settings()
    assert (settings.webhook_hosts, settings.allowed_hosts) == (hosts, hosts)


def test_no_secret_is_printed(monkeypatch):
    for name in ("TOKEN", "DATABASE_URL", "METRICS_TOKEN", "OIDC_CLIENT_SECRET"):
        monkeypatch.setenv(f"LOADLINE_{name}", "hush-hush-hush-hush")
    assert "hush" not in repr(Settings())
    monkeypatch.setenv("LOADLINE_RATE", "often")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "hush" not in str(caught.value)
