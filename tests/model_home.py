"""A home with models on record: one that serves, one that waits for a signature, one that a gate forbids."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.bundle import ModelBundle
from training.gating.gate import Gate
from training.promote import offer, promote_candidate
from training.promotion.copies import model_folder
from training.retraining.request import TrainingRequest
from training.retraining.runs import Runs
from training.target_model import model_name

NOW = datetime(2025, 1, 15, 8, 30, tzinfo=UTC)
NAME = model_name("hostile-bank")
LI, WANG = "Li Ming", "<i>王芳</i>"


def gate(name: str, *, passed: bool = True, effect: str = "block", measured: float = 0.9) -> Gate:
    text = {
        "en": f"{name}: {'fine' if passed else 'not fine'} <b>.",
        "zh": f"{name}：{'正常' if passed else '不达标'}。",
    }
    return Gate(name, passed, measured, (1.0,), text, effect)  # pyright: ignore[reportArgumentType]


PASSED = (gate("beats_baseline"), gate("coverage"))
TO_SIGN = (gate("beats_baseline"), gate("stable_explanations", passed=False, effect="sign_off", measured=0.8))
FORBIDDEN = (gate("beats_baseline", passed=False, measured=1.2), gate("coverage"))


def bundle(number: int) -> ModelBundle:
    """Give a model that nothing can be asked of, told from others by a number."""
    meta = {
        "dataset": "hostile-bank",
        "data_version": 1,
        "as_of": "2024",
        "known_on": "2024-12-31",
        "policy_version": "default",
        "fingerprint": "f" * 64,
        "seed": number,
    }
    return ModelBundle("target", meta, arrays={"scale": np.array([float(number)])})


def offered(home: Path, number: int, gates=PASSED, *, run: str = "", by: str = LI, about: dict | None = None) -> str:
    """Put a model on record; give its version."""
    made = bundle(number)
    offer(home, NAME, made, gates=gates, run=run or f"run-{number}", by=by, clock=lambda: NOW, about=about)
    return made.version


def promoted(home: Path, number: int, *, expected: str | None) -> str:
    """Put a model on record and make it the champion; give its version."""
    version = offered(home, number)
    promote_candidate(
        home,
        NAME,
        version,
        by=WANG,
        reason="All gates <passed>.",
        expected_champion=expected,
        clock=lambda: NOW,
        two_people=False,
    )
    return version


def write_card(home: Path, version: str) -> None:
    """Write a card in both languages and forms."""
    folder = model_folder(home, NAME) / "cards" / version
    folder.mkdir(parents=True)
    for language, title in (("en", "Model card"), ("zh", "模型卡")):
        page = f"<!doctype html><title>{title}</title><style>b{{color:red}}</style><h1>{title}</h1>"
        (folder / f"model-card.{language}.html").write_text(page, encoding="utf-8")
        (folder / f"model-card.{language}.md").write_text(f"# {title}\n", encoding="utf-8")


def run_of(home: Path, number: int) -> str:
    """Ask for the run that trained a model; give its name."""
    request = TrainingRequest(
        dataset="hostile-bank",
        data_version=1,
        fingerprint="f" * 64,
        as_of="2024",
        latest=True,
        policy="default",
        code_version="1",
        seed=number,
        trials=0,
        by=LI,
        reason="for a test",
        at=NOW.isoformat(),
    )
    run, _ = Runs(home, lambda: NOW).ask(request)
    return run.name
