"""DBOS as it is used here: an embedded database beside the runs, plain JSON in it, one run at a time."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._serialization import Serializer

from features.errors import LoadlineError
from training.retraining.workflow import QUEUE, retraining

DATABASE = "jobs.db"
EXECUTOR = "loadline"
"""All workers of a home have one name, since only one is at work at a time: the next takes up what the last left."""
FINISH_SECONDS = 10
"""To note the end of what has ended, once there is nothing more to do."""
POLL_SECONDS = 0.1
"""Between two looks at the queue: short beside a step."""
AT_WORK = ("ENQUEUED", "PENDING", "DELAYED")
"""States of a workflow that something will still be done for."""
JSON_ONLY = ("json", None)
"""What values in the database may be written as; anything else, such as pickle, is refused before it could be read."""


class PlainJson(Serializer):
    """Writes what steps pass on as JSON; of an error, what there is to say."""

    def serialize(self, data: Any) -> str:
        """Write a value."""
        if isinstance(data, BaseException):
            what = data.what if isinstance(data, LoadlineError) else f"{type(data).__name__}: {data}"
            return json.dumps({"error": what})
        return json.dumps(data, allow_nan=False)

    def deserialize(self, serialized_data: str) -> Any:
        """Read a value."""
        found = json.loads(serialized_data)
        return LoadlineError(found["error"]) if isinstance(found, dict) and set(found) == {"error"} else found

    def name(self) -> str:
        """Give the name under which the database knows it."""
        return "json"


@contextmanager
def engine(home: Path, *, version: str) -> Iterator[None]:
    """Run DBOS for a home; it goes on with what was interrupted.

    Parameters
    ----------
    home : Path
    version : str
        Of the program: what another version has begun is not gone on with.

    Raises
    ------
    LoadlineError
        Where the database cannot be opened, or holds what this program has not written.
    """
    path = Path(home).resolve() / DATABASE
    _check(path)
    _silence()
    config: DBOSConfig = {
        "name": "loadline",
        "system_database_url": f"sqlite:///{path}",
        "application_version": version,
        "executor_id": EXECUTOR,
        "serializer": PlainJson(),
        "log_level": "CRITICAL",
        "console_log_level": "CRITICAL",
        "enable_otlp": False,
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": POLL_SECONDS,
    }
    DBOS(config=config)
    patience = 0
    try:
        DBOS.launch()
        DBOS.register_queue(QUEUE, concurrency=1, polling_interval_sec=POLL_SECONDS)
        yield
        patience = FINISH_SECONDS
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=patience)


def start(home: Path, run: str) -> None:
    """Put a run on the queue, once."""
    with SetWorkflowID(run):
        DBOS.enqueue_workflow(QUEUE, retraining, str(home), run)


def over(run: str) -> bool:
    """Tell whether nothing more will be done for a run that was started."""
    status = DBOS.get_workflow_status(run)
    return status is not None and status.status not in AT_WORK


def _silence() -> None:
    """Keep DBOS from writing to the terminal: what concerns a run is in its log."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
        log.propagate = False


def _check(path: Path) -> None:
    """Refuse a database that cannot be read, or that holds values in another form than JSON."""
    if not path.is_file():
        return
    address = f"{path.as_uri()}?mode=rw"  # for reading alone, what a killed process had half written cannot be undone
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            forms: set[str | None] = set()
            for table in tables:
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info('{table}')")]
                if "serialization" in columns:
                    found = connection.execute(f'SELECT DISTINCT serialization FROM "{table}"')  # noqa: S608
                    forms |= {form for (form,) in found}
    except sqlite3.Error as error:
        hint = "Move it away: interrupted runs are then asked for anew, finished ones stay on record."
        raise LoadlineError(f"the record of jobs cannot be opened: {error}", where=str(path), hint=hint) from error
    strange = forms - set(JSON_ONLY)
    if strange:
        hint = "Restore it from a backup, or move it away: finished runs stay on record."
        raise LoadlineError(f"the record of jobs holds values written as {strange}", where=str(path), hint=hint)
