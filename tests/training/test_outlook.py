"""The outlook and the calibration of targets, from a stored bank: read, judged by what came, refused where wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Snapshot, Store
from models.levels import levels_of
from models.outcome.target import TargetModel
from models.policy.targets import CalibrationLimits, TargetPolicy
from serving.tables import write_table
from training.calibrate import calibrate, read_relief_file
from training.gating.gate import Gate
from training.outlook import outlook
from training.promote import promote
from training.suggest import ON_REQUEST, suggest_targets
from training.target_file import read_target_file
from training.target_model import bundle_of, model_name

NOW = datetime(2024, 3, 1, tzinfo=UTC)
SEASON = (0.35, 0.25, 0.22, 0.18)
BRANCHES = [f"B{number:02d}" for number in range(24)]


def write_bank(folder: Path) -> Path:
    """Write two dozen quarterly branches with an opening push over nine years; two indicators, one of them core."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: quarters\ntitle: {en: Quarters, zh: 季度}\nfrequency: Q\nsource: tests\nlicence: none\n"
    )
    entry = "- {{code: {}, name: {{en: {}, zh: 量}}, unit: CNY m, direction: higher, kind: {}, {}}}\n"
    (folder / "indicators.yaml").write_text(
        "indicators:\n"
        + entry.format("SALES", "Sales", "flow", "perspective: performance")
        + entry.format("LOANS", "Loans", "stock", "perspective: performance, core: true")
        + entry.format("WEATHER", "Weather", "level", "perspective: context")
    )
    regions = [f"R{number}" for number in range(2)]
    units = pd.DataFrame(
        {
            "unit": ["HQ", *regions, *BRANCHES],
            "parent": ["", "HQ", "HQ", *[f"R{number % 2}" for number in range(len(BRANCHES))]],
        }
    )
    units.assign(name=units["unit"]).to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(3)
    rows = []
    for number, branch in enumerate(BRANCHES):
        level, loans = 50.0 + 10 * number, 400.0 + 30 * number
        for year in range(2015, 2024):
            for quarter, share in enumerate(SEASON, start=1):
                level *= float(np.exp(rng.normal(0.01, 0.05)))
                loans *= float(np.exp(rng.normal(0.012, 0.02)))
                rows.append((branch, f"{year}-Q{quarter}", "SALES", round(level * share, 4)))
                rows.append((branch, f"{year}-Q{quarter}", "LOANS", round(loans, 2)))
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outlook")


@pytest.fixture(scope="module")
def snapshot(place: Path) -> Snapshot:
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank")), now=NOW)
    return store.snapshot()


def at(snapshot: Snapshot, period: str) -> int:
    return snapshot.description.calendar.parse(period)


@pytest.fixture(scope="module")
def targets(snapshot: Snapshot, place: Path) -> pd.DataFrame:
    """Set targets for 2023 from what was known at the end of 2022, through a file as a person would."""
    found = suggest_targets(snapshot, 2023, home=place / "home", origin=at(snapshot, "2022-Q4"), latest=False).frame
    path = place / "targets.csv"
    write_table(found, path)
    return read_target_file(path, snapshot)


def look(snapshot: Snapshot, targets: pd.DataFrame, place: Path, period: str) -> pd.DataFrame:
    return outlook(snapshot, targets, home=place / "home", origin=at(snapshot, period), latest=False)


def outcome(snapshot: Snapshot, frame: pd.DataFrame) -> np.ndarray:
    """Give what each row's year came to; NaN for units above the leaves."""
    panel = snapshot.panel(at(snapshot, "2023-Q4"))
    year = {"SALES": panel.array("SALES")[-4:].sum(axis=0), "LOANS": panel.array("LOANS")[-1]}
    number = [snapshot.tree.number(unit) for unit in frame["unit"]]
    return np.array([year[code][n] for code, n in zip(frame["indicator"], number, strict=True)])


def test_the_outlook_sharpens_as_the_year_goes_on(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    errors, widths = [], []
    for period in ("2023-Q1", "2023-Q3"):
        frame = look(snapshot, targets, place, period)
        actual = outcome(snapshot, frame)
        leaf = np.isfinite(actual)
        hit = (actual >= frame["target"])[leaf]
        errors.append(float(((frame["p_attain"][leaf] - hit) ** 2).mean()))
        band = frame["q0.9"] - frame["q0.1"]
        assert ((actual >= frame["q0.1"]) & (actual <= frame["q0.9"]))[leaf].mean() > 0.6
        widths.append(float((band / frame["q0.5"])[frame["indicator"] == "SALES"].mean()))
        assert set(frame["as_of"]) == {period}
    start = targets["p_target"].to_numpy()[leaf]
    assert errors[1] < errors[0] < float(((start - hit) ** 2).mean())
    assert widths[1] < 0.5 * widths[0]


def test_a_row_says_what_is_in_and_what_would_be_on_pace(
    snapshot: Snapshot, targets: pd.DataFrame, place: Path
) -> None:
    frame = look(snapshot, targets, place, "2023-Q2")
    first = [*targets.columns[:3], "as_of", "target", "to_date", "expected_by_now", "pace_ratio"]
    assert frame.columns[: len(first)].tolist() == first
    assert frame.columns[-4:].tolist() == ["evidence", "model_version", "policy_version", "data_version"]
    assert frame[["unit", "indicator"]].equals(targets[["unit", "indicator"]])
    row = frame[(frame["unit"] == "B03") & (frame["indicator"] == "SALES")].iloc[0]
    sales = snapshot.panel(at(snapshot, "2023-Q2")).array("SALES")[-2:, snapshot.tree.number("B03")]
    assert row["to_date"] == pytest.approx(sales.sum())
    assert row["expected_by_now"] == pytest.approx(row["target"] * 0.6, rel=0.03)
    assert row["pace_ratio"] == pytest.approx(row["to_date"] / row["expected_by_now"])
    assert row["p_floor"] >= row["p_attain"] >= row["p_stretch"]
    assert row["evidence"].endswith("2 of 4 periods are in")
    assert (frame["model_version"] == ON_REQUEST).all()
    region = frame[(frame["unit"] == "R1") & (frame["indicator"] == "SALES")].iloc[0]
    assert 0 <= region["p_attain"] <= 1
    assert region["to_date"] > row["to_date"]


def test_order_and_later_figures_have_no_say(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    some = targets[targets["indicator"] == "SALES"].reset_index(drop=True)
    before = look(snapshot, some, place, "2023-Q2")
    order = np.random.default_rng(1).permutation(len(some))
    after = look(snapshot, some.iloc[order], place, "2023-Q2")
    pd.testing.assert_frame_equal(after, before.iloc[order].reset_index(drop=True))


def test_what_is_in_already_is_attained(snapshot: Snapshot, place: Path) -> None:
    in_already = snapshot.panel(at(snapshot, "2023-Q3")).array("SALES")[-3:, snapshot.tree.number("B05")].sum()
    row = {"unit": "B05", "indicator": "SALES", "year": 2023, "target": in_already}
    asked = pd.DataFrame([row | {"floor": 0.5 * in_already, "stretch": 100 * in_already}])
    row = look(snapshot, asked, place, "2023-Q3").iloc[0]
    assert (row["p_attain"], row["p_floor"]) == (1.0, 1.0)
    assert row["p_stretch"] < 0.01


def test_a_unit_without_a_target_or_figures_is_said(snapshot: Snapshot, place: Path) -> None:
    rows = [("B01", "SALES", 2023, np.nan), ("B02", "SALES", 2023, 60.0)]
    frame = look(snapshot, pd.DataFrame(rows, columns=["unit", "indicator", "year", "target"]), place, "2023-Q2")
    assert frame["evidence"].tolist()[0] == "none: no target is set"
    assert np.isfinite(frame["p_attain"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"year": 2021}, "the year 2021 is over by 2023-Q2"),
        ({"unit": "B99"}, "'B99' is no unit of the data"),
        ({"indicator": "WEATHER"}, "'WEATHER' is no indicator that may have targets"),
        ({"target": np.nan}, "no target is set"),
    ],
)
def test_bad_targets_are_refused(snapshot: Snapshot, place: Path, change: dict[str, object], said: str) -> None:
    asked = pd.DataFrame([{"unit": "B01", "indicator": "SALES", "year": 2023, "target": 60.0} | change])
    with pytest.raises(LoadlineError) as error:
        look(snapshot, asked, place, "2023-Q2")
    assert said in error.value.what
    assert error.value.hint


def test_a_missing_column_and_a_key_given_twice_are_refused(snapshot: Snapshot, place: Path) -> None:
    row = {"unit": "B01", "indicator": "SALES", "year": 2023, "target": 60.0}
    with pytest.raises(LoadlineError, match="no column 'year'"):
        look(snapshot, pd.DataFrame([row]).drop(columns="year"), place, "2023-Q2")
    with pytest.raises(LoadlineError, match="given twice"):
        look(snapshot, pd.DataFrame([row, row]), place, "2023-Q2")


def test_a_champion_of_the_rest_of_the_year_serves(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    home, origin = place / "trained", at(snapshot, "2023-Q2")
    panel = snapshot.panel(origin)
    levels = [level for level in levels_of(panel, "SALES", year=2023, origin=origin) if level.learned]
    assert [level.key for level in levels] == ["SALES.leaves.rest2"]
    models = {level.key: TargetModel.fit(level.problem, seed=1) for level in levels}
    about = {"dataset": "quarters", "horizon": 2, "known_on": str(panel.known_on)}
    bundle = bundle_of(models, about)
    passed = Gate("trained", True, None, (), {"en": "Trained.", "zh": "已训练。"})
    model = model_name("quarters")
    promote(home, model, bundle, by="tests", reason="a test", expected_champion=None, gates=[passed], clock=lambda: NOW)
    asked = targets[targets["indicator"] == "SALES"]
    served = outlook(snapshot, asked, home=home, origin=origin, latest=False)
    assert set(served["model_version"]) == {bundle.version}
    assert np.isfinite(served["p_attain"]).all()


def test_a_calibration_moves_few_and_says_why(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    asked = {"home": place / "home", "origin": at(snapshot, "2023-Q3"), "latest": False}
    found = calibrate(snapshot, targets, **asked)
    frame = found.frame
    assert found.non_core == 27
    assert found.worthwhile
    assert 0.1 <= found.share <= 0.2
    assert set(frame.loc[frame["moved"], "indicator"]) == {"SALES"}
    assert (frame.loc[frame["indicator"] == "LOANS", "reason"] == "core").all()
    shortfall = frame.loc[frame["moved"], ["p_before", "p_after"]].sub(0.6).abs()
    assert (shortfall["p_after"] <= shortfall["p_before"]).all()
    again = calibrate(snapshot, targets.iloc[::-1], **asked).frame.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, frame)


def test_relief_for_a_region_covers_its_branches(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    path = place / "relief.csv"
    path.write_text("unit,indicator\nR1,SALES\n")
    relief = read_relief_file(path, snapshot)
    policy = TargetPolicy(calibration=CalibrationLimits(0.0, 1.0))
    found = calibrate(
        snapshot,
        targets,
        home=place / "home",
        origin=at(snapshot, "2023-Q3"),
        latest=False,
        policy=policy,
        relief=relief,
        relief_only=True,
    ).frame
    eased = found[found["reason"] == "relief"]
    assert {int(unit[1:]) % 2 for unit in eased["unit"]} == {1}
    assert (found["reason"] != "eased").all()
    np.testing.assert_allclose(eased["p_after"], eased["p_promised"], atol=0.02)
    path.write_text("unit,indicator\nR9,SALES\n")
    with pytest.raises(LoadlineError):
        read_relief_file(path, snapshot)


def test_a_year_that_has_not_begun_is_not_calibrated(snapshot: Snapshot, targets: pd.DataFrame, place: Path) -> None:
    with pytest.raises(LoadlineError, match="has not begun"):
        calibrate(snapshot, targets, home=place / "home", origin=at(snapshot, "2022-Q4"), latest=False)
