"""What is lasting in past errors: what every year shows, and no more than the last year still does."""

import numpy as np
import pytest

from models.path.bias import lasting_bias

DEPTHS = np.array([0, 1, 1, 1])
YEARS = np.repeat(np.arange(5), 4)


def errors_of(by_year: list[float], *, noise: float = 0.0) -> np.ndarray:
    """Make errors (20, 3, 4) that have the same mean at every distance."""
    rng = np.random.default_rng(2)
    return np.repeat(by_year, 4)[:, None, None] + noise * rng.standard_normal((20, 3, 4))


def test_what_every_year_shows_is_kept() -> None:
    bias = lasting_bias(errors_of([0.05] * 5), np.ones((20, 3, 4)), YEARS, depths=DEPTHS)
    np.testing.assert_allclose(bias, 0.05)


@pytest.mark.parametrize("by_year", [[0.05, -0.05, 0.05, -0.05, 0.05], [0.05, 0.04, 0.05, 0.04, -0.01]])
def test_what_years_contradict_is_dropped(by_year: list[float]) -> None:
    assert not lasting_bias(errors_of(by_year), np.ones((20, 3, 4)), YEARS, depths=DEPTHS).any()


def test_no_more_is_kept_than_the_last_year_had() -> None:
    bias = lasting_bias(errors_of([0.05, 0.05, 0.05, 0.05, 0.01]), np.ones((20, 3, 4)), YEARS, depths=DEPTHS)
    np.testing.assert_allclose(bias, 0.01)


def test_two_years_are_too_few_and_unknown_errors_do_not_count() -> None:
    errors = errors_of([0.05] * 5)
    assert not lasting_bias(errors[:8], np.ones((8, 3, 4)), YEARS[:8], depths=DEPTHS).any()
    errors[:, :, 1] = np.nan
    np.testing.assert_allclose(lasting_bias(errors, np.ones((20, 3, 4)), YEARS, depths=DEPTHS), 0.05)
