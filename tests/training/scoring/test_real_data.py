"""Real figures under the default of equal weights: scored in every year, without a warning, in lines that add up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.dataset import open_dataset
from features.store import Store
from models.policy.default import default_policy
from training.scoring.lines import lines
from training.scoring.network import score_network
from training.scoring.tables import summary

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.mark.parametrize(("name", "least"), [("us-state-lending", 0.85), ("world-banking", 0.4)])
def test_real_units_are_scored(name: str, least: float, tmp_path: Path) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"the shared data set {name} is not beside the project")
    store = Store(tmp_path / "store")
    store.ingest(open_dataset(SHARED / name), now=datetime(2025, 1, 1, tzinfo=UTC))
    snapshot = store.snapshot()
    policy = default_policy(snapshot.indicators)
    last = snapshot.span[1]
    network = score_network(snapshot, policy, range(last - 4, last + 1))
    table, every = summary(network), lines(network)
    newest = table[table["period"] == table["period"].max()]
    assert newest["score"].notna().mean() > least
    assert (table["reason"] != "").eq(table["score"].isna()).all()
    cents = every.assign(cents=np.rint(every["amount"] * 100).astype(int)).groupby(["unit", "period"])["cents"].sum()
    stated = table.dropna(subset=["score"]).set_index(["unit", "period"])["score"]
    assert (cents[stated.index] == np.rint(stated * 100).astype(int)).all()
    assert len(cents) == len(stated)
