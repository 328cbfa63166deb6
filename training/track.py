"""Where runs are recorded and models registered in MLflow: an embedded database by default, or a server.

Bundles are plain artifacts of a run, checked against the digest in the tags of the registered version. Neither pyfunc
nor pickle is used, and versions are named by aliases, never by stages, which MLflow has retired. What is recorded of a
run is in `training.recorded_run`.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX, ModelBundle, sync_folder
from training.lock import file_lock

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST_TAG = "loadline.digest"

# What MLflow reads from its surroundings. No bank's figures, counts or host names may leave for its makers.
_NO_TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # its own 7 keep a command waiting four minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_SECRET = re.compile(r"//[^/\s]*@")  # name and password in an address, which MLflow repeats in its messages
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Tracker:
    """Where runs are recorded and models registered.

    Attributes
    ----------
    home : Path
        `home/mlflow/` holds the embedded database and the artifacts.
    tracking_uri : str, optional
        A database or a server instead; else `MLFLOW_TRACKING_URI`; else the embedded database. A server keeps the
        artifacts itself; with a database they stay in the home.
    """

    home: Path
    tracking_uri: str | None = None

    @property
    def uri(self) -> str:
        """Give the address in use; it can hold a password and is never to be shown."""
        return self._named or f"sqlite:///{self._embedded}"

    @property
    def _named(self) -> str | None:
        return self.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")

    @property
    def _embedded(self) -> Path:
        return self._folder.resolve() / "mlflow.db"

    @property
    def _folder(self) -> Path:
        return Path(self.home) / "mlflow"

    @property
    def _keeps_artifacts(self) -> bool:
        return self.uri.lower().startswith(_DATABASES)

    @cached_property
    def client(self) -> MlflowClient:
        """Connect; the first connection of all makes the tables of the database, one process at a time."""
        if self._keeps_artifacts:
            with file_lock(self._folder / "lock"), self.explained():
                _check_sqlite(self.uri, path=None if self._named else self._embedded)
                if not self._named:
                    self._make_embedded()
                return self._connect(self.uri)
        with self.explained():
            return self._connect(self.uri)

    def _make_embedded(self) -> None:
        """Make the tables of the embedded database beside its place: half-made ones could never be completed."""
        if self._embedded.stat().st_size:
            return
        for left in self._folder.glob(f".{self._embedded.name}.*"):
            left.unlink(missing_ok=True)
        partial = self._embedded.with_name(f".{self._embedded.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        self._connect(f"sqlite:///{partial}")
        partial.replace(self._embedded)
        sync_folder(self._folder)

    def _connect(self, uri: str) -> MlflowClient:
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        if self._keeps_artifacts:  # both stores make their tables when they are first asked
            client.search_experiments(max_results=1)
            client.search_registered_models(max_results=1)
        return client

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn MLflow's errors into ours.

        Raises
        ------
        LoadlineError
            Where MLflow, its database, its server or its files fail.
        """
        settle_mlflow()
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            text = str(getattr(error, "message", "") or error).strip()
            hint = "Check that the MLflow database or server can be reached and written, and try again."
            if "out-of-date database schema" in text:
                hint = (
                    "Back the database up and run `mlflow db upgrade` on it: it was made by another version of MLflow."
                )
            what = _SECRET.sub("//", text.splitlines()[0]) if text else type(error).__name__
            raise LoadlineError(f"MLflow: {what}", where=_SECRET.sub("//", self.uri), hint=hint) from None

    def experiment(self, name: str) -> str:
        """Give the number of an experiment, made if need be; to be called within `explained`."""
        from mlflow.exceptions import MlflowException

        found = self.client.get_experiment_by_name(name)
        if found is None:
            place = (self._folder / "artifacts").resolve().as_uri() if self._keeps_artifacts else None
            try:
                return self.client.create_experiment(name, artifact_location=place)
            except MlflowException:  # another process was first
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        return found.experiment_id

    def fetch(self, model_name: str, version: int | str, *, into: str | Path) -> ModelBundle:
        """Download a version, verify it against the digest in its tags and save it.

        Parameters
        ----------
        version : int or str
            Its number, or an alias such as `champion`.
        into : path
            The folder to save it as; left alone where anything is wrong.

        Raises
        ------
        LoadlineError
            Where there is no such version, it carries no digest, or its files were changed.
        """
        client, where = self.client, f"{model_name}, version {version}"
        with self.explained(), tempfile.TemporaryDirectory() as scratch:
            from mlflow.artifacts import download_artifacts

            if isinstance(version, str) and not version.isdecimal():
                found = client.get_model_version_by_alias(model_name, version)
            else:
                found = client.get_model_version(model_name, str(version))
            digest = found.tags.get(DIGEST_TAG)
            if not digest:
                hint = "Only models registered by Loadline can be fetched: there is nothing to verify others against."
                raise LoadlineError("the registered model carries no digest", where=where, hint=hint)
            source = client.get_model_version_download_uri(model_name, found.version)
            copy = download_artifacts(
                artifact_uri=source, dst_path=scratch, tracking_uri=self.uri, registry_uri=self.uri
            )
            bundle = ModelBundle.load(copy, expected=digest)
            bundle.save(into)
            return bundle

    def point(self, model_name: str, alias: str, *, digest: str) -> int | None:
        """Let an alias name the latest version with a digest; gives its number, or None where none is registered."""
        with self.explained():
            wanted = f"name = '{model_name}' AND tags.`{DIGEST_TAG}` = '{digest}'"
            numbers = [int(found.version) for found in self.client.search_model_versions(wanted)]
            if not numbers:
                return None
            self.client.set_registered_model_alias(model_name, alias, str(max(numbers)))
            return max(numbers)


def settle_mlflow() -> None:
    """Set what MLflow reads while it is imported; to be called before every first import of it."""
    os.environ.update(_NO_TELEMETRY)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


def _check_sqlite(uri: str, *, path: Path | None) -> None:
    """Refuse at once what MLflow would retry for minutes, or open elsewhere; makes an empty database if need be."""
    from sqlalchemy.engine import make_url

    named = make_url(uri)
    if named.get_backend_name() != "sqlite" or named.database in (None, "", ":memory:"):
        return
    if path is not None and Path(named.database) != path:
        hint = "Choose a home folder without '%' and '?' in its path."
        raise LoadlineError("this path cannot be written as the address of a database", where=str(path), hint=hint)
    try:
        Path(named.database).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(named.database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except (sqlite3.Error, OSError) as error:
        hint = "Restore it from a backup, or move it away: its runs are lost with it, promoted models are not."
        raise LoadlineError(
            f"the MLflow database cannot be opened: {error}", where=named.database, hint=hint
        ) from error
