"""The sample bank: its form, its books, what is planted in it, and whether its truth is true."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from features.calendar import new_year
from features.dataset import open_dataset
from features.errors import LoadlineError
from features.indicators import library
from training.sample import bank as sample
from training.sample.dynamics import DRIVERS
from training.sample.truth import QUANTILES
from training.sample.units import (
    MERGER_MONTH,
    MIN_BRANCHES,
    MONTHS,
    OPENING_MONTH,
    PERIODS,
    REGIONS,
    ROOT,
    SPLIT_MONTH,
    YEARS,
)

SMALLEST_P = 0.01 / len(DRIVERS)
"""Below this a test of uniformity fails: 1% for a family of tests, one an indicator (Bonferroni)."""
SCORES = stats.norm.ppf(QUANTILES)


@pytest.fixture(scope="module")
def bank() -> sample.SampleBank:
    return sample.generate()


@pytest.fixture(scope="module")
def calm() -> sample.SampleBank:
    return sample.generate(calm=True)


@pytest.fixture(scope="module")
def folders(bank: sample.SampleBank, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("sample")
    return bank.write(place / "dataset"), bank.write_truth(place / "truth")


@pytest.fixture(scope="module")
def latest(bank: sample.SampleBank) -> dict[str, pd.DataFrame]:
    """Each indicator's figures as last restated, periods x units, as a reader of the observations would build them."""
    frame = bank.observations.sort_values("known_on", na_position="first").drop_duplicates(
        ["unit", "period", "indicator"], keep="last"
    )
    return {
        str(code): part.pivot(index="period", columns="unit", values="value").reindex(index=PERIODS)
        for code, part in frame.astype({"unit": str, "period": str}).groupby("indicator", observed=True)
    }


def _normal_scores(table: pd.DataFrame) -> np.ndarray:
    """Read realised outcomes off their true quantiles as normal scores, extending the tails in logs."""
    quantiles = np.log(table.filter(regex=r"^q0\.").to_numpy())
    outcome = np.log(table["realised"].to_numpy())
    below = np.clip((quantiles < outcome[:, None]).sum(axis=1) - 1, 0, len(SCORES) - 2)
    row = np.arange(len(outcome))
    low, high = quantiles[row, below], quantiles[row, below + 1]
    return SCORES[below] + (outcome - low) / (high - low) * (SCORES[below + 1] - SCORES[below])


def _position(bank: sample.SampleBank, unit: str) -> int:
    return int(np.flatnonzero(bank.layout.codes == unit)[0])


def _harm_ranks(bank: sample.SampleBank, episodes: pd.DataFrame) -> np.ndarray:
    """Rank each episode branch's NPL formation in its harm window among its peers: 0 the best, 1 the worst."""
    matured = episodes[episodes["harm_to"] <= PERIODS[-1]]
    ranks = []
    for entry in matured.itertuples():
        unit = _position(bank, str(entry.unit))
        first, last = PERIODS.index(str(entry.harm_from)), PERIODS.index(str(entry.harm_to))
        formed = bank.ledger.values["R02"][first : last + 1].sum(axis=0)
        alive = bank.layout.alive[[first, last]].all(axis=0)
        peers = (bank.layout.peer == bank.layout.peer[unit]) & alive
        ranks.append(float(np.mean(formed[peers] < formed[unit])))
    return np.array(ranks)


def test_the_folder_keeps_the_contract_without_a_remark(folders: tuple[Path, Path]) -> None:
    dataset = open_dataset(folders[0])
    assert dataset.notes == ()
    assert dataset.description.name == "sample-bank"
    assert set(dataset.indicators) == {*sample.INDICATORS, *sample.CONTEXT}
    assert dataset.indicators["LOANS"].is_target
    assert len(dataset.goals) == 6
    assert {path.name for path in folders[0].iterdir()} == {
        "dataset.yaml",
        "indicators.yaml",
        "units.csv",
        "observations.parquet",
        "goals.csv",
        "policy.yaml",
    }


def test_the_tree_has_a_head_office_31_regions_and_400_branches(bank: sample.SampleBank) -> None:
    units = bank.units
    assert units.loc[units["parent"] == "", "unit"].tolist() == [ROOT]
    regions = units[units["parent"] == ROOT]
    assert len(regions) == 31
    assert set(regions["region_type"]) == {"coastal", "central", "western"}
    branches = units[units["level"] == "branch"]
    assert branches["unit"].nunique() == sample.BRANCHES
    assert set(branches["parent"]) == set(REGIONS)
    assert set(branches["peer_group"]) == {"county", "city-2", "city-1"}
    assert (units[["name", "name_zh"]] != "").all(axis=None)


def test_every_key_is_there_once_and_every_figure_within_its_bounds(bank: sample.SampleBank) -> None:
    frame = bank.observations
    coded = frame.drop(columns="value").apply(lambda column: column.cat.codes)
    assert not coded.duplicated().any()
    assert list(frame["period"].cat.categories) == PERIODS
    assert frame["period"].nunique() == MONTHS == 96
    assert np.isfinite(frame["value"]).all()
    for code, values in frame.groupby("indicator", observed=True)["value"]:
        low, high = library()[str(code)].limits
        assert low <= values.min() <= values.max() <= high, code


def test_it_says_that_it_is_synthetic_wherever_it_is_read(folders: tuple[Path, Path]) -> None:
    described = yaml.safe_load((folders[0] / "dataset.yaml").read_text(encoding="utf-8"))
    for text in (described["title"]["en"], described["source"], described["licence"]):
        assert "synthetic" in text.lower()
    for text in (described["title"]["zh"], described["source"], described["licence"]):
        assert "合成数据" in text
    root = pd.read_csv(folders[0] / "units.csv").iloc[0]
    assert "synthetic" in root["name"]
    assert "合成数据" in root["name_zh"]
    assert "synthetic" in (folders[1] / "README.md").read_text(encoding="utf-8")


def test_the_truth_stays_out_of_the_dataset_folder(bank: sample.SampleBank, folders: tuple[Path, Path]) -> None:
    names = {path.name for path in folders[1].iterdir()}
    assert names == {"episodes.csv", "lookalikes.csv", "attainable.parquet", "README.md"}
    for inside in (folders[0], folders[0] / "truth"):
        with pytest.raises(LoadlineError, match="must not be written into a dataset folder"):
            bank.write_truth(inside)


def test_write_sample_writes_both_folders(tmp_path: Path) -> None:
    bank = sample.write_sample(tmp_path / "data", tmp_path / "truth", seed=3, calm=True)
    assert bank.calm
    assert (tmp_path / "data" / "observations.parquet").exists()
    assert pd.read_csv(tmp_path / "truth" / "episodes.csv").empty
    assert "seed 3, calm" in (tmp_path / "truth" / "README.md").read_text(encoding="utf-8")


def test_one_seed_one_bank(bank: sample.SampleBank) -> None:
    again, other = sample.generate(), sample.generate(seed=sample.SEED + 1)
    assert again.observations.equals(bank.observations)
    assert again.units.equals(bank.units)
    assert again.attainable.equals(bank.attainable)
    assert not np.array_equal(other.ledger.values["LOANS"], bank.ledger.values["LOANS"])


def test_too_few_branches_are_refused() -> None:
    with pytest.raises(LoadlineError, match="too small"):
        sample.generate(branches=MIN_BRANCHES - 1)


def test_a_calm_bank_differs_only_where_an_episode_was_planted(
    bank: sample.SampleBank, calm: sample.SampleBank
) -> None:
    assert calm.episodes.empty
    planted = bank.events.in_episode
    assert planted.sum() == len(bank.episodes) == 24
    for code in sample.INDICATORS:
        same = np.isclose(bank.ledger.values[code], calm.ledger.values[code]).all(axis=0)
        assert same[~planted].all(), code
    assert not np.isclose(bank.ledger.values["LOANS"], calm.ledger.values["LOANS"]).all(axis=0)[planted].any()
    pd.testing.assert_frame_equal(bank.lookalikes, calm.lookalikes)


def test_ratios_are_their_numerators_over_their_denominators(bank: sample.SampleBank) -> None:
    pairs = {code: library()[code] for code in sample.INDICATORS if library()[code].numerator is not None}
    assert len(pairs) == 11
    needed = {*pairs, *(i.numerator for i in pairs.values()), *(i.denominator for i in pairs.values())}
    frame = bank.observations[bank.observations["indicator"].isin(needed)]
    vintages = {
        "restated": frame.sort_values("known_on", na_position="first"),
        "first": frame.sort_values("known_on", na_position="last"),
    }
    for name, ordered in vintages.items():
        wide = ordered.drop_duplicates(["unit", "period", "indicator"], keep="last")
        wide = wide.set_index(["unit", "period", "indicator"])["value"].unstack()
        for code, indicator in pairs.items():
            exact = indicator.ratio_scale * wide[indicator.numerator] / wide[indicator.denominator]
            both = exact.notna() & wide[code].notna()
            assert both.sum() > 30_000
            np.testing.assert_allclose(
                wide.loc[both, code], exact[both], rtol=0, atol=0.51e-4, err_msg=f"{code} {name}"
            )


def test_the_loan_book_adds_up(bank: sample.SampleBank) -> None:
    lines = bank.ledger.values
    plain = bank.layout.plain
    change = np.diff(lines["LOANS"], axis=0)[:, plain]
    flows = (lines["P04"] - lines["COLLECTED_LOANS"] - lines["WRITE_OFFS"])[1:, plain]
    assert np.mean(np.abs(change - flows) < 0.015) > 0.995
    formed = np.diff(lines["NPL"], axis=0) + lines["WRITE_OFFS"][1:]
    np.testing.assert_allclose(
        lines["R02"][1:, plain], (100 * formed / lines["LOANS"][:-1])[:, plain], rtol=0, atol=0.51e-4
    )
    assert (lines["R02"] >= 0).all()
    deviation = 100 * (lines["DEPOSITS"] / lines["P01"] - 1)
    np.testing.assert_allclose(lines["R13"], deviation, rtol=0, atol=0.51e-4)
    for smaller, larger in (
        ("NPL", "LOANS"),
        ("DPD90", "OVERDUE"),
        ("DEMAND_DEPOSITS", "DEPOSITS"),
        ("COLLECTED_LOANS", "MATURED_LOANS"),
        ("LEAVERS", "STAFF"),
    ):
        assert (lines[smaller] <= lines[larger]).all(), smaller


def test_the_merged_branch_ends_and_its_successor_jumps(
    bank: sample.SampleBank, latest: dict[str, pd.DataFrame]
) -> None:
    layout = bank.layout
    ended, heir = str(layout.codes[layout.merged]), str(layout.codes[layout.acquirer])
    row = bank.units.set_index("unit").loc[ended]
    assert (row["valid_to"], row["successor"]) == ("2021-06-30", heir)
    loans = latest["LOANS"]
    assert loans[ended].iloc[:MERGER_MONTH].notna().all()
    assert loans[ended].iloc[MERGER_MONTH:].isna().all()
    before = loans.iloc[MERGER_MONTH - 1]
    assert loans[heir].iloc[MERGER_MONTH] == pytest.approx(before[ended] + before[heir], rel=0.06)
    assert latest["R02"][heir].iloc[MERGER_MONTH] < 1.0


def test_the_split_branch_passes_its_volume_to_both_successors(
    bank: sample.SampleBank, latest: dict[str, pd.DataFrame]
) -> None:
    layout = bank.layout
    whole, heirs = str(layout.codes[layout.split]), [str(layout.codes[heir]) for heir in layout.heirs]
    row = bank.units.set_index("unit").loc[whole]
    assert (row["valid_to"], row["successor"]) == ("2022-06-30", "|".join(heirs))
    deposits = latest["P01"]
    assert deposits[heirs].iloc[:SPLIT_MONTH].isna().all(axis=None)
    after = deposits[heirs].iloc[SPLIT_MONTH].sum()
    assert after == pytest.approx(deposits[whole].iloc[SPLIT_MONTH - 1], rel=0.15)


def test_a_branch_opens_one_moves_and_some_miss_months(
    bank: sample.SampleBank, latest: dict[str, pd.DataFrame]
) -> None:
    layout, loans = bank.layout, latest["LOANS"]
    new = loans[str(layout.codes[layout.new])]
    assert new.iloc[:OPENING_MONTH].isna().all()
    assert new.iloc[-1] > 4 * new.iloc[OPENING_MONTH]
    places = bank.units[bank.units["unit"] == layout.codes[layout.moved]]
    assert places["parent"].nunique() == 2
    assert places["valid_to"].iloc[0] < places["valid_from"].iloc[1]
    reported = loans.reindex(columns=layout.codes).notna().to_numpy()
    missing = layout.alive & ~reported
    assert 10 <= missing.any(axis=0).sum() <= 14
    np.testing.assert_array_equal(missing, layout.gaps & layout.alive)


def test_one_quarter_of_one_region_is_restated(bank: sample.SampleBank) -> None:
    frame = bank.observations
    late = frame[frame["known_on"].notna()]
    assert set(late["known_on"]) == {"2023-11-15"}
    assert set(late["period"]) == {"2023-04", "2023-05", "2023-06"}
    assert set(late["indicator"]) == {"P08", "REVENUE", "PROFIT", "P15"}
    assert {str(unit)[:5] for unit in late["unit"]} == {sample.RESTATED_REGION}
    key = ["unit", "period", "indicator"]
    pairs = late.merge(frame[frame["known_on"].isna()], on=key, suffixes=("", "_first"))
    assert len(pairs) == len(late) > 100
    fees = pairs[pairs["indicator"] == "P08"]
    assert (fees["value_first"] > fees["value"]).all()


def test_growth_bought_with_risk_shows(bank: sample.SampleBank, calm: sample.SampleBank) -> None:
    assert (_harm_ranks(bank, bank.episodes) > 0.8).mean() >= 0.9
    assert (_harm_ranks(calm, bank.episodes) > 0.8).mean() < 0.5
    for entry in bank.episodes.itertuples():
        unit, start = _position(bank, str(entry.unit)), PERIODS.index(str(entry.start))
        row = min(start + 9, MONTHS - 1)
        growth = bank.ledger.values["LOANS"][row] / bank.ledger.values["LOANS"][start - 1]
        assert np.mean(growth[bank.layout.alive[start - 1]] < growth[unit]) > 0.8
        assert entry.start < entry.signal_from < entry.harm_from < entry.harm_to
    signs = {"W01": "R04", "W03": "R03", "W05": "R12", "W11": "U04", "W14": "H01"}
    for pattern, code in signs.items():
        entries = bank.episodes[(bank.episodes["pattern"] == pattern) & (bank.episodes["harm_to"] <= PERIODS[-1])]
        changes = []
        for entry in entries.itertuples():
            signal, harm = PERIODS.index(str(entry.signal_from)), PERIODS.index(str(entry.harm_from))
            values = bank.ledger.values[code][:, _position(bank, str(entry.unit))]
            changes.append(values[signal + 2 : harm].mean() / values[signal - 12 : signal].mean())
        assert np.mean(changes) > 1.2, pattern


def test_lookalikes_grow_or_stumble_but_do_not_join_both(bank: sample.SampleBank) -> None:
    assert set(bank.lookalikes["unit"]).isdisjoint(bank.episodes["unit"])
    honest = bank.lookalikes[bank.lookalikes["pattern"] == "honest_growth"]
    growth, formed = [], []
    for entry in honest[honest["start"] < "2022-12"].itertuples():
        unit, start = _position(bank, str(entry.unit)), PERIODS.index(str(entry.start))
        loans, formation = bank.ledger.values["LOANS"], bank.ledger.values["R02"]
        growth.append(np.mean(loans[start + 12] / loans[start] < loans[start + 12, unit] / loans[start, unit]))
        later = formation[start + 9 : start + 21].sum(axis=0)
        formed.append(np.mean(later < later[unit]))
    assert np.median(growth) > 0.9
    assert np.median(formed) < 0.8


def test_the_new_year_moves_business_between_january_and_february(latest: dict[str, pd.DataFrame]) -> None:
    drawn = latest["P04"].sum(axis=1).to_numpy().reshape(len(YEARS), 12)
    january = drawn[:, 0] / drawn[:, :2].sum(axis=1)
    early = np.array([(day := new_year(int(year))) is not None and day.month == 1 for year in YEARS])
    assert january[early].max() < january[~early].min() - 0.03
    assert (drawn[:, :3].sum(axis=1) / drawn.sum(axis=1) > 0.22).all()


def test_deposits_are_pushed_at_quarter_ends_and_fall_back(latest: dict[str, pd.DataFrame]) -> None:
    deviation = latest["R13"].median(axis=1).to_numpy().reshape(len(YEARS), 12)
    ends = [2, 5, 8, 11]
    assert (deviation[:, ends] > 1.0).all()
    assert (np.delete(deviation, ends, axis=1) < 0.3).all()


def test_goals_ask_for_more_than_last_year(bank: sample.SampleBank, latest: dict[str, pd.DataFrame]) -> None:
    goals = bank.goals.set_index(["unit", "indicator"])
    assert (goals["year"] == 2025).all()
    loans = latest["LOANS"].iloc[-1].sum()
    fees = latest["P08"].iloc[-12:].sum().sum()
    assert 1.02 < goals.at[(ROOT, "LOANS"), "value"] / loans < 1.15
    assert 1.02 < goals.at[(ROOT, "P08"), "value"] / fees < 1.15


def test_realised_outcomes_are_those_of_the_observations(
    bank: sample.SampleBank, latest: dict[str, pd.DataFrame]
) -> None:
    table = bank.attainable
    basis = {driver.code: driver.basis for driver in DRIVERS}
    for code, part in table[table["status"] != "gap"].groupby("indicator"):
        months = latest[str(code)].to_numpy().reshape(len(YEARS), 12, -1)
        outcome = {"year_end": months[:, -1], "year_sum": months.sum(axis=1), "year_average": months.mean(axis=1)}
        wide = pd.DataFrame(outcome[basis[str(code)]], index=YEARS, columns=latest[str(code)].columns).stack()
        expected = wide.reindex(pd.MultiIndex.from_frame(part[["year", "unit"]]))
        np.testing.assert_allclose(part["realised"], expected, rtol=1e-9, err_msg=str(code))


def test_quantiles_rise_and_cover_years_from_2020(bank: sample.SampleBank) -> None:
    table = bank.attainable
    assert set(table["indicator"]) == {driver.code for driver in DRIVERS}
    assert table["year"].min() == 2020
    assert not table.duplicated(["unit", "indicator", "year"]).any()
    assert (np.diff(table.filter(regex=r"^q0\.").to_numpy(), axis=1) > 0).all()
    assert (table["status"] == "clean").mean() > 0.9


def test_the_true_distribution_is_true_given_the_shared_shock(bank: sample.SampleBank) -> None:
    clean = bank.attainable[bank.attainable["status"] == "clean"].copy()
    clean["own"] = (_normal_scores(clean) * clean["scale"] - clean["shared"]) / clean["scale_own"]
    for code, part in clean.groupby("indicator"):
        assert stats.kstest(part["own"], "norm").pvalue > SMALLEST_P, code
        assert stats.kstest(part["own"] * 1.25, "norm").pvalue < SMALLEST_P, "a scale 25% off would go unseen"


def test_the_true_distribution_is_true_over_many_banks() -> None:
    scores = []
    for seed in range(30):
        table = sample.generate(seed=seed, branches=MIN_BRANCHES).attainable
        # One branch a bank, indicator and year: branches of one year share its shocks.
        one = table[table["status"] == "clean"].groupby(["indicator", "year"]).sample(1, random_state=seed)
        scores.append(one[["indicator"]].assign(score=_normal_scores(one)))
    every = pd.concat(scores)
    for code, part in every.groupby("indicator"):
        assert len(part) == 150
        assert stats.kstest(part["score"], "norm").pvalue > SMALLEST_P, code
        assert stats.kstest(part["score"] + 0.75, "norm").pvalue < SMALLEST_P, "a bias of 0.75 scales would go unseen"
