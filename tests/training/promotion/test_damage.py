"""Damage of any kind to a kept copy or a record is refused, never served, and stays with its model."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from offered_models import NAME, NOON, PASSED, model, offered, promoted, serving

from features.errors import LoadlineError
from training.promote import MODELS, candidates, champion, champion_digest, history, offer, promote, rollback
from training.promotion.verifying import models_on_record, verify

OTHER = "warning-tests"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A model that served, one that serves, and one that waits; and another model of its own."""
    serving(tmp_path, 1)
    serving(tmp_path, 2)
    offered(tmp_path, 3)
    decision = {"by": "Wang Fang", "reason": "first", "clock": lambda: NOON}
    promote(tmp_path, OTHER, model(7), expected_champion=None, gates=[PASSED], **decision)
    return tmp_path


def folder(home: Path) -> Path:
    return home / MODELS / NAME


def went_back(home: Path):
    return rollback(home, NAME, by="a", reason="b", expected_champion=champion_digest(home, NAME), clock=lambda: NOON)


USES: dict[str, Callable[[Path], object]] = {
    model(1).version: went_back,
    model(2).version: lambda home: champion(home, NAME),
    model(3).version: lambda home: promoted(home, 3),
    "promotions.jsonl": lambda home: champion(home, NAME),
    "promotions.head": lambda home: champion(home, NAME),
    "candidates.jsonl": lambda home: candidates(home, NAME),
    "candidates.head": lambda home: candidates(home, NAME),
}
"""What would use each part of the model's folder."""


def files_of(home: Path, part: str) -> list[Path]:
    path = folder(home) / part
    return sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]


def refused(home: Path, part: str) -> None:
    """Check that a damaged part is not used, that a check names it, and that nothing else is any the worse."""
    with pytest.raises(LoadlineError):
        USES[part](home)
    damaged = {(checked.model, checked.part) for checked in verify(home) if checked.state == "damaged"}
    assert damaged == {(NAME, part.replace(".head", ".jsonl"))}
    assert champion(home, OTHER) == model(7)


def test_the_uses_cover_everything_that_is_kept(home):
    assert {path.name for path in folder(home).iterdir()} == {*USES, "lock"}
    assert {checked.state for checked in verify(home)} == {"ok"}
    assert models_on_record(home) == (NAME, OTHER)


@pytest.mark.parametrize("part", USES)
def test_flipped_bytes_all_over_are_refused(home, part):
    """A spread of bytes; every byte of a bundle and of a record is tried in their own tests."""
    for path in files_of(home, part):
        good = path.read_bytes()
        for position in range(0, len(good), 11 if path.suffix == ".jsonl" else 3):
            path.write_bytes(good[:position] + bytes([good[position] ^ 0x04]) + good[position + 1 :])
            refused(home, part)
        path.write_bytes(good)
    assert {checked.state for checked in verify(home)} == {"ok"}


@pytest.mark.parametrize("part", USES)
def test_every_file_cut_short_emptied_lengthened_or_lost_is_refused(home, part):
    for path in files_of(home, part):
        good = path.read_bytes()
        for content in (good[:-1], good[: len(good) // 2], b"", good + b"\n"):
            path.write_bytes(content)
            refused(home, part)
        path.unlink()
        refused(home, part)
        path.write_bytes(good)


@pytest.mark.parametrize("part", USES)
def test_links_are_refused_whatever_they_lead_to(home, tmp_path_factory, part):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for number, path in enumerate([*files_of(home, part), folder(home) / part]):
        moved = Path(shutil.move(path, elsewhere / str(number)))
        path.symlink_to(moved)
        refused(home, part)
        path.unlink()
        path.symlink_to(elsewhere / "nothing")
        refused(home, part)
        path.unlink()
        shutil.move(moved, path)


@pytest.mark.parametrize("part", [part for part in USES if "." not in part])
def test_a_file_added_to_a_copy_is_refused(home, part):
    for name in ("extra.txt", "texts/extra.txt", ".hidden", "__init__.py"):
        path = folder(home) / part / name
        path.write_text("x")
        refused(home, part)
        path.unlink()


@pytest.mark.parametrize("part", [part for part in USES if "." not in part])
def test_a_copy_in_place_of_another_is_refused(home, part):
    other = next(version for version in USES if "." not in version and version != part)
    shutil.rmtree(folder(home) / part)
    shutil.copytree(folder(home) / other, folder(home) / part)
    refused(home, part)


def test_a_name_that_leads_elsewhere_is_refused(home):
    for name in ("../models/target-tests", "a/b", "..", ".", "", "/etc"):
        for use in (candidates, history, champion):
            with pytest.raises(LoadlineError, match="cannot name"):
                use(home, name)


def test_a_damaged_copy_of_the_champion_is_repaired_by_offering_the_same_model_again(home):
    (folder(home) / model(2).version / "meta.json").write_text("{}")
    offered(home, 2)
    assert champion(home, NAME) == model(2)


def test_a_damaged_record_of_candidates_leaves_the_champion_and_the_way_back(home):
    (folder(home) / "candidates.jsonl").write_text("{}\n")
    assert champion(home, NAME) == model(2)
    assert went_back(home).champion == model(1).digest
    with pytest.raises(LoadlineError, match="candidate record"):
        offered(home, 4)


def test_what_no_record_speaks_of_is_named_and_never_served(home):
    model(9).save(folder(home) / model(9).version)
    (folder(home) / "notes.txt").write_text("x")
    found = [checked for checked in verify(home) if checked.state != "ok"]
    assert {(checked.part, checked.state) for checked in found} == {
        (model(9).version, "not on record"),
        ("notes.txt", "not on record"),
    }
    with pytest.raises(LoadlineError, match="no candidate"):
        promoted(home, 9)


def test_a_check_gives_the_seals_to_be_noted_elsewhere(home):
    seals = {checked.part: checked.seal for checked in verify(home, NAME)}
    assert seals[model(2).version] == model(2).digest
    promoted(home, 3)
    later = {checked.part: checked.seal for checked in verify(home, NAME)}
    assert {part for part in seals if seals[part] != later[part]} == {"promotions.jsonl"}
    assert {checked.lines for checked in verify(home, NAME)} == {0, 3}


STEPS = ("fsync", "rename", "replace", "mkdir", "unlink")
"""Calls at which what is on disk changes, or is made to last."""


def died_at(home: Path, count: int, act: Callable[[Path], object]) -> bool:
    """Do something in a process of its own that dies at its n-th step; tell whether it did not get to the end."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = count

    def dying(step):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return step(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))
    try:
        act(home)
        os._exit(0)
    except BaseException:
        os._exit(1)


@pytest.mark.parametrize("act", ["offer", "promote", "rollback"])
def test_death_at_every_step_leaves_the_old_state_or_the_new_and_doing_it_again_completes_it(home, tmp_path, act):
    acts = {
        "offer": lambda home: offer(home, NAME, model(5), gates=[PASSED], run="r", by="Li Ming", clock=lambda: NOON),
        "promote": lambda home: promoted(home, 3, expected_champion=model(2).digest),
        "rollback": went_back,
    }
    before = history(home, NAME)
    for count in range(200):
        own = Path(shutil.copytree(home, tmp_path / f"{act}{count}"))
        died = died_at(own, count, acts[act])
        record, offers = history(own, NAME), candidates(own, NAME)
        assert len(record) in (len(before), len(before) + (act != "offer"))
        assert len(offers) in (3, 3 + (act == "offer"))
        assert champion(own, NAME) is not None
        assert "damaged" not in {checked.state for checked in verify(own)}
        if act != "rollback" or len(record) == len(before):  # going back twice is going back two champions
            acts[act](own)
        assert len(history(own, NAME)) == len(before) + (act != "offer")
        assert len(candidates(own, NAME)) == 3 + (act == "offer")
        assert {checked.state for checked in verify(own)} == {"ok"}
        shutil.rmtree(own)
        if not died:
            break
    assert count > 4  # a record and its head alone are that many steps
    assert count < 199
