"""Contrasts add up to the gap, in log-odds and in probability; groups are players; references are pinned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from tree_models import FEATURES, model_of, slow_values, training_rows

from features.errors import LoadlineError
from models.explanation.contrast import Contrast, Players, Reference, contrast, in_probability
from models.explanation.trees import TreeEnsemble

GROUPS = {"first": ["Column_0", "Column_3"], "second": ["Column_1"], "rest": ["Column_2", "Column_4", "Column_5"]}


@pytest.fixture(scope="module")
def binary() -> TreeEnsemble:
    return TreeEnsemble.of(model_of("binary").model_to_string())


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return training_rows(holes=False, category=False)[:60]


def test_each_row_adds_up_to_its_gap(binary: TreeEnsemble, rows: np.ndarray) -> None:
    reference = Reference.of("peers", np.median(rows, axis=0))
    found = contrast(binary, rows, reference)
    np.testing.assert_allclose(found.values.sum(axis=1), found.gap, rtol=0, atol=1e-9)
    raw = np.asarray(model_of("binary").predict(np.vstack([rows, reference.values]), raw_score=True))
    np.testing.assert_allclose(found.gap, raw[:-1] - raw[-1], rtol=0, atol=1e-12)
    assert (found.unit, found.scaled) == ("margin", False)


def test_groups_are_players_and_not_sums_of_features(binary: TreeEnsemble, rows: np.ndarray) -> None:
    players = Players.grouped(GROUPS, binary.features)
    found = contrast(binary, rows[:8], rows[8:16], players=players)
    model, player = model_of("binary"), list(players.of_feature)
    slow = [slow_values(model, x, r, player) for x, r in zip(rows[:8], rows[8:16], strict=True)]
    np.testing.assert_allclose(found.values, np.array(slow), rtol=0, atol=1e-12)
    single = contrast(binary, rows[:8], rows[8:16]).values
    added = np.column_stack([single[:, [i for i in range(FEATURES) if player[i] == k]].sum(axis=1) for k in range(3)])
    assert np.abs(added - found.values).max() > 1e-3


def test_swapping_row_and_reference_turns_every_sign(binary: TreeEnsemble, rows: np.ndarray) -> None:
    there, back = contrast(binary, rows[:20], rows[20:40]), contrast(binary, rows[20:40], rows[:20])
    np.testing.assert_allclose(there.values, -back.values, rtol=0, atol=1e-12)


def test_a_row_against_itself_has_nothing_to_explain(binary: TreeEnsemble, rows: np.ndarray) -> None:
    assert not contrast(binary, rows, rows).values.any()


def test_probabilities_add_up_in_proportion_to_the_log_odds(binary: TreeEnsemble, rows: np.ndarray) -> None:
    plain = contrast(binary, rows, rows[:1])
    found = in_probability(plain, sigmoid=binary.sigmoid)
    chance = np.asarray(model_of("binary").predict(rows))
    np.testing.assert_allclose(found.output, chance, rtol=1e-12)
    np.testing.assert_allclose(found.values.sum(axis=1), chance - chance[0], rtol=0, atol=1e-9)
    factor = (chance[1:] - chance[0]) / plain.gap[1:]
    np.testing.assert_allclose(found.values[1:], plain.values[1:] * factor[:, None], rtol=1e-6, atol=1e-12)
    assert (found.unit, found.scaled) == ("probability", True)
    with pytest.raises(LoadlineError, match="no log-odds"):
        in_probability(found)


def made(parts: list[float], base: float) -> Contrast:
    values = np.array([parts])
    return Contrast(("a", "b"), values, values.sum(axis=1) + base, np.array([base]))


@given(
    st.lists(st.floats(-800, 800), min_size=2, max_size=2),
    st.floats(-800, 800),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_probabilities_add_up_for_any_margin(parts: list[float], base: float, sigmoid: float) -> None:
    one = made(parts, base)
    found = in_probability(one, sigmoid=sigmoid)
    exact = expit(sigmoid * one.output) - expit(sigmoid * one.reference)
    np.testing.assert_allclose(found.values.sum(axis=1), exact, rtol=1e-9, atol=1e-12)


def test_parts_that_cancel_are_told_by_the_slope() -> None:
    found = in_probability(made([2.0, -2.0], 0.5))
    slope = expit(0.5) * expit(-0.5)
    np.testing.assert_allclose(found.values, [[2 * slope, -2 * slope]], rtol=1e-12)
    assert found.gap == pytest.approx(0.0)


def test_only_log_odds_become_probabilities() -> None:
    assert TreeEnsemble.of(model_of("binary").model_to_string()).sigmoid == 1.7
    with pytest.raises(LoadlineError, match="no probability"):
        _ = TreeEnsemble.of(model_of("regression").model_to_string()).sigmoid


@pytest.mark.parametrize("groups", [{"a": ["Column_0"]}, GROUPS | {"more": ["Column_0"]}, GROUPS | {"more": ["what"]}])
def test_groups_hold_every_feature_once(binary: TreeEnsemble, groups: dict[str, list[str]]) -> None:
    with pytest.raises(LoadlineError, match="once"):
        Players.grouped(groups, binary.features)


def test_a_reference_is_pinned_and_known_by_its_digest() -> None:
    values = np.array([1.0, np.nan, -0.0])
    pinned = Reference.of("peers", values)
    again = Reference.of("last_year", np.array([1.0, -np.nan, 0.0]))
    values[0] = 2.0
    assert pinned.values[0] == 1.0
    assert pinned.digest == again.digest != Reference.of("peers", values).digest
    with pytest.raises(ValueError, match="read-only"):
        pinned.values[0] = 3.0
