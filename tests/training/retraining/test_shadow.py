"""Scores in shadow: the last complete year under two policies, as whole files, with nothing on record changed."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from changing_bank import CALENDAR, DECEMBER, Bank, months, moved, policy
from scoring_bank import make_panel

from features.errors import LoadlineError
from training.retraining.shadow import REPORT, SUMMARY, shadow_periods, shadow_scores

PANEL = make_panel()
EFFICACY = {"kind": "efficacy"}


def items(*weights: tuple[str, str]):
    return [{"indicator": code, "weight": weight, "against": "peers", "rule": EFFICACY} for code, weight in weights]


BEFORE = policy(items=items(("DEPOSITS", "60"), ("LATE", "40")))
AFTER = policy("2", start="2025-01-01", items=items(("DEPOSITS", "20"), ("LATE", "80")))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    made = Bank(tmp_path_factory.mktemp("shadow"))
    made.deliver(PANEL)
    made.deliver(moved(PANEL, "LATE", by=1.5, since="2024-07", each=2), day="2025-04-01")
    return made


def test_other_weights_are_set_side_by_side(bank, tmp_path):
    folder = tmp_path / "shadow"
    found = shadow_scores(bank.snapshot, bank.home, folder, before=BEFORE, after=AFTER, origin=DECEMBER)
    assert (found["from"], found["to"], found["periods"]) == ("2024-01", "2024-12", 12)
    assert (found["policy_before"], found["policy_after"]) == ("trial@1", "trial@2")
    assert found["gain"] + found["lose"] + found["stay"] == found["scores"]
    assert found["gain"] > 20
    assert found["lose"] > 20
    assert 0 < found["tau_b"] < 1
    assert f"{found['scores']:,} scores of {found['units']:,} units" in found["text"]["en"]
    assert sorted(found["files"]) == sorted(path.name for path in folder.iterdir())
    scores = pd.read_csv(folder / "scores.csv")
    both = scores[scores["before"].notna() & scores["after"].notna()]
    assert len(both) == found["scores"]
    assert (both["difference"] > 0).sum() == found["gain"]
    plain = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    assert plain["shadow"]["gain"] == found["gain"]
    assert "trial@2" in (folder / REPORT).read_text(encoding="utf-8")
    assert not (bank.home / "scores").exists()


def test_done_again_it_leaves_the_same(bank, tmp_path):
    folder = tmp_path / "shadow"
    first = shadow_scores(bank.snapshot, bank.home, folder, before=BEFORE, after=AFTER, origin=DECEMBER)
    tables = {name: (folder / name).read_bytes() for name in first["files"] if name.endswith(".csv")}
    (folder / "scores.csv").write_text("half a fi")
    (folder / ".scores.csv.0123456789abcdef.partial").write_text("left behind")
    assert shadow_scores(bank.snapshot, bank.home, folder, before=BEFORE, after=AFTER, origin=DECEMBER) == first
    assert {name: (folder / name).read_bytes() for name in tables} == tables
    assert not list(folder.glob(".*"))


def test_gates_alone_move_no_item(bank, tmp_path):
    gates = [{"kind": "veto", "id": "v", "title": {"en": "v", "zh": "否"}, "when": {"indicator": "LATE", "above": "3"}}]
    after = policy("2", start="2025-01-01", items=items(("DEPOSITS", "60"), ("LATE", "40")), gates=gates)
    found = shadow_scores(bank.snapshot, bank.home, tmp_path / "s", before=BEFORE, after=after, origin=DECEMBER)
    assert found["lose"] > 0
    assert found["gain"] == 0
    lines = pd.read_csv(tmp_path / "s" / "lines.csv")
    assert (lines.loc[lines["kind"] == "item", "mean"] == 0).all()
    assert (lines.loc[lines["kind"] == "gate", "mean"] != 0).any()


def test_restated_figures_are_set_beside_those_known_before(bank, tmp_path):
    same = {"before": BEFORE, "after": BEFORE, "origin": DECEMBER}
    still = shadow_scores(bank.snapshot, bank.home, tmp_path / "one", **same)
    assert still["stay"] == still["scores"]
    found = shadow_scores(bank.snapshot, bank.home, tmp_path / "two", since=1, **same)
    scores = pd.read_csv(tmp_path / "two" / "scores.csv")
    assert (scores.loc[scores["period"] < "2024-07", "difference"].fillna(0) == 0).all()
    assert (scores.loc[scores["period"] >= "2024-07", "difference"] < 0).any()
    assert found["lose"] > 10
    assert found["scores"] == still["scores"]
    with pytest.raises(LoadlineError, match="data version 9"):
        shadow_scores(bank.snapshot, bank.home, tmp_path / "three", since=9, **same)


def test_a_change_from_outside_is_replayed(bank, tmp_path):
    merger = {"change": 1, "kind": "merger", "from": "2024-07", "units": ["S00", "S01"], "into": "S00"}
    found = shadow_scores(
        bank.snapshot,
        bank.home,
        tmp_path / "s",
        before=BEFORE,
        after=BEFORE,
        origin=DECEMBER,
        change=json.dumps(merger),
    )
    assert found["one_sided"] == 6, "one of the two has no score of its own from July on"


def test_targets_are_suggested_where_a_policy_scores_against_them(bank, tmp_path):
    aimed = policy(items=[{"indicator": "DEPOSITS", "weight": "100", "rule": {"kind": "ratio", "cap": "120"}}])
    found = shadow_scores(bank.snapshot, bank.home, tmp_path / "s", before=aimed, after=aimed, origin=DECEMBER)
    assert found["scores"] > 100
    assert any("would have been suggested for 2024" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("last", "origin", "first", "count"),
    [
        ("2024-12", "2024-12", "2024-01", 12),
        ("2024-12", "2024-05", "2023-01", 12),
        ("2020-08", "2024-12", "2020-01", 8),
    ],
)
def test_the_last_complete_year_is_scored(tmp_path, last, origin, first, count):
    bank = Bank(tmp_path)
    snapshot = bank.deliver(months(PANEL, upto=last))
    found = shadow_periods(snapshot, CALENDAR.parse(origin))
    assert (CALENDAR.format(found[0]), len(found)) == (first, count)
