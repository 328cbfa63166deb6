"""Settings from the environment; secrets are never printed."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What `LOADLINE_...` variables say; the defaults are the embedded ones, all below `home`."""

    model_config = SettingsConfigDict(env_prefix="LOADLINE_", extra="ignore")

    home: Path = Path(".loadline")
    store_url: str | None = None
    database_url: SecretStr | None = None
    token: SecretStr | None = None
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    tracking_uri: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_URI")

    @property
    def store_location(self) -> str:
        """Give the place of the data versions."""
        return self.store_url or str(self.home / "store")
