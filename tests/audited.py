"""Audits of homes of their own, and processes that are killed while they note."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from serving.access.principal import Grant, Principal, Role, acting
from serving.audit.trail import FOLDER, Audit
from serving.database.connection import Database

AT = datetime(2026, 3, 1, 8, 15, 30, 123456, tzinfo=UTC)
AUDITOR = Principal("a1", "审计员 Wu", "person", (Grant(Role.AUDITOR),))
NOTING = """
import sys
from pathlib import Path
from audited import AUDITOR, audit_at
audit = audit_at(Path(sys.argv[1]), sys.argv[2])
number = 0
while True:
    audit.note(AUDITOR, "get_score", status=200, subject=f"{sys.argv[3]}-{number}")
    print(f"{sys.argv[3]}-{number}", flush=True)
    number += 1
"""
"""Says what it has noted, for as long as it lives."""


def audit_at(home: Path, url: str | URL | None = None) -> Audit:
    """Give the audit of a home, on a database that has its tables."""
    made = URL.create("sqlite", database=str(home / "loadline.db")) if url is None else url
    return Audit(Database(made), home / FOLDER, clock=lambda: AT)


def audit_on(database: Database, home: Path) -> Audit:
    """Give the audit of a home on an open database."""
    return Audit(database, home / FOLDER, clock=lambda: AT)


def change(audit: Audit, subject: str, **detail: object) -> None:
    """Note a change in a transaction of its own."""
    with acting(AUDITOR), audit.database.write() as connection:
        audit.write(connection, "plan.publish", subject=subject, dataset="sample-bank", detail=detail or None)


def noting_process(home: Path, url: str, name: str) -> "subprocess.Popen[str]":
    """Start a process that notes until it is killed."""
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    return subprocess.Popen(
        [sys.executable, "-c", NOTING, str(home), url, name],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )


def killed_after(process: "subprocess.Popen[str]", lines: int) -> list[str]:
    """Let a process say so many lines, kill it, and give all it said in whole."""
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return [line.strip() for line in [*told, *rest.splitlines(keepends=True)] if line.endswith("\n")]
