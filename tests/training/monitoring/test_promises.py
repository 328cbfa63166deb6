"""Targets on record against what came, once the year is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monitored_bank import promote_as_of, stored_bank

from features.indicators import library
from training.monitoring.promises import SUGGESTIONS, attained_of, attainment, kept_targets
from training.monitoring.rules import CheckRules
from training.monitoring.standing import standing_model
from training.monitoring.watched import TargetWatch, target_watch, with_targets
from training.suggest import suggest_targets

RULE = CheckRules.read()["target.attainment"]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> tuple[TargetWatch, Path]:
    """A champion that learned up to 2022, looked at when 2024 is over."""
    place = tmp_path_factory.mktemp("promises")
    snapshot, home = stored_bank(place), place / "home"
    promote_as_of(snapshot, home, "2022")
    standing = standing_model(snapshot, home, origin=snapshot.span[1], latest=True)
    assert standing is not None
    return target_watch(snapshot, standing, origin=snapshot.span[1], latest=True), home


def keep(watch: TargetWatch, home: Path, year: int, *, raised: float = 0.0) -> pd.DataFrame:
    """Keep the suggestions for a year as the program does; perhaps with targets raised but not their promises."""
    origin = watch.panel.calendar.parse(str(year - 1))
    frame = suggest_targets(watch.snapshot, year, home=home, origin=origin, latest=False).frame
    frame = frame.assign(target=frame["target"] * (1 + raised))
    folder = home / SUGGESTIONS
    folder.mkdir(exist_ok=True)
    name = f"{watch.snapshot.about.fingerprint[:16]}-{raised:g}-{year}.parquet"
    frame[["unit", "indicator", "year", "floor", "target", "stretch", "p_target"]].to_parquet(folder / name)
    return frame


@pytest.fixture
def home(watch, tmp_path: Path) -> Path:
    """A home of its own with the same champion, and nothing kept."""
    import shutil

    shutil.copytree(watch[1] / "models", tmp_path / "models")
    return tmp_path


def test_without_targets_on_record_the_model_answers_for_what_it_would_have_said(watch, home):
    found = attainment(with_targets(watch[0], kept_targets(watch[0], home)), RULE)
    assert "No target is on record" in found.text.en
    assert found.state == "ok"
    assert {row["years"] for row in found.table} == {2}


def test_targets_on_record_are_judged_by_what_they_promised(watch, home):
    frame = keep(watch[0], home, 2024)
    kept = kept_targets(watch[0], home)
    assert {(entry.code, entry.year) for entry in kept} == {(code, 2024) for code in watch[0].panel.codes}
    loans = next(entry for entry in kept if entry.code == "LOANS")
    leaves = frame[frame["indicator"].eq("LOANS") & frame["unit"].str.startswith("B")].set_index("unit")
    came = watch[0].panel.array("LOANS")[-1]
    actual = pd.Series(came, index=watch[0].panel.units)[leaves.index]
    assert loans.attained.mean() == pytest.approx((actual >= leaves["target"]).mean())
    np.testing.assert_allclose(np.sort(loans.promised), np.sort(leaves["p_target"]))
    found = attainment(with_targets(watch[0], kept), RULE)
    assert found.text.en.startswith("Of targets on record")
    assert found.state == "ok"


def test_once_the_year_is_known_the_promise_is_near_what_was_attained(watch, home):
    for year in (2023, 2024):
        keep(watch[0], home, year)
    found = attainment(with_targets(watch[0], kept_targets(watch[0], home)), RULE)
    plain = [abs(row["attained"] - row["promised"]) for row in found.table]
    given = [abs(row["gap"]) for row in found.table]
    assert np.mean(given) < np.mean(plain)


def test_promises_that_no_longer_hold_for_the_target_are_found(watch, home):
    keep(watch[0], home, 2024, raised=0.12)
    kept = tuple(
        type(entry)(entry.code, entry.year, entry.promised, np.full(len(entry.promised), 0.6), *rest)
        for entry in kept_targets(watch[0], home)
        for rest in [(entry.attained, entry.groups, entry.on_record)]
    )
    found = attainment(with_targets(watch[0], kept), RULE)
    assert found.state == "breach"
    assert found.measured is not None
    assert found.measured < -0.2
    assert found.interval is not None
    assert found.interval[1] < 0


def test_targets_of_years_that_are_not_over_do_not_count(watch, home):
    keep(watch[0], home, 2025)
    assert kept_targets(watch[0], home) == ()


def test_a_table_of_another_dataset_is_not_read(watch, home):
    keep(watch[0], home, 2024)
    (path,) = (home / SUGGESTIONS).glob("*.parquet")
    path.rename(path.with_name(f"{'0' * 16}-other.parquet"))
    assert kept_targets(watch[0], home) == ()


def test_attaining_is_in_the_direction_of_the_indicator():
    actual, target = np.array([1.0, 2.0, np.nan, 3.0]), np.array([2.0, 2.0, 2.0, 2.0])
    higher = library()["P01"]
    lower = higher.model_copy(update={"direction": "lower"})
    band = higher.model_copy(update={"direction": "band", "band": (1.5, 2.5)})
    np.testing.assert_array_equal(attained_of(higher, actual, target), [0, 1, np.nan, 1])
    np.testing.assert_array_equal(attained_of(lower, actual, target), [1, 1, np.nan, 0])
    np.testing.assert_array_equal(attained_of(band, actual, target), [0, 1, np.nan, 0])
    np.testing.assert_array_equal(attained_of(band, actual, target + 1.5), [1, 1, np.nan, 1])
