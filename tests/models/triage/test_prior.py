from datetime import date
from pathlib import Path

import numpy as np
import pytest
from feature_panels import indicator, make_panel, make_tree
from scipy.stats import rankdata

from features.dataset import open_dataset
from features.indicators import IndicatorSet
from features.panel import Panel
from features.periods import Calendar, Frequency
from features.store import Store
from models.detectors.detector import Finding
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.triage.prior import PARTS, prior_parts, prior_score

UNIT = 6
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
RISK = {"kind": "ratio", "unit": "%", "perspective": "risk"}
INDICATORS = {
    "LOANS": indicator("LOANS", role="loans"),
    "LATE": indicator("LATE", **RISK, direction="lower", denominator="LOANS"),
    "CAPITAL_RATIO": indicator("CAPITAL_RATIO", **RISK, direction="higher"),
    "CREDIT_DEPOSITS": indicator("CREDIT_DEPOSITS", **RISK, direction="lower"),
    "HPI": indicator("HPI", perspective="context", unit="index"),
}


def quiet(periods: int = 6, *, leaves: int = 40) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    units = len(make_tree(Calendar("A"), leaves))
    steps = {code: np.cumsum(rng.normal(0, 0.03, (periods, units)), axis=0) for code in INDICATORS}
    return {code: np.exp(4 + x) if code in ("LOANS", "HPI") else 5 + 3 * x for code, x in steps.items()}


def look_at(values: dict[str, np.ndarray], *, leaves: int = 40, **about: object) -> Situation:
    calendar = Calendar("A")
    tree = make_tree(calendar, leaves)
    for array in values.values():
        array[:, tree.ever_parent] = np.nan
    indicators = IndicatorSet(INDICATORS[code] for code in values)
    panel = Panel(calendar, tree, indicators, calendar.parse("2001"), values, date(2040, 1, 1))
    return Situation(panel, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "code", "factor"),
    [
        ("growth", "LOANS", 1.5),
        ("prices", "HPI", 1.5),
        ("worsening", "LATE", 1.2),
        ("thin_capital", "CAPITAL_RATIO", 0.8),
        ("leverage", "CREDIT_DEPOSITS", 1.2),
    ],
)
def test_what_is_concerning_raises_its_part_and_the_score(part: str, code: str, factor: float):
    values = quiet()
    before = look_at({code: array.copy() for code, array in values.items()})
    values[code][-1, UNIT] *= factor
    after = look_at(values)
    assert prior_parts(after)[part][-1, UNIT] > prior_parts(before)[part][-1, UNIT] + 0.5
    assert prior_score(after)[-1, UNIT] > prior_score(before)[-1, UNIT]


def test_growth_counts_most():
    own = {name: part.weight for name, part in PARTS.items()}
    assert own["growth"] == max(own.values())


def test_growth_of_three_years_says_more_than_the_same_growth_of_one():
    slow, fast = quiet(), quiet()
    slow["LOANS"][-3:, UNIT] *= 1.4 ** np.array([1 / 3, 2 / 3, 1])
    fast["LOANS"][-4:, UNIT] *= 1.4 ** np.array([1, 1, 1, 1])  # all of it four years ago
    assert prior_score(look_at(slow))[-1, UNIT] > prior_score(look_at(fast))[-1, UNIT]


@pytest.mark.parametrize("periods", [2, 3, 4])
def test_growth_over_as_many_years_as_there_are(periods: int):
    values = {"LOANS": quiet(periods)["LOANS"]}
    values["LOANS"][-1, UNIT] *= 1.5
    score = prior_score(look_at(values))
    assert np.nanargmax(score[-1]) == UNIT
    assert np.isnan(score[0]).all()


def test_scores_lie_between_0_and_1_and_are_even_about_the_middle():
    score = prior_score(look_at(quiet(leaves=200), leaves=200))
    known = score[np.isfinite(score)]
    assert known.min() >= 0
    assert known.max() <= 1
    assert np.median(known) == pytest.approx(0.5, abs=0.05)


def test_parents_have_no_score():
    at = look_at(quiet())
    assert np.isnan(prior_score(at)[:, at.panel.tree.ever_parent]).all()


def test_a_unit_of_which_little_is_known_stays_nearer_the_middle():
    values = quiet()
    values["CAPITAL_RATIO"][:, UNIT] *= 0.5
    alone = {code: array.copy() for code, array in values.items()}
    for code in ("LOANS", "LATE", "CREDIT_DEPOSITS", "HPI"):
        alone[code][:, UNIT] = np.nan
    only_capital = {"CAPITAL_RATIO": values["CAPITAL_RATIO"].copy()}
    whole, shrunk = prior_score(look_at(only_capital)), prior_score(look_at(alone))
    assert 0.5 < shrunk[-1, UNIT] < whole[-1, UNIT]


def test_without_growth_the_rest_moves_the_score_little():
    values = quiet()
    values["LATE"][-1, UNIT] *= 2
    without = prior_score(look_at({"LATE": values["LATE"].copy()}))
    assert 0.5 < without[-1, UNIT] < 0.98
    assert prior_parts(look_at({"LATE": values["LATE"]}))["worsening"][-1, UNIT] == 3.0


def test_a_boom_of_a_whole_region_is_not_hidden_by_its_peers():
    values = quiet()
    at = look_at(values)
    region = np.flatnonzero(~at.panel.tree.ever_parent & (at.panel.tree.parents(at.panel.first) == 1))
    values["LOANS"][-3:, region] *= 1.3 ** np.array([1, 2, 3])[:, None]
    score, parts = prior_score(look_at(values))[-1], prior_parts(look_at(values))
    others = np.setdiff1d(np.flatnonzero(~at.panel.tree.ever_parent), region)
    assert np.median(score[region]) > np.median(score[others]) + 0.2
    assert np.median(parts["growth_around"][-1, region]) > np.median(parts["growth_around"][-1, others])


def test_growth_by_merger_is_not_a_boom():
    values = quiet()
    values["LOANS"][3:, UNIT] *= 2
    merger = np.zeros(values["LOANS"].shape, dtype=bool)
    merger[3, UNIT] = True
    assert prior_parts(look_at(values))["growth"][-1, UNIT] > 2
    marked = prior_parts(look_at(values, disturbed={"merger": merger}))
    assert marked["growth"][-1, UNIT] < 2
    assert np.isnan(marked["recent_growth"][3, UNIT])


def test_patterns_add_to_the_concern_and_their_absence_is_no_comfort():
    at = look_at(quiet())
    risk = np.full(at.shape, 0.9, np.float32)
    risk[-1, UNIT] = 1e-5
    found = Finding(None, risk, risk < 0.01, (Measure("growth", "LOANS", 12),))
    before, after = prior_score(at), prior_score(at, {"G02": found})
    assert after[-1, UNIT] > before[-1, UNIT]
    others = np.isfinite(before) & (risk > 0.5)
    assert (np.sign(after[others] - 0.5) == np.sign(before[others] - 0.5)).all()


@pytest.mark.parametrize(("frequency", "periods"), [("M", 60), ("Q", 24), ("A", 8)])
def test_nothing_of_the_future_is_seen(frequency: Frequency, periods: int):
    panel = make_panel(frequency, periods=periods, leaves=30, seed=1)
    whole = prior_score(Situation(panel))
    assert np.isfinite(whole).any()
    for last in (periods // 2, periods - 2):
        then = prior_score(Situation(panel.up_to(panel.first + last)))
        np.testing.assert_allclose(then, whole[: last + 1], rtol=1e-9)


def test_unknown_where_nothing_tells_anything():
    values = {"CREDIT_DEPOSITS": np.full((4, 43), 80.0)}
    assert np.isnan(prior_score(look_at(values))).all()


def area(score: np.ndarray, harmed: np.ndarray) -> float:
    rank = rankdata(score)
    hits = harmed.sum()
    return float((rank[harmed].sum() - hits * (hits + 1) / 2) / (hits * (~harmed).sum()))


def test_on_us_states_it_tells_later_card_delinquency_better_than_growth_alone(tmp_path: Path):
    if not SHARED.exists():
        pytest.skip("the shared data sets are not beside the project")
    from datetime import UTC, datetime

    store = Store(str(tmp_path))
    store.ingest(open_dataset(SHARED / "us-state-lending"), now=datetime(2024, 1, 1, tzinfo=UTC))
    panel = store.snapshot().panel().only(["CARD_BALANCE", "CARD_DPD90", "UNEMP", "HPI", "CONSUMERS"])
    leaves = ~panel.tree.ever_parent
    late = panel.array("CARD_DPD90")
    areas = []
    for year in (2006, 2007, 2008):
        row = year - 2003
        rise = (late[row + 3] - late[row])[leaves]
        at = Situation(panel.up_to(panel.first + row))
        growth = at.values(Measure("growth", "CARD_BALANCE", 36))[-1, leaves]
        harmed = rise >= np.quantile(rise, 0.8)
        areas.append((area(prior_score(at)[-1, leaves], harmed), area(growth, harmed)))
    prior, growth = np.mean(areas, axis=0)
    assert prior > 0.85
    assert prior > growth + 0.03
