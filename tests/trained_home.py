"""What a home must hold after a training run that was carried through: one of everything, and nothing half-done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.bundle import PARTIAL_SUFFIX
from training.promote import candidates, champion, history
from training.retraining.runs import Run
from training.track import Tracker


@dataclass(frozen=True)
class Trained:
    """Digests of the champions by name, and the names of the steps in the order in which they were finished."""

    champions: dict[str, str]
    finished: tuple[str, ...]


def checked(home: Path, run: Run, *names: str) -> Trained:
    """Check a home after a run; give what it came to.

    Raises
    ------
    AssertionError
        Where anything is there twice, half or not at all.
    """
    assert run.state == "done", run.events[-1].text.en
    result = run.result
    assert result is not None
    tracker = Tracker(home)
    champions = {}
    for name in names:
        found = champion(home, name)
        assert found is not None, name
        assert len(history(home, name)) == 1
        assert [each.digest for each in candidates(home, name)] == [found.digest]
        versions = tracker.client.search_model_versions(f"name = '{name}'")
        assert len(versions) == 1
        assert versions[0].tags["loadline.digest"] == found.digest
        by_alias = tracker.client.get_model_version_by_alias(name, "champion")
        assert by_alias.version == versions[0].version
        experiment = tracker.client.get_experiment_by_name(name)
        assert experiment is not None
        recorded = tracker.client.search_runs([experiment.experiment_id])
        assert [each.info.status for each in recorded] == ["FINISHED"]
        fetched = tracker.fetch(name, "champion", into=home / f"fetched-{name}")
        assert fetched.digest == found.digest
        champions[name] = found.digest
    left = [path for path in home.rglob(f"*{PARTIAL_SUFFIX}") if "fetched" not in str(path)]
    assert not left, left
    finished = tuple(event.step for event in run.events if event.kind == "finished")
    return Trained(champions, finished)
