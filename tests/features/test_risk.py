from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from feature_panels import make_panel

from features.sets import catalogue


@pytest.fixture(scope="module")
def panel():
    return make_panel("M", periods=60, leaves=24)


@pytest.fixture(scope="module")
def matrix(panel):
    return catalogue().compute(panel, threads=2)


def same(ours: pd.DataFrame, slow: pd.DataFrame) -> None:
    np.testing.assert_allclose(ours.to_numpy(), slow.to_numpy(), rtol=2e-5, atol=2e-5, equal_nan=True)


@pytest.mark.parametrize(("name", "months"), [("1m", 1), ("3m", 3), ("6m", 6), ("12m", 12)])
def test_worsening_is_positive_where_things_get_worse(panel, matrix, name, months):
    same(matrix.frame(f"NPL.worsening_{name}"), panel["NPL"].diff(months))
    outside = np.maximum(np.maximum(100 - panel["COVERAGE"], panel["COVERAGE"] - 300), 0)
    same(matrix.frame(f"COVERAGE.worsening_{name}"), outside.diff(months))
    assert (matrix.frame("NPS.worsening_12m").corrwith(panel["NPS"].diff(12)).dropna() < 0).all()


def test_distance_to_the_worst_so_far(panel, matrix):
    same(matrix.frame("NPL.distance_to_worst"), panel["NPL"].cummax().ffill() - panel["NPL"])
    same(matrix.frame("NPS.distance_to_worst"), panel["NPS"] - panel["NPS"].cummin().ffill())


def test_growth_of_the_denominator_cannot_hide_risk(panel, matrix):
    loans, ratio = panel["LOANS"], panel["NPL"]
    bad = loans * ratio / 100
    lagged = 100 * bad / loans.shift(12)
    same(matrix.frame("NPL.lagged_ratio"), lagged)
    same(matrix.frame("NPL.lagged_ratio_change"), lagged.diff(12))
    same(matrix.frame("NPL.dilution"), lagged - ratio)
    same(matrix.frame("NPL.net_formation"), 100 * bad.diff(12) / loans.shift(12))
    without_gaps = matrix.frame("NPL.net_formation").notna() & ratio.notna()
    by_parts = matrix.frame("NPL.net_formation") - ratio.diff(12)
    same(matrix.frame("NPL.dilution").where(without_gaps), by_parts.where(without_gaps))
    disposed = panel["WRITEOFFS"].rolling(12).sum()
    same(matrix.frame("NPL.formation"), 100 * (bad.diff(12) + disposed) / loans.shift(12))


def test_a_ratio_that_falls_by_growth_alone_shows_as_dilution():
    panel = make_panel("A", periods=8)
    loans = np.repeat(100 * 1.5 ** np.arange(8)[:, None], len(panel.tree), axis=1)
    bad = np.repeat(2 + 0.5 * np.arange(8)[:, None], len(panel.tree), axis=1)
    matrix = catalogue().compute(panel.with_values({**panel.values, "LOANS": loans, "NPL": 100 * bad / loans}), ["NPL"])
    assert (matrix.array("NPL.growth_1y")[2:] < 0).all()
    assert (matrix.array("NPL.net_formation")[2:] > 0).all()
    assert (matrix.array("NPL.dilution")[1:] > 0).all()
    np.testing.assert_allclose(
        matrix.array("NPL.growth_adjusted_ratio")[1:, 3:], (100 * bad / loans)[1:, 3:], rtol=1e-5
    )


def test_features_without_what_they_need_are_left_out_and_said(matrix):
    assert "OVERDUE.lagged_ratio" not in matrix
    assert "no denominator" in matrix.omitted["OVERDUE.lagged_ratio"]
    assert "LOANS.worsening_12m" not in matrix.omitted


def test_abnormal_growth_followed_by_worsening(panel, matrix):
    loans = panel["LOANS"]
    growth = (loans - loans.shift(12)) / ((loans.abs() + loans.shift(12).abs()) / 2)
    groups = pd.Series(panel.tree.peer_groups(), index=loans.columns)

    def z(frame: pd.DataFrame) -> pd.DataFrame:
        out = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
        for group in set(groups[groups >= 0]):
            part = frame[groups.index[groups == group]]
            low, middle, high = (part.quantile(share, axis=1) for share in (0.25, 0.5, 0.75))
            scaled = part.sub(middle, axis=0).div((high - low) / 1.3489795, axis=0)
            out[part.columns] = scaled.where(part.notna().sum(axis=1).ge(5), np.nan, axis=0)
        return out

    growth_z, rise_z = z(growth), z(panel["NPL"].diff(6))
    highest = np.fmax.reduce([growth_z.shift(lag).to_numpy() for lag in range(3, 10)])
    expected = np.sqrt(np.maximum(highest, 0) * np.maximum(rise_z.to_numpy(), 0))
    np.testing.assert_allclose(
        matrix.array("NPL.growth_then_worsening"), expected, rtol=1e-4, atol=1e-5, equal_nan=True
    )
    same(matrix.frame("NPL.growth_less_worsening"), growth_z - z(panel["NPL"].diff(12)))


def test_an_indicator_without_a_denominator_is_held_against_the_loans(matrix):
    assert np.isfinite(matrix.array("OVERDUE.growth_then_worsening")).any()
