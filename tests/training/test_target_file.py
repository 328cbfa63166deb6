"""Targets read back from a file: any format that is written, every problem listed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import open_dataset
from features.errors import DatasetError, LoadlineError
from features.store import Snapshot, Store
from serving.tables import write_table
from training.target_file import read_target_file


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    place = tmp_path_factory.mktemp("targets")
    folder = place / "bank"
    folder.mkdir()
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: two\ntitle: {en: Two, zh: 二}\nfrequency: A\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n- {code: SALES, name: {en: Sales, zh: 销售}, unit: CNY m, direction: higher, kind: flow, "
        "perspective: performance}\n- {code: RAIN, name: {en: Rain, zh: 雨}, unit: mm, direction: higher, kind: flow, "
        "perspective: context}\n"
    )
    (folder / "units.csv").write_text("unit,parent,name\nHQ,,HQ\n-A,HQ,A\n华东,HQ,East\n")
    (folder / "observations.csv").write_text("unit,period,indicator,value\n-A,2023,SALES,5\n华东,2023,SALES,7\n")
    store = Store(place / "store")
    store.ingest(open_dataset(folder), now=datetime(2024, 3, 1, tzinfo=UTC))
    return store.snapshot()


GOOD = pd.DataFrame(
    {
        "unit": ["-A", "华东", "HQ"],
        "indicator": "SALES",
        "year": 2024,
        "last_actual": [5.0, 7.0, 12.0],
        "target": [5.5, np.nan, 13.0],
        "floor": [5.0, np.nan, 12.0],
        "p_target": [0.6, np.nan, 0.61],
        "evidence": "recipe",
    }
)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_what_was_written_is_read_back(snapshot: Snapshot, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"targets.{suffix}"
    write_table(GOOD, path)
    found = read_target_file(path, snapshot)
    expected = GOOD[["unit", "indicator", "year", "target", "floor", "p_target"]]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"unit": "B"}, "unit"),
        ({"indicator": "RAIN"}, "indicator"),
        ({"indicator": "NONE"}, "indicator"),
        ({"year": "soon"}, "year"),
        ({"year": "2024.5"}, "year"),
        ({"target": "much"}, "target"),
        ({"target": "inf"}, "target"),
        ({"floor": "low"}, "floor"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    snapshot: Snapshot, tmp_path: Path, change: dict[str, object], column: str
) -> None:
    path = tmp_path / "targets.csv"
    row = {"unit": "华东", "indicator": "SALES", "year": 2024, "target": 8.0, "floor": 7.0} | change
    pd.DataFrame([row]).to_csv(path, index=False)
    with pytest.raises(DatasetError) as error:
        read_target_file(path, snapshot)
    assert [(breach.line, breach.column) for breach in error.value.breaches] == [(2, column)]


def test_a_key_given_twice_a_missing_column_and_an_empty_file_are_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "targets.csv"
    pd.concat([GOOD, GOOD.head(1)]).to_csv(path, index=False)
    with pytest.raises(DatasetError) as error:
        read_target_file(path, snapshot)
    assert [breach.line for breach in error.value.breaches] == [5]
    for frame, said in ((GOOD.drop(columns="target"), "target"), (GOOD.head(0), "holds no target")):
        frame.to_csv(path, index=False)
        with pytest.raises(LoadlineError) as refused:
            read_target_file(path, snapshot)
        assert said in str(refused.value) or any(said in str(b) for b in refused.value.breaches)  # type: ignore[attr-defined]
    GOOD.assign(target=np.nan).to_csv(path, index=False)
    with pytest.raises(LoadlineError, match="no row has a target"):
        read_target_file(path, snapshot)
    with pytest.raises(LoadlineError, match="there is no such file"):
        read_target_file(tmp_path / "none.csv", snapshot)


def test_a_damaged_book_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "targets.xlsx"
    write_table(GOOD, path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(LoadlineError, match="cannot be read as an Excel book"):
        read_target_file(path, snapshot)
