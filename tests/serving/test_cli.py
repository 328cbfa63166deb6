"""The command line as a person uses it, from a folder of files to suggested targets.

Each command is run in a process of its own once; what else there is to say of it is asked without one, which would
take longer to start than to answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import CommandLine

COLUMNS = [
    "unit", "indicator", "year", "last_actual", "floor", "target", "stretch", "p_floor", "p_target", "p_stretch",
    "evidence", "model_version", "policy_version", "data_version",
]  # fmt: skip


def loadline(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own and check how it ended."""
    command = [sys.executable, "-m", "serving.cli", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LOADLINE")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def write_bank(folder: Path) -> Path:
    """Write twelve branches in two regions with loans and a bounded ratio, growing at their own pace."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(11)
    branches = [f"B{number:02d}" for number in range(12)]
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: small-bank\ntitle: {en: Small bank, zh: 小银行}\nfrequency: A\n"
        "source: made for the tests\nlicence: none\n"
    )
    (folder / "indicators.yaml").write_text(
        "indicators:\n"
        "- {code: LENDING, name: {en: Lending, zh: 放款}, unit: CNY m, direction: higher, kind: flow, "
        "perspective: performance}\n"
        "- {code: LATE, name: {en: Late share, zh: 逾期占比}, unit: '%', direction: lower, kind: ratio, "
        "denominator: LENDING, bounds: [0, 100], perspective: risk}\n"
    )
    units = [("HQ", "", "Head office"), ("N", "HQ", "North"), ("S", "HQ", "South")]
    units += [(b, "N" if i < 6 else "S", f"Branch {i}") for i, b in enumerate(branches)]
    pd.DataFrame(units, columns=["unit", "parent", "name"]).to_csv(folder / "units.csv", index=False)
    rows = []
    for i, branch in enumerate(branches):
        lending, late = 100.0 * (1 + i), 2.0
        for year in range(2014, 2022):
            lending *= float(np.exp(0.05 + 0.002 * i + rng.normal(0, 0.05)))
            late = float(np.clip(late * np.exp(rng.normal(0, 0.1)), 0.1, 20))
            rows += [(branch, year, "LENDING", round(lending, 2)), (branch, year, "LATE", round(late, 4))]
    pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"]).to_csv(
        folder / "observations.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small bank stored and a model trained."""
    place = tmp_path_factory.mktemp("cli")
    loadline("ingest", write_bank(place / "bank"), "--home", place / "home")
    loadline("train", "--home", place / "home")
    return place / "home"


@pytest.fixture
def quick(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs commands on the home without a process."""
    for name in [*os.environ]:
        if name.startswith("LOADLINE"):
            monkeypatch.delenv(name)
    return CommandLine(home, monkeypatch, capsys)


def test_a_target_is_explained_in_steps_that_add_up(home: Path, quick: CommandLine) -> None:
    asked = ("explain", "target", "--unit", "B03", "--indicator", "LENDING", "--year", 2022)
    told = json.loads(loadline(*asked, "--format", "json", "--home", home).stdout)
    steps = sum(driver["amount"] for driver in told["drivers"])
    assert round(told["base_value"] + steps, 4) == round(told["prediction"], 4)
    assert {driver["code"] for driver in told["drivers"]} <= {"with_the_group", "own_course", "room"}
    assert told["text"]["zh"] in quick(*asked).out
    refused = quick("explain", "target", "--unit", "B03", "--indicator", "NOPE", code=1)
    assert "no suggested target for B03 on NOPE" in refused.err


def test_targets_have_the_promised_columns_and_order(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "targets.csv"
    loadline("targets", "--year", 2022, "--home", home, "--quantiles", "0.05,0.5,0.95", "--out", out)
    frame = pd.read_csv(out)
    assert list(frame.columns) == [*COLUMNS, "q0.05", "q0.5", "q0.95"]
    assert set(frame["unit"]) == {"HQ", "N", "S", *(f"B{i:02d}" for i in range(12))}
    higher, lower = frame[frame["indicator"] == "LENDING"], frame[frame["indicator"] == "LATE"]
    assert (higher["floor"] < higher["target"]).all()
    assert (higher["target"] < higher["stretch"]).all()
    assert (lower["floor"] > lower["target"]).all()
    assert (lower["target"] > lower["stretch"]).all()
    assert frame["p_floor"].between(0.8, 0.9).all()
    assert (frame["q0.05"] < frame["q0.95"]).all()
    assert set(frame["model_version"]) != {"fitted-on-request"}
    assert (frame["data_version"] == 1).all()


def test_the_past_is_answered_with_what_was_known_then(quick: CommandLine, tmp_path: Path) -> None:
    asked = ("targets", "--year", 2019, "--as-of", 2018, "--quantiles", "0.1,0.5", "--out")
    quick(*asked, tmp_path / "whole.csv")
    cut = write_bank(tmp_path / "cut")
    figures = pd.read_csv(cut / "observations.csv")
    figures[figures["period"] <= 2018].to_csv(cut / "observations.csv", index=False)
    past_home = ("--home", tmp_path / "cut-home")
    quick("ingest", cut, *past_home, at_home=False)
    quick(*asked, tmp_path / "cut.csv", *past_home, at_home=False)
    whole, past = pd.read_csv(tmp_path / "whole.csv"), pd.read_csv(tmp_path / "cut.csv")
    pd.testing.assert_frame_equal(whole, past)
    assert (whole["model_version"] == "fitted-on-request").all()


def test_goals_and_pins_are_kept_to_the_cent(quick: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "goals.csv").write_text("unit,indicator,year,value\nHQ,LENDING,2022,13000.55\n")
    (tmp_path / "pins.csv").write_text("unit,indicator,value\nB03,LENDING,650.25\n")
    out = tmp_path / "plan.parquet"
    quick("targets", "--year", 2022, "--goals", tmp_path / "goals.csv", "--pins", tmp_path / "pins.csv", "--out", out)
    frame = pd.read_parquet(out)
    target = frame[frame["indicator"] == "LENDING"].set_index("unit")["target"]
    assert target["B03"] == 650.25
    assert round(target[[u for u in target.index if u.startswith("B")]].sum(), 6) == 13000.55
    assert round(target["N"] + target["S"], 6) == 13000.55


def test_a_parent_that_differs_from_its_children_is_noted(quick: CommandLine, tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank")
    figures = pd.read_csv(bank / "observations.csv")
    total = figures[(figures["indicator"] == "LENDING") & (figures["period"] == 2020)]["value"].sum()
    given = [("HQ", 2020, "LENDING", round(total, 2)), ("HQ", 2021, "LENDING", 1.0)]
    pd.concat([figures, pd.DataFrame(given, columns=figures.columns)]).to_csv(bank / "observations.csv", index=False)
    done = quick("ingest", bank, "--home", tmp_path / "home", at_home=False)
    assert "LENDING of HQ in 2021 is given as 1," in done.err
    assert "2020" not in done.err


def test_json_and_xlsx_come_out(home: Path, quick: CommandLine, tmp_path: Path) -> None:
    done = loadline("snapshots", "--home", home, "--format", "json")
    assert json.loads(done.stdout)[0]["dataset"] == "small-bank"
    quick("targets", "--year", 2022, "--out", tmp_path / "t.xlsx")
    assert list(pd.read_excel(tmp_path / "t.xlsx").columns) == COLUMNS


def test_backtest_writes_metrics_and_a_report_that_needs_nothing_else(home: Path, tmp_path: Path) -> None:
    loadline("backtest", "--home", home, "--origins", 2, "--out", tmp_path / "bt")
    metrics = pd.read_csv(tmp_path / "bt" / "metrics.csv")
    assert {"loadline", "pooled_growth", "uniform_uplift", "last_year_plus", "market_share"} <= set(metrics["model"])
    assert set(metrics["year"]) == {2020, 2021}
    page = (tmp_path / "bt" / "report.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["targets", "--year", "2021"], "over by 2021"),
        (["targets", "--year", "2022", "--as-of", "1999"], "2014 to 2021"),
        (["targets", "--year", "2022", "--as-of", "soon"], "not a period"),
        (["targets", "--year", "2022", "--quantiles", "0.5,2"], "not a list of quantiles"),
        (["targets", "--year", "2022", "--out", "x.docx"], "no table format"),
        (["targets", "--year", "2022", "--goals", "nowhere.csv"], "no such file"),
        (["ingest", "nowhere"], "no such folder"),
        (["backtest", "--out", "bt", "--origins", "0"], "at least one origin"),
    ],
)
def test_bad_input_is_answered_in_words(
    quick: CommandLine, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    arguments = [str(tmp_path / a) if a in ("x.docx", "nowhere.csv", "nowhere", "bt") else a for a in arguments]
    done = quick(*arguments, code=1)
    assert expected in done.err
    assert "Hint:" in done.err
    assert "Traceback" not in done.err


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    done = loadline("targets", "--year", 2022, "--home", tmp_path / "empty", code=1)
    assert "loadline ingest" in done.stderr


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['loadline', '--help']\n"
        "import serving.cli\n"
        "try: serving.cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'mlflow', 'lightgbm', 'sklearn', 'pyarrow', 'distributed', 'plotly', 'fastapi'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
