"""Training runs as the pages lay them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.console.formats import Reader
from serving.training_schemas import RunStep, TrainingRun

LINE_WIDTH, LINE_HEIGHT = 240, 14
THINNEST = 2.0
"""A step that took no time to speak of is drawn at least this wide, so that it is seen."""


@dataclass(frozen=True)
class StepRow:
    """A step with its place in the run's time, in units of a `LINE_WIDTH` wide box."""

    step: RunStep
    x: float
    size: float

    width: int = LINE_WIDTH
    height: int = LINE_HEIGHT


def timeline(steps: Sequence[RunStep], until: datetime | None) -> list[StepRow]:
    """Lay the steps out along the time of the run.

    Parameters
    ----------
    steps : sequence of RunStep
    until : datetime or None
        When a step that has not ended is drawn to.
    """
    begun = [(step, step.began) for step in steps if step.began is not None]
    if not begun:
        return []
    first = min(began for _, began in begun)
    last = max([until or first, *(step.ended or began for step, began in begun)])
    scale = LINE_WIDTH / max((last - first).total_seconds(), 1.0)
    rows = []
    for step, began in begun:
        size = max(((step.ended or last) - began).total_seconds() * scale, THINNEST)
        x = min((began - first).total_seconds() * scale, LINE_WIDTH - THINNEST)
        rows.append(StepRow(step, round(x, 1), round(min(size, LINE_WIDTH - x), 1)))
    return rows


@dataclass(frozen=True)
class Outcome:
    """What became of one model in a run."""

    kind: str
    text: str
    model: str
    version: str


def outcomes(result: Mapping[str, Any] | None, reader: Reader) -> list[Outcome]:
    """Read what came of each model; what a result does not say is left out."""
    found = []
    for kind, told in (result or {}).items():
        if not isinstance(told, Mapping) or kind == "text":
            continue
        texts = told.get("text")
        text = texts.get(reader.language, "") if isinstance(texts, Mapping) else ""
        model, version = told.get("model") or "", told.get("model_version") or ""
        if text or version:
            bare = str(text).removeprefix(reader.known("subject", kind)).lstrip(":： ")
            found.append(Outcome(kind, bare, str(model), str(version)))
    return found


def result_text(result: Mapping[str, Any] | None, reader: Reader) -> str:
    """Give the result in a sentence; blank where there is none."""
    texts = (result or {}).get("text")
    return str(texts.get(reader.language, "")) if isinstance(texts, Mapping) else ""


@dataclass(frozen=True)
class RunWays:
    """How to act on runs: commands for a terminal, and a request for a program."""

    commands: tuple[str, ...]
    request: str


def ways_to_ask(dataset: str) -> RunWays:
    """Give the command and the request that ask for training."""
    import json
    import shlex

    body = {"by": "NAME", "reason": "TEXT", "dataset": dataset}
    request = f"POST /api/v1/training-runs\nIdempotency-Key: WORD\n{json.dumps(body, ensure_ascii=False)}"
    return RunWays((f"loadline train --dataset {shlex.quote(dataset)} --by NAME --reason TEXT",), request)


def ways_to_follow(run: TrainingRun) -> RunWays:
    """Give the commands and the request that follow a run, stop it, and go on with it."""
    commands = [f"loadline runs show {run.name}"]
    request = ""
    if run.state in ("queued", "running", "interrupted"):
        commands.append(f"loadline runs cancel {run.name}")
        request = f'POST /api/v1/training-runs/{run.name}/cancel\n{{"by": "NAME", "reason": "TEXT"}}'
    if run.state in ("queued", "interrupted"):
        commands.append("loadline worker --once")
    return RunWays(tuple(commands), request)
