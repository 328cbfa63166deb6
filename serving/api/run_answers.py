"""Training runs as the API and the pages have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from serving.schemas import Sentence
from serving.training_schemas import (
    ModelKind,
    RunDecision,
    RunEvent,
    RunEvents,
    RunProgress,
    RunStep,
    StepState,
    TrainingRun,
    TrainingRunDetail,
)
from training.retraining.runs import ENDS, Event, Run, State

DECISION = "decision.json"
"""What a run keeps of its decision, among what its steps leave."""


def run_answer(run: Run) -> TrainingRun:
    """Give a run as a list has it."""
    return TrainingRun(**_fields(run, run.state, run.events))


def detail_answer(run: Run) -> TrainingRunDetail:
    """Give a run with its steps, its log and what came of it."""
    state, events = run.state, run.events
    return TrainingRunDetail(
        **_fields(run, state, events),
        decision=_decision(run),
        steps=steps_of(events, state),
        events=[_event(number, event) for number, event in enumerate(events, start=1)],
        result=run.result,
    )


def events_answer(run: Run, after: int) -> RunEvents:
    """Give what happened after an event."""
    state, events = run.state, run.events
    items = [_event(number, event) for number, event in enumerate(events, start=1) if number > after]
    return RunEvents(items=items, last=len(events), state=state)


def steps_of(events: Sequence[Event], state: State) -> list[RunStep]:
    """Tell of each step that was begun when, how often and for how long; in the order in which they were begun."""
    begun: dict[str, list[Event]] = {}
    finished: dict[str, Event] = {}
    for event in events:
        if event.step and event.kind in ("started", "resumed"):
            begun.setdefault(event.step, []).append(event)
            finished.pop(event.step, None)
        elif event.step and event.kind == "finished" and event.step in begun:
            finished[event.step] = event
    return [_step(step, starts, finished.get(step), state) for step, starts in begun.items()]


def _decision(run: Run) -> list[RunDecision]:
    """Read what was decided, as the run has kept it."""
    path = run.work / DECISION
    actions = json.loads(path.read_bytes())["actions"] if path.is_file() else []
    return [
        RunDecision(subject=one["subject"], what=one["what"], why=[Sentence(**why) for why in one["why"]])
        for one in actions
    ]


def _step(step: str, starts: Sequence[Event], end: Event | None, state: State) -> RunStep:
    left: StepState = "running" if state == "running" else "failed" if state == "failed" else "interrupted"
    return RunStep(
        step=step,
        state=left if end is None else "done",
        began=starts[0].at,
        ended=None if end is None else end.at,
        seconds=None if end is None else round((end.at - starts[-1].at).total_seconds(), 3),
        attempts=len(starts),
    )


def _event(number: int, event: Event) -> RunEvent:
    return RunEvent(
        number=number,
        at=event.at,
        kind=event.kind,
        step=event.step,
        text=Sentence(en=event.text.en, zh=event.text.zh),
        figures=dict(event.figures),
    )


def _fields(run: Run, state: State, events: Sequence[Event]) -> dict[str, Any]:
    request, advance = run.request, run.advance
    at_work = state == "running" and advance is not None
    return {
        "name": run.name,
        "state": state,
        "dataset": request.dataset,
        "data_version": request.data_version,
        "fingerprint": request.fingerprint,
        "as_of": request.as_of,
        "latest": request.latest,
        "policy": request.policy,
        "kinds": [cast(ModelKind, kind) for kind in request.kinds],
        "seed": request.seed,
        "trials": request.trials,
        "attempt": request.attempt,
        "by": request.by,
        "reason": request.reason,
        "asked_at": request.at,
        "updated_at": events[-1].at if events else None,
        "cancelling": run.cancelled and state not in ENDS.values(),
        "progress": RunProgress(step=advance.step, stage=advance.stage, done=advance.done, total=advance.total)
        if at_work and advance is not None
        else None,
    }
