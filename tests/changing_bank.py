"""The small bank of `scoring_bank` delivered again and again, with other figures, definitions, units and policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scoring_bank import CALENDAR, make_panel, make_policy, write_bank

from features.dataset import open_dataset
from features.panel import Panel
from features.snapshot import Snapshot
from features.store import Store
from models.bundle import ModelBundle
from models.policy.document import Policy
from training.policy_activation import activate
from training.retraining.decision import Decision, decide
from training.retraining.policy_marks import policy_day, policy_mark
from training.retraining.request import TrainingRequest

DECEMBER = CALENDAR.parse("2024-12")
SEED = 7
CODE = "9.9"
COLUMNS = ("LENDING.growth_1y", "LOANS.growth_1y", "LATE.peer_z", "NPS.own_z")
LEVELS = ("LENDING.leaves", "DEPOSITS.leaves", "INTEREST.leaves", "LATE.leaves", "YIELD.leaves", "NPS.leaves")


@dataclass
class Bank:
    """A store, a home, and the champions of both kinds as they would have been trained on a data version."""

    place: Path
    champions: dict[str, ModelBundle | None] = field(default_factory=dict)
    count: int = 0

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def store(self) -> Store:
        return Store(self.place / "store")

    @property
    def snapshot(self) -> Snapshot:
        return self.store.snapshot()

    def deliver(
        self,
        panel: Panel | None = None,
        *,
        day: str = "2025-03-02",
        entries: Mapping[str, Mapping[str, Any]] | None = None,
        more: Sequence[Mapping[str, Any]] = (),
        units: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    ) -> Snapshot:
        """Ingest figures; `entries` changes indicators, `more` adds some, `units` changes the tree."""
        self.count += 1
        folder = write_bank(self.place / f"delivery-{self.count}", make_panel() if panel is None else panel)
        written = yaml.safe_load((folder / "indicators.yaml").read_text(encoding="utf-8"))["indicators"]
        changed = [entry | dict((entries or {}).get(entry["code"], {})) for entry in written]
        text = yaml.safe_dump({"indicators": [*changed, *map(dict, more)]}, allow_unicode=True)
        (folder / "indicators.yaml").write_text(text, encoding="utf-8")
        if units is not None:
            units(pd.read_csv(folder / "units.csv", dtype=str, keep_default_na=False)).to_csv(
                folder / "units.csv", index=False
            )
        now = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.store.ingest(open_dataset(folder, stored=self.store.stored_indicators), now=now)
        return self.snapshot

    def activate(self, policy: Policy, *, day: str = "2020-01-01") -> None:
        activate(
            self.home,
            "small-bank",
            policy,
            by="test",
            reason="test",
            last_closed=lambda level: None,
            clock=lambda: datetime.fromisoformat(day).replace(tzinfo=UTC),
        )

    def train(self, *, as_of: int = DECEMBER, latest: bool = True, **changes: Any) -> None:
        """Put models in service that say that they were trained on what there is now."""
        snapshot = self.snapshot
        mark = policy_mark(snapshot, self.home, policy_day(snapshot, as_of))
        about = {
            "dataset": "small-bank",
            "data_version": snapshot.about.version,
            "fingerprint": snapshot.about.fingerprint,
            "as_of": CALENDAR.format(as_of),
            "known_on": str(snapshot.last_known if latest else CALENDAR.end(as_of)),
            "policy_version": mark,
            "code_version": CODE,
            "seed": SEED,
        } | changes
        year_end = CALENDAR.last_of_year(int(CALENDAR.year(as_of + 1)) - 1)
        ends = {"as_of": CALENDAR.format(year_end), "known_on": str(CALENDAR.end(year_end)), "origin": year_end}
        self.champions = {
            "target": ModelBundle("target", about | {"levels": {name: {} for name in LEVELS}}, {}, {}),
            "warning": ModelBundle("warning", about | ends | {"fitted": {"names": list(COLUMNS)}}, {}, {}),
        }

    def request(self, *, as_of: int = DECEMBER, **changes: Any) -> TrainingRequest:
        snapshot = self.snapshot
        asked = TrainingRequest(
            dataset="small-bank",
            data_version=snapshot.about.version,
            fingerprint=snapshot.about.fingerprint,
            as_of=CALENDAR.format(as_of),
            latest=True,
            policy=policy_mark(snapshot, self.home, policy_day(snapshot, as_of)),
            code_version=CODE,
            seed=SEED,
            trials=0,
        )
        return replace(asked, **changes)

    def decide(self, *, as_of: int = DECEMBER, **changes: Any) -> Decision:
        request = self.request(as_of=as_of, **changes)
        found = decide(
            self.snapshot,
            self.home,
            origin=as_of,
            latest=request.latest,
            kinds=request.kinds,
            champions=self.champions,
            request=request,
        )
        assert Decision.from_dict(found.as_dict()) == found
        return found


def policy(version: str = "1", *, start: str = "2020-01-01", **changes: Any) -> Policy:
    return make_policy(version=version, effective={"from": start}, **changes)


def months(panel: Panel, *, upto: str) -> Panel:
    """Keep the figures up to a month."""
    return panel.up_to(CALENDAR.parse(upto))


def moved(panel: Panel, code: str, *, by: float, since: str, each: int = 1) -> Panel:
    """Change the figures of an indicator from a month on, of every so manieth unit."""
    array = panel.array(code).copy()
    array[CALENDAR.parse(since) - panel.first :, ::each] += by
    return panel.with_values({**panel.values, code: np.round(array, 2)})
