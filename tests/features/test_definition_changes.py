"""Figures stand under the definition that they were delivered with: nothing is compared across a change of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from feature_panels import make_panel
from redefined_bank import Desk, only_rows, without

from features.definition_changes import MOSTLY, definition_changes
from features.editions import Edition, changed_part, resting_on
from features.errors import LoadlineError
from features.known_matrix import known_matrix
from features.panel import Panel
from features.sets import catalogue
from features.vintages import vintages

NEW = {"definition_version": "2"}
PERIODS, BREAK = {"A": 12, "Q": 20, "M": 40}, {"A": 7, "Q": 11, "M": 23}
LATER = {frequency: slice(BREAK[frequency], None) for frequency in BREAK}
EARLIER = {frequency: slice(None, BREAK[frequency]) for frequency in BREAK}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def panel_of(frequency: str = "Q", *, seed: int = 4, periods: int | None = None) -> Panel:
    panel = make_panel(frequency, periods=periods or PERIODS[frequency], leaves=9, seed=seed)
    return panel.with_values({code: np.round(array, 3) for code, array in panel.values.items()})


def same(one: Panel, other: Panel, codes: list[str]) -> None:
    offset = one.first - other.first
    for code in codes:
        mine, theirs = one.array(code), other.array(code)
        assert np.isnan(theirs[: max(0, offset)]).all()
        np.testing.assert_array_equal(mine, theirs[max(0, offset) :])


@pytest.mark.parametrize("frequency", ["A", "Q", "M"])
@pytest.mark.parametrize("code", ["LOANS", "PROFIT"])
def test_no_feature_crosses_a_break(desk, tmp_path, frequency, code):
    """After a break the whole catalogue is as if the earlier figures had never been."""
    panel = panel_of(frequency)
    desk.ingest(without(panel, code, rows=LATER[frequency]))
    desk.ingest(only_rows(panel, code, rows=LATER[frequency]), **{code: NEW})
    rests = ["NPL"] if code == "LOANS" else []
    never = without(panel, code, rows=EARLIER[frequency])
    for other in rests:
        never = without(never, other, rows=slice(None))
    fresh = Desk(tmp_path / "fresh")
    fresh.ingest(never, **{code: NEW})
    broken, whole = (each.store.snapshot().panel() for each in (desk, fresh))
    assert np.isfinite(broken.array(code)).any()
    found, expected = (catalogue().compute(each) for each in (broken, whole))
    assert found.names == expected.names
    np.testing.assert_array_equal(found.cube, expected.cube)
    growth = found.array(f"{code}.growth_1y")
    year = panel.calendar.per_year
    assert np.isfinite(growth[BREAK[frequency] + year :]).any()
    assert np.isnan(growth[: BREAK[frequency] + year]).all()


def test_what_does_not_rest_on_it_is_untouched(desk):
    panel = panel_of()
    desk.ingest(panel)
    before = desk.store.snapshot().panel()
    version = desk.ingest(only_rows(panel, "LOANS", rows=slice(-1, None)), LOANS=NEW)
    after = desk.store.snapshot().panel()
    others = [code for code in panel.codes if code not in ("LOANS", "NPL")]
    same(before, after, others)
    assert np.isnan(after.array("LOANS")[:-1]).all()
    assert np.isnan(after.array("NPL")).all(), "a ratio over it rests on it"
    assert version.added == 0
    assert version.restated == np.isfinite(panel.array("LOANS")[-1]).sum()
    same(desk.store.snapshot(1).panel(), before, panel.codes)


def test_figures_delivered_again_are_stored_even_where_the_value_is_the_same(desk):
    panel = panel_of()
    first = desk.ingest(panel)
    again = desk.ingest(panel, LOANS=NEW)
    known = int(np.isfinite(panel.array("LOANS")).sum())
    npl = int(np.isfinite(panel.array("NPL")).sum())
    assert (again.added, again.restated, again.unchanged) == (0, known + npl, first.added - known - npl)
    same(desk.store.snapshot().panel(), desk.store.snapshot(1).panel(), panel.codes)
    third = desk.ingest(panel, LOANS=NEW)
    assert (third.added, third.restated, third.unchanged) == (0, 0, first.added)
    same(desk.store.snapshot().panel(), desk.store.snapshot(1).panel(), panel.codes)


def test_history_on_the_new_basis_is_known_from_its_delivery_on(desk):
    panel = panel_of()
    desk.ingest(panel, day="2034-12-01")
    desk.ingest(panel.with_values({**panel.values, "PROFIT": panel.array("PROFIT") + 1}), PROFIT=NEW, day="2035-02-03")
    snapshot = desk.store.snapshot()
    assert np.isnan(snapshot.panel(known_on=date(2035, 2, 2)).array("PROFIT")).all()
    restated = snapshot.panel(known_on=date(2035, 2, 3)).array("PROFIT")
    np.testing.assert_allclose(restated, panel.array("PROFIT") + 1)
    old = desk.store.snapshot(1).panel(known_on=date(2035, 2, 2)).array("PROFIT")
    np.testing.assert_array_equal(old, panel.array("PROFIT"))


def test_history_that_comes_after_a_break_is_known_from_then_on(desk):
    """Not from the day on which its period ended: on that day nobody knew it on the new basis."""
    panel = panel_of()
    desk.ingest(without(panel, "PROFIT", rows=slice(-1, None)), day="2034-12-01")
    desk.ingest(only_rows(panel, "PROFIT", rows=slice(-1, None)), PROFIT=NEW, day="2035-01-01")
    desk.ingest(only_rows(panel, "PROFIT", rows=slice(-3, None)), PROFIT=NEW, day="2035-06-01")
    snapshot = desk.store.snapshot()
    before, after = (snapshot.panel(known_on=day).array("PROFIT") for day in (date(2035, 5, 31), date(2035, 6, 1)))
    assert np.isnan(before[:-1]).all()
    np.testing.assert_array_equal(after[-3:], panel.array("PROFIT")[-3:])
    assert np.isnan(after[:-3]).all()


def test_going_back_to_a_definition_brings_its_figures_back(desk):
    panel = panel_of()
    desk.ingest(panel)
    desk.ingest(only_rows(panel, "PROFIT", rows=slice(-1, None)), PROFIT=NEW)
    back = desk.ingest(only_rows(panel, "PROFIT", rows=slice(-2, None)))
    assert (back.added, back.restated) == (0, 0)
    same(desk.store.snapshot().panel(), desk.store.snapshot(1).panel(), panel.codes)
    assert definition_changes(desk.store.snapshot(), since=1) == ()
    assert [change.after for change in definition_changes(desk.store.snapshot())] == ["2", "1"]


def test_a_change_says_how_much_was_restated(desk):
    panel = panel_of()
    desk.ingest(panel)
    assert definition_changes(desk.store.snapshot()) == ()
    desk.ingest(only_rows(panel, "LOANS", rows=slice(5, None)), LOANS=NEW)
    loans, npl = definition_changes(desk.store.snapshot(), since=1)
    known = np.isfinite(panel.array("LOANS"))
    assert (loans.code, loans.part, loans.before, loans.after, loans.data_version) == ("LOANS", "LOANS", "1", "2", 2)
    assert loans.first_period == panel.first + 5
    assert (loans.earlier, loans.restated) == (known.sum(), known[5:].sum())
    assert loans.share < MOSTLY
    assert loans.treatment == "break"
    assert (npl.code, npl.part, npl.first_period, npl.restated) == ("NPL", "LOANS", None, 0)
    assert npl.known_from is None
    desk.ingest(panel, LOANS=NEW)
    changes = definition_changes(desk.store.snapshot(), since=1)
    assert [(change.code, change.treatment, change.share) for change in changes] == [
        ("LOANS", "restated", 1.0),
        ("NPL", "restated", 1.0),
    ]
    assert definition_changes(desk.store.snapshot(), since=2) == ()
    assert definition_changes(desk.store.snapshot()) == changes
    assert changes[0].as_dict()["treatment"] == "restated"
    assert changes[0].known_from == date(2035, 1, 1)
    assert changes[0].as_dict()["known_from"] == "2035-01-01"


@pytest.mark.parametrize(
    ("code", "entry", "named"),
    [
        ("LOANS", {"kind": "flow"}, "LOANS (kind)"),
        ("LOANS", {"unit": "CNY 10k"}, "LOANS (unit)"),
        ("LOANS", {"averaging": "daily"}, "LOANS (averaging)"),
        ("NPL", {"denominator": "PROFIT"}, "NPL (denominator)"),
        ("NPL", {"scale": 1000.0}, "NPL (ratio_scale)"),
    ],
)
def test_another_meaning_under_the_same_version_is_refused(desk, code, entry, named):
    panel = panel_of()
    desk.ingest(panel)
    with pytest.raises(LoadlineError) as caught:
        desk.ingest(panel, **{code: entry})
    assert named in caught.value.what
    assert "definition_version" in caught.value.hint
    assert len(desk.store.versions()) == 1
    desk.ingest(panel, **{code: entry | NEW})
    assert len(desk.store.versions()) == 2


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("LOANS", {"target_allowed": False, "decimals": 0, "owner": "Finance", "formula": "balance"}),
        ("NPL", {"denominator": None}),
        ("COVERAGE", {"band": [120, 300]}),
        ("NPS", {"denominator": "LOANS"}),
    ],
)
def test_how_figures_are_judged_or_rolled_up_may_change(desk, code, entry):
    panel = panel_of()
    desk.ingest(panel)
    again = desk.ingest(panel, **{code: entry})
    assert (again.added, again.restated) == (0, 0)
    assert definition_changes(desk.store.snapshot()) == ()


def test_what_rests_on_what():
    now = {"A": Edition("1", ("B", "C")), "B": Edition("1", ("D", "A")), "C": Edition("1"), "D": Edition("2")}
    assert list(resting_on("A", now)) == ["A", "B", "C", "D"]
    then = now | {"D": Edition("1")}
    assert [changed_part(code, then, now) for code in "ABCD"] == ["D", "D", None, "D"]
    assert changed_part("A", {"A": Edition("1")}, now) is None, "what was not defined then cannot have changed"
    assert changed_part("A", {"A": Edition("0"), "D": Edition("1")}, now) == "A"


def test_restating_history_does_not_make_an_indicator_late(desk):
    """As known period by period: nothing on the new basis before its delivery, all of it after, on time."""
    panel = panel_of("M", periods=125)
    cut = panel.first + 120  # so much comes late at once that all of it by itself would count as usually late
    early = panel.up_to(cut)
    desk.ingest(early, day=panel.calendar.end(cut).isoformat())
    desk.ingest(panel.up_to(cut + 1), PROFIT=NEW, day=panel.calendar.end(cut + 1).isoformat())
    desk.ingest(panel, PROFIT=NEW, day=panel.calendar.end(panel.last).isoformat())
    snapshot = desk.store.snapshot()
    seen = vintages(snapshot, panel.first, panel.last)
    assert {vintage.delays["PROFIT"] for vintage in seen} == {0}
    cuts = [vintage.first for vintage in seen]
    assert cuts == [panel.first, cut + 1]
    assert seen[1].changed == {"PROFIT"}
    assert np.isnan(seen[0].panel.array("PROFIT")).all()
    np.testing.assert_array_equal(seen[1].panel.array("PROFIT"), panel.array("PROFIT"))
    matrix = known_matrix(seen, features=["growth_1y"], indicators=["PROFIT", "LOANS"])
    growth = matrix.array("PROFIT.growth_1y")
    assert np.isnan(growth[: cut + 1 - panel.first]).all()
    whole = catalogue().compute(panel.only(["PROFIT"]), features=["growth_1y"]).array("PROFIT.growth_1y")
    np.testing.assert_array_equal(growth[cut + 1 - panel.first :], whole[cut + 1 - panel.first :])


def test_a_folder_with_its_own_dates_keeps_them(desk):
    """A bank that says when it knew a figure on the new basis is believed."""
    panel = panel_of()
    desk.ingest(panel, day="2034-12-01")
    desk.ingest(only_rows(panel, "PROFIT", rows=slice(None)), PROFIT=NEW, known_on="2034-06-30")
    snapshot = desk.store.snapshot()
    assert np.isnan(snapshot.panel(known_on=date(2034, 6, 29)).array("PROFIT")).all()
    np.testing.assert_array_equal(snapshot.panel(known_on=date(2034, 6, 30)).array("PROFIT"), panel.array("PROFIT"))
    (change,) = definition_changes(snapshot)
    assert change.known_from == date(2034, 6, 30)
