"""What a simulation replays, as it is kept: with the policies and the change themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from serving.simulating import SimulationRequest


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be replayed; policies and the change are texts, so that it stays the same whatever is activated.

    Attributes
    ----------
    policy, against, change : str or None
        YAML.
    period, first, last : str or None
    year_ends, suggested_targets : bool
    point_value : float or None
    known_on : str or None
        A day as ISO 8601 has it.
    """

    policy: str | None = None
    against: str | None = None
    change: str | None = None
    period: str | None = None
    first: str | None = None
    last: str | None = None
    year_ends: bool = False
    suggested_targets: bool = False
    point_value: float | None = None
    known_on: str | None = None

    def request(self, folder: Path) -> SimulationRequest:
        """Give it as `serving.simulating` takes it, its texts as files in a folder."""
        files: dict[str, Path | None] = {}
        for name in ("policy", "against", "change"):
            text: str | None = getattr(self, name)
            files[name] = None if text is None else folder / f"{name}.yaml"
            if text is not None:
                (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        policy, against = files["policy"], files["against"]
        return SimulationRequest(
            policy=None if policy is None else str(policy),
            against=None if against is None else str(against),
            change=files["change"],
            period=self.period,
            first=self.first,
            last=self.last,
            year_ends=self.year_ends,
            suggested_targets=self.suggested_targets,
            point_value=self.point_value,
            known_on=None if self.known_on is None else date.fromisoformat(self.known_on),
        )

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {name: getattr(self, name) for name in self.__slots__}
