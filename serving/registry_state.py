"""Whether the registry of models can be reached: found out beside the service, which needs it for nothing.

MLflow is not loaded: an embedded database is opened for reading, a server is asked for its health, another database is
connected to.
"""

from __future__ import annotations

import http.client
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from serving.settings import Settings

EVERY_SECONDS = 15.0
"""Between two looks, while somebody asks."""
PATIENCE_SECONDS = 2.0
"""A registry that does not answer within this counts as away."""
GLANCE_SECONDS = 0.5
"""The first to ask waits for so long; an embedded database answers within milliseconds."""
UNKNOWN = "degraded: the registry has not answered yet"
TABLE = "registered_models"
"""A database without it is no registry."""


class RegistryState:
    """Looks at the registry now and then; whoever asks gets what was last seen, at once.

    Parameters
    ----------
    settings : Settings
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = Path(settings.home) / "mlflow"
        self._uri = settings.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._text = UNKNOWN
        self._known = threading.Event()

    def text(self) -> str:
        """Give `ok` or `degraded: ...`; never an address, which may hold a password."""
        with self._lock:
            due = self._clock() - self._looked >= EVERY_SECONDS
            if due:
                self._looked = self._clock()
        if due:
            threading.Thread(target=self._look, name="registry", daemon=True).start()
        self._known.wait(GLANCE_SECONDS)
        return self._text

    def _look(self) -> None:
        try:
            what = looked(self._uri, self._folder)
        except Exception as error:  # drivers raise what they like, with the address in it
            what = f"the registry is away ({type(error).__name__})"
        self._text = f"degraded: {what}" if what else "ok"
        self._known.set()


def looked(uri: str | None, folder: Path) -> str:
    """Look at the registry; "" where all is well.

    Parameters
    ----------
    uri : str, optional
        That of a server or database; by default the embedded database is meant.
    folder : Path
        Of the embedded database. Before the first training there is none, and nothing is amiss.
    """
    if not uri:
        return _sqlite(folder / "mlflow.db") if folder.is_dir() else ""
    scheme = urlsplit(uri).scheme.lower()
    if scheme.startswith("sqlite"):
        return _sqlite(Path(unquote(uri.split("?", 1)[0].split("///", 1)[-1])))
    if scheme in ("http", "https"):
        return _server(uri)
    if scheme.startswith(("postgresql", "mysql", "mssql")):
        return _database(uri)
    return ""  # a service of somebody else's, which cannot be asked without its library


def _sqlite(path: Path) -> str:
    """Open for reading only, so that nothing is made and nobody's write is held up."""
    if not path.is_file():
        return "the registry's database is gone"
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE_SECONDS)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone()
    except sqlite3.Error:
        return "the registry's database cannot be read"
    return "" if found else "the registry's database holds no registry"


def _server(uri: str) -> str:
    parts = urlsplit(uri)
    make = http.client.HTTPSConnection if parts.scheme.lower() == "https" else http.client.HTTPConnection
    try:
        with closing(make(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)) as connection:
            connection.request("GET", f"{parts.path.rstrip('/')}/health")
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return "the registry's server is away"
    return "" if status == http.HTTPStatus.OK else f"the registry's server answers with {status}"


def _database(uri: str) -> str:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    backend = urlsplit(uri).scheme.lower()
    arguments = {"connect_timeout": int(PATIENCE_SECONDS)} if backend.startswith(("postgresql", "mysql")) else {}
    try:
        engine = create_engine(uri, poolclass=NullPool, connect_args=arguments)
        with engine.connect() as connection:
            connection.execute(text(f"SELECT 1 FROM {TABLE} WHERE 1 = 0"))  # noqa: S608 - a constant
    except SQLAlchemyError:
        return "the registry's database is away"
    return ""
