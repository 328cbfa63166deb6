"""Policies on the command line, as HR uses it: check, compare, activate, look, go back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from command_line import CommandLine
from serving_home import advisor_at, write_dataset

from models.policy.reading import read_policy
from models.policy.shipped import shipped, shipped_text


def document(version: str = "1", first: str = "2025-01-01", **changes: Any) -> dict[str, Any]:
    return {
        "policy": 1,
        "id": "quality",
        "version": version,
        "title": {"en": "Quality alone", "zh": "只看质量"},
        "source": "made for a test",
        "effective": {"from": first},
        "level": "internal",
        "scorecards": [
            {
                "id": "all",
                "title": {"en": "All units", "zh": "全部单位"},
                "items": [{"indicator": "NPL_RATIO", "weight": 100, "rule": {"kind": "ratio"}}],
            }
        ],
    } | changes


def written(path: Path, content: dict[str, Any] | str) -> Path:
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


class Line(CommandLine):
    """Gives what a command prints, and keeps what it said on stderr."""

    told = ""

    def __call__(self, *arguments: object, code: int = 0) -> str:  # type: ignore[override]
        told = super().__call__(*arguments, code=code, at_home=arguments[1:2] != ("schema",))
        self.told = told.err
        return told.out

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--format", "json", code=code))


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Line:
    """A home with data."""
    advisor_at(tmp_path / "home").ingest(write_dataset(tmp_path / "dataset"))
    return Line(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Line:
    """A home with nothing in it."""
    return Line(tmp_path / "home", monkeypatch, capsys)


DECIDED = ("--by", "Li Ming", "--reason", "agreed by the board")


def test_a_sound_policy_passes_and_the_check_says_against_what(line, tmp_path):
    path = written(tmp_path / "own.yaml", document())
    assert line("policy", "check", path) == "quality@1: no finding, checked against hostile-bank, data version 1.\n"
    assert line.json("policy", "check", path) == {
        "policy": "quality@1",
        "against": "hostile-bank, data version 1",
        "errors": 0,
        "findings": [],
    }


def test_without_data_the_builtin_library_is_asked(empty, tmp_path):
    wrong = written(tmp_path / "own.yaml", document())
    found = empty.json("policy", "check", wrong, code=1)
    assert found["against"] == "the built-in library"
    assert any("NPL_RATIO" in finding["what"]["en"] for finding in found["findings"])


def test_every_error_is_listed_in_both_languages_and_ends_with_one(line, tmp_path):
    wrong = document()
    rule = {"kind": "ratio"}
    wrong["scorecards"][0]["items"] = [
        {"indicator": "NPL_RATIO", "weight": 90, "rule": rule},
        {"indicator": "NOPE", "weight": 15, "rule": rule},
    ]
    path = written(tmp_path / "wrong.yaml", wrong)
    shown = line("policy", "check", path, code=1)
    found = line.json("policy", "check", path, code=1)
    errors = [finding for finding in found["findings"] if finding["severity"] == "error"]
    assert found["errors"] == len(errors) >= 2
    for finding in found["findings"]:
        assert finding["code"] in shown
        assert finding["where"] in shown
        assert finding["what"]["en"] in shown
        assert finding["what"]["zh"] in shown
    assert "105" in shown
    assert f"{found['errors']} errors" in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "policy: 1"), ("policy: 1\nid: [", "YAML"), ("- 1\n- 2\n", "policy"), ("policy: 1\nweigths: 3\n", "weigths")],
)
def test_a_file_that_is_no_policy_is_answered_in_words(line, tmp_path, content, words):
    path = written(tmp_path / "odd.yaml", content)
    for command in (("check", path), ("activate", path, *DECIDED), ("show", path), ("diff", path, path)):
        line("policy", *command, code=1)
        assert "odd.yaml" in line.told
        assert words in line.told
        assert "Traceback" not in line.told


def test_a_missing_file_is_named(line, tmp_path):
    for command in ("check", "show"):
        line("policy", command, tmp_path / "gone.yaml", code=1)
        assert "gone.yaml" in line.told


def test_a_dataset_with_a_wrong_policy_is_refused_whole(line, tmp_path):
    folder = tmp_path / "dataset"
    written(folder / "policy.yaml", document())
    line("ingest", folder)
    before = line("snapshots", "--format", "json")
    item = {"indicator": "NPL_RATIO", "weight": 90, "rule": {"kind": "ratio"}}
    cards = [document()["scorecards"][0] | {"items": [item]}]
    for wrong, words in (
        (document(scorecards=cards), "the weights sum to 90, not 100"),
        (document(levle="internal"), "levle"),
    ):
        written(folder / "policy.yaml", wrong)
        line("ingest", folder, code=1)
        assert words in line.told
        assert line("snapshots", "--format", "json") == before


def test_the_life_of_a_policy(line, tmp_path):
    first = written(tmp_path / "one.yaml", document())
    second = written(tmp_path / "two.yaml", document("2", "2100-01-01", ratchet_cap=0.4))
    line("policy", "activate", first, *DECIDED)
    done = line("policy", "activate", second, *DECIDED)
    assert done == (
        "quality@2 is in force from 2100-01-01, activated by Li Ming: agreed by the board\n"
        "quality@1 ends on 2099-12-31.\n"
    )
    listed = line.json("policy", "list")
    assert [(row["policy"], row["in_force_from"], row["in_force_until"], row["in_force_today"]) for row in listed] == [
        ("quality@1", "2025-01-01", "2099-12-31", True),
        ("quality@2", "2100-01-01", None, False),
    ]
    assert {row["by"] for row in listed} == {"Li Ming"}
    shown = written(tmp_path / "shown.yaml", line("policy", "show", "quality@2"))
    assert read_policy(shown) == read_policy(second)
    assert read_policy(written(tmp_path / "last.yaml", line("policy", "show", "quality"))) == read_policy(second)
    active = written(tmp_path / "active.yaml", line("policy", "show", "active"))
    assert str(read_policy(active).effective.until) == "2099-12-31"
    assert [change["kind"] for change in line.json("policy", "diff", "quality@1", "quality@2")] == [
        "identity",
        "period",
        "period",
        "ratchet",
    ]
    back = line("policy", "withdraw", "--by", "Wang Fang", "--reason", "complaints")
    assert back == "quality@2, in force from 2100-01-01, is withdrawn by Wang Fang: complaints\n"
    assert [row["in_force_until"] for row in line.json("policy", "list")] == [None]
    actions = [(row["action"], row["policy"], row["by"]) for row in line.json("policy", "list", "--history")]
    assert actions == [
        ("activate", "quality@1", "Li Ming"),
        ("activate", "quality@2", "Li Ming"),
        ("withdraw", "quality@2", "Wang Fang"),
    ]


def test_the_list_is_a_file_too(line, tmp_path):
    line("policy", "activate", written(tmp_path / "one.yaml", document()), *DECIDED)
    out = tmp_path / "list.csv"
    line("policy", "list", "--out", out)
    assert pd.read_csv(out)["policy"].tolist() == ["quality@1"]


def test_differences_are_told_in_both_languages_with_what_they_ask_for(line, tmp_path):
    old = written(tmp_path / "old.yaml", document())
    changed = document()
    changed["gates"] = [{"kind": "total_cap", "id": "cap", "title": {"en": "Cap", "zh": "封顶"}, "at": 120}]
    new = written(tmp_path / "new.yaml", changed)
    assert line("policy", "diff", old, new) == (
        "- Cap: the gate is added: total cap, limit 120.\n"
        "  封顶：新增约束规则：总分封顶，限值120。\n"
        "\n"
        "What this asks for / 须采取的措施：\n"
        "- gates: Replay limits and gates on the points on record; points of items stay as they are, and no model "
        "learns again.\n"
        "  仅以已有得分重新执行加减分限额与封顶、保护、降级、否决规则；各项得分不变，模型不必重训。\n"
    )
    assert line("policy", "diff", old, old) == "Nothing is different.\n两者没有差异。\n"
    assert line.json("policy", "diff", old, old) == []


def test_a_name_nobody_knows_is_answered_with_the_names_there_are(line):
    line("policy", "show", "moonlight", code=1)
    assert "no policy is called 'moonlight'" in line.told
    assert "retail-line" in line.told
    line("policy", "show", "active", code=1)
    assert "no policy is in force today" in line.told


def test_ready_made_policies_are_shown_without_data(empty, tmp_path):
    shown = empty("policy", "show", "retail-line")
    own = read_policy(written(tmp_path / "own.yaml", shown))
    assert own == shipped()["retail-line"]
    assert shown == shipped_text("retail-line")
    assert len(empty.json("policy", "diff", "retail-line", "corporate-line")) > 3
    assert empty.json("policy", "show", "retail-line")["policy"] == 1
    assert not (tmp_path / "home").exists()


def test_activating_needs_data_a_name_and_a_reason(line, tmp_path):
    path = written(tmp_path / "one.yaml", document())
    line("policy", "activate", path, "--by", "Li Ming", "--reason", " ", code=1)
    assert "a name and a reason" in line.told
    line("policy", "activate", path, "--by", "Li Ming", code=2)
    line("policy", "withdraw", *DECIDED, code=1)
    assert "no policy is active" in line.told
    bare = Line(tmp_path / "bare", line.patch, line.capsys)
    bare("policy", "activate", path, *DECIDED, code=1)
    assert "Hint:" in bare.told


def test_warnings_are_accepted_by_name(line, tmp_path):
    unsafe = document()
    unsafe["scorecards"][0]["items"] = [
        {"indicator": "NPL_RATIO", "weight": 40, "rule": {"kind": "ratio"}, "perspective": "customer"},
        {"indicator": "LOANS", "weight": 60, "against": "peers", "rule": {"kind": "ratio"}},
    ]
    path = written(tmp_path / "unsafe.yaml", unsafe | {"level": "owner"})
    codes = [finding["code"] for finding in line.json("policy", "check", path)["findings"]]
    assert codes
    line("policy", "activate", path, *DECIDED, code=1)
    assert f"--accept {sorted(codes)[0]}" in line.told
    given = [part for code in dict.fromkeys(codes) for part in ("--accept", code)]
    done = line.json("policy", "activate", path, *DECIDED, *given)
    assert {finding["finding"] for finding in done["accepted"]} == set(codes)
    assert line.json("policy", "list")[0]["accepted"] == ", ".join(sorted(set(codes)))


def test_the_check_knows_the_active_version_before(line, tmp_path):
    line("policy", "activate", written(tmp_path / "one.yaml", document() | ends("2025-12-31")), *DECIDED)
    for first, code in (("2026-01-01", 0), ("2026-01-02", 1), ("2025-12-31", 1)):
        line("policy", "check", written(tmp_path / "two.yaml", document("2", first)), code=code)


def ends(until: str) -> dict[str, Any]:
    return {"effective": {"from": "2025-01-01", "until": until}}


def test_a_policy_cannot_begin_on_another_ones_days(line, tmp_path):
    line("policy", "activate", written(tmp_path / "one.yaml", document() | ends("2025-12-31")), *DECIDED)
    second = written(tmp_path / "two.yaml", document("2", "2025-07-01"))
    line("policy", "activate", second, *DECIDED, code=1)
    assert "--cut-short" in line.told
    line("policy", "activate", second, *DECIDED, "--cut-short")
    assert [row["in_force_until"] for row in line.json("policy", "list")] == ["2025-06-30", None]


def test_targets_follow_the_active_policy(line, tmp_path):
    levels = {
        name: {"probability": p, "points": points}
        for name, p, points in (("floor", 0.9, 80), ("target", 0.7, 100), ("stretch", 0.3, 120))
    }
    plain, ruled = tmp_path / "plain.csv", tmp_path / "ruled.csv"
    line("targets", "--year", 2025, "--out", plain)
    line("policy", "activate", written(tmp_path / "one.yaml", document(targets=levels)), *DECIDED)
    line("targets", "--year", 2025, "--out", ruled)
    before, after = pd.read_csv(plain), pd.read_csv(ruled)
    assert set(before["policy_version"]) == {"default-1"}
    assert set(after["policy_version"]) == {"quality@1"}
    assert after["p_target"].median() > before["p_target"].median()
    stands = tmp_path / "stands.csv"
    line("outlook", "--targets", ruled, "--out", stands)
    assert set(pd.read_csv(stands)["policy_version"]) == {"quality@1"}


def test_the_report_of_the_impact_is_named_in_the_record(line, tmp_path):
    path, report = written(tmp_path / "one.yaml", document()), tmp_path / "report.html"
    line("policy", "activate", path, *DECIDED, "--impact", report, code=1)
    assert "report.html" in line.told
    report.write_text("<p>who gains, who loses</p>", encoding="utf-8")
    assert line.json("policy", "activate", path, *DECIDED, "--impact", report)["impact"] == str(report)


def test_kept_suggestions_are_those_of_the_policy_in_force(line, tmp_path):
    suggesting = advisor_at(line.home).suggesting
    kept = line.home / "suggestions"

    def versions() -> set[str]:
        return set(suggesting.table(2025)["policy_version"])

    assert versions() == {"default-1"}
    line("policy", "activate", written(tmp_path / "one.yaml", document(ratchet_cap=0.4)), *DECIDED)
    assert versions() == {"quality@1"}
    assert len(list(kept.iterdir())) == 2
    line("policy", "withdraw", *DECIDED)
    assert versions() == {"default-1"}
    assert len(list(kept.iterdir())) == 2
    assert suggesting.explain_target("N01", "NPL_RATIO")["policy_version"] == "default-1"


def test_closed_periods_never_change(line, tmp_path):
    own = document(first="2020-01-01")
    own["scorecards"][0]["items"][0] |= {"against": "last_year"}
    line("policy", "activate", written(tmp_path / "one.yaml", own), *DECIDED)
    line("score", "--period", "2024", "--close", *DECIDED, "--out", tmp_path / "scores.csv")
    line("policy", "withdraw", *DECIDED, code=1)
    assert "periods are closed up to 2024-12-31" in line.told
    line("policy", "activate", written(tmp_path / "two.yaml", document("2", "2024-12-31")), *DECIDED, code=1)
    assert "a version can begin on 2025-01-01 or later" in line.told
    line("policy", "activate", written(tmp_path / "two.yaml", document("2", "2025-01-01")), *DECIDED)
    line("policy", "withdraw", *DECIDED)
    assert [row["policy"] for row in line.json("policy", "list")] == ["quality@1"]


def test_the_schema_is_one(line):
    schema = json.loads(line("policy", "schema"))
    assert "scorecards" in schema["properties"]
