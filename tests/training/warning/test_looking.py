from dataclasses import replace

import numpy as np
import pytest
from watched_bank import PLANTED, ramp, watched_bank

from features.panel import Panel
from features.vintages import Vintage
from training.warning.looking import Looked, look

PERIODS, CUT = 42, 36
LATE = (0.03, 7)
"""Part of the last row's figures that come a period late, and the seed by which they are drawn."""


def plant(values: dict[str, np.ndarray]) -> None:
    """Let lending surge and bad loans follow, so that there is something to find."""
    values["LOANS"][:, PLANTED] *= 1.6 ** ramp(18, 28, periods=PERIODS)
    values["NPL"][:, PLANTED] *= 3.0 ** ramp(30, 40, periods=PERIODS)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return watched_bank(plant, periods=PERIODS)


def as_known(panel: Panel, row: int) -> Panel:
    """Give the panel up to a row, of whose figures some are not there yet, and one that is restated a row later."""
    cut, rng = panel.up_to(panel.first + row), np.random.default_rng(LATE[1] + row)
    values = {}
    for code, array in cut.values.items():
        values[code] = array.copy()
        values[code][-1, rng.random(array.shape[1]) < LATE[0]] = np.nan
    values["LOANS"][-1, row % len(panel.tree)] *= 1.02
    return cut.with_values(values)


@pytest.fixture(scope="module")
def stretches(panel: Panel) -> list[Vintage]:
    """Give a first stretch, and then one a period."""
    begin = panel.first
    first = Vintage.of(as_known(panel, CUT - 1), first=begin, last=begin + CUT - 1)
    each = [Vintage.of(as_known(panel, row), first=begin + row, last=begin + row) for row in range(CUT, PERIODS)]
    return [first, *each]


@pytest.fixture(scope="module")
def found(stretches: list[Vintage]) -> Looked:
    return look(stretches)


def rows_of(looked: Looked, rows: slice) -> dict[str, np.ndarray]:
    """Name everything that is found period by period."""
    high, novel = looked.high, looked.novelty
    assert high.p is not None
    assert novel is not None
    arrays = {"prior": looked.prior, "novelty": novel.p, "novelty score": novel.score, **looked.disturbed}
    arrays |= {"high": high.met, "high p": high.p, "attainment": high.attainment, "rank": high.rank}
    for code, finding in looked.findings.items():
        arrays |= {f"{code} risk": finding.risk, f"{code} met": finding.met}
        if finding.performance is not None:
            arrays[f"{code} performance"] = finding.performance
    return {name: array[rows] for name, array in arrays.items()}


def test_each_row_is_what_was_found_in_what_was_known_then(found: Looked, stretches: list[Vintage]) -> None:
    begin = stretches[0].first
    assert any(finding.met[CUT:].any() for finding in found.findings.values())
    for vintage in stretches:
        rows = slice(vintage.first - begin, vintage.last - begin + 1)
        then = look([Vintage.of(vintage.panel, first=begin, last=vintage.last)])
        mine, theirs = rows_of(found, rows), rows_of(then, rows)
        assert mine.keys() == theirs.keys()
        for name, array in theirs.items():
            np.testing.assert_array_equal(mine[name], array, err_msg=name)


def test_late_figures_do_make_a_difference(found: Looked, panel: Panel) -> None:
    now = look([Vintage.of(panel, first=panel.first, last=panel.last)])
    before = slice(CUT, PERIODS - 1)
    assert not np.array_equal(rows_of(found, before)["prior"], rows_of(now, before)["prior"], equal_nan=True)


def test_the_number_of_threads_does_not_show(found: Looked, stretches: list[Vintage]) -> None:
    alone = look(stretches, threads=1)
    everything = slice(0, PERIODS)
    assert alone.findings.keys() == found.findings.keys()
    for name, array in rows_of(alone, everything).items():
        np.testing.assert_array_equal(rows_of(found, everything)[name], array, err_msg=name)


def test_it_says_how_far_it_is(stretches: list[Vintage]) -> None:
    said = []
    look(stretches[-2:], progress=lambda *step: said.append(step))
    assert said == [("looking", done, 2) for done in range(3)]


def test_a_pattern_that_only_the_last_stretch_can_see_is_blank_before(panel: Panel) -> None:
    without = panel.only([code for code in panel.codes if code not in ("COMPLAINTS", "U04")])
    earlier = replace(without, values={code: array[:-1] for code, array in without.values.items()})
    begin = panel.first
    cut = [
        Vintage.of(earlier, first=begin, last=panel.last - 1),
        Vintage.of(panel, first=panel.last, last=panel.last),
    ]
    found = look(cut)
    new = [code for code in found.findings if code not in look(cut[:1]).findings]
    assert new
    for code in new:
        assert np.isnan(found.findings[code].risk[:-1]).all()
        assert not found.findings[code].met[:-1].any()
        assert np.isfinite(found.findings[code].risk[-1]).any()
