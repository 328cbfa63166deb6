"""The proposal of a quarterly calibration (季度校准): few targets move, within limits, towards what was promised.

Core targets are locked. Of the others, those move whose probability of being attained is farthest from what it was when
they were set; not beyond the value that restores it, and only part of the way to it. Only relief that was approved, for
something outside the unit's reach, takes a target all the way to an easier value. It proposes; people decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Indicator
from models.in_year.calibration_words import REASONS, summary_text
from models.in_year.kept_totals import Siblings
from models.policy.targets import CalibrationLimits, TargetPolicy
from models.suggestion import display_step

FARTHEST_IGNORED = 0.10
"""A probability that has moved by less is no reason to touch a target: noise alone brings as much within months."""

EASED_SHARE = 0.5
"""Share of the way to the restoring value that a target may be eased without relief: the other half of a shortfall
stays with the unit, so that falling behind is never the way to an easy target. The way to a harder value is limited by
the policy's ratchet cap."""

ALIKE = 2
"""Decimals to which distances of probabilities are compared; of those alike, such as all that are lost, the target
whose restoring value is farther away for its size comes first."""

KEY = ["unit", "indicator", "year"]
COLUMNS = (
    *KEY,
    "old_target",
    "new_target",
    "p_promised",
    "p_before",
    "p_after",
    "moved",
    "reason",
    "reason_en",
    "reason_zh",
)


@dataclass(frozen=True)
class CalibrationProposal:
    """What is proposed.

    Attributes
    ----------
    frame : pd.DataFrame
        `COLUMNS`: one row a target, in the order given.
    limits : CalibrationLimits
        Those used.
    non_core : int
        Targets that might move: not core, and set.
    considered : int
        Those that would move, had the limits no lower end.
    worthwhile : bool
        False where these are fewer than the least that is worth a calibration; then nothing moves.
    """

    frame: pd.DataFrame
    limits: CalibrationLimits
    non_core: int
    considered: int
    worthwhile: bool

    @property
    def moved(self) -> int:
        """Count the targets that move."""
        return int(self.frame["moved"].sum())

    @property
    def share(self) -> float:
        """Give the share of the non-core targets that move."""
        return self.moved / self.non_core if self.non_core else 0.0

    def summary(self) -> dict[str, Any]:
        """Give the limits used, what moves, and a sentence in English and Chinese."""
        facts = {
            "limits": {"least": self.limits.least, "most": self.limits.most, "by": self.limits.by},
            "non_core": self.non_core,
            "considered": self.considered,
            "moved": self.moved,
            "share": self.share,
            "worthwhile": self.worthwhile,
        }
        return facts | {"text": summary_text(**facts)}


def propose_calibration(
    outlook: pd.DataFrame,
    *,
    promised: np.ndarray,
    restoring: np.ndarray,
    attain: Callable[[np.ndarray], np.ndarray],
    indicators: Mapping[str, Indicator],
    parents: Mapping[str, str],
    policy: TargetPolicy,
    relieved: np.ndarray | None = None,
    relief_only: bool = False,
    keep_total: bool = False,
) -> CalibrationProposal:
    """Propose which targets to move, and by how much.

    By count, at most `most` of the non-core targets move: those with relief first, then those farthest from what was
    promised. By size, each may move by at most `most` of its value, and one whose restoring value is nearer than
    `least` of its value stays. A target of a unit whose own units below have targets stays: it is their sum.

    Parameters
    ----------
    outlook : pd.DataFrame
        (N rows) `unit, indicator, year, target, p_attain, evidence`.
    promised : np.ndarray
        (N,) probability of attaining when each target was set.
    restoring : np.ndarray
        (N,) value that is attained with that probability as of now.
    attain : callable
        From values (N,) to the probabilities (N,) of attaining them.
    indicators : mapping of str to Indicator
    parents : mapping of str to str
        The unit above each unit that has one.
    policy : TargetPolicy
    relieved : np.ndarray, optional
        (N,) bool: relief for something outside the unit's reach was approved.
    relief_only : bool
        True to ease no target without relief.
    keep_total : bool
        True to let the moves of amounts under one parent and indicator add up to zero, exactly.

    Notes
    -----
    The order of the rows has no say, and the same question gets the same answer.
    """
    task = _Task.of(outlook, promised, restoring, indicators, parents, policy, relieved, relief_only=relief_only)
    limits = policy.calibration
    wanted = task.limited(limits)
    nearer = task.nearer(attain(task.moved_by(wanted)))
    able = (wanted != 0) & nearer & (task.reason == "")
    task.explain(~able, "too_small")
    if keep_total:
        able &= task.siblings.balanced(wanted, able)
        task.explain((task.reason == "") & ~able, "total")
    chosen = able.copy()
    if limits.by == "count":
        chosen[:] = False
        order = task.farthest(able)
        order = task.siblings.paired(order, wanted) if keep_total else order
        chosen[order[: int(np.floor(limits.most * task.non_core + 1e-9))]] = True
        task.explain(able & ~chosen, "others_farther")
    steps = np.where(chosen, wanted, 0)
    if keep_total:
        steps = task.siblings.netted(steps)
        task.explain(chosen & (steps == 0), "total")
    considered = int((steps != 0).sum())
    needed = int(np.ceil(limits.least * task.non_core - 1e-9)) if limits.by == "count" else 1
    worthwhile = considered >= max(needed, 1)
    if not worthwhile:
        task.explain(steps != 0, "not_worthwhile", again=True)
        steps = np.zeros_like(steps)
    frame = task.frame(steps, attain)
    return CalibrationProposal(frame, limits, task.non_core, considered, worthwhile)


@dataclass(frozen=True)
class _Task:
    """The question in arrays of N; `steps` are whole display steps, `reason` a code, empty while a target may move."""

    rows: pd.DataFrame
    step: list[Decimal]
    promised: np.ndarray
    way: np.ndarray
    share: np.ndarray
    harder: np.ndarray
    relieved: np.ndarray
    siblings: Siblings
    non_core: int
    reason: np.ndarray

    @classmethod
    def of(
        cls,
        outlook: pd.DataFrame,
        promised: np.ndarray,
        restoring: np.ndarray,
        indicators: Mapping[str, Indicator],
        parents: Mapping[str, str],
        policy: TargetPolicy,
        relieved: np.ndarray | None,
        *,
        relief_only: bool,
    ) -> _Task:
        rows = outlook[[*KEY, "target", "p_attain", "evidence"]].reset_index(drop=True)
        about = [indicators[str(code)] for code in rows["indicator"]]
        target, chance = (rows[name].to_numpy(dtype=float) for name in ("target", "p_attain"))
        steps = {
            code: Decimal(str(display_step(indicators[str(code)], rows.loc[places, "target"].to_numpy(dtype=float))))
            for code, places in rows.groupby("indicator").groups.items()
        }
        relieved = np.zeros(len(rows), dtype=bool) if relieved is None else np.asarray(relieved, dtype=bool)
        parent = np.array([parents.get(str(unit), "") for unit in rows["unit"]], dtype=object)
        below = set(zip(parent, rows["indicator"], rows["year"], strict=True))
        above = np.array([key in below for key in zip(rows["unit"], rows["indicator"], rows["year"], strict=True)])
        core = np.array([indicator.core for indicator in about], dtype=bool)
        gap = chance - promised
        harder = gap > 0
        share = np.where(harder, policy.ratchet_cap, np.where(relieved, 1.0, 0.0 if relief_only else EASED_SHARE))
        evidence = rows["evidence"].astype(str)
        reason = np.full(len(rows), "", dtype=object)
        for stays, code in (
            (~np.isfinite(target), "no_target"),
            (core, "core"),
            (~(np.isfinite(gap) & np.isfinite(restoring)), "unknown"),
            (above, "sum_of_below"),
            (evidence.str.startswith(("low", "none")).to_numpy(dtype=bool), "little_evidence"),
            (np.abs(np.nan_to_num(gap)) < FARTHEST_IGNORED, "as_promised"),
            (~harder & (share == 0), "no_relief"),
        ):
            reason[stays & (reason == "")] = code
        return cls(
            rows,
            [steps[code] for code in rows["indicator"]],
            np.asarray(promised, dtype=float),
            np.asarray(restoring, dtype=float) - target,
            share,
            harder,
            relieved,
            Siblings(
                rows[KEY].assign(parent=parent),
                np.array([indicator.kind in ("flow", "stock") for indicator in about], dtype=bool),
            ),
            int((~core & np.isfinite(target)).sum()),
            reason,
        )

    def explain(self, stays: np.ndarray, code: str, *, again: bool = False) -> None:
        """Note why some targets stay; what was noted before stands unless `again`."""
        self.reason[stays & (again | (self.reason == ""))] = code

    def limited(self, limits: CalibrationLimits) -> np.ndarray:
        """Give how far each target would move (N,), in whole steps, cut short rather than rounded up."""
        full = np.nan_to_num(self.way)
        way, size = full * self.share, np.abs(np.nan_to_num(self.rows["target"].to_numpy(dtype=float)))
        if limits.by == "size":
            way = np.clip(way, -limits.most * size, limits.most * size)
            way = np.where(np.abs(full) >= limits.least * size, way, 0.0)
        found = [int(Decimal(repr(float(move))) / step) for move, step in zip(way, self.step, strict=True)]
        return np.array(found, dtype=object)

    def moved_by(self, steps: np.ndarray) -> np.ndarray:
        """Give the targets (N,) after so many steps each."""
        new = self.rows["target"].to_numpy(dtype=float).copy()
        for place in np.flatnonzero(steps != 0).tolist():
            new[place] = float(Decimal(repr(float(new[place]))) + int(steps[place]) * self.step[place])
        return new

    def nearer(self, chance: np.ndarray) -> np.ndarray:
        """Tell where a probability (N,) is no farther from what was promised than today's."""
        today = np.abs(self.rows["p_attain"].to_numpy(dtype=float) - self.promised)
        return np.abs(chance - self.promised) <= today

    def farthest(self, able: np.ndarray) -> np.ndarray:
        """Order the places of those that may move: relief first, then the farthest from what was promised."""
        gap = np.round(np.abs(self.rows["p_attain"].to_numpy(dtype=float) - self.promised), ALIKE)
        size = np.maximum(np.abs(self.rows["target"].to_numpy(dtype=float)), np.finfo(float).tiny)
        names = [self.rows[name].astype(str).to_numpy() for name in ("year", "indicator", "unit")]
        far = np.abs(self.way) / size
        order = np.lexsort((*names, -np.nan_to_num(far), -np.nan_to_num(gap), ~(self.relieved & ~self.harder)))
        return order[able[order]]

    def frame(self, steps: np.ndarray, attain: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
        """Write the proposal."""
        old, new, moved = self.rows["target"].to_numpy(dtype=float), self.moved_by(steps), steps != 0
        code = np.where(self.harder, "harder", np.where(self.relieved, "relief", "eased"))
        reason = np.where(moved, code, self.reason)
        after = np.where(moved, attain(new), self.rows["p_attain"])
        found = self.rows[KEY].assign(
            old_target=old,
            new_target=new,
            p_promised=self.promised,
            p_before=self.rows["p_attain"],
            p_after=after.astype(float),
            moved=moved.astype(bool),
            reason=reason,
            reason_en=[REASONS[str(name)]["en"] for name in reason],
            reason_zh=[REASONS[str(name)]["zh"] for name in reason],
        )
        return found[list(COLUMNS)]
