"""What came of a training run, for people: the table, and what is said of each model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.errors import LoadlineError
from training.retraining.runs import Run

TABLE = ("indicator", "served_by", "origins", "outcomes", "loss_to_pooled_growth", "coverage_80", "low_evidence")
"""Columns of what serves each indicator and level, and how it did at past origins."""


@dataclass(frozen=True)
class TrainingReport:
    """What came of a run.

    Attributes
    ----------
    run : str
        Its name.
    result : Mapping
        As `training.retraining.outcome.outcome` gives it.
    """

    run: str
    result: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run) -> TrainingReport:
        """Read what came of a run that has ended.

        Raises
        ------
        LoadlineError
            Where it failed, was cancelled or is still at work.
        """
        result = run.result
        if run.state == "done" and result is not None:
            return cls(run.name, result)
        last = run.events[-1]
        if last.kind == "failed":
            told = last.figures
            hint = told.get("hint") or "See `loadline runs show`, mend it, and ask again."
            raise LoadlineError(told.get("what") or last.text.en, where=told.get("where") or run.name, hint=hint)
        raise LoadlineError(f"the run is {run.state}: {last.text.en}", where=run.name, hint="Ask again to train.")

    @property
    def target(self) -> Mapping[str, Any]:
        """Give what came of the target model."""
        return self.result["target"]

    @property
    def model_version(self) -> str:
        """Give the version of the target model that was trained; "" where it stays as it is."""
        return self.target.get("model_version", "")

    @property
    def promoted(self) -> bool:
        """Tell whether the target model was trained and serves from now on."""
        return bool(self.target.get("promoted"))

    def table(self) -> pd.DataFrame:
        """Give a row an indicator and level: what serves it and how it did at past origins."""
        return pd.DataFrame(self.result["table"], columns=list(TABLE))

    @property
    def lines(self) -> list[dict[str, str]]:
        """Say what came of each model, in sentences by language."""
        told = [self.result[kind]["text"] for kind in ("target", "warning") if self.result[kind]["what"] != "none"]
        compared = [
            gate["text"]
            for kind in ("target", "warning")
            for gate in self.result[kind].get("gates", ())
            if gate["name"] == "beats_simple" and gate["passed"]
        ]
        shadow = self.result["shadow"]
        return [*told, *compared, *([] if shadow is None else [shadow["text"]])]

    def summary(self) -> list[str]:
        """Say how the target model did, in a few lines."""
        table = self.table()
        if table.empty:
            return []
        measured = pd.to_numeric(table["loss_to_pooled_growth"]).dropna()
        used = int((~table["served_by"].str.startswith("pooled growth")).sum())
        low = int(table["low_evidence"].sum())
        lines = [f"{used} of {len(table)} indicators and levels by a learned blend, the others by pooled growth"]
        if len(measured):
            middle = measured.median()
            lines.append(f"Pinball loss at past origins against pooled growth: {middle:.3f} in the middle")
        if low:
            lines.append(f"{low} marked as resting on little evidence")
        return lines
