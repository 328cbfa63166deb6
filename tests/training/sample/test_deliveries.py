"""Deliveries made from another: fewer indicators, or one of them under a new definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import warning_bank
import yaml

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Store
from training.sample.deliveries import part_of, redefined


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return warning_bank.write_bank(tmp_path / "bank", years=3)


def test_a_part_is_a_dataset_with_the_figures_of_its_indicators(bank: Path, tmp_path: Path) -> None:
    part = part_of(bank, tmp_path / "part", indicators=["NPL", "LOANS"])
    assert list(open_dataset(part).indicators) == ["LOANS", "NPL"]
    whole, kept = (pd.read_csv(folder / "observations.csv") for folder in (bank, part))
    pd.testing.assert_frame_equal(kept, whole[whole["indicator"] != "FEES"].reset_index(drop=True))
    assert (part / "units.csv").read_bytes() == (bank / "units.csv").read_bytes()


def test_a_parquet_delivery_is_cut_the_same_way(bank: Path, tmp_path: Path) -> None:
    figures = pd.read_csv(bank / "observations.csv", dtype={"period": str})
    figures.to_parquet(bank / "observations.parquet", index=False)
    (bank / "observations.csv").unlink()
    part = part_of(bank, tmp_path / "part", indicators=["FEES"])
    kept = pd.read_parquet(part / "observations.parquet")
    assert len(kept) == (figures["indicator"] == "FEES").sum()
    assert set(kept["indicator"]) == {"FEES"}


def test_a_new_definition_restates_its_history_and_nothing_else(bank: Path, tmp_path: Path) -> None:
    second = redefined(bank, tmp_path / "second", code="LOANS", version="2", factor=0.5)
    entries = yaml.safe_load((second / "indicators.yaml").read_text(encoding="utf-8"))["indicators"]
    assert {entry["code"]: entry.get("definition_version") for entry in entries} == {
        "LOANS": "2",
        "NPL": None,
        "FEES": None,
    }
    store = Store(tmp_path / "store")
    first = store.ingest(open_dataset(bank), now=warning_bank.NOW)
    store.ingest(open_dataset(second, stored=store.stored_indicators), now=warning_bank.NOW)
    before, after = store.snapshot(first.version).panel(), store.snapshot().panel()
    np.testing.assert_allclose(after.array("LOANS"), before.array("LOANS") * 0.5)
    np.testing.assert_array_equal(after.array("FEES"), before.array("FEES"))


@pytest.mark.parametrize("make", [part_of, redefined])
def test_an_unknown_indicator_is_named(make, bank: Path, tmp_path: Path) -> None:
    asked = {"indicators": ["X"]} if make is part_of else {"code": "X", "version": "2", "factor": 1.0}
    with pytest.raises(LoadlineError, match="no indicator X"):
        make(bank, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()
