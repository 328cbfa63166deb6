import numpy as np
import pytest
from watched_bank import PLANTED, all_of, situation, swell

from models.detectors.evergreening import evergreening

START = 24
SHOWN = slice(START + 2, START + 9)


def collected(part: float):
    def plant(values: dict[str, np.ndarray]) -> None:
        values["COLLECTED_LOANS"][START:, PLANTED] = part * values["MATURED_LOANS"][START:, PLANTED]

    return plant


@pytest.mark.parametrize(("part", "met"), [(0.99, True), (0.95, False)])
def test_extensions_rise_though_all_is_collected(part: float, met: bool):
    at = situation(all_of(swell("EXTENDED_LOANS", 1.8, first=START, last=START + 3), collected(part)))
    found = evergreening(at)
    assert found is not None
    assert found.met[SHOWN, PLANTED].any() == met
    assert np.nanargmin(np.nanmin(found.risk[SHOWN], axis=0, initial=1)) == PLANTED


def test_full_collection_alone_is_good():
    def steady(values: dict[str, np.ndarray]) -> None:
        values["EXTENDED_LOANS"][:, PLANTED] = 0.1 * values["MATURED_LOANS"][:, PLANTED]

    found = evergreening(situation(all_of(steady, collected(0.995))))
    assert found is not None
    assert not found.met[SHOWN, PLANTED].any()


def test_a_merger_is_not_flagged():
    merged = np.zeros(situation().shape, dtype=bool)
    merged[START:, PLANTED] = True
    plant = all_of(swell("EXTENDED_LOANS", 1.8, first=START, last=START + 3), collected(0.99))
    found = evergreening(situation(plant, disturbed={"merger": merged}))
    assert found is not None
    assert not found.met[START:, PLANTED].any()
    assert np.isnan(found.risk[START:, PLANTED]).all()
