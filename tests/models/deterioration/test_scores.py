import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.deterioration.scores import REACH, NormalScores


def columns(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = np.stack(
        [rng.normal(0, 1, 400), np.exp(rng.normal(0, 3, 400)), rng.integers(0, 3, 400), np.full(400, 7.0)], axis=1
    )
    found[rng.random(found.shape) < 0.1] = np.nan
    return found.astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_scores_rise_with_the_figures_and_end_somewhere(seed):
    X = columns(seed)
    scale = NormalScores.of(X)
    scores = scale.apply(X)
    for place in range(X.shape[1]):
        known = np.isfinite(X[:, place])
        order = np.argsort(X[known, place])
        assert (np.diff(scores[known, place][order]) >= 0).all()
    assert np.abs(scale.apply(np.full((1, 4), 1e9, np.float32))).max() <= REACH


def test_scores_are_about_normal_whatever_the_shape():
    X = columns(1)[:, :2]
    scores = NormalScores.of(X).apply(X)
    for place in range(2):
        known = scores[np.isfinite(X[:, place]), place]
        assert abs(known.mean()) < 0.05
        assert abs(known.std() - 1) < 0.1


def test_extremes_beyond_what_was_seen_differ():
    X = np.arange(100, dtype=np.float32)[:, None]
    scale = NormalScores.of(X)
    a, b = scale.apply(np.array([[99.5], [100.0]], np.float32))[:, 0]
    assert a < b


def test_what_is_not_known_is_in_the_middle_and_a_constant_tells_nothing():
    scale = NormalScores.of(columns(2))
    assert (scale.apply(np.full((1, 4), np.nan, np.float32)) == 0).all()
    assert (scale.apply(np.array([[0, 1, 1, 99]], np.float32))[:, 3] == 0).all()


def test_a_column_without_figures_is_no_trouble():
    X = np.full((5, 1), np.nan, np.float32)
    assert (NormalScores.of(X).apply(X) == 0).all()


def test_scores_lead_back_to_the_figures():
    X = columns(3)[:, :2]
    scale = NormalScores.of(X)
    scores = scale.apply(X)
    inside = np.isfinite(X) & (np.abs(scores) < REACH)
    for place in range(2):
        figures = scale.figures(np.full(inside[:, place].sum(), place), scores[inside[:, place], place])
        assert np.allclose(figures, X[inside[:, place], place], rtol=1e-3, atol=1e-4)
