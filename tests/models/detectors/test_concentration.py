import numpy as np
from watched_bank import PLANTED, situation, swell

from models.detectors.concentration import concentration
from models.detectors.situation import Situation

START = 24


def test_a_share_that_rises_by_five_points_in_a_year_is_concentration():
    at = situation(swell("R14", 1.35, first=START, last=START + 5))
    found = concentration(at)
    assert found is not None
    assert found.met[START + 6 : START + 11, PLANTED].all()
    assert np.nanargmin(np.nanmin(found.risk[START + 5 : START + 11], axis=0, initial=1)) == PLANTED
    others = ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)
    assert found.met[:, others].mean() < 0.05


def test_three_borrowers_behind_half_of_the_growth_are_concentration():
    found = concentration(situation(swell("TOP3_GROWTH_SHARE", 3.0, first=START, last=START)))
    assert found is not None
    assert found.met[START + 3 :, PLANTED].all()
    assert not found.met[: START - 1, PLANTED].any()


def test_either_figure_will_do():
    at = situation(swell("TOP3_GROWTH_SHARE", 3.0, first=START, last=START))
    found = concentration(Situation(at.panel.only(["TOP3_GROWTH_SHARE"])))
    assert found is not None
    assert found.met[START + 3 :, PLANTED].all()
    assert [measure.code for measure in found.evidence] == ["TOP3_GROWTH_SHARE"]
