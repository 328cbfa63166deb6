"""The search for settings: bounded by a number of trials, written down trial by trial, the same however often stopped.

What a trial asks for follows from the trials before it and from a seed of its own, so that a search that was stopped
goes on as if it had not been.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from training.journal import append_line, read_lines
from training.lock import file_lock
from training.progress import Progress, silent

STAGE = "tuning"
RANDOM_TRIALS = 8
"""Trials drawn at random before the sampler looks at what was found: with fewer it follows luck."""

Knobs = dict[str, float]
"""Values by the name of the knob."""


@dataclass(frozen=True)
class Knob:
    """One thing that may be tuned.

    Attributes
    ----------
    name : str
    values : tuple of float
        What is tried, in order; the usual value is among them.
    """

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes
    ----------
    knobs : dict
    loss : float or None
        None where it could not be measured.
    """

    knobs: Knobs
    loss: float | None

    def as_dict(self) -> dict[str, Any]:
        """Give the trial as plain JSON."""
        return {"knobs": self.knobs, "loss": self.loss}


def search(
    space: Sequence[Knob],
    objective: Callable[[Knobs], float],
    *,
    usual: Mapping[str, float],
    seed: int,
    trials: int,
    record: Path,
    progress: Progress = silent,
) -> tuple[Trial, ...]:
    """Try settings, the usual ones first.

    Parameters
    ----------
    space : sequence of Knob
    objective : callable
        Gives the loss of some values; lower is better. The same values must give the same loss.
    usual : Mapping
        The value of each knob that serves without tuning.
    seed : int
    trials : int
        Most settings that are tried, the usual ones included.
    record : Path
        Of the trials, a line of JSON each; those that are there already are not tried again.
    progress : Progress

    Returns
    -------
    tuple of Trial
        In the order in which they were tried.
    """
    done = _read(record, space)[:trials]
    progress(STAGE, len(done), trials)
    while len(done) < trials:
        knobs = _suggested(space, done, seed=seed) if done else dict(usual)
        known = {_key(one.knobs): one.loss for one in done}
        loss = known[_key(knobs)] if _key(knobs) in known else _finite(objective(knobs))
        _write(record, Trial(knobs, loss), number=len(done), space=space)
        done = _read(record, space)[:trials]
        progress(STAGE, len(done), trials)
    return tuple(done)


def best(trials: Sequence[Trial]) -> Trial:
    """Give the trial with the least loss, of equal ones the first.

    Raises
    ------
    LoadlineError
        Where none could be measured.
    """
    measured = [(one.loss, place) for place, one in enumerate(trials) if one.loss is not None]
    if not measured:
        raise LoadlineError("no setting could be measured", hint="Train with --trials 0.")
    return trials[min(measured)[1]]


def _suggested(space: Sequence[Knob], done: Sequence[Trial], *, seed: int) -> Knobs:
    """Ask a sampler that knows the trials so far and nothing else.

    Source: Bergstra and others, Algorithms for hyper-parameter optimization (2011), as Optuna has it.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ranges = {knob.name: optuna.distributions.IntDistribution(0, len(knob.values) - 1) for knob in space}
    sampler = optuna.samplers.TPESampler(seed=(seed + len(done)) % 2**32, n_startup_trials=RANDOM_TRIALS)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for one in done:
        places = {knob.name: knob.values.index(one.knobs[knob.name]) for knob in space}
        state = optuna.trial.TrialState.COMPLETE if one.loss is not None else optuna.trial.TrialState.FAIL
        study.add_trial(
            optuna.trial.create_trial(params=places, distributions=dict(ranges), value=one.loss, state=state)
        )
    asked = study.ask(dict(ranges))
    return {knob.name: knob.values[asked.params[knob.name]] for knob in space}


def _key(knobs: Mapping[str, float]) -> str:
    return json.dumps(knobs, sort_keys=True)


def _finite(loss: float) -> float | None:
    return float(loss) if math.isfinite(loss) else None


def _read(record: Path, space: Sequence[Knob]) -> list[Trial]:
    """Read the trials; a line that is not one, which only damage explains, ends what counts."""
    found = []
    for line in read_lines(record):
        trial = _parsed(line, space)
        if trial is None:
            break
        found.append(trial)
    return found


def _write(record: Path, trial: Trial, *, number: int, space: Sequence[Knob]) -> None:
    """Add a trial, unless somebody else has done it meanwhile; what follows damage goes."""
    line = json.dumps(trial.as_dict(), sort_keys=True, allow_nan=False).encode()
    with file_lock(record.with_suffix(".lock")):
        lines = read_lines(record)
        if len(lines) > number and _parsed(lines[number], space) is not None:
            return
        if len(lines) > number:
            record.write_bytes(b"".join(one + b"\n" for one in lines[:number]))
        append_line(record, line, what="the trial")


def _parsed(line: bytes, space: Sequence[Knob]) -> Trial | None:
    try:
        trial = Trial(**json.loads(line))
        known = all(trial.knobs[knob.name] in knob.values for knob in space)
    except (ValueError, TypeError, KeyError):
        return None
    return trial if known and (trial.loss is None or isinstance(trial.loss, float)) else None
