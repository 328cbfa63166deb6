"""All detectors together: legs joined, both needed, and p-values that mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detectors.detector import Finding
from models.detectors.tails import upper_tail
from models.triage.evidence import LEAST, ONE_LEG, UTMOST, Leg, as_z, soft_best, weigh_evidence

SHAPE = (60, 300)


def _finding(performance: np.ndarray | None, risk: np.ndarray) -> Finding:
    return Finding(performance, risk, np.zeros(risk.shape, dtype=bool), ())


def _chance(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def _bank(change=lambda performance, risk: None, shape: tuple[int, int] = SHAPE) -> dict[str, Finding]:
    """Give three detectors of figures in which nothing is wrong, after a change."""
    performance, risk = _chance(1, shape), _chance(2, shape)
    change(performance, risk)
    return {
        "W01": _finding(performance, risk),
        "W03": _finding(None, _chance(3, shape)),
        "W05": _finding(None, _chance(4, shape)),
    }


def _weigh(findings, shape: tuple[int, int] = SHAPE, **more):
    return weigh_evidence(findings, candidates=np.ones(shape, dtype=bool), per_year=12, **more)


@given(st.floats(LEAST, UTMOST))
def test_a_p_value_gives_back_the_z_it_came_from(z: float):
    assert as_z(upper_tail(np.array(z))) == pytest.approx(z, abs=1e-7)


def test_one_figure_out_of_all_proportion_counts_for_no_more_than_the_utmost():
    assert as_z(np.array([0.0, 1e-30, 1.0])).tolist() == pytest.approx([UTMOST, UTMOST, LEAST])


def test_nothing_wrong_gives_honest_p_values():
    p = _weigh(_bank(), performance=_chance(5)).p_value[12:]

    assert (p < 0.1).mean() == pytest.approx(0.1, abs=0.03)
    assert (p < 0.01).mean() <= 0.022  # the legs are capped, and not normal
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.05)


def test_both_legs_together_stand_out_and_one_alone_does_not():
    def planted(performance, risk):
        performance[40:, [0, 1]] = 1e-4
        risk[40:, [0, 2]] = 1e-4

    found = _weigh(_bank(planted))

    both, growth, loss = np.nanmedian(found.z[40:, :3], axis=0)
    assert both > 4.0
    assert both > growth + 1.0
    assert both > loss + 1.0
    assert (found.z <= ONE_LEG + np.minimum(found.performance, found.risk) + 1e-9)[np.isfinite(found.z)].all()


def test_more_signs_weigh_more():
    def with_signs(count: int) -> float:
        findings = _bank(lambda performance, risk: performance.__setitem__((slice(40, None), 0), 1e-3))
        for finding in list(findings.values())[:count]:
            finding.risk[40:, 0] = 0.02
        return float(np.nanmedian(_weigh(findings).z[40:, 0]))

    assert with_signs(1) < with_signs(2) < with_signs(3)


def test_later_rows_do_not_change_earlier_ones():
    def cut(finding: Finding) -> Finding:
        return _finding(None if finding.performance is None else finding.performance[:35], finding.risk[:35])

    late = _bank()
    late["W09"] = _finding(None, np.where(np.arange(60)[:, None] >= 40, _chance(9), np.nan))  # speaks only later

    whole = _weigh(late).z[:35]
    early = _weigh({code: cut(finding) for code, finding in late.items()}, (35, 300)).z

    np.testing.assert_array_equal(whole, early)


def test_generic_patterns_add_little_to_named_ones_and_stand_in_for_them():
    sure = np.full(SHAPE, 0.5)
    sure[:, 0] = 1e-4
    families = {"W01": "growth", "W03": "recognition", "W05": "evergreening", "G01": "generic"}
    findings = _bank() | {"G01": _finding(sure, sure)}

    beside = _weigh(findings, families=families)
    instead = _weigh({"G01": findings["G01"], "G02": _finding(_chance(7), _chance(8))}, families={"G01": "generic"})

    plain = _weigh(findings)
    assert np.nanmean(beside.z[12:, 0]) < np.nanmean(plain.z[12:, 0])
    assert np.nanmean(instead.z[12:, 0]) > 3.0


def test_detectors_that_earned_no_trust_have_no_say():
    def planted(performance, risk):
        performance[40:, 0] = risk[40:, 0] = 1e-4

    trusted, not_trusted = _weigh(_bank(planted)), _weigh(_bank(planted), trust={"W01": 0.0})

    assert np.nanmedian(trusted.z[40:, 0]) > 4.0
    assert not np.isfinite(not_trusted.performance).any()
    assert np.nanmedian(not_trusted.risk[40:, 0]) < 2.0


def test_a_pattern_nobody_wrote_down_is_one_more_sign_of_risk():
    novelty = _chance(6)
    novelty[40:, 0] = 1e-4

    with_it, without = _weigh(_bank(), novelty=novelty), _weigh(_bank())

    assert np.nanmedian(with_it.risk[40:, 0]) > np.nanmedian(without.risk[40:, 0]) + 1.0


def test_where_performance_is_not_measured_risk_stands_alone():
    findings = {"W03": _finding(None, _chance(3)), "W05": _finding(None, _chance(4))}

    found = _weigh(findings)

    assert not np.isfinite(found.performance).any()
    np.testing.assert_array_equal(found.z, found.risk)


def test_without_findings_nothing_is_said():
    found = _weigh({})

    assert not np.isfinite(found.z).any()
    assert not np.isfinite(found.p_value).any()


def test_a_unit_of_which_nothing_is_known_gets_no_evidence():
    findings = _bank(lambda performance, risk: None)
    for finding in findings.values():
        finding.risk[:, 5] = np.nan

    z = _weigh(findings).z

    assert np.isnan(z[:, 5]).all()
    assert np.isfinite(z[12:, 6]).all()


def test_the_join_lies_between_the_mean_and_the_best():
    p = np.array([[0.5, 0.01, np.nan]]), np.array([[0.5, 0.5, np.nan]])

    joined = soft_best([Leg(p[0]), Leg(p[1])], (1, 3))[0]

    assert joined[0] == pytest.approx(0.0)
    assert as_z(np.array(0.01)) / 2 < joined[1] < as_z(np.array(0.01))
    assert np.isnan(joined[2])
