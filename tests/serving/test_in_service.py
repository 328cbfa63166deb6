"""A new champion is taken up while the service answers: nothing fails, nothing is mixed, and no bad model gets in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from running_service import WAIT, Running, running
from serving_home import ADDRESS, BEARER, NOW, TOKEN, advisor_at, write_dataset
from several_versions import (
    ASKED,
    MODEL,
    aborting,
    answers_of,
    crafted,
    endless,
    flip_a_byte,
    make_champion,
    several_models,
)
from starlette.testclient import TestClient
from waiting import LONGEST, until

from features.errors import LoadlineError
from models.bundle import ModelBundle
from serving.app import create_app
from serving.in_service import InService
from serving.trial import Trial
from training.promote import rollback
from training.promotion.history import champion_digest, history

PROMOTIONS = int(os.environ.get("LOADLINE_PROMOTIONS", "10"))
"""LOADLINE_PROMOTIONS asks for more."""
PROMOTE = """
import sys, time
from pathlib import Path
from several_versions import MODEL, NOW, make_champion
from training.promote import rollback
from training.promotion.copies import kept_bundle
from training.promotion.history import champion_digest
home, times, *digests = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
bundles = [kept_bundle(home, MODEL, digest) for digest in digests]
for number in range(times):
    if number % 5 == 4:
        rollback(home, MODEL, by="t", reason="t", expected_champion=champion_digest(home, MODEL), clock=lambda: NOW)
    else:
        now = champion_digest(home, MODEL)
        make_champion(home, next(b for b in bundles[number % 3:] + bundles if b.digest != now))
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def models_home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three models on record. Not to be changed: see `home`."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("models") / "home")
    several_models(home, 3)
    return home


@pytest.fixture(scope="module")
def models(models_home: Path) -> list[ModelBundle]:
    from training.promotion.copies import kept_bundle

    return [kept_bundle(models_home, MODEL, promotion.champion) for promotion in history(models_home, MODEL)]


@pytest.fixture(scope="module")
def expected(
    models_home: Path, models: list[ModelBundle], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """What each model answers, by version and address."""
    place = tmp_path_factory.mktemp("expected")
    return {bundle.version: answers_of(models_home, bundle, place / bundle.version) for bundle in models}


@pytest.fixture
def home(models_home: Path, tmp_path: Path) -> Path:
    return shutil.copytree(models_home, tmp_path / "home")


def version_of(server: Running) -> str:
    """Give the version that answers; "" before any does."""
    status, _, content = server.get(ASKED[0])
    if status == 503:
        return ""
    assert status == 200, content
    found = {item["model_version"] for item in json.loads(content)["items"]}
    assert len(found) == 1, "an answer of two versions"
    return found.pop()


def answered(server: Running, version: str) -> str:
    """Wait until a version answers."""
    return until(lambda: version_of(server) == version and version)


def state(server: Running) -> tuple[int, str]:
    status, _, content = server.get("/readyz")
    return status, json.loads(content)["components"]["model"]


def test_promotions_while_clients_ask_without_pause(
    home: Path, models: list[ModelBundle], expected: dict[str, dict[str, bytes]]
) -> None:
    versions = {content: (path, version) for version in expected for path, content in expected[version].items()}
    assert len(versions) == len(models) * len(ASKED), "the answers of the models differ everywhere"
    got: list[tuple[str, int, bytes, str | None]] = []
    stop = threading.Event()

    def ask(server: Running, first: int) -> None:
        turn = first
        while not stop.is_set():
            path = ASKED[turn % len(ASKED)]
            status, headers, content = server.get(path)
            got.append((path, status, content, headers["ETag"]))
            turn += 1

    with running(home) as server:
        answered(server, models[2].version)
        clients = [threading.Thread(target=ask, args=(server, first)) for first in range(3)]
        for client in clients:
            client.start()
        try:
            for bundle in (models[0], models[1]):
                make_champion(home, bundle)
                answered(server, bundle.version)
            recorded, before = len(history(home, MODEL)), len(got)
            digests = [bundle.digest for bundle in models]
            done = subprocess.run(
                [sys.executable, "-c", PROMOTE, str(home), str(PROMOTIONS), *digests],
                cwd=Path(__file__).parents[1],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert len(history(home, MODEL)) == recorded + PROMOTIONS
            during = got[before:]
            last = champion_digest(home, MODEL)
            answered(server, str(last)[:12])
        finally:
            stop.set()
            for client in clients:
                client.join(WAIT)
    failed = [(path, status, content[:300]) for path, status, content, _ in got if status != 200]
    assert not failed, failed[:3]
    mixed = [(path, content[:300]) for path, _, content, _ in got if versions.get(content, ("", ""))[0] != path]
    assert not mixed, mixed[:3]
    tagged = {(path, tag, content) for path, _, content, tag in got if tag}
    assert len({(path, tag) for path, tag, _ in tagged}) == len(tagged), "a tag stands for one answer"
    assert len(tagged) == len(models) * 3, "pages have none"
    assert len(got) > 300
    seen = Counter(versions[content][1] for _, _, content, _ in during)
    assert len(seen) >= 2, "promotions were taken up while they went on"
    assert "Traceback" not in server.said


def test_a_damaged_champion_is_left_and_the_last_good_one_answers(home: Path, models: list[ModelBundle]) -> None:
    first, second, third = models
    with running(home) as server:
        answered(server, third.version)
        assert state(server) == (200, "ok")
        with server.paused():
            make_champion(home, first)
            flip_a_byte(home, first)
        assert until(lambda: state(server) != (200, "ok") and state(server)) == (200, "degraded")
        assert version_of(server) == third.version
        page = server.get("/")[2].decode()
        assert f"{third.version} answers" in page, "people are told which one"
        assert "content is not what was written" in page
        make_champion(home, second)
        answered(server, second.version)
        until(lambda: state(server) == (200, "ok"))
        make_champion(home, first)  # which repairs the copy
        answered(server, first.version)
        until(lambda: state(server) == (200, "ok"))
    assert server.said.count("cannot be taken up") == 1, "said once, not at every look"


def test_a_model_that_kills_whoever_loads_it_kills_no_service(home: Path, models: list[ModelBundle]) -> None:
    with running(home) as server:
        answered(server, models[2].version)
        make_champion(home, crafted(models[0], aborting))
        assert until(lambda: state(server) != (200, "ok") and state(server)) == (200, "degraded")
        assert version_of(server) == models[2].version
        assert server.process.poll() is None
        assert "ended the process that tried it out (signal" in server.get("/")[2].decode()
        rollback(home, MODEL, by="t", reason="t", expected_champion=champion_digest(home, MODEL), clock=lambda: NOW)
        until(lambda: state(server) == (200, "ok"))
        assert version_of(server) == models[2].version
    assert re.search(r"signal \d+", server.said)


def test_a_model_that_never_answers_is_given_up(home: Path, models: list[ModelBundle]) -> None:
    bundle = crafted(models[0], endless)
    make_champion(home, bundle)
    asked = {"home": str(home), "model": MODEL, "digest": bundle.digest}
    with pytest.raises(LoadlineError, match="not loaded within 8 seconds"):
        Trial(loading=8.0).run(asked)
    Trial().run(asked | {"digest": models[1].digest})


def test_a_service_that_starts_with_a_damaged_champion_says_who_answers(home: Path, models: list[ModelBundle]) -> None:
    flip_a_byte(home, models[2])
    with running(home) as server:
        assert answered(server, models[1].version), "the champion before it"
        assert until(lambda: state(server) == (200, "degraded"))
        make_champion(home, models[0])
        answered(server, models[0].version)


def test_a_model_that_was_rolled_back_is_nobodys_substitute(home: Path, models: list[ModelBundle]) -> None:
    rollback(home, MODEL, by="t", reason="t", expected_champion=models[2].digest, clock=lambda: NOW)
    for bundle in models[:2]:
        flip_a_byte(home, bundle)
    service = InService(advisor_at(home), first=LONGEST)
    with pytest.raises(LoadlineError, match="no model can answer"):
        service.suggested("hostile-bank")
    assert service.state("targets", "hostile-bank").startswith("missing: ")


def test_the_only_model_damaged_is_missing_until_another_comes(trained_home: Path, tmp_path: Path, models) -> None:
    home = shutil.copytree(trained_home, tmp_path / "home")
    shutil.rmtree(home / "suggestions", ignore_errors=True)
    flip_a_byte(home, models[0])
    with running(home) as server:
        status, headers, content = server.get(ASKED[0])
        assert (status, headers["Retry-After"]) == (503, "10")
        assert str(home) not in content.decode()
        assert state(server) == (503, "missing")
        make_champion(home, models[1])
        until(lambda: server.get(ASKED[0])[0] == 200)
        assert version_of(server) == models[1].version


def test_the_first_model_of_all_is_taken_up(untrained, tmp_path: Path, models: list[ModelBundle]) -> None:
    home = shutil.copytree(untrained.settings.home, tmp_path / "home")
    with running(home) as server:
        assert server.get(ASKED[0])[0] == 404
        make_champion(home, models[0])
        assert until(lambda: server.get(ASKED[0])[0] == 200)
        assert version_of(server) == models[0].version


def test_new_data_shows_once_its_suggestions_are_made(home: Path, tmp_path: Path, models: list[ModelBundle]) -> None:
    advisor = advisor_at(home)
    client = TestClient(create_app(advisor, token=TOKEN), base_url=ADDRESS, headers=BEARER)
    before = client.get(ASKED[0])
    assert before.status_code == 200
    advisor.ingest(write_dataset(tmp_path / "second", scale=1.01))
    seen = [before.json()]
    while {item["data_version"] for item in seen[-1]["items"]} != {2}:
        answer = client.get(ASKED[0])
        seen.append(answer.json())
        same = answer.headers["ETag"] == before.headers["ETag"]
        assert {item["data_version"] for item in seen[-1]["items"]} == {1 if same else 2}
        assert same is (seen[-1] == seen[0])
    assert client.get("/api/v1/snapshots").json()["total"] == 2


def test_a_copy_damaged_after_it_was_taken_up_serves_on_and_is_told(home: Path, models: list[ModelBundle]) -> None:
    service = InService(advisor_at(home), first=LONGEST)
    first = service.suggested("hostile-bank")
    assert service.state("targets", "hostile-bank") == "ok"
    flip_a_byte(home, models[2])
    told = until(lambda: (now := service.state("targets", "hostile-bank")) != "ok" and now)
    assert told.startswith("degraded: ")
    assert "damaged after it was taken up" in told
    assert service.suggested("hostile-bank") is first
    make_champion(home, models[2])
    until(lambda: service.state("targets", "hostile-bank") == "ok")
    service.close()


def test_explanations_are_of_the_version_that_the_figures_are_of(home: Path, models: list[ModelBundle]) -> None:
    service = InService(advisor_at(home), first=LONGEST)
    taken = service.suggested("hostile-bank")
    assert taken is not None
    make_champion(home, models[0])
    until(lambda: service.suggested("hostile-bank") is not taken)
    shutil.rmtree(home / "models")
    told = taken.explain("N03", "LOANS")
    assert told["model_version"] == models[2].version
    row = taken.of("N03").set_index("indicator").loc["LOANS"]
    assert told["prediction"] == row["target"]
    own = next(driver for driver in told["drivers"] if driver["code"] == "own_course")
    assert sum(part["amount"] for part in own["parts"]) == pytest.approx(own["amount"])
    service.close()


def test_a_trial_ends_with_whoever_began_it(home: Path, models: list[ModelBundle]) -> None:
    script = (
        "import json, subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'serving.trial'], "
        "stdin=subprocess.PIPE); print(p.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = Path("/proc") / parent.stdout.readline().strip()
    assert child.exists()
    parent.kill()
    parent.wait()
    until(lambda: not child.exists() or "Z" in (child / "stat").read_text().rpartition(")")[2].split()[0])
