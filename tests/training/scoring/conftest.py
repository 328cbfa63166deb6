"""A stored bank, and one whose figures were restated later."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from scoring_bank import make_panel, write_bank

from features.dataset import open_dataset
from features.store import Store

FIRST_DAY, LATER_DAY = datetime(2025, 1, 20, tzinfo=UTC), datetime(2025, 4, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Data version 1: the small bank. Data version 2: lending of two branches restated in April, known by then."""
    folder = tmp_path_factory.mktemp("scored")
    made = Store(folder / "store")
    panel = make_panel()
    made.ingest(open_dataset(write_bank(folder / "first", panel, known_on="2025-01-20")), now=FIRST_DAY)
    values = {code: array.copy() for code, array in panel.values.items()}
    for unit, factor in (("B01", 0.9), ("S02", 1.2)):
        values["LENDING"][-3:, panel.tree.number(unit)] *= factor
    restated = panel.with_values(values | {"LENDING": np.round(values["LENDING"], 2)})
    made.ingest(open_dataset(write_bank(folder / "second", restated)), now=LATER_DAY)
    return made
