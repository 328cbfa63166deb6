"""A real service on a home of its own, and a client of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_service import Running, running
from serving_home import TOKEN

from serving.client import Loadline


@pytest.fixture(scope="module")
def server(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(shutil.copytree(trained_home, tmp_path_factory.mktemp("asked") / "home")) as started:
        yield started


@pytest.fixture(scope="module")
def service(server: Running) -> Iterator[Loadline]:
    with Loadline(f"http://127.0.0.1:{server.port}", TOKEN) as client:
        yield client
