"""A home over two years of changes: each run does what the change asks for, and its log says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import warning_bank
from retraining_bank import advisor_at

from features.dataset import open_dataset
from serving.advisor import Advisor
from serving.training_report import TrainingReport
from training.promote import champion, champion_digest, history
from training.retraining.runs import Run

TARGET, WARNING = "target-small", "warning-small"
POLICY = """policy: 1
id: small
version: "{version}"
title: {{en: Small bank, zh: 小银行}}
source: a test
effective: {{from: {start}}}
level: internal
scorecards:
  - id: all
    title: {{en: All, zh: 全部}}
    items:
      - {{indicator: NPL, weight: {npl}, against: last_year, rule: {{kind: ratio, cap: 130}}}}
      - {{indicator: FEES, weight: {fees}, against: last_year, rule: {{kind: ratio, cap: 130}}}}
not_scored:
  - {{level: [group, region]}}
"""


def activate(advisor: Advisor, folder: Path, version: str, *, npl: int, start: str) -> None:
    """Put a policy in force in which bad loans have this weight."""
    path = folder / f"policy-{version}.yaml"
    path.write_text(POLICY.format(version=version, npl=npl, fees=100 - npl, start=start))
    accept = [finding.code for finding in advisor.policies.check(path).findings if finding.severity == "warning"]
    advisor.policies.activate(path, by="Wang Fang", reason="a test", accept=sorted(set(accept)))


def train(advisor: Advisor, *, again: bool = False) -> Run:
    run, _ = advisor.training.request(by="Li Ming", trials=0, seed=7, again=again)
    advisor.training.work(run)
    assert run.state == "done", run.events[-1].text.en
    return run


def finished(run: Run) -> list[str]:
    return [event.step for event in run.events if event.kind == "finished"]


def decided(run: Run) -> dict[str, str]:
    return {event.figures["subject"]: event.figures["what"] for event in run.events if event.kind == "decided"}


@pytest.fixture(scope="module")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    place = tmp_path_factory.mktemp("workflow")
    advisor = advisor_at(place / "home")
    activate(advisor, place, "1", npl=50, start="2022-01-01")
    return advisor


@pytest.fixture(scope="module")
def first(advisor: Advisor) -> Run:
    return train(advisor)


def test_a_first_run_trains_everything(advisor: Advisor, first: Run) -> None:
    assert decided(first) == {"target": "retrain", "warning": "retrain", "scores": "keep", "history": "none"}
    home = advisor.settings.home
    for name in (TARGET, WARNING):
        found = champion(home, name)
        assert found is not None
        assert found.meta["policy_version"].startswith("small@1 ")
        assert history(home, name)[-1].run == first.name
    report = TrainingReport.of(first)
    assert report.promoted
    assert len(report.table()) == 3
    assert report.lines[0]["en"].endswith("promoted; it serves from now on.")
    assert report.lines[0]["zh"].endswith("已上线。")


def test_the_same_request_is_done_once(advisor: Advisor, first: Run) -> None:
    before = len(first.events)
    again = train(advisor)
    assert again.name == first.name
    assert len(again.events) == before
    assert len(advisor.training.runs()) == 1


def test_weights_alone_train_nothing_and_are_scored_in_shadow(advisor: Advisor, first: Run, tmp_path: Path) -> None:
    home = advisor.settings.home
    digests = [champion_digest(home, name) for name in (TARGET, WARNING)]
    activate(advisor, tmp_path, "2", npl=80, start="2022-01-02")
    run = train(advisor)
    assert run.name != first.name
    assert decided(run) == {"target": "keep", "warning": "keep", "scores": "rescore", "history": "none"}
    assert finished(run) == ["read", "decide", "scores.shadow", "close"]
    told = {event.figures["subject"]: event.text.en for event in run.events if event.kind == "decided"}
    assert "weight" in told["scores"].lower()
    assert "stays as it is" in told["target"]
    assert [champion_digest(home, name) for name in (TARGET, WARNING)] == digests
    assert (run.work / "shadow" / "report.html").is_file()
    report = TrainingReport.of(run)
    assert not report.promoted
    assert report.table().empty
    assert any("score" in line["en"] for line in report.lines)


def test_a_definition_trains_again_and_marks_the_break(advisor: Advisor, first: Run, tmp_path: Path) -> None:
    folder = warning_bank.write_bank(tmp_path / "bank")
    text = (folder / "indicators.yaml").read_text()
    assert "{code: FEES," in text
    changed = text.replace("{code: FEES,", '{code: FEES, definition_version: "2",')
    (folder / "indicators.yaml").write_text(changed)
    figures = (folder / "observations.csv").read_text().splitlines(keepends=True)
    late = [line for line in figures if ",FEES," not in line or line.split(",")[1] == "2021" or "unit" in line[:4]]
    (folder / "observations.csv").write_text("".join(late))
    advisor.store.ingest(open_dataset(folder, stored=advisor.store.stored_indicators), now=warning_bank.NOW)
    run = train(advisor)
    assert decided(run)["target"] == "retrain"
    assert decided(run)["history"] == "break"
    assert {"target.fit", "target.promote"} <= set(finished(run))
    told = {event.figures["subject"]: event.text.en for event in run.events if event.kind == "decided"}
    assert "FEES" in told["history"]
    result = run.result
    assert result is not None
    assert {gate["name"] for gate in result["target"]["gates"]} >= {"not_worse_than_champion", "stable_explanations"}


def test_training_again_on_purpose_gives_the_same_model(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path / "home")
    digests = []
    for again in (False, True):
        run = train(advisor, again=again)
        result = run.result
        assert result is not None
        digests.append([result[kind]["digest"] for kind in ("target", "warning")])
    assert digests[0] == digests[1]
    assert "the same as the champion to the last byte" in result["target"]["text"]["en"]
    assert len(history(tmp_path / "home", TARGET)) == 1


def test_a_cancelled_run_stops_and_leaves_the_champion(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path / "home")
    run, _ = advisor.training.request(by="Li Ming", trials=0, seed=7)
    advisor.training.cancel(run.name)
    advisor.training.work(run)
    assert run.state == "cancelled"
    assert finished(run) == []
    assert champion(tmp_path / "home", TARGET) is None
    again, new = advisor.training.request(by="Li Ming", trials=0, seed=7)
    assert new
    assert again.request.attempt == 2
