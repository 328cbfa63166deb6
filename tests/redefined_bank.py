"""A panel written as dataset folders, one delivery after another, in which definitions may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from features.dataset import open_dataset
from features.panel import Panel
from features.snapshot import DataVersion
from features.store import Store

NAME = "redefined"


def write_panel(
    folder: Path, panel: Panel, *, entries: Mapping[str, Mapping[str, Any]] | None = None, known_on: str = ""
) -> Path:
    """Write a panel's figures as a dataset folder; `entries` changes fields of indicators, by code."""
    folder.mkdir(parents=True)
    frequency, ends = panel.calendar.frequency, panel.calendar.fiscal_year_end_month
    about = {"contract": 1, "name": NAME, "title": {"en": "Bank", "zh": "银行"}, "frequency": frequency}
    about |= {"source": "made for the tests", "licence": "none", "fiscal_year_end_month": ends}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    plain = [
        each.model_dump(mode="json", exclude_defaults=True) | dict((entries or {}).get(each.code, {}))
        for each in panel.indicators.values()
    ]
    text = yaml.safe_dump({"indicators": plain}, allow_unicode=True)
    (folder / "indicators.yaml").write_text(text, encoding="utf-8")
    tree, parents = panel.tree, panel.tree.parents(panel.last)
    units = pd.DataFrame({"unit": tree.codes, "parent": ["" if p < 0 else tree.codes[p] for p in parents]})
    units = units.join(tree.attributes[["name", "level", "peer_group"]].reset_index(drop=True))
    units.to_csv(folder / "units.csv", index=False)
    parts = []
    for code in panel.codes:
        frame = panel[code].set_axis([panel.calendar.format(int(p)) for p in panel.ordinals], axis=0)
        long = frame.rename_axis("period").melt(ignore_index=False, var_name="unit", value_name="value").reset_index()
        parts.append(long.dropna(subset=["value"]).assign(indicator=code))
    figures = pd.concat(parts)[["unit", "period", "indicator", "value"]]
    figures.assign(known_on=known_on).to_csv(folder / "observations.csv", index=False)
    return folder


def without(panel: Panel, code: str, *, rows: slice) -> Panel:
    """Take the figures of an indicator out of some rows."""
    array = panel.array(code).copy()
    array[rows] = np.nan
    return panel.with_values({**panel.values, code: array})


def only_rows(panel: Panel, code: str, *, rows: slice) -> Panel:
    """Keep some rows of one indicator, and nothing else."""
    kept = np.full(panel.array(code).shape, np.nan)
    kept[rows] = panel.array(code)[rows]
    return replace(panel, values={code: kept})


class Desk:
    """Ingests panels into one store, each as a delivery of its own day."""

    def __init__(self, place: Path) -> None:
        self.place, self.store, self.count = place, Store(place / "store"), 0

    def ingest(
        self, panel: Panel, *, day: str = "2035-01-01", known_on: str = "", **entries: Mapping[str, Any]
    ) -> DataVersion:
        self.count += 1
        folder = write_panel(self.place / f"delivery-{self.count}", panel, entries=entries, known_on=known_on)
        now = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return self.store.ingest(open_dataset(folder, stored=self.store.stored_indicators), now=now)
