"""A small stored bank to try other rules on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scoring_bank import make_panel, write_bank

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store

NOW = datetime(2025, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("tried")
    store = Store(folder / "store")
    store.ingest(open_dataset(write_bank(folder / "bank", make_panel())), now=NOW)
    return store.snapshot()
