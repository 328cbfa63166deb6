import re
from dataclasses import replace

import numpy as np
import pytest
from watched_bank import situation, watched_bank

from features.panel import Panel
from models.detectors.catalogue import DETECTORS, FAMILIES, detectors_for, findings
from models.detectors.detector import Detector, Finding
from models.detectors.measures import KINDS
from models.detectors.situation import Situation

each_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.code)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FORBIDDEN = re.compile(r"\bbecause\b|\bcaus(e|es|ed|ing)\b|\bSHAP\b|导致|造成", re.IGNORECASE)


def look_at(panel: Panel) -> Situation:
    return Situation(panel, delays={code: panel.indicator(code).publication_lag for code in panel.codes})


@pytest.fixture(scope="module")
def bank() -> Situation:
    return situation()


@pytest.fixture(scope="module")
def found(bank: Situation) -> dict[str, Finding]:
    return dict(findings(bank))


def silent(finding: Finding | None) -> bool:
    return finding is None or (not finding.met.any() and not np.isfinite(finding.joint).any())


def test_codes_are_unique_and_in_order():
    codes = [detector.code for detector in DETECTORS]
    assert codes == sorted(set(codes), key=lambda code: (code.startswith("G"), code))
    assert all(re.fullmatch(r"[WG]\d\d", code) for code in codes)
    assert sum(len(family.DETECTORS) for family in FAMILIES) == len(codes)


@each_detector
def test_texts_are_there_in_both_languages(detector: Detector):
    for title in (detector.title, detector.reason, detector.innocent):
        assert not CHINESE.search(title.en)
        assert CHINESE.search(title.zh)
        assert not re.search(r"[\u4e00-\u9fff][,;:.]", title.zh), "Chinese text takes full-width signs"
        assert not FORBIDDEN.search(title.en + title.zh)
    for sentence in (detector.reason, detector.innocent):
        assert sentence.en.endswith(".")
        assert sentence.zh.endswith("。")


@each_detector
def test_harm_comes_no_sooner_than_the_signal(detector: Detector):
    soonest, latest = detector.lag
    assert 0 <= soonest <= latest <= 36


@each_detector
def test_applies_to_a_bank_with_every_role(detector: Detector, found: dict[str, Finding]):
    assert detector.code in found


@each_detector
def test_findings_are_well_formed(detector: Detector, bank: Situation, found: dict[str, Finding]):
    finding = found[detector.code]
    legs = [finding.risk] if finding.performance is None else [finding.performance, finding.risk]
    for p in legs:
        assert p.shape == bank.shape
        assert p.dtype == np.float32
        known = p[np.isfinite(p)]
        assert len(known)
        assert known.min() >= 0
        assert known.max() <= 1
        assert not np.isinf(p).any()
    assert finding.met.shape == bank.shape
    assert finding.met.dtype == bool
    assert not (finding.met & ~np.isfinite(finding.joint)).any()
    assert finding.evidence
    for measure in finding.evidence:
        assert measure.kind in KINDS
        assert measure.code in bank.panel
        assert bank.values(measure).shape == bank.shape


@each_detector
def test_parents_have_no_findings(detector: Detector, bank: Situation, found: dict[str, Finding]):
    finding = found[detector.code]
    parents = bank.panel.tree.ever_parent
    assert not finding.met[:, parents].any()
    assert not np.isfinite(finding.joint[:, parents]).any()


@each_detector
def test_small_p_values_are_rare_where_nothing_is_wrong(detector: Detector, found: dict[str, Finding]):
    joint = found[detector.code].joint
    known = joint[np.isfinite(joint)]
    assert (known < 0.05).mean() <= 0.06
    assert (known < 0.001).mean() <= 0.004


@each_detector
def test_silent_without_the_roles_it_needs(detector: Detector, bank: Situation):
    for roles in detector.needs:
        kept = [code for code in bank.panel.codes if bank.panel.indicator(code).role not in roles]
        without = look_at(bank.panel.only(kept))
        assert not detector.applies(without)
        assert detector.find(without) is None


@each_detector
def test_silent_with_fewer_than_five_peers(detector: Detector):
    assert silent(detector.find(look_at(watched_bank(leaves=4))))


@each_detector
def test_silent_before_twelve_months_are_known(detector: Detector):
    assert silent(detector.find(look_at(watched_bank(periods=11))))


@each_detector
@pytest.mark.parametrize("last", [20, 33])
def test_nothing_of_the_future_is_seen(detector: Detector, bank: Situation, found: dict[str, Finding], last: int):
    cut = bank.panel.up_to(bank.panel.first + last)
    whole, then = found[detector.code], detector.find(look_at(cut))
    rows = slice(0, last + 1)
    if then is None:
        assert not np.isfinite(whole.joint[rows]).any()
        return
    np.testing.assert_array_equal(then.met, whole.met[rows])
    np.testing.assert_allclose(then.risk, whole.risk[rows], rtol=1e-5, atol=1e-7)
    if whole.performance is not None:
        assert then.performance is not None
        np.testing.assert_allclose(then.performance, whole.performance[rows], rtol=1e-5, atol=1e-7)


@each_detector
@pytest.mark.parametrize(("frequency", "periods"), [("Q", 24), ("A", 8), ("A", 4)])
def test_works_on_coarser_data(detector: Detector, frequency, periods: int):
    panel = watched_bank(frequency=frequency, periods=periods)
    finding = detector.find(look_at(panel))
    if panel.calendar.per_year < detector.least_per_year:
        assert finding is None
    elif finding is not None:
        assert finding.risk.shape == (periods, len(panel.tree))


@each_detector
def test_gaps_are_survived(detector: Detector, bank: Situation):
    rng = np.random.default_rng(1)
    holes = {code: np.where(rng.random(x.shape) < 0.1, np.nan, x) for code, x in bank.panel.values.items()}
    late = {code: np.where(np.arange(len(x))[:, None] < 10, np.nan, x) for code, x in holes.items()}
    finding = detector.find(look_at(replace(bank.panel, values=late)))
    assert finding is None or not (finding.met & ~np.isfinite(finding.joint)).any()


def test_only_detectors_with_evidence_apply(bank: Situation):
    assert detectors_for(bank) == DETECTORS
    bare = look_at(bank.panel.only(["LOANS", "OVERDUE", "R04"]))
    assert {detector.code for detector in detectors_for(bare)} >= {"W01"}
    assert "W05" not in findings(bare)
