"""A proposal to train again: what was found, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from training.monitoring.finding import Finding

Action = Literal["opened", "refreshed", "accepted", "requested", "dismissed", "settled", "replaced"]
State = Literal["open", "accepted", "dismissed", "settled", "replaced"]
STATES: Mapping[Action, State] = {
    "opened": "open",
    "accepted": "accepted",
    "requested": "accepted",
    "dismissed": "dismissed",
    "settled": "settled",
    "replaced": "replaced",
}
"""What a line makes of a proposal; a refreshed one stays what it was."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    at : datetime
        In UTC.
    by : str
    action : str
    proposal : str
        Its name.
    dataset : str
    finding : Finding or None
        Of the lines that a look writes.
    about : Mapping
        What the look rested on.
    reason : str
    run : str
        Name of the training run that accepting asked for.
    """

    number: int
    at: datetime
    by: str
    action: Action
    proposal: str
    dataset: str
    finding: Finding | None
    about: Mapping[str, Any]
    reason: str = ""
    run: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give the line as plain JSON."""
        return {
            "number": self.number,
            "at": self.at.isoformat(timespec="seconds"),
            "by": self.by,
            "action": self.action,
            "proposal": self.proposal,
            "dataset": self.dataset,
            "finding": None if self.finding is None else self.finding.as_dict(),
            "about": dict(self.about),
            "reason": self.reason,
            "run": self.run,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Line:
        """Read what `as_dict` gave."""
        finding = None if told["finding"] is None else Finding.from_dict(told["finding"])
        return cls(**{**told, "finding": finding, "at": datetime.fromisoformat(told["at"])})


@dataclass(frozen=True)
class Proposal:
    """A proposal as it stands: all its lines, oldest first."""

    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """Give what it is called: `P-0001`."""
        return self.lines[0].proposal

    @property
    def dataset(self) -> str:
        """Give the dataset whose model is concerned."""
        return self.lines[0].dataset

    @property
    def state(self) -> State:
        """Tell how it stands."""
        return next(STATES[line.action] for line in reversed(self.lines) if line.action in STATES)

    @property
    def finding(self) -> Finding:
        """Give what was found last."""
        found = next((line.finding for line in reversed(self.lines) if line.finding is not None), None)
        assert found is not None  # the first line has one
        return found

    @property
    def about(self) -> Mapping[str, Any]:
        """Give what the last finding rested on."""
        return next(line.about for line in reversed(self.lines) if line.finding is not None)

    @property
    def opened_on(self) -> Finding:
        """Give the finding that it was opened on."""
        found = self.lines[0].finding
        assert found is not None
        return found

    @property
    def key(self) -> tuple[str, str, str]:
        """Give what there is one open proposal of: dataset, model, check."""
        return (self.dataset, self.finding.model, self.finding.check)

    @property
    def run(self) -> str:
        """Give the name of the training run that accepting it asked for; "" for none."""
        return next((line.run for line in reversed(self.lines) if line.run), "")

    @property
    def last(self) -> Line:
        """Give the line that made it stand as it does."""
        return next(line for line in reversed(self.lines) if line.action in STATES)

    @property
    def kind(self) -> str:
        """Give the kind of model that training is proposed for."""
        return self.finding.check.split(".")[0]

    def as_dict(self) -> dict[str, Any]:
        """Give the proposal as plain JSON."""
        return {
            "proposal": self.name,
            "dataset": self.dataset,
            "kind": self.kind,
            "state": self.state,
            "check": self.finding.check,
            "model": self.finding.model,
            "version": self.opened_on.version,
            "opened_at": self.lines[0].at.isoformat(timespec="seconds"),
            "finding": self.finding.as_dict(),
            "about": dict(self.about),
            "by": self.last.by,
            "at": self.last.at.isoformat(timespec="seconds"),
            "reason": self.last.reason,
            "run": self.run,
            "lines": [
                {name: value for name, value in line.as_dict().items() if name not in ("finding", "about")}
                for line in self.lines
            ],
        }
