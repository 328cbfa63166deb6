"""The backtest end to end on a small bank, and its report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.store import Snapshot, Store
from models.judging.fairness import GAP
from training import backtest as backtest_module
from training.backtest import EVERY_INDICATOR, Backtest, run_backtest, summarised
from training.question import LOADLINE, REFERENCE
from training.report import write_report
from training.report_sections import sections
from training.report_words import cautions, swings, verdict, versus_loadline

YEARS = range(2012, 2024)
MODELS = {
    "pooled_growth", "last_year_plus", "uniform_uplift", "market_share", "own_drift",
    "auto_ets", "auto_arima", "loadline",
}  # fmt: skip


def write_bank(folder: Path) -> Path:
    """Write eighteen branches of two kinds with an amount and a ratio over twelve years."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: years\ntitle: {en: Years <b>, zh: 年度}\nfrequency: A\nsource: tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n- {code: LOANS, name: {en: Loans, zh: 贷款}, unit: CNY m, direction: higher, kind: stock, "
        "perspective: performance}\n- {code: NPL, name: {en: NPL, zh: 不良率}, unit: '%', direction: lower, "
        "kind: ratio, denominator: LOANS, bounds: [0, 100], perspective: risk}\n"
    )
    branches = [f"B{i:02d}" for i in range(18)]
    kinds = ["", *["city", "county"] * 9]
    units = pd.DataFrame({"unit": ["HQ", *branches], "parent": ["", *["HQ"] * 18], "name": ["HQ", *branches]})
    units.assign(region_type=kinds, peer_group=kinds).to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(3)
    growth = rng.normal(0.06, 0.03, len(YEARS))[:, None] + rng.normal(0, 0.05, (len(YEARS), 18))
    loans = np.exp(rng.normal(6, 0.6, 18) + np.cumsum(growth, axis=0))
    npl = np.exp(np.cumsum(rng.normal(0, 0.1, (len(YEARS), 18)), axis=0))
    rows = [
        (branch, year, code, round(float(table[t, b]), 4))
        for code, table in (("LOANS", loans), ("NPL", npl))
        for t, year in enumerate(YEARS)
        for b, branch in enumerate(branches)
    ]
    pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"]).to_csv(
        folder / "observations.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    place = tmp_path_factory.mktemp("backtest")
    store = Store(place / "store")
    store.ingest(open_dataset(write_bank(place / "bank")), now=datetime(2024, 3, 1, tzinfo=UTC))
    return store.snapshot()


@pytest.fixture(scope="module")
def few_fits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest_module, "ETS_FITS", 30)
        patch.setattr(backtest_module, "ARIMA_FITS", 6)
        patch.setattr(backtest_module, "FEWEST_SAMPLED", 1)
        yield


@pytest.fixture(scope="module")
def result(snapshot: Snapshot, few_fits: None) -> Backtest:
    return run_backtest(snapshot, origin=snapshot.span[1], origins=3, seed=1)


def test_every_model_is_judged_on_every_indicator_and_year(result: Backtest) -> None:
    leaves = result.metrics[result.metrics["level"] == "leaves"]
    assert set(leaves["model"]) == MODELS
    assert set(leaves["year"]) == {2021, 2022, 2023}
    assert list(result.metrics)[:8] == [
        "model", "indicator", "level", "year", "n", "loss", "relative_loss", "coverage",
    ]  # fmt: skip
    reference = leaves[leaves["model"] == REFERENCE]
    assert (reference["n"] == 18).all()
    assert (reference["loss_ratio"] == 1).all()
    own = leaves[leaves["model"] == LOADLINE].set_index(["indicator", "year"])
    plain = own["loss"] / reference.set_index(["indicator", "year"])["loss"]
    np.testing.assert_allclose(own["loss_ratio"], plain)


def test_a_sampled_baseline_is_compared_on_its_own_units_and_the_sample_is_stated(result: Backtest) -> None:
    arima = result.metrics[(result.metrics["model"] == "auto_arima") & (result.metrics["level"] == "leaves")]
    assert (arima["n"] == 1).all()
    assert (arima["common"] == 1).all()
    note = next(text for text in result.notes if text.startswith("auto_arima"))
    assert "6 of 108 outcomes" in note


def test_the_summary_averages_ratios_geometrically(result: Backtest) -> None:
    summary = result.summary()
    assert list(summary)[:8] == [
        "indicator", "level", "model", "loss_ratio", "coverage",
        "attained_floor", "attained_target", "attained_stretch",
    ]  # fmt: skip
    own = result.metrics[(result.metrics["model"] == LOADLINE) & (result.metrics["indicator"] == "LOANS")]
    row = summary[(summary["model"] == LOADLINE) & (summary["indicator"] == "LOANS")].iloc[0]
    assert row["loss_ratio"] == pytest.approx(np.exp(np.log(own["loss_ratio"]).mean()))
    assert (row["origins"], row["outcomes"]) == (3, 54)


def test_groups_are_judged_apart_and_add_up(result: Backtest) -> None:
    groups = result.by_group
    assert set(groups["grouping"]) == {"peer_group", "region_type"}
    assert set(groups["group"]) == {"city", "county"}
    own = groups[(groups["model"] == LOADLINE) & (groups["grouping"] == "region_type")]
    both = own.groupby(["indicator", "year"]).apply(lambda part: (part["n"] * part["coverage"]).sum() / part["n"].sum())
    metrics = result.metrics[(result.metrics["model"] == LOADLINE) & (result.metrics["level"] == "leaves")]
    np.testing.assert_allclose(both, metrics.set_index(["indicator", "year"])["coverage"].sort_index())
    assert set(summarised(groups, ["group", "model"])["group"]) == {"city", "county"}


def test_fairness_is_told_for_every_dimension_and_the_ratchet_for_every_model(result: Backtest) -> None:
    every = result.fairness[result.fairness["indicator"] == EVERY_INDICATOR]
    own = every[every["model"] == LOADLINE]
    assert set(own["dimension"]) == {"region_type", "peer_group", "size", "volatility", "past_growth"}
    assert set(own["target_level"]) == {"floor", "target", "stretch", "p70", "p90"}
    target = own[(own["target_level"] == "target") & (own["dimension"] == "region_type")].set_index("group")
    assert target.loc["city", "n"] == 9 * 2 * 3
    assert target.loc["city", "promised"] == pytest.approx(0.6, abs=1e-6)
    gaps = every[(every["group"] == GAP) & (every["dimension"] == "past_growth")]
    assert {"own_drift", LOADLINE, REFERENCE} <= set(gaps["model"])


def test_calibration_is_told_by_year(result: Backtest) -> None:
    table = result.calibration
    assert set(table["kind"]) == {"pit", "attained", "attained_given_group"}
    sums = table[table["kind"] == "pit"].groupby(["indicator", "level", "year"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    moved = swings(table)
    assert moved is not None
    assert moved[1] >= 0


def test_too_little_history_is_said_in_words(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="years of growth before an origin"):
        run_backtest(snapshot, origin=snapshot.description.calendar.parse("2014"), origins=1, seed=1)
    with pytest.raises(LoadlineError, match="at least one origin"):
        run_backtest(snapshot, origin=snapshot.span[1], origins=0, seed=1)


class Page(HTMLParser):
    """Collects tags and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_whole_in_itself_and_says_everything(result: Backtest, snapshot: Snapshot, tmp_path: Path) -> None:
    write_report(result, snapshot, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert all(reference.startswith("#") for reference in page.references)
    assert text.count("Plotly.newPlot(") >= len(sections(result))
    assert page.tags.count("table") == len(sections(result)) + 1
    assert "Years &lt;b&gt;" in text
    for said in verdict(result):
        assert said.zh in text
    for name in ("Loadline", "own drift", "AutoARIMA", "自身趋势"):
        assert name in text
    assert not list(tmp_path.glob("*.partial"))


def test_the_verdict_follows_the_figures(result: Backtest) -> None:
    loss = verdict(result)[0]
    worse = result.metrics.assign(loss_ratio=np.where(result.metrics["model"] == LOADLINE, 1.2, 1.0))
    changed = Backtest(worse, result.as_of, (), result.by_group, result.fairness, result.calibration, result.notes)
    said = verdict(changed)[0]
    assert said.mark == "bad"
    assert said.figure == "+20%"
    assert "20% larger" in said.en
    assert "LOANS (+20%)" in said.en
    assert "高 20%" in said.zh
    assert said != loss
    assert versus_loadline(changed.summary())["own_drift"] == pytest.approx(1 / 1.2)
    assert any("did better than Loadline" in en for en, _ in cautions(changed))


def test_every_section_has_words_in_both_languages_and_a_table(result: Backtest) -> None:
    made = sections(result)
    assert [section.key for section in made] == [
        "loss", "groups", "coverage", "attained", "fairness", "ratchet", "promises", "pit", "years",
    ]  # fmt: skip
    for section in made:
        assert all(section.title)
        assert all(section.note)
        assert len(section.table)
