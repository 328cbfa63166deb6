"""Explanations of scores from stored data: sums, references, closed periods, the change on the year, the command."""

import json
from decimal import Decimal

import numpy as np
import pytest
from score_home import policy_document, write_policy_file, write_target_file
from serving_home import BRANCHES, LAST_YEAR, REGIONS, SILENT, advisor_at, write_dataset
from typer.testing import CliRunner

from features.errors import LoadlineError
from models.policy.reading import policy_from
from serving.cli import app
from serving.explaining import NoScoreError
from serving.score_basis import ScoreBasis
from serving.score_change import score_change
from serving.scoring import PeriodScores, ScoreRequest
from training.scoring.network import score_network
from training.target_file import read_target_file

YEAR = str(LAST_YEAR)
AGAINST = ("target", "last_year", "peers")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Data and nothing else."""
    folder = tmp_path_factory.mktemp("scores")
    advisor_at(folder / "home").ingest(write_dataset(folder / "dataset"))
    return folder / "home"


@pytest.fixture(scope="module")
def advisor(home):
    return advisor_at(home)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return write_policy_file(tmp_path_factory.mktemp("policy") / "policy.yaml")


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    years = (LAST_YEAR - 1, LAST_YEAR)
    return write_target_file(tmp_path_factory.mktemp("targets") / "targets.csv", years=years, units=BRANCHES)


def total(entries) -> Decimal:
    return sum((Decimal(str(entry.amount)) for entry in entries), Decimal(0))


@pytest.mark.parametrize("against", AGAINST)
@pytest.mark.parametrize("unit", BRANCHES)
def test_everything_shown_adds_up(advisor, policy, targets, unit, against):
    found = advisor.explaining.explain(unit, ScoreRequest(YEAR, policy, targets), against=against)
    assert total(found.lines) == Decimal(str(found.score))
    assert found.prediction == found.score
    assert total(found.drivers) == Decimal(str(found.prediction)) - Decimal(str(found.base_value))
    control = found.by_control
    parts = (control.controllable, control.environmental, control.rules)
    assert sum((Decimal(str(part)) for part in parts), Decimal(0)) == total(found.drivers)
    assert set(found.lifts) | set(found.drags) == {d.code for d in found.drivers if d.amount and d.code != "rounding"}
    for driver in found.drivers:
        if driver.gap is not None:
            assert (driver.gap > 0) is (driver.figure > driver.reference)
        for text in (driver.text.en, driver.text.zh):
            assert text
            assert "{" not in text


def test_the_same_score_as_the_table(advisor, policy):
    table = advisor.scoring.score(ScoreRequest(YEAR, policy)).summary().set_index("unit")
    for unit in BRANCHES:
        found = advisor.explaining.score(unit, ScoreRequest(YEAR, policy))
        assert found.score == table.at[unit, "score"]
        assert found.grade == table.at[unit, "grade"]
        assert found.raw == table.at[unit, "raw"]


def test_the_reference_is_the_score_that_the_other_figures_would_have(advisor, policy):
    request = ScoreRequest(YEAR, policy)
    basis = advisor.explaining.bases.basis(request)
    for unit in BRANCHES[:6]:
        found = advisor.explaining.explain(unit, request, against="peers")
        scores = basis.row(unit)
        assert scores is not None
        npl = next(driver for driver in found.drivers if driver.code == "NPL_RATIO")
        assert npl.reference == pytest.approx(float(scores.facts.of("peers", "NPL_RATIO")[0]))
        assert npl.figure == pytest.approx(float(scores.facts.of("actual", "NPL_RATIO")[0]))


def test_peers_are_the_default_and_targets_where_they_are_at_hand(advisor, policy, targets):
    assert advisor.explaining.explain("N01", ScoreRequest(YEAR, policy)).against == "peers"
    assert advisor.explaining.explain("N01", ScoreRequest(YEAR, policy, targets)).against == "target"


def test_without_targets_there_is_nothing_to_compare_with(advisor, policy):
    found = advisor.explaining.explain("N01", ScoreRequest(YEAR, policy), against="target")
    assert found.base_value is None
    assert not any(driver.compared for driver in found.drivers)
    assert not any(driver.reference for driver in found.drivers)
    assert found.score is not None
    assert "未设目标" in found.drivers[0].text.zh
    assert "未设目标，无法与目标对比" in found.text.zh
    assert "no targets to compare with" in found.text.en


def test_a_unit_without_a_score_says_what_is_missing(advisor, policy):
    found = advisor.explaining.explain(SILENT, ScoreRequest(YEAR, policy))
    assert found.score is None
    assert found.base_value is None
    assert found.lines == []
    assert found.drivers == []
    assert found.next_grade is None
    assert len(found.missing) == 2
    assert "no score in 2024" in found.text.en
    assert "NPL ratio (there is no figure)" in found.text.en
    assert "没有得分" in found.text.zh


def test_units_on_no_scorecard_and_unknown_ones_are_refused(advisor, policy):
    for unit in ("ROOT", "GONE"):
        with pytest.raises(NoScoreError, match="on no scorecard"):
            advisor.explaining.explain(unit, ScoreRequest(YEAR, policy))
    with pytest.raises(LoadlineError, match="no unit"):
        advisor.explaining.explain("nobody", ScoreRequest(YEAR, policy))
    with pytest.raises(LoadlineError, match="no figures as of 1999"):
        advisor.explaining.explain("N01", ScoreRequest("1999", policy))


def test_groups_under_five_are_not_shown(tmp_path):
    folder = write_dataset(tmp_path / "few")
    units = (folder / "units.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in units if line.split(",")[0] in {"unit", "ROOT", REGIONS[1], "N01", "N03"}]
    (folder / "units.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    rows = (folder / "observations.csv").read_text(encoding="utf-8").splitlines()
    rows = [line for line in rows if line.split(",")[0] in {"unit", "ROOT", "N01", "N03"}]
    (folder / "observations.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(folder)
    own = policy_document()
    own["scorecards"][0]["items"][0]["against"] = "last_year"
    policy = write_policy_file(tmp_path / "policy.yaml", scorecards=own["scorecards"])
    found = advisor.explaining.explain("N01", ScoreRequest(YEAR, policy), against="peers")
    assert found.score is not None
    assert found.base_value is None
    assert all(driver.reference is None for driver in found.drivers)
    assert "fewer than five peers have a figure" in found.drivers[0].text.en


def test_the_course_is_that_of_the_table_and_ends_with_the_score(advisor, policy):
    found = advisor.explaining.explain("N01", ScoreRequest(YEAR, policy))
    assert [point.period for point in found.trend] == [str(year) for year in range(LAST_YEAR - 5, LAST_YEAR + 1)]
    assert found.trend[-1].score == found.score
    before = advisor.explaining.score("N01", ScoreRequest(str(LAST_YEAR - 1), policy))
    assert found.trend[-2].score == before.score


def test_the_next_grade_is_reached_by_what_is_told(advisor, policy):
    told = [advisor.explaining.explain(unit, ScoreRequest(YEAR, policy)).next_grade for unit in BRANCHES]
    assert any(found is not None and found.ways for found in told)
    for found in told:
        assert found is not None
        assert found.text.en
        for way in found.ways:
            assert way.score >= found.start


def test_the_change_on_the_year_adds_up(advisor, policy, targets, tmp_path):
    for asked in (ScoreRequest(YEAR, policy), ScoreRequest(YEAR, policy, targets)):
        found = advisor.explaining.change("N01", asked)
        assert (found.earlier, found.period) == (str(LAST_YEAR - 1), YEAR)
        parts = (found.data, found.policy, found.model, found.rounding)
        assert sum((Decimal(str(part)) for part in parts), Decimal(0)) == Decimal(str(found.after)) - Decimal(
            str(found.before)
        )
        assert found.policy == 0  # one file answers for both
        assert found.model == 0  # the targets are the same, and no item looks at them
        assert found.before == advisor.explaining.score("N01", ScoreRequest(str(LAST_YEAR - 1), policy)).score


def test_a_change_of_policy_and_of_targets_is_told_apart(home, tmp_path):
    advisor = advisor_at(home)
    old = policy_document(effective={"from": "2015-01-01", "until": f"{LAST_YEAR - 1}-12-31"}, gates=[])
    new = policy_document(effective={"from": f"{LAST_YEAR}-01-01"}, version="2", gates=[])
    for document, weights in ((old, (60, 40)), (new, (70, 30))):
        for item, weight in zip(document["scorecards"][0]["items"], weights, strict=True):
            item["weight"] = weight
            item["against"] = "target" if item["indicator"] == "NPL_RATIO" else "last_year"
    snapshot = advisor.snapshot()
    bases = []
    for document, year, target in ((new, LAST_YEAR, 0.4), (old, LAST_YEAR - 1, 0.6)):
        file = write_target_file(tmp_path / f"{year}.csv", years=(year,), units=BRANCHES)
        frame = read_target_file(file, snapshot).assign(target=target)
        ordinal = snapshot.description.calendar.last_of_year(year)
        network = score_network(snapshot, policy_from(document), [ordinal], targets=frame)
        scores = PeriodScores(str(year), network, frame, False, "", ())
        bases.append(ScoreBasis(snapshot, ordinal, scores, None, (year,)))
    found = score_change(bases[0], bases[1], "N01")
    assert found.model is not None
    assert found.policy is not None
    assert found.model < 0  # a lower NPL ratio is harder to attain
    assert found.policy != 0
    assert "The policies were branches@1 and branches@2" in found.text.en
    assert np.isclose(found.data + found.policy + found.model + found.rounding, found.after - found.before)


def test_a_closed_period_is_explained_as_it_was_closed(tmp_path, policy):
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "first"))
    closed = advisor.scoring.score(ScoreRequest(YEAR, policy))
    advisor.scoring.close(closed, by="Li Wei")
    before = advisor.explaining.explain("N01", ScoreRequest(YEAR))
    assert before.versions.closed_version == 1
    assert before.versions.policy_version == "branches@1"
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.3))
    after = advisor.explaining.explain("N01", ScoreRequest(YEAR))
    assert after == before
    assert advisor.explaining.explain("N01", ScoreRequest(YEAR, policy)).versions.data_version == 2


def test_scores_are_computed_once_for_each_data_and_policy(tmp_path, policy):
    advisor = advisor_at(tmp_path / "home")
    advisor.ingest(write_dataset(tmp_path / "first"))
    request = ScoreRequest(YEAR, policy)
    first = advisor.explaining.bases.basis(request)
    assert advisor.explaining.bases.basis(request) is first
    assert advisor.explaining.bases.basis(ScoreRequest(YEAR)) is not first
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.3))
    assert advisor.explaining.bases.basis(request) is not first


def run(*arguments: str):
    return CliRunner().invoke(app, ["explain", "score", *arguments])


def test_the_command_answers_in_json_and_in_both_languages(home, policy):
    common = ["--unit", "N01", "--period", YEAR, "--home", str(home), "--policy", str(policy)]
    told = run(*common, "--against", "last_year")
    assert told.exit_code == 0, told.output
    assert "How it adds up / 得分构成" in told.output
    assert "last year / 较去年同口径" in told.output
    plain = json.loads(run(*common, "--format", "json").output)
    assert {"base_value", "prediction", "drivers", "text", "lines", "gates", "next_grade", "trend", "factors"} <= set(
        plain
    )
    assert set(plain["text"]) == {"en", "zh"}
    assert plain["versions"]["policy_version"] == "branches@1"
    assert {"code", "amount", "figure", "reference", "text", "controllable"} <= set(plain["drivers"][0])
    change = json.loads(run(*common, "--change", "--format", "json").output)
    assert change["period"] == YEAR


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        (["--change", "--against", "peers"], "exclude each other"),
        (["--suggested-targets", "--targets", "x.csv"], "exclude each other"),
    ],
)
def test_options_that_exclude_each_other_are_refused(home, policy, extra, what):
    answer = run("--unit", "N01", "--period", YEAR, "--home", str(home), *extra)
    assert answer.exit_code != 0
    assert what in str(answer.exception)


def test_without_a_policy_equal_weights_stand_in_and_say_so(advisor):
    found = advisor.explaining.explain("N01", ScoreRequest(YEAR))
    assert "equal weights" in found.versions.policy_note
    assert found.score is not None
