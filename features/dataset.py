"""A dataset folder: opened, checked against the contract as a whole, and read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from features.breaches import Breaches
from features.definitions import read_indicators
from features.documents import read_model, read_yaml
from features.errors import LoadlineError
from features.indicators import IndicatorSet, Title
from features.observations import Observations, observation_files
from features.outcomes_goals import read_goals, read_outcomes
from features.periods import Calendar, Frequency
from features.reading import inside
from features.unit_file import read_tree
from features.units import UnitTree

SYNTHETIC_WORDS = ("synthetic", "合成")
"""A dataset that is made up says so in its name, title or source."""


class Description(BaseModel):
    """What `dataset.yaml` says."""

    model_config = ConfigDict(frozen=True, extra="allow")

    contract: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    title: Title
    frequency: Frequency
    fiscal_year_end_month: int = Field(default=12, ge=1, le=12, strict=True)
    source: str
    licence: str

    @property
    def calendar(self) -> Calendar:
        """Give the calendar of the periods."""
        return Calendar(self.frequency, self.fiscal_year_end_month)

    @property
    def synthetic(self) -> bool:
        """Tell whether the dataset says of itself that it is made up."""
        text = " ".join((self.name, self.title.en, self.title.zh, self.source)).casefold()
        return any(word in text for word in SYNTHETIC_WORDS)


@dataclass(frozen=True)
class Dataset:
    """A folder that keeps the contract.

    Attributes
    ----------
    folder : Path
    description : Description
    indicators : IndicatorSet
    units : pd.DataFrame
        The columns of `units.csv` as text.
    tree : UnitTree
    observations : Observations
        Reads the figures, checked, piece by piece, as often as asked.
    outcomes, goals : pd.DataFrame
        Empty where the folder has none.
    policy : dict or None
        `policy.yaml` as it stands.
    notes : tuple of str
        What a careful reader should know: a stand-in for what is missing, a column passed over.
    """

    folder: Path
    description: Description
    indicators: IndicatorSet
    units: pd.DataFrame
    tree: UnitTree
    observations: Observations
    outcomes: pd.DataFrame
    goals: pd.DataFrame
    policy: dict[str, Any] | None
    notes: tuple[str, ...] = field(default=())

    @property
    def definitions(self) -> dict[str, str]:
        """Give everything but the figures as JSON texts, for the store."""
        return {
            "description": self.description.model_dump_json(),
            "indicators": json.dumps(
                [i.model_dump(mode="json", exclude_defaults=True) for i in self.indicators.values()]
            ),
            "units": _json(self.units),
            "outcomes": _json(self.outcomes),
            "goals": _json(self.goals),
            "policy": json.dumps(self.policy, ensure_ascii=False, default=str),
        }


def _json(frame: pd.DataFrame) -> str:
    """Give a table as JSON, its numbers to the last digit that a float holds for sure."""
    return frame.to_json(orient="split", index=False, force_ascii=False, double_precision=15)


def open_dataset(folder: Path | str, *, stored: Callable[[str], Collection[str]] | None = None) -> Dataset:
    """Open a dataset folder and check all of it.

    Parameters
    ----------
    folder : Path or str
    stored : callable, optional
        Gives, for a dataset's name, the codes of its indicators in the store: a ratio's denominator may be there.

    Raises
    ------
    LoadlineError
        Where there is no such folder, or nothing in it.
    DatasetError
        With every breach of the contract, where there is any.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LoadlineError(
            "there is no such folder", where=str(folder), hint="Name the folder that holds dataset.yaml."
        )
    if not any(folder.iterdir()):
        hint = "It should hold dataset.yaml, indicators.yaml, units.csv and observations.csv."
        raise LoadlineError("the folder is empty", where=str(folder), hint=hint)
    breaches, notes = Breaches(), []
    for path in sorted(folder.iterdir()):
        inside(folder, path, breaches)
    breaches.raise_if_any(str(folder))

    description = read_model(folder / "dataset.yaml", Description, breaches)
    months = 12 // description.calendar.per_year if description is not None else 1
    indicators = read_indicators(folder / "indicators.yaml", breaches, months=months)
    files = observation_files(folder, breaches)
    if description is None or indicators is None:
        breaches.raise_if_any(str(folder))
        raise AssertionError("a missing description is always a breach")
    units, tree = read_tree(folder / "units.csv", description.calendar, breaches)
    if tree is None:
        breaches.raise_if_any(str(folder))
        raise AssertionError("a missing tree is always a breach")

    observations = Observations(tuple(files), tree, indicators.codes, description.calendar)
    seen = observations.check(breaches)
    kept = indicators.resolve(seen | set(stored(description.name) if stored else ()), breaches, notes)
    outcomes = read_outcomes(folder / "outcomes.csv", tree, description.calendar, breaches)
    goals = read_goals(folder / "goals.csv", tree, kept, breaches)
    policy = read_yaml(folder / "policy.yaml", breaches) if (folder / "policy.yaml").exists() else None
    breaches.raise_if_any(str(folder))
    return Dataset(folder, description, kept, units, tree, observations, outcomes, goals, policy, tuple(notes))
