"""Suggestions from stored data: labels, order and the unit of measurement change nothing but themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import quarterly_bank

from features.dataset import open_dataset
from features.store import Snapshot, Store
from training.plan import make_plan
from training.suggest import Suggestions, suggest_targets

NOW = datetime(2024, 3, 1, tzinfo=UTC)
BRANCHES = [f"B{number:02d}" for number in range(20)]
RENAMED = {branch: f"Z{(7 * number + 3) % 20:02d}" for number, branch in enumerate(BRANCHES)}
SCALE = 1000.0
FIGURES = ["last_actual", "floor", "target", "stretch", "p_floor", "p_target", "p_stretch"]


def figures() -> pd.DataFrame:
    """Give ten years of an amount and of a rate whose denominator it is."""
    rng = np.random.default_rng(5)
    rows: list[tuple[str, int, str, float]] = []
    for number, branch in enumerate(BRANCHES):
        loans, late = 100.0 + 40 * number, 1.0 + 0.1 * number
        for year in range(2014, 2024):
            loans *= float(np.exp(0.04 + 0.002 * number + rng.normal(0, 0.04)))
            late = float(np.clip(late * np.exp(rng.normal(0, 0.12)), 0.05, 30))
            rows += [(branch, year, "LOANS", round(loans, 2)), (branch, year, "LATE", round(late, 3))]
    return pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])


def stored(
    folder: Path, *, names: dict[str, str] | None = None, scale: float = 1.0, shuffled: bool = False
) -> Snapshot:
    """Store the bank with other labels, in another order, or with its amount in another unit of measurement."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: bank\ntitle: {en: Bank, zh: 银行}\nfrequency: A\nsource: tests\nlicence: none\n",
        encoding="utf-8",
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n"
        "- {code: LOANS, name: {en: Loans, zh: 贷款}, unit: CNY m, direction: higher, kind: stock, "
        "perspective: performance}\n"
        "- {code: LATE, name: {en: Late, zh: 逾期}, unit: '%', direction: lower, kind: ratio, denominator: LOANS, "
        "bounds: [0, 100], perspective: risk}\n",
        encoding="utf-8",
    )
    named = names or {branch: branch for branch in BRANCHES}
    order = np.random.default_rng(1).permutation(len(BRANCHES)) if shuffled else np.arange(len(BRANCHES))
    units = [("HQ", ""), ("R0", "HQ"), ("R1", "HQ")]
    units += [(named[BRANCHES[at]], f"R{int(at) % 2}") for at in order]
    frame = pd.DataFrame(units, columns=["unit", "parent"])
    frame.assign(name=frame["unit"]).to_csv(folder / "units.csv", index=False)
    rows = figures().assign(unit=lambda table: table["unit"].map(named))
    rows["value"] = rows["value"].where(rows["indicator"] != "LOANS", rows["value"] * scale).round(3)
    rows = rows.sample(frac=1, random_state=2) if shuffled else rows
    rows.to_csv(folder / "observations.csv", index=False)
    store = Store(folder / "store")
    store.ingest(open_dataset(folder), now=NOW)
    return store.snapshot()


def suggested(snapshot: Snapshot, home: Path) -> Suggestions:
    origin = snapshot.description.calendar.parse("2023")
    return suggest_targets(snapshot, 2024, home=home, origin=origin, latest=True, quantiles=(0.1, 0.9))


def table(found: Suggestions) -> pd.DataFrame:
    return found.frame.set_index(["indicator", "unit"])[[*FIGURES, "q0.1", "q0.9"]].astype(float).sort_index()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suggest")


@pytest.fixture(scope="module")
def snapshot(place: Path) -> Snapshot:
    return stored(place / "plain")


@pytest.fixture(scope="module")
def plain(snapshot: Snapshot, place: Path) -> Suggestions:
    return suggested(snapshot, place / "home")


def test_the_order_of_units_and_rows_changes_nothing(plain: Suggestions, place: Path) -> None:
    again = suggested(stored(place / "shuffled", shuffled=True), place / "home")
    pd.testing.assert_frame_equal(table(again), table(plain), rtol=1e-6)


def test_the_names_of_units_change_nothing_of_their_own(plain: Suggestions, place: Path) -> None:
    renamed = table(suggested(stored(place / "renamed", names=RENAMED), place / "home"))
    before, after = table(plain), renamed.rename(index={new: old for old, new in RENAMED.items()}, level="unit")
    leaves = before.index.get_level_values("unit").isin(BRANCHES)
    pd.testing.assert_frame_equal(after.sort_index()[leaves], before[leaves], rtol=1e-6)
    # Totals are joint draws, which follow the labels: the same but for the error of two thousand draws.
    np.testing.assert_allclose(after.sort_index()[~leaves]["target"], before[~leaves]["target"], rtol=0.01)


def test_another_unit_of_measurement_scales_the_targets(plain: Suggestions, place: Path) -> None:
    scaled, before = table(suggested(stored(place / "scaled", scale=SCALE), place / "home")), table(plain)
    amounts = ["last_actual", "floor", "target", "stretch", "q0.1", "q0.9"]
    np.testing.assert_allclose(scaled.loc["LOANS", amounts] / SCALE, before.loc["LOANS", amounts], rtol=1e-4)
    np.testing.assert_allclose(scaled.loc["LATE", amounts], before.loc["LATE", amounts], rtol=1e-4)


def test_attaining_is_less_likely_the_more_is_asked(plain: Suggestions) -> None:
    for part in plain.parts:
        middle = part.distribution.quantile(0.5)
        chances = np.array([part.distribution.attain(middle * by) for by in (0.9, 0.97, 1.0, 1.03, 1.1)])
        step = np.diff(chances, axis=0) * (1 if part.level.indicator.direction == "lower" else -1)
        assert (step >= -1e-12).all()
        assert (np.abs(chances[-1] - chances[0]) > 0.05).all()


def test_the_sum_of_medians_is_asked_with_one_half_and_pins_are_kept(plain: Suggestions, snapshot: Snapshot) -> None:
    leaves = next(part for part in plain.parts if part.level.indicator.code == "LOANS" and part.level.name == "leaves")
    goal = round(float(leaves.distribution.quantile(0.5).sum()), 2)
    goals = pd.DataFrame({"unit": ["HQ"], "indicator": "LOANS", "value": goal})
    origin = snapshot.description.calendar.parse("2023")
    plan = make_plan(plain, tree=snapshot.tree, origin=origin, goals=goals)
    assert plan.goals()["p_common"].iloc[0] == pytest.approx(0.5, abs=0.005)
    np.testing.assert_allclose(plan.lines()["p_target"], 0.5, atol=0.005)
    pinned = round(float(leaves.distribution.quantile(0.3)[0]), 2)
    pins = pd.DataFrame({"unit": [BRANCHES[0]], "indicator": "LOANS", "value": pinned})
    lines = make_plan(plain, tree=snapshot.tree, origin=origin, goals=goals, pins=pins).lines().set_index("unit")
    assert lines.loc[BRANCHES[0], "target"] == pinned
    assert round(lines["target"].sum(), 6) == goal


def test_a_later_restatement_is_not_known_as_of_before(tmp_path: Path) -> None:
    snapshot = quarterly_bank.stored(tmp_path, restated=True)
    origin = snapshot.description.calendar.parse("2023-Q4")
    then = suggest_targets(snapshot, 2024, home=tmp_path, origin=origin, latest=False).frame.set_index("unit")
    now = suggest_targets(snapshot, 2024, home=tmp_path, origin=origin, latest=True).frame.set_index("unit")
    plain = quarterly_bank.stored(tmp_path / "plain")
    before = suggest_targets(plain, 2024, home=tmp_path, origin=origin, latest=False).frame.set_index("unit")
    pd.testing.assert_series_equal(then["target"], before["target"])
    assert (now["last_actual"] > then["last_actual"]).all()


def test_a_target_may_be_asked_for_in_the_middle_of_the_year(tmp_path: Path) -> None:
    snapshot = quarterly_bank.stored(tmp_path)
    origin = snapshot.description.calendar.parse("2023-Q2")
    frame = suggest_targets(snapshot, 2023, home=tmp_path, origin=origin, latest=False, quantiles=[0.1, 0.9]).frame
    year_end = suggest_targets(
        snapshot, 2023, home=tmp_path, origin=origin - 2, latest=False, quantiles=[0.1, 0.9]
    ).frame
    width = (frame["q0.9"] - frame["q0.1"]) / frame["last_actual"]
    wider = (year_end["q0.9"] - year_end["q0.1"]) / year_end["last_actual"]
    assert frame["target"].notna().all()
    assert width[1:].median() < wider[1:].median()
