"""A new warning model is taken up in the background: each answer is of one model, and a bad one changes nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import warning_bank
from serving_home import ADDRESS, BEARER, TOKEN
from starlette.testclient import TestClient
from waiting import until

from serving.advisor import Advisor
from serving.app import create_app
from serving.one_version import one_version
from serving.settings import Settings
from training.gating.gate import Gate
from training.promote import promote
from training.promotion.copies import copy_folder
from training.promotion.history import champion_digest
from training.review.labels import reviewed_labels
from training.warning.champion import warning_bundle
from training.warning.fitting import fitted, model_name
from training.warning.gathering import gathered
from training.warning.schedule import terms

MODEL = model_name("small")
GATES = [Gate("enough_cases", True, None, (), {"en": "Enough.", "zh": "足够。"})]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory):
    """Two models that answer about the newest period."""
    place = tmp_path_factory.mktemp("fitted")
    snapshot = warning_bank.stored(place)
    _, known = gathered(snapshot, snapshot.span[1], reviewed=reviewed_labels(place, "small"))
    origin = terms(snapshot.description.calendar, known.last, known.last, begin=known.first)[-1].origin
    found = [warning_bundle(known, fitted(known, origin, seed=seed), seed=seed, policy="own@1") for seed in (3, 4)]
    assert found[0].digest != found[1].digest
    return found


@pytest.fixture
def advisor(tmp_path: Path) -> Advisor:
    advisor = Advisor(Settings(home=tmp_path / "home"), clock=lambda: warning_bank.NOW)
    advisor.ingest(warning_bank.write_bank(tmp_path / "bank"))
    return advisor


def make_champion(advisor: Advisor, bundle) -> None:
    home = advisor.settings.home
    now = champion_digest(home, MODEL)
    promote(home, MODEL, bundle, by="t", reason="t", expected_champion=now, gates=GATES, clock=advisor.now)


def test_a_new_warning_model_is_taken_up_whole_and_a_damaged_one_is_not(advisor: Advisor, bundles) -> None:
    first, second = bundles
    make_champion(advisor, first)
    app = create_app(advisor, token=TOKEN)
    client = TestClient(app, base_url=ADDRESS, headers=BEARER)
    models, watching = app.state.desk.in_service, advisor.watching

    def listed() -> tuple[str, str, str]:
        answer = client.get("/api/v1/alerts", params={"all": True})
        assert answer.status_code == 200
        return answer.json()["versions"]["model_version"], answer.headers["ETag"], answer.text

    seen = [listed()]
    assert seen[0][0] == first.version
    make_champion(advisor, second)
    with one_version():
        before = watching.watch()
        until(lambda: found_outside(models) == second.version)
        assert watching.watch() is before, "a request that has begun ends as it began"
    while seen[-1][0] != second.version:
        seen.append(listed())
    assert len({version for version, _, _ in seen}) == len(set(seen)) == 2, "nothing in between"
    newest = watching.watch()
    assert newest.about["model_version"] == second.version
    assert not np.array_equal(newest.answer.probability, before.answer.probability)

    path = copy_folder(advisor.settings.home, MODEL, first.digest) / "meta.json"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    good = path.read_bytes()
    record = path.parents[1] / "promotions.jsonl"
    assert record.is_file()
    make_champion(advisor, first)  # which repairs the copy, and it is at hand besides
    until(lambda: found_outside(models) == first.version)
    assert path.read_bytes() != good
    path.write_bytes(good)
    assert until(lambda: (state := models.state("warnings", "small")) != "ok" and state).startswith("degraded: ")
    assert listed()[0] == first.version
    assert client.get("/readyz").json()["components"]["warnings"] == "degraded"


def found_outside(models) -> str | None:
    """Give the version that another request would be answered by."""
    seen: list[str] = []
    asker = threading.Thread(target=lambda: seen.append(models.warning_model("small").version))
    asker.start()
    asker.join()
    return seen[0] if seen else None


def test_without_a_sound_model_the_service_warns_as_without_any(advisor: Advisor, bundles) -> None:
    plain = advisor.watching.watch()
    make_champion(advisor, bundles[0])
    (copy_folder(advisor.settings.home, MODEL, bundles[0].digest) / "meta.json").write_bytes(b"{}")
    app = create_app(advisor, token=TOKEN)
    assert app.state.desk.in_service.warning_model("small") is None
    assert advisor.watching.watch() is plain
    assert app.state.desk.in_service.state("warnings", "small").startswith("degraded: ")
