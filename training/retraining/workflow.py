"""The durable workflow: each step is noted once it is through, so a run goes on from the step it was killed in."""

from __future__ import annotations

import traceback
from typing import Any

from dbos import DBOS

from features.errors import LoadlineError
from features.indicators import Title
from training.retraining.context import Context, Workplace
from training.retraining.runs import Runs
from training.retraining.steps import STEPS, Step

QUEUE = "training"
MOST_RECOVERIES = 10_000
"""A run is gone on with however often its machine fails; it can be cancelled."""
TRACE = "error.txt"
THROUGH, STOPPED = "through", "stopped"

_places: dict[str, Workplace] = {}
_contexts: dict[str, Context] = {}


def open_place(place: Workplace) -> None:
    """Say with what runs of a home are worked on."""
    _places[str(place.home)] = place
    _contexts.clear()


@DBOS.workflow(name="retraining", max_recovery_attempts=MOST_RECOVERIES)
def retraining(home: str, run: str) -> str:
    """Do a run's steps in their order; give `done`, `failed` or `cancelled`."""
    try:
        for number in range(len(STEPS)):
            if step(home, run, number) == STOPPED:
                return end(home, run, "cancelled", None)
    except Exception as error:  # whatever it is, it is told to who asked
        return end(home, run, "failed", _told(error, _context(home, run)))
    return end(home, run, "done", None)


@DBOS.step(name="step")
def step(home: str, run: str, number: int) -> str:
    """Do one step, unless it is not needed or the run was cancelled."""
    context = _context(home, run)
    if context.run.cancelled:
        return STOPPED
    asked = STEPS[number]
    if asked.needed(context):
        _begin(context, asked)
        done = asked.work(context)
        context.run.say("finished", done.text, step=asked.code, figures=done.figures)
    return THROUGH


@DBOS.step(name="end")
def end(home: str, run: str, state: str, error: dict[str, Any] | None) -> str:
    """Note how a run ended, and let go of what it held in memory."""
    context = _context(home, run)
    _contexts.pop(run, None)
    if context.run.ended:  # noted already, just before the process died
        return state
    if state == "done":
        context.run.say("done", Title(**(context.run.result or {})["text"]))
    elif state == "cancelled":
        context.run.say(
            "cancelled", Title(en="Cancelled; nothing was promoted after that.", zh="已取消；此后未作任何上线。")
        )
    else:
        told = error or {}
        hint = f" {told['hint']}" if told.get("hint") else ""
        text = Title(en=f"Failed: {told.get('what')}.{hint}", zh=f"失败：{told.get('what')}。{hint}")
        context.run.say("failed", text, figures=told)
    return state


def _begin(context: Context, step: Step) -> None:
    events = context.run.events
    again = any(event.kind == "started" and event.step == step.code for event in events)
    if again:
        text = Title(en=f"Interrupted here; goes on: {step.title.en}.", zh=f"曾在此中断，继续执行：{step.title.zh}。")
        context.run.say("resumed", text, step=step.code)
    else:
        context.run.say("started", step.title, step=step.code)
    context.progress(step.code)("", 0, 1)


def _context(home: str, run: str) -> Context:
    found = _contexts.get(run)
    if found is None:
        place = _places[home]
        found = _contexts[run] = Context(place, Runs(place.home, place.clock).find(run))
    return found


def _told(error: Exception, context: Context) -> dict[str, Any]:
    if isinstance(error, LoadlineError):
        return {"what": error.what, "where": str(error.where or ""), "hint": error.hint or ""}
    (context.run.folder / TRACE).write_text("".join(traceback.format_exception(error)))
    hint = f"This is an error of the program; {TRACE} in the run's folder tells where."
    what = f"{type(error).__name__}: {error}".splitlines()[0]  # a database tells its whole statement after that
    return {"what": what, "where": "", "hint": hint}
