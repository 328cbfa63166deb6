import numpy as np
import pytest
from feature_panels import make_panel

from features.sets import catalogue
from features.slow import LEAST_UNITS, over_all


def test_growth_over_years_is_stated_a_year():
    panel = make_panel("A", periods=8)
    years = np.arange(8.0)[:, None] * np.ones(len(panel.tree))
    panel = panel.with_values({**panel.values, "NPL": years})
    found = catalogue().compute(panel, ["NPL"], features=["growth_2y", "growth_5y"])
    for name, first in (("NPL.growth_2y", 2), ("NPL.growth_5y", 5)):
        assert np.isnan(found.array(name)[:first]).all()
        assert found.array(name)[first:] == pytest.approx(1.0)  # a ratio: one point a year


def test_an_average_over_all_is_the_mean_of_what_is_known_and_the_same_for_all():
    panel = make_panel("A", periods=6)
    found = catalogue().compute(panel, ["NPL"], features=["common_level", "above_common"])
    common, value = found.array("NPL.common_level"), panel.array("NPL")
    assert (common == common[:, :1])[np.isfinite(common[:, 0])].all()
    assert common[5, 0] == pytest.approx(np.nanmean(value[5]), rel=1e-5)
    known, above = np.isfinite(value[5]), value[5] - np.nanmean(value[5])
    assert found.array("NPL.above_common")[5][known] == pytest.approx(above[known], abs=1e-4)


def test_there_is_no_average_of_too_few():
    x = np.array([[1.0, 2.0, np.nan, np.nan], [1.0, 2.0, 3.0, np.nan]])
    found = over_all(x)
    assert LEAST_UNITS == 3
    assert np.isnan(found[0, 0])
    assert found[1, 0] == 2.0
