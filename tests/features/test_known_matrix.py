"""Features as they were known: each row equals what the panel of its own day gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from dated_figures import INDICATORS, Row, dated_rows, ingest_figures
from feature_panels import make_panel
from hypothesis import given, settings

from features.errors import LoadlineError
from features.known_matrix import column_sources, known_matrix
from features.matrix import FeatureMatrix, parse_column
from features.periods import Calendar
from features.sets import catalogue
from features.snapshot import Snapshot
from features.vintages import Vintage, vintages

MONTHLY = Calendar("M")
UNITS = [f"B{number}" for number in range(7)]
PERIODS = [f"20{year}-{month:02d}" for year in (21, 22, 23) for month in range(1, 13)]
FEATURES = (
    "growth_1p",
    "growth_1y",
    "peer_gap",
    "peer_rank",
    "net_formation",
    "lagged_ratio",
    "year_share",
    "known_share",
)
RESTATED: list[Row] = [
    ("B2", "2022-03", "LOANS", 140.0, "2023-05-09"),
    ("B3", "2022-06", "FEES", 3.0, "2023-08-31"),
    ("B1", "2023-01", "NPL", 9.0, "2023-09-02"),
]


def full(seed: int = 0) -> list[Row]:
    """Give every figure on its default day."""
    rng = np.random.default_rng(seed)
    rows = []
    for code in INDICATORS:
        for unit in UNITS:
            level = 100 * np.exp(np.cumsum(0.05 * rng.standard_normal(len(PERIODS))))
            rows += [(unit, period, code, round(float(x), 2), "") for period, x in zip(PERIODS, level, strict=True)]
    return rows


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return ingest_figures(tmp_path_factory.mktemp("bank"), [*full(), *RESTATED], units=UNITS)


def delay_of(column: str, delays: dict[str, int]) -> int:
    """Give the longest delay of an indicator and what defines it."""
    code = parse_column(column)[1]
    if code is None:
        return 0
    about = INDICATORS[code]
    return max(delays[part] for part in (code, about.get("numerator"), about.get("denominator")) if part is not None)


def assert_as_known(snapshot: Snapshot, found: tuple[Vintage, ...], matrix: FeatureMatrix) -> None:
    """Compare each row with the last row that the panel of its day has figures for."""
    for each in found:
        for period in range(each.first, each.last + 1):
            panel = snapshot.panel(period)
            for delay in set(each.delays.values()) | {0}:
                names = [name for name in matrix.names if delay_of(name, dict(each.delays)) == delay]
                row = period - delay - panel.first
                then = catalogue().compute(panel.up_to(period - delay), features=FEATURES)
                for name in names:
                    expected = then.array(name)[row] if row >= 0 else np.full(len(panel.tree), np.nan)
                    np.testing.assert_allclose(matrix.array(name)[period - matrix.first], expected, 1e-6, err_msg=name)


def test_each_row_is_as_it_could_be_computed_then(bank: Snapshot) -> None:
    found = vintages(bank, MONTHLY.parse("2022-11"), MONTHLY.parse("2023-12"))
    assert len(found) == 4
    matrix = known_matrix(found, features=FEATURES)
    assert (matrix.first, matrix.cube.shape[1]) == (found[0].first, 14)
    assert {parse_column(name)[1] for name in matrix.names} == {None, *INDICATORS}
    assert np.isfinite(matrix.array("RATIO.net_formation")).any()
    assert_as_known(bank, found, matrix)


def test_vintages_that_do_not_say_what_changed_give_the_same(bank: Snapshot) -> None:
    found = vintages(bank, MONTHLY.parse("2022-11"), MONTHLY.parse("2023-12"))
    silent = tuple(Vintage(each.read, each.delays, each.first, each.last) for each in found)
    np.testing.assert_array_equal(known_matrix(silent).cube, known_matrix(found).cube)


@settings(max_examples=10, deadline=None)
@given(rows=dated_rows(UNITS[:4], PERIODS[24:32]))
def test_late_and_early_figures_do_not_leak(rows: list[Row]) -> None:
    with TemporaryDirectory() as place:
        snapshot = ingest_figures(Path(place), rows, units=UNITS)
        found = vintages(snapshot, snapshot.span[0], MONTHLY.parse("2023-12"))
        assert_as_known(snapshot, found, known_matrix(found, features=FEATURES))


def test_a_column_waits_for_all_that_it_rests_on() -> None:
    panel = make_panel(seed=5)
    delays = {"LOANS": 1, "WRITEOFFS": 3, "GDP": 4}
    matrix = known_matrix([Vintage.of(panel, first=panel.first, last=panel.last, delays=delays)])
    plain = catalogue().compute(panel)
    expected = {
        "NPL.growth_1y": 1,  # its denominator is the loans
        "NPL.formation": 3,
        "OVERDUE.growth_1y": 0,
        "OVERDUE.growth_less_worsening": 1,  # held against the growth of the loans
        "LOANS.growth_above_context": 4,
        "PROFIT.growth_1y": 0,
        "year_share": 0,
        "new_year_shift": 0,
    }
    for name, delay in expected.items():
        assert np.isnan(matrix.array(name)[:delay]).all()
        np.testing.assert_array_equal(matrix.array(name)[delay:], plain.array(name)[: len(panel.ordinals) - delay])


def test_without_delays_or_events_it_is_the_plain_matrix() -> None:
    panel = make_panel("Q", seed=2)
    plain = catalogue().compute(panel)
    matrix = known_matrix([Vintage.of(panel, first=panel.first + 8, last=panel.last)], threads=1)
    np.testing.assert_array_equal(matrix.cube, plain.cube[:, 8:])
    assert matrix.names == plain.names
    assert matrix.omitted == plain.omitted
    assert matrix.titles == plain.titles
    assert matrix.units_of_measure == plain.units_of_measure
    assert matrix.first == panel.first + 8
    assert matrix.units.equals(plain.units)


def test_chosen_indicators_and_features_keep_their_order(bank: Snapshot) -> None:
    found = vintages(bank, MONTHLY.parse("2023-04"), MONTHLY.parse("2023-06"))
    matrix = known_matrix(found, indicators=["RATIO", "LOANS"], features=["growth_1y", "growth_1p"], threads=3)
    assert matrix.names == ("RATIO.growth_1y", "RATIO.growth_1p", "LOANS.growth_1y", "LOANS.growth_1p")
    whole = known_matrix(found)
    for name in matrix.names:
        np.testing.assert_array_equal(matrix.array(name), whole.array(name))


def test_an_indicator_is_computed_again_only_where_it_changed(bank: Snapshot) -> None:
    read: list[tuple[int, str]] = []

    class Noting(dict):
        def __init__(self, values: dict, last: int) -> None:
            super().__init__(values)
            self.last = last

        def __getitem__(self, code: str) -> np.ndarray:
            read.append((self.last, code))
            return super().__getitem__(code)

    found = vintages(bank, MONTHLY.parse("2022-11"), MONTHLY.parse("2023-12"))
    watched = [
        each.using(lambda panel, last=each.last: replace(panel, values=Noting(dict(panel.values), last)))
        for each in found
    ]
    known_matrix(watched, features=["growth_1y"])
    by_vintage = [{code for last, code in read if last == each.last} for each in found]
    assert by_vintage == [{"LOANS", "RATIO"}, {"FEES"}, {"NPL", "RATIO"}, set(INDICATORS)]


def test_no_vintage_and_unknown_names_are_refused(bank: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="no period"):
        known_matrix([])
    found = vintages(bank, MONTHLY.parse("2023-04"), MONTHLY.parse("2023-06"))
    with pytest.raises(LoadlineError, match="no feature"):
        known_matrix(found, features=["nonsense"])
    with pytest.raises(LoadlineError, match="no indicator"):
        known_matrix(found, indicators=["nonsense"])


def test_sources_follow_what_the_inputs_read() -> None:
    panel = make_panel()
    graph = catalogue()
    columns, _ = graph.columns(panel)
    sources = {column.name: some for column, some in zip(columns, column_sources(graph, panel, columns), strict=True)}
    assert sources["year_share"] == frozenset()
    assert sources["NPL.formation"] == {"NPL", "LOANS", "WRITEOFFS"}
    assert sources["LOANS.growth_1y"] == {"LOANS"}
    for name, some in sources.items():
        if some:
            without = panel.with_values({c: a if c in some else np.full_like(a, 1.0) for c, a in panel.values.items()})
            feature, code = parse_column(name)
            only = graph.compute(without, [code] if code else None, features=[feature]).array(name)
            np.testing.assert_array_equal(
                only, graph.compute(panel, [code] if code else None, features=[feature]).array(name)
            )


def test_capped_knowledge_leaves_out_what_came_later(bank: Snapshot) -> None:
    day = date(2023, 5, 31)
    found = vintages(bank, MONTHLY.parse("2023-04"), MONTHLY.parse("2023-06"), known_on=day)
    matrix = known_matrix(found, features=["growth_1p"])
    assert np.isnan(matrix.array("LOANS.growth_1p")[-1]).all()
    assert np.isfinite(matrix.array("LOANS.growth_1p")[-2, 1:]).all()
