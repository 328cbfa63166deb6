"""`loadline alerts` as people run it."""

import io
import json

import pandas as pd
import pytest
from command_line import CommandLine
from warning_bank import write_bank

from models.detectors.catalogue import DETECTORS
from serving.advisor import Advisor
from serving.settings import Settings
from training.warning.watch import PROMISED


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("alerts")
    Advisor(Settings(home=place)).ingest(write_bank(place / "bank"))
    return place


@pytest.fixture
def run(home, monkeypatch, capsys) -> CommandLine:
    return CommandLine(home, monkeypatch, capsys)


def frame(told) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(told.out))


def test_lists_who_is_to_be_reviewed(run):
    told = run("alerts")
    assert tuple(frame(told).columns) == PROMISED
    assert "2021" in told.err
    assert "to review" in told.err


def test_all_gives_every_unit_and_period_a_row(run):
    table = frame(run("alerts", "--all"))
    assert len(table) == 65 * 14
    assert table["score"].between(0, 1).all()


def test_as_of_gives_one_period(run):
    table = frame(run("alerts", "--all", "--as-of", "2018"))
    assert set(table["period"]) == {2018}
    assert len(table) == 65


def test_a_range_gives_its_periods(run):
    table = frame(run("alerts", "--all", "--from", "2017", "--to", "2019"))
    assert sorted(set(table["period"])) == [2017, 2018, 2019]


def test_writes_a_file(run, tmp_path):
    out = tmp_path / "alerts.xlsx"
    told = run("alerts", "--all", "--as-of", "2018", "--out", out)
    assert "65 rows" in told.err
    assert len(pd.read_excel(out)) == 65


def test_gives_json(run):
    rows = json.loads(run("alerts", "--all", "--as-of", "2018", "--format", "json").out)
    assert set(rows[0]) == set(PROMISED)


def test_tells_the_record_of_the_detectors(run):
    table = frame(run("alerts", "--record"))
    titles = {detector.code: (detector.title.en, detector.title.zh) for detector in DETECTORS}
    assert [titles[code] for code in table["detector"]] == list(zip(table["title"], table["title_zh"], strict=True))
    assert {"detector", "fired", "precision", "base_rate", "verdict_en"} <= set(table.columns)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--from", "2019", "--to", "2017"), "--from"),
        (("--as-of", "1900"), "runs from"),
        (("--as-of", "2017", "--to", "2019"), "--to"),
        (("--from", "soon"), "period"),
    ],
)
def test_refuses_periods_that_cannot_be(run, arguments, what):
    assert what in run("alerts", *arguments, code=1).err
