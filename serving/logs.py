"""The log: a line of JSON for each event, or a line for people; it never holds what was asked or answered.

What a message says is the program's own words. An exception is told by its kind and by where it happened, never by its
own text or the values around it, which can be somebody's.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = frozenset({"features", "models", "training", "serving"})
"""Below `ROOT`: the program itself."""
INNERMOST = 3
"""Places that a fault is told by wherever they are; beyond them those in the program are told, which is where it is."""
DEEPEST = 12
"""Places that are told."""
OWN = "loadline"
ACCESS = logging.getLogger("loadline.access")
"""One event a request."""
FIELDS = {"request": "request_id", "principal": "principal", "operation": "operation"}
"""What every event tells of the request that it happened in, and what that is called in the request's state."""

_encode = json.JSONEncoder(ensure_ascii=True, default=str, check_circular=False).encode

answering: ContextVar[Mapping[str, Any] | None] = ContextVar("answering", default=None)
"""The state of the request that is being answered: see `serving.access_log`."""


class JsonLines(logging.Formatter):
    """Writes an event as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it."""
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        event |= _about(record)
        if record.exc_info:
            event["error"] = fault(record.exc_info[1])
        return _encode(event)


class TextLines(logging.Formatter):
    """Writes an event as a line that a person reads."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it; what came from outside cannot begin a new line."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        more = " ".join(f"{name}={value}" for name, value in _about(record).items() if value != "")
        line = _one_line(f"{moment} {record.levelname:<7} {record.getMessage()}  {more}".rstrip())
        if record.exc_info:
            told = fault(record.exc_info[1])
            line += "".join(f"\n    {_one_line(part)}" for part in (told["type"], *told["at"]))
        return line


def configure(
    *,
    form: Literal["auto", "json", "text"] = "auto",
    level: Literal["debug", "info", "warning"] = "info",
    stream: TextIO | None = None,
) -> None:
    """Send all that this process logs to one place, in one form; once more replaces what was before.

    Parameters
    ----------
    form : {"auto", "json", "text"}
        `auto`: text on a terminal, JSON elsewhere.
    level : {"debug", "info", "warning"}
        Of this program's own events; those of libraries are told from warnings on.
    stream : TextIO, optional
        Instead of standard error.
    """
    handler = logging.StreamHandler(stream)
    text = form == "text" or (form == "auto" and handler.stream.isatty())
    handler.setFormatter(TextLines() if text else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(level.upper())
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # never told, and not for nothing
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log that cannot be written stops nothing and tells nothing
    threading.excepthook = _of_thread
    sys.excepthook = _of_program


def request_answered(fields: Mapping[str, Any]) -> None:
    """Write the line about a request; what `logging` finds out for each event and nobody reads is left out."""
    if ACCESS.isEnabledFor(logging.INFO):
        record = logging.LogRecord(ACCESS.name, logging.INFO, "", 0, "request", (), None)
        record.fields = fields
        ACCESS.handle(record)


def fault(error: BaseException | None) -> dict[str, Any]:
    """Tell an exception by its kinds and places: `type`, the innermost first in `at`, `cause` where there is one."""
    if error is None:
        return {"type": "", "at": []}
    places = [_place(frame) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    told: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "at": [place for number, place in enumerate(places) if number < INNERMOST or _own(place)][:DEEPEST],
    }
    cause = error.__cause__ or error.__context__
    if cause is not None and cause is not error:
        told["cause"] = type(cause).__qualname__
    return told


def _about(record: logging.LogRecord) -> dict[str, Any]:
    state = answering.get()
    about = {} if state is None else {name: state[key] for name, key in FIELDS.items() if state.get(key)}
    return about | getattr(record, "fields", {})


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    own = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES
    name = path.relative_to(ROOT).as_posix() if own else "/".join(path.parts[-3:])
    return f"{name}:{frame.lineno} {frame.name}"


def _own(place: str) -> bool:
    return place.partition("/")[0] in PACKAGES


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _of_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not issubclass(given.exc_type, SystemExit):
        logging.getLogger(OWN).error("a thread has failed", exc_info=given.exc_value)


def _of_program(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(OWN).critical("the program has failed", exc_info=(kind, error, trace))
