from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_problems import KINDS, RATE, SIGNED, make_indicator, values_of_kind

from features.errors import LoadlineError
from models.outcome.growth import TRANSFORMS, Transform, choose_transform


@pytest.mark.parametrize("kind", KINDS)
def test_latent_and_back(kind: str) -> None:
    indicator, values = values_of_kind(kind)
    transform = choose_transform(indicator, values)
    back = transform.value(transform.latent(values))
    seen = values != 0 if transform.hurdle else np.ones(values.shape, dtype=bool)
    np.testing.assert_allclose(back[seen], values[seen], rtol=1e-9, atol=1e-9)
    assert np.isnan(back[~seen]).all()
    assert Transform.from_dict(transform.as_dict()) == transform


@pytest.mark.parametrize(
    ("changes", "values", "kind", "hurdle"),
    [
        ({}, [1.0, 5.0], "log", False),
        ({}, [0.0, 1.0, 5.0], "log", True),
        ({"kind": "flow"}, [-1.0, 3.0, 9.0], "asinh", False),
        (RATE, [1.0, 2.0], "logit", False),
        (RATE, [0.0, 2.0, 100.0], "logit", False),
        (RATE | {"bounds": None}, [1.0, 2.0], "log", False),
        (RATE | {"bounds": None}, [0.0, 0.0, 2.0, 3.0], "difference", False),
        (SIGNED, [-1.0, 2.0], "difference", False),
        (SIGNED | {"kind": "level"}, [1.0, 2.0], "difference", False),
    ],
)
def test_choice(changes: dict, values: list[float], kind: str, hurdle: bool) -> None:
    transform = choose_transform(make_indicator(**changes), np.array(values))
    assert (transform.kind, transform.hurdle) == (kind, hurdle)
    assert np.isfinite(transform.latent(np.array(values)[np.array(values) != 0])).all()


def test_a_rate_that_touches_its_bounds_stays_within_them() -> None:
    transform = choose_transform(make_indicator(**RATE), np.array([0.0, 3.0, 97.0, 100.0]))
    assert transform.offset > 0
    np.testing.assert_allclose(transform.value(transform.latent(np.array([0.0, 100.0]))), [0, 100], atol=1e-9)
    assert transform.value(np.array([-50.0, 50.0])).tolist() == [0.0, 100.0]


def test_nothing_known_is_refused() -> None:
    with pytest.raises(LoadlineError, match="no value"):
        choose_transform(make_indicator(), np.array([np.nan]))


@given(st.sampled_from(sorted(TRANSFORMS)), st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_latent_rises_with_the_value(kind: str, value: float, more: float) -> None:
    ends = {"low": 0.0, "high": 1.0} if kind == "logit" else {}
    transform = Transform(kind, **ends)  # type: ignore[arg-type]
    low, high = transform.latent(np.array([value, value + more]))
    assert low < high


@pytest.mark.parametrize("kind", ["log", "difference", "asinh", "hurdle"])
def test_growth_does_not_depend_on_the_unit_of_measurement(kind: str) -> None:
    indicator, values = values_of_kind(kind)
    growth = np.diff(choose_transform(indicator, values).latent(values), axis=0)
    scaled = np.diff(choose_transform(indicator, 1000 * values).latent(1000 * values), axis=0)
    np.testing.assert_allclose(growth, scaled, rtol=1e-6, atol=1e-9)
