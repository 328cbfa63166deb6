"""Planning on the command line, as HR uses it: plans that add up, and every mistake answered in words."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import CommandLine
from serving_home import advisor_at, promote_model

BRANCHES = [f"B{number:02d}" for number in range(16)]
NORTH, SOUTH = BRANCHES[:8], BRANCHES[8:]
NEW, SILENT = "NEW", "SILENT"
GOAL = 20_000.55


def write_bank(folder: Path) -> Path:
    """Write quarterly branches in two regions: lending, a late share, a figure that is only watched, two weak units."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "contract: 1\nname: quarterly-bank\ntitle: {en: Quarterly bank, zh: 季度银行}\nfrequency: Q\n"
        "source: made for the tests\nlicence: none\n",
        encoding="utf-8",
    )
    entry = "- {{code: {}, name: {{en: {}, zh: {}}}, unit: {}, direction: {}, kind: {}, perspective: {}{}}}\n"
    (folder / "indicators.yaml").write_text(
        "indicators:\n"
        + entry.format("LENDING", "Lending", "放款", "CNY m", "higher", "flow", "performance", "")
        + entry.format(
            "LATE",
            "Late share",
            "逾期占比",
            "'%'",
            "lower",
            "ratio",
            "risk",
            ", denominator: LENDING, bounds: [0, 100]",
        )
        + entry.format("FRESH", "Fresh", "新指标", "CNY m", "higher", "flow", "performance", "")
        + entry.format("SEEN", "Visitors", "客流", "count", "higher", "flow", "customer", ", target_allowed: false"),
        encoding="utf-8",
    )
    units = [("HQ", "", "Head office"), ("N", "HQ", "North"), ("S", "HQ", "South")]
    units += [(branch, "N" if branch in NORTH else "S", branch) for branch in BRANCHES]
    units += [(NEW, "S", "Opened last quarter"), (SILENT, "S", "Never reported")]
    pd.DataFrame(units, columns=["unit", "parent", "name"]).to_csv(folder / "units.csv", index=False)
    rng = np.random.default_rng(11)
    rows: list[tuple[str, str, str, float]] = [(NEW, "2024-Q4", "LENDING", 12.5), (NEW, "2024-Q4", "LATE", 1.5)]
    for number, branch in enumerate(BRANCHES):
        lending, late = 20.0 * (1 + number), 2.0
        for year in range(2017, 2025):
            lending *= float(np.exp(0.05 + 0.002 * number + rng.normal(0, 0.05)))
            late = float(np.clip(late * np.exp(rng.normal(0, 0.1)), 0.1, 20))
            for quarter in range(1, 5):
                period, luck = f"{year}-Q{quarter}", float(np.exp(rng.normal(0, 0.03)))
                rows += [
                    (branch, period, "LENDING", round(lending * luck, 2)),
                    (branch, period, "LATE", round(late, 3)),
                ]
                rows += [(branch, period, "SEEN", float(rng.integers(100, 200)))]
                rows += [(branch, period, "FRESH", lending)] if year == 2024 else []
    pd.DataFrame(rows, columns=["unit", "period", "indicator", "value"]).to_csv(
        folder / "observations.csv", index=False
    )
    (folder / "goals.csv").write_text(f"unit,indicator,year,value\nHQ,LENDING,2025,{GOAL}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the bank and a promoted model. Not to be changed."""
    place = tmp_path_factory.mktemp("planning")
    advisor = advisor_at(place / "home")
    advisor.ingest(write_bank(place / "bank"))
    promote_model(advisor)
    return place / "home"


@pytest.fixture(scope="module")
def set_targets(home: Path) -> Path:
    """Targets for 2024, set at the end of 2023."""
    out = home.parent / "targets-2024.csv"
    process(home, "targets", "--year", 2024, "--as-of", "2023-Q4", "--out", out)
    return out


def process(home: Path, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own and check how it ended."""
    command = [sys.executable, "-m", "serving.cli", *map(str, arguments), "--home", str(home)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LOADLINE")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(home, monkeypatch, capsys)


def given(folder: Path, text: str | bytes, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_plan_adds_up_and_lies_in_a_folder(home: Path, tmp_path: Path) -> None:
    goals = given(tmp_path, "unit,indicator,year,value\nHQ,LATE,2025,1.9\nN,LENDING,2025,4770.25\n", "goals.csv")
    pins = given(tmp_path, "unit,indicator,value\nB03,LENDING,490.17\n", "pins.csv")
    flagged = given(tmp_path, "unit,indicator,growth\nB09,,\nB10,LENDING,2\n", "flagged.csv")
    out, plan = tmp_path / "targets.csv", tmp_path / "plan"
    process(
        home, "targets", "--year", 2025, "--stored-goals", "--goals", goals, "--pins", pins, "--flagged", flagged,
        "--plan", plan, "--out", out,
    )  # fmt: skip
    frame = pd.read_csv(out)
    lending = frame[frame["indicator"] == "LENDING"].set_index("unit")
    exact = {unit: Decimal(str(value)) for unit, value in lending["target"].dropna().items()}
    assert exact["HQ"] == Decimal(str(GOAL)) == exact["N"] + exact["S"]
    assert exact["N"] == Decimal("4770.25") == sum(exact[unit] for unit in NORTH)
    assert exact["S"] == sum(exact.get(unit, Decimal(0)) for unit in [*SOUTH, NEW])
    assert exact["B03"] == Decimal("490.17")
    assert str(lending.loc["B03", "evidence"]).endswith("fixed by a person")
    asked, last = lending.loc["B10", ["target", "last_actual"]].astype(float)
    assert asked <= 1.02 * last
    assert lending["p_target"].dropna().between(0, 1).all()
    goals_made = pd.read_csv(plan / "goals.csv").set_index(["unit", "indicator"])
    assert set(goals_made.index) == {("HQ", "LENDING"), ("N", "LENDING"), ("HQ", "LATE")}
    # One goal has one probability, wherever it is shown.
    shown = frame.set_index(["unit", "indicator"]).loc[goals_made.index, "p_target"]
    np.testing.assert_allclose(goals_made["p_goal"], shown)
    sums = pd.read_csv(plan / "alternatives.csv").query("indicator == 'LENDING'").filter(like="value_").sum()
    np.testing.assert_allclose(sums, GOAL, atol=1e-6)
    fairness = pd.read_csv(plan / "fairness.csv")
    assert {"size", "past_growth"} <= set(fairness["dimension"])
    assert fairness.loc[~fairness["group"].isin(["gap", "slope"]), "p_target"].between(0, 1).all()
    assert set(pd.read_csv(plan / "lines.csv")["indicator"]) == {"LENDING", "LATE"}
    assert len(pd.read_csv(plan / "methods.csv")) == 8


def test_weak_units_are_marked_and_stop_nothing(here: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "targets.csv"
    caps = given(tmp_path, "unit,indicator,value\nNEW,LENDING,60\nB01,LENDING,260\n")
    told = here("targets", "--year", 2025, "--stored-goals", "--caps", caps, "--out", out).err
    assert "Note: NEW has no figures of LENDING to start from" in told
    frame = pd.read_csv(out)
    fresh = frame[frame["indicator"] == "FRESH"]
    assert len(fresh)
    assert fresh["evidence"].str.startswith(("low", "none")).all()
    leaves = frame[(frame["indicator"] == "LENDING") & frame["unit"].isin(BRANCHES)]
    assert leaves.set_index("unit").loc["B01", "target"] == 260
    assert round(leaves["target"].sum(), 6) == GOAL


UNITS = "unit,indicator,value\n"
GOALS = "unit,indicator,year,value\n"
BAD_FILES = {
    "empty": ("--pins", "", ["a header line"]),
    "only a header": ("--pins", UNITS, ["holds no row"]),
    "one column": ("--pins", "unit\nB01\n", ["a column called 'indicator'", "a column called 'value'"]),
    "semicolons": ("--caps", "unit;indicator;value\nB01;LENDING;5\n", ["separated by commas"]),
    "unknown unit": ("--pins", UNITS + "B99,LENDING,5\n", ["line 2", "'B99'", "a unit of the data"]),
    "unknown indicator": ("--floors", UNITS + "B01,NOPE,5\n", ["line 2", "'NOPE'", "an indicator of the data"]),
    "only watched": ("--pins", UNITS + "B01,SEEN,5\n", ["an indicator that may have targets", "only monitored"]),
    "no number": ("--pins", UNITS + 'B01,LENDING,"1,5"\nB02,LENDING,many\n', ["2 places", "'many'", "line 3"]),
    "blank": ("--caps", UNITS + "B01,LENDING,\n", ["a finite number"]),
    "endless": ("--pins", UNITS + "B01,LENDING,inf\n", ["a finite number"]),
    "twice": ("--pins", UNITS + "B01,LENDING,5\nB01,LENDING,6\n", ["line 3", "each key once"]),
    "too fine": ("--pins", UNITS + "B01,LENDING,5.001\n", ["5.001", "finer than 0.01"]),
    "too large": ("--pins", UNITS + "B01,LENDING,1e300\n", ["too large to be exact"]),
    "out of bounds": ("--pins", UNITS + "B01,LATE,150\n", ["outside the bounds 0 to 100"]),
    "without figures": ("--pins", UNITS + "SILENT,LENDING,5\n", ["no figures to start from", "SILENT"]),
    "not text": ("--pins", b"PK\x03\x04\xff\xfe\x00", ["UTF-8"]),
    "growth": ("--flagged", "unit,indicator,growth\nB01,,-100\n", ["a percentage above -100"]),
    "flagged unknown": ("--flagged", "unit,indicator\nB77,\n", ["'B77'"]),
    "flagged header": ("--flagged", "unit,indicator\n", ["holds no row"]),
    "goal of a leaf": ("--goals", GOALS + "B01,LENDING,2025,5\n", ["a unit that has units below it", "has none"]),
    "goal only watched": ("--goals", GOALS + "HQ,SEEN,2025,5\n", ["an indicator that may have targets"]),
    "goal of another year": ("--goals", GOALS + "HQ,LENDING,2031,5\n", ["no goal is for the year 2025"]),
    "goal of no year": ("--goals", GOALS + "HQ,LENDING,soon,5\n", ["a year such as 2025"]),
    "goal is none": ("--goals", GOALS + "HQ,LENDING,2025,nan\n", ["'nan'", "finite number"]),
    "goal endless": ("--goals", GOALS + "HQ,LENDING,2025,inf\n", ["'inf'", "finite number"]),
    "goal too fine": ("--goals", GOALS + "HQ,LENDING,2025,0.001\n", ["goal", "finer than 0.01"]),
    "goal twice": ("--goals", GOALS + "HQ,LENDING,2025,5\nHQ,LENDING,2025,6\n", ["line 3", "each key once"]),
    "goal out of reach": (
        "--goals",
        GOALS + "HQ,LENDING,2025,900000\n",
        ["beyond what the units can reach", "ower the"],
    ),
    "goal empty": ("--goals", "", ["a header line"]),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_wrong_file_is_answered_in_words(here: CommandLine, tmp_path: Path, kind: str) -> None:
    option, text, expected = BAD_FILES[kind]
    told = here("targets", "--year", 2025, option, given(tmp_path, text), "--out", tmp_path / "t.csv", code=1).err
    for part in expected:
        assert part in told
    assert "given.csv" in told or "goals for LENDING" in told or "goals for LATE" in told
    assert "Hint:" in told
    assert not (tmp_path / "t.csv").exists()


def test_pins_that_exceed_their_goal_name_the_smallest_change(home: Path, tmp_path: Path) -> None:
    goals = given(tmp_path, GOALS + "N,LENDING,2025,500\n", "goals.csv")
    pins = given(tmp_path, UNITS + "".join(f"{unit},LENDING,100\n" for unit in NORTH), "pins.csv")
    told = process(home, "targets", "--year", 2025, "--goals", goals, "--pins", pins, code=1).stderr
    assert "every unit below N is pinned, and the pins miss the goal of N" in told
    assert "Hint: Raise the goal of N from 500 to 800" in told


def test_a_goal_and_a_pin_of_one_unit_may_not_differ(here: CommandLine, tmp_path: Path) -> None:
    pins = given(tmp_path, UNITS + "HQ,LENDING,5\n")
    told = here("targets", "--year", 2025, "--stored-goals", "--pins", pins, code=1).err
    assert "the goal of HQ, 20,000.55, and its pin, 5, contradict each other" in told
    floors, caps = (given(tmp_path, UNITS + f"B01,LENDING,{v}\n", f"{v}.csv") for v in (90, 80))
    told = here("targets", "--year", 2025, "--floors", floors, "--caps", caps, code=1).err
    assert "the floor of B01, 90.00, is above its cap, 80.00" in told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["targets", "--year", 2024], "the year 2024 is over by 2024-Q4"),
        (["targets", "--year", 2026, "--stored-goals"], "came without goals for 2026"),
        (["targets", "--year", 2017, "--as-of", "2017-Q1"], "a whole year of figures to start from"),
        (["targets", "--year", 2025, "--pins", "nowhere.csv"], "no such file"),
        (["targets", "--year", 2025, "--pins", "."], "no such file"),
        (["forecast", "--horizon", 4, "--indicator", "NOPE"], "NOPE"),
        (["explain", "target", "--unit", "B99", "--indicator", "LENDING"], "B99"),
        (["explain", "target", "--unit", "B01", "--indicator", "SEEN"], "no suggested target for B01 on SEEN"),
        (["outlook", "--targets", "nowhere.csv"], "no such file"),
        (["calibrate", "--targets", "nowhere.csv"], "no such file"),
    ],
)
def test_what_cannot_be_answered_is_said(here: CommandLine, arguments: list[object], expected: str) -> None:
    told = here(*arguments, code=1).err
    assert expected in told
    assert "Hint:" in told


def test_a_plan_goes_into_a_folder_only(here: CommandLine, tmp_path: Path) -> None:
    taken = given(tmp_path, "x", "taken")
    told = here("targets", "--year", 2025, "--stored-goals", "--plan", taken, code=1).err
    assert "this is no folder" in told
    told = here("targets", "--year", 2025, "--plan", tmp_path / "none", "--out", tmp_path / "t.csv").err
    assert "no plan to write" in told
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_outlook_and_calibration_read_what_targets_wrote(
    here: CommandLine, set_targets: Path, tmp_path: Path, suffix: str
) -> None:
    from serving.tables import write_table

    path = tmp_path / f"targets{suffix}"
    write_table(pd.read_csv(set_targets), path)
    here("outlook", "--targets", path, "--as-of", "2024-Q2", "--out", tmp_path / "outlook.csv")
    frame = pd.read_csv(tmp_path / "outlook.csv")
    known = frame[frame["target"].notna()]
    assert known["p_attain"].between(0, 1).all()
    assert (frame["as_of"] == "2024-Q2").all()
    told = here("calibrate", "--targets", path, "--as-of", "2024-Q2", "--out", tmp_path / "moves.csv").err
    moves = pd.read_csv(tmp_path / "moves.csv")
    assert "校准" in told or "调整" in told
    assert (moves.loc[~moves["moved"], "new_target"] == moves.loc[~moves["moved"], "old_target"]).sum() == (
        ~moves["moved"] & moves["old_target"].notna()
    ).sum()
    assert moves["moved"].sum() <= 0.2 * len(moves)


def test_a_calibration_keeps_totals_and_minds_relief(here: CommandLine, set_targets: Path, tmp_path: Path) -> None:
    relief = given(tmp_path, "unit,indicator\nN,LENDING\n", "relief.csv")
    out = tmp_path / "moves.csv"
    asked = ("calibrate", "--targets", set_targets, "--as-of", "2024-Q3", "--out", out)
    here(*asked, "--keep-total")
    moves = pd.read_csv(out).query("indicator == 'LENDING'")
    for region in (NORTH, SOUTH):
        mine = moves[moves["unit"].isin(region)]
        assert sum(map(Decimal, mine["old_target"].astype(str))) == sum(map(Decimal, mine["new_target"].astype(str)))
    here(*asked, "--relief", relief, "--relief-only")
    assert not (pd.read_csv(out)["reason"] == "eased").any()
    told = here(*asked, "--relief", given(tmp_path, "unit,indicator\nX,LENDING\n", "bad.csv"), code=1).err
    assert "'X'" in told
    told = here(*asked, "--relief", given(tmp_path, "unit\nN\n", "one.csv"), code=1).err
    assert "a column called 'indicator'" in told


HEAD = "unit,indicator,year,target\n"
BAD_TARGETS = {
    "empty": ("t.csv", "", ["a header line"]),
    "only a header": ("t.csv", HEAD, ["holds no target"]),
    "unknown unit": ("t.csv", HEAD + "B99,LENDING,2024,5\n", ["'B99'", "line 2"]),
    "only watched": ("t.csv", HEAD + "B01,SEEN,2024,5\n", ["may have targets"]),
    "twice": ("t.csv", HEAD + "B01,LENDING,2024,5\nB01,LENDING,2024,6\n", ["each key once"]),
    "no year": ("t.csv", HEAD + "B01,LENDING,2024.5,5\n", ["a year such as 2025"]),
    "no number": ("t.csv", HEAD + "B01,LENDING,2024,much\n", ["'much'", "a finite number"]),
    "no target": ("t.csv", HEAD + "B01,LENDING,2024,\n", ["no row has a target"]),
    "over": ("t.csv", HEAD + "B01,LENDING,2023,5\n", ["the year 2023 is over by 2024-Q2"]),
    "damaged book": ("t.xlsx", b"PK\x03\x04 broken", ["t.xlsx"]),
    "no book": ("t.xlsx", "unit,indicator\n", ["t.xlsx"]),
    "damaged parquet": ("t.parquet", b"PAR1 broken", ["Parquet"]),
    "another format": ("t.json", "[]", [".csv"]),
}


@pytest.mark.parametrize("kind", BAD_TARGETS)
def test_targets_that_cannot_be_looked_at_are_named(here: CommandLine, tmp_path: Path, kind: str) -> None:
    name, text, expected = BAD_TARGETS[kind]
    told = here("outlook", "--targets", given(tmp_path, text, name), "--as-of", "2024-Q2", code=1).err
    for part in [*expected, "Hint:"]:
        assert part in told


def test_only_a_year_that_has_begun_is_calibrated(here: CommandLine, set_targets: Path) -> None:
    told = here("calibrate", "--targets", set_targets, "--as-of", "2023-Q4", code=1).err
    assert "the year 2024 has not begun by 2023-Q4" in told


def test_a_goal_may_be_broken_down_within_the_year(here: CommandLine, tmp_path: Path) -> None:
    goals = given(tmp_path, GOALS + "HQ,LENDING,2024,19200\n")
    out, plan = tmp_path / "t.csv", tmp_path / "plan"
    here("targets", "--year", 2024, "--as-of", "2024-Q2", "--goals", goals, "--plan", plan, "--out", out)
    lending = pd.read_csv(out).query("indicator == 'LENDING'").set_index("unit")
    assert round(lending.loc[BRANCHES, "target"].sum(), 6) == 19200
    np.testing.assert_allclose(pd.read_csv(plan / "lines.csv")["last_actual"], lending.loc[BRANCHES, "last_actual"])
