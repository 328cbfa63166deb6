"""`loadline explain target`: its own course is told part by part, and what is shown adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from serving_home import BRANCHES, FIRST_YEAR, LAST_YEAR, REGIONS, advisor_at, promote_model, write_dataset

from features.errors import LoadlineError
from models.explanation.own_course import AGAINST, COURSE_PARTS, Course
from models.outcome.stacking import FALLBACK
from models.wording import COURSE_NOTES
from serving.advisor import Advisor
from serving.cli import main
from serving.explanation import with_course


@pytest.fixture(scope="module")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    """A promoted model of branches that keep to ways of their own, so that their features tell something."""
    place = tmp_path_factory.mktemp("drifting")
    folder = write_dataset(place / "dataset")
    rng, rows = np.random.default_rng(1), []
    for number, branch in enumerate(BRANCHES):
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            grown = (0.01 * number + 0.02) * (year - FIRST_YEAR) + rng.normal(0, 0.01)
            rows.append((branch, year, "LOANS", round(1000 * float(np.exp(grown)), 2)))
            rows.append((branch, year, "NPL_RATIO", round(float(np.exp(rng.normal(0, 0.1) - 0.2 * grown)), 3)))
    frame = pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"])
    frame.to_csv(folder / "observations.csv", index=False)
    advisor = advisor_at(place / "home")
    advisor.ingest(folder)
    promote_model(advisor)
    return advisor


def own_course(told: dict[str, Any]) -> dict[str, Any]:
    return next(driver for driver in told["drivers"] if driver["code"] == "own_course")


def digits(value: float) -> Decimal:
    return Decimal(f"{value:.9f}")


@pytest.mark.parametrize("against", AGAINST)
@pytest.mark.parametrize("indicator", ["LOANS", "NPL_RATIO"])
def test_the_parts_shown_add_up_to_the_step_shown(drifting: Advisor, indicator: str, against: Any) -> None:
    for unit in BRANCHES[::4]:
        told = drifting.suggesting.explain_target(unit, indicator, against=against)
        driver = own_course(told)
        assert sum(digits(part["amount"]) for part in driver["parts"]) == digits(driver["amount"])
        assert digits(told["base_value"]) + sum(digits(d["amount"]) for d in told["drivers"]) == digits(
            told["prediction"]
        )
        assert driver["scaled"] is True
        assert {part["code"] for part in driver["parts"]} <= set(COURSE_PARTS)
        assert told["against"]["kind"] == against
        assert told["against"]["units"] == (1 if against == "last_year" else len(BRANCHES))
        assert told["against"]["text"]["zh"] in told["text"]["zh"]


def test_the_reference_is_known_by_its_digest(drifting: Advisor) -> None:
    first, second = (drifting.suggesting.explain_target(unit, "LOANS", against="group") for unit in BRANCHES[:2])
    assert first["against"]["digest"] == second["against"]["digest"]
    other = drifting.suggesting.explain_target(BRANCHES[0], "LOANS", against="last_year")
    assert other["against"]["digest"] != first["against"]["digest"]


def test_the_expected_figure_of_the_kept_table_is_what_is_broken_down(drifting: Advisor) -> None:
    table = drifting.suggesting.suggestion(BRANCHES[2], None)
    row = table[table["indicator"] == "LOANS"].iloc[0]
    told = drifting.suggesting.explain_target(BRANCHES[2], "LOANS")
    assert own_course(told)["amount"] == pytest.approx(row["expected"] - row["like_group"], abs=0.011)
    course = drifting.suggesting.suggested(drifting.snapshot()).courses("LOANS").of(BRANCHES[2])
    assert course is not None
    parts = course.parts(BRANCHES[2], "peers")
    assert parts is not None
    assert sum(parts.amounts.values()) == pytest.approx(row["expected"] - row["like_group"], rel=1e-9)


def test_a_total_says_that_its_parts_have_explanations(trained: Advisor) -> None:
    told = trained.suggesting.explain_target(REGIONS[0], "LOANS", against="peers")
    assert told["notes"] == [COURSE_NOTES["total"]]
    assert told["against"] is None
    assert [driver["code"] for driver in told["drivers"]] == ["expected_change", "room"]


def test_pooled_growth_says_that_nothing_is_told_apart(drifting: Advisor) -> None:
    unit = BRANCHES[3]
    course = drifting.suggesting.suggested(drifting.snapshot()).courses("LOANS").of(unit)
    assert course is not None
    pooled = Course.of(course.level, replace(course.model, blend=FALLBACK))
    row = dict(drifting.suggesting.suggestion(unit).query("indicator == 'LOANS'").iloc[0])
    row["expected"] = float(pooled.expected[list(pooled.level.problem.units).index(unit)])
    told = with_course(row, drifting.snapshot().indicators["LOANS"], pooled, "peers")
    assert told["notes"] == [COURSE_NOTES["pooled"]]
    assert told["against"] is None
    assert [part["code"] for part in own_course(told)["parts"]] == ["carried", "spread"]


def test_models_made_on_request_are_explained_too(untrained: Advisor) -> None:
    told = untrained.suggesting.explain_target(BRANCHES[1], "NPL_RATIO")
    assert told["model_version"] == "fitted-on-request"
    assert own_course(told)["parts"]


def test_courses_are_kept_for_the_next_question(trained: Advisor) -> None:
    first = trained.suggesting.suggested(trained.snapshot()).courses("LOANS")
    assert trained.suggesting.suggested(trained.snapshot()).courses("LOANS") is first
    assert first.of(BRANCHES[0]) is first.of(BRANCHES[5])


def test_an_unknown_unit_is_refused(trained: Advisor) -> None:
    with pytest.raises(LoadlineError, match="NOBODY"):
        trained.suggesting.explain_target("NOBODY", "LOANS", against="peers")


def test_the_command_tells_it_in_both_languages(
    drifting: Advisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(*more: str) -> str:
        words = ["explain", "target", "--unit", "N03", "--indicator", "LOANS", "--home", str(drifting.settings.home)]
        monkeypatch.setattr("sys.argv", ["loadline", *words, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    told = json.loads(asked("--against", "last_year", "--format", "json"))
    assert {"base_value", "prediction", "drivers", "text", "against", "notes"} <= set(told)
    shown = asked("--against", "last_year")
    assert told["text"]["en"] in shown
    assert told["text"]["zh"] in shown
    assert "held against itself a year ago" in told["text"]["en"]
    assert "百万元" in told["text"]["zh"]
    assert "CNY m" not in told["text"]["zh"]
    assert "SHAP" not in shown
