"""What is recorded of a training run: settings, figures by origin, card, pictures, tables, documents, signature."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from card_cases import TARGET

from features.errors import LoadlineError
from models.bundle import ModelBundle
from models.suggestion import COLUMNS
from training.card.writing import FACTS, card_names, write_cards
from training.record import by_step, record_run
from training.signature import SUGGESTED, signature
from training.track import Tracker

META = {"dataset": "bank", "data_version": 3, "fingerprint": "ab12", "as_of": "2023", "seed": 7}


def test_everything_of_a_run_is_recorded_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracker, bundle = Tracker(tmp_path / "home"), ModelBundle("target", META | {"levels": {}})
    write_cards(TARGET, tmp_path / "card")
    given = {
        "run": "bank-1",
        "card": tmp_path / "card",
        "metrics": {"LOANS.leaves.loss_ratio": 0.94},
        "tracker": tracker,
        "by_origin": pd.DataFrame({"year": [2022, 2023], "loss_ratio": [0.9, 1.1], "note": ["a b", "ü/x"]}),
        "params": {"policy": "hb-2024", "settings": {"own": {"leaves": 4}}},
        "tables": {"tuning": pd.DataFrame({"trial": [0], "loss": [0.95]})},
        "documents": {"decision": {"actions": []}, "gates": [gate.as_dict() for gate in TARGET.gates]},
    }
    number = record_run("target-bank", bundle, **given)
    assert record_run("target-bank", bundle, **given) == number
    version = tracker.client.get_model_version_by_alias("target-bank", "challenger")
    assert int(version.version) == number
    run = tracker.client.get_run(version.run_id or "")
    assert run.data.params == {
        "policy": "hb-2024",
        "settings.own.leaves": "4",
        **{name: str(value) for name, value in META.items()},
    }
    assert run.data.metrics["LOANS.leaves.loss_ratio"] == 0.94
    history = tracker.client.get_metric_history(run.info.run_id, "origin.a b.loss_ratio")
    assert [(entry.step, entry.value) for entry in history] == [(2022, 0.9)]
    folder = Path(tracker.client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    for name in (*card_names(), FACTS):
        assert (folder / "card" / name).read_bytes() == (tmp_path / "card" / name).read_bytes()
    assert "<svg" in (folder / "plots" / "promises.zh.svg").read_text()
    assert json.loads((folder / "record" / "gates.json").read_bytes())[1]["passed"] is False
    assert (folder / "tables" / "tuning.csv").read_text() == "trial,loss\n0,0.95\n"
    assert "pyfunc" in json.loads((folder / "signature.json").read_bytes())["why_no_pyfunc"]
    assert ModelBundle.load(folder / "bundle") == bundle
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle") or path.name == "MLmodel"]


def test_a_run_without_a_card_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(LoadlineError, match="no model card"):
        record_run(
            "x", ModelBundle("target", META), run="one", card=tmp_path / "none", metrics={}, tracker=Tracker(tmp_path)
        )
    assert not (tmp_path / "mlflow").exists()


def test_the_signature_names_what_goes_in_and_what_comes_out() -> None:
    plain = json.loads(signature(ModelBundle("target", META)))["signature"]
    assert [column["name"] for column in plain["inputs"]] == ["unit", "period", "indicator", "value", "known_on"]
    assert {column["name"]: column["type"] for column in plain["outputs"]}["p_target"] == "double"
    assert {name for name, _ in SUGGESTED} == {*COLUMNS, "model_version"}
    warning = ModelBundle("warning", {"fitted": {"names": ["NPL.level", "prior"]}})
    plain = json.loads(signature(warning))["signature"]
    assert [column["name"] for column in plain["inputs"]] == ["NPL.level", "prior"]
    assert [column["name"] for column in plain["outputs"]] == ["probability"]


@pytest.mark.parametrize(
    ("table", "steps"),
    [
        (None, {}),
        (pd.DataFrame({"loss": [1.0]}), {}),
        (pd.DataFrame({"year": [2022], "loss": [float("nan")]}), {2022: {}}),
        (pd.DataFrame({"origin": ["2022-Q4"], "loss": [1.0], "taken": [True]}), {2022: {"origin.loss": 1.0}}),
        (
            pd.DataFrame({"year": [2022, 2022], "part": ["A", "B"], "loss": [1.0, 2.0]}),
            {2022: {"origin.A.loss": 1.0, "origin.B.loss": 2.0}},
        ),
        (pd.DataFrame({"year": [2022], "loss": [None]}).convert_dtypes(), {2022: {}}),
        (
            pd.DataFrame({"year": [2022, 2023], "loss": [1, None]}).convert_dtypes(),
            {2022: {"origin.loss": 1.0}, 2023: {}},
        ),
    ],
)
def test_figures_of_an_origin_stand_at_its_year(table: pd.DataFrame | None, steps: dict) -> None:
    assert by_step(table) == steps
