"""`forecast_path` from a stored data version, the year that a path implies, and the backtest of paths."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from target_panels import make_panel

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Snapshot, Store
from models.path.reconciliation import Summing
from training.forecast import forecast_path, path_of, year_paths
from training.path_backtest import LOADLINE, NAIVE, RECONCILED, path_backtest, scaled_crps

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
QUANTILES = (0.05, 0.5, 0.95)
NOW = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Store eight quarterly branches in two regions: sales, a ratio without weights, and one branch without figures."""
    folder = tmp_path_factory.mktemp("paths") / "quarters"
    folder.mkdir()
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: paths\ntitle: {en: Paths, zh: 路径}\nfrequency: Q\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n"
        "- {code: SALES, name: {en: Sales, zh: 销售}, unit: CNY m, direction: higher, kind: flow, "
        "perspective: performance}\n"
        "- {code: SHARE, name: {en: Share, zh: 占比}, unit: '%', direction: higher, kind: ratio, bounds: [0, 100], "
        "perspective: customer}\n"
        "- {code: MARKET, name: {en: Market, zh: 市场}, unit: CNY m, direction: higher, kind: stock, "
        "perspective: context}\n"
    )
    branches = [f"B{i}" for i in range(9)]
    above = ["North" if i < 4 else "South" for i in range(9)]
    units = pd.DataFrame({"unit": ["HQ", "North", "South", *branches], "parent": ["", "HQ", "HQ", *above]})
    units.assign(name=units["unit"]).to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(3)
    rows = []
    for place, unit in enumerate(branches[:8]):
        for number in range(20):
            period = f"{2019 + number // 4}-Q{number % 4 + 1}"
            sales = (50 + 10 * place) * (1.5 if number % 4 == 0 else 0.9) * rng.lognormal(0.01 * number, 0.1)
            rows += [(unit, period, "SALES", round(sales, 2)), (unit, period, "SHARE", round(rng.uniform(10, 90), 2))]
            rows.append((unit, period, "MARKET", round(1000 * rng.lognormal(0, 0.05), 2)))
    pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"]).to_csv(
        folder / "observations.csv", index=False
    )
    store = Store(tmp_path_factory.mktemp("store"))
    store.ingest(open_dataset(folder), now=NOW)
    return store.snapshot()


def test_every_unit_and_total_has_its_quantiles_period_by_period(snapshot: Snapshot) -> None:
    stages: list[tuple[str, int, int]] = []
    frame = forecast_path(
        snapshot,
        horizon=5,
        origin=snapshot.span[1],
        latest=True,
        quantiles=(0.95, 0.05, 0.5),
        series=0,
        progress=lambda *stage: stages.append(stage),
    )
    assert list(frame.columns) == ["unit", "indicator", "period", "q0.05", "q0.5", "q0.95"]
    assert set(frame["indicator"]) == {"SALES", "SHARE"}
    assert list(frame["period"].unique()) == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1"]
    assert len(frame) == 2 * 11 * 5
    assert frame["unit"].iloc[0] == "HQ"
    assert (np.diff(frame[["q0.05", "q0.5", "q0.95"]].to_numpy(), axis=1) >= 0).all()
    notes = " ".join(frame.attrs["notes"])
    assert "B8" in notes
    assert "count alike" in notes
    assert stages[-1] == ("forecasting", 2, 2)


def test_the_same_question_has_the_same_answer_and_no_future_in_it(snapshot: Snapshot) -> None:
    asked = {"horizon": 4, "quantiles": QUANTILES, "indicators": ["SALES"], "latest": False, "series": 0}
    early = snapshot.span[1] - 4
    first, second = (forecast_path(snapshot, origin=early, **asked) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    panel = snapshot.panel(early)
    path = path_of(panel, "SALES", origin=early, horizon=4, series=0)
    assert path is not None
    assert len(path.problem.values) == 16
    season = first[first["unit"] == "HQ"]["q0.5"].to_numpy()
    assert season[0] > 1.3 * season[1:].max()


def test_an_indicator_of_context_is_forecast_when_named(snapshot: Snapshot) -> None:
    frame = forecast_path(
        snapshot, horizon=1, origin=snapshot.span[1], latest=True, quantiles=[0.5], indicators=["Market"], series=0
    )
    assert set(frame["indicator"]) == {"MARKET"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"horizon": 0}, "horizon of 0"),
        ({"horizon": 500}, "horizon of 500"),
        ({"quantiles": [1.5]}, "between 0 and 1"),
        ({"quantiles": []}, "between 0 and 1"),
        ({"indicators": ["NONE"]}, "no indicator is called"),
    ],
)
def test_a_question_without_sense_is_refused_with_a_hint(snapshot: Snapshot, changes: dict, expected: str) -> None:
    asked = {"horizon": 4, "quantiles": QUANTILES, "origin": snapshot.span[1], "latest": True} | changes
    with pytest.raises(LoadlineError, match=expected) as caught:
        forecast_path(snapshot, **asked)
    assert caught.value.hint


def test_the_year_is_what_is_in_and_the_draws_of_the_rest(snapshot: Snapshot) -> None:
    origin = snapshot.span[1] - 2
    panel = snapshot.panel(origin)
    path = path_of(panel, "SALES", origin=origin, horizon=2, series=0)
    assert path is not None
    units, year = year_paths(path, 2023)
    in_already = panel.array("SALES")[-2:].sum(axis=0)
    draws = path.draws().sum(axis=1)
    for column, unit in enumerate(units):
        if unit.startswith("B"):
            np.testing.assert_allclose(year[:, column], draws[:, column] + in_already[panel.tree.number(unit)])
    np.testing.assert_allclose(path.problem.summing.add_up(year), year)
    with pytest.raises(LoadlineError, match="does not reach"):
        year_paths(path, 2024)


def test_a_score_of_draws_is_that_of_the_formula() -> None:
    draws, actual = np.array([1.0, 2.0, 4.0])[:, None, None], np.array([[3.0]])
    spread = np.abs(draws.ravel()[:, None] - draws.ravel()).mean() / 2
    expected = (np.abs(draws - actual).mean() - spread) / 3.0
    np.testing.assert_allclose(scaled_crps(draws, actual, Summing(np.array([-1]))), [expected])


def test_the_backtest_puts_paths_beside_the_baselines() -> None:
    panel = make_panel(regions=2, leaves=2)
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(60) / 12)[:, None]
    panel = panel.with_values({"FLOW": panel.array("FLOW") * season})
    found = path_backtest(panel, "FLOW", origins=[panel.last - 6], horizon=6, baselines=(NAIVE, RECONCILED))
    assert set(found["model"]) == {LOADLINE, NAIVE, RECONCILED}
    assert set(found["depth"]) == {0, 1, 2}
    mean = found.groupby("model")["scaled_crps"].mean()
    assert mean[LOADLINE] < mean[NAIVE]


@pytest.mark.parametrize("name", ["us-state-lending"])
def test_public_yearly_data_has_paths(tmp_path: Path, name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the shared data sets are not here")
    store = Store(tmp_path)
    store.ingest(open_dataset(SHARED / name), now=NOW)
    snapshot = store.snapshot()
    frame = forecast_path(
        snapshot,
        horizon=2,
        origin=snapshot.span[1],
        latest=True,
        quantiles=QUANTILES,
        indicators=["CARD_DPD90"],
        series=0,
    )
    assert frame["unit"].nunique() > 50
    assert frame.notna().all().all()
    assert (frame["q0.05"] >= 0).all()
