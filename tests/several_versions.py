"""A home with several models on record, what each of them answers, and ways to damage one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from serving_home import ADDRESS, BEARER, NOW, TOKEN, advisor_at, promote_model
from starlette.testclient import TestClient

from models.bundle import ModelBundle
from serving.app import create_app
from training.gating.gate import Gate
from training.promote import promote
from training.promotion.copies import copy_folder, kept_bundle
from training.promotion.history import champion_digest

MODEL = "target-hostile-bank"
GATES = (Gate("test", True, 1.0, (0.0,), {"en": "Made for a test.", "zh": "供测试使用。"}),)
ASKED = (
    "/api/v1/targets/N01",
    "/api/v1/targets/A%2FB?indicator=LOANS",
    "/unit?code=N07",
    "/export/targets.csv?code=N02",
)
"""Where figures of a model are shown: to programs with what explains them, to people, and as a file."""


def make_champion(home: Path, bundle: ModelBundle) -> None:
    """Promote a model, whatever the champion is."""
    promote(
        home,
        MODEL,
        bundle,
        by="test",
        reason="for a test",
        expected_champion=champion_digest(home, MODEL),
        gates=GATES,
        clock=lambda: NOW,
    )


def several_models(home: Path, count: int) -> list[ModelBundle]:
    """Fit and promote further models in a home, and give all; the last is the champion. Nothing computed is kept."""
    advisor = advisor_at(home)
    digests = [champion_digest(home, MODEL)]
    for seed in range(2, count + 1):
        promote_model(advisor, seed=seed)
        digests.append(champion_digest(home, MODEL))
    assert len({*digests}) == count
    shutil.rmtree(home / "suggestions", ignore_errors=True)
    return [kept_bundle(home, MODEL, str(digest)) for digest in digests]


def answers_of(home: Path, bundle: ModelBundle, place: Path) -> dict[str, bytes]:
    """Give what a service says that has never known any other model."""
    own = shutil.copytree(home, place)
    shutil.rmtree(own / "models")
    make_champion(own, bundle)
    client = TestClient(create_app(advisor_at(own), token=TOKEN), base_url=ADDRESS, headers=BEARER)
    found = {path: client.get(path) for path in ASKED}
    assert {answer.status_code for answer in found.values()} == {200}
    return {path: answer.content for path, answer in found.items()}


def flip_a_byte(home: Path, bundle: ModelBundle) -> None:
    """Damage the kept copy of a model as a disk does: same length, other content."""
    path = copy_folder(home, MODEL, bundle.digest) / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def crafted(bundle: ModelBundle, change: Callable[[str], str]) -> ModelBundle:
    """Give a model with another tree in it; all of its hashes agree."""
    import lightgbm as lgb

    X = np.random.default_rng(1).normal(size=(200, 3))
    data = lgb.Dataset(X, X[:, 0])
    text = lgb.train({"num_leaves": 4, "verbose": -1, "num_threads": 1, "seed": 1}, data, 3).model_to_string()
    return replace(bundle, texts={**bundle.texts, "level-9999.crafted": change(text)})


def aborting(text: str) -> str:
    """Have a tree point to nodes that it does not have: whoever loads it is ended by the library."""
    return re.sub(r"left_child=[^\n]*", "left_child=100000000 100000000 100000000", text)


def endless(text: str) -> str:
    """Have the nodes of each tree point back to the first: whoever asks it never gets an answer."""

    def first(found: re.Match[str]) -> str:
        return found[1] + re.sub(r"[^ ]+", lambda number: "0" * len(number[0]), found[2])

    return re.sub(r"((?:left|right)_child=)([^\n]*)", first, text)
