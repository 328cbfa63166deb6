"""US state lending, looked back at: the years in which something had changed are found, and an ordinary one is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from monitored_bank import NOW

from features.dataset import open_dataset
from features.snapshot import Snapshot
from features.store import Store
from training.monitoring.looking import look

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "us-state-lending"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data is not at {DATA}")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    store = Store(tmp_path_factory.mktemp("states") / "store")
    store.ingest(open_dataset(DATA), now=NOW)
    return store.snapshot()


@pytest.mark.parametrize(
    ("year", "found"),
    [
        ("2009", {"CARD_BALANCE"}),  # households paid down their cards
        ("2010", set()),
        ("2012", {"STUDENT_DPD90"}),
    ],
)
def test_what_would_have_been_said_then(snapshot, tmp_path, year, found):
    origin = snapshot.description.calendar.parse(year)
    seen = look(snapshot, tmp_path, origin=origin, latest=False, kinds=("target",))
    assert {name for finding in seen.breaches for name in finding.flagged} == found
