"""A home whose dataset has a target model and a warning model in service."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warning_bundles import as_bundle, small_model

from training.gating.gate import Gate
from training.promote import promote
from training.warning.fitting import model_name

DATASET = "hostile-bank"
GATES = (Gate("enough_cases", True, None, (), {"en": "Enough.", "zh": "足够。"}),)


@pytest.fixture(scope="session")
def warned_home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: copy it."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("warned") / "home")
    bundle = as_bundle(small_model(), DATASET)
    promote(
        home,
        model_name(DATASET),
        bundle,
        by="t",
        reason="t",
        expected_champion=None,
        gates=GATES,
        clock=lambda: datetime.now(UTC),
    )
    return home
