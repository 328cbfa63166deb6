"""What of a running service is ready to answer, component by component."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from features.errors import LoadlineError

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.in_service import InService
    from serving.registry_state import RegistryState


LOW_SPACE, NO_SPACE = 512 << 20, 32 << 20
"""Bytes left: a backtest or a run of training writes hundreds of MiB; below the lower, a few days of audit fill it."""
AUDIT_FOLDER = "audit"


def readiness(advisor: Advisor, models: InService, registry: RegistryState) -> dict[str, str]:
    """Tell the state of each component: `ok`, `degraded: ...` or `missing: ...`.

    Parameters
    ----------
    advisor : Advisor
    models : InService
    registry : RegistryState

    Returns
    -------
    dict
        `store`, `model` (of the data stored last), `warnings` where a model of deterioration was ever promoted,
        `registry`, whose absence limits training and nothing else, `database`, `audit` and `space`.
    """
    state: dict[str, str] = {}
    try:
        dataset = advisor.snapshot().about.dataset
        state["store"] = "ok"
    except LoadlineError as error:
        state = {"store": f"missing: {error.what}", "model": "missing: no data"}
    else:
        model = models.state("targets", dataset)
        state["model"] = "missing: run `loadline train`" if model == "missing" else model
        warnings = models.state("warnings", dataset)
        if warnings != "missing":
            state["warnings"] = warnings
    here = {"database": _database(advisor), "audit": _audit(advisor.settings.home), "space": _space(advisor)}
    return state | {"registry": registry.text()} | here


def existing(path: Path) -> Path:
    """Give a folder, or the nearest one above it that is there."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())


def _database(advisor: Advisor) -> str:
    try:
        with advisor.database.read() as connection:
            connection.execute(select(1))
    except LoadlineError as error:
        return f"missing: {error.what}"
    return "ok"


def _audit(home: Path) -> str:
    if os.access(existing(home / AUDIT_FOLDER), os.W_OK | os.X_OK):
        return "ok"
    return "missing: the audit cannot be written to"


def _space(advisor: Advisor) -> str:
    free = shutil.disk_usage(existing(advisor.settings.home)).free
    if free >= LOW_SPACE:
        return "ok"
    return f"{'missing' if free < NO_SPACE else 'degraded'}: {free >> 20} MiB are left where the home is"
