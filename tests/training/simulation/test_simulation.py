"""A simulation as a whole: what it says, what it asks for, and that it leaves everything as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from scoring_bank import make_policy
from tried_rules import DECEMBER, EFFICACY, JUNE, change, other, present

from features.snapshot import Snapshot
from models.policy.difference import differences
from training.simulation.change_file import KINDS
from training.simulation.difficulty import difficulty, difficulty_summary
from training.simulation.obligations import MET, OPEN, RETRAINING, obligations_of, retraining_of
from training.simulation.report import write_report
from training.simulation.simulation import NO_TARGETS, Simulation, simulate

LEVELS = {
    "floor": {"probability": "0.9", "points": "80"},
    "target": {"probability": "0.5", "points": "100"},
    "stretch": {"probability": "0.1", "points": "120"},
}
COMMON = ("effective_date", "approver", "impact_report", "champion_challenger", "rollback", "closed_periods")
CHANGES = {
    "rate_cap": {"cap": 3, "income": "INTEREST", "volume": "LOANS"},
    "npl_tolerance": {"indicator": "LATE", "points": 1},
    "definition": {"indicator": "DEPOSITS", "version": "2", "treatment": "break"},
    "new_indicator": {"item": {"indicator": "YIELD", "weight": "10", "rule": EFFICACY}},
    "merger": {"units": ["S00", "S01"], "into": "S00"},
}


@pytest.fixture(scope="module")
def simulation(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    home = tmp_path_factory.mktemp("home")
    return simulate(snapshot, present(), other(), [JUNE, DECEMBER], home=home, point_value=100.0)


def stored(snapshot: Snapshot) -> dict[str, bytes]:
    folder = Path(snapshot.tables.location)
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_change_is_replayed_with_what_it_asks_for(snapshot: Snapshot, kind: str, tmp_path: Path) -> None:
    before = stored(snapshot)
    found = simulate(
        snapshot, present(), present(), [JUNE, DECEMBER], home=tmp_path, change=change(kind, **CHANGES[kind])
    )
    assert stored(snapshot) == before
    assert list(tmp_path.iterdir()) == []
    codes = [asked.code for asked in found.obligations]
    assert codes[: len(COMMON)] == list(COMMON)
    assert len(codes) > len(COMMON)
    assert found.retraining == RETRAINING[kind]
    for said in found.statements:
        assert said.en
        assert re.search("[\u4e00-\u9fff]", said.zh)
    assert json.loads(json.dumps(found.summary(), default=str))["versions"]["change"] == kind
    write_report(found, tmp_path / "report.html")
    assert found.retraining.why.zh in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_which_changes_need_models_to_learn_again() -> None:
    asked = {kind: found.models for kind, found in RETRAINING.items()}
    assert asked == {
        "rate_cap": True,
        "npl_tolerance": False,
        "definition": True,
        "new_indicator": False,
        "merger": False,
    }


def test_new_weights_need_no_target_model_to_learn_again() -> None:
    found = retraining_of(None, differences(present(), other()))
    assert not found.models
    assert found.score_models
    assert "shadow" in found.why.en


def test_a_change_from_outside_and_a_new_policy_together_ask_for_both() -> None:
    found = differences(present(), other())
    both = retraining_of(change("rate_cap", **CHANGES["rate_cap"]), found)
    assert both.models
    assert RETRAINING["rate_cap"].why.en in both.why.en
    assert retraining_of(None, found).why.zh in both.why.zh
    assert not retraining_of(change("merger", **CHANGES["merger"]), found).models


def test_an_obligation_is_open_until_it_is_met() -> None:
    state = {o.code: o.state for o in obligations_of(change("merger", **CHANGES["merger"]), None)}
    assert (state["approver"], state["rollback"], state["effective_date"]) == (OPEN, OPEN, MET)
    named = change("merger", **CHANGES["merger"], approver="A. Person", rollback="the old tree")
    state = {o.code: o.state for o in obligations_of(named, None)}
    assert (state["approver"], state["rollback"]) == (MET, MET)


def test_tables_and_summary_tell_the_same(simulation: Simulation) -> None:
    tables, summary = simulation.tables(), simulation.summary()
    assert set(tables) >= {"scores", "reasons", "groups", "distribution", "grades", "lines", "policy", "obligations"}
    scores = tables["scores"]
    gain = int((scores["difference"] > 0).sum())
    assert f"{gain} gain" in summary["statements"][0]["en"]
    assert round(scores["pool_fixed"].sum(), 2) == round(scores["pool_before"].sum(), 2)
    assert [row["where"] for row in summary["policy"]] == tables["policy"]["where"].tolist()
    text = json.dumps(summary, default=str)
    assert "NaN" not in text


def test_no_causal_words_reach_a_reader(simulation: Simulation) -> None:
    said = " ".join(title.en for title in simulation.statements)
    assert not re.search(r"\b(cause|because|due to|driven by|SHAP)", said)


def test_a_report_is_complete_in_itself(simulation: Simulation, tmp_path: Path) -> None:
    write_report(simulation, tmp_path / "report.html", note="Policy <b> stands")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Policy &lt;b&gt; stands" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']http", page)
    for key in ("lines", "distribution", "units", "groups", "grades", "asked"):
        assert f'id="{key}"' in page
    assert "No score is stored or changed" in page


def test_missing_targets_are_told(snapshot: Snapshot, tmp_path: Path) -> None:
    found = simulate(snapshot, make_policy(), make_policy(version="2"), [DECEMBER], home=tmp_path)
    assert found.notes[0] == NO_TARGETS


def test_other_probabilities_ask_for_other_targets(snapshot: Snapshot, tmp_path: Path) -> None:
    old = present()
    new = present(targets=LEVELS, version="2")
    assert difficulty(snapshot, old, old, home=tmp_path) is None
    table = difficulty(snapshot, old, new, home=tmp_path)
    assert table is not None
    assert set(table["indicator"]) <= {"LENDING", "DEPOSITS", "LATE", "NPS"}
    assert (table["year"] == 2025).all()
    rows = table[(table["indicator"] == "LENDING") & (table["level"] == "floor")]
    assert (rows["value_after"] < rows["value_before"]).all()  # more often attained, so less is asked
    late = table[(table["indicator"] == "LATE") & (table["level"] == "stretch")]
    assert (late["value_after"] <= late["value_before"]).all()  # lower is harder
    assert rows["p_after"].sub(0.9).abs().max() < 0.02
    summary = difficulty_summary(table).set_index(["indicator", "level"])
    assert summary.loc[("LENDING", "floor"), "median_change"] < 0
