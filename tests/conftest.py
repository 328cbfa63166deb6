"""How the tests are shared out among processes: a file at a time, those that take long first.

So whatever a file makes ready is made ready once, and no process is left with a long file when the others are through.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # the processes share the processor; threads that wait for each other waste it

LONG = (
    "training/retraining/test_killed.py",
    "serving/test_in_service.py",
    "notebooks/test_notebooks.py",
    "serving/hardening/test_fuzz.py",
    "serving/test_cli.py",
    "training/warning/test_watch.py",
    "serving/test_train_warning.py",
    "training/test_recorded_run.py",
    "serving/test_registry_state.py",
    "serving/test_api_training.py",
    "training/retraining/test_workflow.py",
    "serving/hot/test_workers.py",
    "serving/test_app.py",
    "serving/test_api_alerts.py",
    "serving/test_alert_explanation.py",
    "features/test_store_killed.py",
)
"""Files of more than some fifteen seconds."""
_HERE = Path(__file__).resolve().parent


def pytest_configure() -> None:
    """Fail at once where a file of `LONG` was renamed."""
    gone = [path for path in LONG if not (_HERE / path).is_file()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py names files that are not there: {gone}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put long files first where several processes share the tests."""
    if hasattr(config, "workerinput"):
        turn = {_HERE / path: number for number, path in enumerate(LONG)}
        items.sort(key=lambda item: turn.get(item.path, len(LONG)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share out whole files in the order in which they were collected, unless told otherwise."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)
