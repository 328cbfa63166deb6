"""A training run from asking to serving: registered, promoted, reproducible, and asked only for what it may know."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import quarterly_bank

from features.dataset import open_dataset
from features.errors import LoadlineError
from serving.advisor import Advisor
from serving.settings import Settings
from training.promote import champion, champion_digest, history, rollback
from training.retraining.context import Context, Workplace
from training.retraining.runs import Run
from training.retraining.target_trainee import TargetTrainee
from training.suggest import suggest_targets
from training.target_model import model_name
from training.track import Tracker

NAME = model_name("quarters")


def advisor_at(place: Path, *, targets: bool = True) -> Advisor:
    advisor = Advisor(Settings(home=place / "home"), clock=clock)
    folder = quarterly_bank.write_bank(place / "bank")
    if not targets:
        text = (folder / "indicators.yaml").read_text().replace("core: true", "target_allowed: false")
        (folder / "indicators.yaml").write_text(text)
    advisor.store.ingest(open_dataset(folder), now=quarterly_bank.NOW)
    return advisor


def clock() -> datetime:
    return quarterly_bank.NOW


def trained(advisor: Advisor, *, as_of: str | None = None, again: bool = False) -> Run:
    run, _ = advisor.training.request(by="Li Ming", kinds=("target",), trials=0, as_of=as_of, again=again)
    advisor.training.work(run)
    return run


@pytest.fixture(scope="module")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    return advisor_at(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def run(advisor: Advisor) -> Run:
    return trained(advisor)


def test_the_model_is_registered_promoted_and_serves(advisor: Advisor, run: Run, tmp_path: Path) -> None:
    home, snapshot = advisor.settings.home, advisor.snapshot()
    assert run.state == "done", run.events[-1].text.en
    serving = champion(home, NAME)
    assert serving is not None
    assert serving.meta["fingerprint"] == snapshot.about.fingerprint
    promotion = history(home, NAME)[-1]
    assert (promotion.by, promotion.run) == ("Li Ming", run.name)
    assert Tracker(home).fetch(NAME, "champion", into=tmp_path / "fetched").digest == serving.digest
    origin = snapshot.description.calendar.parse("2023-Q4")
    frame = suggest_targets(snapshot, 2024, home=home, origin=origin, latest=True).frame
    assert set(frame["model_version"]) == {serving.version}


def test_again_trains_although_nothing_has_changed_and_is_one_run_while_it_waits(advisor: Advisor, run: Run) -> None:
    def ask(*, again: bool) -> str:
        return advisor.training.request(by="somebody else", kinds=("target",), trials=0, again=again)[0].name

    assert ask(again=False) == run.name
    assert ask(again=True) == ask(again=True) != run.name
    elsewhere, _ = advisor.training.request(by="Li Ming", kinds=("target",), trials=0, seed=9, again=True)
    assert elsewhere.request.attempt == 2, "a first attempt may find that nothing is to be done"


def test_the_same_training_gives_the_same_model(advisor: Advisor, run: Run, tmp_path: Path) -> None:
    other = advisor_at(tmp_path)
    trained(other)
    first, second = champion(advisor.settings.home, NAME), champion(other.settings.home, NAME)
    assert first is not None
    assert second is not None
    assert first.digest == second.digest


def test_a_champion_that_knew_later_figures_does_not_answer_for_the_past(advisor: Advisor, run: Run) -> None:
    snapshot = advisor.snapshot()
    for as_of, year in (("2022-Q4", 2023), ("2023-Q3", 2023)):
        origin = snapshot.description.calendar.parse(as_of)
        frame = suggest_targets(snapshot, year, home=advisor.settings.home, origin=origin, latest=False).frame
        assert set(frame["model_version"]) == {"fitted-on-request"}


def test_what_a_run_has_promoted_it_does_not_promote_again_after_a_rollback(tmp_path: Path) -> None:
    """A run killed between its promotion and the note of it goes on after people have decided otherwise."""
    advisor = advisor_at(tmp_path)
    home = advisor.settings.home
    (home / "gates.yaml").write_text("target: {stable_explanations: {thresholds: {overlap: 0}}}\n")
    trained(advisor, as_of="2022-Q4")
    second = trained(advisor, as_of="2023-Q4")
    assert [line.run for line in history(home, NAME)][1:] == [second.name]
    back = rollback(
        home, NAME, by="Wang Fang", reason="a test", expected_champion=champion_digest(home, NAME), clock=clock
    )
    place = Workplace(home, advisor.store, Tracker(home), clock)
    again = TargetTrainee(Context(place, second)).promote()
    assert again.figures["promoted"]
    assert champion_digest(home, NAME) == back.champion


def test_a_card_that_was_signed_stays_so_when_the_same_model_is_trained_again(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path)
    (advisor.settings.home / "gates.yaml").write_text("two_people: true\n")
    first = trained(advisor)
    advisor.modelling.promote("target", by="Wang Fang", reason="Looked at")
    second = trained(advisor, again=True)
    assert second.name != first.name
    assert len(history(advisor.settings.home, NAME)) == 1
    assert "Wang Fang" in advisor.modelling.card("target").read_text()


def test_data_that_was_stored_anew_since_the_request_is_not_taken_for_what_was_asked(tmp_path: Path) -> None:
    advisor = advisor_at(tmp_path)
    run, _ = advisor.training.request(by="Li Ming", kinds=("target",), trials=0)
    (advisor.settings.home / "store").rename(tmp_path / "away")
    other = quarterly_bank.write_bank(tmp_path / "other", restated=True)
    advisor.store.ingest(open_dataset(other), now=quarterly_bank.NOW)
    advisor.training.work(run)
    assert run.state == "failed"
    assert "stored anew" in run.events[-1].text.en


def test_a_dataset_without_targets_says_so(tmp_path: Path) -> None:
    run = trained(advisor_at(tmp_path, targets=False))
    assert run.state == "failed"
    assert "target_allowed" in run.events[-1].text.en
    with pytest.raises(LoadlineError, match="no training run"):
        advisor_at(tmp_path / "other").training.run(run.name)


@pytest.mark.parametrize("kinds", [("targets",), ("target", "scores"), ()])
def test_a_kind_of_model_that_there_is_not_is_refused(advisor: Advisor, kinds: tuple[str, ...]) -> None:
    before = [run.name for run in advisor.training.runs()]
    with pytest.raises(LoadlineError, match="there is no model"):
        advisor.training.request(by="Li Ming", kinds=kinds)
    assert [run.name for run in advisor.training.runs()] == before
