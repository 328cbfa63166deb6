"""What is decided on the banking systems of the world, delivered twice, with a definition changed on the way."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from features.dataset import open_dataset
from features.sets import catalogue
from features.snapshot import Snapshot
from features.store import Store
from models.bundle import ModelBundle
from models.levels import target_codes
from training.retraining.decision import Decision, decide
from training.retraining.policy_marks import policy_day, policy_mark
from training.retraining.request import TrainingRequest

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "world-banking"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")


def delivery(place: Path, *, keep: str, version: str = "1") -> Path:
    """Write the figures that an expression keeps, with a version of what counts as a non-performing loan."""
    shutil.copytree(DATA, place)
    (place / "observations.csv.gz").unlink()
    rows = pd.read_csv(DATA / "observations.csv.gz", dtype={"unit": str, "period": str})
    rows[rows.eval(keep)].to_csv(place / "observations.csv", index=False)
    written = yaml.safe_load((DATA / "indicators.yaml").read_text(encoding="utf-8"))
    for entry in written["indicators"]:
        if entry["code"] == "NPL":
            entry["definition_version"] = version
    (place / "indicators.yaml").write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    return place


def ingest(store: Store, folder: Path, day: str) -> Snapshot:
    store.ingest(open_dataset(folder, stored=store.stored_indicators), now=datetime.fromisoformat(day + "T00:00+00:00"))
    return store.snapshot()


def target_champion(snapshot: Snapshot, home: Path, as_of: str) -> ModelBundle:
    calendar = snapshot.description.calendar
    origin = calendar.parse(as_of)
    levels = {f"{code}.leaves": {} for code in target_codes(snapshot.panel(origin))}
    about = snapshot.about
    return ModelBundle(
        "target",
        {
            "dataset": about.dataset,
            "data_version": about.version,
            "fingerprint": about.fingerprint,
            "as_of": as_of,
            "known_on": str(snapshot.last_known),
            "policy_version": policy_mark(snapshot, home, policy_day(snapshot, origin)),
            "code_version": "9.9",
            "seed": 7,
            "levels": levels,
        },
        {},
        {},
    )


def decided(snapshot: Snapshot, home: Path, champion: ModelBundle, as_of: str) -> Decision:
    origin = snapshot.description.calendar.parse(as_of)
    about = snapshot.about
    request = TrainingRequest(
        dataset=about.dataset,
        data_version=about.version,
        fingerprint=about.fingerprint,
        as_of=as_of,
        latest=True,
        policy=policy_mark(snapshot, home, policy_day(snapshot, origin)),
        code_version="9.9",
        seed=7,
        trials=0,
        kinds=("target",),
    )
    champions = {"target": champion, "warning": None}
    return decide(snapshot, home, origin=origin, latest=True, kinds=("target",), champions=champions, request=request)


def test_a_definition_of_bad_loans_that_changes(tmp_path):
    store, home = Store(tmp_path / "store"), tmp_path / "home"
    first = ingest(store, delivery(tmp_path / "a", keep="period <= '2014'"), "2015-03-01")
    champion = target_champion(first, home, "2014")
    assert decided(first, home, champion, "2014").of("target").what == "keep"

    more = ingest(store, delivery(tmp_path / "b", keep="period <= '2016'"), "2017-03-01")
    found = decided(more, home, champion, "2016")
    assert found.of("target").what == "retrain"
    assert [ground["code"] for ground in found.of("target").figures["grounds"]] == ["figures", "periods"]
    assert found.of("history").what == "none"
    assert decided(more, home, champion, "2014").of("target").what == "keep"

    champion = target_champion(more, home, "2016")
    keep = "period <= '2016' and (indicator != 'NPL' or period == '2016')"
    broken = ingest(store, delivery(tmp_path / "c", keep=keep, version="2"), "2017-06-01")
    found = decided(broken, home, champion, "2016")
    assert found.of("target").what == "retrain"
    assert found.of("history").what == "break"
    assert "for NPL (2016)" in found.of("history").why[0].en
    panels = {name: snapshot.panel() for name, snapshot in (("before", more), ("after", broken))}
    growth = {name: catalogue().compute(panel, features=["growth_1y"]) for name, panel in panels.items()}
    assert np.isfinite(growth["before"].array("NPL.growth_1y")).any()
    assert np.isnan(growth["after"].array("NPL.growth_1y")).all()
    for column in growth["before"].names:
        if not column.startswith("NPL."):
            np.testing.assert_array_equal(growth["after"].array(column), growth["before"].array(column))

    again = ingest(store, delivery(tmp_path / "d", keep="period <= '2016'", version="2"), "2017-09-01")
    found = decided(again, home, champion, "2016")
    assert found.of("history").what == "restated"
    np.testing.assert_array_equal(again.panel().array("NPL"), panels["before"].array("NPL"))
    assert np.isfinite(again.panel().array("NPL")).sum() > 1000
    assert datetime(2017, 9, 1, tzinfo=UTC).date() == again.last_known
