"""Why a unit is on the list or not, asked of a small bank in which lending in a hurry is followed by bad loans."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import warning_bank
from command_line import CommandLine
from dated_figures import INDICATORS, ingest_figures

from features.dataset import open_dataset
from features.errors import LoadlineError
from features.vintages import vintages
from serving.advisor import Advisor
from serving.alert_answer import explanation
from serving.alert_case import AlertCase
from serving.alert_explanation import alert_facts, explain_alert
from serving.alert_probability import restated, taken_apart
from serving.alert_schemas import AlertExplanation
from serving.settings import Settings
from training.review.pack_page import page
from training.warning.material import material
from training.warning.watch import Watch

NOW = warning_bank.NOW
CAUSAL = re.compile(r"\b(because|caused?|due to|led to)\b|SHAP|导致|造成", re.I)


@pytest.fixture(scope="module")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    folder = tmp_path_factory.mktemp("alerts")
    found = Advisor(Settings(home=folder / "home"), clock=lambda: NOW)
    found.store.ingest(open_dataset(warning_bank.write_bank(folder / "bank")), now=NOW)
    return found


@pytest.fixture(scope="module")
def watch(advisor: Advisor) -> Watch:
    return advisor.watching.watch()


@pytest.fixture(scope="module")
def alerted(watch: Watch) -> str:
    """The most concerning unit on the list."""
    listed = watch.listed()
    assert len(listed)
    return str(listed["unit"].iloc[0])


@pytest.fixture(scope="module")
def told(advisor: Advisor, alerted: str) -> AlertExplanation:
    return explain_alert(advisor, alerted)


def exact(value: float | None) -> Decimal:
    assert value is not None
    return Decimal(str(value))


def quiet(watch: Watch) -> str:
    """The least concerning unit."""
    table = watch.table[watch.table["unit"].str.startswith("B")]
    return str(table.sort_values("score")["unit"].iloc[0])


def test_it_agrees_with_the_list(told: AlertExplanation, watch: Watch, alerted: str) -> None:
    row = watch.table.set_index("unit").loc[alerted]
    assert (told.unit, told.period, told.alert) == (alerted, row["period"], row["alert"])
    assert told.listed
    assert told.severity == row["severity"]
    assert told.title is not None
    assert (told.title.en, told.title.zh) == (row["title"], row["title_zh"])
    assert told.score == pytest.approx(row["score"])
    assert told.probability == pytest.approx(row["probability"])
    assert told.certainty is not None
    assert told.certainty.listed == int(watch.table["listed"].sum())
    assert told.certainty.q_value == pytest.approx(row["q_value"])
    assert told.certainty.place == 1


def test_the_parts_of_the_probability_add_up_exactly(told: AlertExplanation) -> None:
    assert told.prediction == pytest.approx(told.probability, abs=0.0005)
    for parts in (told.drivers, told.kinds):
        assert len(parts) > 1
        assert exact(told.base_value) + sum(exact(part.amount) for part in parts) == exact(told.prediction)
    assert [abs(part.amount) for part in told.drivers[:-1]] == sorted(
        (abs(part.amount) for part in told.drivers[:-1]), reverse=True
    )
    assert told.drivers[0].code.split(".")[0] in ("LOANS", "NPL", "prior")


def test_against_its_own_last_year_only_the_reference_changes(
    advisor: Advisor, watch: Watch, alerted: str, told: AlertExplanation
) -> None:
    other = explain_alert(advisor, alerted, against="last_year")
    assert (other.against, other.prediction) == ("last_year", told.prediction)
    assert other.reference is not None
    assert "a year ago" in other.reference.en
    assert exact(other.base_value) + sum(exact(part.amount) for part in other.drivers) == exact(other.prediction)
    before = watch.answer.probability[-2, watch.snapshot.tree.number(alerted)]
    if np.isfinite(before):  # last year's model may have been another one
        assert other.base_value is not None
        assert 0 <= other.base_value < 1


def test_the_figures_are_those_of_the_unit_and_of_its_peers(told: AlertExplanation, watch: Watch) -> None:
    assert told.figures
    panel = watch.looked.situation.panel
    number = watch.snapshot.tree.number(told.unit)
    for figure in told.figures:
        assert figure.level == pytest.approx(panel.array(figure.indicator)[-1, number])
        assert len(figure.series) == 10
        assert figure.series[-1].value == figure.now
        assert figure.series[-1].peers_middle == figure.peers_middle
        assert figure.peers + 1 >= 5 or figure.peers_middle is None


def test_the_text_tells_a_figure_of_results_and_one_of_risks(watch: Watch, alerted: str) -> None:
    case = AlertCase(watch, watch.snapshot.tree.number(alerted), watch.asked.last)
    assert {figure.indicator.perspective for figure in case.figures} == {"performance", "risk"}
    assert [figure.indicator.perspective for figure in case.telling] == ["performance", "risk"]
    for figure in case.telling:
        assert figure.text["en"] in case.text["en"]


def test_a_pattern_carries_its_record_on_this_data(told: AlertExplanation, watch: Watch) -> None:
    records = watch.track_record.set_index("detector")
    assert told.patterns
    for pattern in told.patterns:
        assert pattern.record is not None
        assert pattern.record.fired == records.loc[pattern.code, "fired"]
        assert pattern.record.verdict == records.loc[pattern.code, "verdict"]
        innocent = [doubt.text.zh for doubt in told.doubts if doubt.code == pattern.code and doubt.kind == "innocent"]
        assert innocent == [pattern.innocent.zh]
    assert told.next_looks


def test_a_pattern_that_is_told_as_met_was_met_lately(advisor: Advisor, watch: Watch) -> None:
    met = {code: np.flatnonzero(found[-1]) for code, found in watch.recent.items()}
    code, units = next((code, units) for code, units in met.items() if len(units))
    found = explain_alert(advisor, str(watch.snapshot.tree.codes[units[0]]))
    assert code in [pattern.code for pattern in found.patterns if pattern.met]
    assert all(pattern.met for pattern in found.patterns)


def test_the_text_reads_in_both_languages_and_claims_no_cause(told: AlertExplanation) -> None:
    assert told.text.en.startswith(f"{told.unit} is on the list for review in 2021")
    assert 4 <= told.text.zh.count("。") <= 6
    whole = told.model_dump_json()
    assert not CAUSAL.search(re.sub(r'"fingerprint":"[^"]*"', "", whole))
    assert "NaN" not in whole
    assert "data version 1, as known on 2021-12-31" in told.text.en
    assert told.versions.known_on == date(2021, 12, 31)
    assert told.versions.labels == "given"


def test_a_unit_off_the_list_is_explained_too(advisor: Advisor, watch: Watch) -> None:
    found = explain_alert(advisor, quiet(watch))
    assert (found.listed, found.severity, found.alert, found.title) == (False, None, None, None)
    assert "is not on the list for review in 2021" in found.text.en
    assert [doubt for doubt in found.doubts if doubt.kind == "innocent"] == []
    assert found.certainty is not None
    assert found.certainty.place == found.certainty.looked_at


def test_a_past_period_is_explained_as_it_was_known_then(advisor: Advisor, tmp_path: Path, watch: Watch) -> None:
    unit = quiet(watch)
    past = explain_alert(advisor, unit, period="2012")
    short = Advisor(Settings(home=tmp_path / "home"), clock=lambda: NOW)
    short.store.ingest(open_dataset(warning_bank.write_bank(tmp_path / "bank", years=5)), now=NOW)
    then = explain_alert(short, unit)
    assert (past.period, past.versions.known_on) == ("2012", date(2012, 12, 31))
    same = {"versions", "text"}
    assert past.model_dump(exclude=same) == then.model_dump(exclude=same)
    assert past.figures
    assert past.figures[0].series[-1].period == "2012"


def test_without_a_model_no_probability_is_taken_apart_and_it_says_why(advisor: Advisor, watch: Watch) -> None:
    early = explain_alert(advisor, quiet(watch), period="2009")
    assert (early.probability, early.base_value, early.prediction, early.drivers) == (None, None, None, [])
    assert early.notes


def test_a_probability_of_another_model_is_not_taken_apart(watch: Watch, alerted: str) -> None:
    number = watch.snapshot.tree.number(alerted)
    probability = watch.answer.probability.copy()
    probability[-1, number] -= 0.01
    moved = replace(watch, answer=replace(watch.answer, probability=probability))
    found = taken_apart(moved, number, watch.asked.last, "peers")
    assert found.drivers is None
    assert "another" not in found.notes[0]["zh"]
    assert "a model that did not see this outcome" in found.notes[0]["en"]


def test_a_unit_with_others_below_is_told_by_them(advisor: Advisor, watch: Watch) -> None:
    found = explain_alert(advisor, "G")
    assert [below.unit for below in found.listed_below] == list(
        watch.listed().sort_values("score", ascending=False)["unit"]
    )
    assert (found.listed, found.patterns, found.figures, found.certainty) == (False, [], [], None)
    table = watch.table
    assert found.score == pytest.approx(table.loc[table["unit"] == "G", "score"].iloc[0])
    assert "alerts are raised for the lowest units" in found.text.en.lower()


def test_every_unit_of_the_newest_period_can_be_explained(watch: Watch) -> None:
    for unit in np.flatnonzero(watch.snapshot.tree.valid(watch.asked.last)):
        found = explanation(AlertCase(watch, int(unit), watch.asked.last))
        for text in (found.text.en, found.text.zh):
            assert not re.search(r"[{}]|\bnan\b|None|\.\.|。。", text), text
        if found.base_value is not None:
            assert exact(found.base_value) + sum(exact(part.amount) for part in found.drivers) == exact(
                found.prediction
            )


def test_the_evidence_pack_gets_what_was_explained(advisor: Advisor, told: AlertExplanation) -> None:
    assert told.alert is not None
    facts = alert_facts(advisor, told.alert)
    assert (facts.alert, facts.unit, facts.period, facts.severity) == (told.alert, told.unit, "2021", told.severity)
    assert [pattern.code for pattern in facts.patterns] == [pattern.code for pattern in told.patterns]
    assert [driver.amount for driver in facts.drivers] == pytest.approx([100 * one.amount for one in told.drivers])
    assert [series.values for series in facts.series] == [
        tuple(point.value for point in figure.series) for figure in told.figures
    ]
    assert facts.history[-1].listed
    assert not facts.synthetic
    assert facts.about["data_version"] == 1
    assert told.patterns[0].title.en in page(facts, None, at=NOW)


def test_an_alert_that_is_over_is_told_as_of_its_last_period(advisor: Advisor, watch: Watch) -> None:
    episodes = watch.episodes
    over = np.flatnonzero(~episodes.open)
    assert len(over)
    at = int(over[-1])
    unit = str(watch.snapshot.tree.codes[episodes.unit[at]])
    raised, last = (str(int(row) + watch.looked.first) for row in (episodes.first[at], episodes.last[at]))
    facts = alert_facts(advisor, f"{unit}@{raised}")
    assert facts.period == last
    assert facts.history[-1].period == last


@pytest.mark.parametrize(
    ("unit", "period", "against", "said"),
    [
        ("nobody", None, "peers", "there is no unit 'nobody'"),
        ("B01", "2031", "peers", "there are no figures as of 2031"),
        ("B01", "soon", "peers", "is not a period"),
        ("B01", None, "the moon", "nothing that a probability can be compared with"),
    ],
)
def test_what_cannot_be_asked_is_said(advisor: Advisor, unit: str, period: str, against, said: str) -> None:
    with pytest.raises(LoadlineError, match=said) as caught:
        explain_alert(advisor, unit, period=period, against=against)
    assert caught.value.hint


@pytest.mark.parametrize("key", ["B01", "nobody@2021", "B01@1999"])
def test_a_key_that_names_no_alert_is_refused(advisor: Advisor, key: str) -> None:
    with pytest.raises(LoadlineError):
        alert_facts(advisor, key)


def test_restated_figures_are_noticed_for_the_unit_alone(tmp_path: Path) -> None:
    units = [f"U{number}" for number in range(6)]
    rows = [
        (unit, f"2020-{month:02d}", "LOANS", 100.0 + month, f"2020-{month:02d}-28")
        for unit in units
        for month in range(1, 13)
    ]
    loans = {"LOANS": INDICATORS["LOANS"]}
    ingest_figures(tmp_path, rows, units=units, indicators=loans)
    again = [("U2", "2020-05", "LOANS", 90.0, "2020-09-15")]
    snapshot = ingest_figures(tmp_path, again, units=units, indicators=loans, day=date(2030, 1, 16))
    first, last = snapshot.span
    seen = material(snapshot, last, stretches=vintages(snapshot, first, last))
    assert len(seen.vintages) > 1
    tree = snapshot.tree
    assert restated(seen, ["LOANS", "FEES"], tree.number("U2"), last) == ("LOANS",)
    assert restated(seen, ["LOANS", "FEES"], tree.number("U1"), last) == ()


def test_the_command_line_tells_it_to_people_and_to_programs(
    advisor: Advisor, alerted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loadline = CommandLine(advisor.settings.home, monkeypatch, capsys)
    plain = loadline("explain", "alert", "--unit", alerted).out
    for heading in ("Patterns / ", "Figures / ", "Probability / ", "false alarm / ", "look at next / "):
        assert heading in plain
    found = json.loads(loadline("explain", "alert", "--unit", alerted, "--format", "json").out)
    assert {"base_value", "prediction", "drivers", "text"} <= set(found)
    assert set(found["text"]) == {"en", "zh"}
    assert math.isclose(
        found["base_value"] + sum(driver["amount"] for driver in found["drivers"]), found["prediction"], abs_tol=1e-9
    )
    group = loadline("explain", "alert", "--unit", "G", "--period", "2021").out
    assert alerted in group
    assert "Patterns" not in group


def test_the_command_line_says_what_is_wrong(
    advisor: Advisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loadline = CommandLine(advisor.settings.home, monkeypatch, capsys)
    told = loadline("explain", "alert", "--unit", "nobody", code=1)
    assert "there is no unit 'nobody'" in told.err
    assert "Traceback" not in told.err
