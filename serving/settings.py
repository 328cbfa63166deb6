"""Settings from the environment; secrets are never printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

SECRETS = Path("/run/secrets")
"""Where container engines put secrets: files named like the variables, such as `loadline_token`."""


def host_names(given: object) -> object:
    """Read host names as people write them, with commas between, or as a JSON list.

    >>> host_names("risk.bank.example, localhost"), host_names('["[::1]"]')
    (['risk.bank.example', 'localhost'], ['[::1]'])
    """
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith('["') or given.strip() == "[]":
        return json.loads(given)
    return [name.strip() for name in given.split(",") if name.strip()]


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(host_names)]


class Settings(BaseSettings):
    """What `LOADLINE_...` variables say; the defaults are the embedded ones, all below `home`."""

    model_config = SettingsConfigDict(env_prefix="LOADLINE_", extra="ignore")

    home: Path = Path(".loadline")
    store_url: str | None = None
    database_url: SecretStr | None = None
    database_upgrade: bool = False
    token: SecretStr | None = None
    public_url: str | None = None
    password_memory_kib: int = Field(default=19_456, ge=8)
    password_passes: int = Field(default=2, ge=1)
    password_lanes: int = Field(default=1, ge=1)
    oidc_issuer: str | None = None
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_scope: str = "openid email profile"
    oidc_groups_claim: str = "groups"
    oidc_groups: dict[str, str] = {}
    rate: float = Field(default=200, ge=0)
    rate_burst: float = Field(default=400, ge=1)
    request_seconds: float = Field(default=60, ge=0)
    drain_seconds: float = Field(default=1, ge=0)
    idempotency_hours: float = Field(default=24, gt=0)
    metrics_token: SecretStr | None = None
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning"] = "info"
    allowed_hosts: Hosts = ("127.0.0.1", "localhost", "[::1]")
    webhook_hosts: Hosts = ()
    tracking_uri: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_URI")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, then files of secrets where there are any."""
        files = (SecretsSettingsSource(settings_cls, secrets_dir=SECRETS),) if SECRETS.is_dir() else ()
        return (init_settings, env_settings, *files)

    @property
    def store_location(self) -> str:
        """Give the place of the data versions."""
        return self.store_url or str(self.home / "store")
