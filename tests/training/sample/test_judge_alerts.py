"""Alerts on the sample bank against its truth: most episodes caught early, and a calm bank left in peace."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from sample_panels import sample_panel

from features.disturbances import disturbances
from features.panel import Panel
from models.detectors.catalogue import DETECTORS
from models.detectors.catalogue import findings as find_all
from models.detectors.detector import Family
from models.detectors.high_performance import high_performance
from models.detectors.situation import Situation
from models.novelty import novelty
from models.triage.discovery import FALSE_DISCOVERY_LEVEL, REVIEW_BUDGET
from models.triage.episodes import Episodes, gather_episodes
from models.triage.evidence import weigh_evidence
from models.triage.prior import prior_score
from models.triage.ranking import Ranking, rank
from training.sample.bank import SampleBank, generate
from training.sample.judge_alerts import judge_alerts, precision_at_capacity, row_of
from training.sample.units import MONTHS, PERIODS

FAMILIES: dict[str, Family] = {detector.code: detector.family for detector in DETECTORS}
SEEDS = (20240101, 4)
WINDOW = 6
"""Rows back in which high performance counts."""


BEST_OUTLIER_SCORE = 0.19
"""What an isolation forest of the same figures' peer z, refitted every year, reached over four such banks."""


class Watched(NamedTuple):
    bank: SampleBank
    panel: Panel
    ranking: Ranking
    episodes: Episodes


def _watch(bank: SampleBank, panel: Panel) -> Watched:
    delays = {code: panel.indicator(code).publication_lag for code in panel.codes}
    situation = Situation(panel, delays=delays, disturbed=disturbances(panel, delays=delays))
    findings = find_all(situation)
    unseen = novelty(situation)
    candidates = np.array([panel.tree.leaves(int(ordinal)) for ordinal in panel.ordinals])
    evidence = weigh_evidence(
        findings,
        candidates=candidates,
        per_year=12,
        families=FAMILIES,
        performance=high_performance(situation).best_p(WINDOW),
        novelty=None if unseen is None else unseen.p,
    )
    ranking = rank(evidence, candidates=candidates, per_year=12, prior=prior_score(situation, findings))
    return Watched(bank, panel, ranking, gather_episodes(ranking.listed, ranking.score, per_year=12))


def _sample(seed: int, *, calm: bool = False) -> Watched:
    bank = generate(seed=seed, calm=calm)
    return _watch(bank, sample_panel(bank))


@pytest.fixture(scope="module", params=SEEDS)
def planted(request) -> Watched:
    return _sample(request.param)


@pytest.fixture(scope="module", params=SEEDS)
def calm(request) -> Watched:
    return _sample(request.param, calm=True)


def _frame(on: np.ndarray, panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(on, index=panel.periods, columns=panel.units)


def test_most_episodes_are_caught_half_a_year_ahead(planted):
    verdict = judge_alerts(planted.bank, _frame(planted.episodes.listed, planted.panel))

    assert verdict.recall >= 0.8
    assert verdict.lead_time >= 6
    assert verdict.share_of_a_month <= REVIEW_BUDGET


def test_so_they_are_where_the_budget_is_used_up(planted):
    score = planted.ranking.score
    top = np.zeros(score.shape, dtype=bool)
    for row in range(12, MONTHS):
        known = np.flatnonzero(np.isfinite(score[row]))
        top[row, known[np.argsort(-score[row, known], kind="stable")[: int(REVIEW_BUDGET * len(known))]]] = True

    verdict = judge_alerts(planted.bank, _frame(top, planted.panel))

    assert verdict.recall >= 0.8
    assert verdict.lead_time >= 6


def test_the_highest_scores_are_ahead_of_harm_more_often_than_outliers_are(planted):
    verdict = judge_alerts(planted.bank, _frame(planted.episodes.listed, planted.panel))
    columns = planted.panel.tree.codes.get_indexer(pd.Index(planted.bank.layout.codes))
    score = planted.ranking.score[:, columns].copy()
    score[:24] = np.nan

    assert precision_at_capacity(score, verdict.ahead) >= 1.5 * BEST_OUTLIER_SCORE


def test_a_calm_bank_is_left_in_peace(calm):
    verdict = judge_alerts(calm.bank, _frame(calm.episodes.listed, calm.panel))

    assert verdict.share_ever <= FALSE_DISCOVERY_LEVEL
    assert verdict.share_of_a_year <= FALSE_DISCOVERY_LEVEL / 2
    assert verdict.share_of_a_month <= REVIEW_BUDGET


def test_alerts_of_a_past_month_are_the_same_with_later_data_removed(planted):
    length = 60
    panel = planted.panel.up_to(planted.panel.first + length - 1)

    cut = _watch(planted.bank, panel)

    np.testing.assert_allclose(planted.ranking.score[:length], cut.ranking.score, rtol=1e-9)
    np.testing.assert_array_equal(planted.ranking.listed[:length], cut.ranking.listed)
    np.testing.assert_array_equal(planted.episodes.number[:length], cut.episodes.number)


@pytest.fixture(scope="module")
def small() -> SampleBank:
    return generate(seed=3, branches=120)


def _blank(bank: SampleBank) -> pd.DataFrame:
    return pd.DataFrame(False, index=PERIODS, columns=bank.layout.codes)


def test_a_listing_counts_from_the_surge_to_the_harm(small):
    episode = small.episodes.iloc[0]
    listed = _blank(small)
    start, harm = row_of(episode["start"]), row_of(episode["harm_from"])
    listed.loc[[PERIODS[row] for row in (start - 1, harm - 4, harm + 1)], episode["unit"]] = True

    verdict = judge_alerts(small, listed)

    caught = verdict.caught.set_index("unit").loc[episode["unit"]]
    assert (caught["first"], caught["lead"]) == (PERIODS[harm - 4], 4)
    assert verdict.recall == pytest.approx(1 / len(small.episodes))
    assert verdict.lead_time == 4
    assert verdict.precision == pytest.approx(2 / 3)
    assert verdict.share_ever == pytest.approx(1 / 120)
    assert verdict.ahead[start:harm].any(axis=1).all()
    assert (verdict.guilty >= verdict.ahead).all()


def test_too_late_or_too_early_is_not_caught(small):
    episode = small.episodes.iloc[0]
    listed = _blank(small)
    rows = [row_of(episode["start"]) - 1, row_of(episode["harm_from"])]
    listed.loc[[PERIODS[row] for row in rows], episode["unit"]] = True

    assert judge_alerts(small, listed).recall == 0.0


def test_shares_are_of_the_branches_alive(small):
    listed = _blank(small)
    listed.iloc[5, :12] = True
    listed.iloc[9, 12:24] = True

    verdict = judge_alerts(small, listed)

    assert verdict.share_of_a_month == pytest.approx(12 / small.layout.alive[5].sum())
    assert verdict.share_of_a_year == pytest.approx(24 / small.layout.alive[:12].any(axis=0).sum())


def test_a_calm_bank_has_nothing_to_catch():
    bank = generate(seed=3, branches=120, calm=True)

    verdict = judge_alerts(bank, _blank(bank))

    assert np.isnan(verdict.recall)
    assert np.isnan(verdict.precision)
    assert verdict.share_ever == 0.0


def test_precision_at_capacity_takes_as_many_as_are_guilty():
    guilty = np.array([[1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]], dtype=bool)
    score = np.array([[0.9, 0.1, 0.8, 0.2], [0.1, 0.2, 0.3, 0.4], [np.nan] * 4])

    assert precision_at_capacity(score, guilty) == pytest.approx(2 / 3)
    assert np.isnan(precision_at_capacity(score, np.zeros((3, 4), dtype=bool)))
