"""Running the steps of a feature graph: block by block, letting go of what nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import LoadlineError
from features.feature import Step
from features.groups import PeerOrder, PeerQuartiles
from features.inputs import INPUTS, PanelInputs

BLOCK = 512
"""Units computed at a time: a block of 84 months of them takes 350 kB, so that the frames at work stay in cache."""


@dataclass(frozen=True)
class Work:
    """One indicator's steps and where its features go.

    Steps of scope `unit` run first, a block of units at a time; then those that need all units.

    Attributes
    ----------
    steps : list of Step
        In an order in which they can be computed.
    outputs : dict
        By feature: the (P, U) slice of the cube that it fills.
    inputs : PanelInputs
    code : str
        The indicator; "" for features of the panel as a whole.
    units : slice
        The units to compute.
    """

    steps: list[Step]
    outputs: dict[str, np.ndarray]
    inputs: PanelInputs
    code: str
    units: slice

    def run(self) -> None:
        """Compute everything into the outputs."""
        given = {name for each in self.steps for name in each.inputs if name in INPUTS}
        whole = {name: self.inputs.get(name, self.code) for name in given}
        for name, value in whole.items():
            if INPUTS[name].frame:
                whole[name] = value[:, self.units]
        width = self.units.stop - self.units.start
        phases = _phases(self.steps)
        for place, phase in enumerate(phases):
            later = {name for after in phases[place + 1 :] for each in after for name in each.inputs}
            keep = later & {each.name for each in phase}
            if place % 2:
                self._run(phase, whole, slice(0, width), keep=keep)
            else:
                self._run_blocks(phase, whole, width, keep=keep)
            for name in [name for name in whole if name not in later]:
                del whole[name]

    def _run_blocks(self, steps: list[Step], whole: dict[str, Any], width: int, *, keep: set[str]) -> None:
        """Run steps a block of units at a time, and put together what later phases need."""
        needed = {name for each in steps for name in each.inputs} & whole.keys()
        for begin in range(0, width, BLOCK):
            here = slice(begin, min(begin + BLOCK, width))
            block = {name: _cut(whole[name], here, width) for name in needed}
            self._run(steps, block, here, keep=keep)
            for name in keep:
                if isinstance(block[name], np.ndarray):
                    if name not in whole:
                        whole[name] = np.empty((*block[name].shape[:-1], width))
                    whole[name][..., here] = block[name]
                else:
                    whole[name] = block[name]

    def _run(self, steps: list[Step], values: dict[str, Any], here: slice, *, keep: set[str]) -> None:
        """Compute steps in order, letting go of what they computed after its last use."""
        last_use = {name: place for place, each in enumerate(steps) for name in each.inputs}
        own = {each.name for each in steps} - keep
        for place, each in enumerate(steps):
            result = each.function(*(values[name] for name in each.inputs))
            if each.name in self.outputs:
                _store(self.outputs[each.name][:, here], result, each.name)
            if last_use.get(each.name, -1) > place or each.name in keep:
                values[each.name] = result
            for name in own.intersection(each.inputs):
                if last_use[name] == place:
                    del values[name]


def _cut(value: Any, here: slice, width: int) -> Any:
    """Take a block of units of a frame, or of what can be cut; leave anything else as it is."""
    if isinstance(value, (PeerQuartiles, PeerOrder)):
        return value.cut(here)
    return value[..., here] if isinstance(value, np.ndarray) and value.ndim > 1 and value.shape[-1] == width else value


def _phases(steps: list[Step]) -> list[list[Step]]:
    """Split ordered steps into phases by turns: in the even ones all can run by blocks, the odd ones need all units."""
    phase_of: dict[str, int] = {}
    phases: list[list[Step]] = []
    for each in steps:
        phase = max((phase_of[name] for name in each.inputs if name in phase_of), default=0)
        compares = any(INPUTS[name].scope == "all" for name in each.inputs if name in INPUTS)
        phase += (phase % 2) != compares
        phase_of[each.name] = phase
        phases.extend([] for _ in range(phase + 1 - len(phases)))
        phases[phase].append(each)
    return phases


def _store(out: np.ndarray, result: Any, name: str) -> None:
    """Put a feature into the cube; what is not finite, or too large for single precision, becomes NaN."""
    if not isinstance(result, np.ndarray) or result.shape not in (out.shape, (out.shape[0], 1)):
        shape = result.shape if isinstance(result, np.ndarray) else type(result).__name__
        raise LoadlineError(f"the feature {name!r} gave {shape} where {out.shape} was expected")
    with np.errstate(over="ignore", invalid="ignore"):
        single = result.astype(np.float32)
    infinite = np.isinf(single)
    if infinite.any():
        single[infinite] = np.nan
    out[...] = single
