"""One list: what ranks, what is listed, and that it knows nothing of later."""

import numpy as np
import pytest

from models.triage.evidence import Evidence
from models.triage.ranking import rank

SHAPE = (36, 200)


def _evidence(seed: int = 1, shape: tuple[int, int] = SHAPE) -> Evidence:
    z = np.random.default_rng(seed).standard_normal(shape)
    return Evidence(z, z, z.copy())


def _rank(evidence: Evidence, *, per_year: int = 12, **more):
    return rank(evidence, candidates=np.ones(evidence.z.shape, dtype=bool), per_year=per_year, **more)


def test_every_candidate_has_a_score_and_nobody_else():
    evidence = _evidence()
    evidence.z[:, 3] = np.nan
    evidence.z[0] = np.nan
    candidates = np.ones(SHAPE, dtype=bool)
    candidates[:, 7] = False

    found = rank(evidence, candidates=candidates, per_year=12)

    assert np.isfinite(found.score[candidates]).all()
    assert np.isnan(found.score[:, 7]).all()
    assert ((found.score[candidates] >= 0) & (found.score[candidates] <= 1)).all()
    assert (found.score[:, 3] == 0.5).all()
    assert not found.listed[:, [3, 7]].any()


def test_scores_follow_the_evidence():
    evidence = _evidence()
    evidence.z[20, :3] = 4.0, 5.0, 6.0

    found = _rank(evidence)

    assert np.argsort(-found.score[20])[:3].tolist() == [2, 1, 0]
    assert found.listed[20, :3].all()
    assert found.listed[20].sum() <= 4


def test_the_list_is_cut_to_the_budget():
    evidence = _evidence()
    evidence.z[20, :50] += 8.0

    assert _rank(evidence).listed[20].sum() == 10
    assert _rank(evidence, budget=0.1).listed[20].sum() == 20


def test_chance_lists_next_to_nobody():
    assert _rank(_evidence()).listed.mean() < 0.001


def test_growth_over_years_leads_on_annual_figures_and_evidence_on_monthly_ones():
    evidence, prior = _evidence(2), np.random.default_rng(3).random(SHAPE)

    annual, monthly = (_rank(evidence, per_year=n, prior=prior).score[-1] for n in (1, 12))

    assert np.corrcoef(annual, prior[-1])[0, 1] > 0.9
    assert np.corrcoef(monthly, evidence.z[-1])[0, 1] > 0.9


def test_a_model_of_derived_outcomes_has_a_say_and_one_of_given_outcomes_decides():
    evidence, chance = _evidence(4), np.random.default_rng(5).beta(1, 9, SHAPE)

    derived = _rank(evidence, probability=chance, labels="derived")
    told = _rank(evidence, probability=chance, labels="given")

    plain = _rank(evidence)
    assert 0.05 < np.corrcoef(derived.score[-1], chance[-1])[0, 1] < 0.6
    np.testing.assert_array_equal(told.score, chance)
    np.testing.assert_array_equal(derived.listed, plain.listed)
    top = np.argsort(-chance[-1])[:3]
    assert told.listed[-1, top].all()
    assert told.q_value[-1, top[0]] == pytest.approx(1 - chance[-1, top[0]])


def test_quiet_times_list_fewer_than_the_budget():
    chance = np.full(SHAPE, 0.02) + np.random.default_rng(6).random(SHAPE) * 0.01
    chance[6:15, :30] = 0.6

    listed = _rank(_evidence(), probability=chance, labels="given").listed

    assert listed[10].sum() == 10
    assert listed[20:30].sum() < 10  # of a hundred places


def test_a_unit_without_a_probability_is_placed_by_the_evidence():
    evidence, chance = _evidence(8), np.random.default_rng(9).random(SHAPE)
    chance[-1, :2] = np.nan
    evidence.z[-1, :2] = -3.0, 3.0

    score = _rank(evidence, probability=chance, labels="given").score[-1]

    assert score[0] < 0.1
    assert score[1] > 0.9


def test_a_model_that_shows_no_skill_changes_nothing():
    evidence, none = _evidence(), np.full(SHAPE, np.nan)

    for labels in ("given", "derived"):
        found = _rank(evidence, probability=none, labels=labels)
        np.testing.assert_array_equal(found.score, _rank(evidence).score)
        np.testing.assert_array_equal(found.listed, _rank(evidence).listed)


@pytest.mark.parametrize("labels", ["given", "derived", "none"])
def test_later_rows_do_not_change_earlier_ones(labels):
    evidence = _evidence(10)
    evidence.z[5:30:4, :20] += 4.0
    prior, chance = np.random.default_rng(11).random((2, *SHAPE))

    whole = _rank(evidence, prior=prior, probability=chance, labels=labels)
    short = Evidence(*(array[:22] for array in (evidence.performance, evidence.risk, evidence.z)))
    cut = _rank(short, prior=prior[:22], probability=chance[:22], labels=labels)

    for name in ("score", "p_value", "q_value", "listed"):
        np.testing.assert_array_equal(getattr(whole, name)[:22], getattr(cut, name))
    assert whole.listed.any()


def test_nothing_known_at_all_still_gives_scores_and_an_empty_list():
    blank = Evidence(*(np.full((5, 17), np.nan) for _ in range(3)))

    found = _rank(blank, per_year=1)

    assert (found.score == 0.5).all()
    assert not found.listed.any()
