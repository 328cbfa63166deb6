"""What a check found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from features.indicators import Title
from training.monitoring.rules import Rule

State = Literal["ok", "breach", "too little data"]
DIGITS = 6
"""Of figures kept: what is beyond is no evidence, and differs between machines."""
STATES = {
    "ok": Title(en="in order", zh="正常"),
    "breach": Title(en="breach", zh="超限"),
    "too little data": Title(en="too little data", zh="数据不足"),
}


@dataclass(frozen=True)
class Finding:
    """The result of one check of one model.

    Attributes
    ----------
    check : str
        Such as `target.inputs`.
    title : Title
    model : str
        Name in the registry.
    version : str
        Of the model; `replayed` for one fitted for a look back.
    measured : float or None
        What is held against the threshold; None where there was nothing to measure.
    threshold : tuple of float
        One limit, or the lowest and the highest that are in order.
    interval : tuple of float, optional
        Of what was measured, where it has one.
    sample : int
        Years, units, outcomes or decisions that it rests on.
    state : str
        `ok`, `breach` or `too little data`.
    text : Title
        The finding in a sentence.
    table : tuple of Mapping
        A row an indicator or column, plain JSON: what a chart shows.
    flagged : tuple of str
        Names of the rows that are beyond the threshold.
    """

    check: str
    title: Title
    model: str
    version: str
    measured: float | None
    threshold: tuple[float, ...]
    interval: tuple[float, float] | None
    sample: int
    state: State
    text: Title
    table: tuple[Mapping[str, Any], ...] = ()
    flagged: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, Any]:
        """Give what makes this finding the same as another: what was measured, of which model, and what is flagged."""
        return {"version": self.version, "measured": plain(self.measured), "flagged": list(self.flagged)}

    def as_dict(self) -> dict[str, Any]:
        """Give the finding as plain JSON."""
        return {
            "check": self.check,
            "title": self.title.model_dump(),
            "model": self.model,
            "version": self.version,
            "measured": plain(self.measured),
            "threshold": list(self.threshold),
            "interval": None if self.interval is None else [plain(end) for end in self.interval],
            "sample": self.sample,
            "state": self.state,
            "text": self.text.model_dump(),
            "table": [{name: plain(value) for name, value in row.items()} for row in self.table],
            "flagged": list(self.flagged),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Finding:
        """Read what `as_dict` gave."""
        interval = told["interval"]
        return cls(
            check=told["check"],
            title=Title(**told["title"]),
            model=told["model"],
            version=told["version"],
            measured=told["measured"],
            threshold=tuple(told["threshold"]),
            interval=None if interval is None else (interval[0], interval[1]),
            sample=told["sample"],
            state=told["state"],
            text=Title(**told["text"]),
            table=tuple(told["table"]),
            flagged=tuple(told["flagged"]),
        )


def too_little(rule: Rule, model: str, version: str, *, text: Title, sample: int = 0) -> Finding:
    """Say that there is too little to judge by."""
    return Finding(rule.key, rule.title, model, version, None, rule.threshold, None, sample, "too little data", text)


def plain(value: Any) -> Any:
    """Give a figure as JSON has it: None for what is not finite, rounded to `DIGITS` significant digits."""
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{DIGITS}g}") if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def some(names: Sequence[str], *, most: int = 3) -> str:
    """Name the first few."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" (+{more})" if more > 0 else "")
